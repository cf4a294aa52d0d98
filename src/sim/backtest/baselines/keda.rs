//! KEDA: a Prometheus trigger with an average value.
//!
//! Source: keda-docs 2.16, scaling deployments. Between one node and the largest count KEDA lets
//! an HPA decide and only hands it the metric, so the figures are [`Hpa`]'s. Its own part is the
//! step between none and one: it activates at any load, and goes to none after `cooldownPeriod`
//! without.
//! Defaults: polling 30 s (here every sync); cooldown 300 s; activation threshold 0. With a
//! smallest count of 1 or more its own part never acts.

use super::super::contender::{Contender, View};
use super::hpa::Hpa;
use crate::domain::NodeCount;

const COOLDOWN: u64 = 300;

pub(super) struct Keda {
    hpa: Hpa,
    active_at: u64,
}

impl Keda {
    pub fn new(utilisation: f64) -> Self {
        Self { hpa: Hpa::new(utilisation), active_at: 0 }
    }
}

impl Contender for Keda {
    fn period(&self) -> u64 {
        self.hpa.period()
    }

    fn want(&mut self, view: &View<'_>) -> NodeCount {
        let scaled = self.hpa.want(view).max(NodeCount(1));
        if 0.0 < view.minute_rate() {
            self.active_at = view.now;
        }
        if self.active_at + COOLDOWN < view.now { NodeCount::ZERO } else { scaled }
    }
}
