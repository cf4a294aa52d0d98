//! What if a signal said more, or less?
//!
//! In: an observation, a signal and a number.
//! Out: the same observation with that number.
//! Never: judges it.

use std::fmt;

use serde::Serialize;

use super::super::text::{Latency, Number, Plain};
use super::super::{Observation, Readiness};
use super::{Unit, unit};
use crate::domain::{NodeSample, Reading, SignalName};
use crate::policy::{Policy, Rule, TargetForm};

/// A change of what a signal says: of its value, or of its average over the nodes that speak.
#[derive(Clone, Debug, PartialEq, Serialize, utoipa::ToSchema)]
pub struct Shift {
    /// The signal.
    pub signal: SignalName,
    /// Whether it rises or falls.
    pub way: ShiftWay,
    /// How far, in its unit; above zero.
    pub by: f64,
    /// The unit.
    pub unit: Unit,
}

/// Whether a signal rises or falls.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ShiftWay {
    /// It rises.
    More,
    /// It falls, to zero at most.
    Less,
}

impl fmt::Display for Shift {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { signal, way, by, unit } = self;
        let way = match (way, unit) {
            (ShiftWay::More, _) => "more",
            (ShiftWay::Less, Unit::RequestsPerSecond) => "fewer",
            (ShiftWay::Less, _) => "less",
        };
        match unit {
            Unit::RequestsPerSecond => write!(f, "{} {way} req/s on {signal}", Number(*by)),
            Unit::Seconds => write!(f, "{} {way} on {signal}", Latency(*by)),
            Unit::PercentagePoints => {
                let points = if *by == 1.0 { "point" } else { "points" };
                write!(f, "{} percentage {points} {way} on {signal}", Plain(*by))
            }
            Unit::Nodes | Unit::Own | Unit::Unknown => {
                write!(f, "{} {way} on {signal}", Plain(*by))
            }
        }
    }
}

/// A signal's present value, and the steps in which its changes are told.
pub(super) struct Gauge {
    pub signal: SignalName,
    pub unit: Unit,
    /// The value, or the average over the serving nodes that speak.
    pub value: f64,
    /// So many steps make up one of the unit: a whole number, so that a step reads as it is.
    steps_of_one: f64,
}

impl Gauge {
    /// None where nothing usable is known of the signal. `ends` are the values that the policy
    /// names for it: they say in which steps people think of it.
    pub fn of(
        policy: &Policy,
        observation: &Observation,
        signal: &SignalName,
        ends: &[f64],
    ) -> Option<Self> {
        let unit = unit_of_shifts(policy, signal);
        let value = value(observation, signal, unit)?;
        let largest = ends.iter().copied().fold(value, f64::max);
        let are_whole = value.fract() == 0.0 && ends.iter().all(|end| end.fract() == 0.0);
        let steps_of_one = match unit {
            Unit::RequestsPerSecond | Unit::PercentagePoints | Unit::Nodes => 1.0,
            // Milliseconds, as far as a sentence shows them.
            Unit::Seconds if largest < 0.1 => 10_000.0,
            Unit::Seconds if largest < 1.0 => 1_000.0,
            Unit::Seconds if largest < 10.0 => 100.0,
            Unit::Own | Unit::Unknown if !are_whole && largest < 10.0 => 1_000.0,
            Unit::Own | Unit::Unknown if !are_whole && largest < 100.0 => 10.0,
            Unit::Seconds | Unit::Own | Unit::Unknown => 1.0,
        };
        Some(Self { signal: signal.clone(), unit, value, steps_of_one })
    }

    /// So many steps from its present value; it falls no deeper than to zero.
    pub fn shift(&self, way: ShiftWay, steps: u64) -> Shift {
        let by = steps as f64 / self.steps_of_one;
        let by = match way {
            ShiftWay::More => by,
            ShiftWay::Less => by.min(self.value),
        };
        Shift { signal: self.signal.clone(), way, by, unit: self.unit }
    }

    /// The value after so many steps.
    pub fn shifted(&self, way: ShiftWay, steps: u64) -> f64 {
        self.shift(way, steps).value_from(self.value)
    }

    /// So many steps from zero.
    pub fn absolute(&self, steps: u64) -> f64 {
        steps as f64 / self.steps_of_one
    }

    /// How many steps it is to zero.
    pub fn steps_to_zero(&self) -> u64 {
        // `as` holds at the ends of the range.
        (self.value * self.steps_of_one).ceil() as u64
    }
}

impl Shift {
    /// What a signal says after the change.
    pub fn value_from(&self, value: f64) -> f64 {
        match self.way {
            ShiftWay::More => value + self.by,
            ShiftWay::Less => (value - self.by).max(0.0),
        }
    }

    /// Makes an observation show it.
    pub fn apply(&self, observation: &mut Observation) {
        if let Some(value) = value(observation, &self.signal, self.unit) {
            set(observation, &self.signal, self.unit, self.value_from(value));
        }
    }
}

/// The unit in which changes of a signal are told.
fn unit_of_shifts(policy: &Policy, signal: &SignalName) -> Unit {
    let is_share = |rule: &Rule| match rule {
        Rule::Target(target) => matches!(target.form, TargetForm::UtilisationPercent(_)),
        Rule::Latency(_) | Rule::Count(_) | Rule::Fixed(_) | Rule::Step(_) => false,
        Rule::Schedule(_) | Rule::Forecast(_) | Rule::Surge(_) | Rule::Hint(_) => false,
    };
    match policy.rules.iter().find(|rule| rule.signal() == Some(signal)) {
        Some(rule) if is_share(rule) => Unit::PercentagePoints,
        _ => unit(policy, signal),
    }
}

/// What a signal says: one value, or the average of the serving nodes that speak.
pub(super) fn value(observation: &Observation, signal: &SignalName, unit: Unit) -> Option<f64> {
    let value = match observation.readings.get(signal)? {
        Reading::Fresh { sample } | Reading::Partial { sample, .. } => sample.value,
        Reading::PerNode { samples, capacity } => {
            let heard: Vec<_> =
                samples.iter().filter(|sample| counts(observation, sample)).collect();
            let used: f64 = heard.iter().filter_map(|sample| sample.value).sum();
            let of: f64 = match unit {
                Unit::PercentagePoints => {
                    heard.iter().map(|sample| capacity_of(sample, *capacity)).sum::<f64>() / 100.0
                }
                _ => heard.len() as f64,
            };
            used / of
        }
        Reading::Missing { .. } => return None,
    };
    (value.is_finite() && value >= 0.0).then_some(value)
}

/// Makes a signal say `to`. Of several nodes each keeps its part, or takes an even one where all
/// were idle.
pub(super) fn set(observation: &mut Observation, signal: &SignalName, unit: Unit, to: f64) {
    let from = value(observation, signal, unit);
    match observation.readings.get_mut(signal) {
        Some(Reading::Fresh { sample } | Reading::Partial { sample, .. }) => sample.value = to,
        Some(Reading::PerNode { samples, capacity }) => {
            for sample in samples {
                let whole = match unit {
                    Unit::PercentagePoints => capacity_of(sample, *capacity) / 100.0,
                    _ => 1.0,
                };
                sample.value = sample.value.map(|value| match from {
                    Some(from) if from > 0.0 => value * (to / from),
                    _ => to * whole,
                });
            }
        }
        Some(Reading::Missing { .. }) | None => {}
    }
}

fn counts(observation: &Observation, sample: &NodeSample) -> bool {
    let mut serving = observation.nodes.iter().filter(|node| node.readiness == Readiness::Ready);
    sample.value.is_some()
        && serving.any(|node| node.address == sample.node || node.label == sample.node)
}

fn capacity_of(sample: &NodeSample, of_all: Option<f64>) -> f64 {
    sample.capacity.or(of_all).unwrap_or(1.0)
}

#[cfg(test)]
mod tests {
    use super::super::super::fixture::{Pool, latency, name, policy, target, with_form};
    use super::*;

    #[test]
    fn changes_are_told_in_steps_as_fine_as_people_think_of_the_values() {
        let seconds = || latency("signal");
        let own = || with_form("signal", TargetForm::Value(1.0));
        let rate = || target("signal", 400.0);
        for (rule, value, end, step, because) in [
            (seconds(), 0.05, 0.099, 0.0001, "below 100 ms"),
            (seconds(), 0.05, 0.1, 0.001, "milliseconds from there on"),
            (seconds(), 0.999, 0.3, 0.001, "up to a second"),
            (seconds(), 0.05, 1.0, 0.01, "hundredths"),
            (seconds(), 0.05, 9.9, 0.01, "up to ten seconds"),
            (seconds(), 0.05, 10.0, 1.0, "and whole ones"),
            (own(), 0.5, 9.0, 0.001, "a share or the like"),
            (own(), 1.0, 8.5, 0.001, "a whole value that a fraction matters to"),
            (own(), 1.5, 8.0, 0.001, "a fraction before whole numbers"),
            (own(), 0.5, 10.0, 0.1, "tenths"),
            (own(), 0.5, 99.0, 0.1, "up to a hundred"),
            (own(), 0.5, 100.0, 1.0, "and whole ones"),
            (own(), 1.0, 8.0, 1.0, "what is counted"),
            (rate(), 0.5, 0.5, 1.0, "requests are whole"),
        ] {
            let mut policy = policy();
            policy.rules = vec![rule];
            let pool = Pool::settled(policy, 4).reads("signal", value);
            let gauge = Gauge::of(&pool.policy, &pool.look, &name("signal"), &[end]);
            let told = gauge.expect("it says something").absolute(1);
            assert_eq!(told, step, "{value} and {end}: {because}");
        }
    }
}
