//! What deciding came to, with everything that led there.

use serde::{Deserialize, Serialize};

use super::{History, Reason, RuleKey};
use crate::domain::{NodeCount, Timestamp};

/// One decision of one pool.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Decision {
    /// The moment of the observation.
    pub at: Timestamp,
    /// The count before: what the last decision came to, or what was found at the first.
    pub from: NodeCount,
    /// The count that the pool shall have.
    pub to: NodeCount,
    /// What each rule wanted, in the policy's order.
    pub recommendations: Vec<Recommendation>,
    /// The count before and after each guard, in their order.
    pub stages: Vec<Stage>,
    /// Why `to` is what it is: never empty. The first one is what binds.
    pub reasons: Vec<Reason>,
    /// What the next decision must remember.
    pub history: History,
}

/// Which way a decision goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Direction {
    /// More nodes.
    Out,
    /// Fewer nodes.
    In,
    /// As many.
    Hold,
}

/// What one rule wanted.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Recommendation {
    /// The rule's key: its kind and signal, such as `target:requests`.
    #[schema(value_type = String)]
    pub rule: RuleKey,
    /// What it wanted.
    pub opinion: Opinion,
}

/// What a rule wants. "No opinion" is not "stay".
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(tag = "opinion", rename_all = "snake_case")]
pub enum Opinion {
    /// It has nothing to say: the others decide.
    None {
        /// Why not.
        because: Reason,
    },
    /// It can't speak, though it should: nobody may leave.
    Blind {
        /// Why not.
        because: Reason,
    },
    /// It wants no fewer than a count that is not above the present one, and leaves it to others
    /// whether any node leaves.
    AtLeast {
        /// The count.
        count: NodeCount,
        /// The count before rounding up, for tolerance.
        exact: f64,
        /// Why that count.
        because: Reason,
    },
    /// It wants a count.
    Wants {
        /// The count.
        count: NodeCount,
        /// The count before rounding up, for tolerance; the same number where nothing was
        /// rounded.
        exact: f64,
        /// Why that count.
        because: Reason,
    },
}

/// One guard's effect.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Stage {
    /// The guard.
    pub guard: Guard,
    /// The count that it was given.
    pub before: NodeCount,
    /// The count that it passed on.
    pub after: NodeCount,
    /// Why they differ; none where they don't.
    pub reason: Option<Reason>,
}

/// The guards, in the order in which they stand.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Guard {
    /// Bad data lowers nothing; a blind pool goes to its default.
    Freshness,
    /// No node leaves whom the survivors would call back at once.
    Flap,
    /// Small deviations change nothing.
    Tolerance,
    /// Short dips and peaks change nothing.
    Stabilization,
    /// Rules whose scale-outs help nothing add no more.
    Effectiveness,
    /// The count moves only so fast.
    Pace,
    /// The count rests after a change.
    Cooldown,
    /// What an operator ordered.
    Overrides,
    /// What the pool may cost.
    Budget,
    /// The smallest and largest count.
    Bounds,
}

impl Decision {
    /// Which way it goes.
    pub fn direction(&self) -> Direction {
        match self.to.cmp(&self.from) {
            std::cmp::Ordering::Greater => Direction::Out,
            std::cmp::Ordering::Less => Direction::In,
            std::cmp::Ordering::Equal => Direction::Hold,
        }
    }
}

impl Direction {
    /// The word in tables, metrics, logs and the API.
    pub fn name(self) -> &'static str {
        match self {
            Self::Out => "out",
            Self::In => "in",
            Self::Hold => "hold",
        }
    }
}
