//! Reading the policy files again.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use serde::{Deserialize, Serialize};
use tokio::sync::{mpsc, oneshot};

use super::Sources;
use super::access::Caller;
use super::document::AnyProblem;
use super::problem::Problem;
use crate::domain::PoolName;
use crate::policy::Difference;

/// What the daemon can be asked about its policies; the report comes back by `answer`.
#[derive(Debug)]
pub enum DaemonAsk {
    /// To read its policy files again.
    Reload {
        /// Who asks.
        owner: String,
        /// Where the report goes.
        answer: oneshot::Sender<ReloadReport>,
    },
    /// To replace one pool's policy.
    Put {
        /// With what.
        upload: PolicyUpload,
        /// Where the report goes.
        answer: oneshot::Sender<ReloadReport>,
    },
}

/// A policy that somebody sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PolicyUpload {
    /// The pool that it is for.
    pub pool: PoolName,
    /// Its text.
    pub text: String,
    /// Who sent it.
    pub owner: String,
    /// Whether it is only tried.
    pub is_tried: bool,
}

/// Where the daemon is asked.
pub type ReloadAsk = mpsc::Sender<DaemonAsk>;

/// What came of reading the policy files again.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct ReloadReport {
    /// Pools that go by another policy from their next look on.
    pub replaced: Vec<ReplacedPolicy>,
    /// Pools whose file is as it was.
    pub unchanged: Vec<PoolName>,
    /// Files that can't be used, each text with place and remedy. What they were to replace
    /// stays in force.
    pub problems: Vec<String>,
    /// What was found and is not acted upon before the next start.
    pub warnings: Vec<String>,
}

/// A pool that goes by another policy.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct ReplacedPolicy {
    /// The pool.
    pub pool: PoolName,
    /// The new policy's digest.
    pub policy_digest: String,
    /// What changed; nothing where only remarks or the spelling did.
    pub changes: Vec<Difference>,
}

/// Reads the policy files again. A bad file replaces nothing.
#[utoipa::path(
    post, path = "/api/v1/policies/reload", tag = "daemon", operation_id = "reload",
    responses(
        (status = 200, description = "What came of it", body = ReloadReport),
        (status = 422, description = "A file can't be used", body = ReloadReport),
        AnyProblem
    ),
    security(("token" = ["admin"]))
)]
pub(super) async fn reload(
    State(sources): State<Sources>,
    caller: Caller,
) -> Result<(StatusCode, Json<ReloadReport>), Problem> {
    let (answer, report) = oneshot::channel();
    let stopping = |_| Problem::unavailable("the daemon is stopping; it reads no policy any more");
    let ask = DaemonAsk::Reload { owner: caller.owner, answer };
    sources.reload.send(ask).await.map_err(|_| stopping(()))?;
    let report = report.await.map_err(|_| stopping(()))?;
    let status = match report.problems.is_empty() {
        true => StatusCode::OK,
        false => StatusCode::UNPROCESSABLE_ENTITY,
    };
    Ok((status, Json(report)))
}
