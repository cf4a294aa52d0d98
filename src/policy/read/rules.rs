//! `rules`: what each signal wants.

use super::super::document::Kind;
use super::super::fields::{self, Fields, Notes, Value, refuse, wrong_kind};
use super::super::nearest::suggestion;
use super::super::settings::{LatencyRule, Rule, RuleScaleIn, TargetRule};
use crate::domain::{Duration, Percent, RequestsPerSecond, SignalName};

/// Room on top of the measured load, in per cent: what a surge may grow by while a node boots.
const HEADROOM: f64 = 15.0;
/// How long a latency must be too long: two scrapes, so that one slow sample adds no node.
const FOR: Duration = Duration::from_secs(30);
/// Nodes that a latency adds, in per cent of the serving ones.
const STEP: f64 = 25.0;

/// The words for [`RuleScaleIn`].
const SCALE_IN: &[(&str, RuleScaleIn)] =
    &[("allowed", RuleScaleIn::Allowed), ("never", RuleScaleIn::Never)];

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
        "target" => target(value, known, notes).map(Rule::Target),
        "latency" => latency(value, known, notes).map(Rule::Latency),
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

fn target(value: Value<'_>, known: Option<&[SignalName]>, notes: &mut Notes) -> Option<TargetRule> {
    let mut fields = Fields::of(value, notes)?;
    fields.unsupported("utilisation", "write `per_node`, the requests per second of one node");
    fields.unsupported("utilization", "write `per_node`, the requests per second of one node");
    let signal = fields.required("signal", "requests", notes, |v, n| signal(v, known, n));
    let per_node = fields.required("per_node", "400", notes, rate_above_zero);
    let headroom = fields.or("headroom_percent", percent(HEADROOM), notes, fields::percent);
    let scale_in = fields.or("scale_in", RuleScaleIn::Allowed, notes, fields::word(SCALE_IN));
    fields.finish(notes);
    Some(TargetRule {
        signal: signal?,
        per_node: per_node?,
        headroom: headroom?,
        scale_in: scale_in?,
    })
}

fn latency(
    value: Value<'_>,
    known: Option<&[SignalName]>,
    notes: &mut Notes,
) -> Option<LatencyRule> {
    let mut fields = Fields::of(value, notes)?;
    let signal = fields.required("signal", "p95", notes, |v, n| signal(v, known, n));
    let objective = fields.required("objective", "300ms", notes, fields::duration_above_zero);
    let clear_below = fields.optional("clear_below", notes, fields::duration_above_zero);
    let for_at_least = fields.or("for", FOR, notes, fields::duration);
    let step = fields.or("step_percent", percent(STEP), notes, fields::percent_above_zero);
    let clear_below_at = fields.place("clear_below");
    fields.finish(notes);

    let (objective, clear_below) = (objective?, clear_below?);
    let clear_below = clear_below.unwrap_or_else(|| two_thirds(objective));
    if objective < clear_below {
        let (clear, objective) = (fields::written_out(clear_below), fields::written_out(objective));
        let what = format!("`clear_below` is {clear}, above `objective`, which is {objective}");
        let help = "lower it: nodes may leave only well below the latency that adds some";
        return refuse(notes, clear_below_at, what, help);
    }
    Some(LatencyRule {
        signal: signal?,
        objective,
        clear_below,
        for_at_least: for_at_least?,
        step: step?,
    })
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

fn rate_above_zero(value: Value<'_>, notes: &mut Notes) -> Option<RequestsPerSecond> {
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

/// Two thirds of `objective`, in whole milliseconds where that leaves any.
fn two_thirds(objective: Duration) -> Duration {
    let exact = objective * 2 / 3;
    match u64::try_from(exact.as_millis()) {
        Ok(milliseconds) if 0 < milliseconds => Duration::from_millis(milliseconds),
        _ => exact,
    }
}

fn percent(value: f64) -> Percent {
    Percent::new(value).expect("our own defaults are percentages")
}
