//! Errors as RFC 9457 problem documents.

use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;

use crate::store::StoreError;

/// Why a request got no answer.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Problem {
    /// The HTTP status.
    pub status: u16,
    /// The kind, in a few words.
    pub title: &'static str,
    /// What went wrong here, and what to do.
    pub detail: String,
}

impl Problem {
    /// There is no such thing.
    pub fn not_found(detail: impl Into<String>) -> Self {
        Self { status: 404, title: "not found", detail: detail.into() }
    }

    /// The request can't be understood.
    pub fn bad_request(detail: impl Into<String>) -> Self {
        Self { status: 400, title: "bad request", detail: detail.into() }
    }

    /// Not ready to answer.
    pub fn unavailable(detail: impl Into<String>) -> Self {
        Self { status: 503, title: "not ready", detail: detail.into() }
    }
}

impl From<StoreError> for Problem {
    fn from(error: StoreError) -> Self {
        tracing::error!("the store failed to answer a request: {:#}", anyhow::Error::new(error));
        let detail = "the database can't be read now; the log has the reason".into();
        Self { status: 500, title: "the store failed", detail }
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let status = StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let body = serde_json::to_string(&self).expect("a problem has string keys");
        (status, [(header::CONTENT_TYPE, "application/problem+json")], body).into_response()
    }
}
