//! Stabilization: the count rises only to the lowest, and falls only to the highest, that was
//! recommended during a window.
//!
//! In: a count, and what was recommended lately.
//! Out: a count between the two, as near to the present one as they allow.
//! Never: holds back the default of a pool that was blind for too long.
//!
//! Source: Kubernetes' HPA (`stabilizeRecommendationWithBehaviors`): the lowest recommendation
//! of the scale-up window and the highest of the scale-down window, the present one included,
//! bracket the count. A recommendation exactly as old as the window is outside, so a window of
//! zero holds nothing. What is remembered is what was recommended before this guard, unbounded.
//! Where HPA acts on one look after a gap, here unseen time counts as the count that stood
//! (see [`Look`]).

use super::super::look::Look;
use super::super::{Direction, Reason, RecommendationSpan};
use super::Verdict;
use crate::domain::{Duration, NodeCount, after, before};

/// The present count, moved no further than the window's recommendations agree.
pub(in crate::engine) fn guard(look: &Look<'_>, count: NodeCount) -> Verdict {
    let (rise, fall) = (look.policy.scale_out.stabilize, look.policy.scale_in.stabilize);
    let lowest = within(look, rise).map(|span| span.count).fold(count, NodeCount::min);
    let highest = within(look, fall).map(|span| span.count).fold(count, NodeCount::max);
    let settled = look.from.max(lowest).min(highest).max(look.floor().min(count));
    if settled == count {
        return None;
    }
    let (direction, window) = match settled < count {
        true => (Direction::Out, rise),
        false => (Direction::In, fall),
    };
    let holds_back = |span: &&RecommendationSpan| match direction {
        Direction::Out => span.count <= settled,
        Direction::In | Direction::Hold => span.count >= settled,
    };
    let last = within(look, window).filter(holds_back).map(|span| span.until).max();
    let because = Reason::Stabilized {
        direction,
        wanted: count,
        recommended: settled,
        window_seconds: window.as_secs(),
        until: after(last.unwrap_or(look.at), window),
    };
    Some((settled, because))
}

/// The recommendations of a window that ends now.
fn within<'a>(
    look: &'a Look<'_>,
    window: Duration,
) -> impl Iterator<Item = &'a RecommendationSpan> + use<'a> {
    let begins = before(look.at, window);
    look.past.recommendations.iter().filter(move |span| span.until > begins)
}

/// Appends what was recommended now, and forgets what is older than both windows.
pub(in crate::engine) fn remember(look: &mut Look<'_>, recommended: NodeCount) {
    let now = look.at;
    let longest = look.policy.scale_out.stabilize.max(look.policy.scale_in.stabilize);
    let begins = before(now, longest);
    let spans = &mut look.past.recommendations;
    spans.retain(|span| span.until > begins);
    match spans.last_mut() {
        Some(last) if last.count == recommended => last.until = now,
        _ => spans.push(RecommendationSpan { count: recommended, from: now, until: now }),
    }
}
