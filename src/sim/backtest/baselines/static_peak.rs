//! A fleet for the busiest minute, all the time: what is bought where nothing scales.
//!
//! It knows the trace's peak in advance.

use super::super::contender::{Contender, View};
use super::super::node_model::NodeModel;
use super::super::trace::Trace;
use crate::domain::NodeCount;

pub(super) struct StaticPeak(NodeCount);

impl StaticPeak {
    pub fn new(trace: &Trace, node: &NodeModel) -> Self {
        Self(NodeCount(node.demand(trace.peak_minute(), 0)))
    }
}

impl Contender for StaticPeak {
    fn period(&self) -> u64 {
        60
    }

    fn want(&mut self, _: &View<'_>) -> NodeCount {
        self.0
    }
}
