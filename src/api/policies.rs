//! A pool's policy: read, checked, replaced.
//!
//! The file that the settings name stays the truth: the daemon writes a good text there and goes
//! by it, and a bad one changes nothing.

use axum::Json;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use tokio::sync::oneshot;

use super::Sources;
use super::access::Caller;
use super::commands::TryQuery;
use super::document::{AnyProblem, Refusals};
use super::extract::{Asked, At};
use super::pools::find;
use super::problem::Problem;
use super::reload::{DaemonAsk, PolicyUpload, ReloadReport};

/// The text of the policy in force.
#[utoipa::path(
    get, path = "/api/v1/pools/{pool}/policy", tag = "pools", operation_id = "policy",
    params(("pool" = String, Path, description = "The pool's name")),
    responses(
        (status = 200, description = "The text", body = serde_json::Value, content_type = "application/yaml"),
        AnyProblem
    ),
    security(("token" = ["read"]))
)]
pub(super) async fn policy(
    State(sources): State<Sources>,
    At(pool): At<String>,
) -> Result<Response, Problem> {
    let (_, source) = find(&sources, &pool)?;
    let digest = source.policy.borrow().digest.clone();
    let text = sources.store.policy_text(&digest).await?;
    let text = text.ok_or_else(|| Problem::unavailable("no look has ended yet; ask again"))?;
    Ok(([(header::CONTENT_TYPE, "application/yaml")], text).into_response())
}

/// Checks a policy and puts it in force, all or nothing.
///
/// The text replaces the pool's policy file. With `dry_run` nothing is written, and what would
/// change is told.
#[utoipa::path(
    put, path = "/api/v1/pools/{pool}/policy", tag = "pools", operation_id = "put_policy",
    params(("pool" = String, Path, description = "The pool's name"), TryQuery),
    request_body(content = String, content_type = "application/yaml"),
    responses(
        (status = 200, description = "What changes", body = ReloadReport),
        AnyProblem, Refusals
    ),
    security(("token" = ["admin"]))
)]
pub(super) async fn put_policy(
    State(sources): State<Sources>,
    caller: Caller,
    At(pool): At<String>,
    Asked(query): Asked<TryQuery>,
    body: Result<String, axum::extract::rejection::StringRejection>,
) -> Result<Json<ReloadReport>, Problem> {
    let (name, _) = find(&sources, &pool)?;
    let wrong = |rejection: axum::extract::rejection::StringRejection| {
        Problem::of_status(rejection.status(), rejection.body_text())
    };
    let text = body.map_err(wrong)?;
    let (answer, report) = oneshot::channel();
    let upload =
        PolicyUpload { pool: name.clone(), text, owner: caller.owner, is_tried: query.dry_run };
    let stopping = || Problem::unavailable("the daemon is stopping; it reads no policy any more");
    let ask = DaemonAsk::Put { upload, answer };
    sources.reload.send(ask).await.map_err(|_| stopping())?;
    let report = report.await.map_err(|_| stopping())?;
    if report.problems.is_empty() {
        return Ok(Json(report));
    }
    let detail = format!("the policy of {name} stays as it was: {}", report.problems.join("\n"));
    let status = StatusCode::UNPROCESSABLE_ENTITY;
    Err(Problem { problems: report.problems, ..Problem::of_status(status, detail) })
}
