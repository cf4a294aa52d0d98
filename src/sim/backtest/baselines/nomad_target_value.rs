//! Nomad Autoscaler's `target-value` strategy on utilisation.
//!
//! Source: hashicorp/nomad-autoscaler, `plugins/builtin/strategy/target-value`.
//! Defaults: target 70 %; no action within 1 % of it; evaluation 10 s; cooldown 5 min after any
//! action. It counts nodes that serve, so it doesn't know of those that boot.

use super::super::contender::{Contender, View};
use super::super::node_model::whole_nodes;
use crate::domain::NodeCount;

const DEAD_BAND: f64 = 0.01;
const COOLDOWN: u64 = 300;

pub(super) struct NomadTargetValue {
    utilisation: f64,
    acted_at: Option<u64>,
}

impl NomadTargetValue {
    pub fn new(utilisation: f64) -> Self {
        Self { utilisation, acted_at: None }
    }
}

impl Contender for NomadTargetValue {
    fn period(&self) -> u64 {
        10
    }

    fn want(&mut self, view: &View<'_>) -> NodeCount {
        let same = NodeCount(view.committed());
        let factor = view.utilisation() / self.utilisation;
        let rests = self.acted_at.is_some_and(|at| view.now < at + COOLDOWN);
        if rests || (factor - 1.0).abs() <= DEAD_BAND {
            return same;
        }
        let wanted = NodeCount(whole_nodes(view.serving() * factor));
        if wanted != same {
            self.acted_at = Some(view.now);
        }
        wanted
    }
}
