//! `signals`: what is measured, by name.

use std::collections::BTreeMap;

use super::super::document::Kind;
use super::super::fields::{self, Fields, Notes, Value, refuse};
use super::super::settings::{Coverage, CoverageNeed, Signal, SignalSource};
use crate::domain::{Duration, SignalName};

/// Three scrapes of 15 s, Prometheus' usual interval: one may be lost, none may be forgotten.
const STALE_AFTER: Duration = Duration::from_secs(45);

/// The names of the signals, whatever else is wrong with them; `None` where there is none.
pub(super) fn names(value: Value<'_>) -> Option<Vec<SignalName>> {
    let Kind::Map(map) = &value.node.kind else {
        return None;
    };
    let names = map.iter().filter_map(|(key, _)| SignalName::new(key.name.as_str()).ok());
    let names: Vec<SignalName> = names.collect();
    (!names.is_empty()).then_some(names)
}

pub(super) fn signals(value: Value<'_>, notes: &mut Notes) -> Option<BTreeMap<SignalName, Signal>> {
    let signals = fields::entries(value, notes, |key, value, notes| {
        let name = SignalName::new(key.name.as_str());
        let signal = signal(value, notes);
        match name {
            Ok(name) => Some((name, signal?)),
            Err(what) => refuse(notes, key.at, what, "rename it"),
        }
    })?;
    if signals.is_empty() {
        let what = "`signals` is empty, so there is nothing to decide by";
        return refuse(notes, value.node.at, what, "name at least one signal and its query");
    }
    Some(signals.into_iter().collect())
}

fn signal(value: Value<'_>, notes: &mut Notes) -> Option<Signal> {
    let mut fields = Fields::of(value, notes)?;
    fields.unsupported("haproxy", "read the same rate with a Prometheus query");
    let query = fields.required("prometheus", "{query: '…'}", notes, prometheus);
    let stale_after =
        fields.or("stale_after", STALE_AFTER, notes, fields::duration_from(Duration::from_secs(1)));
    let coverage = fields.optional("coverage", notes, coverage);
    fields.finish(notes);
    Some(Signal {
        source: SignalSource::Prometheus { query: query? },
        stale_after: stale_after?,
        coverage: coverage?,
    })
}

fn prometheus(value: Value<'_>, notes: &mut Notes) -> Option<String> {
    let mut fields = Fields::of(value, notes)?;
    let query = fields.required("query", "'sum(rate(…[1m]))'", notes, fields::text);
    fields.finish(notes);
    query
}

fn coverage(value: Value<'_>, notes: &mut Notes) -> Option<Coverage> {
    let mut fields = Fields::of(value, notes)?;
    let query = fields.required("query", "'count(up{…} == 1)'", notes, fields::text);
    let at_least = fields.or("at_least", CoverageNeed::Serving, notes, |value, notes| match &value
        .node
        .kind
    {
        Kind::Text(_) => fields::word(&[("serving", CoverageNeed::Serving)])(value, notes),
        Kind::Integer(..) => fields::whole(1, u32::MAX)(value, notes).map(CoverageNeed::Count),
        _ => fields::wrong_kind(value, "`serving` or a whole number", notes),
    });
    fields.finish(notes);
    Some(Coverage { query: query?, at_least: at_least? })
}
