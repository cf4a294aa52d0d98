//! What a request says, read strictly: whatever is wrong with it is a [`Problem`].

use axum::body::{Body, HttpBody, to_bytes};
use axum::extract::rejection::{JsonRejection, PathRejection, QueryRejection};
use axum::extract::{FromRequest, FromRequestParts, Request};
use axum::http::{HeaderValue, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use sha2::{Digest, Sha256};

use super::problem::Problem;
use crate::domain::hex;

/// The parts of a path.
#[derive(FromRequestParts)]
#[from_request(via(axum::extract::Path), rejection(Problem))]
pub(super) struct At<T>(pub T);

/// The query of a request.
#[derive(FromRequestParts)]
#[from_request(via(axum::extract::Query), rejection(Problem))]
pub(super) struct Asked<T>(pub T);

/// The JSON body of a request.
#[derive(FromRequest)]
#[from_request(via(axum::Json), rejection(Problem))]
pub(super) struct Sent<T>(pub T);

impl From<PathRejection> for Problem {
    fn from(rejection: PathRejection) -> Self {
        Self::not_found(rejection.body_text())
    }
}

impl From<QueryRejection> for Problem {
    fn from(rejection: QueryRejection) -> Self {
        Self::bad_request(rejection.body_text())
    }
}

impl From<JsonRejection> for Problem {
    fn from(rejection: JsonRejection) -> Self {
        Self::of_status(rejection.status(), rejection.body_text())
    }
}

/// Turns errors that a layer or axum itself made into problem documents.
pub(super) async fn as_problem(answer: Response) -> Response {
    let status = answer.status();
    let is_error = status.is_client_error() || status.is_server_error();
    let kind = answer.headers().get("content-type").map(|kind| kind.as_bytes());
    // A layer's and axum's own errors are plain text; the report of a reload is JSON.
    let is_ours = [super::problem::MEDIA_TYPE, "application/json"]
        .into_iter()
        .any(|ours| kind == Some(ours.as_bytes()));
    if !is_error || is_ours {
        return answer;
    }
    let detail = match status {
        StatusCode::METHOD_NOT_ALLOWED => "this page has no such method; see `Allow`",
        StatusCode::PAYLOAD_TOO_LARGE => "the body is larger than the largest that is read",
        StatusCode::SERVICE_UNAVAILABLE => "no answer came in time; ask again later",
        StatusCode::INTERNAL_SERVER_ERROR => "a fault of windlass; the log has it",
        _ => "the request can't be served",
    };
    let mut problem = Problem::of_status(status, detail).into_response_with(answer.headers());
    problem.extensions_mut().extend(answer.extensions().clone());
    problem
}

/// Answers 304 where the asker has the very same answer already.
pub(super) async fn unchanged(request: Request, next: Next) -> Response {
    let known = request.headers().get(header::IF_NONE_MATCH).cloned();
    let is_reading = request.method() == Method::GET;
    let answer = next.run(request).await;
    let is_whole = answer.body().size_hint().exact().is_some();
    if !is_reading || answer.status() != StatusCode::OK || !is_whole {
        return answer;
    }
    let (mut parts, body) = answer.into_parts();
    let Ok(body) = to_bytes(body, usize::MAX).await else {
        let detail = "a fault of windlass; the log has it";
        return Problem::of_status(StatusCode::INTERNAL_SERVER_ERROR, detail).into_response();
    };
    let tag = format!("\"{}\"", hex(&Sha256::digest(&body)[..16]));
    let is_known = known.as_ref().and_then(|known| known.to_str().ok()).is_some_and(|known| {
        known.split(',').any(|one| one.trim().trim_start_matches("W/") == tag)
    });
    let value = HeaderValue::from_str(&tag).expect("hexadecimal digits in quotes");
    parts.headers.insert(header::ETAG, value);
    if is_known {
        parts.status = StatusCode::NOT_MODIFIED;
        parts.headers.remove(header::CONTENT_LENGTH);
        parts.headers.remove(header::CONTENT_TYPE);
        return Response::from_parts(parts, Body::empty());
    }
    Response::from_parts(parts, Body::from(body))
}
