//! What all contenders share.

use super::{Lasts, NodeModel};
use crate::domain::{Dollars, NodeCount};

/// The world of a rehearsal. Times are in seconds.
#[derive(Clone, Debug, PartialEq)]
pub struct Settings {
    /// What a node carries.
    pub node: NodeModel,
    /// The smallest and the largest count of everyone but policies, which have their own; demand is
    /// never less than the smallest.
    pub bounds: Bounds,
    /// From ordering a node until it serves.
    pub boot: Lasts,
    /// From a node's last request until its instance is gone.
    pub drain: Lasts,
    /// The age of the newest sample that a metrics server gives. What balancers are asked
    /// themselves has none.
    pub lag: u64,
    /// Between two decisions of a policy: whole steps.
    pub interval: u64,
    /// Nothing before this counts: forecasters learn.
    pub scored_from: u64,
    /// Repeats the same chance.
    pub seed: u64,
    /// A started hour of one node.
    pub hourly_price: Dollars,
}

/// The smallest and the largest count.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bounds {
    /// Never fewer.
    pub min: NodeCount,
    /// Never more.
    pub max: NodeCount,
}

impl Bounds {
    /// `count`, brought within.
    pub fn hold(self, count: NodeCount) -> NodeCount {
        count.min(self.max).max(self.min)
    }
}
