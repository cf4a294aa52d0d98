//! The journal: what was intended, done and noticed, never changed afterwards.
//!
//! Rows are chained (`chain.rs`): a row that was altered or taken out is noticed.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};
use serde_json::Value;
use sqlx::Row;

use super::error::failed;
use super::tokens::{Scope, TokenId};
use super::{Store, StoreError, milliseconds, parse, sql, timestamp};
use crate::domain::{
    CandidateName, DecisionId, Failure, Hint, HintId, InstanceId, NodeCount, NodeId, NodeState,
    PoolName, Timestamp,
};
use crate::engine::{Direction, Reason};
use crate::planner::Note;
use crate::policy::Difference;

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
        /// Who asked for it over the API; none where a signal to the daemon did.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        owner: Option<String>,
    },
    /// Somebody is about to put a candidate in the live policy's place.
    Promoted {
        /// The candidate.
        candidate: CandidateName,
        /// The live policy's digest.
        before: String,
        /// The candidate's digest.
        after: String,
        /// Who.
        by: String,
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
    /// An operator's command was ended before its time.
    CommandEnded {
        /// Its id.
        command: String,
        /// By whom.
        owner: String,
    },
    /// A token for the API was made.
    TokenMade {
        /// Its id, which is no secret.
        id: TokenId,
        /// Whose it is.
        owner: String,
        /// What it may do.
        scope: Scope,
        /// In which pools; none: in all.
        pools: Option<BTreeSet<PoolName>>,
        /// When it ends by itself.
        expires_at: Option<Timestamp>,
        /// Who made it.
        by: String,
    },
    /// A token for the API was revoked.
    TokenRevoked {
        /// Its id.
        id: TokenId,
        /// Whose it was.
        owner: String,
        /// Who revoked it.
        by: String,
    },
    /// The store failed, and nothing was done meanwhile; written when it worked again.
    StoreFailed {
        /// Since when.
        since: Timestamp,
        /// So many looks ended there.
        looks: u32,
        /// What it failed to do first.
        what: String,
    },
    /// The clock was set back since the last look.
    ClockSetBack {
        /// By how much.
        seconds: u64,
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
    /// A notice never reached whom it was for, and is tried no more.
    NotTold {
        /// Who should have been told: `grafana`, or a webhook's name.
        destination: String,
        /// What it was about.
        subject: String,
        /// What it said.
        what: String,
        /// Why it was given up.
        because: String,
    },
}

/// Which journal rows; all that is given must fit.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct JournalFilter {
    /// Of this kind.
    pub kind: Option<String>,
    /// About this node.
    pub node: Option<NodeId>,
    /// Not before this.
    pub since: Option<Timestamp>,
    /// Not after this.
    pub until: Option<Timestamp>,
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
            Self::Promoted { .. } => "promoted",
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
            Self::CommandEnded { .. } => "command_ended",
            Self::TokenMade { .. } => "token_made",
            Self::TokenRevoked { .. } => "token_revoked",
            Self::StoreFailed { .. } => "store_failed",
            Self::ClockSetBack { .. } => "clock_set_back",
            Self::Announced { .. } => "announced",
            Self::HintCancelled { .. } => "hint_cancelled",
            Self::NotTold { .. } => "not_told",
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

    /// The same, only rows that fit a filter.
    pub async fn journal_where(
        &self,
        pool: &PoolName,
        before: i64,
        limit: u32,
        filter: &JournalFilter,
    ) -> Result<Vec<JournalRecord>, StoreError> {
        let (since, until) = (filter.since.map(milliseconds), filter.until.map(milliseconds));
        let rows = sqlx::query(sql::JOURNAL_WHERE)
            .bind(pool.as_str())
            .bind(before)
            .bind(limit)
            .bind(filter.kind.as_deref())
            .bind(filter.node.map(|node| node.to_string()))
            .bind(since.unwrap_or(i64::MIN))
            .bind(until.unwrap_or(i64::MAX))
            .fetch_all(&self.reader)
            .await
            .map_err(failed("read the journal"))?;
        rows.iter().map(record).collect()
    }

    /// Rows of every pool above a number, oldest first.
    pub async fn journal_after(
        &self,
        after: i64,
        limit: u32,
    ) -> Result<Vec<JournalRecord>, StoreError> {
        let rows = sqlx::query(sql::JOURNAL_OF_POOLS_AFTER)
            .bind(after)
            .bind(limit)
            .fetch_all(&self.reader)
            .await
            .map_err(failed("read the journal"))?;
        rows.iter().map(record).collect()
    }

    /// The newest row's number; 0 before the first.
    pub async fn journal_head(&self) -> Result<i64, StoreError> {
        let head = sqlx::query(sql::LAST_JOURNAL_ROW)
            .fetch_one(&self.reader)
            .await
            .map_err(failed("read the journal's end"))?;
        Ok(head.get(0))
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
