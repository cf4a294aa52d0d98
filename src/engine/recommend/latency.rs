//! Latency: adds nodes while a latency is too long, lets none leave until it is short.
//!
//! In: a latency in seconds, and since when it is over its objective.
//! Out: too long for long enough: a share more than the nodes that serve. Too long, but not for
//! long enough, or not clear: the present count, which vetoes scale-in. Clear: no opinion.
//! Never: recommends fewer than the present count; lets a reading alone start a run of nodes:
//! what it adds is counted from the nodes that serve, so while nodes are on their way it asks
//! for the same count again.

use super::super::look::{LONGEST_GAP, Look};
use super::super::{Condition, Opinion, Reason};
use super::target::ceil_whole;
use crate::domain::{NodeCount, Timestamp, after, elapsed};
use crate::policy::LatencyRule;

/// What the rule wants, given that its condition holds since then.
pub(super) fn recommend(
    look: &Look<'_>,
    rule: &LatencyRule,
    condition: Option<Condition>,
) -> Opinion {
    let signal = rule.signal.clone();
    let value = match look.value(&rule.signal) {
        Ok(value) => value,
        Err(missing) => {
            return Opinion::Blind { because: Reason::SignalMissing { signal, missing } };
        }
    };
    let seconds = value.number;
    if let Some(Condition { since, .. }) = condition {
        return over_objective(look, rule, seconds, since);
    }
    if let Some((seen, wanted)) = value.partial {
        return Opinion::Blind { because: Reason::SignalPartial { signal, seen, wanted } };
    }
    let clear_below_seconds = rule.clear_below.as_secs_f64();
    if seconds < clear_below_seconds {
        let because = Reason::LatencyClear { signal, seconds, clear_below_seconds };
        return Opinion::None { because };
    }
    stay(look, Reason::LatencyNotClear { signal, seconds, clear_below_seconds })
}

/// Whether the latency is over its objective, and since when without a break.
///
/// A good reading at or below the objective ends it. A missing one neither begins nor ends it,
/// but longer than [`LONGEST_GAP`] without any reading is a break: nobody can say it lasted.
pub(super) fn condition(look: &Look<'_>, rule: &LatencyRule, key: &str) -> Option<Condition> {
    let known = look.past.conditions.get(key).copied();
    let unbroken = known.filter(|known| elapsed(known.seen, look.at) <= LONGEST_GAP);
    match look.value(&rule.signal) {
        Err(_) => unbroken,
        Ok(value) if value.number > rule.objective.as_secs_f64() => {
            Some(Condition { since: unbroken.map_or(look.at, |known| known.since), seen: look.at })
        }
        Ok(_) => None,
    }
}

fn over_objective(look: &Look<'_>, rule: &LatencyRule, seconds: f64, since: Timestamp) -> Opinion {
    let signal = rule.signal.clone();
    let objective_seconds = rule.objective.as_secs_f64();
    let until = after(since, rule.for_at_least);
    if look.at < until {
        let because = Reason::LatencyTooLongBriefly { signal, seconds, objective_seconds, until };
        return stay(look, because);
    }
    let serving = look.fleet.serving;
    let needed = one_step_more(serving, rule).max(look.from);
    let for_seconds = elapsed(since, look.at).as_secs();
    let because =
        Reason::LatencyTooLong { signal, seconds, objective_seconds, for_seconds, serving, needed };
    Opinion::Wants { count: needed, exact: f64::from(needed.0), because }
}

/// A share more than `serving`, and at least one node more.
fn one_step_more(serving: NodeCount, rule: &LatencyRule) -> NodeCount {
    let more = f64::from(serving.0) * (1.0 + rule.step.fraction());
    ceil_whole(more.min(f64::MAX)).max(serving.plus(1))
}

fn stay(look: &Look<'_>, because: Reason) -> Opinion {
    Opinion::Wants { count: look.from, exact: f64::from(look.from.0), because }
}
