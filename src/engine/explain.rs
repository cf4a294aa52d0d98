//! Explains a decision: what was seen, what each rule and guard made of it, what binds, and how
//! far it is to the next change.
//!
//! In: a decision, the observation and the policy that it came from.
//! Out: one type for people (`Display`) and programs (JSON).
//! Never: computes a distance by itself: each is found by asking [`decide`](super::decide).

pub(super) mod ahead;
mod distance;
mod limits;
mod search;
mod shift;
mod why_not;

use std::fmt;

use serde::Serialize;

pub use distance::{Distance, Limit};
pub use shift::{Shift, ShiftWay};
pub use why_not::WhyNot;

use super::text::{Latency, Length, Number, Plain, TimeOfDay};
use super::{Decision, Direction, Guard, Observation, Opinion, Order, Reason, Stage};
use crate::domain::{FleetCounts, NodeCount, PoolName, Reading, SignalName, Timestamp, elapsed};
use crate::policy::{Policy, Rule, TargetForm};

/// Why a pool has the count that it has, and what would change it.
#[derive(Clone, Debug, PartialEq, Serialize, utoipa::ToSchema)]
pub struct Explanation {
    /// The pool.
    pub pool: PoolName,
    /// The moment of the decision.
    pub at: Timestamp,
    /// The count before.
    pub from: NodeCount,
    /// The count that the pool shall have.
    pub to: NodeCount,
    /// The pool's nodes, counted.
    pub fleet: FleetCounts,
    /// What operators have ordered.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schema(required = false)]
    pub orders: Vec<Order>,
    /// What was measured.
    pub inputs: Vec<Input>,
    /// What each rule wanted.
    pub rules: Vec<ExplainedRule>,
    /// What each guard did.
    pub stages: Vec<Stage>,
    /// Why the count is what it is; the first one is what binds. Never empty.
    pub reasons: Vec<Reason>,
    /// The same as sentences.
    pub because: Vec<String>,
    /// What would change the count next.
    pub distances: Vec<Distance>,
}

/// One signal as it was seen.
#[derive(Clone, Debug, PartialEq, Serialize, utoipa::ToSchema)]
pub struct Input {
    /// The signal.
    pub signal: SignalName,
    /// What its value counts, as the first rule that looks at it has it.
    pub unit: Unit,
    /// Its reading.
    pub reading: Reading,
    /// Its sample's age in whole seconds, where there is a sample; of several, the oldest one's.
    pub age_seconds: Option<u64>,
}

/// What a signal's value counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Unit {
    /// Requests per second.
    RequestsPerSecond,
    /// Seconds.
    Seconds,
    /// Nodes.
    Nodes,
    /// Hundredths of what nodes have.
    PercentagePoints,
    /// What only the operator knows.
    Own,
    /// No rule looks at it.
    Unknown,
}

/// What one rule wanted.
#[derive(Clone, Debug, PartialEq, Serialize, utoipa::ToSchema)]
pub struct ExplainedRule {
    /// The rule's key.
    pub rule: String,
    /// What it wanted.
    pub opinion: Opinion,
    /// Why, as a sentence.
    pub because: String,
}

/// Explains a decision that `policy` came to on `observation`.
pub fn explain(decision: &Decision, observation: &Observation, policy: &Policy) -> Explanation {
    let inputs = observation.readings.iter().map(|(signal, reading)| Input {
        signal: signal.clone(),
        unit: unit(policy, signal),
        reading: reading.clone(),
        age_seconds: oldest(reading).map(|at| elapsed(at, observation.at).as_secs()),
    });
    let rules = decision.recommendations.iter().map(|recommendation| ExplainedRule {
        rule: recommendation.rule.to_string(),
        opinion: recommendation.opinion.clone(),
        because: recommendation.opinion.because().to_string(),
    });
    Explanation {
        pool: policy.pool.clone(),
        at: decision.at,
        from: decision.from,
        to: decision.to,
        fleet: observation.fleet,
        orders: observation.overrides.orders.clone(),
        inputs: inputs.collect(),
        rules: rules.collect(),
        stages: decision.stages.clone(),
        reasons: decision.reasons.clone(),
        because: decision.reasons.iter().map(Reason::to_string).collect(),
        distances: search::distances(decision, observation, policy),
    }
}

/// The moment of the oldest usable sample.
fn oldest(reading: &Reading) -> Option<Timestamp> {
    match reading {
        Reading::Fresh { sample } | Reading::Partial { sample, .. } => Some(sample.at),
        Reading::PerNode { samples, .. } => {
            samples.iter().filter(|sample| sample.value.is_some()).map(|sample| sample.at).min()
        }
        Reading::Missing { .. } => None,
    }
}

fn unit(policy: &Policy, signal: &SignalName) -> Unit {
    match policy.rules.iter().find(|rule| rule.signal() == Some(signal)) {
        Some(Rule::Target(target)) => match target.form {
            TargetForm::PerNode(_) => Unit::RequestsPerSecond,
            TargetForm::Value(_) | TargetForm::Average(_) | TargetForm::UtilisationPercent(_) => {
                Unit::Own
            }
        },
        Some(Rule::Forecast(_) | Rule::Surge(_) | Rule::Hint(_)) => Unit::RequestsPerSecond,
        Some(Rule::Latency(_)) => Unit::Seconds,
        Some(Rule::Count(_)) => Unit::Nodes,
        Some(Rule::Step(_)) => Unit::Own,
        Some(Rule::Fixed(_) | Rule::Schedule(_)) | None => Unit::Unknown,
    }
}

impl fmt::Display for Explanation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let date = self.at.strftime("%Y-%m-%d");
        write!(f, "{} at {date} {}: ", self.pool, TimeOfDay(self.at))?;
        match self.from == self.to {
            true => writeln!(f, "stays at {}", self.to)?,
            false => writeln!(f, "goes from {} to {}", self.from.0, self.to)?,
        }
        for (place, because) in self.because.iter().enumerate() {
            writeln!(f, "  {} {because}", if place == 0 { "because" } else { "    and" })?;
        }
        for order in &self.orders {
            writeln!(f, "  ordered {order}")?;
        }
        let FleetCounts { serving, on_the_way, standby, leaving } = self.fleet;
        writeln!(
            f,
            "nodes\n  {} serving, {} on the way, {} standby, {} leaving",
            serving.0, on_the_way.0, standby.0, leaving.0
        )?;
        writeln!(f, "signals")?;
        for input in &self.inputs {
            writeln!(f, "  {input}")?;
        }
        writeln!(f, "rules")?;
        for rule in &self.rules {
            writeln!(f, "  {rule}")?;
        }
        writeln!(f, "guards")?;
        for stage in &self.stages {
            writeln!(f, "  {stage}")?;
        }
        writeln!(f, "next")?;
        for distance in &self.distances {
            writeln!(f, "  {distance}")?;
        }
        Ok(())
    }
}

impl fmt::Display for Input {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (signal, unit) = (&self.signal, self.unit);
        let age = Length(self.age_seconds.unwrap_or(0));
        match &self.reading {
            Reading::Fresh { sample } => {
                write!(f, "{signal} {}, {age} old", Measured(sample.value, unit))
            }
            Reading::Partial { sample, seen, wanted } => {
                let value = Measured(sample.value, unit);
                write!(f, "{signal} {value}, {age} old, from only {seen} of {wanted} sources")
            }
            Reading::PerNode { samples, .. } => {
                let values: Vec<_> = samples.iter().filter_map(|sample| sample.value).collect();
                let average = values.iter().sum::<f64>() / (values.len() as f64).max(1.0);
                let nodes = NodeCount(values.len() as u32);
                write!(f, "{signal} {} on average on {nodes}, {age} old", Measured(average, unit))
            }
            Reading::Missing { why } => write!(f, "{signal} {why}"),
        }
    }
}

impl fmt::Display for ExplainedRule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { rule, opinion, because } = self;
        match opinion {
            Opinion::None { .. } => write!(f, "{rule} has no opinion: {because}"),
            Opinion::Blind { .. } => write!(f, "{rule} is blind: {because}"),
            Opinion::AtLeast { count, .. } => {
                write!(f, "{rule} wants at least {count}: {because}")
            }
            Opinion::Wants { count, .. } => write!(f, "{rule} wants {count}: {because}"),
        }
    }
}

impl fmt::Display for Stage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let guard = self.guard.name();
        match &self.reason {
            None => write!(f, "{guard} {}", self.after.0),
            Some(reason) => write!(f, "{guard} {} → {}: {reason}", self.before.0, self.after.0),
        }
    }
}

impl Guard {
    /// The word for it in explanations, metrics and JSON.
    pub fn name(self) -> &'static str {
        match self {
            Self::Freshness => "freshness",
            Self::Flap => "flap",
            Self::Tolerance => "tolerance",
            Self::Stabilization => "stabilization",
            Self::Effectiveness => "effectiveness",
            Self::Pace => "pace",
            Self::Cooldown => "cooldown",
            Self::Overrides => "overrides",
            Self::Budget => "budget",
            Self::Bounds => "bounds",
        }
    }
}

/// A value with its unit.
struct Measured(f64, Unit);

impl fmt::Display for Measured {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.1 {
            Unit::RequestsPerSecond => write!(f, "{} req/s", Number(self.0)),
            Unit::Seconds => Latency(self.0).fmt(f),
            Unit::Nodes => write!(f, "{} nodes", Plain(self.0)),
            Unit::PercentagePoints => write!(f, "{} %", Plain(self.0)),
            Unit::Own => Plain(self.0).fmt(f),
            Unit::Unknown => self.0.fmt(f),
        }
    }
}
