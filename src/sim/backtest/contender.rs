//! Whoever says how many nodes there should be.

use super::fleet::Machine;
use super::past::Past;
use super::settings::Settings;
use crate::domain::{FleetCounts, NodeCount};
use crate::engine::Reason;

/// Something that scales.
pub trait Contender {
    /// Seconds between two answers; a whole number of steps.
    fn period(&self) -> u64;

    /// How many nodes there should be from now on. What is not within bounds is brought there.
    /// Whoever has no opinion gives the count that there is: [`View::committed`].
    fn want(&mut self, view: &View<'_>) -> NodeCount;

    /// Why the last answer was what it was, the binding reason first; nothing from those who
    /// don't say.
    fn reasons(&self) -> &[Reason] {
        &[]
    }
}

/// All that a contender may look at: the present fleet, and the past.
#[derive(Clone, Copy, Debug)]
pub struct View<'a> {
    /// Seconds since the trace's beginning.
    pub now: u64,
    /// The nodes that there are, counted.
    pub fleet: FleetCounts,
    /// The same, one by one.
    pub machines: &'a [Machine],
    /// The traffic until now.
    pub past: &'a Past,
    /// The world that it lives in.
    pub settings: &'a Settings,
}

impl View<'_> {
    /// Nodes that serve or are on their way.
    pub fn committed(&self) -> u32 {
        self.fleet.committed().0
    }

    /// Nodes that serve; at least 1, to divide by.
    pub fn serving(&self) -> f64 {
        f64::from(self.fleet.serving.0.max(1))
    }

    /// Requests per second of the last minute, as old as the metrics are.
    pub fn minute_rate(&self) -> f64 {
        self.past.rate(60, self.settings.lag)
    }

    /// Nodes that the last minute needed at the knee; a fraction.
    pub fn needed(&self) -> f64 {
        self.minute_rate() / self.settings.node.knee_rate()
    }

    /// Nodes that the last minute would use at `utilisation` of what they can carry; a fraction.
    pub fn at_utilisation(&self, utilisation: f64) -> f64 {
        self.minute_rate() / (utilisation * self.settings.node.capacity())
    }

    /// How much of the serving nodes' capacity the last minute used; above 1 where it was more.
    pub fn utilisation(&self) -> f64 {
        self.minute_rate() / (self.serving() * self.settings.node.capacity())
    }
}
