//! Pace: the count moves only so far within a time.
//!
//! In: a count, and how the count changed lately.
//! Out: the count, or the furthest that the selected pace allows.
//! Never: turns the direction around.
//!
//! Source: Kubernetes' HPA, `pkg/controller/podautoscaler/horizontal.go`:
//! `calculateScaleUpLimitWithScalingRules`, `calculateScaleDownLimitWithBehaviors`,
//! `getReplicasChangePerPeriod` and `convertDesiredReplicasWithBehaviorRate`. Each pace counts
//! from the period's beginning: the present count without what was added, and with what was
//! taken, since. A change exactly as old as the period no longer counts. A share rounds in favour
//! of moving: up for a rise (else one node could never become two), down for what a fall leaves.
//! Where HPA refuses an empty list, here it is no limit.

use super::super::look::Look;
use super::super::{Direction, Reason, ScaleEvent};
use super::Verdict;
use crate::domain::{Duration, NodeCount, Timestamp, after, before};
use crate::policy::{Pace, PaceLimit, PaceSelect, Policy};

/// The count, or the furthest that the pace allows.
pub(in crate::engine) fn guard(look: &Look<'_>, count: NodeCount) -> Verdict {
    let from = look.from;
    let (direction, select, paces) = match count.cmp(&from) {
        std::cmp::Ordering::Greater => {
            let out = &look.policy.scale_out;
            (Direction::Out, out.pace_select, &out.pace)
        }
        std::cmp::Ordering::Less => {
            let fall = &look.policy.scale_in;
            (Direction::In, fall.pace_select, &fall.pace)
        }
        std::cmp::Ordering::Equal => return None,
    };
    if select == PaceSelect::Disabled {
        return Some((from, Reason::DirectionDisabled { direction, wanted: count, count: from }));
    }
    let furthest = match direction {
        Direction::Out => count.min(highest_allowed(look, paces, select)?.max(from)),
        Direction::In | Direction::Hold => {
            count.max(lowest_allowed(look, paces, select)?.min(from))
        }
    };
    let because = Reason::LimitedByPace {
        direction,
        wanted: count,
        allowed: furthest,
        until: next_allowance(look, paces, direction),
    };
    (furthest != count).then_some((furthest, because))
}

/// The highest count of a rise; none where nothing limits it.
fn highest_allowed(look: &Look<'_>, paces: &[Pace], select: PaceSelect) -> Option<NodeCount> {
    let limits = paces.iter().map(|pace| highest(look, pace));
    match select {
        PaceSelect::Largest => limits.max(),
        PaceSelect::Smallest => limits.min(),
        PaceSelect::Disabled => Some(look.from),
    }
}

/// The lowest count of a fall; none where nothing limits it.
fn lowest_allowed(look: &Look<'_>, paces: &[Pace], select: PaceSelect) -> Option<NodeCount> {
    let limits = paces.iter().map(|pace| lowest(look, pace));
    match select {
        PaceSelect::Largest => limits.min(),
        PaceSelect::Smallest => limits.max(),
        PaceSelect::Disabled => Some(look.from),
    }
}

/// Longer rises than this are not waited for: a pace this slow asks for another policy.
pub(in crate::engine) const LONGEST_RISE: Duration = Duration::from_secs(15 * 60);

/// How long after its first step a rise from one count to another ends, by the paces alone; no
/// longer than [`LONGEST_RISE`].
pub(in crate::engine) fn time_of_rise(policy: &Policy, from: NodeCount, to: NodeCount) -> Duration {
    let out = &policy.scale_out;
    let times = out.pace.iter().map(|pace| rise_at(pace, from, to));
    let time = match out.pace_select {
        PaceSelect::Largest => times.min(),
        PaceSelect::Smallest => times.max(),
        PaceSelect::Disabled => None,
    };
    time.unwrap_or(Duration::ZERO).min(LONGEST_RISE)
}

fn rise_at(pace: &Pace, from: NodeCount, to: NodeCount) -> Duration {
    let step = |count: NodeCount| match pace.limit {
        PaceLimit::Nodes(nodes) => count.plus(nodes),
        PaceLimit::Percent(percent) => {
            NodeCount((f64::from(count.0) * (1.0 + percent.fraction())).ceil() as u32)
        }
    };
    let (mut count, mut time) = (step(from), Duration::ZERO);
    while count < to && time < LONGEST_RISE {
        count = step(count);
        time = time.saturating_add(pace.per.max(Duration::from_secs(1)));
    }
    time
}

/// The highest count that a pace allows.
fn highest(look: &Look<'_>, pace: &Pace) -> NodeCount {
    let start = count_at_start(look, pace);
    match pace.limit {
        PaceLimit::Nodes(nodes) => whole(start.saturating_add(i64::from(nodes))),
        // Plain rounding up, noise and all: 10 % on 100 nodes is 111 in HPA, too.
        PaceLimit::Percent(percent) => {
            NodeCount((start as f64 * (1.0 + percent.fraction())).ceil() as u32)
        }
    }
}

/// The lowest count that a pace allows.
fn lowest(look: &Look<'_>, pace: &Pace) -> NodeCount {
    let start = count_at_start(look, pace);
    match pace.limit {
        PaceLimit::Nodes(nodes) => whole(start.saturating_sub(i64::from(nodes))),
        // `as` drops the fraction, as HPA does, and holds at zero.
        PaceLimit::Percent(percent) => {
            NodeCount((start as f64 * (1.0 - percent.fraction())) as u32)
        }
    }
}

/// The count when the pace's period began, as the changes since tell it.
fn count_at_start(look: &Look<'_>, pace: &Pace) -> i64 {
    let begins = before(look.at, pace.per);
    let recent = look.past.scale_events.iter().filter(|event| event.at > begins);
    let moved: i64 = recent.map(moved).sum();
    i64::from(look.from.0) - moved
}

/// What a change added; below zero where it took.
fn moved(event: &ScaleEvent) -> i64 {
    i64::from(event.after.0) - i64::from(event.before.0)
}

fn whole(count: i64) -> NodeCount {
    NodeCount(u32::try_from(count.max(0)).unwrap_or(u32::MAX))
}

/// The first moment at which a change in this direction stops counting against some pace.
fn next_allowance(look: &Look<'_>, paces: &[Pace], direction: Direction) -> Option<Timestamp> {
    let same_way = |event: &&ScaleEvent| match direction {
        Direction::Out => event.after > event.before,
        Direction::In => event.after < event.before,
        Direction::Hold => false,
    };
    let events = || look.past.scale_events.iter().filter(same_way);
    let ends = paces.iter().flat_map(|pace| events().map(|event| after(event.at, pace.per)));
    ends.filter(|end| *end > look.at).min()
}

/// Appends this change, where it is one, and forgets what is older than every period.
pub(in crate::engine) fn remember(look: &mut Look<'_>, to: NodeCount) {
    let paces = look.policy.scale_out.pace.iter().chain(&look.policy.scale_in.pace);
    let events = &mut look.past.scale_events;
    let Some(longest) = paces.map(|pace| pace.per).max() else {
        events.clear();
        return;
    };
    let begins = before(look.at, longest);
    events.retain(|event| event.at > begins);
    if to != look.from {
        events.push(ScaleEvent { at: look.at, before: look.from, after: to });
    }
}
