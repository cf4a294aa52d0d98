//! How far it is to the next change, in words and for programs.
//!
//! In: what the search found.
//! Out: one sentence each.
//! Never: computes one.

use std::fmt;

use serde::Serialize;

use super::super::Direction;
use super::super::text::{Length, Listed, Number, TimeOfDay};
use crate::domain::{NodeCount, SignalName, Timestamp};

/// What would change the count next. Fleet and all else is taken to stay as it is.
#[derive(Clone, Debug, PartialEq, Serialize)]
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
        /// Loads that each signal must stay under for that, in requests per second.
        while_below: Vec<LoadLimit>,
        /// Sooner once so many nodes serve: a scale-out still awaits its capacity.
        sooner_once_serving: Option<NodeCount>,
    },
    /// More load adds nodes.
    MoreLoad {
        /// The signal.
        signal: SignalName,
        /// How much more, in requests per second.
        more: f64,
        /// How long it must last, in seconds; zero for at once.
        for_seconds: u64,
        /// By how many nodes.
        nodes: NodeCount,
        /// The count then.
        to: NodeCount,
    },
    /// Less load lets nodes leave: all of these signals must fall.
    LessLoad {
        /// The signals that must fall, and by how much.
        falls: Vec<LoadFall>,
        /// How long it must last, in seconds; zero for at once.
        for_seconds: u64,
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
    /// No node leaves while these rules want the count that there is; less load would not do.
    KeptByRules {
        /// The rules, by their keys; none where no rule has a say in scaling in.
        rules: Vec<String>,
    },
}

/// A load that a signal must stay under.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct LoadLimit {
    /// The signal.
    pub signal: SignalName,
    /// The load, in requests per second.
    pub load: f64,
}

/// How far a load must fall.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct LoadFall {
    /// The signal.
    pub signal: SignalName,
    /// How much less, in requests per second.
    pub less: f64,
}

impl fmt::Display for Distance {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::ByTime { direction, to, at, in_seconds, while_below, sooner_once_serving } => {
                let change = match direction {
                    Direction::In => "scale-in",
                    Direction::Out | Direction::Hold => "scale-out",
                };
                write!(f, "{change} to {to} in {}, at {}", Length(*in_seconds), TimeOfDay(*at))?;
                if let Some(serving) = sooner_once_serving {
                    write!(f, ", or sooner once {} serve", serving.0)?;
                }
                match while_below.is_empty() {
                    true => write!(f, ", if nothing else changes"),
                    false => write!(f, ", if {}", Listed(while_below)),
                }
            }
            Self::MoreLoad { signal, more, for_seconds, nodes, to } => write!(
                f,
                "{} more req/s on {signal}{} adds {nodes}, to {}",
                Number(*more),
                Lasting(*for_seconds),
                to.0
            ),
            Self::LessLoad { falls, for_seconds, sooner_once_serving, nodes, to } => {
                write!(f, "{}{}", Listed(falls), Lasting(*for_seconds))?;
                if let Some(serving) = sooner_once_serving {
                    write!(f, ", or less once {} serve,", serving.0)?;
                }
                write!(f, " lets {nodes} leave, to {}", to.0)
            }
            Self::AtMax { max } => write!(f, "no more than {max}, the largest count"),
            Self::AtMin { min } => write!(f, "no fewer than {min}, the smallest count"),
            Self::Held => write!(f, "nothing changes the count before the hold is lifted"),
            Self::ScaleInDisabled => write!(f, "no node leaves: the policy disables scale-in"),
            Self::ScaleInHeld => write!(f, "no node leaves before the operator's order ends"),
            Self::NeedsReadings { signals } => {
                write!(f, "no node leaves before {} can be read in full", Listed(signals))
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

impl fmt::Display for LoadLimit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} stays under {} req/s", self.signal, Number(self.load))
    }
}

impl fmt::Display for LoadFall {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} fewer req/s on {}", Number(self.less), self.signal)
    }
}

/// " for 30 s", and nothing for no time at all.
struct Lasting(u64);

impl fmt::Display for Lasting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            0 => Ok(()),
            seconds => write!(f, " for {}", Length(seconds)),
        }
    }
}
