//! Decisions, with all that they saw: each can be made again and must come out the same.

use serde::Serialize;
use sqlx::Row;

use super::chain::append;
use super::error::failed;
use super::outbox::{News, tell};
use super::points::add_point;
use super::{Entry, Store, StoreError, document, milliseconds, parse, sql, timestamp};
use crate::domain::{DecisionId, PoolName, SignalName, Timestamp};
use crate::engine::{Decision, Observation};

/// A decision to be remembered.
#[derive(Clone, Debug, PartialEq)]
pub struct NewDecision<'a> {
    /// Its id.
    pub id: DecisionId,
    /// The digest of the policy that made it.
    pub policy_digest: &'a str,
    /// What it saw.
    pub observation: &'a Observation,
    /// What it came to.
    pub decision: &'a Decision,
    /// What the journal says of it, where it says anything.
    pub entry: Option<Entry>,
    /// What people are told of it.
    pub news: News,
}

/// Which decisions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Decisions {
    /// Every one.
    All,
    /// Those that changed the count.
    Changes,
}

/// A decision, read back.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct DecisionRecord {
    /// Its id.
    pub id: DecisionId,
    /// When.
    pub at: Timestamp,
    /// The digest of the policy that made it.
    pub policy_digest: String,
    /// What it saw.
    pub observation: Observation,
    /// What it came to.
    pub decision: Decision,
}

impl Store {
    /// Writes a decision, its observation and samples, and the history that the next decision
    /// starts from, in one transaction.
    pub async fn write_decision(
        &self,
        pool: &PoolName,
        new: &NewDecision<'_>,
    ) -> Result<(), StoreError> {
        let (at, decision) = (new.observation.at, new.decision);
        let mut transaction = self.begin().await?;
        sqlx::query(sql::ADD_DECISION)
            .bind(new.id.to_string())
            .bind(pool.as_str())
            .bind(milliseconds(at))
            .bind(decision.direction().name())
            .bind(decision.from.0)
            .bind(decision.to.0)
            .bind(new.policy_digest)
            .bind(document(new.observation))
            .bind(document(decision))
            .execute(&mut *transaction)
            .await
            .map_err(failed("write a decision"))?;
        sqlx::query(sql::SET_HISTORY)
            .bind(pool.as_str())
            .bind(document(&decision.history))
            .bind(milliseconds(at))
            .execute(&mut *transaction)
            .await
            .map_err(failed("write a pool's history"))?;
        add_point(&mut transaction, pool, new.observation, decision).await?;
        for (signal, reading) in &new.observation.readings {
            if let Some(sample) = reading.sample() {
                add_sample(&mut transaction, pool, signal, sample.at, sample.value).await?;
            }
        }
        let entries = new.entry.iter().cloned().map(|entry| (None, entry));
        append(&mut transaction, at, pool, entries).await?;
        tell(&mut transaction, at, &new.news).await?;
        transaction.commit().await.map_err(failed("commit a decision"))
    }

    /// Decisions up to `until`, newest first.
    pub async fn decisions(
        &self,
        pool: &PoolName,
        until: Timestamp,
        limit: u32,
    ) -> Result<Vec<DecisionRecord>, StoreError> {
        self.decisions_before(pool, Decisions::All, until, None, limit).await
    }

    /// Decisions up to `until` that changed the count, newest first.
    pub async fn changes(
        &self,
        pool: &PoolName,
        until: Timestamp,
        limit: u32,
    ) -> Result<Vec<DecisionRecord>, StoreError> {
        self.decisions_before(pool, Decisions::Changes, until, None, limit).await
    }

    /// Decisions up to `until` and, where one is named, before that one, newest first. Ids carry
    /// their time, so the one that is named may have been forgotten.
    pub async fn decisions_before(
        &self,
        pool: &PoolName,
        which: Decisions,
        until: Timestamp,
        before: Option<DecisionId>,
        limit: u32,
    ) -> Result<Vec<DecisionRecord>, StoreError> {
        let statement = match which {
            Decisions::All => sql::DECISIONS,
            Decisions::Changes => sql::CHANGES,
        };
        let named = before.and_then(|id| Some((made_at(id)?, id.to_string())));
        // No id is behind this letter, so all of the last millisecond count.
        let whole = (milliseconds(until), "~".to_string());
        let (end, id) = named.filter(|(at, _)| *at <= whole.0).unwrap_or(whole);
        let rows = sqlx::query(statement)
            .bind(pool.as_str())
            .bind(end)
            .bind(id)
            .bind(limit)
            .fetch_all(&self.reader)
            .await
            .map_err(failed("read decisions"))?;
        rows.iter().map(record).collect()
    }

    /// One decision; none where there is none of this id, or no longer.
    pub async fn decision(
        &self,
        pool: &PoolName,
        id: DecisionId,
    ) -> Result<Option<DecisionRecord>, StoreError> {
        let row = sqlx::query(sql::DECISION)
            .bind(pool.as_str())
            .bind(id.to_string())
            .fetch_optional(&self.reader)
            .await
            .map_err(failed("read a decision"))?;
        row.as_ref().map(record).transpose()
    }
}

/// The milliseconds since 1970 at which an id was made; none for one that we never made.
fn made_at(id: DecisionId) -> Option<i64> {
    let (seconds, nanoseconds) = id.0.get_timestamp()?.to_unix();
    i64::try_from(seconds).ok()?.checked_mul(1_000)?.checked_add(i64::from(nanoseconds) / 1_000_000)
}

fn record(row: &sqlx::sqlite::SqliteRow) -> Result<DecisionRecord, StoreError> {
    let id: String = row.get(0);
    Ok(DecisionRecord {
        id: id
            .parse()
            .map_err(|cause| StoreError::Damaged { what: format!("a decision's id: {cause}") })?,
        at: timestamp(row.get(1))?,
        policy_digest: row.get(2),
        observation: parse("an observation", row.get(3))?,
        decision: parse("a decision", row.get(4))?,
    })
}

async fn add_sample(
    transaction: &mut sqlx::SqliteConnection,
    pool: &PoolName,
    signal: &SignalName,
    at: Timestamp,
    value: f64,
) -> Result<(), StoreError> {
    sqlx::query(sql::ADD_SAMPLE)
        .bind(pool.as_str())
        .bind(signal.as_str())
        .bind(milliseconds(at))
        .bind(value)
        .execute(transaction)
        .await
        .map_err(failed("write a sample"))?;
    Ok(())
}
