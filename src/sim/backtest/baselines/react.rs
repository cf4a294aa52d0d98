//! React: the rule-based scaler of the elasticity literature.
//!
//! Source: Chieu et al. 2009, in the form of Ali-Eldin's simulators.
//! Defaults: once a minute; short: 1.2 times what is missing; 1.1 times the need is less than the
//! nodes that there are: 1.2 times the need.

use super::super::contender::{Contender, View};
use super::super::node_model::whole_nodes;
use crate::domain::NodeCount;

pub(super) struct React;

impl Contender for React {
    fn period(&self) -> u64 {
        60
    }

    fn want(&mut self, view: &View<'_>) -> NodeCount {
        let (needed, current) = (whole_nodes(view.needed()), view.committed());
        if current < needed {
            let more = (f64::from(needed - current) * 1.2) as u32;
            return NodeCount(current + more.max(1));
        }
        if 1.1 * view.needed() < f64::from(current) {
            return NodeCount((f64::from(needed) * 1.2).ceil() as u32);
        }
        NodeCount(current)
    }
}
