//! Tests of policies: series of samples in, counts and reasons out, over virtual time.
//!
//! In: a text that names a policy, what its signals say over time and what the pool must come to.
//! Out: the expectations that were not met, each with its place and what came instead.
//! Never: reads a file or a clock; has a copy of any rule: it calls [`crate::engine::decide`].

mod events;
mod read;
mod run;
mod series;

use std::collections::BTreeMap;
use std::fmt;
use std::path::PathBuf;

use serde::Serialize;

use crate::domain::{Dollars, Duration, Hint, NodeCount, SignalName, Timestamp};
use crate::policy::Place;

pub use events::{Order, Ordered};
pub use read::read_suite;
pub use run::run_test;
pub use series::{Point, Series};

/// The tests of one file, all of one policy.
#[derive(Clone, Debug, PartialEq)]
pub struct Suite {
    /// The policy's file, as written: relative to the suite's own.
    pub policy: PathBuf,
    /// What a started hour of a node costs, for a policy with a budget.
    pub node_price: Option<Dollars>,
    /// The tests, at least one.
    pub tests: Vec<PolicyTest>,
}

/// One test: a pool that lives through some time.
#[derive(Clone, Debug, PartialEq)]
pub struct PolicyTest {
    /// Its name, a sentence.
    pub name: String,
    /// When it begins.
    pub starts: Timestamp,
    /// Between two points of a series.
    pub interval: Duration,
    /// Between two decisions.
    pub decides_every: Duration,
    /// Who serves.
    pub fleet: Fleet,
    /// What each signal says.
    pub signals: BTreeMap<SignalName, Series>,
    /// What coverage queries count; a signal that is not named here is whole.
    pub coverage: BTreeMap<SignalName, Series>,
    /// What operators order, in the order of time.
    pub orders: Vec<Order>,
    /// Which campaigns are announced.
    pub hints: Vec<Hint>,
    /// What forecasts say that each signal's largest rate should stay under; nothing, where a signal
    /// is not named or its series has no point.
    pub forecasts: BTreeMap<SignalName, Series>,
    /// What the pool has cost this month before the test begins.
    pub spent: Dollars,
    /// What the pool must come to, in the order of time.
    pub expect: Vec<Expectation>,
}

/// Which nodes serve over time.
#[derive(Clone, Debug, PartialEq)]
pub enum Fleet {
    /// So many at first; new ones serve some time after they were decided for, surplus ones leave
    /// at once, those on their way first.
    Follows {
        /// At first.
        serving: NodeCount,
        /// From the decision until a node serves.
        ready_after: Duration,
    },
    /// As many as a series says, whatever is decided.
    Given(Series),
}

/// What the decision in force at some time must be. What is not said is not checked.
#[derive(Clone, Debug, PartialEq)]
pub struct Expectation {
    /// How long after the beginning.
    pub at: Duration,
    /// Where it is written.
    pub place: Place,
    /// The count.
    pub count: Option<u32>,
    /// The binding reason, by name.
    pub reason: Option<String>,
    /// Reasons that must be among the decision's, by name.
    pub reasons: Vec<String>,
    /// Texts that the explanation must hold.
    pub explains: Vec<String>,
}

/// An expectation that was not met.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Unmet {
    /// The test.
    pub test: String,
    /// Where the expectation is written.
    #[serde(flatten)]
    pub place: Place,
    /// How long after the beginning, as people write it.
    pub at: String,
    /// What was expected and what came, each difference for itself.
    pub differences: Vec<Unlike>,
    /// The whole explanation of the decision.
    pub explanation: String,
}

/// What was expected, and what came.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Unlike {
    /// What it is about: `count`, `reason`, `reasons` or `explains`.
    pub key: &'static str,
    /// What was expected.
    pub expected: String,
    /// What came.
    pub got: String,
}

impl fmt::Display for Unmet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}, at {}", self.test, self.at)?;
        for Unlike { key, expected, got } in &self.differences {
            writeln!(f, "  - {key}: {expected}\n  + {key}: {got}")?;
        }
        for line in self.explanation.lines() {
            writeln!(f, "    {line}")?;
        }
        Ok(())
    }
}
