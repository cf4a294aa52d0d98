//! Google Compute Engine's autoscaler for instance groups on utilisation.
//!
//! Source: its documentation: the recommended size is the one for the peak of the last 10
//! minutes. (Its predictive mode needs three days of CPU history and is not published.)
//! Defaults: target 70 %; once a minute.

use super::super::contender::{Contender, View};
use super::super::node_model::whole_nodes;
use super::window::Highest;
use crate::domain::NodeCount;

const STABILISATION: u64 = 600;

pub(super) struct Gce {
    utilisation: f64,
    recommended: Highest,
}

impl Gce {
    pub fn new(utilisation: f64) -> Self {
        Self { utilisation, recommended: Highest::default() }
    }
}

impl Contender for Gce {
    fn period(&self) -> u64 {
        60
    }

    fn want(&mut self, view: &View<'_>) -> NodeCount {
        let wanted = whole_nodes(view.at_utilisation(self.utilisation));
        NodeCount(self.recommended.with(view.now, wanted, STABILISATION))
    }
}
