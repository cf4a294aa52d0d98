//! What earlier decisions left behind, told by its age.
//!
//! In: the `history` of a case, and the moment of its look.
//! Out: the engine's [`History`].
//! Never: needs an absolute moment: ages count back from the look, rests count on from it.

use crate::domain::{Duration, NodeCount, Timestamp, after, before};
use crate::engine::{Condition, History, RecommendationSpan, ScaleEvent};
use crate::policy::fields::{self, Fields, Notes, Value, refuse};

/// No age is older: ten years, the longest duration of a policy.
const OLDEST_SECONDS: f64 = 10.0 * 366.0 * 86_400.0;

/// The history of a pool that was looked at all along and where nothing happened.
pub(super) fn looked_just_now(at: Timestamp) -> History {
    History { looked_at: Some(at), ..History::default() }
}

/// Reads `history`.
pub(super) fn history(value: Value<'_>, at: Timestamp, notes: &mut Notes) -> Option<History> {
    let mut fields = Fields::of(value, notes)?;
    let ago = |value: Value<'_>, notes: &mut Notes| Some(before(at, seconds(value, notes)?));
    let left = |value: Value<'_>, notes: &mut Notes| Some(after(at, seconds(value, notes)?));
    let recommendations = fields.or("recommendations", Vec::new(), notes, |value, notes| {
        fields::list(value, notes, |value, notes| recommendation(value, at, notes))
    });
    let scale_events = fields.or("scale_events", Vec::new(), notes, |value, notes| {
        fields::list(value, notes, |value, notes| scale_event(value, at, notes))
    });
    let looked_at = fields.or("looked_seconds_ago", at, notes, ago);
    let awaiting = fields.optional("awaiting_capacity_for_seconds", notes, ago);
    let out_rests = fields.optional("scale_out_cooldown_left_seconds", notes, left);
    let in_rests = fields.optional("scale_in_cooldown_left_seconds", notes, left);
    let blind_since = fields.optional("blind_for_seconds", notes, ago);
    let conditions = fields.or("conditions", Vec::new(), notes, |value, notes| {
        fields::entries(value, notes, |key, value, notes| {
            Some((key.name.clone(), condition(value, at, notes)?))
        })
    });
    fields.finish(notes);
    let (mut recommendations, mut scale_events) = (recommendations?, scale_events?);
    // Oldest first, as the engine keeps them.
    recommendations.sort_by_key(|span| span.until);
    scale_events.sort_by_key(|event| event.at);
    Some(History {
        looked_at: Some(looked_at?),
        recommendations,
        scale_events,
        awaiting_capacity_since: awaiting?,
        scale_out_cooldown_until: out_rests?,
        scale_in_cooldown_until: in_rests?,
        blind_since: blind_since?,
        conditions: conditions?.into_iter().collect(),
        ..History::default()
    })
}

/// `{count, age_seconds}`
fn recommendation(
    value: Value<'_>,
    at: Timestamp,
    notes: &mut Notes,
) -> Option<RecommendationSpan> {
    let mut fields = Fields::of(value, notes)?;
    let count = fields.required("count", "5", notes, fields::whole(0, u32::MAX));
    let age = fields.required("age_seconds", "30", notes, seconds);
    fields.finish(notes);
    let (count, moment) = (NodeCount(count?), before(at, age?));
    Some(RecommendationSpan { count, from: moment, until: moment })
}

/// `{change, age_seconds}`: what was added; below zero what was taken.
fn scale_event(value: Value<'_>, at: Timestamp, notes: &mut Notes) -> Option<ScaleEvent> {
    let mut fields = Fields::of(value, notes)?;
    let change = fields.required("change", "-2", notes, change);
    let age = fields.required("age_seconds", "30", notes, seconds);
    fields.finish(notes);
    let (change, at) = (change?, before(at, age?));
    // Only the difference counts, so the smaller side is none.
    let (before, after) = match u32::try_from(change) {
        Ok(added) => (NodeCount::ZERO, NodeCount(added)),
        Err(_) => (NodeCount(change.unsigned_abs()), NodeCount::ZERO),
    };
    Some(ScaleEvent { at, before, after })
}

fn change(value: Value<'_>, notes: &mut Notes) -> Option<i32> {
    let number = fields::number(value, notes)?;
    if number.fract() == 0.0 && number.abs() <= f64::from(i32::MAX) {
        return Some(number as i32);
    }
    let what = format!("`{}` is {number}, but nodes come and go whole", value.name);
    refuse(notes, value.node.at, what, "write a whole number, below zero for nodes that left")
}

/// `{for_seconds, seen_seconds_ago}`
fn condition(value: Value<'_>, at: Timestamp, notes: &mut Notes) -> Option<Condition> {
    let mut fields = Fields::of(value, notes)?;
    let lasts = fields.required("for_seconds", "40", notes, seconds);
    let seen = fields.or("seen_seconds_ago", Duration::ZERO, notes, seconds);
    fields.finish(notes);
    Some(Condition { since: before(at, lasts?), seen: before(at, seen?) })
}

/// A number of seconds, whole or not, up to ten years.
pub(super) fn seconds(value: Value<'_>, notes: &mut Notes) -> Option<Duration> {
    let number = fields::number(value, notes)?;
    if (0.0..=OLDEST_SECONDS).contains(&number) {
        return Some(Duration::from_secs_f64(number));
    }
    let what = format!("`{}` is {number}, but must be from 0 to ten years", value.name);
    refuse(notes, value.node.at, what, "write seconds, counted from the look")
}
