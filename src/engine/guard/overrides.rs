//! Overrides: what an operator ordered stands over what the rules want.
//!
//! In: a count, the policy's control, and whether an operator holds the pool.
//! Out: the present count while an operator holds it.
//! Never: passes the bounds, which come after.

use super::super::Reason;
use super::super::look::Look;
use super::Verdict;
use crate::domain::NodeCount;
use crate::policy::Control;

/// The present count while an operator holds it.
pub(in crate::engine) fn guard(look: &Look<'_>, count: NodeCount) -> Verdict {
    let kept = look.from;
    let is_held = look.observation.is_held || look.policy.control == Control::Hold;
    is_held.then_some((kept, Reason::HeldByOperator { wanted: count, count: kept }))
}
