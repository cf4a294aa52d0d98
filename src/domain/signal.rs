//! What a signal says, or why it says nothing.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::Timestamp;

/// One point of a signal: a finite value and the moment that it speaks of.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Sample {
    /// When the value was true, by the source's clock.
    pub at: Timestamp,
    /// The value, in the signal's own unit; always finite.
    pub value: f64,
}

/// One node's point of a signal that has a series for each node.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct NodeSample {
    /// The node: its address on the VLAN, or its instance's label.
    pub node: String,
    /// When the value was true, by the source's clock.
    pub at: Timestamp,
    /// The value, in the signal's own unit; none where the node's series says nothing usable (it
    /// is stale, below zero or no finite number).
    pub value: Option<f64>,
    /// What this node has, in the signal's own unit, where that is known of it alone.
    #[serde(default)]
    pub capacity: Option<f64>,
}

/// What one look at a signal brought: its value, or why there is none.
///
/// *Unknown is never zero*: only [`Reading::Fresh`] may ever lower a count, and the samples of a
/// [`Reading::PerNode`] only where they would with every silent node under full load.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(tag = "quality", rename_all = "snake_case")]
pub enum Reading {
    /// One series, one finite value, young enough, and from every node that should speak.
    Fresh {
        /// The value and its moment.
        sample: Sample,
    },
    /// A good value, but fewer nodes speak in it than should: it may raise the count, not
    /// lower it.
    Partial {
        /// The value and its moment.
        sample: Sample,
        /// How many sources the coverage query counted.
        seen: u32,
        /// How many it should have counted.
        wanted: u32,
    },
    /// A value of each node that speaks, at least one.
    PerNode {
        /// One of each node at most, in no order.
        samples: Vec<NodeSample>,
        /// What a node has, in the signal's own unit, where its sample does not say; none: 1.
        #[serde(default)]
        capacity: Option<f64>,
    },
    /// No usable value.
    Missing {
        /// Why there is none.
        why: Missing,
    },
}

/// Why a signal has no usable value.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(tag = "why", rename_all = "snake_case")]
pub enum Missing {
    /// The query worked and matched no series.
    Empty,
    /// The newest sample is older than the signal's limit.
    Stale {
        /// The newest sample's age, in seconds.
        age_seconds: u64,
        /// The oldest age that the policy accepts, in seconds.
        limit_seconds: u64,
    },
    /// The value is NaN or infinite.
    NotANumber,
    /// The value is below zero, and rates and latencies never are.
    Negative {
        /// The value.
        value: f64,
    },
    /// The query matched several series, so no single value is meant.
    ManySeries {
        /// How many.
        count: u32,
        /// The label sets of the first few, as `{a="b"}`.
        labels: Vec<String>,
    },
    /// There is a series of each node, and none of a node that serves.
    NoServingNode,
    /// Two series are one node's, so no single value is meant.
    TwiceOneNode {
        /// The node.
        node: String,
    },
    /// The signal has a value of each node where one over the pool is needed, or the reverse.
    AnotherKind,
    /// Balancers have not been looked at for as long as the value is taken over.
    CountedTooShortly {
        /// For how long, in seconds.
        seconds: u64,
        /// For how long it would have to be, in seconds.
        needed_seconds: u64,
    },
    /// The query failed, or its answer was incomplete (a warning counts as failure).
    QueryFailed {
        /// What the source said, without addresses or secrets.
        message: String,
    },
}

impl Reading {
    /// The one sample, where there is a usable one, be it from all nodes or only some.
    pub fn sample(&self) -> Option<Sample> {
        match self {
            Self::Fresh { sample } | Self::Partial { sample, .. } => Some(*sample),
            Self::PerNode { .. } | Self::Missing { .. } => None,
        }
    }

    /// Whether this reading is good enough to take capacity away.
    pub fn may_lower(&self) -> bool {
        matches!(self, Self::Fresh { .. } | Self::PerNode { .. })
    }
}

impl fmt::Display for Missing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Empty => write!(f, "matched no series"),
            Self::Stale { age_seconds, limit_seconds } => {
                write!(f, "is {age_seconds} s old, over its limit of {limit_seconds} s")
            }
            Self::NotANumber => write!(f, "is not a finite number"),
            Self::Negative { value } => write!(f, "is {value}, below zero"),
            Self::ManySeries { count, labels } => {
                write!(f, "matched {count} series instead of one: {}", labels.join(", "))
            }
            Self::NoServingNode => write!(f, "has no value of any node that serves"),
            Self::TwiceOneNode { node } => write!(f, "has two series of node {node}"),
            Self::AnotherKind => {
                write!(
                    f,
                    "has one value of each node where one of the pool is needed, or the reverse"
                )
            }
            Self::CountedTooShortly { seconds, needed_seconds } => {
                write!(
                    f,
                    "has been counted for {seconds} s of the {needed_seconds} s that it needs"
                )
            }
            Self::QueryFailed { message } => write!(f, "could not be read: {message}"),
        }
    }
}
