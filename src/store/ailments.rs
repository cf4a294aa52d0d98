//! Ailments of a real file, for tests: full, read-only, held by others, damaged.

use sqlx::{Sqlite, Transaction};

use super::Store;
use crate::domain::Duration;

impl Store {
    async fn tell_writer(&self, pragma: String) {
        let pragma = sqlx::AssertSqlSafe(pragma);
        sqlx::raw_sql(pragma).execute(&self.writer).await.expect("SQLite knows the pragma");
    }

    /// The file has all the pages that it will get from the next write on: SQLite answers as on a
    /// full disk. Another connection finds room again.
    pub(crate) async fn grow_no_further(&self) {
        self.tell_writer("PRAGMA max_page_count = 1".into()).await;
    }

    /// SQLite answers as on a file that can only be read.
    pub(crate) async fn make_read_only(&self) {
        self.tell_writer("PRAGMA query_only = ON".into()).await;
    }

    /// It can be written again.
    pub(crate) async fn make_writable(&self) {
        self.tell_writer("PRAGMA query_only = OFF".into()).await;
    }

    /// How long a write waits for whoever else writes.
    pub(crate) async fn wait_for_others(&self, length: Duration) {
        self.tell_writer(format!("PRAGMA busy_timeout = {}", length.as_millis())).await;
    }

    /// Nobody else writes until the result is dropped.
    pub(crate) async fn hold(&self) -> Transaction<'static, Sqlite> {
        self.begin().await.expect("nobody else holds it")
    }

    /// Nothing is left in the log, so that the file alone counts.
    pub(crate) async fn write_all_into_the_file(&self) {
        self.tell_writer("PRAGMA wal_checkpoint(TRUNCATE)".into()).await;
    }

    /// Every page is read from the file again.
    pub(crate) async fn forget_pages(&self) {
        self.tell_writer("PRAGMA shrink_memory".into()).await;
        let mut readers = Vec::new();
        while let Some(reader) = self.reader.try_acquire() {
            readers.push(reader);
        }
        for reader in &mut readers {
            sqlx::raw_sql("PRAGMA shrink_memory").execute(&mut **reader).await.expect("a pragma");
        }
    }
}
