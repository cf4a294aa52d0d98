//! Bounds: the smallest and the largest count hold, whatever came before.
//!
//! In: a count, and the bounds of this moment: the policy's, moved by its open windows.
//! Out: the nearest count within them.
//! Never: lets anything past, held, blind or not; waits for a pace: a floor that opens is there at
//! once.
//!
//! A pool that is outside of the policy's own bounds first comes back to the nearest bound; what
//! its rules want counts from the next look on. Source: Kubernetes' HPA (`reconcileAutoscaler`)
//! looks at the bounds before it asks for any metric. A window that opens is no such surprise.

use super::super::Reason;
use super::super::look::Look;
use super::Verdict;
use crate::domain::NodeCount;

/// The nearest count within the bounds.
pub(in crate::engine) fn guard(look: &Look<'_>, count: NodeCount) -> Verdict {
    let (min, max) = (look.bounds.min, look.bounds.max);
    let (from, bound) = (look.from, look.from.max(min).min(max));
    let own = look.policy.bounds;
    if !(own.min..=own.max).contains(&from) && (min..=max).contains(&count) {
        let because = Reason::BackWithinBounds { from, wanted: count, bound };
        return (count != bound).then_some((bound, because));
    }
    if count > max {
        let because = match look.bounds.ceiling_until {
            Some(until) => Reason::CutToSchedule { wanted: count, ceiling: max, until },
            None => Reason::CutToMax { wanted: count, max },
        };
        return Some((max, because));
    }
    let because = match look.bounds.floor_until {
        Some(until) => Reason::RaisedToSchedule { wanted: count, floor: min, until },
        None => Reason::RaisedToMin { wanted: count, min },
    };
    (count < min).then_some((min, because))
}
