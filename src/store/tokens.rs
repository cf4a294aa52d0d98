//! Tokens for the API: who may do what, in which pools, until when.
//!
//! In: the SHA-256 of a token's secret, made elsewhere.
//! Out: what is known of a token, for whoever has to decide.
//! Never: sees a secret.

use std::collections::BTreeSet;
use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use sqlx::Row;
use sqlx::sqlite::SqliteRow;

use super::chain::append_about_all;
use super::error::failed;
use super::{Entry, Store, StoreError, document, milliseconds, parse, sql, timestamp};
use crate::domain::{Duration, PoolName, Timestamp, after, hex};

/// Each use within so long after the last that was noted is not noted: reading must not become
/// writing.
const USE_NOTED_EVERY: Duration = Duration::from_secs(60);

/// What a token may do; each may do what those before it may.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, utoipa::ToSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum Scope {
    /// Look.
    Read,
    /// Give commands and announce campaigns.
    Operate,
    /// Change policies.
    Admin,
}

impl Scope {
    /// All of them, the least one first.
    pub const ALL: [Self; 3] = [Self::Read, Self::Operate, Self::Admin];

    /// Its name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::Operate => "operate",
            Self::Admin => "admin",
        }
    }
}

impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Scope {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let found = Self::ALL.into_iter().find(|scope| scope.name() == text);
        found.ok_or_else(|| format!("`{text}` is no scope: read, operate or admin"))
    }
}

/// Names a token; no secret. Twelve hexadecimal digits.
#[derive(
    Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, utoipa::ToSchema,
)]
#[schema(value_type = String)]
#[serde(try_from = "String", into = "String")]
pub struct TokenId(String);

impl TokenId {
    /// The id that these bytes make.
    pub fn of(bytes: [u8; 6]) -> Self {
        Self(hex(&bytes))
    }

    /// As it is written.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for TokenId {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let is_digit = |c: char| c.is_ascii_digit() || ('a'..='f').contains(&c);
        if text.len() == 12 && text.chars().all(is_digit) {
            return Ok(Self(text));
        }
        Err("a token's id has twelve digits from 0 to f".into())
    }
}

impl FromStr for TokenId {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        Self::try_from(text.to_owned())
    }
}

impl From<TokenId> for String {
    fn from(id: TokenId) -> Self {
        id.0
    }
}

impl fmt::Display for TokenId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A token that is about to be written down.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewToken {
    /// Its id.
    pub id: TokenId,
    /// Whose it is; commands that are given with it carry this name.
    pub owner: String,
    /// SHA-256 of its secret.
    pub hash: [u8; 32],
    /// What it may do.
    pub scope: Scope,
    /// In which pools; none: in all.
    pub pools: Option<BTreeSet<PoolName>>,
    /// When it ends by itself.
    pub expires_at: Option<Timestamp>,
}

/// What is known of a token.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct TokenRecord {
    /// Its id.
    pub id: TokenId,
    /// Whose it is.
    pub owner: String,
    /// What it may do.
    pub scope: Scope,
    /// In which pools; none: in all.
    pub pools: Option<BTreeSet<PoolName>>,
    /// When it was made.
    pub made_at: Timestamp,
    /// When it ends by itself.
    pub expires_at: Option<Timestamp>,
    /// When it was revoked.
    pub revoked_at: Option<Timestamp>,
    /// When it was used, to the minute.
    pub used_at: Option<Timestamp>,
    /// SHA-256 of its secret.
    #[serde(skip)]
    pub hash: [u8; 32],
}

impl TokenRecord {
    /// Whether it may be used at `now`: not revoked, not expired.
    pub fn is_good(&self, now: Timestamp) -> bool {
        self.revoked_at.is_none() && self.expires_at.is_none_or(|expires| now < expires)
    }
}

impl Store {
    /// Writes a new token down, made by `by`, together with its journal row.
    pub async fn add_token(
        &self,
        token: &NewToken,
        by: &str,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let mut transaction = self.begin().await?;
        sqlx::query(sql::ADD_TOKEN)
            .bind(token.id.as_str())
            .bind(&token.owner)
            .bind(token.hash.as_slice())
            .bind(token.scope.name())
            .bind(token.pools.as_ref().map(document))
            .bind(milliseconds(now))
            .bind(token.expires_at.map(milliseconds))
            .execute(&mut *transaction)
            .await
            .map_err(failed("write a token down"))?;
        let NewToken { id, owner, scope, pools, expires_at, .. } = token.clone();
        let entry = Entry::TokenMade { id, owner, scope, pools, expires_at, by: by.to_owned() };
        append_about_all(&mut transaction, now, entry).await?;
        transaction.commit().await.map_err(failed("commit a token"))
    }

    /// The token with this id.
    pub async fn token(&self, id: &TokenId) -> Result<Option<TokenRecord>, StoreError> {
        let row = sqlx::query(sql::TOKEN)
            .bind(id.as_str())
            .fetch_optional(&self.reader)
            .await
            .map_err(failed("look a token up"))?;
        row.as_ref().map(record).transpose()
    }

    /// Every token that there ever was, oldest first.
    pub async fn tokens(&self) -> Result<Vec<TokenRecord>, StoreError> {
        let rows = sqlx::query(sql::TOKENS)
            .fetch_all(&self.reader)
            .await
            .map_err(failed("read the tokens"))?;
        rows.iter().map(record).collect()
    }

    /// Revokes a token, together with its journal row. Whether it was not revoked before.
    pub async fn revoke_token(
        &self,
        token: &TokenRecord,
        by: &str,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        let mut transaction = self.begin().await?;
        let done = sqlx::query(sql::REVOKE_TOKEN)
            .bind(token.id.as_str())
            .bind(milliseconds(now))
            .execute(&mut *transaction)
            .await
            .map_err(failed("revoke a token"))?;
        if done.rows_affected() == 0 {
            return Ok(false);
        }
        let (id, owner) = (token.id.clone(), token.owner.clone());
        let entry = Entry::TokenRevoked { id, owner, by: by.to_owned() };
        append_about_all(&mut transaction, now, entry).await?;
        transaction.commit().await.map_err(failed("commit a revocation"))?;
        Ok(true)
    }

    /// Notes that a token was used, at most once a minute.
    pub async fn note_token_use(
        &self,
        token: &TokenRecord,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        if token.used_at.is_some_and(|used| now < after(used, USE_NOTED_EVERY)) {
            return Ok(());
        }
        sqlx::query(sql::USE_TOKEN)
            .bind(token.id.as_str())
            .bind(milliseconds(now))
            .execute(&self.writer)
            .await
            .map_err(failed("note that a token was used"))?;
        Ok(())
    }
}

fn record(row: &SqliteRow) -> Result<TokenRecord, StoreError> {
    let damaged = |what: String| StoreError::Damaged { what };
    let (scope, pools): (String, Option<String>) = (row.get(2), row.get(3));
    let (expires, revoked, used): (Option<i64>, Option<i64>, Option<i64>) =
        (row.get(5), row.get(6), row.get(7));
    let hash: Vec<u8> = row.get(8);
    let hash = hash.try_into().map_err(|_| damaged("a token's hash".into()))?;
    Ok(TokenRecord {
        id: row.get::<String, _>(0).try_into().map_err(damaged)?,
        owner: row.get(1),
        scope: scope.parse().map_err(damaged)?,
        pools: pools.map(|pools| parse("a token's pools", &pools)).transpose()?,
        made_at: timestamp(row.get(4))?,
        expires_at: expires.map(timestamp).transpose()?,
        revoked_at: revoked.map(timestamp).transpose()?,
        used_at: used.map(timestamp).transpose()?,
        hash,
    })
}
