//! A pool's nodes, counted.

use serde::{Deserialize, Serialize};

use super::{Node, NodeCount, NodeState};

/// How many nodes of a pool are in each state that matters to a decision.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct FleetCounts {
    /// In service: given requests by the balancers, unhealthy ones included.
    pub serving: NodeCount,
    /// On their way to serve: planned, provisioning, configuring or joining.
    pub on_the_way: NodeCount,
    /// Configured and registered, given no requests.
    pub standby: NodeCount,
    /// Draining or deleting.
    pub leaving: NodeCount,
}

impl FleetCounts {
    /// Counts `nodes`; those that are gone or were refused don't count.
    pub fn of<'a>(nodes: impl IntoIterator<Item = &'a Node>) -> Self {
        let mut counts = Self::default();
        for node in nodes {
            let count = match node.state {
                NodeState::Planned
                | NodeState::Provisioning { .. }
                | NodeState::Configuring { .. }
                | NodeState::Joining { .. } => &mut counts.on_the_way,
                NodeState::InService | NodeState::Unhealthy { .. } => &mut counts.serving,
                NodeState::Standby => &mut counts.standby,
                NodeState::Draining { .. } | NodeState::Deleting { .. } => &mut counts.leaving,
                NodeState::Deleted | NodeState::Failed { .. } => continue,
            };
            *count = count.plus(1);
        }
        counts
    }

    /// Nodes serving or on their way to serve.
    pub fn committed(self) -> NodeCount {
        self.serving.plus(self.on_the_way.0)
    }
}
