//! Overrides: what an operator ordered stands over what the rules want.
//!
//! In: a count, and the pool's control.
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
    match look.policy.control {
        Control::Hold => Some((kept, Reason::HeldByOperator { wanted: count, count: kept })),
        Control::Automatic | Control::DryRun => None,
    }
}
