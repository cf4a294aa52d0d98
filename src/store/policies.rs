//! The texts of policies, by digest: what made a decision can explain it.

use sqlx::Row;

use super::error::failed;
use super::{Store, StoreError, milliseconds, sql};
use crate::domain::Timestamp;
use crate::policy::Policy;

impl Store {
    /// Keeps the text of a policy that is about to make decisions. Known already is success.
    pub async fn keep_policy(&self, policy: &Policy, now: Timestamp) -> Result<(), StoreError> {
        sqlx::query(sql::KEEP_POLICY)
            .bind(&policy.digest)
            .bind(milliseconds(now))
            .bind(&*policy.text)
            .execute(&self.writer)
            .await
            .map_err(failed("keep a policy's text"))?;
        Ok(())
    }

    /// The text of the policy with this digest, where it ever made a decision here.
    pub async fn policy_text(&self, digest: &str) -> Result<Option<String>, StoreError> {
        let row = sqlx::query(sql::POLICY_TEXT)
            .bind(digest)
            .fetch_optional(&self.reader)
            .await
            .map_err(failed("read a policy's text"))?;
        Ok(row.map(|row| row.get(0)))
    }
}
