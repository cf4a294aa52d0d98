//! Hist: what each hour of the day usually needs, corrected by the latest errors.
//!
//! Source: Urgaonkar et al. 2008, in the form of Ali-Eldin's simulators.
//! Defaults: once a minute; the 90th percentile of the last 730 needs of this hour of the day, less
//! the mean of the last 5 errors (a fifth of it, where that would leave nothing); 1.05 times the
//! load when more than 5 of the last 10 errors were too few nodes.

use std::collections::VecDeque;

use super::super::contender::{Contender, View};
use super::super::node_model::whole_nodes;
use crate::domain::NodeCount;

const SAMPLES: usize = 730;
const PERCENTILE: f64 = 0.9;
const ERRORS: usize = 10;

#[derive(Default)]
pub(super) struct Hist {
    hours: [Needs; 24],
    /// Nodes that there were less those that were needed, the newest last.
    errors: VecDeque<f64>,
}

/// The last needs of one hour of the day: as they came, and sorted.
#[derive(Default)]
struct Needs {
    queue: VecDeque<u32>,
    sorted: Vec<u32>,
}

impl Needs {
    fn add(&mut self, need: u32) {
        self.queue.push_back(need);
        self.sorted.insert(self.sorted.partition_point(|one| *one < need), need);
        if SAMPLES < self.queue.len()
            && let Some(oldest) = self.queue.pop_front()
        {
            self.sorted.remove(self.sorted.partition_point(|one| *one < oldest));
        }
    }

    /// The percentile, between two needs as a line.
    fn percentile(&self) -> Option<f64> {
        let last = self.sorted.len().checked_sub(1)?;
        let place = PERCENTILE * last as f64;
        let (low, high) = (self.sorted[place as usize], self.sorted[(place.ceil()) as usize]);
        Some(f64::from(low) + (f64::from(high) - f64::from(low)) * place.fract())
    }
}

impl Hist {
    /// The mean of the last five errors; none while there are fewer.
    fn mean_error(&self) -> f64 {
        let latest = self.errors.iter().rev().take(5);
        if self.errors.len() < 5 { 0.0 } else { latest.sum::<f64>() / 5.0 }
    }
}

impl Contender for Hist {
    fn period(&self) -> u64 {
        60
    }

    fn want(&mut self, view: &View<'_>) -> NodeCount {
        let (needed, current) = (whole_nodes(view.needed()), view.committed());
        self.errors.push_back(f64::from(current) - f64::from(needed));
        if ERRORS < self.errors.len() {
            self.errors.pop_front();
        }
        let error = self.mean_error();
        let hour = &mut self.hours[(view.now / 3_600 % 24) as usize];
        let usual = hour.percentile().unwrap_or(f64::from(current));
        hour.add(needed);
        let mut wanted = if usual - error > 0.0 { usual - error } else { usual - error / 5.0 };
        if 5 < self.errors.iter().filter(|error| **error < 0.0).count() {
            wanted = view.needed() * 1.05;
            self.errors.clear();
        }
        NodeCount(wanted.ceil() as u32)
    }
}
