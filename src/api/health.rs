//! Whether we live, whether we are ready, and our metrics.

use axum::extract::State;
use axum::http::{HeaderMap, header};
use axum::response::{IntoResponse, Response};

use super::Sources;
use super::document::AnyProblem;
use super::problem::Problem;

/// The process answers.
#[utoipa::path(
    get, path = "/healthz", tag = "daemon", operation_id = "healthz",
    responses((status = 200, description = "It lives", body = str)), security()
)]
pub(super) async fn healthz() -> &'static str {
    "ok\n"
}

/// Every pool has been looked at since the start, and what happens can be written down.
#[utoipa::path(
    get, path = "/readyz", tag = "daemon", operation_id = "readyz",
    responses((status = 200, description = "It is ready", body = str), AnyProblem), security()
)]
pub(super) async fn readyz(State(sources): State<Sources>) -> Result<&'static str, Problem> {
    let waiting: Vec<String> = sources
        .pools
        .iter()
        .filter(|(_, pool)| !pool.now().is_loaded)
        .map(|(name, _)| name.to_string())
        .collect();
    if !waiting.is_empty() {
        let pools = waiting.join(", ");
        return Err(Problem::unavailable(format!("no look has ended yet at {pools}")));
    }
    let failure = sources.pools.values().find_map(|pool| pool.now().store_failure.clone());
    match failure {
        Some(what) => {
            Err(Problem::unavailable(format!("nothing is done while the store fails: {what}")))
        }
        None => Ok("ready\n"),
    }
}

/// Our own metrics, in the OpenMetrics text format for whoever accepts it, else in the older one.
#[utoipa::path(
    get, path = "/metrics", tag = "daemon", operation_id = "metrics",
    responses(
        (status = 200, description = "Metrics", content(
            (String = "application/openmetrics-text"), (String = "text/plain")
        )),
        AnyProblem
    ),
    security(("token" = ["read"]))
)]
pub(super) async fn metrics(State(sources): State<Sources>, headers: HeaderMap) -> Response {
    let accepted = headers.get_all(header::ACCEPT);
    let is_open = accepted.iter().filter_map(|one| one.to_str().ok());
    let is_open = is_open.into_iter().any(|one| one.contains("application/openmetrics-text"));
    let (kind, text) = match is_open {
        true => ("application/openmetrics-text; version=1.0.0", sources.metrics.text()),
        false => ("text/plain; version=0.0.4", sources.metrics.plain_text()),
    };
    ([(header::CONTENT_TYPE, format!("{kind}; charset=utf-8"))], text).into_response()
}
