//! What was seen at the look of a case.
//!
//! In: the `observation` of a case.
//! Out: the engine's [`Observation`], its history still to be filled in.
//! Never: makes a value up: what is missing is said to be missing.

use std::collections::BTreeMap;

use super::expected::{forecasts, hints};
use super::history::seconds;
use super::nodes::nodes;
use super::orders::orders;
use crate::domain::{
    Duration, FleetCounts, Missing, NodeCount, Reading, Sample, SignalName, Timestamp, before,
};
use crate::engine::{Announced, History, KeptSample, Observation, Overrides, Readiness};
use crate::policy::document::Kind;
use crate::policy::fields::{self, Fields, Notes, Value, refuse, wrong_kind};

/// The moment of a look that names none: ages need one to count from, and a round one shows
/// in reasons how far they reach. 2000-01-01T00:00:00Z.
pub(super) const EPOCH: Timestamp = Timestamp::constant(946_684_800, 0);

/// What was seen.
pub(super) struct Seen {
    /// The count before the decision.
    pub count: NodeCount,
    /// What was read before the reading, oldest first, by the signals that have several samples.
    pub earlier: BTreeMap<SignalName, Vec<KeptSample>>,
    /// All that the engine sees but the history.
    pub observation: Observation,
}

/// Reads `observation`.
pub(super) fn observation(value: Value<'_>, notes: &mut Notes) -> Option<Seen> {
    let mut fields = Fields::of(value, notes)?;
    let any = fields::whole(0, u32::MAX);
    let at = fields.or("at", EPOCH, notes, moment);
    let count = fields.required("count", "3", notes, &any);
    let serving = fields.optional("serving", notes, &any);
    let on_the_way = fields.optional("on_the_way", notes, &any);
    let standby = fields.or("standby", 0, notes, &any);
    let leaving = fields.or("leaving", 0, notes, &any);
    let is_held = fields.or("held", false, notes, yes_or_no);
    let at = at?;
    let overrides =
        fields.or("orders", Overrides::default(), notes, |value, notes| orders(value, at, notes));
    let hints =
        fields.or("hints", Announced::default(), notes, |value, notes| hints(value, at, notes));
    let forecasts = fields.or("forecasts", BTreeMap::new(), notes, forecasts);
    let nodes_at = fields.place("nodes");
    let nodes = fields.optional("nodes", notes, |value, notes| nodes(value, at, notes));
    let given = fields.or("signals", Vec::new(), notes, |value, notes| {
        signals(value, notes, |value, notes| given(value, at, notes))
    });
    fields.finish(notes);
    let (count, nodes, given) = (count?, nodes?, given?);
    let known = |readiness| nodes.as_ref().map(|nodes| nodes.count(readiness));
    let serving = serving?.or_else(|| known(Readiness::Ready)).unwrap_or(count);
    let on_the_way = on_the_way?.or_else(|| known(Readiness::Unready));
    let on_the_way = on_the_way.unwrap_or_else(|| count.saturating_sub(serving));
    let nodes = nodes.unwrap_or_default();
    let listed = nodes.nodes.clone();
    let (mut readings, mut earlier) = (BTreeMap::new(), BTreeMap::new());
    for (name, given) in given {
        if !given.earlier.is_empty() {
            earlier.insert(name.clone(), given.earlier);
        }
        readings.insert(name, given.reading);
    }
    for (name, reading) in nodes.readings() {
        if readings.contains_key(&name) {
            let what = format!("`{name}` has a value over the pool and values of nodes");
            return refuse(notes, nodes_at, what, "keep one of the two");
        }
        readings.insert(name, reading);
    }
    Some(Seen {
        count: NodeCount(count),
        earlier,
        observation: Observation {
            at,
            fleet: FleetCounts {
                serving: NodeCount(serving),
                on_the_way: NodeCount(on_the_way),
                standby: NodeCount(standby?),
                leaving: NodeCount(leaving?),
            },
            nodes: listed,
            readings,
            forecasts: forecasts?,
            is_held: is_held?,
            overrides: overrides?,
            costs: None,
            hints: hints?,
            history: History::default(),
        },
    })
}

/// Every entry of a mapping from signals.
pub(super) fn signals<T>(
    value: Value<'_>,
    notes: &mut Notes,
    read: impl Fn(Value<'_>, &mut Notes) -> Option<T>,
) -> Option<Vec<(SignalName, T)>> {
    fields::entries(value, notes, |key, value, notes| {
        let name = SignalName::new(key.name.as_str());
        let read = read(value, notes);
        match name {
            Ok(name) => Some((name, read?)),
            Err(what) => refuse(notes, key.at, what, "rename it"),
        }
    })
}

/// What is said of one signal over the pool.
struct Given {
    reading: Reading,
    earlier: Vec<KeptSample>,
}

/// A number, or a mapping that says more about it or why there is none.
fn given(value: Value<'_>, at: Timestamp, notes: &mut Notes) -> Option<Given> {
    match &value.node.kind {
        Kind::Integer(..) | Kind::Number(..) => {
            let value = fields::number(value, notes)?;
            let reading = Reading::Fresh { sample: Sample { at, value } };
            Some(Given { reading, earlier: Vec::new() })
        }
        Kind::Map(_) => detailed(value, at, notes),
        _ => wrong_kind(value, "a number or a mapping such as `{missing: empty}`", notes),
    }
}

fn detailed(value: Value<'_>, at: Timestamp, notes: &mut Notes) -> Option<Given> {
    let mut fields = Fields::of(value, notes)?;
    let number = fields.optional("value", notes, fields::number);
    let samples = fields
        .optional("samples", notes, |value, notes| fields::list(value, notes, fields::number));
    let age = fields.or("age_seconds", Duration::ZERO, notes, seconds);
    let missing = fields.optional("missing", notes, missing);
    let seen = fields.optional("seen", notes, fields::whole(0, u32::MAX));
    let wanted = fields.optional("wanted", notes, fields::whole(0, u32::MAX));
    fields.finish(notes);
    let (number, samples, missing, age) = (number?, samples?, missing?, age?);
    let (values, missing) = match (number, samples, missing) {
        (Some(number), None, None) => (vec![number], None),
        (None, Some(samples), None) if samples.is_empty() => (samples, Some(Missing::Empty)),
        (None, Some(samples), None) => (samples, None),
        (None, None, Some(missing)) => (Vec::new(), Some(missing)),
        _ => return refuse_reading(value, notes),
    };
    let mut samples = a_second_apart(&values, before(at, age));
    let reading = match (samples.pop(), missing, seen?, wanted?) {
        (Some(sample), None, None, None) => Reading::Fresh { sample },
        (Some(sample), None, Some(seen), Some(wanted)) if wanted <= seen => {
            Reading::Fresh { sample }
        }
        (Some(sample), None, Some(seen), Some(wanted)) => Reading::Partial { sample, seen, wanted },
        (None, Some(why), None, None) => Reading::Missing { why },
        _ => return refuse_reading(value, notes),
    };
    // What is below zero was never a reading, so nobody kept it.
    let readable = samples.into_iter().filter(|sample| 0.0 <= sample.value);
    let kept = readable.map(|Sample { at, value }| KeptSample { at, value, is_whole: true });
    Some(Given { reading, earlier: kept.collect() })
}

/// Samples of these values, oldest first, of which the last was true at `last`.
fn a_second_apart(values: &[f64], last: Timestamp) -> Vec<Sample> {
    let ages = (0..values.len() as u64).rev().map(Duration::from_secs);
    let moments = ages.map(|age| before(last, age));
    values.iter().zip(moments).map(|(value, at)| Sample { at, value: *value }).collect()
}

fn refuse_reading<T>(value: Value<'_>, notes: &mut Notes) -> Option<T> {
    let what = format!("`{}` is neither a value nor missing", value.name);
    let help = "write `value` or `samples`, perhaps with `seen` and `wanted`, or `missing` alone";
    refuse(notes, value.node.at, what, help)
}

/// The words for why a signal has no value.
fn missing(value: Value<'_>, notes: &mut Notes) -> Option<Missing> {
    const WORDS: &[(&str, Word)] = &[
        ("empty", Word::Empty),
        ("stale", Word::Stale),
        ("not_a_number", Word::NotANumber),
        ("many_series", Word::ManySeries),
        ("query_failed", Word::QueryFailed),
    ];
    let missing = match fields::word(WORDS)(value, notes)? {
        Word::Empty => Missing::Empty,
        // The numbers are only for the sentence: what is stale was judged before the engine.
        Word::Stale => Missing::Stale { age_seconds: 60, limit_seconds: 45 },
        Word::NotANumber => Missing::NotANumber,
        Word::ManySeries => Missing::ManySeries { count: 2, labels: Vec::new() },
        Word::QueryFailed => Missing::QueryFailed { message: "the case says so".into() },
    };
    Some(missing)
}

#[derive(Clone, Copy)]
enum Word {
    Empty,
    Stale,
    NotANumber,
    ManySeries,
    QueryFailed,
}

fn moment(value: Value<'_>, notes: &mut Notes) -> Option<Timestamp> {
    let text = fields::line(value, notes)?;
    match text.parse() {
        Ok(moment) => Some(moment),
        Err(_) => {
            let what = format!("`{}` is no moment in UTC", value.name);
            refuse(notes, value.node.at, what, "write one such as 2026-11-24T03:10:00Z")
        }
    }
}

fn yes_or_no(value: Value<'_>, notes: &mut Notes) -> Option<bool> {
    match &value.node.kind {
        Kind::Bool(value) => Some(*value),
        _ => wrong_kind(value, "`true` or `false`", notes),
    }
}
