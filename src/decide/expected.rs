//! What was expected at the look of a case: announced campaigns, and forecasts.
//!
//! In: the `hints` and `forecasts` of an observation, and the moment of its look.
//! Out: the engine's types for them.
//! Never: forecasts by itself.

use std::collections::BTreeMap;

use super::history::seconds;
use crate::domain::{
    Duration, Hint, HintId, HintSize, HintSource, RequestsPerSecond, Timestamp, after, before,
};
use crate::engine::{Announced, Belief, Foreseen, ObservedHint};
use crate::forecast::Level;
use crate::forecast::campaign::Response;
use crate::policy::fields::{self, Fields, Notes, Value, refuse};

/// Reads `hints`: `campaigns`, and how long nodes take.
pub(super) fn hints(value: Value<'_>, at: Timestamp, notes: &mut Notes) -> Option<Announced> {
    let mut fields = Fields::of(value, notes)?;
    let lead = fields.optional("lead_seconds", notes, seconds);
    let mut number = 0;
    let hints = fields.or("campaigns", Vec::new(), notes, |value, notes| {
        fields::list(value, notes, |value, notes| {
            number += 1;
            campaign(value, at, number, notes)
        })
    });
    fields.finish(notes);
    Some(Announced { lead_seconds: lead?.map(|lead| lead.as_secs_f64()), hints: hints? })
}

fn campaign(
    value: Value<'_>,
    at: Timestamp,
    number: u128,
    notes: &mut Notes,
) -> Option<ObservedHint> {
    let mut fields = Fields::of(value, notes)?;
    let kind = fields.required("kind", "lunch", notes, fields::parsed("name it after its kind"));
    let announced = fields.or("announced_seconds_ago", Duration::ZERO, notes, seconds);
    let starts = fields.optional("starts_in_seconds", notes, seconds);
    let started = fields.optional("started_seconds_ago", notes, seconds);
    let size = size(&mut fields, notes);
    let spread = fields.required("spread_seconds", "120", notes, seconds);
    let tail = fields.optional("tail_seconds", notes, seconds);
    let response = fields.or("response", Response::USUAL, notes, response);
    let before_it = fields.optional("before", notes, rate);
    let peak = fields.optional("peak", notes, rate);
    fields.finish(notes);
    let starts_at = match (starts?, started?) {
        (Some(ahead), None) => after(at, ahead),
        (None, Some(ago)) => before(at, ago),
        _ => {
            let what = format!("`{}` does not say when it starts", value.name);
            let help = "write `starts_in_seconds` or `started_seconds_ago`";
            return refuse(notes, value.node.at, what, help);
        }
    };
    let hint = Hint {
        id: HintId(uuid::Uuid::from_u128(number)),
        kind: kind?,
        announced_at: before(at, announced?),
        starts_at,
        size: size?,
        spread: spread?,
        tail: tail?,
        reason: "the case says so".into(),
        source: HintSource::Person,
    };
    let number = |rate: Option<RequestsPerSecond>| rate.map(RequestsPerSecond::get);
    Some(ObservedHint {
        hint,
        response: response?,
        before: number(before_it?),
        peak: number(peak?),
    })
}

/// `devices` or `requests_per_second`.
pub(crate) fn size(fields: &mut Fields<'_>, notes: &mut Notes) -> Option<HintSize> {
    let devices = fields.optional("devices", notes, fields::whole(1, u32::MAX));
    let requests = fields.optional("requests_per_second", notes, rate);
    match (devices?, requests?) {
        (Some(devices), None) => Some(HintSize::Devices(devices.into())),
        (None, Some(rate)) => Some(HintSize::RequestsPerSecond(rate)),
        _ => refuse(
            notes,
            fields.at,
            "a campaign has one size",
            "write either `devices` or `requests_per_second`",
        ),
    }
}

/// How devices respond; what is not said is as before any campaign taught it.
fn response(value: Value<'_>, notes: &mut Notes) -> Option<Response> {
    let usual = Response::USUAL;
    let mut fields = Fields::of(value, notes)?;
    let factor = fields.or("factor", usual.factor, notes, fields::number_above_zero);
    let prompt = fields.or("prompt_share", usual.prompt_share, notes, share);
    let tail = fields.or("tail_seconds", usual.tail_seconds, notes, fields::number_above_zero);
    let campaigns = fields.or("campaigns", usual.campaigns, notes, fields::whole(0, u32::MAX));
    fields.finish(notes);
    let (factor, prompt_share) = (factor?, prompt?);
    Some(Response { factor, prompt_share, tail_seconds: tail?, campaigns: campaigns? })
}

fn share(value: Value<'_>, notes: &mut Notes) -> Option<f64> {
    let number = fields::number(value, notes)?;
    if (0.0..=1.0).contains(&number) {
        return Some(number);
    }
    let what = format!("`{}` is {number}, but a share is from 0 to 1", value.name);
    refuse(notes, value.node.at, what, "write one such as 0.85")
}

fn rate(value: Value<'_>, notes: &mut Notes) -> Option<RequestsPerSecond> {
    let number = fields::number(value, notes)?;
    let rate = RequestsPerSecond::new(number);
    if rate.is_none() {
        let what = format!("`{}` is {number}, which is no rate", value.name);
        return refuse(notes, value.node.at, what, "write requests per second, zero or more");
    }
    rate
}

/// Reads `forecasts`, by the keys of their rules.
pub(super) fn forecasts(value: Value<'_>, notes: &mut Notes) -> Option<BTreeMap<String, Foreseen>> {
    let all = fields::entries(value, notes, |key, value, notes| {
        Some((key.name.clone(), foreseen(value, notes)?))
    })?;
    Some(all.into_iter().collect())
}

fn foreseen(value: Value<'_>, notes: &mut Notes) -> Option<Foreseen> {
    let mut fields = Fields::of(value, notes)?;
    let bound = fields.required("bound", "2800", notes, rate);
    let expected = fields.optional("expected", notes, rate);
    let horizon = fields.or("horizon_seconds", Duration::from_secs(240), notes, seconds);
    let level = fields.or("level", Level::default(), notes, level);
    let belief = fields.or("belief", Belief::Trusted, notes, belief);
    fields.finish(notes);
    let bound = bound?.get();
    Some(Foreseen {
        bound,
        expected: expected?.map_or(bound, RequestsPerSecond::get),
        level: level?,
        horizon_seconds: horizon?.as_secs(),
        error: None,
        coverage: None,
        history_seconds: 0,
        belief: belief?,
    })
}

fn level(value: Value<'_>, notes: &mut Notes) -> Option<Level> {
    let number = fields::number(value, notes)?;
    let level = Level::new(number);
    if level.is_none() {
        let what = format!("`{}` is {number}, which is no level", value.name);
        return refuse(notes, value.node.at, what, "write one such as 0.95");
    }
    level
}

/// Whether the forecast is believed; the numbers are only for the sentence.
fn belief(value: Value<'_>, notes: &mut Notes) -> Option<Belief> {
    const DAY: u64 = 86_400;
    const WORDS: &[(&str, Belief)] = &[
        ("trusted", Belief::Trusted),
        ("not_enough_history", Belief::NotEnoughHistory { have_seconds: 0, need_seconds: DAY }),
        ("silent", Belief::Silent { seconds: 600 }),
        ("costlier_than_reacting", Belief::CostlierThanReacting { times: 2.0 }),
    ];
    fields::word(WORDS)(value, notes)
}
