//! What candidates would have done beside the live policies.

use serde::{Deserialize, Serialize};
use sqlx::Row;

use super::error::failed;
use super::{Change, Entry, Store, StoreError, document, milliseconds, parse, sql, timestamp};
use crate::domain::{CandidateName, NodeCount, PoolName, Timestamp};
use crate::engine::{Decision, Observation};

/// What a candidate's next decision starts from, as it was kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeptShadow {
    /// The candidate.
    pub candidate: CandidateName,
    /// Its policy's digest.
    pub policy_digest: String,
    /// Its last decision.
    pub at: Timestamp,
    /// The follower's own document.
    pub state: String,
}

/// A time in which neither count changed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ShadowSpan {
    /// Its beginning.
    pub from: Timestamp,
    /// Its end.
    pub until: Timestamp,
    /// The digest of the live policy.
    pub live_digest: String,
    /// The count that the live policy wanted.
    pub live_desired: NodeCount,
    /// The count that the candidate wanted.
    pub desired: NodeCount,
    /// Why, in the live policy's words at the beginning; the first one binds.
    pub live_reasons: Vec<String>,
    /// Why, in the candidate's words at the beginning.
    pub reasons: Vec<String>,
    /// What the live policy's would-be fleet came to in it.
    pub live: ShadowTally,
    /// What the candidate's would-be fleet came to in it.
    pub candidate: ShadowTally,
    /// How much of it was judged: the live policy's signals told what the load asked for.
    pub judged_milliseconds: u64,
}

/// What a would-be fleet came to in a span.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ShadowTally {
    /// How long its nodes were there, added up.
    pub node_milliseconds: u64,
    /// Hours of its nodes that began.
    pub hours_begun: u64,
    /// How long fewer nodes served than the load asked for.
    pub short_milliseconds: u64,
}

/// What one decision of a candidate changes here.
#[derive(Clone, Debug)]
pub struct ShadowMove<'a> {
    /// The candidate.
    pub candidate: &'a CandidateName,
    /// Its policy's digest.
    pub policy_digest: &'a str,
    /// What its next decision starts from.
    pub state: String,
    /// The span that goes on until now, where there is one.
    pub goes_on: Option<&'a ShadowSpan>,
    /// The span that begins now with a decision, where one does.
    pub begins: Option<(&'a ShadowSpan, &'a Observation, &'a Decision)>,
}

/// How what a candidate's forecasters learned is told from what those of the live policy did.
pub fn shadow_rule(candidate: &CandidateName, rule: &str) -> String {
    format!("candidate {candidate}/{rule}")
}

impl Store {
    /// Writes one decision of a candidate, in one transaction.
    pub async fn move_shadow(
        &self,
        pool: &PoolName,
        at: Timestamp,
        new: &ShadowMove<'_>,
    ) -> Result<(), StoreError> {
        let mut transaction = self.begin().await?;
        sqlx::query(sql::KEEP_SHADOW)
            .bind(pool.as_str())
            .bind(new.candidate.as_str())
            .bind(new.policy_digest)
            .bind(milliseconds(at))
            .bind(&new.state)
            .execute(&mut *transaction)
            .await
            .map_err(failed("keep what a candidate would do"))?;
        if let Some(span) = new.goes_on {
            sqlx::query(sql::MOVE_SHADOW_SPAN)
                .bind(pool.as_str())
                .bind(new.candidate.as_str())
                .bind(new.policy_digest)
                .bind(milliseconds(span.from))
                .bind(milliseconds(span.until))
                .bind(document(span))
                .execute(&mut *transaction)
                .await
                .map_err(failed("write what a candidate would have done"))?;
        }
        if let Some((span, observation, decision)) = new.begins {
            sqlx::query(sql::ADD_SHADOW_SPAN)
                .bind(pool.as_str())
                .bind(new.candidate.as_str())
                .bind(new.policy_digest)
                .bind(milliseconds(span.from))
                .bind(milliseconds(span.until))
                .bind(document(span))
                .bind(document(observation))
                .bind(document(decision))
                .execute(&mut *transaction)
                .await
                .map_err(failed("write what a candidate would do"))?;
        }
        transaction.commit().await.map_err(failed("commit what a candidate would do"))
    }

    /// What every candidate of a pool starts from, by name.
    pub async fn shadows(&self, pool: &PoolName) -> Result<Vec<KeptShadow>, StoreError> {
        let rows = sqlx::query(sql::SHADOWS)
            .bind(pool.as_str())
            .fetch_all(&self.reader)
            .await
            .map_err(failed("read what candidates would do"))?;
        let kept = rows.iter().map(|row| {
            let candidate: String = row.get(0);
            Ok(KeptShadow {
                candidate: CandidateName::new(candidate)
                    .map_err(|what| StoreError::Damaged { what })?,
                policy_digest: row.get(1),
                at: timestamp(row.get(2))?,
                state: row.get(3),
            })
        });
        kept.collect()
    }

    /// Forgets where a candidate stands; what it would have done stays until its time is over.
    pub async fn forget_shadow(
        &self,
        pool: &PoolName,
        candidate: &CandidateName,
    ) -> Result<(), StoreError> {
        let rules = shadow_rule(candidate, "");
        for (statement, what) in [
            (sql::FORGET_SHADOW, candidate.as_str()),
            (sql::FORGET_SHADOW_FORECASTS, rules.as_str()),
        ] {
            sqlx::query(statement)
                .bind(pool.as_str())
                .bind(what)
                .execute(&self.writer)
                .await
                .map_err(failed("forget a candidate"))?;
        }
        Ok(())
    }

    /// The spans of a candidate that ended at `since` or later, oldest first.
    pub async fn shadow_spans(
        &self,
        pool: &PoolName,
        candidate: &CandidateName,
        policy_digest: &str,
        since: Timestamp,
    ) -> Result<Vec<ShadowSpan>, StoreError> {
        let rows = sqlx::query(sql::SHADOW_SPANS)
            .bind(pool.as_str())
            .bind(candidate.as_str())
            .bind(policy_digest)
            .bind(milliseconds(since))
            .fetch_all(&self.reader)
            .await
            .map_err(failed("read what a candidate would have done"))?;
        rows.iter().map(|row| parse("a span of a candidate", row.get(0))).collect()
    }

    /// The decisions that a candidate's spans began with, oldest first: each can be made again.
    pub async fn shadow_decisions(
        &self,
        pool: &PoolName,
        candidate: &CandidateName,
        policy_digest: &str,
    ) -> Result<Vec<(Observation, Decision)>, StoreError> {
        let rows = sqlx::query(sql::SHADOW_DECISIONS)
            .bind(pool.as_str())
            .bind(candidate.as_str())
            .bind(policy_digest)
            .fetch_all(&self.reader)
            .await
            .map_err(failed("read a candidate's decisions"))?;
        let read = |row: &sqlx::sqlite::SqliteRow| {
            Ok((parse("an observation", row.get(0))?, parse("a decision", row.get(1))?))
        };
        rows.iter().map(read).collect()
    }

    /// Writes who puts a candidate in the live policy's place; comes before the act.
    pub async fn note_promotion(
        &self,
        pool: &PoolName,
        entry: Entry,
        at: Timestamp,
    ) -> Result<(), StoreError> {
        let change = Change { entries: vec![(None, entry)], ..Change::default() };
        self.write(pool, at, &change).await
    }
}
