//! Opening the store.

use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::sync::Mutex;
use std::time::Duration;

use sqlx::migrate::{Migration, MigrationType, Migrator};
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous};
use sqlx::{ConnectOptions, Connection, SqliteConnection, SqlitePool};

use super::StoreError;
use super::lock::StoreLock;

/// The daemon's memory: one SQLite file.
#[derive(Debug)]
pub struct Store {
    /// One connection: writers queue here instead of failing with SQLITE_BUSY.
    pub(super) writer: SqlitePool,
    /// Readers see the last committed state and wait for nobody.
    pub(super) reader: SqlitePool,
    path: PathBuf,
    _lock: Option<StoreLock>,
    /// What is only in memory lives as long as any connection to it: this one is never used.
    _keeper: Option<Mutex<SqliteConnection>>,
}

impl Store {
    /// Opens `path` for the daemon: makes it where it is missing, looks whether it is whole, brings
    /// it up to this version's tables, and keeps every other daemon out.
    pub async fn open(path: &Path) -> Result<Self, StoreError> {
        let lock = StoreLock::take(path)?;
        let options = options(path).create_if_missing(true);
        let writer = connect(path, options.clone(), 1).await?;
        check_pages(path, &writer).await?;
        migrator().run(&writer).await.map_err(|cause| cannot_migrate(path, cause))?;
        let reader = connect(path, options.read_only(true), 4).await?;
        let path = path.to_path_buf();
        Ok(Self { writer, reader, path, _lock: Some(lock), _keeper: None })
    }

    /// Opens `path` beside a daemon that may be running, to read or to leave a command.
    pub async fn open_beside(path: &Path) -> Result<Self, StoreError> {
        let writer = connect(path, options(path), 1).await?;
        let reader = connect(path, options(path).read_only(true), 1).await?;
        Ok(Self { writer, reader, path: path.to_path_buf(), _lock: None, _keeper: None })
    }

    /// A store that nobody shares and that is gone when it is dropped.
    pub async fn in_memory() -> Result<Self, StoreError> {
        let path = Path::new(":memory:");
        // Under a name of its own, so that it outlives a connection: one whose use was given up
        // midway is closed.
        let options = SqliteConnectOptions::from_str("sqlite::memory:")
            .map_err(|cause| cannot_open(path, cause))?;
        let keeper = options.connect().await.map_err(|cause| cannot_open(path, cause))?;
        let writer = connect(path, options, 1).await?;
        migrator().run(&writer).await.map_err(|cause| cannot_migrate(path, cause))?;
        let (reader, path) = (writer.clone(), path.to_path_buf());
        Ok(Self { writer, reader, path, _lock: None, _keeper: Some(Mutex::new(keeper)) })
    }

    /// Where it lies.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Writes what is still in the log into the file, and lets go of it.
    pub async fn close(&self) {
        self.reader.close().await;
        self.writer.close().await;
    }
}

pub(super) fn options(path: &Path) -> SqliteConnectOptions {
    SqliteConnectOptions::new()
        .filename(path)
        .journal_mode(SqliteJournalMode::Wal)
        // A power cut may not undo what we acted upon.
        .synchronous(SqliteSynchronous::Full)
        .foreign_keys(true)
        .busy_timeout(Duration::from_secs(10))
}

pub(super) async fn connect(
    path: &Path,
    options: SqliteConnectOptions,
    connections: u32,
) -> Result<SqlitePool, StoreError> {
    SqlitePoolOptions::new()
        .max_connections(connections)
        .acquire_timeout(Duration::from_secs(15))
        // On a full disk SQLite itself gives a transaction up. The ROLLBACK that is sent then finds
        // none, so that the connection is thought to be in one for ever: another one begins anew.
        .before_acquire(|connection, _| Box::pin(async { Ok(!connection.is_in_transaction()) }))
        .connect_with(options)
        .await
        .map_err(|cause| match is_damage(&cause) {
            true => corrupt(path, &cause),
            false => cannot_open(path, cause),
        })
}

/// Whether SQLite found the file damaged, or no database at all.
fn is_damage(cause: &sqlx::Error) -> bool {
    const CORRUPT: &str = "11";
    const NOT_A_DATABASE: &str = "26";
    let code = cause.as_database_error().and_then(|error| error.code());
    code.is_some_and(|code| code == CORRUPT || code == NOT_A_DATABASE)
}

fn corrupt(path: &Path, found: &dyn std::fmt::Display) -> StoreError {
    StoreError::Corrupt { path: path.to_path_buf(), found: found.to_string() }
}

/// Looks at every page before anything is believed or written: acts that rest on a damaged file
/// are worse than none.
async fn check_pages(path: &Path, connection: &SqlitePool) -> Result<(), StoreError> {
    let found: Vec<String> = sqlx::query_scalar("PRAGMA quick_check(1)")
        .fetch_all(connection)
        .await
        .map_err(|cause| corrupt(path, &cause))?;
    match found.into_iter().find(|line| line != "ok") {
        Some(found) => Err(corrupt(path, &found)),
        None => Ok(()),
    }
}

pub(super) fn migrator() -> Migrator {
    let migrations = [
        (1, "first tables", include_str!("../../migrations/sqlite/0001_first_tables.sql")),
        (2, "policies", include_str!("../../migrations/sqlite/0002_policies.sql")),
        (3, "forecasts", include_str!("../../migrations/sqlite/0003_forecasts.sql")),
        (4, "hints", include_str!("../../migrations/sqlite/0004_hints.sql")),
        (5, "orphans", include_str!("../../migrations/sqlite/0005_orphans.sql")),
        (6, "outbox", include_str!("../../migrations/sqlite/0006_outbox.sql")),
        (7, "access", include_str!("../../migrations/sqlite/0007_access.sql")),
        (8, "command ends", include_str!("../../migrations/sqlite/0008_command_ends.sql")),
        (9, "points", include_str!("../../migrations/sqlite/0009_points.sql")),
        (10, "shadow", include_str!("../../migrations/sqlite/0010_shadow.sql")),
    ];
    let migrations = migrations.into_iter().map(|(version, name, text)| {
        let text = sqlx::SqlStr::from_static(text);
        Migration::new(version, name.into(), MigrationType::Simple, text, false)
    });
    Migrator::with_migrations(migrations.collect())
}

/// An error that says what to do about a file that can't be used.
pub(super) fn cannot_open(
    path: &Path,
    cause: impl std::error::Error + Send + Sync + 'static,
) -> StoreError {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    let folder = folder.unwrap_or(Path::new("."));
    let help = if folder.is_dir() {
        format!(
            "make the folder {} and the files in it writable for the user that windlass runs \
             as, or name another `database` in the configuration",
            folder.display()
        )
    } else {
        format!(
            "the folder {} does not exist; make it, writable for the user that windlass runs \
             as, or name another `database` in the configuration",
            folder.display()
        )
    };
    StoreError::Open { path: path.to_path_buf(), help, cause: Box::new(cause) }
}

fn cannot_migrate(path: &Path, cause: sqlx::migrate::MigrateError) -> StoreError {
    let help = "its tables can't be brought up to this version; it may come from a newer \
                windlass, or be damaged or read-only: restore a backup or install that version";
    StoreError::Open { path: path.to_path_buf(), help: help.into(), cause: Box::new(cause) }
}
