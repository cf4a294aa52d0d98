//! What changed between two policies, in the words of a policy file.
//!
//! In: two policies.
//! Out: each key whose value differs, defaults written out.
//! Never: speaks of comments, order or spelling, which change nothing.

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};

use super::document::{self, Kind, Node};
use super::explain_defaults;
use super::settings::Policy;

/// One key whose value differs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Difference {
    /// The key, such as `scale_in.pace[0].nodes`.
    pub key: String,
    /// The value before; none where the key is new.
    pub before: Option<String>,
    /// The value after; none where the key is gone.
    pub after: Option<String>,
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { key, before, after } = self;
        match (before, after) {
            (Some(before), Some(after)) => write!(f, "{key}: {before} → {after}"),
            (None, Some(after)) => write!(f, "{key}: new, {after}"),
            (Some(before), None) => write!(f, "{key}: gone, was {before}"),
            (None, None) => write!(f, "{key}"),
        }
    }
}

/// Every key whose value differs, in alphabetical order.
pub fn differences(before: &Policy, after: &Policy) -> Vec<Difference> {
    let (mut before, mut after) = (values(before), values(after));
    let keys: Vec<String> = before.keys().chain(after.keys()).cloned().collect();
    let mut found: Vec<Difference> = keys
        .into_iter()
        .map(|key| Difference { before: before.remove(&key), after: after.remove(&key), key })
        .filter(|one| one.before != one.after)
        .collect();
    found.sort_by(|one, other| one.key.cmp(&other.key));
    found
}

/// Every value of a policy by its key.
fn values(policy: &Policy) -> BTreeMap<String, String> {
    let whole = document::read(&explain_defaults(policy)).expect("what we write we can read");
    let mut values = BTreeMap::new();
    gather(&whole, String::new(), &mut values);
    values
}

fn gather(node: &Node, key: String, values: &mut BTreeMap<String, String>) {
    let value = match &node.kind {
        Kind::Map(map) if !map.is_empty() => {
            for (name, below) in map {
                let dot = if key.is_empty() { "" } else { "." };
                gather(below, format!("{key}{dot}{}", name.name), values);
            }
            return;
        }
        Kind::List(items) if !items.is_empty() => {
            for (index, item) in items.iter().enumerate() {
                gather(item, format!("{key}[{index}]"), values);
            }
            return;
        }
        Kind::Map(_) => "{}".to_owned(),
        Kind::List(_) => "[]".to_owned(),
        Kind::Null | Kind::Question(_) => "nothing".to_owned(),
        Kind::Bool(value) => value.to_string(),
        Kind::Integer(_, written) | Kind::Number(_, written) => written.clone(),
        Kind::Text(text) => text.clone(),
    };
    values.insert(key, value);
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::policy::parse;

    const MINIMAL: &str = include_str!("../../policies/minimal.yaml");

    fn changes(find: &str, replace: &str) -> Vec<String> {
        assert!(MINIMAL.contains(find), "{find:?} is not in the policy");
        let read = |text: &str| parse(text, Path::new("p.yaml")).expect("a good policy");
        let found = differences(&read(MINIMAL), &read(&MINIMAL.replace(find, replace)));
        found.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn each_changed_key_is_named_with_both_values() {
        assert_eq!(changes("max: 12", "max: 20"), ["bounds.max: 12 → 20"]);
        assert_eq!(
            changes("per_node: 400", "per_node: 500, headroom_percent: 20"),
            ["rules[0].target.headroom_percent: 15 → 20", "rules[0].target.per_node: 400 → 500"]
        );
        assert_eq!(
            changes("pool:", "scale_in: {pace: []}\npool:"),
            [
                "scale_in.pace: new, []",
                "scale_in.pace[0].nodes: gone, was 2",
                "scale_in.pace[0].per: gone, was 5m"
            ]
        );
    }

    #[test]
    fn what_was_empty_is_named_when_something_is_in_it() {
        assert_eq!(
            changes("node.yml}", "node.yml, variables: {port: 80}}"),
            ["configure.variables: gone, was {}", "configure.variables.port: new, 80"]
        );
    }

    #[test]
    fn what_is_only_written_differently_is_no_change() {
        assert_eq!(changes("max: 12", "max: 12, default: 2"), [""; 0]);
        assert_eq!(changes("pool:", "# a remark\npool:"), [""; 0]);
    }
}
