//! The rules of a policy: what each looks at and wants.

use serde::Serialize;

use super::{ScheduleRule, StepRule, Tolerance};
use crate::domain::{Duration, NodeCount, Percent, RequestsPerSecond, SignalName};
use crate::forecast::{ForecastSettings, Level, Mode};

/// What one rule looks at and wants.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Rule {
    /// So many nodes that a signal comes to its target.
    Target(TargetRule),
    /// More nodes while a latency is too long; none leave until it is short.
    Latency(LatencyRule),
    /// As many nodes as a signal says.
    Count(CountRule),
    /// Always the same count.
    Fixed(FixedRule),
    /// More or fewer nodes by the band that a value is in.
    Step(StepRule),
    /// Other bounds at certain times.
    Schedule(ScheduleRule),
    /// The nodes that the largest demand until a node could serve may need.
    Forecast(ForecastRule),
    /// More nodes while a rate rises fast.
    Surge(SurgeRule),
    /// As many nodes as announced campaigns need, before they begin; it only ever raises.
    Hint(HintRule),
}

/// A target: so many nodes that a signal comes to what it should be.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct TargetRule {
    /// What is measured; the form says in which unit, and whether over the pool or on each node.
    pub signal: SignalName,
    /// What the signal's value is held against.
    pub form: TargetForm,
    /// Room kept free on top of the measured value; nothing beside [`TargetRule::square_root`].
    pub headroom: Percent,
    /// Room kept free on top of a total over the pool, in square roots of the nodes' worth of
    /// work that it is; above zero. Only beside [`TargetForm::PerNode`].
    pub square_root: Option<f64>,
    /// Whether this rule has a say in scaling in.
    pub scale_in: RuleScaleIn,
    /// How far the signal may stray from its target; the policy's tolerance where none.
    pub tolerance: Option<Tolerance>,
    /// For so long it wants the most that it wanted.
    #[serde(with = "humantime_serde")]
    pub hold: Duration,
    /// Rules of one group measure the same thing from several sides; none: one by itself.
    pub group: Option<String>,
}

/// As many nodes as a signal says, its fraction dropped.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct CountRule {
    /// A number of nodes.
    pub signal: SignalName,
    /// Whether this rule has a say in scaling in.
    pub scale_in: RuleScaleIn,
    /// Rules of one group measure the same thing from several sides; none: one by itself.
    pub group: Option<String>,
}

/// Always the same count.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct FixedRule {
    /// The count.
    pub count: NodeCount,
    /// Rules of one group measure the same thing from several sides; none: one by itself.
    pub group: Option<String>,
}

/// As many nodes as announced campaigns need, before they begin.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct HintRule {
    /// What campaigns come on top of, in requests per second over the pool.
    pub signal: SignalName,
    /// What one warm node carries; above zero.
    pub per_node: RequestsPerSecond,
    /// How long before they are needed nodes are asked for.
    pub lead: Lead,
    /// How much more than announced may come.
    pub margin: Percent,
}

/// What a target holds its signal's value against.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum TargetForm {
    /// The total over the pool, against what one warm node carries; above zero.
    PerNode(RequestsPerSecond),
    /// One value, against what it should be, in the signal's own unit. Zero: the value itself is
    /// the factor by which the serving nodes are multiplied.
    Value(f64),
    /// The nodes' average, against what it should be, in the signal's own unit; above zero.
    Average(f64),
    /// The nodes' use of what they have, in whole per cent; above zero.
    UtilisationPercent(u32),
}

impl TargetForm {
    /// Whether it looks at one sample of each node, and not at one value over the pool.
    pub fn reads_each_node(self) -> bool {
        match self {
            Self::PerNode(_) | Self::Value(_) => false,
            Self::Average(_) | Self::UtilisationPercent(_) => true,
        }
    }
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

/// Nodes for the largest demand until a node that is ordered now could serve. It only ever raises
/// the count.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ForecastRule {
    /// The total over the pool, in requests per second.
    pub signal: SignalName,
    /// From an order until the node serves.
    pub lead: Lead,
    /// What a short node-minute is worth, of that and an idle one together.
    pub level: Level,
    /// What one warm node carries, in requests per second; above zero.
    pub per_node: RequestsPerSecond,
    /// Whether the forecast counts.
    pub mode: Mode,
    /// For so long it wants the most that it wanted.
    #[serde(with = "humantime_serde")]
    pub hold: Duration,
}

/// Demand is looked at once more before a node that was not ordered now could be.
const REVIEW: Duration = Duration::from_secs(60);

impl ForecastRule {
    /// How to forecast, where nodes have shown to take `learned` from an order until they serve,
    /// and the signal's value is a mean over `window`.
    pub fn forecasting(&self, learned: Duration, window: Duration) -> ForecastSettings {
        let lead = match self.lead {
            Lead::Learned => learned,
            Lead::Fixed(lead) => lead,
        };
        let horizon = lead.saturating_add(REVIEW);
        ForecastSettings {
            level: self.level,
            mode: self.mode,
            window,
            ..ForecastSettings::new(horizon)
        }
    }
}

/// From an order until the node serves.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Lead {
    /// As the pool's own nodes have shown.
    Learned,
    /// So long.
    Fixed(#[serde(with = "humantime_serde")] Duration),
}

/// More nodes while a rate rises fast: it is expected to rise once more by as much. It only ever
/// raises the count.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct SurgeRule {
    /// The total over the pool, in requests per second, over a window that is short against
    /// [`SurgeRule::over`].
    pub signal: SignalName,
    /// The rise is measured against so long ago; about what a node takes to serve.
    #[serde(with = "humantime_serde")]
    pub over: Duration,
    /// A rise by no more than this is none.
    pub rise: Percent,
    /// What one warm node carries, in requests per second; above zero.
    pub per_node: RequestsPerSecond,
    /// Never for more than so much of what is measured now; at least 100 %.
    pub at_most: Percent,
    /// For so long it wants the most that it wanted.
    #[serde(with = "humantime_serde")]
    pub hold: Duration,
}

impl Rule {
    /// The word for its kind, as in a policy file.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Target(_) => "target",
            Self::Latency(_) => "latency",
            Self::Count(_) => "count",
            Self::Fixed(_) => "fixed",
            Self::Step(_) => "step",
            Self::Schedule(_) => "schedule",
            Self::Forecast(_) => "forecast",
            Self::Surge(_) => "surge",
            Self::Hint(_) => "hint",
        }
    }

    /// The signal that it looks at, where it looks at one.
    pub fn signal(&self) -> Option<&SignalName> {
        match self {
            Self::Target(rule) => Some(&rule.signal),
            Self::Latency(rule) => Some(&rule.signal),
            Self::Count(rule) => Some(&rule.signal),
            Self::Fixed(_) | Self::Schedule(_) => None,
            Self::Step(rule) => Some(&rule.signal),
            Self::Forecast(rule) => Some(&rule.signal),
            Self::Surge(rule) => Some(&rule.signal),
            Self::Hint(rule) => Some(&rule.signal),
        }
    }

    /// Whether it looks at one sample of each node, and not at one value over the pool.
    pub fn reads_each_node(&self) -> bool {
        match self {
            Self::Target(rule) => rule.form.reads_each_node(),
            Self::Latency(_) | Self::Count(_) | Self::Fixed(_) => false,
            Self::Step(_) | Self::Schedule(_) => false,
            Self::Forecast(_) | Self::Surge(_) | Self::Hint(_) => false,
        }
    }

    /// The group that it belongs to; none: it is a group of its own.
    pub fn group(&self) -> Option<&str> {
        match self {
            Self::Target(rule) => rule.group.as_deref(),
            Self::Latency(_)
            | Self::Schedule(_)
            | Self::Forecast(_)
            | Self::Surge(_)
            | Self::Hint(_) => None,
            Self::Count(rule) => rule.group.as_deref(),
            Self::Fixed(rule) => rule.group.as_deref(),
            Self::Step(rule) => rule.group.as_deref(),
        }
    }

    /// For how long it wants the most that it wanted.
    pub fn hold(&self) -> Duration {
        match self {
            Self::Target(rule) => rule.hold,
            Self::Forecast(rule) => rule.hold,
            Self::Surge(rule) => rule.hold,
            Self::Latency(_) | Self::Count(_) | Self::Fixed(_) => Duration::ZERO,
            Self::Step(_) | Self::Schedule(_) | Self::Hint(_) => Duration::ZERO,
        }
    }

    /// Its own tolerance, where it has one.
    pub fn tolerance(&self) -> Option<Tolerance> {
        match self {
            Self::Target(rule) => rule.tolerance,
            Self::Latency(_) | Self::Count(_) | Self::Fixed(_) => None,
            Self::Step(_) | Self::Schedule(_) => None,
            Self::Forecast(_) | Self::Surge(_) | Self::Hint(_) => None,
        }
    }
}
