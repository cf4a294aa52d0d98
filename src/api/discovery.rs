//! `GET /sd/prometheus`: nodes as scrape targets, by Prometheus' HTTP service discovery.
//!
//! Source: Prometheus' documentation of `http_sd_config`: a JSON list of objects with `targets`
//! and `labels` alone, `Content-Type: application/json`. An empty list takes all targets away,
//! so before the state is loaded the answer is 503, on which Prometheus keeps the last list.

use std::collections::BTreeMap;

use axum::Json;
use axum::extract::State;
use serde::Serialize;

use super::Sources;
use super::access::Caller;
use super::document::AnyProblem;
use super::problem::Problem;

/// Some targets that share labels.
#[derive(Clone, Debug, PartialEq, Serialize, utoipa::ToSchema)]
pub(super) struct TargetGroup {
    /// `address:port` of each.
    targets: Vec<String>,
    /// Labels; those that begin with `__meta_` are only for relabelling.
    labels: BTreeMap<&'static str, String>,
}

/// Nodes that run the application: from the moment that they are registered until they have
/// drained.
const SCRAPED: [&str; 4] = ["joining", "in_service", "unhealthy", "draining"];

/// Nodes as scrape targets.
#[utoipa::path(
    get, path = "/sd/prometheus", tag = "daemon", operation_id = "targets",
    responses((status = 200, description = "Targets", body = Vec<TargetGroup>), AnyProblem),
    security(("token" = ["read"])), extensions(("x-pools" = json!("seen")))
)]
pub(super) async fn targets(
    State(sources): State<Sources>,
    caller: Caller,
) -> Result<Json<Vec<TargetGroup>>, Problem> {
    let mut groups = Vec::new();
    for (_, source) in sources.pools.iter().filter(|(name, _)| caller.may_see(name)) {
        let pool = source.now();
        if !pool.is_loaded {
            return Err(Problem::unavailable(format!("no look has ended yet at {}", pool.pool)));
        }
        for node in pool.nodes.iter().filter(|node| SCRAPED.contains(&node.state)) {
            let labels = BTreeMap::from([
                ("__meta_windlass_pool", pool.pool.to_string()),
                ("__meta_windlass_node", node.id.to_string()),
                ("__meta_windlass_label", node.label.to_string()),
                ("__meta_windlass_state", node.state.to_string()),
            ]);
            let targets = vec![format!("{}:{}", node.address, pool.port)];
            groups.push(TargetGroup { targets, labels });
        }
    }
    Ok(Json(groups))
}
