//! Nomad Autoscaler's `threshold` strategy on utilisation, as it is usually written.
//!
//! Source: hashicorp/nomad-autoscaler, `plugins/builtin/strategy/threshold`.
//! Defaults: 5 of the last 6 evaluations over 70 %: a quarter more nodes, at least one; 5 of them
//! below 45 %: a tenth fewer, at least one; evaluation 10 s; cooldown 5 min after any action.

use std::collections::VecDeque;

use super::super::contender::{Contender, View};
use crate::domain::NodeCount;

const UPPER: f64 = 0.70;
const LOWER: f64 = 0.45;
const KEPT: usize = 6;
const WITHIN: usize = 5;
const COOLDOWN: u64 = 300;

#[derive(Default)]
pub(super) struct NomadThreshold {
    seen: VecDeque<f64>,
    acted_at: Option<u64>,
}

impl Contender for NomadThreshold {
    fn period(&self) -> u64 {
        10
    }

    fn want(&mut self, view: &View<'_>) -> NodeCount {
        self.seen.push_back(view.utilisation());
        if KEPT < self.seen.len() {
            self.seen.pop_front();
        }
        let current = view.committed();
        let rests = self.acted_at.is_some_and(|at| view.now < at + COOLDOWN);
        if rests || self.seen.len() < KEPT {
            return NodeCount(current);
        }
        let share = |percent: u32| current * percent / 100;
        if WITHIN <= self.seen.iter().filter(|seen| UPPER < **seen).count() {
            self.acted_at = Some(view.now);
            return NodeCount(current + (current * 25).div_ceil(100).max(1));
        }
        let is_low = WITHIN <= self.seen.iter().filter(|seen| **seen < LOWER).count();
        if is_low && view.settings.bounds.min.0 < current {
            self.acted_at = Some(view.now);
            return NodeCount(current - share(10).max(1));
        }
        NodeCount(current)
    }
}
