//! Whether a database is whole, for whoever examines a deployment.
//!
//! In: a file, beside a daemon that may be running.
//! Out: what SQLite says of it, and how its tables compare with this version's.
//! Never: writes a row, takes the lock.

use std::path::Path;

use super::StoreError;
use super::error::failed;
use super::open::{Store, connect, migrator, options};

/// What was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoreExamination {
    /// What SQLite finds damaged, the first three things of it.
    pub damage: Vec<String>,
    /// The version of its tables.
    pub tables: i64,
    /// The version of the tables that this program makes.
    pub newest_tables: i64,
}

impl Store {
    /// Looks at the database at `path`, which must be there.
    pub async fn examine(path: &Path) -> Result<StoreExamination, StoreError> {
        let reader = connect(path, options(path).read_only(true), 1).await?;
        let found: Vec<String> = sqlx::query_scalar("PRAGMA integrity_check(3)")
            .fetch_all(&reader)
            .await
            .map_err(failed("check itself"))?;
        let tables: Option<i64> = sqlx::query_scalar("SELECT max(version) FROM _sqlx_migrations")
            .fetch_one(&reader)
            .await
            .map_err(failed("tell the version of its tables"))?;
        reader.close().await;
        let newest = migrator().iter().map(|migration| migration.version).max();
        Ok(StoreExamination {
            damage: found.into_iter().filter(|line| line != "ok").collect(),
            tables: tables.unwrap_or_default(),
            newest_tables: newest.unwrap_or_default(),
        })
    }
}
