//! Amazon EC2 Auto Scaling's target tracking on utilisation.
//!
//! Source: the documentation of target tracking policies, and the two alarms that they make.
//! Defaults: target 70 %; a datapoint a minute; out when 3 in a row exceed it, in when 15 in a row
//! are under 90 % of it; then the proportional count. Nodes that warm up count as capacity, and
//! nothing leaves while any does; the warm-up is the boot.

use super::super::contender::{Contender, View};
use super::super::node_model::whole_nodes;
use crate::domain::NodeCount;

const OUT_POINTS: u32 = 3;
const IN_POINTS: u32 = 15;
const IN_SHARE: f64 = 0.9;

pub(super) struct AwsTargetTracking {
    utilisation: f64,
    high: u32,
    low: u32,
    warm_until: u64,
}

impl AwsTargetTracking {
    pub fn new(utilisation: f64) -> Self {
        Self { utilisation, high: 0, low: 0, warm_until: 0 }
    }

    /// The count that the alarms ask for; none while they are silent.
    pub fn asks(&mut self, view: &View<'_>) -> Option<NodeCount> {
        let used = view.utilisation();
        self.high = if self.utilisation < used { self.high + 1 } else { 0 };
        self.low = if used < self.utilisation * IN_SHARE { self.low + 1 } else { 0 };
        let wanted = NodeCount(whole_nodes(view.at_utilisation(self.utilisation)));
        let current = NodeCount(view.committed());
        if OUT_POINTS <= self.high && current < wanted {
            self.warm_until = view.now + view.settings.boot.upper();
            return Some(wanted);
        }
        let warms = view.now < self.warm_until || view.fleet.on_the_way != NodeCount::ZERO;
        if IN_POINTS <= self.low && !warms && wanted < current {
            self.low = 0;
            return Some(wanted);
        }
        None
    }
}

impl Contender for AwsTargetTracking {
    fn period(&self) -> u64 {
        60
    }

    fn want(&mut self, view: &View<'_>) -> NodeCount {
        self.asks(view).unwrap_or(NodeCount(view.committed()))
    }
}
