//! A step rule: what is added or removed while a value is inside a band.

use serde::Serialize;

use crate::domain::{Duration, NodeCount, Percent, SignalName};

/// Steps by the band that a value is in.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct StepRule {
    /// The value that the bands are about, in its own unit.
    pub signal: SignalName,
    /// The bands; at least one. Where several speak at once, the largest count wins.
    pub bands: Vec<Band>,
    /// How many samples must be inside a band.
    pub samples: Samples,
    /// How a percentage becomes whole nodes.
    pub rounding: StepRounding,
    /// Rules of one group measure the same thing from several sides; none: one by itself.
    pub group: Option<String>,
}

/// A range of values and what it does to the count. It holds at least one value that a signal can
/// have.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Band {
    /// The smallest value inside; none for no lower end.
    pub from: Option<f64>,
    /// The smallest value above it, not inside any more; none for no upper end.
    pub below: Option<f64>,
    /// How long it must hold without a break.
    #[serde(with = "humantime_serde")]
    pub for_at_least: Duration,
    /// What it does.
    pub action: BandAction,
}

/// What a band does to the count.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum BandAction {
    /// So many nodes more; zero keeps the count.
    Add(u32),
    /// So many nodes fewer; above zero.
    Remove(u32),
    /// A share more; above zero.
    AddPercent(Percent),
    /// A share less; above zero, at most 100.
    RemovePercent(Percent),
    /// This many nodes.
    Set(NodeCount),
}

/// At least `within` of the last `of` samples; `1 <= within <= of`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Samples {
    /// How many must be inside a band.
    pub within: u32,
    /// How many are looked at.
    pub of: u32,
}

/// How a percentage becomes whole nodes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum StepRounding {
    /// The new count is rounded up, whichever way it goes.
    Nomad,
    /// The change is rounded towards zero, but is at least one node.
    Aws,
}

impl StepRule {
    /// Whether it can ever lower the count.
    pub fn lowers(&self) -> bool {
        let sets = |band: &Band| matches!(band.action, BandAction::Set(_));
        self.removes() || self.bands.iter().any(sets)
    }

    /// Whether it can ask for fewer nodes by itself, and so has a say in scaling in.
    pub fn removes(&self) -> bool {
        self.bands.iter().any(|band| match band.action {
            BandAction::Remove(_) | BandAction::RemovePercent(_) => true,
            BandAction::Add(_) | BandAction::AddPercent(_) | BandAction::Set(_) => false,
        })
    }
}

impl Band {
    /// Whether a value is inside. Source: Nomad's threshold plugin (`withinBounds`).
    pub fn holds(&self, value: f64) -> bool {
        self.from.is_none_or(|from| from <= value) && self.below.is_none_or(|below| value < below)
    }

    /// Whether some value is inside of both.
    pub fn overlaps(&self, other: &Self) -> bool {
        let begins_before_end = |one: &Self, two: &Self| match (one.from, two.below) {
            (Some(from), Some(below)) => from < below,
            (None, _) | (_, None) => true,
        };
        begins_before_end(self, other) && begins_before_end(other, self)
    }
}
