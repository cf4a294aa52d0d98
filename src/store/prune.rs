//! Forgetting, in small batches so that no tick waits.

use super::error::failed;
use super::{Store, StoreError, milliseconds, sql};
use crate::domain::{Duration, Timestamp, before};

/// How long things are kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Retention {
    /// Decisions that changed nothing.
    pub idle_decisions: Duration,
    /// Decisions that changed the count, and what candidates would have done.
    pub decisions: Duration,
    /// Samples, and the points of charts.
    pub samples: Duration,
    /// Nodes that are gone.
    pub nodes: Duration,
    /// Campaigns that are over. The last ones of each kind stay for what they taught.
    pub hints: Duration,
    /// The journal; none: for ever.
    pub journal: Option<Duration>,
    /// Messages of the outbox that were delivered, given up or left out.
    pub messages: Duration,
}

/// Whoever sends a request again does so within a day.
const KEYS: Duration = Duration::from_secs(24 * 3_600);

impl Store {
    /// Deletes one small batch of each kind that is older than its time. How many rows went.
    pub async fn prune(&self, now: Timestamp, keep: Retention) -> Result<u64, StoreError> {
        let mut gone = 0;
        for (statement, age) in [
            (sql::PRUNE_IDLE_DECISIONS, keep.idle_decisions),
            (sql::PRUNE_DECISIONS, keep.decisions),
            (sql::PRUNE_SHADOW_SPANS, keep.decisions),
            (sql::PRUNE_SAMPLES, keep.samples),
            (sql::PRUNE_POINTS, keep.samples),
            (sql::PRUNE_NODES, keep.nodes),
            (sql::PRUNE_HINTS, keep.hints),
            (sql::PRUNE_MESSAGES, keep.messages),
            (sql::PRUNE_IDEMPOTENCY_KEYS, KEYS),
        ] {
            let done = sqlx::query(statement)
                .bind(milliseconds(before(now, age)))
                .execute(&self.writer)
                .await
                .map_err(failed("delete old rows"))?;
            gone += done.rows_affected();
        }
        if let Some(age) = keep.journal {
            gone += self.prune_journal(before(now, age)).await?;
        }
        Ok(gone)
    }
}
