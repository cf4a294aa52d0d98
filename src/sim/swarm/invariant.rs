//! What must always be so, as far as a simulation can see it.

use std::fmt;

use serde::Serialize;

use crate::domain::Timestamp;

/// One thing that must always be so; the numbers are those of the table in ARCHITECTURE.md.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Invariant {
    /// Never more instances than `max`, failed and in-flight ones counted (14).
    AtMostMax,
    /// No serving node is deleted, and no request cut off, before it drained or its deadline
    /// passed (6).
    DrainedFirst,
    /// Missing data never shrinks a pool (7).
    MissingNeverLowers,
    /// Every change of the number has a reason, and no number changes between decisions (8).
    EveryChangeHasAReason,
    /// A decision made again on what was stored comes out the same (1, 12).
    DecidesTheSame,
    /// Every instance of ours has a node's row that was written before (3, 4).
    WrittenFirst,
    /// A node that is over has no instance (4).
    GoneBeforeOver,
    /// A node enters a state from the one that it was in (4).
    NoGapInALife,
    /// No instance is made twice for one node (9).
    NoDouble,
    /// No balancer sends requests to a machine that is not configured (6).
    OnlyConfigured,
    /// What we did not make, we do not touch (15).
    OthersUntouched,
    /// The pool settles once nothing goes wrong any more (5).
    Settles,
    /// Planning on a settled world is empty (10).
    SettledPlansNothing,
    /// At the end every instance serves, and every server has its instance (4, 9).
    NoOrphan,
    /// The bill is the sum of the hours that the cloud's own books show (12).
    BillIsRight,
    /// The store is whole: its file, its chain, and every row can be read (12).
    StoreIsWhole,
    /// Each change of the count is annotated once, and its region is closed in the end.
    AnnotatedOnce,
    /// No look fails or panics.
    LooksNeverFail,
}

impl fmt::Display for Invariant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::AtMostMax => "never more instances than `max`",
            Self::DrainedFirst => "no serving node is deleted before it drained",
            Self::MissingNeverLowers => "missing data never lowers the count",
            Self::EveryChangeHasAReason => "every change of the count has a reason",
            Self::DecidesTheSame => "a decision made again comes out the same",
            Self::WrittenFirst => "no instance without a node's row",
            Self::GoneBeforeOver => "a node that is over has no instance",
            Self::NoGapInALife => "a node enters a state from the one that it was in",
            Self::NoDouble => "no instance is made twice",
            Self::OnlyConfigured => "no request reaches a machine that is not configured",
            Self::OthersUntouched => "what is not ours is not touched",
            Self::Settles => "the pool settles once all is well",
            Self::SettledPlansNothing => "planning on a settled world is empty",
            Self::NoOrphan => "at the end every instance serves",
            Self::BillIsRight => "the bill is what the cloud's books show",
            Self::StoreIsWhole => "the store is whole",
            Self::AnnotatedOnce => "each change of the count is annotated once, and closed",
            Self::LooksNeverFail => "no look fails",
        })
    }
}

/// An invariant that was broken.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Broken {
    /// Which.
    pub invariant: Invariant,
    /// When, by the daemon's clock.
    pub at: Timestamp,
    /// What was seen, with its numbers.
    pub what: String,
}
