//! Kubernetes' HorizontalPodAutoscaler on the balancers' request rate.
//!
//! Source: kubernetes 1.28, `pkg/controller/podautoscaler` and
//! `pkg/apis/autoscaling/v2/defaults.go`, as in the reference experiment.
//! Defaults: target 70 % of what a node can carry; tolerance 10 %; up by at most 4 or 100 % a
//! sync, without stabilisation; down to the largest recommendation of the last 300 s. The sync is
//! 15 s in Kubernetes and 20 s here, because a step has 10.

use super::super::contender::{Contender, View};
use super::super::node_model::whole_nodes;
use super::window::Highest;
use crate::domain::NodeCount;

const TOLERANCE: f64 = 0.1;
const DOWN_WINDOW: u64 = 300;
const SYNC: u64 = 20;

/// An HPA with an external metric and an average value: every node counts, ready or not.
pub(super) struct Hpa {
    utilisation: f64,
    recommended: Highest,
}

impl Hpa {
    pub fn new(utilisation: f64) -> Self {
        Self { utilisation, recommended: Highest::default() }
    }
}

impl Contender for Hpa {
    fn period(&self) -> u64 {
        SYNC
    }

    fn want(&mut self, view: &View<'_>) -> NodeCount {
        let (load, current) = (view.at_utilisation(self.utilisation), view.committed());
        let ratio = load / f64::from(current.max(1));
        let wanted = match (1.0 - ratio).abs() <= TOLERANCE {
            true => current,
            false => whole_nodes(load).min((current + 4).max(2 * current)),
        };
        let highest = self.recommended.with(view.now, wanted, DOWN_WINDOW);
        NodeCount(if wanted < current { highest.min(current) } else { wanted })
    }
}
