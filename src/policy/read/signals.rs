//! `signals`: what is measured, by name.

use std::collections::BTreeMap;

use super::super::document::Kind;
use super::super::fields::{self, Fields, Notes, Value, refuse};
use super::super::settings::{
    BalancerMetric, BalancerSignal, Coverage, CoverageNeed, Measures, NodeSeries, Signal,
    SignalSource, Take,
};
use crate::domain::{BackendName, Duration, SignalName};

/// Three scrapes of 15 s, Prometheus' usual interval: one may be lost, none may be forgotten.
const STALE_AFTER: Duration = Duration::from_secs(45);

/// Balancers are looked at every second, and one look at one of them may fail.
const BALANCER_STALE_AFTER: Duration = Duration::from_secs(5);
/// What balancers count is taken over so long. At some hundred requests per second, half of it is
/// noisy, and twice of it sees a surge late.
const OVER: Duration = Duration::from_secs(20);
/// A rate over less is mostly noise.
const SHORTEST_RATE: Duration = Duration::from_secs(5);
/// Every look of this time is kept in memory.
const LONGEST_OVER: Duration = Duration::from_secs(600);

/// The words for [`BalancerMetric`].
const METRIC: &[(&str, BalancerMetric)] = &[
    ("request_rate", BalancerMetric::RequestRate),
    ("queue", BalancerMetric::Queue),
    ("sessions", BalancerMetric::Sessions),
];
/// The words for [`Take`].
const TAKE: &[(&str, Take)] = &[("mean", Take::Mean), ("max", Take::Max)];

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
    let of_nodes = signals.iter().filter(|(_, signal)| signal.source.nodes().is_some());
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
    let queried = fields.optional("prometheus", notes, prometheus);
    let counted = fields.optional("haproxy", notes, haproxy);
    let measures = fields.or("measures", Measures::Pool, notes, fields::word(MEASURES));
    let least = fields::duration_from(Duration::from_secs(1));
    let stale_after = fields.optional("stale_after", notes, least);
    let coverage = fields.optional("coverage", notes, coverage);
    let source = match (queried, counted) {
        (Some(Some(queried)), Some(None)) => Some(queried),
        (Some(None), Some(Some(counted))) => {
            let of_others = ["prometheus", "measures", "coverage"].iter();
            let mut of_others = of_others.filter(|key| fields.has(key)).peekable();
            match of_others.peek() {
                None => Some(SignalSource::Haproxy(counted)),
                Some(key) => {
                    let what = format!("`{key}` beside `haproxy`, whose counters are the pool's");
                    refuse(notes, fields.place(key), what, "delete it")
                }
            }
        }
        (Some(Some(_)), Some(Some(_))) => {
            let what = format!("`{}` has both `prometheus` and `haproxy`", value.name);
            refuse(notes, fields.at, what, "keep one, and name a second signal for the other")
        }
        (Some(None), Some(None)) => {
            let what = format!("`prometheus` or `haproxy` is missing in `{}`", value.name);
            refuse(notes, fields.at, what, "add one, such as `prometheus: {query: '…'}`")
        }
        (None, _) | (_, None) => None,
    };
    let coverage_at = fields.place("coverage");
    fields.finish(notes);
    let (source, coverage) = (source?, coverage?);
    if source.nodes().is_some() && coverage.is_some() {
        let what = "`coverage` beside `node_label`: each node's series is its own coverage";
        return refuse(notes, coverage_at, what, "delete `coverage`");
    }
    let usual = match source {
        SignalSource::Prometheus { .. } => STALE_AFTER,
        SignalSource::Haproxy(_) => BALANCER_STALE_AFTER,
    };
    let stale_after = stale_after?.unwrap_or(usual);
    Some(Signal { source, measures: measures?, stale_after, coverage })
}

fn haproxy(value: Value<'_>, notes: &mut Notes) -> Option<BalancerSignal> {
    let mut fields = Fields::of(value, notes)?;
    let backend = fields.optional(
        "backend",
        notes,
        fields::parsed::<BackendName>("write the backend's name from haproxy.cfg"),
    );
    let metric = fields.required("metric", "request_rate", notes, fields::word(METRIC));
    let over = fields.or("over", OVER, notes, fields::duration);
    let take = fields.optional("take", notes, fields::word(TAKE));
    let (over_at, take_at) = (fields.place("over"), fields.place("take"));
    fields.finish(notes);
    let (metric, over, take) = (metric?, over?, take?);
    if LONGEST_OVER < over {
        let what = format!("`over` is {}, and 10m is the longest", fields::written_out(over));
        return refuse(notes, over_at, what, "use a Prometheus query for longer times");
    }
    if metric == BalancerMetric::RequestRate {
        if over < SHORTEST_RATE {
            let what = format!("`over` is {}, and a rate needs 5s", fields::written_out(over));
            return refuse(notes, over_at, what, "write 5s or more, such as `over: 20s`");
        }
        if take == Some(Take::Max) {
            let what = "`take: max` beside `request_rate`: a rate is the mean over its time";
            return refuse(notes, take_at, what, "delete `take`, or shorten `over`");
        }
    }
    Some(BalancerSignal { backend: backend?, metric, over, take: take.unwrap_or(Take::Mean) })
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
