//! How long to rest between two looks: not at all while something goes on, and as long as a
//! balancer may be without its servers when all is settled.

use super::look::PoolLoop;
use crate::domain::{Duration, Node, NodeState, Timestamp, elapsed};

/// While a node waits for balancers, which are near and cheap to ask.
const FOR_BALANCERS: Duration = Duration::from_millis(150);

/// While a node waits for the cloud or the playbook.
const FOR_OTHERS: Duration = Duration::from_millis(1_000);

/// A balancer that restarted turns requests away until it has its servers back.
const FOR_A_RESTART: Duration = Duration::from_millis(1_000);

/// A balancer that still owes its answer after this is down, and looked at as rarely as others.
const NEAR: Duration = Duration::from_secs(30);

/// Between two looks, even when something went on.
const AT_LEAST: Duration = Duration::from_millis(5);

impl PoolLoop {
    /// How long until the next look.
    pub(super) fn rest(&self, progressed: bool, now: Timestamp) -> Duration {
        if progressed {
            return AT_LEAST;
        }
        let waits = self.nodes.values().filter_map(|node| match node.state {
            NodeState::Joining { .. } | NodeState::Draining { .. } => Some(FOR_BALANCERS),
            NodeState::Deleting { .. } => Some(FOR_BALANCERS),
            NodeState::InService if waits_for_balancer(node, now) => Some(FOR_BALANCERS),
            NodeState::Planned | NodeState::Provisioning { .. } => Some(FOR_OTHERS),
            NodeState::Configuring { .. } => Some(FOR_OTHERS),
            NodeState::InService | NodeState::Unhealthy { .. } | NodeState::Standby => {
                Some(FOR_A_RESTART)
            }
            NodeState::Deleted | NodeState::Failed { .. } => None,
        });
        // A clock that was set back moves nothing further away.
        let until = |due| elapsed(now, due).min(self.interval);
        let until_decision = self.decide_at().map_or(AT_LEAST, until);
        waits.fold(until_decision, Duration::min).max(AT_LEAST)
    }
}

/// Whether a serving node is about to be given requests on a balancer.
fn waits_for_balancer(node: &Node, now: Timestamp) -> bool {
    let tried = node.attempt.as_ref().map_or(node.state_since, |attempt| attempt.at);
    !node.admitting.is_empty() && elapsed(tried, now) < NEAR
}
