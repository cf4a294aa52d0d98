//! What the balancers count: requests that came, that wait, and that are served.
//!
//! In: traffic, and the nodes that serve.
//! Out: counters as HAProxy has them, from zero at each restart.
//! Never: looks ahead. Every balancer gets the same part of the traffic and of each node.
//!
//! A node is eight workers of twenty requests per second, as in rehearsals. Below their limit some
//! requests wait by chance (M/M/c); what exceeds it is queued until clients give up.

use super::backtest::{NodeModel, PATIENCE_SECONDS};
use super::model::Model;
use crate::domain::{BackendCounts, Duration, Timestamp, after, elapsed};

/// How finely the traffic is followed.
const STEP: Duration = Duration::from_secs(1);

/// The nodes of the simulation.
pub(super) fn node() -> NodeModel {
    NodeModel::new(8, 20.0, 0.25)
}

/// A node for which this rate is work as the simulation's own rate is for its nodes: two thirds of
/// what it can do at most.
pub(super) fn node_for(rate: f64) -> NodeModel {
    NodeModel::new(8, rate * 1.5 / 8.0, 0.25)
}

/// What one balancer has counted.
#[derive(Clone, Copy, Debug)]
pub(super) struct Carried {
    /// Up to when.
    until: Timestamp,
    requests: f64,
    /// Requests that exceeded what the nodes carry, and still wait.
    backlog: f64,
}

impl Carried {
    /// Nothing, from now on.
    pub fn nothing(now: Timestamp) -> Self {
        Self { until: now, requests: 0.0, backlog: 0.0 }
    }
}

impl Model {
    /// The counters of a balancer, up to now; the nodes that serve now have served all along since
    /// the last look at it.
    pub(super) fn counts(&mut self, index: usize) -> BackendCounts {
        let balancers = self.balancers.len() as f64;
        let nodes = self.serving_on(index);
        let capacity = f64::from(nodes) * self.node.capacity() / balancers;
        let mut carried = self.balancers[index].carried;
        while carried.until < self.now {
            let next = after(carried.until, STEP).min(self.now);
            let seconds = elapsed(carried.until, next).as_secs_f64();
            let came = self.rate(carried.until) / balancers * seconds;
            let most = capacity.max(self.rate(carried.until) / balancers) * PATIENCE_SECONDS;
            carried.requests += came;
            carried.backlog = (carried.backlog + came - capacity * seconds).clamp(0.0, most);
            carried.until = next;
        }
        self.balancers[index].carried = carried;
        let rate = self.rate(self.now) / balancers;
        let utilisation = if carried.backlog > 0.0 { 1.0 } else { rate / capacity };
        let waiting = match utilisation < 1.0 {
            true => self.node.waiting(nodes, utilisation) / balancers,
            false => carried.backlog,
        };
        let served = rate.min(capacity) / self.node.worker_rate();
        BackendCounts {
            requests: carried.requests as u64,
            sessions: (waiting + served).round() as u32,
            queued: waiting.round() as u32,
            is_whole: true,
        }
    }
}
