//! What is told of every request: an id, a span for the log, and metrics.
//!
//! In: a request that was matched to a route, or to none.
//! Out: its answer with `X-Request-Id`, by which log lines about it are found.
//! Never: takes an id from outside, which could claim to be another request; uses a path as a
//! label, of which there are endless many: only the routes that exist.

use std::time::Instant;

use axum::extract::{MatchedPath, Request, State};
use axum::http::{HeaderName, HeaderValue, Method, StatusCode};
use axum::middleware::Next;
use axum::response::Response;
use tracing::{Instrument, field, info, info_span};

use super::Sources;
use crate::ports::{Chance, Clock, SystemChance, SystemClock};
use crate::telemetry::{RequestLabels, RouteLabels};

/// The answer's header that holds the request's id.
pub(super) const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// Tells of a request.
pub(super) async fn observe(
    State(sources): State<Sources>,
    route: Option<MatchedPath>,
    request: Request,
    next: Next,
) -> Response {
    let begun = Instant::now();
    let id = SystemChance.uuid(SystemClock.now()).to_string();
    let method = method_of(request.method());
    let route = route.as_ref().map_or("none", MatchedPath::as_str).to_owned();
    let span = info_span!(
        "request",
        request.id = %id,
        request.method = method,
        request.route = route,
        caller = field::Empty,
    );
    let may_change = !request.method().is_safe();
    let mut answer = next.run(request).instrument(span.clone()).await;
    let status = answer.status();
    if may_change {
        span.in_scope(|| info!(response.status = status.as_u16(), "{method} {route}: {status}"));
    }
    let metrics = &sources.metrics;
    let labels = RequestLabels { method, route: route.clone(), status: class_of(status) };
    metrics.api_requests.get_or_create(&labels).inc();
    let seconds = begun.elapsed().as_secs_f64();
    metrics.api_request_seconds.get_or_create(&RouteLabels { route }).observe(seconds);
    let id = HeaderValue::try_from(id).expect("an id is ASCII");
    answer.headers_mut().insert(REQUEST_ID, id);
    answer
}

/// One of few: a method can be any word.
fn method_of(method: &Method) -> &'static str {
    match *method {
        Method::GET => "GET",
        Method::HEAD => "HEAD",
        Method::POST => "POST",
        Method::PUT => "PUT",
        Method::PATCH => "PATCH",
        Method::DELETE => "DELETE",
        Method::OPTIONS => "OPTIONS",
        _ => "other",
    }
}

fn class_of(status: StatusCode) -> &'static str {
    match status.as_u16() / 100 {
        1 => "1xx",
        2 => "2xx",
        3 => "3xx",
        4 => "4xx",
        _ => "5xx",
    }
}
