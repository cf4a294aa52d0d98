//! `rules`: what each signal wants.

mod count;
mod fixed;
mod forecast;
mod hint;
mod latency;
mod schedule;
mod step;
mod surge;
mod target;

pub(super) use schedule::{cron, wall_time, zone};

use super::super::document::{Kind, Node};
use super::super::fields::{self, Fields, Notes, Value, refuse, wrong_kind};
use super::super::nearest::suggestion;
use super::super::problem::{Place, Problem};
use super::super::settings::{Bounds, Rule, RuleScaleIn};
use crate::domain::{Percent, RequestsPerSecond, SignalName};

/// The kinds of rules.
const KINDS: &[&str] =
    &["target", "latency", "count", "fixed", "step", "schedule", "forecast", "surge", "hint"];

/// Reads the list; `known` are the signals, `of_nodes` those with a series of each node, and
/// `bounds` the policy's own, or `None` where they could not be read.
pub(super) fn rules(
    value: Value<'_>,
    known: Option<&[SignalName]>,
    of_nodes: Option<&[SignalName]>,
    bounds: Option<Bounds>,
    notes: &mut Notes,
) -> Option<Vec<Rule>> {
    let rules = fields::list(value, notes, |value, notes| {
        let rule = rule(value, known, bounds, notes)?;
        fits(value, &rule, of_nodes, notes).then_some(rule)
    })?;
    if rules.is_empty() {
        let what = "`rules` is empty, so nothing would ever change the count";
        return refuse(notes, value.node.at, what, "add at least one `- target: {…}`");
    }
    Some(rules)
}

/// A rule is a mapping with one key, its kind: so a problem inside keeps its exact place.
fn rule(
    value: Value<'_>,
    known: Option<&[SignalName]>,
    bounds: Option<Bounds>,
    notes: &mut Notes,
) -> Option<Rule> {
    if let Kind::Question(question) = &value.node.kind {
        for kind in KINDS {
            let form = question.form();
            form.requires(kind);
            let below = form.key(kind).node();
            of_kind(kind, Value { name: kind, node: &below }, known, bounds, notes);
        }
        return None;
    }
    let Kind::Map(map) = &value.node.kind else {
        return wrong_kind(value, "a mapping such as `target: {…}`", notes);
    };
    let [(key, node)] = map.as_slice() else {
        let what = format!("`{}` must have one key, its kind, but has {}", value.name, map.len());
        let help = "begin each rule with its own `- `, such as `- target: {…}`";
        return refuse(notes, value.node.at, what, help);
    };
    let value = Value { name: &key.name, node };
    match key.name.as_str() {
        kind if KINDS.contains(&kind) => of_kind(kind, value, known, bounds, notes),
        other => {
            let shown: String = other.chars().take(60).collect();
            let what = format!("`{shown}` is no kind of rule");
            refuse(notes, key.at, what, suggestion(other, KINDS))
        }
    }
}

/// Reads what stands below a kind, one of [`KINDS`].
fn of_kind(
    kind: &str,
    value: Value<'_>,
    known: Option<&[SignalName]>,
    bounds: Option<Bounds>,
    notes: &mut Notes,
) -> Option<Rule> {
    match kind {
        "target" => target::target(value, known, notes).map(Rule::Target),
        "latency" => latency::latency(value, known, notes).map(Rule::Latency),
        "count" => count::count(value, known, notes).map(Rule::Count),
        "fixed" => fixed::fixed(value, notes).map(Rule::Fixed),
        "step" => step::step(value, known, notes).map(Rule::Step),
        "schedule" => schedule::schedule(value, bounds, notes).map(Rule::Schedule),
        "forecast" => forecast::forecast(value, known, notes).map(Rule::Forecast),
        "surge" => surge::surge(value, known, notes).map(Rule::Surge),
        "hint" => hint::hint(value, known, notes).map(Rule::Hint),
        other => unreachable!("`{other}` is in the list of kinds without a reader"),
    }
}

/// Whether a rule on single nodes looks at a signal that has them, and any other at none such.
fn fits(value: Value<'_>, rule: &Rule, of_nodes: Option<&[SignalName]>, notes: &mut Notes) -> bool {
    let (Some(signal), Some(of_nodes)) = (rule.signal(), of_nodes) else { return true };
    let (what, help) = match (rule.reads_each_node(), of_nodes.contains(signal)) {
        (true, true) | (false, false) => return true,
        (true, false) => (
            format!("`{signal}` has one value, but this rule needs one of each node"),
            "add `node_label` to the signal, such as `node_label: instance`",
        ),
        (false, true) => (
            format!("`{signal}` has a value of each node, but this rule needs one"),
            "aggregate it in the query (`sum(…)`) and delete its `node_label`",
        ),
    };
    notes.push(Problem { at: signal_place(value.node), what, help: help.into() });
    false
}

/// Where a rule's `signal` is written; the rule's own place where it has none.
fn signal_place(rule: &Node) -> Place {
    let inside = |node: &Node, wanted: &dyn Fn(&str) -> bool| match &node.kind {
        Kind::Map(map) => {
            map.iter().find(|(key, _)| wanted(&key.name)).map(|(_, node)| node.clone())
        }
        _ => None,
    };
    let found = inside(rule, &|_| true).and_then(|body| inside(&body, &|key| key == "signal"));
    found.map_or(rule.at, |signal| signal.at)
}

/// The name of a rule's group.
fn group(fields: &mut Fields<'_>, notes: &mut Notes) -> Option<Option<String>> {
    fields.optional("group", notes, fields::line)
}

/// The words for [`RuleScaleIn`].
const SCALE_IN: &[(&str, RuleScaleIn)] =
    &[("allowed", RuleScaleIn::Allowed), ("never", RuleScaleIn::Never)];

fn signal(value: Value<'_>, known: Option<&[SignalName]>, notes: &mut Notes) -> Option<SignalName> {
    let name = fields::line(value, notes)?;
    // Without readable signals every name would be unknown: one problem, not one for each rule.
    let Some(known) = known else {
        return SignalName::new(name).ok();
    };
    match known.iter().find(|known| known.as_str() == name) {
        Some(known) => Some(known.clone()),
        None => {
            let names: Vec<&str> = known.iter().map(SignalName::as_str).collect();
            let shown: String = name.chars().take(60).collect();
            let what = format!("`{shown}` is no signal of this policy");
            refuse(notes, value.node.at, what, suggestion(&name, &names))
        }
    }
}

/// The requests per second that one warm node carries.
pub(super) fn rate_above_zero(value: Value<'_>, notes: &mut Notes) -> Option<RequestsPerSecond> {
    let number = fields::number(value, notes)?;
    match RequestsPerSecond::new(number) {
        Some(rate) if 0.0 < rate.get() => Some(rate),
        _ => {
            let what = format!("`{}` is {number}, but a node carries more than that", value.name);
            let help = "write the requests per second that one warm node carries, above zero";
            refuse(notes, value.node.at, what, help)
        }
    }
}

fn percent(value: f64) -> Percent {
    Percent::new(value).expect("our own defaults are percentages")
}
