//! Candidates beside the live policies.

use axum::Json;
use axum::extract::State;
use serde::Deserialize;

use super::Sources;
use super::document::AnyProblem;
use super::extract::{Asked, At};
use super::pools::find;
use super::problem::Problem;
use crate::domain::Timestamp;
use crate::reconciler::{ShadowComparison, compare_shadows};

/// Which time.
#[derive(Clone, Debug, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(super) struct ShadowQuery {
    /// What ended before this does not count; by default all that is known of each candidate.
    since: Option<Timestamp>,
}

/// Every candidate of a pool beside its live policy; none where nothing is followed.
#[utoipa::path(
    get, path = "/api/v1/pools/{pool}/shadow", tag = "pools", operation_id = "shadow",
    params(("pool" = String, Path, description = "The pool's name"), ShadowQuery),
    responses((status = 200, description = "Each candidate, by name", body = Vec<ShadowComparison>), AnyProblem),
    security(("token" = ["read"]))
)]
pub(super) async fn shadow(
    State(sources): State<Sources>,
    At(pool): At<String>,
    Asked(query): Asked<ShadowQuery>,
) -> Result<Json<Vec<ShadowComparison>>, Problem> {
    let (name, _) = find(&sources, &pool)?;
    Ok(Json(compare_shadows(&sources.store, name, query.since).await?))
}
