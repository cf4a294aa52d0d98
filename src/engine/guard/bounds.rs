//! Bounds: the smallest and the largest count hold, whatever came before.
//!
//! In: a count.
//! Out: the nearest count within the bounds.
//! Never: lets anything past, held, blind or not.

use super::super::Reason;
use super::super::look::Look;
use super::Verdict;
use crate::domain::NodeCount;

/// The nearest count within the bounds.
pub(in crate::engine) fn guard(look: &Look<'_>, count: NodeCount) -> Verdict {
    let (min, max) = (look.policy.bounds.min, look.policy.bounds.max);
    if count > max {
        return Some((max, Reason::CutToMax { wanted: count, max }));
    }
    (count < min).then_some((min, Reason::RaisedToMin { wanted: count, min }))
}
