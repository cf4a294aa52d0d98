//! Why a number is what it is: one enum feeds the sentence, the JSON, the metric label and the
//! tests, so they can't disagree.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::domain::{Missing, NodeCount, SignalName};

/// Why a rule wants a count, or why a guard changed it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "reason", rename_all = "snake_case")]
pub enum Reason {
    /// A rate over the pool needs so many nodes.
    LoadNeeds {
        /// The signal.
        signal: SignalName,
        /// Its value, in requests per second.
        load: f64,
        /// What one node carries, in requests per second.
        per_node: f64,
        /// Room kept free, in percent of the load.
        headroom_percent: f64,
        /// What that comes to.
        needed: NodeCount,
    },
    /// A signal can't be used.
    SignalMissing {
        /// The signal.
        signal: SignalName,
        /// What is wrong with it.
        missing: Missing,
    },
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::LoadNeeds { signal, load, per_node, headroom_percent, needed } => write!(
                f,
                "{signal} is {load:.0} req/s; at {per_node:.0} req/s a node and \
                 {headroom_percent:.0} % headroom that needs {needed}"
            ),
            Self::SignalMissing { signal, missing } => write!(f, "{signal} {missing}"),
        }
    }
}
