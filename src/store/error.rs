//! What can go wrong with the store. Whoever meets one of these may not act.

use std::path::PathBuf;

/// Why the store can't be used.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// Another daemon has the file.
    #[error(
        "{path} is in use by another windlass: {holder}. One database serves one daemon; stop \
         that process, or give this one another `database` in its configuration"
    )]
    InUse {
        /// The database.
        path: PathBuf,
        /// Who holds it, as it wrote of itself.
        holder: String,
    },
    /// The file or its folder can't be used.
    #[error("the database {path} can't be opened: {help}")]
    Open {
        /// The database.
        path: PathBuf,
        /// What to do.
        help: String,
        /// What the system said.
        #[source]
        cause: Box<dyn std::error::Error + Send + Sync>,
    },
    /// The file is not as SQLite wrote it.
    #[error(
        "the database {path} is damaged: {found}. It was left as it is. Look at the disk, move the \
         file away and restore a backup; a node that the backup doesn't know shows up as an orphan"
    )]
    Corrupt {
        /// The database.
        path: PathBuf,
        /// What SQLite found first.
        found: String,
    },
    /// A statement failed.
    #[error("the database failed to {what}")]
    Statement {
        /// What was to be done.
        what: &'static str,
        /// What it said.
        #[source]
        cause: sqlx::Error,
    },
    /// The journal is not what was written.
    #[error("the journal's chain is broken: journal row {sequence} {what}")]
    Broken {
        /// The first row that is wrong or missing.
        sequence: i64,
        /// What is wrong with it.
        what: String,
    },
    /// A row can't be understood.
    #[error("the database holds something that this version can't read: {what}")]
    Damaged {
        /// What.
        what: String,
    },
}

/// Names what was to be done when a statement fails.
pub(super) fn failed(what: &'static str) -> impl FnOnce(sqlx::Error) -> StoreError {
    move |cause| StoreError::Statement { what, cause }
}
