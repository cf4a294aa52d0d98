//! Whether we live, whether we are ready, and our metrics.

use axum::extract::State;
use axum::http::header;
use axum::response::{IntoResponse, Response};

use super::Sources;
use super::problem::Problem;

/// `GET /healthz`: the process answers.
pub(super) async fn healthz() -> &'static str {
    "ok\n"
}

/// `GET /readyz`: every pool has been looked at since the start.
pub(super) async fn readyz(State(sources): State<Sources>) -> Result<&'static str, Problem> {
    let waiting: Vec<String> = sources
        .pools
        .iter()
        .filter(|(_, pool)| !pool.now().is_loaded)
        .map(|(name, _)| name.to_string())
        .collect();
    if waiting.is_empty() {
        return Ok("ready\n");
    }
    Err(Problem::unavailable(format!("no look has ended yet at {}", waiting.join(", "))))
}

/// `GET /metrics`: our own metrics in the OpenMetrics text format.
pub(super) async fn metrics(State(sources): State<Sources>) -> Response {
    let kind = "application/openmetrics-text; version=1.0.0; charset=utf-8";
    ([(header::CONTENT_TYPE, kind)], sources.metrics.text()).into_response()
}
