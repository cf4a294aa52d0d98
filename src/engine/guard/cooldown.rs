//! Cooldown: the count rests after a change.
//!
//! In: a count, when the last change's capacity served, and until when each direction rests.
//! Out: the count, or the present one while it rests.
//! Never: holds back the default of a pool that was blind for too long; waits for capacity
//! longer than [`LONGEST_WAIT`].
//!
//! A scale-out rests from the moment that its capacity serves, because only then can its effect
//! be seen; until then no node leaves. A scale-in rests from its decision: its surplus may stay
//! in service for the rest of its paid hour, and waiting for that would hold every further one.

use super::super::look::Look;
use super::super::{Direction, Reason};
use super::Verdict;
use crate::domain::{Duration, NodeCount, Timestamp, after, before};

/// After so long without the capacity that was asked for, the pool stops waiting and rests as if
/// it had come. A boot and a playbook take two to five minutes and may be tried twice; half of
/// this would give up on a second try, double would keep surplus nodes through an outage.
pub(in crate::engine) const LONGEST_WAIT: Duration = Duration::from_secs(20 * 60);

/// The present count while this direction rests.
pub(in crate::engine) fn guard(look: &Look<'_>, count: NodeCount) -> Verdict {
    let (from, past) = (look.from, &look.past);
    let (direction, rests_until, waits) = match count.cmp(&from) {
        std::cmp::Ordering::Greater => {
            let waits = !look.policy.scale_out.cooldown.is_zero();
            (Direction::Out, past.scale_out_cooldown_until, waits)
        }
        std::cmp::Ordering::Less => (Direction::In, past.scale_in_cooldown_until, true),
        std::cmp::Ordering::Equal => return None,
    };
    let kept = from.max(look.floor().min(count));
    if let Some(since) = past.awaiting_capacity_since.filter(|_| waits) {
        let because = Reason::AwaitingCapacity {
            direction,
            wanted: count,
            serving: look.fleet.serving,
            desired: from,
            until: after(since, LONGEST_WAIT),
        };
        return Some((kept, because));
    }
    rests_until.map(|until| (kept, Reason::CoolingDown { direction, wanted: count, until }))
}

/// Notes that awaited capacity serves now (or never will), and forgets what is over.
pub(in crate::engine) fn settle(look: &mut Look<'_>) {
    let now = look.at;
    let (out, fall) = (look.policy.scale_out.cooldown, look.policy.scale_in.cooldown);
    let arrived = look.fleet.serving >= look.from;
    let past = &mut look.past;
    let over = |since: &Timestamp| arrived || *since <= before(now, LONGEST_WAIT);
    if past.awaiting_capacity_since.as_ref().is_some_and(over) {
        past.awaiting_capacity_since = None;
        past.scale_out_cooldown_until = Some(after(now, out));
        past.scale_in_cooldown_until = Some(after(now, fall));
    }
    // No rest is longer than the policy of now says: it may have become shorter, or the clock
    // was set back.
    let still = |until: Option<Timestamp>, cooldown: Duration| {
        until.map(|until| until.min(after(now, cooldown))).filter(|until| *until > now)
    };
    past.scale_out_cooldown_until = still(past.scale_out_cooldown_until, out);
    past.scale_in_cooldown_until = still(past.scale_in_cooldown_until, fall);
}

/// Begins the wait or the rest that a change brings.
pub(in crate::engine) fn remember(look: &Look<'_>, to: NodeCount) -> Rests {
    let (now, past) = (look.at, &look.past);
    let mut rests = Rests {
        awaiting_capacity_since: past.awaiting_capacity_since,
        scale_out_until: past.scale_out_cooldown_until,
        scale_in_until: past.scale_in_cooldown_until,
    };
    if to > look.from && look.fleet.serving < to {
        rests.awaiting_capacity_since = Some(now);
    } else if to > look.from {
        // Surplus nodes that still serve are taken back: their capacity is there already.
        rests.scale_out_until = Some(after(now, look.policy.scale_out.cooldown));
        rests.scale_in_until = Some(after(now, look.policy.scale_in.cooldown));
    } else if to < look.from {
        rests.scale_in_until = Some(after(now, look.policy.scale_in.cooldown));
    }
    rests
}

/// Until when the pool waits or rests.
pub(in crate::engine) struct Rests {
    pub awaiting_capacity_since: Option<Timestamp>,
    pub scale_out_until: Option<Timestamp>,
    pub scale_in_until: Option<Timestamp>,
}
