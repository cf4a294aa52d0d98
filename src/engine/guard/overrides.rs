//! Overrides: what an operator ordered stands over what the rules want.
//!
//! In: a count, the policy's control, and what operators ordered.
//! Out: the present count while an operator holds it; the count that was set; else the count
//! within what was ordered.
//! Never: passes the budget or the bounds, which come after; obeys an order that has ended.
//!
//! A hold is the strictest order, then a set count, which no other order moves. Where a floor is
//! above a ceiling, the floor counts: nodes too many cost less than nodes too few.

use super::super::look::Look;
use super::super::{Direction, HeldChange, OrderedCount, OrderedHold, Overrides, Reason};
use super::Verdict;
use crate::domain::{NodeCount, Timestamp};
use crate::policy::Control;

/// What was ordered, or the same count.
pub(in crate::engine) fn guard(look: &Look<'_>, count: NodeCount) -> Verdict {
    let kept = look.from;
    let orders = &look.observation.overrides;
    if look.observation.is_held || look.policy.control == Control::Hold {
        return Some((kept, Reason::HeldByOperator { wanted: count, count: kept }));
    }
    if let Some(OrderedCount { count: ordered, until }) = in_force(orders.set, look.at) {
        return Some((ordered, Reason::SetByOperator { wanted: count, count: ordered, until }));
    }
    let mut verdict = held_direction(look, count);
    let so_far = |verdict: &Verdict| verdict.as_ref().map_or(count, |(ordered, _)| *ordered);
    if let Some(OrderedCount { count: ceiling, until }) = in_force(orders.ceiling, look.at)
        && ceiling < so_far(&verdict)
    {
        verdict = Some((ceiling, Reason::CutByOperator { wanted: count, ceiling, until }));
    }
    if let Some(OrderedCount { count: floor, until }) = in_force(orders.floor, look.at)
        && so_far(&verdict) < floor
    {
        verdict = Some((floor, Reason::RaisedByOperator { wanted: count, floor, until }));
    }
    verdict
}

/// The present count where an operator forbade this very change.
fn held_direction(look: &Look<'_>, count: NodeCount) -> Verdict {
    let kept = look.from;
    let (direction, change) = match count.cmp(&kept) {
        std::cmp::Ordering::Greater => (Direction::Out, HeldChange::ScaleOut),
        std::cmp::Ordering::Less => (Direction::In, HeldChange::ScaleIn),
        std::cmp::Ordering::Equal => return None,
    };
    let until = hold_in_force(&look.observation.overrides, change, look.at)?.until;
    let because = Reason::DirectionHeldByOperator { direction, wanted: count, count: kept, until };
    Some((kept, because))
}

/// Whether an operator forbids this change.
pub(in crate::engine) fn is_held(orders: &Overrides, change: HeldChange, now: Timestamp) -> bool {
    hold_in_force(orders, change, now).is_some()
}

/// The newest order that forbids this change.
fn hold_in_force(orders: &Overrides, change: HeldChange, now: Timestamp) -> Option<OrderedHold> {
    let mut holds = orders.holds.iter().rev();
    holds.find(|hold| hold.change == change && lasts(hold.until, now)).copied()
}

/// An order, unless it has ended.
pub(in crate::engine) fn in_force(
    order: Option<OrderedCount>,
    now: Timestamp,
) -> Option<OrderedCount> {
    order.filter(|order| lasts(order.until, now))
}

/// Whether an order still counts: up to, and not at, its end.
fn lasts(until: Option<Timestamp>, now: Timestamp) -> bool {
    until.is_none_or(|until| now < until)
}
