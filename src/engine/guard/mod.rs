//! The guards: each may change the count that it is given, and must say why.
//!
//! In: one look at the pool and the count so far.
//! Out: nothing, which lets the count pass; or another count with its reason.
//! Never: looks at another guard; changes a count without a reason (the type has no room for it).

pub(super) mod bounds;
pub(super) mod budget;
pub(super) mod cooldown;
pub(super) mod effectiveness;
pub(super) mod flap;
pub(super) mod freshness;
pub(super) mod overrides;
pub(super) mod pace;
pub(super) mod stabilization;
pub(super) mod tolerance;

use super::{Guard, Reason, Stage};
use crate::domain::NodeCount;

/// What a guard makes of a count: none where it lets it pass.
pub(super) type Verdict = Option<(NodeCount, Reason)>;

/// How many guards there are.
const GUARDS: usize = 10;

/// The count on its way through the guards, and what each of them did to it.
pub(super) struct Chain {
    count: NodeCount,
    stages: Vec<Stage>,
}

impl Chain {
    /// Begins with what the rules came to.
    pub fn starting_at(count: NodeCount) -> Self {
        Self { count, stages: Vec::with_capacity(GUARDS) }
    }

    /// Lets a guard judge the count.
    pub fn pass(&mut self, guard: Guard, judge: impl FnOnce(NodeCount) -> Verdict) {
        let before = self.count;
        let verdict = judge(before).filter(|(after, _)| *after != before);
        let (after, reason) = match verdict {
            Some((after, reason)) => (after, Some(reason)),
            None => (before, None),
        };
        self.count = after;
        self.stages.push(Stage { guard, before, after, reason });
    }

    /// The count so far.
    pub fn count(&self) -> NodeCount {
        self.count
    }

    /// What each guard did.
    pub fn into_stages(self) -> Vec<Stage> {
        self.stages
    }
}
