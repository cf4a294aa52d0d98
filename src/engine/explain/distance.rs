//! How far it is to the next change, in words and for programs.
//!
//! In: what the search found.
//! Out: one sentence each.
//! Never: computes one.

use std::fmt;

use serde::Serialize;

use super::super::text::{Length, Listed, TimeOfDay};
use super::super::{Direction, Guard, Reason};
use super::{Measured, Shift, Unit};
use crate::domain::{NodeCount, SignalName, Timestamp};

/// What would change the count next. Fleet and all else is taken to stay as it is.
#[derive(Clone, Debug, PartialEq, Serialize, utoipa::ToSchema)]
#[serde(tag = "distance", rename_all = "snake_case")]
pub enum Distance {
    /// The count changes by itself.
    ByTime {
        /// Which way.
        direction: Direction,
        /// The count then.
        to: NodeCount,
        /// When.
        at: Timestamp,
        /// In how many seconds, rounded up.
        in_seconds: u64,
        /// The window or campaign that brings it.
        because: Option<Reason>,
        /// The guard that holds the count until then.
        held_by: Option<Guard>,
        /// What signals must keep for that.
        while_below: Vec<Limit>,
        /// Sooner once so many nodes serve: a scale-out still awaits its capacity.
        sooner_once_serving: Option<NodeCount>,
    },
    /// A signal that changes adds nodes.
    Adds {
        /// How it must change; a step less would not do.
        shift: Shift,
        /// The rule that wants the most then, by its key.
        rule: Option<String>,
        /// How long it must last, in seconds; zero for at once.
        for_seconds: u64,
        /// How many samples must say so, where that is all that is waited for.
        samples: Option<u32>,
        /// The guard that holds the count until then.
        held_by: Option<Guard>,
        /// By how many nodes.
        nodes: NodeCount,
        /// The count then.
        to: NodeCount,
    },
    /// Signals that change let nodes leave: all of them must.
    LetsLeave {
        /// How they must change; a step less of any would not do.
        shifts: Vec<Shift>,
        /// How long it must last, in seconds; zero for at once.
        for_seconds: u64,
        /// How many samples must say so, where that is all that is waited for.
        samples: Option<u32>,
        /// The guard that holds the count until then.
        held_by: Option<Guard>,
        /// Less long once so many nodes serve: a scale-out still awaits its capacity.
        sooner_once_serving: Option<NodeCount>,
        /// By how many nodes.
        nodes: NodeCount,
        /// The count then.
        to: NodeCount,
    },
    /// The count is as high as it may be.
    AtMax {
        /// The largest count.
        max: NodeCount,
    },
    /// The count is as low as it may be.
    AtMin {
        /// The smallest count.
        min: NodeCount,
    },
    /// An operator holds the count.
    Held,
    /// No node leaves: the policy disables scale-in.
    ScaleInDisabled,
    /// No node leaves before an operator's order ends.
    ScaleInHeld,
    /// No node leaves before these signals can be read in full.
    NeedsReadings {
        /// The signals.
        signals: Vec<SignalName>,
    },
    /// A guard keeps the count whatever signals say and however long it takes.
    KeptByGuard {
        /// The way that it does not go.
        direction: Direction,
        /// The guard.
        guard: Guard,
        /// Why it would hold the count if rules wanted another one.
        because: Reason,
    },
    /// No node leaves while these rules want the count that there is; no signal would do.
    KeptByRules {
        /// The rules, by their keys; none where no rule has a say in scaling in.
        rules: Vec<String>,
    },
}

/// What a signal must keep: its value, or its average over the nodes that speak.
#[derive(Clone, Debug, PartialEq, Serialize, utoipa::ToSchema)]
pub struct Limit {
    /// The signal.
    pub signal: SignalName,
    /// The unit.
    pub unit: Unit,
    /// It must be as much, in its unit.
    pub at_least: Option<f64>,
    /// It must be less, in its unit.
    pub below: f64,
}

impl fmt::Display for Distance {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::ByTime {
                direction,
                to,
                at,
                in_seconds,
                because,
                held_by,
                while_below,
                sooner_once_serving,
            } => {
                let change = match direction {
                    Direction::In => "scale-in",
                    Direction::Out | Direction::Hold => "scale-out",
                };
                write!(f, "{change} to {to} in {}, at {}", Length(*in_seconds), TimeOfDay(*at))?;
                if let Some(serving) = sooner_once_serving {
                    write!(f, ", or sooner once {} serve", serving.0)?;
                }
                match while_below.is_empty() {
                    true => write!(f, ", if nothing else changes")?,
                    false => write!(f, ", if {}", Listed(while_below))?,
                }
                match because {
                    Some(because) => write!(f, ": {because}"),
                    None => write!(f, "{}", By(None, *held_by)),
                }
            }
            Self::Adds { shift, rule, for_seconds, samples, held_by, nodes, to } => write!(
                f,
                "{shift}{} adds {nodes}, to {}{}",
                Lasting(*for_seconds, *samples),
                to.0,
                By(rule.as_deref(), *held_by)
            ),
            Self::LetsLeave {
                shifts,
                for_seconds,
                samples,
                held_by,
                sooner_once_serving,
                nodes,
                to,
            } => {
                write!(f, "{}{}", Listed(shifts), Lasting(*for_seconds, *samples))?;
                if let Some(serving) = sooner_once_serving {
                    write!(f, ", or less once {} serve,", serving.0)?;
                }
                let let_leave = if shifts.len() == 1 { "lets" } else { "let" };
                write!(f, " {let_leave} {nodes} leave, to {}{}", to.0, By(None, *held_by))
            }
            Self::AtMax { max } => write!(f, "no more than {max}, the largest count"),
            Self::AtMin { min } => write!(f, "no fewer than {min}, the smallest count"),
            Self::Held => write!(f, "nothing changes the count before the hold is lifted"),
            Self::ScaleInDisabled => write!(f, "no node leaves: the policy disables scale-in"),
            Self::ScaleInHeld => write!(f, "no node leaves before the operator's order ends"),
            Self::NeedsReadings { signals } => {
                write!(f, "no node leaves before {} can be read in full", Listed(signals))
            }
            Self::KeptByGuard { direction, guard, because } => {
                let change = match direction {
                    Direction::In => "no node leaves",
                    Direction::Out | Direction::Hold => "no node is added",
                };
                write!(f, "{change} while {} holds the count: {because}", guard.name())
            }
            Self::KeptByRules { rules } if rules.is_empty() => {
                write!(f, "no node leaves: no rule has a say in scaling in")
            }
            Self::KeptByRules { rules } => {
                write!(f, "no node leaves before fewer are enough for {}", Listed(rules))
            }
        }
    }
}

impl fmt::Display for Limit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { signal, unit, at_least, below } = self;
        let below = Measured(*below, *unit);
        match at_least {
            Some(from) => {
                write!(f, "{signal} stays from {} to below {below}", Measured(*from, *unit))
            }
            None => write!(f, "{signal} stays under {below}"),
        }
    }
}

/// " for 30 s" or " for 3 samples", and nothing for no time at all.
struct Lasting(u64, Option<u32>);

impl fmt::Display for Lasting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self(_, Some(samples)) => write!(f, " for {samples} samples"),
            Self(0, None) => Ok(()),
            Self(seconds, None) => write!(f, " for {}", Length(seconds)),
        }
    }
}

/// " (target:requests; stabilization holds it until then)".
struct By<'a>(Option<&'a str>, Option<Guard>);

impl fmt::Display for By<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.0, self.1.map(Guard::name)) {
            (None, None) => Ok(()),
            (Some(rule), None) => write!(f, " ({rule})"),
            (None, Some(guard)) => write!(f, " ({guard} holds it until then)"),
            (Some(rule), Some(guard)) => write!(f, " ({rule}; {guard} holds it until then)"),
        }
    }
}
