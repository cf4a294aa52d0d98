//! `signals`: what is measured, by name.

use std::collections::BTreeMap;

use super::super::document::Kind;
use super::super::fields::{self, Fields, Notes, Value, refuse};
use super::super::settings::{Coverage, CoverageNeed, Measures, NodeSeries, Signal, SignalSource};
use crate::domain::{Duration, SignalName};

/// Three scrapes of 15 s, Prometheus' usual interval: one may be lost, none may be forgotten.
const STALE_AFTER: Duration = Duration::from_secs(45);

/// The word for [`CoverageNeed::Serving`].
const SERVING: &[(&str, CoverageNeed)] = &[("serving", CoverageNeed::Serving)];
/// The words for [`Measures`].
const MEASURES: &[(&str, Measures)] = &[("pool", Measures::Pool), ("node", Measures::Node)];

/// The names of the signals, whatever else is wrong with them; `None` where there is none.
pub(super) fn names(value: Value<'_>) -> Option<Vec<SignalName>> {
    let Kind::Map(map) = &value.node.kind else {
        return None;
    };
    let names = map.iter().filter_map(|(key, _)| SignalName::new(key.name.as_str()).ok());
    let names: Vec<SignalName> = names.collect();
    (!names.is_empty()).then_some(names)
}

/// The signals that have a series of each node.
pub(super) fn of_nodes(signals: &BTreeMap<SignalName, Signal>) -> Vec<SignalName> {
    let of_nodes = signals.iter().filter(|(_, signal)| match &signal.source {
        SignalSource::Prometheus { nodes, .. } => nodes.is_some(),
    });
    of_nodes.map(|(name, _)| name.clone()).collect()
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
    let source = fields.required("prometheus", "{query: '…'}", notes, prometheus);
    let measures = fields.or("measures", Measures::Pool, notes, fields::word(MEASURES));
    let stale_after =
        fields.or("stale_after", STALE_AFTER, notes, fields::duration_from(Duration::from_secs(1)));
    let coverage = fields.optional("coverage", notes, coverage);
    let coverage_at = fields.place("coverage");
    fields.finish(notes);
    let (source, coverage) = (source?, coverage?);
    let SignalSource::Prometheus { nodes, .. } = &source;
    if nodes.is_some() && coverage.is_some() {
        let what = "`coverage` beside `node_label`: each node's series is its own coverage";
        return refuse(notes, coverage_at, what, "delete `coverage`");
    }
    Some(Signal { source, measures: measures?, stale_after: stale_after?, coverage })
}

fn prometheus(value: Value<'_>, notes: &mut Notes) -> Option<SignalSource> {
    let mut fields = Fields::of(value, notes)?;
    let query = fields.required("query", "'sum(rate(…[1m]))'", notes, fields::text);
    let label = fields.optional("node_label", notes, label_name);
    let capacity = fields.optional("capacity", notes, fields::number_above_zero);
    let capacity_at = fields.place("capacity");
    fields.finish(notes);
    let (query, label, capacity) = (query?, label?, capacity?);
    if label.is_none() && capacity.is_some() {
        let what = "`capacity` without `node_label`: only a node has one";
        return refuse(
            notes,
            capacity_at,
            what,
            "add `node_label`, such as `node_label: instance`",
        );
    }
    let nodes = label.map(|label| NodeSeries { label, capacity: capacity.unwrap_or(1.0) });
    Some(SignalSource::Prometheus { query, nodes })
}

/// The name of a label as Prometheus has them.
fn label_name(value: Value<'_>, notes: &mut Notes) -> Option<String> {
    let name = fields::line(value, notes)?;
    let first = |c: char| c.is_ascii_alphabetic() || c == '_';
    if name.starts_with(first) && name.chars().all(|c| first(c) || c.is_ascii_digit()) {
        return Some(name);
    }
    let shown: String = name.chars().take(60).collect();
    let what = format!("`{shown}` is no name of a label");
    refuse(notes, value.node.at, what, "letters, digits and `_`, such as `instance`")
}

fn coverage(value: Value<'_>, notes: &mut Notes) -> Option<Coverage> {
    let mut fields = Fields::of(value, notes)?;
    let query = fields.required("query", "'count(up{…} == 1)'", notes, fields::text);
    let count = |value: Value<'_>, notes: &mut Notes| {
        fields::whole(1, u32::MAX)(value, notes).map(CoverageNeed::Count)
    };
    let at_least = fields::word_or(SERVING, "`serving` or a whole number", count);
    let at_least = fields.or("at_least", CoverageNeed::Serving, notes, at_least);
    fields.finish(notes);
    Some(Coverage { query: query?, at_least: at_least? })
}
