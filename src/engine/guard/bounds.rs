//! Bounds: the smallest and the largest count hold, whatever came before.
//!
//! In: a count.
//! Out: the nearest count within the bounds.
//! Never: lets anything past, held, blind or not.
//!
//! A pool that is outside first comes back to the nearest bound; what its rules want counts from
//! the next look on. Source: Kubernetes' HPA (`reconcileAutoscaler`) looks at the bounds before
//! it asks for any metric.

use super::super::Reason;
use super::super::look::Look;
use super::Verdict;
use crate::domain::NodeCount;

/// The nearest count within the bounds.
pub(in crate::engine) fn guard(look: &Look<'_>, count: NodeCount) -> Verdict {
    let (min, max) = (look.policy.bounds.min, look.policy.bounds.max);
    let (from, bound) = (look.from, look.from.max(min).min(max));
    if from != bound && (min..=max).contains(&count) {
        let because = Reason::BackWithinBounds { from, wanted: count, bound };
        return (count != bound).then_some((bound, because));
    }
    if count > max {
        return Some((max, Reason::CutToMax { wanted: count, max }));
    }
    (count < min).then_some((min, Reason::RaisedToMin { wanted: count, min }))
}
