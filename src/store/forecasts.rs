//! What forecasters have learned, so that a restart goes on from it.

use sqlx::Row;

use super::error::failed;
use super::{Store, StoreError, milliseconds, sql, timestamp};
use crate::domain::{PoolName, Timestamp};

/// A forecaster's state as it was kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeptForecast {
    /// The decision after which it was kept.
    pub saved_at: Timestamp,
    /// The query that it learned from.
    pub query: String,
    /// The forecaster's own document.
    pub state: String,
}

impl Store {
    /// Keeps what the forecaster of a rule has learned, in place of what was kept before.
    pub async fn keep_forecast(
        &self,
        pool: &PoolName,
        rule: &str,
        kept: &KeptForecast,
    ) -> Result<(), StoreError> {
        sqlx::query(sql::KEEP_FORECAST)
            .bind(pool.as_str())
            .bind(rule)
            .bind(milliseconds(kept.saved_at))
            .bind(&kept.query)
            .bind(&kept.state)
            .execute(&self.writer)
            .await
            .map_err(failed("keep a forecast"))?;
        Ok(())
    }

    /// What the forecaster of a rule had learned, where it was kept.
    pub async fn kept_forecast(
        &self,
        pool: &PoolName,
        rule: &str,
    ) -> Result<Option<KeptForecast>, StoreError> {
        let row = sqlx::query(sql::KEPT_FORECAST)
            .bind(pool.as_str())
            .bind(rule)
            .fetch_optional(&self.reader)
            .await
            .map_err(failed("read a forecast"))?;
        let Some(row) = row else { return Ok(None) };
        let saved_at = timestamp(row.get(0))?;
        Ok(Some(KeptForecast { saved_at, query: row.get(1), state: row.get(2) }))
    }
}
