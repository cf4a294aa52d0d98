//! Who asks.
//!
//! In: a request.
//! Out: its [`Caller`], whose name every command keeps.
//! Never: trusts a name that the request itself claims.

mod secret;

use std::convert::Infallible;

use axum::extract::FromRequestParts;
use axum::http::request::Parts;

pub use secret::FreshToken;

/// Who sent a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Caller {
    /// The name that commands and the journal keep.
    pub owner: String,
}

impl Default for Caller {
    /// Whoever can reach a daemon that asks for no token: it listens on loopback alone.
    fn default() -> Self {
        Self { owner: "operator on this machine".into() }
    }
}

impl<S: Sync> FromRequestParts<S> for Caller {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        Ok(parts.extensions.get::<Self>().cloned().unwrap_or_default())
    }
}
