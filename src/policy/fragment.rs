//! A policy from the few keys that somebody names, for looking at one decision by itself.
//!
//! In: the tree of a fragment, and the names of the signals that there are values for.
//! Out: the [`Policy`] that results when the fragment is laid over a neutral one, in which no
//! guard moves a count and no rule keeps headroom.
//! Never: reads a key in another way than a policy file's: the readers are the same.

use super::document::{self, Key, Kind, Node};
use super::fields::{Notes, Value, refuse, wrong_kind};
use super::problem::Place;
use super::read;
use super::settings::Policy;
use crate::domain::SignalName;

/// The policy that changes nothing: what a fragment doesn't name is as here. Beyond ten million
/// nodes, no address block would have room.
const NEUTRAL: &str = include_str!("neutral.yaml");

/// What an entry of `rules` is laid over, by its kind. Kinds that aren't here have no default
/// that would move a count.
const NEUTRAL_RULES: &str = include_str!("neutral_rules.yaml");

/// Keys of a policy that say how a node is made, which no decision looks at.
const ABOUT_NODES: &[&str] = &["pool", "node", "configure", "join", "leave", "health", "standby"];

/// Reads a fragment. Every signal of `signals`, and every one that a rule names, is declared as
/// if it had a query.
pub(crate) fn fragment(
    value: Value<'_>,
    signals: &[SignalName],
    notes: &mut Notes,
) -> Option<Policy> {
    let Kind::Map(entries) = &value.node.kind else {
        return wrong_kind(value, "a mapping of policy keys", notes);
    };
    if let Some((key, _)) = entries.iter().find(|(key, _)| ABOUT_NODES.contains(&&*key.name)) {
        let what = format!("`{}` has no part in a decision", key.name);
        return refuse(notes, key.at, what, "delete it");
    }
    let neutral_rules = own(NEUTRAL_RULES);
    let mut entries = entries.clone();
    for (key, node) in &mut entries {
        if key.name == "rules" {
            lay_over_rules(&neutral_rules, node);
        }
    }
    let mut names: Vec<String> = signals.iter().map(ToString::to_string).collect();
    entries.iter().for_each(|(_, node)| named_signals(node, &mut names));
    names.sort();
    names.dedup();

    let mut whole = own(NEUTRAL);
    lay_over(&mut whole, &declared(&names));
    lay_over(&mut whole, &Node { at: value.node.at, kind: Kind::Map(entries) });
    let before = notes.len();
    let policy = read::policy(&whole, notes);
    if notes.len() == before { policy } else { None }
}

/// One of our own texts.
fn own(text: &str) -> Node {
    document::read(text).unwrap_or_else(|problem| panic!("our own text is good YAML: {problem:?}"))
}

/// Lays `above` over `base`: mappings key by key, all else as a whole. Keys that repeat in
/// `above` stay repeated, to be refused.
fn lay_over(base: &mut Node, above: &Node) {
    base.at = above.at;
    let (Kind::Map(base), Kind::Map(entries)) = (&mut base.kind, &above.kind) else {
        base.kind = above.kind.clone();
        return;
    };
    let mut laid: Vec<&str> = Vec::new();
    for (key, node) in entries {
        let below = base.iter_mut().find(|(known, _)| known.name == key.name);
        match below.filter(|_| !laid.contains(&key.name.as_str())) {
            Some((known, below)) => {
                known.at = key.at;
                lay_over(below, node);
            }
            None => base.push((key.clone(), node.clone())),
        }
        laid.push(&key.name);
    }
}

/// Lays each entry of `rules` over the neutral one of its kind.
fn lay_over_rules(neutral: &Node, rules: &mut Node) {
    let (Kind::Map(neutral), Kind::List(rules)) = (&neutral.kind, &mut rules.kind) else {
        return;
    };
    let entries = rules.iter_mut().filter_map(|rule| match &mut rule.kind {
        Kind::Map(entries) => Some(entries),
        _ => None,
    });
    for (key, rule) in entries.flatten() {
        let below = neutral.iter().find(|(kind, _)| kind.name == key.name);
        if let (Some((_, below)), Kind::Map(_)) = (below, &rule.kind) {
            let mut whole = below.clone();
            lay_over(&mut whole, rule);
            *rule = whole;
        }
    }
}

/// Every text below a key `signal`.
fn named_signals(node: &Node, names: &mut Vec<String>) {
    match &node.kind {
        Kind::Map(entries) => {
            for (key, node) in entries {
                match &node.kind {
                    Kind::Text(name) if key.name == "signal" => {
                        // What is no name is refused where the rule is read.
                        names.extend(SignalName::new(name.as_str()).map(String::from));
                    }
                    _ => named_signals(node, names),
                }
            }
        }
        Kind::List(items) => items.iter().for_each(|item| named_signals(item, names)),
        Kind::Null | Kind::Bool(_) | Kind::Integer(..) | Kind::Number(..) | Kind::Text(_) => {}
    }
}

/// `signals:` with a query for each name; a rule without a signal still needs one declared.
fn declared(names: &[String]) -> Node {
    let query = map([("query", Kind::Text("given".into()))]);
    let signal = map([("prometheus", query)]);
    let unnamed = ["given".to_owned()];
    let names = if names.is_empty() { &unnamed } else { names };
    let signals = names.iter().map(|name| (name.as_str(), signal.clone()));
    let signals = map(signals.collect::<Vec<_>>());
    Node { at: Place::START, kind: map([("signals", signals)]) }
}

fn map<'k>(entries: impl IntoIterator<Item = (&'k str, Kind)>) -> Kind {
    let entries = entries.into_iter().map(|(name, kind)| {
        let key = Key { at: Place::START, name: name.to_owned() };
        (key, Node { at: Place::START, kind })
    });
    Kind::Map(entries.collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{Duration, NodeCount};
    use crate::policy::PaceLimit;

    fn read(text: &str) -> (Option<Policy>, Notes) {
        let node = document::read(text).expect("good YAML");
        let mut notes = Notes::new();
        let policy = fragment(Value { name: "policy", node: &node }, &[], &mut notes);
        (policy, notes)
    }

    #[test]
    fn what_a_fragment_does_not_name_changes_nothing() {
        let (policy, notes) = read("{rules: [{target: {signal: load, per_node: 10}}]}");
        assert_eq!(notes, []);
        let policy = policy.expect("no problem, so a policy");
        assert_eq!(policy.bounds.min, NodeCount::ZERO);
        assert_eq!(policy.bounds.max, NodeCount(10_000_000));
        assert_eq!((policy.tolerance.out.get(), policy.tolerance.scale_in.get()), (0.0, 0.0));
        assert_eq!((policy.scale_out.pace.len(), policy.scale_in.pace.len()), (0, 0));
        assert_eq!(policy.scale_in.stabilize, Duration::ZERO);
        assert_eq!(policy.scale_in.cooldown, Duration::ZERO);
        let crate::policy::Rule::Target(target) = &policy.rules[0] else { panic!("a target") };
        assert_eq!(target.headroom.get(), 0.0);
    }

    #[test]
    fn what_it_names_is_read_as_in_a_policy_file() {
        let text = "{bounds: {min: 2}, rules: [{target: {signal: load, per_node: 10, \
                    headroom_percent: 5}}], scale_in: {pace: [{nodes: 1, per: 1m}]}}";
        let (policy, notes) = read(text);
        assert_eq!(notes, []);
        let policy = policy.expect("no problem, so a policy");
        assert_eq!((policy.bounds.min, policy.bounds.default), (NodeCount(2), NodeCount(2)));
        assert_eq!(policy.scale_in.pace[0].limit, PaceLimit::Nodes(1));
        assert_eq!(policy.scale_in.stabilize, Duration::ZERO);
    }

    #[test]
    fn mistakes_are_told_with_their_place_in_the_fragment() {
        for (text, column, what) in [
            ("{tolerance: {out: 5}}", 14, "`out` is no key of `tolerance`"),
            ("{bounds: {min: 2, min: 3}}", 19, "`min` is there a second time"),
            ("{node: {}}", 2, "`node` has no part in a decision"),
            ("{rules: [{target: {signal: load}}]}", 19, "`per_node` is missing in `target`"),
        ] {
            let (policy, notes) = read(text);
            assert!(policy.is_none(), "{text} was accepted");
            let found = notes.iter().any(|note| note.at.column == column && note.what == what);
            assert!(found, "{text}: {notes:?}");
        }
    }
}
