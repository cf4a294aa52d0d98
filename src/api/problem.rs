//! Errors as RFC 9457 problem documents.

use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;

use crate::store::StoreError;

/// The media type of a problem.
pub(super) const MEDIA_TYPE: &str = "application/problem+json";

/// Why a request got no answer.
#[derive(Clone, Debug, PartialEq, Serialize, utoipa::ToSchema)]
pub struct Problem {
    /// The HTTP status.
    pub status: u16,
    /// The kind, in a few words.
    pub title: String,
    /// What went wrong here, and what to do.
    pub detail: String,
    /// Each thing that is wrong, where there may be several.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schema(required = false)]
    pub problems: Vec<String>,
}

impl Problem {
    /// A problem that is all in the status and a sentence.
    pub fn of_status(status: StatusCode, detail: impl Into<String>) -> Self {
        let title = status.canonical_reason().unwrap_or("error").to_lowercase();
        Self { status: status.as_u16(), title, detail: detail.into(), problems: Vec::new() }
    }

    /// There is no such thing.
    pub fn not_found(detail: impl Into<String>) -> Self {
        Self::of_status(StatusCode::NOT_FOUND, detail)
    }

    /// The request can't be understood.
    pub fn bad_request(detail: impl Into<String>) -> Self {
        Self::of_status(StatusCode::BAD_REQUEST, detail)
    }

    /// The request is at odds with what is there.
    pub fn conflict(detail: impl Into<String>) -> Self {
        Self::of_status(StatusCode::CONFLICT, detail)
    }

    /// The request can be read and must not be done.
    pub fn unprocessable(detail: impl Into<String>) -> Self {
        Self::of_status(StatusCode::UNPROCESSABLE_ENTITY, detail)
    }

    /// Not ready to answer.
    pub fn unavailable(detail: impl Into<String>) -> Self {
        Self::of_status(StatusCode::SERVICE_UNAVAILABLE, detail)
    }

    /// The same, with headers that say more, such as `Allow` and `Retry-After`.
    pub(super) fn into_response_with(self, headers: &HeaderMap) -> Response {
        let mut answer = self.into_response();
        for name in [header::ALLOW, header::RETRY_AFTER, header::WWW_AUTHENTICATE] {
            if let Some(value) = headers.get(&name) {
                answer.headers_mut().insert(name, value.clone());
            }
        }
        answer
    }
}

impl From<StoreError> for Problem {
    fn from(error: StoreError) -> Self {
        tracing::error!("the store failed to answer a request: {:#}", anyhow::Error::new(error));
        let detail = "the database can't be used now; the log has the reason";
        Self::of_status(StatusCode::INTERNAL_SERVER_ERROR, detail)
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let status = StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let body = serde_json::to_string(&self).expect("a problem has string keys");
        (status, [(header::CONTENT_TYPE, MEDIA_TYPE)], body).into_response()
    }
}
