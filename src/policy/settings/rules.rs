//! The rules of a policy: what each looks at and wants.

use serde::Serialize;

use crate::domain::{Duration, Percent, RequestsPerSecond, SignalName};

/// What one rule looks at and wants.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Rule {
    /// So many nodes that each carries at most its share of a rate.
    Target(TargetRule),
    /// More nodes while a latency is too long; none leave until it is short.
    Latency(LatencyRule),
}

/// A target on a rate: `ceil(load × (1 + headroom) / per_node)` nodes.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct TargetRule {
    /// The rate over the whole pool, in requests per second.
    pub signal: SignalName,
    /// What the signal's value is held against.
    pub form: TargetForm,
    /// Room kept free on top of the measured load.
    pub headroom: Percent,
    /// Whether this rule has a say in scaling in.
    pub scale_in: RuleScaleIn,
}

/// What a target holds its signal's value against.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum TargetForm {
    /// The total over the pool, against what one warm node carries; above zero.
    PerNode(RequestsPerSecond),
}

/// Whether a rule has a say in scaling in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum RuleScaleIn {
    /// Its recommendation counts both ways.
    Allowed,
    /// It only ever raises the count: below it, it keeps the nodes that it needs, and leaves it
    /// to other rules whether any node leaves.
    Never,
}

/// A guard on a latency.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct LatencyRule {
    /// The latency, in seconds.
    pub signal: SignalName,
    /// Longer than this for [`LatencyRule::for_at_least`] adds nodes.
    #[serde(with = "humantime_serde")]
    pub objective: Duration,
    /// From here up to the objective no node may leave; at most the objective.
    #[serde(with = "humantime_serde")]
    pub clear_below: Duration,
    /// How long the latency must stay over the objective without a break.
    #[serde(with = "humantime_serde")]
    pub for_at_least: Duration,
    /// How many nodes are added, as a share of the serving ones; at least one node.
    pub step: Percent,
}
