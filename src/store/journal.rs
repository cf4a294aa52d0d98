//! The journal: what was intended, done and noticed, never changed afterwards.
//!
//! Rows are chained: each row's hash covers its content and the hash before it, so a row that
//! was altered or taken out is noticed.

use serde::{Deserialize, Serialize};
use serde_json::Value;
use sha2::{Digest, Sha256};
use sqlx::{Row, SqliteConnection};

use super::error::failed;
use super::{Store, StoreError, document, milliseconds, parse, sql, timestamp};
use crate::domain::{
    DecisionId, Failure, Hint, HintId, InstanceId, NodeCount, NodeId, NodeState, PoolName,
    Timestamp,
};
use crate::engine::{Direction, Reason};
use crate::planner::Note;
use crate::policy::Difference;

/// The hash before the first row.
const ORIGIN: &str = "";

/// One thing that was intended, done or noticed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Entry {
    /// The daemon began to look after the pool.
    Started {
        /// Its version.
        version: String,
        /// The policy's digest.
        policy_digest: String,
    },
    /// The pool goes by another policy from here on.
    PolicyChanged {
        /// The old policy's digest.
        before: String,
        /// The new policy's digest.
        after: String,
        /// What changed; nothing where only remarks or the spelling did.
        changes: Vec<Difference>,
    },
    /// The count changed, or its reason did.
    Decided {
        /// The decision.
        decision: DecisionId,
        /// Which way.
        direction: Direction,
        /// The count before.
        from: NodeCount,
        /// The count after.
        to: NodeCount,
        /// Why; the first one binds.
        reasons: Vec<Reason>,
    },
    /// A node entered a state; written before the act that belongs to it.
    Entered {
        /// The state before; none for a new node.
        before: Option<NodeState>,
        /// The state now.
        after: NodeState,
        /// Why.
        because: String,
        /// The misfortune that led here.
        failure: Option<Failure>,
    },
    /// A step is about to be taken.
    Intended {
        /// The step.
        step: String,
        /// On which balancers, where it is about balancers.
        balancers: Vec<String>,
        /// Why.
        because: String,
    },
    /// A step was taken.
    Came {
        /// The step.
        step: String,
        /// What came of it: `done`, `waiting`, or the kind of fault.
        outcome: String,
        /// In words: what the world said.
        detail: String,
        /// How long it took, in seconds.
        seconds: f64,
    },
    /// The playbook ended well on a node: what the node told of itself.
    Configured {
        /// Tasks that ran.
        ok: u32,
        /// Tasks that changed something.
        changed: u32,
        /// Facts such as host name and kernel.
        facts: std::collections::BTreeMap<String, String>,
    },
    /// What the plan would have done and did not.
    Noted {
        /// The note.
        note: Note,
    },
    /// An orphan is about to be deleted.
    Sweeps {
        /// The cloud's number for it.
        instance: InstanceId,
        /// Its label.
        label: String,
        /// Since when every listing has shown it.
        since: Timestamp,
    },
    /// Somebody took our tag off an instance: it is theirs from here on, whatever its tags say
    /// later.
    Disowned {
        /// The cloud's number for it.
        instance: InstanceId,
        /// Its label.
        label: String,
    },
    /// A dry run, or a hold: what would have been done.
    Suppressed {
        /// The step or the creation.
        what: String,
    },
    /// An operator's command took effect.
    Commanded {
        /// The command, as it was given.
        command: Value,
    },
    /// A campaign was announced.
    Announced {
        /// What.
        hint: Hint,
        /// By whom.
        owner: String,
    },
    /// An announced campaign was taken back.
    HintCancelled {
        /// Which.
        id: HintId,
        /// By whom.
        owner: String,
    },
}

/// A journal row, read back.
#[derive(Clone, Debug, PartialEq, Serialize, utoipa::ToSchema)]
pub struct JournalRecord {
    /// Its number; rows of all pools count together.
    pub sequence: i64,
    /// When.
    pub at: Timestamp,
    /// The pool.
    pub pool: PoolName,
    /// The node, where it is about one.
    pub node: Option<NodeId>,
    /// What.
    pub entry: Entry,
}

impl Entry {
    /// The kind's name, as it stands in the table.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Started { .. } => "started",
            Self::PolicyChanged { .. } => "policy_changed",
            Self::Decided { .. } => "decided",
            Self::Entered { .. } => "entered",
            Self::Intended { .. } => "intended",
            Self::Came { .. } => "came",
            Self::Configured { .. } => "configured",
            Self::Noted { .. } => "noted",
            Self::Sweeps { .. } => "sweeps",
            Self::Disowned { .. } => "disowned",
            Self::Suppressed { .. } => "suppressed",
            Self::Commanded { .. } => "commanded",
            Self::Announced { .. } => "announced",
            Self::HintCancelled { .. } => "hint_cancelled",
        }
    }
}

impl Store {
    /// The newest rows of a pool with numbers below `before`, newest first.
    pub async fn journal(
        &self,
        pool: &PoolName,
        before: i64,
        limit: u32,
    ) -> Result<Vec<JournalRecord>, StoreError> {
        let rows = sqlx::query(sql::JOURNAL)
            .bind(pool.as_str())
            .bind(before)
            .bind(limit)
            .fetch_all(&self.reader)
            .await
            .map_err(failed("read the journal"))?;
        rows.iter().map(record).collect()
    }

    /// What SQLite finds wrong with its own pages, indexes and constraints; nothing, if all is well.
    pub async fn wrong_in_file(&self) -> Result<Vec<String>, StoreError> {
        let rows = sqlx::query(sql::INTEGRITY)
            .fetch_all(&self.reader)
            .await
            .map_err(failed("check its own file"))?;
        let said = rows.iter().map(|row| row.get::<String, _>(0));
        Ok(said.filter(|said| said != "ok").collect())
    }

    /// Walks the whole chain. `Ok(rows)` when every row is as it was written and none is missing.
    pub async fn verify_journal(&self) -> Result<u64, StoreError> {
        let (mut last, mut hash, mut count) = (0i64, ORIGIN.to_string(), 0u64);
        loop {
            let rows = sqlx::query(sql::JOURNAL_AFTER)
                .bind(last)
                .bind(1_000)
                .fetch_all(&self.reader)
                .await
                .map_err(failed("read the journal"))?;
            if rows.is_empty() {
                return Ok(count);
            }
            for row in &rows {
                let sequence: i64 = row.get(0);
                let content = Content {
                    at_milliseconds: row.get(1),
                    pool: row.get(2),
                    node: row.get(3),
                    kind: row.get(4),
                    document: row.get(5),
                };
                let wanted = hash_of(&hash, sequence, &content);
                let (previous, found): (String, String) = (row.get(6), row.get(7));
                if sequence != last + 1 || previous != hash || found != wanted {
                    let what = format!("journal row {sequence} is not as it was written");
                    return Err(StoreError::Damaged { what });
                }
                (last, hash, count) = (sequence, found, count + 1);
            }
        }
    }
}

/// Adds rows inside a transaction that the caller commits together with what they speak of.
pub(super) async fn append(
    transaction: &mut SqliteConnection,
    at: Timestamp,
    pool: &PoolName,
    entries: impl IntoIterator<Item = (Option<NodeId>, Entry)>,
) -> Result<(), StoreError> {
    let head = sqlx::query(sql::JOURNAL_HEAD)
        .fetch_optional(&mut *transaction)
        .await
        .map_err(failed("read the journal's end"))?;
    let (mut sequence, mut previous) =
        head.map_or((0, ORIGIN.to_string()), |row| (row.get::<i64, _>(0), row.get(1)));
    for (node, entry) in entries {
        sequence += 1;
        let (node, document) = (node.map(|node| node.to_string()), document(&entry));
        let content = Content {
            at_milliseconds: milliseconds(at),
            pool: pool.as_str(),
            node: node.as_deref(),
            kind: entry.kind(),
            document: &document,
        };
        let hash = hash_of(&previous, sequence, &content);
        sqlx::query(sql::ADD_JOURNAL)
            .bind(sequence)
            .bind(content.at_milliseconds)
            .bind(content.pool)
            .bind(content.node)
            .bind(content.kind)
            .bind(content.document)
            .bind(&previous)
            .bind(&hash)
            .execute(&mut *transaction)
            .await
            .map_err(failed("add to the journal"))?;
        previous = hash;
    }
    Ok(())
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
    hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect()
}

fn record(row: &sqlx::sqlite::SqliteRow) -> Result<JournalRecord, StoreError> {
    let damaged = |what: String| StoreError::Damaged { what };
    let node: Option<String> = row.get(3);
    Ok(JournalRecord {
        sequence: row.get(0),
        at: timestamp(row.get(1))?,
        pool: PoolName::new(row.get::<String, _>(2)).map_err(damaged)?,
        node: node
            .map(|node| node.parse())
            .transpose()
            .map_err(|cause| damaged(format!("a node's id: {cause}")))?,
        entry: parse("a journal row", row.get(5))?,
    })
}
