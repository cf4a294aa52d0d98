//! What pure reaction can do at best: the floor under everybody without foresight or head-room.
//!
//! It sees the rate of the step that just begins, without any lag, and holds what it needed for
//! ten minutes.

use super::super::STEP_SECONDS;
use super::super::contender::{Contender, View};
use super::super::trace::Trace;
use super::window::Highest;
use crate::domain::NodeCount;

const HOLD: u64 = 600;

pub(super) struct IdealReactive<'a> {
    trace: &'a Trace,
    needed: Highest,
}

impl<'a> IdealReactive<'a> {
    pub fn new(trace: &'a Trace) -> Self {
        Self { trace, needed: Highest::default() }
    }
}

impl Contender for IdealReactive<'_> {
    fn period(&self) -> u64 {
        STEP_SECONDS
    }

    fn want(&mut self, view: &View<'_>) -> NodeCount {
        let rate = self.trace.rate((view.now / STEP_SECONDS) as usize);
        let needed = view.settings.node.demand(rate, 0);
        NodeCount(self.needed.with(view.now, needed, HOLD))
    }
}
