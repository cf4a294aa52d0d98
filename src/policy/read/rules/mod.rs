//! `rules`: what each signal wants.

mod latency;
mod target;

use super::super::document::Kind;
use super::super::fields::{self, Notes, Value, refuse, wrong_kind};
use super::super::nearest::suggestion;
use super::super::settings::Rule;
use crate::domain::{Percent, SignalName};

/// Reads the list; `known` are the signals, or `None` where they could not be read.
pub(super) fn rules(
    value: Value<'_>,
    known: Option<&[SignalName]>,
    notes: &mut Notes,
) -> Option<Vec<Rule>> {
    let rules = fields::list(value, notes, |value, notes| rule(value, known, notes))?;
    if rules.is_empty() {
        let what = "`rules` is empty, so nothing would ever change the count";
        return refuse(notes, value.node.at, what, "add at least one `- target: {…}`");
    }
    Some(rules)
}

/// A rule is a mapping with one key, its kind: so a problem inside keeps its exact place.
fn rule(value: Value<'_>, known: Option<&[SignalName]>, notes: &mut Notes) -> Option<Rule> {
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
        "target" => target::target(value, known, notes).map(Rule::Target),
        "latency" => latency::latency(value, known, notes).map(Rule::Latency),
        later @ ("step" | "forecast" | "schedule" | "hint" | "hints") => refuse(
            notes,
            key.at,
            format!("the rule `{later}` is not supported by this version"),
            "delete it; it would have no effect. Possible here: `target`, `latency`",
        ),
        other => {
            let shown: String = other.chars().take(60).collect();
            let what = format!("`{shown}` is no kind of rule");
            refuse(notes, key.at, what, suggestion(other, &["target", "latency"]))
        }
    }
}

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

fn percent(value: f64) -> Percent {
    Percent::new(value).expect("our own defaults are percentages")
}
