//! The chain that the journal's rows form: each row's hash is SHA-256 over its content and the
//! hash before it.
//!
//! In: rows to add; a journal to walk; an age beyond which rows go.
//! Out: the same rows, chained; or the first row that is not as it was written.
//! Never: mends a chain. Whoever may write the file may write a whole new chain: what is held
//! against that is an end that was noted elsewhere, which the log does every day.
//!
//! Both ends are kept beside the rows. Old rows are taken off the beginning only after they were
//! found whole, and the last of them stays behind as the *anchor* that the rest hangs on. Rows that
//! somebody takes off the *end* are missed, because the end is known.

use std::fmt;
use std::str::FromStr;

use serde::Serialize;
use sha2::{Digest, Sha256};
use sqlx::sqlite::SqliteRow;
use sqlx::{Row, SqliteConnection};

use super::error::failed;
use super::{Entry, Store, StoreError, document, milliseconds, parse, sql, timestamp};
use crate::domain::{NodeId, PoolName, Timestamp, hex};

/// Rows that are read, or taken off, at a time.
const BATCH: i64 = 1_000;

/// The names of the two ends in their table.
const ANCHOR: &str = "anchor";
const END: &str = "end";

/// A row's number and hash: an end of the chain. Displays as `NUMBER:HASH`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ChainEnd {
    /// The row's number; 0 before the first row.
    pub sequence: i64,
    /// Its hash in hexadecimal digits; empty before the first row.
    pub hash: String,
}

impl fmt::Display for ChainEnd {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.sequence, self.hash)
    }
}

impl FromStr for ChainEnd {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let end = text.split_once(':').and_then(|(sequence, hash)| {
            let is_hash = hash.len() == 64 && hash.chars().all(|c| c.is_ascii_hexdigit());
            let sequence = sequence.parse().ok().filter(|sequence| 0 < *sequence)?;
            is_hash.then(|| Self { sequence, hash: hash.to_ascii_lowercase() })
        });
        end.ok_or_else(|| {
            "write it as the log and `windlass audit verify` do: a row's number, a colon, and its \
             hash of 64 digits"
                .into()
        })
    }
}

/// A journal that was walked from end to end and found whole.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct JournalChain {
    /// How many rows there are.
    pub rows: u64,
    /// The last row that retention took off the beginning.
    pub anchor: ChainEnd,
    /// The newest row.
    pub end: ChainEnd,
}

/// A journal row for whoever looks after the whole daemon.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct AuditRecord {
    /// Its number.
    pub sequence: i64,
    /// When.
    pub at: Timestamp,
    /// The pool; none: it is about no single one.
    pub pool: Option<PoolName>,
    /// What.
    pub entry: Entry,
}

impl Store {
    /// Walks the whole chain. How many rows there are, when every one is as it was written and
    /// none is missing.
    pub async fn verify_journal(&self) -> Result<u64, StoreError> {
        Ok(self.audit_journal(None).await?.rows)
    }

    /// Walks the whole chain, and past `known`, an end that was noted earlier.
    pub async fn audit_journal(
        &self,
        known: Option<&ChainEnd>,
    ) -> Result<JournalChain, StoreError> {
        // One snapshot: the daemon may add rows, or take some off, while we walk.
        let mut snapshot = self.reader.begin().await.map_err(failed("read the journal"))?;
        let anchor = end_of(&mut snapshot, ANCHOR).await?;
        let end = end_of(&mut snapshot, END).await?;
        let (mut last, mut rows) = (anchor.clone(), 0);
        let mut past = None;
        loop {
            // From the very beginning, so that a row below the anchor is seen, too.
            let after = if rows == 0 { i64::MIN } else { last.sequence };
            let batch = batch(&mut snapshot, after).await?;
            if batch.is_empty() {
                break;
            }
            for row in &batch {
                last = next(&last, row)?;
                rows += 1;
                if known.is_some_and(|known| known.sequence == last.sequence) {
                    past = Some(last.clone());
                }
            }
        }
        if last != end {
            return Err(ends_elsewhere(&last, &end));
        }
        if let Some(known) = known {
            check_known(known, past.as_ref(), &anchor, &end)?;
        }
        Ok(JournalChain { rows, anchor, end })
    }

    /// The newest row: to be noted elsewhere.
    pub async fn journal_end(&self) -> Result<ChainEnd, StoreError> {
        let mut connection = self.reader.acquire().await.map_err(failed("read the journal"))?;
        end_of(&mut connection, END).await
    }

    /// The newest rows of these kinds below `before`, of every pool and of none, newest first.
    pub async fn audit_rows(
        &self,
        kinds: &[&str],
        before: i64,
        limit: u32,
    ) -> Result<Vec<AuditRecord>, StoreError> {
        let rows = sqlx::query(sql::AUDIT)
            .bind(before)
            .bind(document(&kinds))
            .bind(limit)
            .fetch_all(&self.reader)
            .await
            .map_err(failed("read the journal"))?;
        rows.iter().map(record).collect()
    }

    /// Takes a batch of rows older than `before` off the chain's beginning, if they are whole.
    pub(super) async fn prune_journal(&self, before: Timestamp) -> Result<u64, StoreError> {
        let oldest: Option<i64> = sqlx::query_scalar(sql::OLDEST_JOURNAL_ROW)
            .fetch_optional(&self.reader)
            .await
            .map_err(failed("read the journal's beginning"))?;
        let before = milliseconds(before);
        if oldest.is_none_or(|oldest| before <= oldest) {
            return Ok(0);
        }
        let mut transaction = self.begin().await?;
        let mut anchor = end_of(&mut transaction, ANCHOR).await?;
        for row in batch(&mut transaction, i64::MIN).await? {
            if before <= row.get::<i64, _>(1) {
                break;
            }
            anchor = next(&anchor, &row)?;
        }
        sqlx::query(sql::KEEP_DISOWNED)
            .bind(anchor.sequence)
            .execute(&mut *transaction)
            .await
            .map_err(failed("keep what is somebody else's"))?;
        let gone = sqlx::query(sql::PRUNE_JOURNAL)
            .bind(anchor.sequence)
            .execute(&mut *transaction)
            .await
            .map_err(failed("take old rows off the journal"))?;
        move_end(&mut transaction, ANCHOR, &anchor).await?;
        transaction.commit().await.map_err(failed("commit a shorter journal"))?;
        Ok(gone.rows_affected())
    }
}

/// Adds rows about a pool inside a transaction that the caller commits together with what they
/// speak of.
pub(super) async fn append(
    transaction: &mut SqliteConnection,
    at: Timestamp,
    pool: &PoolName,
    entries: impl IntoIterator<Item = (Option<NodeId>, Entry)>,
) -> Result<(), StoreError> {
    append_rows(transaction, at, pool.as_str(), entries).await
}

/// The same with a row that is about no single pool.
pub(super) async fn append_about_all(
    transaction: &mut SqliteConnection,
    at: Timestamp,
    entry: Entry,
) -> Result<(), StoreError> {
    append_rows(transaction, at, "", [(None, entry)]).await
}

async fn append_rows(
    transaction: &mut SqliteConnection,
    at: Timestamp,
    pool: &str,
    entries: impl IntoIterator<Item = (Option<NodeId>, Entry)>,
) -> Result<(), StoreError> {
    let mut end = end_of(transaction, END).await?;
    // A row that somebody put there by hand keeps its number; verification names it.
    let last: i64 = sqlx::query_scalar(sql::LAST_JOURNAL_ROW)
        .fetch_one(&mut *transaction)
        .await
        .map_err(failed("read the journal's end"))?;
    let mut sequence = last.max(end.sequence);
    for (node, entry) in entries {
        sequence += 1;
        let (node, document) = (node.map(|node| node.to_string()), document(&entry));
        let content = Content {
            at_milliseconds: milliseconds(at),
            pool,
            node: node.as_deref(),
            kind: entry.kind(),
            document: &document,
        };
        let hash = hash_of(&end.hash, sequence, &content);
        sqlx::query(sql::ADD_JOURNAL)
            .bind(sequence)
            .bind(content.at_milliseconds)
            .bind(content.pool)
            .bind(content.node)
            .bind(content.kind)
            .bind(content.document)
            .bind(&end.hash)
            .bind(&hash)
            .execute(&mut *transaction)
            .await
            .map_err(failed("add to the journal"))?;
        end = ChainEnd { sequence, hash };
    }
    move_end(transaction, END, &end).await
}

async fn end_of(connection: &mut SqliteConnection, which: &str) -> Result<ChainEnd, StoreError> {
    let row = sqlx::query(sql::JOURNAL_END)
        .bind(which)
        .fetch_optional(connection)
        .await
        .map_err(failed("read an end of the journal"))?;
    let missing = || StoreError::Damaged { what: format!("the journal's {which} is gone") };
    row.map(|row| ChainEnd { sequence: row.get(0), hash: row.get(1) }).ok_or_else(missing)
}

async fn move_end(
    transaction: &mut SqliteConnection,
    which: &str,
    end: &ChainEnd,
) -> Result<(), StoreError> {
    sqlx::query(sql::MOVE_JOURNAL_END)
        .bind(which)
        .bind(end.sequence)
        .bind(&end.hash)
        .execute(transaction)
        .await
        .map_err(failed("move an end of the journal"))?;
    Ok(())
}

async fn batch(
    connection: &mut SqliteConnection,
    after: i64,
) -> Result<Vec<SqliteRow>, StoreError> {
    sqlx::query(sql::JOURNAL_AFTER)
        .bind(after)
        .bind(BATCH)
        .fetch_all(connection)
        .await
        .map_err(failed("read the journal"))
}

/// The end that `row` makes of a chain that ended with `last`, if it is as it was written.
fn next(last: &ChainEnd, row: &SqliteRow) -> Result<ChainEnd, StoreError> {
    let broken = |sequence, what: &str| StoreError::Broken { sequence, what: what.into() };
    let sequence: i64 = row.get(0);
    let (previous, hash): (String, String) = (row.get(6), row.get(7));
    let wanted = last.sequence + 1;
    if sequence < wanted {
        return Err(broken(sequence, "was put before the chain's beginning"));
    }
    if wanted < sequence && previous != last.hash {
        return Err(broken(wanted, "is missing"));
    }
    if wanted < sequence {
        return Err(broken(sequence, "has another number than it was written with"));
    }
    if previous != last.hash {
        return Err(broken(
            sequence,
            "does not follow the row before it: it, or that one, was put there",
        ));
    }
    let content = Content {
        at_milliseconds: row.get(1),
        pool: row.get(2),
        node: row.get(3),
        kind: row.get(4),
        document: row.get(5),
    };
    if hash != hash_of(&last.hash, sequence, &content) {
        return Err(broken(sequence, "is not as it was written"));
    }
    Ok(ChainEnd { sequence, hash })
}

/// Why a chain that hangs together ends elsewhere than it was left.
fn ends_elsewhere(last: &ChainEnd, end: &ChainEnd) -> StoreError {
    let (sequence, what) = if last.sequence < end.sequence {
        (last.sequence + 1, "is missing, and so are all that came after it")
    } else if end.sequence < last.sequence {
        (end.sequence + 1, "was added by somebody else")
    } else {
        (last.sequence, "is another one than the one that was written last")
    };
    StoreError::Broken { sequence, what: what.into() }
}

/// Holds the chain against an end that was noted elsewhere.
fn check_known(
    known: &ChainEnd,
    past: Option<&ChainEnd>,
    anchor: &ChainEnd,
    end: &ChainEnd,
) -> Result<(), StoreError> {
    let what = if past.unwrap_or(anchor) == known {
        return Ok(());
    } else if end.sequence < known.sequence {
        format!("is missing: the journal ends at {end}, before the end that was noted")
    } else if known.sequence < anchor.sequence {
        format!("was taken off by retention, which reaches to {}", anchor.sequence)
    } else {
        "is another one than was noted: the chain was written anew".into()
    };
    Err(StoreError::Broken { sequence: known.sequence, what })
}

/// What a row says.
struct Content<'a> {
    at_milliseconds: i64,
    pool: &'a str,
    node: Option<&'a str>,
    kind: &'a str,
    document: &'a str,
}

/// Covers every field, each ended by a byte that no field contains.
fn hash_of(previous: &str, sequence: i64, content: &Content<'_>) -> String {
    let mut hash = Sha256::new();
    let (sequence, at) = (sequence.to_string(), content.at_milliseconds.to_string());
    let Content { pool, node, kind, document, .. } = *content;
    for part in [previous, &sequence, &at, pool, node.unwrap_or(""), kind, document] {
        hash.update(part.as_bytes());
        hash.update([0]);
    }
    hex(&hash.finalize())
}

fn record(row: &SqliteRow) -> Result<AuditRecord, StoreError> {
    let pool: String = row.get(2);
    let pool = Some(pool).filter(|pool| !pool.is_empty()).map(PoolName::new).transpose();
    Ok(AuditRecord {
        sequence: row.get(0),
        at: timestamp(row.get(1))?,
        pool: pool.map_err(|what| StoreError::Damaged { what })?,
        entry: parse("a journal row", row.get(5))?,
    })
}
