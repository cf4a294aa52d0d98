//! Nodes, signals and costs of a pool.

use std::collections::BTreeMap;

use axum::Json;
use axum::extract::State;
use serde::{Deserialize, Serialize};

use super::Sources;
use super::document::AnyProblem;
use super::extract::{Asked, At};
use super::pools::{find, limit};
use super::problem::Problem;
use crate::domain::{NodeId, Reading, Sample, SignalName, Timestamp, after};
use crate::reconciler::{Bill, NodeStatus, bill};

/// Which nodes.
#[derive(Clone, Debug, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(super) struct NodeQuery {
    /// Only those after this one; `next_after` of the last page.
    #[param(value_type = Option<String>, format = "uuid")]
    after: Option<NodeId>,
    /// At most so many; 50 by default.
    #[param(minimum = 1, maximum = 500)]
    limit: Option<u32>,
    /// Only those in this state, such as `draining`.
    state: Option<String>,
}

/// A page of a pool's living nodes, by their ids, which is by their age.
#[derive(Clone, Debug, PartialEq, Serialize, utoipa::ToSchema)]
pub struct NodePage {
    /// The nodes.
    pub nodes: Vec<NodeStatus>,
    /// Ask with this as `after` for more; none at the end.
    pub next_after: Option<NodeId>,
}

/// Which samples.
#[derive(Clone, Debug, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(super) struct SampleQuery {
    /// Not before this; the beginning by default.
    from: Option<Timestamp>,
    /// Not after this; now by default.
    until: Option<Timestamp>,
    /// At most so many; 50 by default.
    #[param(minimum = 1, maximum = 500)]
    limit: Option<u32>,
}

/// A page of a signal's samples, oldest first.
#[derive(Clone, Debug, PartialEq, Serialize, utoipa::ToSchema)]
pub struct SamplePage {
    /// The samples.
    pub samples: Vec<Sample>,
    /// Ask with this as `from` for later ones; none at the end.
    pub next_from: Option<Timestamp>,
}

/// What each signal said at the last decision.
#[derive(Clone, Debug, PartialEq, Serialize, utoipa::ToSchema)]
pub struct SignalsDocument {
    /// When; none before the first decision.
    pub at: Option<Timestamp>,
    /// What each said, by its name.
    #[schema(value_type = BTreeMap<String, Reading>)]
    pub readings: BTreeMap<SignalName, Reading>,
}

/// The living nodes, with what each waits for and until when.
#[utoipa::path(
    get, path = "/api/v1/pools/{pool}/nodes", tag = "pools", operation_id = "nodes",
    params(("pool" = String, Path, description = "The pool's name"), NodeQuery),
    responses((status = 200, description = "A page", body = NodePage), AnyProblem),
    security(("token" = ["read"]))
)]
pub(super) async fn nodes(
    State(sources): State<Sources>,
    At(pool): At<String>,
    Asked(query): Asked<NodeQuery>,
) -> Result<Json<NodePage>, Problem> {
    let (_, source) = find(&sources, &pool)?;
    let limit = limit(query.limit)? as usize;
    let status = source.now();
    let mut nodes: Vec<NodeStatus> = status.nodes.clone();
    nodes.sort_by_key(|node| node.id);
    nodes.retain(|node| query.after.is_none_or(|last| last < node.id));
    nodes.retain(|node| query.state.as_ref().is_none_or(|state| state == node.state));
    let has_more = limit < nodes.len();
    nodes.truncate(limit);
    let next_after = nodes.last().filter(|_| has_more).map(|last| last.id);
    Ok(Json(NodePage { nodes, next_after }))
}

/// What each signal said at the last decision.
#[utoipa::path(
    get, path = "/api/v1/pools/{pool}/signals", tag = "pools", operation_id = "signals",
    params(("pool" = String, Path, description = "The pool's name")),
    responses((status = 200, description = "The readings", body = SignalsDocument), AnyProblem),
    security(("token" = ["read"]))
)]
pub(super) async fn signals(
    State(sources): State<Sources>,
    At(pool): At<String>,
) -> Result<Json<SignalsDocument>, Problem> {
    let (name, _) = find(&sources, &pool)?;
    let last = sources.store.decisions(name, Timestamp::MAX, 1).await?.pop();
    let at = last.as_ref().map(|last| last.at);
    let readings = last.map(|last| last.observation.readings).unwrap_or_default();
    Ok(Json(SignalsDocument { at, readings }))
}

/// A signal's samples, oldest first.
#[utoipa::path(
    get, path = "/api/v1/pools/{pool}/signals/{signal}", tag = "pools", operation_id = "samples",
    params(
        ("pool" = String, Path, description = "The pool's name"),
        ("signal" = String, Path, description = "The signal's name"),
        SampleQuery
    ),
    responses((status = 200, description = "A page", body = SamplePage), AnyProblem),
    security(("token" = ["read"]))
)]
pub(super) async fn samples(
    State(sources): State<Sources>,
    At((pool, signal)): At<(String, String)>,
    Asked(query): Asked<SampleQuery>,
) -> Result<Json<SamplePage>, Problem> {
    let (name, source) = find(&sources, &pool)?;
    let signal = SignalName::new(signal).map_err(Problem::not_found)?;
    let policy = source.policy.borrow().clone();
    if !policy.signals.contains_key(&signal) {
        let known: Vec<String> = policy.signals.keys().map(ToString::to_string).collect();
        let known = known.join(", ");
        let what = format!("{pool} has no signal {signal}; there are: {known}");
        return Err(Problem::not_found(what));
    }
    let limit = limit(query.limit)?;
    let from = query.from.unwrap_or(Timestamp::MIN);
    let until = query.until.unwrap_or(Timestamp::MAX);
    let samples = sources.store.samples_page(name, &signal, from, until, limit).await?;
    let full = samples.len() == limit as usize;
    let step = std::time::Duration::from_millis(1);
    let next_from = samples.last().filter(|_| full).map(|last| after(last.at, step));
    Ok(Json(SamplePage { samples, next_from }))
}

/// What the pool costs: an hour now, this month so far, and to the month's end.
#[utoipa::path(
    get, path = "/api/v1/pools/{pool}/costs", tag = "pools", operation_id = "costs",
    params(("pool" = String, Path, description = "The pool's name")),
    responses((status = 200, description = "The costs", body = Bill), AnyProblem),
    security(("token" = ["read"]))
)]
pub(super) async fn costs(
    State(sources): State<Sources>,
    At(pool): At<String>,
) -> Result<Json<Bill>, Problem> {
    let (_, source) = find(&sources, &pool)?;
    let policy = source.policy.borrow().clone();
    Ok(Json(bill(&policy, &sources.world, &sources.store).await?))
}
