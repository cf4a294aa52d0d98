//! Announced campaigns: written by a face, read by the loop, and what past ones taught.

use serde::{Deserialize, Serialize};
use sqlx::Row;

use super::chain::append;
use super::error::failed;
use super::outbox::{News, tell};
use super::{Entry, Store, StoreError, document, milliseconds, parse, sql, timestamp};
use crate::domain::{Hint, HintId, PoolName, Sample, SignalName, Timestamp};
use crate::forecast::campaign::Response;

/// How many past campaigns of a kind are read; more than are counted.
const REMEMBERED: i64 = 20;

/// A campaign, and who announced it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Announcement {
    /// What was announced.
    pub hint: Hint,
    /// Who did.
    pub owner: String,
}

/// A campaign as the table has it.
#[derive(Clone, Debug, PartialEq, Serialize, utoipa::ToSchema)]
pub struct HintRecord {
    /// What was announced, and by whom.
    #[serde(flatten)]
    pub announcement: Announcement,
    /// When it was taken back.
    pub cancelled_at: Option<Timestamp>,
    /// What it taught; none: nobody has measured it, or it never came.
    pub response: Option<Response>,
}

impl Store {
    /// Leaves announced campaigns for the loop, all or none. One that is there already stays as it
    /// is: two may store what a calendar says.
    pub async fn add_hints(
        &self,
        pool: &PoolName,
        announcements: &[Announcement],
    ) -> Result<(), StoreError> {
        let mut transaction = self.begin().await?;
        for announcement in announcements {
            let hint = &announcement.hint;
            sqlx::query(sql::ADD_HINT)
                .bind(hint.id.to_string())
                .bind(pool.as_str())
                .bind(hint.kind.as_str())
                .bind(hint.size.unit())
                .bind(milliseconds(hint.starts_at))
                .bind(milliseconds(hint.ends_at()))
                .bind(document(announcement))
                .execute(&mut *transaction)
                .await
                .map_err(failed("write a hint"))?;
        }
        transaction.commit().await.map_err(failed("commit hints"))
    }

    /// Takes a campaign back; whether there was one that is not over.
    pub async fn cancel_hint(
        &self,
        pool: &PoolName,
        id: HintId,
        owner: &str,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        let done = sqlx::query(sql::CANCEL_HINT)
            .bind(id.to_string())
            .bind(pool.as_str())
            .bind(milliseconds(now))
            .bind(owner)
            .execute(&self.writer)
            .await
            .map_err(failed("cancel a hint"))?;
        Ok(done.rows_affected() == 1)
    }

    /// The campaigns that end after `since`, the cancelled ones too, by their start.
    pub async fn hints(
        &self,
        pool: &PoolName,
        since: Timestamp,
    ) -> Result<Vec<HintRecord>, StoreError> {
        let rows = sqlx::query(sql::HINTS)
            .bind(pool.as_str())
            .bind(milliseconds(since))
            .fetch_all(&self.reader)
            .await
            .map_err(failed("read hints"))?;
        let record = |row: &sqlx::sqlite::SqliteRow| {
            let cancelled_at: Option<i64> = row.get(1);
            let response: Option<String> = row.get(2);
            Ok(HintRecord {
                announcement: parse("a hint", row.get(0))?,
                cancelled_at: cancelled_at.map(timestamp).transpose()?,
                response: response.map(|text| parse("a response", &text)).transpose()?,
            })
        };
        rows.iter().map(record).collect()
    }

    /// Writes into the journal what was announced or taken back since the last time, and into the
    /// outbox what `news` makes of each.
    pub async fn tell_hints(
        &self,
        pool: &PoolName,
        now: Timestamp,
        news: impl Fn(&Hint, &Entry) -> News,
    ) -> Result<(), StoreError> {
        let rows = sqlx::query(sql::UNTOLD_HINTS)
            .bind(pool.as_str())
            .fetch_all(&self.reader)
            .await
            .map_err(failed("read new hints"))?;
        if rows.is_empty() {
            return Ok(());
        }
        let mut transaction = self.begin().await?;
        for row in &rows {
            let Announcement { hint, owner } = parse("a hint", row.get(0))?;
            let (is_told, cancelled_by): (bool, Option<String>) = (row.get(1), row.get(2));
            let id = hint.id;
            let announced = (!is_told).then(|| Entry::Announced { hint: hint.clone(), owner });
            let cancelled = cancelled_by.map(|owner| Entry::HintCancelled { id, owner });
            for entry in announced.into_iter().chain(cancelled) {
                tell(&mut transaction, now, &news(&hint, &entry)).await?;
                append(&mut transaction, now, pool, [(None, entry)]).await?;
            }
            sqlx::query(sql::TELL_HINT)
                .bind(id.to_string())
                .bind(milliseconds(now))
                .execute(&mut *transaction)
                .await
                .map_err(failed("mark a hint"))?;
        }
        transaction.commit().await.map_err(failed("commit hints"))
    }

    /// Campaigns that are over and have not been learned from.
    pub async fn hints_to_learn_from(
        &self,
        pool: &PoolName,
        now: Timestamp,
    ) -> Result<Vec<Hint>, StoreError> {
        let rows = sqlx::query(sql::HINTS_TO_LEARN_FROM)
            .bind(pool.as_str())
            .bind(milliseconds(now))
            .fetch_all(&self.reader)
            .await
            .map_err(failed("read past hints"))?;
        let hint = |row: &sqlx::sqlite::SqliteRow| {
            parse::<Announcement>("a hint", row.get(0)).map(|announcement| announcement.hint)
        };
        rows.iter().map(hint).collect()
    }

    /// Keeps what a campaign taught; none where it never came or nobody measured it.
    pub async fn keep_response(
        &self,
        id: HintId,
        response: Option<&Response>,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        sqlx::query(sql::KEEP_RESPONSE)
            .bind(id.to_string())
            .bind(milliseconds(now))
            .bind(response.map(document))
            .execute(&self.writer)
            .await
            .map_err(failed("write what a campaign taught"))?;
        Ok(())
    }

    /// What past campaigns like `hint` taught, the newest first.
    pub async fn responses_like(
        &self,
        pool: &PoolName,
        hint: &Hint,
    ) -> Result<Vec<Response>, StoreError> {
        let rows = sqlx::query(sql::RESPONSES)
            .bind(pool.as_str())
            .bind(hint.kind.as_str())
            .bind(hint.size.unit())
            .bind(REMEMBERED)
            .fetch_all(&self.reader)
            .await
            .map_err(failed("read what campaigns taught"))?;
        rows.iter().map(|row| parse("a response", row.get(0))).collect()
    }

    /// The first of a signal's samples from `from` until `until`, oldest first.
    pub async fn samples_page(
        &self,
        pool: &PoolName,
        signal: &SignalName,
        from: Timestamp,
        until: Timestamp,
        limit: u32,
    ) -> Result<Vec<Sample>, StoreError> {
        let rows = sqlx::query(sql::SAMPLES_PAGE)
            .bind(pool.as_str())
            .bind(signal.as_str())
            .bind(milliseconds(from))
            .bind(milliseconds(until))
            .bind(limit)
            .fetch_all(&self.reader)
            .await
            .map_err(failed("read samples"))?;
        let sample = |row: &sqlx::sqlite::SqliteRow| {
            Ok(Sample { at: timestamp(row.get(0))?, value: row.get(1) })
        };
        rows.iter().map(sample).collect()
    }

    /// A signal's samples from `from` until `until`, oldest first.
    pub async fn samples(
        &self,
        pool: &PoolName,
        signal: &SignalName,
        from: Timestamp,
        until: Timestamp,
    ) -> Result<Vec<Sample>, StoreError> {
        self.samples_page(pool, signal, from, until, u32::MAX).await
    }
}
