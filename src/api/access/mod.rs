//! Who asks, and what they may.
//!
//! In: a request; the document that is served, which says what each operation needs.
//! Out: its [`Caller`], whose name every command keeps; or a refusal that says what to do.
//! Never: trusts a name that the request itself claims; shows or logs a token; lets a route be
//! called that the document does not name.

mod browser;
mod guard;
mod needs;
mod rate;
mod secret;
#[cfg(test)]
mod tests;

use std::collections::BTreeSet;
use std::convert::Infallible;
use std::sync::Arc;

use axum::extract::FromRequestParts;
use axum::http::request::Parts;

use crate::domain::PoolName;
use crate::ports::{Clock, SystemClock};
use crate::store::Scope;

pub(super) use browser::same_site;
pub(super) use guard::guard;
use rate::Limiter;
pub use rate::Rate;
pub use secret::FreshToken;

/// Whether callers need a token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Asks {
    /// Only where they show one: the API listens on loopback, and whoever reaches that may do
    /// everything. Names beside this machine's own by which it may be asked.
    NoToken(Vec<String>),
    /// Always.
    ForTokens,
}

/// How access is decided.
#[derive(Clone)]
pub struct Access {
    asks: Asks,
    limiter: Arc<Limiter>,
    clock: Arc<dyn Clock>,
}

impl Access {
    /// Access as the settings say; `clock` says when a token has expired.
    pub fn new(asks: Asks, rate: Rate, clock: Arc<dyn Clock>) -> Self {
        Self { asks, limiter: Arc::new(Limiter::new(rate)), clock }
    }
}

impl Default for Access {
    /// As on loopback when nothing is said: no token is asked for.
    fn default() -> Self {
        Self::new(Asks::NoToken(Vec::new()), Rate::per_second(100, 500), Arc::new(SystemClock))
    }
}

/// Who sent a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Caller {
    /// The name that commands and the journal keep.
    pub owner: String,
    /// What they may do.
    pub scope: Scope,
    /// In which pools; none: in all.
    pub pools: Option<Arc<BTreeSet<PoolName>>>,
}

impl Caller {
    /// Whether a pool is any of their business.
    pub fn may_see(&self, pool: &PoolName) -> bool {
        self.pools.as_ref().is_none_or(|pools| pools.contains(pool))
    }
}

impl Default for Caller {
    /// Whoever can reach a daemon that asks for no token: it listens on loopback alone.
    fn default() -> Self {
        Self { owner: "operator on this machine".into(), scope: Scope::Admin, pools: None }
    }
}

impl<S: Sync> FromRequestParts<S> for Caller {
    type Rejection = Infallible;

    /// The guard before every route put the caller there; it is absent only where nothing was
    /// asked for.
    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        Ok(parts.extensions.get::<Self>().cloned().unwrap_or_default())
    }
}
