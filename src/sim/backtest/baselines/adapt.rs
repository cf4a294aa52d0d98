//! Adapt: an adaptive proportional controller that releases slowly.
//!
//! Source: Ali-Eldin et al. 2012 (AKTE), in the rough form of the reference experiment.
//! Defaults: once a minute; gain = capacity now ÷ mean capacity since the start; a surplus counts a
//! quarter; whole nodes of the accumulated error are applied; never below the need; 1.1 times the
//! need when short.

use super::super::contender::{Contender, View};
use super::super::node_model::whole_nodes;
use crate::domain::NodeCount;

/// What accumulates is held to three nodes either way.
const LIMIT: f64 = 3.0;

pub(super) struct Adapt {
    samples: f64,
    capacity: f64,
    error: f64,
}

impl Default for Adapt {
    fn default() -> Self {
        Self { samples: 0.0, capacity: 1.0, error: 0.0 }
    }
}

impl Contender for Adapt {
    fn period(&self) -> u64 {
        60
    }

    fn want(&mut self, view: &View<'_>) -> NodeCount {
        let (needed, current) = (whole_nodes(view.needed()), view.committed());
        self.samples += 1.0;
        self.capacity += f64::from(current);
        let missing = f64::from(needed) - f64::from(current);
        let change = missing * f64::from(current) * self.samples / self.capacity;
        self.error += if change < 0.0 { change / 4.0 } else { change };
        let whole = self.error.trunc();
        self.error -= whole;
        let mut wanted = current;
        if whole < 0.0 {
            wanted = needed.max((f64::from(current) + whole) as u32);
        } else if current < needed {
            wanted = current + whole as u32;
        }
        if current < needed {
            wanted = wanted.max((1.1 * f64::from(needed)).ceil() as u32);
        }
        self.error = self.error.clamp(-LIMIT, LIMIT);
        NodeCount(wanted)
    }
}
