//! A policy from the few keys that somebody names, for looking at one decision by itself.
//!
//! In: the tree of a fragment, and the names of the signals that there are values for.
//! Out: the [`Policy`] that results when the fragment is laid over a neutral one, in which no
//! guard moves a count and no rule keeps headroom.
//! Never: reads a key in another way than a policy file's: the readers are the same.

use std::collections::BTreeMap;

use super::document::{self, Key, Kind, Node};
use super::fields::{Notes, Value, refuse, wrong_kind};
use super::problem::Place;
use super::read;
use super::settings::Policy;
use crate::domain::SignalName;

/// The policy that changes nothing: what a fragment doesn't name is as here.
const NEUTRAL: &str = include_str!("neutral.yaml");

/// What an entry of `rules` is laid over, by its kind. Kinds that aren't here have no default
/// that would move a count.
const NEUTRAL_RULES: &str = include_str!("neutral_rules.yaml");

/// `bounds.max` where there is no limit: more nodes than any address block has room for, rounded
/// down to a round number.
const NO_LIMIT: i128 = 10_000_000;

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
    if let Some((max, at)) = max_of(entries).filter(|(max, _)| NO_LIMIT < *max) {
        let what = format!("`max` is {max}, and {NO_LIMIT} stands for no limit");
        return refuse(notes, at, what, "leave it out where there is no limit");
    }
    let here = value.node.at;
    let neutral_rules = own(NEUTRAL_RULES, here);
    let mut laid = entries.clone();
    for (key, node) in &mut laid {
        if key.name == "rules" {
            lay_over_rules(&neutral_rules, node);
        }
    }
    let mut names: BTreeMap<String, Series> =
        signals.iter().map(|name| (name.to_string(), Series::OfPool)).collect();
    let mut given = Node { at: here, kind: Kind::Map(laid) };
    visit(&mut given, &mut |node| named_signal(node, &mut names));

    let signals = entries.iter().filter(|(key, _)| key.name == "signals");
    let counted: Vec<&str> = signals.flat_map(counted).collect();
    names.retain(|name, _| !counted.contains(&name.as_str()));
    if names.is_empty() && counted.is_empty() {
        // A policy has a signal, even where no rule looks at one.
        names.insert("given".to_owned(), Series::OfPool);
    }

    let mut whole = own(NEUTRAL, here);
    lay_over(&mut whole, &declared(&names));
    lay_over(&mut whole, &given);
    let before = notes.len();
    let policy = read::policy(&whole, notes);
    if notes.len() == before { policy } else { None }
}

/// One of our own texts, as if all of it stood at one place of the fragment: what is said of a
/// key that is absent there must not point into a text that nobody sees.
fn own(text: &str, at: Place) -> Node {
    let mut node = document::read(text)
        .unwrap_or_else(|problem| panic!("our own text is good YAML: {problem:?}"));
    let at = Place { width: 1, ..at };
    visit(&mut node, &mut |node| {
        node.at = at;
        if let Kind::Map(entries) = &mut node.kind {
            entries.iter_mut().for_each(|(key, _)| key.at = at);
        }
    });
    node
}

/// Shows every node of a tree, a node before those below it.
fn visit(node: &mut Node, see: &mut impl FnMut(&mut Node)) {
    see(node);
    match &mut node.kind {
        Kind::Map(entries) => entries.iter_mut().for_each(|(_, node)| visit(node, see)),
        Kind::List(items) => items.iter_mut().for_each(|item| visit(item, see)),
        Kind::Null
        | Kind::Bool(_)
        | Kind::Integer(..)
        | Kind::Number(..)
        | Kind::Text(_)
        | Kind::Question(_) => {}
    }
}

/// `bounds.max`, where it is a whole number.
fn max_of(entries: &[(Key, Node)]) -> Option<(i128, Place)> {
    let (_, bounds) = entries.iter().find(|(key, _)| key.name == "bounds")?;
    let Kind::Map(bounds) = &bounds.kind else { return None };
    let (_, max) = bounds.iter().find(|(key, _)| key.name == "max")?;
    match max.kind {
        Kind::Integer(number, _) => Some((number, max.at)),
        _ => None,
    }
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

/// Lays each entry of `rules` over the neutral one of its kind, and a tolerance of its own over
/// none.
fn lay_over_rules(neutral: &Node, rules: &mut Node) {
    let (Kind::Map(neutral), Kind::List(rules)) = (&neutral.kind, &mut rules.kind) else {
        return;
    };
    let entries = rules.iter_mut().filter_map(|rule| match &mut rule.kind {
        Kind::Map(entries) => Some(entries),
        _ => None,
    });
    for (key, rule) in entries.flatten() {
        let Kind::Map(own) = &mut rule.kind else { continue };
        for (key, tolerance) in own.iter_mut().filter(|(key, _)| key.name == "tolerance") {
            lay_under(neutral, key, tolerance);
        }
        lay_under(neutral, key, rule);
    }
}

/// Lays `above` over the entry of `neutral` with its key, where there is one.
fn lay_under(neutral: &[(Key, Node)], key: &Key, above: &mut Node) {
    let below = neutral.iter().find(|(known, _)| known.name == key.name);
    if let (Some((_, below)), Kind::Map(_)) = (below, &above.kind) {
        let mut whole = below.clone();
        lay_over(&mut whole, above);
        *above = whole;
    }
}

/// Whether a signal has one series over the pool or one of each node.
#[derive(Clone, Copy, PartialEq)]
enum Series {
    OfPool,
    OfNodes,
}

/// Notes the text of a mapping's key `signal`.
fn named_signal(node: &Node, names: &mut BTreeMap<String, Series>) {
    let Kind::Map(entries) = &node.kind else { return };
    let has = |name: &str| entries.iter().any(|(key, _)| key.name == name);
    let series = match has("average") || has("utilisation_percent") {
        true => Series::OfNodes,
        false => Series::OfPool,
    };
    for (_, node) in entries.iter().filter(|(key, _)| key.name == "signal") {
        let Kind::Text(name) = &node.kind else { continue };
        // What is no name is refused where the rule is read.
        let name = SignalName::new(name.as_str()).map(String::from);
        let known = name.ok().map(|name| names.entry(name).or_insert(series));
        if let (Some(known), Series::OfNodes) = (known, series) {
            *known = series;
        }
    }
}

/// The names below `signals` that balancers count: they have no query.
fn counted((_, signals): &(Key, Node)) -> Vec<&str> {
    let Kind::Map(signals) = &signals.kind else { return Vec::new() };
    let is_counted = |node: &Node| match &node.kind {
        Kind::Map(keys) => keys.iter().any(|(key, _)| key.name == "haproxy"),
        _ => false,
    };
    let counted = signals.iter().filter(|(_, node)| is_counted(node));
    counted.map(|(key, _)| key.name.as_str()).collect()
}

/// `signals:` with a query for each name.
fn declared(names: &BTreeMap<String, Series>) -> Node {
    let given = || Kind::Text("given".to_owned());
    let signals = names.iter().map(|(name, series)| {
        let source = match series {
            Series::OfPool => map([("query", given())]),
            Series::OfNodes => map([("query", given()), ("node_label", given())]),
        };
        (name.as_str(), map([("prometheus", source)]))
    });
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
    fn a_signal_is_what_a_rule_names_and_no_other_word() {
        let text = "{rules: [{target: {signal: load, per_node: 10, scale_in: never}}]}";
        let policy = read(text).0.expect("no problem, so a policy");
        let names: Vec<&str> = policy.signals.keys().map(SignalName::as_str).collect();
        assert_eq!(names, ["load"]);
    }

    #[test]
    fn half_a_tolerance_of_a_rules_own_is_no_tolerance_the_other_way() {
        let text = "{rules: [{target: {signal: load, per_node: 10, tolerance: {out_percent: 5}}}]}";
        let policy = read(text).0.expect("no problem, so a policy");
        let tolerance = policy.rules[0].tolerance().expect("it has one");
        assert_eq!((tolerance.out.get(), tolerance.scale_in.get()), (5.0, 0.0));
    }

    #[test]
    fn the_largest_count_may_be_written_down() {
        let text = "{bounds: {max: 10000000}, rules: [{target: {signal: load, per_node: 10}}]}";
        assert_eq!(read(text).1, []);
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
    fn a_signal_that_balancers_count_gets_no_query_beside_it() {
        let (policy, notes) = read(
            "{signals: {waiting: {haproxy: {metric: queue}}}, rules: [{target: {signal: waiting, \
             value: 5}}]}",
        );
        assert_eq!(notes, []);
        let policy = policy.expect("no problem, so a policy");
        let sources: Vec<_> = policy.signals.values().map(|signal| &signal.source).collect();
        assert!(matches!(sources[..], [crate::policy::SignalSource::Haproxy(_)]), "{sources:?}");
    }

    #[test]
    fn mistakes_are_told_with_their_place_in_the_fragment() {
        for (text, column, what) in [
            ("{tolerance: {out: 5}}", 14, "`out` is no key of `tolerance`"),
            ("{bounds: {min: 2, min: 3}}", 19, "`min` is there a second time"),
            ("{node: {}}", 2, "`node` has no part in a decision"),
            (
                "{bounds: {max: 20000000}}",
                16,
                "`max` is 20000000, and 10000000 stands for no limit",
            ),
            ("{tolerance: {}}", 1, "`rules` is empty"),
            ("{rules: [{target: {signal: load}}]}", 19, "`per_node` is missing in `target`"),
        ] {
            let (policy, notes) = read(text);
            assert!(policy.is_none(), "{text} was accepted");
            let found =
                notes.iter().any(|note| note.at.column == column && note.what.starts_with(what));
            assert!(found, "{text}: {notes:?}");
        }
    }
}
