//! The JSON Schema of a policy against the reader, the reference and the shipped policies.

use std::collections::BTreeSet;
use std::path::Path;

use proptest::prelude::*;
use serde_json::{Map, Value, json};
use windlass::policy;

const MINIMAL: &str = include_str!("../../policies/minimal.yaml");
const REFERENCE: &str = include_str!("../../policies/notifications.yaml");
const DOCS: &str = include_str!("../../docs/policy.md");
const COMMITTED: &str = include_str!("../../policies/policy.schema.json");

fn tree(yaml: &str) -> Value {
    serde_saphyr::from_str(yaml).unwrap_or_else(|error| panic!("{yaml}\n{error}"))
}

/// What the schema has against a document; nothing for a valid one.
fn complaints(document: &Value) -> Vec<String> {
    thread_local! {
        static VALIDATOR: jsonschema::Validator =
            jsonschema::draft202012::new(&policy::json_schema()).expect("it is a schema");
    }
    VALIDATOR.with(|validator| {
        let told = validator.iter_errors(document);
        told.map(|error| format!("{}: {error}", error.instance_path())).collect()
    })
}

fn reader_accepts(document: &Value) -> bool {
    // JSON is YAML.
    policy::parse(&document.to_string(), Path::new("policy.yaml")).is_ok()
}

/// Every mapping with known keys below `schema`: its keys, and where it stands in a document.
/// Lists are entered at their first item, free keys at `load`.
fn mappings(schema: &Value, path: &mut Vec<Value>, visit: &mut dyn FnMut(&[Value], &Value)) {
    if let Some(keys) = schema["properties"].as_object() {
        visit(path, schema);
        for (key, below) in keys {
            path.push(json!(key));
            mappings(below, path, visit);
            path.pop();
        }
    }
    for (below, step) in
        [(&schema["items"], json!(0)), (&schema["additionalProperties"], json!("load"))]
    {
        if below.is_object() {
            path.push(step);
            mappings(below, path, visit);
            path.pop();
        }
    }
    for form in schema["anyOf"].as_array().into_iter().flatten() {
        mappings(form, path, visit);
    }
}

/// A document with `value` at `path` and nothing else.
fn at(path: &[Value], value: Value) -> Value {
    path.iter().rev().fold(value, |inner, step| match step {
        Value::String(key) => Value::Object(Map::from_iter([(key.clone(), inner)])),
        _ => json!([inner]),
    })
}

#[test]
fn the_committed_schema_is_the_one_that_the_program_prints() {
    let printed = format!("{:#}\n", policy::json_schema());
    assert!(printed == COMMITTED, "run: windlass schema > policies/policy.schema.json");
}

#[test]
fn the_schema_accepts_every_shipped_policy_and_every_example() {
    for text in [MINIMAL, REFERENCE] {
        assert_eq!(complaints(&tree(text)), [""; 0]);
        let read = policy::parse(text, Path::new("policy.yaml")).expect("it is shipped");
        assert_eq!(complaints(&tree(&policy::explain_defaults(&read))), [""; 0]);
        assert!(text.starts_with("# yaml-language-server: $schema=policy.schema.json\n"));
    }
    for example in DOCS.split("```yaml\n").skip(1) {
        let example = example.split("```").next().expect("a first part");
        let mut whole = tree(MINIMAL);
        let part = tree(example);
        for (key, value) in part.as_object().expect("examples are mappings") {
            whole[key] = value.clone();
        }
        assert_eq!(complaints(&whole), [""; 0], "{example}");
    }
}

#[test]
fn the_reader_and_the_schema_know_the_same_keys() {
    let mut seen = 0;
    mappings(&policy::json_schema(), &mut Vec::new(), &mut |path, schema| {
        // A rule's own mapping has one key, its kind, and is no list of keys to the reader.
        let is_rule = path.len() == 2 && path[0] == json!("rules");
        if is_rule {
            return;
        }
        let document = at(path, json!({"no such key at all": 1}));
        let told = policy::parse(&document.to_string(), Path::new("policy.yaml"));
        let told = told.expect_err("an unknown key is refused");
        let about = told.problems.iter().find(|one| one.what.starts_with("`no such key at all`"));
        let help = &about.unwrap_or_else(|| panic!("{path:?} {told}")).help;
        let known = help.strip_prefix("possible here: ").unwrap_or_else(|| panic!("{help}"));
        let known: BTreeSet<&str> = known.split(", ").map(|key| key.trim_matches('`')).collect();
        let keys = schema["properties"].as_object().expect("it has keys");
        let keys: BTreeSet<&str> = keys.keys().map(String::as_str).collect();
        assert_eq!(known, keys, "{path:?}");
        assert!(!complaints(&document).is_empty());
        seen += 1;
    });
    assert!(18 <= seen, "only {seen} mappings");
}

/// The default that a row of the reference gives, where it is about `key`. A table may have a
/// column for scaling out before the last one, which is for scaling in.
fn documented_default(line: &str, path: &[Value], key: &str) -> Option<String> {
    let cells: Vec<&str> = line.split('|').map(str::trim).collect();
    let ["", about, _, defaults @ .., ""] = cells.as_slice() else { return None };
    let out = path.first() == Some(&json!("scale_out"));
    let default = if out { defaults.first() } else { defaults.last() };
    about.contains(&format!("`{key}`")).then(|| default.map(|told| told.replace('`', "")))?
}

#[test]
fn every_key_has_a_meaning_and_the_default_that_the_reference_gives() {
    let mut compared = 0;
    mappings(&policy::json_schema(), &mut Vec::new(), &mut |path, schema| {
        for (key, below) in schema["properties"].as_object().expect("it has keys") {
            assert!(below["description"].is_string(), "{path:?} {key} is not in docs/policy.md");
            let default = match &below["default"] {
                Value::String(text) => text.clone(),
                Value::Number(number) => number.to_string(),
                _ => continue,
            };
            let mut documented =
                DOCS.lines().filter_map(|line| documented_default(line, path, key));
            let said = documented.any(|told| told.split(", ").any(|one| one == default));
            assert!(said, "docs/policy.md gives no default of {default} for {key}, {path:?}");
            compared += 1;
        }
    });
    assert!(20 <= compared, "only {compared} defaults");
}

#[test]
fn what_the_schema_alone_can_see_it_refuses() {
    for (key, value) in [
        ("pool", json!(3)),
        ("pool", json!("")),
        ("control", json!("dryrun")),
        ("bounds", json!({"min": 2})),
        ("bounds", json!({"max": 0})),
        ("bounds", json!({"max": 2.5})),
        ("rules", json!([{"target": {"per_node": 400}}])),
        ("rules", json!([{"target": {"signal": "requests", "per_node": "400"}}])),
        ("rules", json!([{"latncy": {}}])),
        ("tolerance", json!({"out_percent": -1})),
        ("scale_in", json!({"stabilize": 5})),
        ("scale_in", json!({"stabilize": "soon"})),
        ("scale_in", json!({"pace": [{"nodes": 1}]})),
        ("configure", json!({"playbook": "a", "batch": 1001})),
        ("join", json!({"backend": "a", "port": 70000})),
        ("leave", json!({"drain_timeot": "2m"})),
    ] {
        let mut document = tree(MINIMAL);
        document[key] = value;
        assert!(!complaints(&document).is_empty(), "{key}: {}", document[key]);
        assert!(!reader_accepts(&document), "{key}: {}", document[key]);
    }
}

/// Values of every kind, some of them right somewhere.
fn values() -> impl Strategy<Value = Value> {
    prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        (-3_i64..100_000).prop_map(Value::from),
        (-10.0..1e6_f64).prop_map(Value::from),
        "[a-z0-9./ -]{0,12}|[0-9]{1,3}(ms|s|m|h)| [0-9]s|\\PC{0,6}".prop_map(Value::from),
        prop::sample::select(vec!["automatic", "newest", "yes", "serving", "never", "requests"])
            .prop_map(Value::from),
        Just(json!([])),
        Just(json!({})),
        Just(json!([{"nodes": 1, "per": "1m"}])),
    ]
}

/// Every place below `tree`.
fn places(tree: &Value, at: String, all: &mut Vec<String>) {
    let below: Vec<(String, &Value)> = match tree {
        Value::Object(map) => map.iter().map(|(key, value)| (key.clone(), value)).collect(),
        Value::Array(items) => {
            items.iter().enumerate().map(|(index, item)| (index.to_string(), item)).collect()
        }
        _ => return,
    };
    for (step, value) in below {
        let place = format!("{at}/{step}");
        places(value, place.clone(), all);
        all.push(place);
    }
}

proptest! {
    #[test]
    fn whatever_the_reader_accepts_the_schema_accepts(
        changes in prop::collection::vec((any::<prop::sample::Index>(), values(), 0..4_u8), 1..4)
    ) {
        let mut document = tree(REFERENCE);
        for (index, value, how) in changes {
            let mut all = Vec::new();
            places(&document, String::new(), &mut all);
            let place = index.get(&all);
            let (parent, last) = place.rsplit_once('/').expect("a place has a parent");
            let parent = document.pointer_mut(parent).expect("it was found there");
            match (how, parent) {
                (0, Value::Object(map)) => drop(map.remove(last)),
                (_, Value::Object(map)) => drop(map.insert(last.to_owned(), value)),
                (_, Value::Array(items)) => {
                    items[last.parse::<usize>().expect("an index")] = value;
                }
                _ => unreachable!("only these have places below them"),
            }
        }
        if reader_accepts(&document) {
            prop_assert_eq!(complaints(&document), Vec::<String>::new(), "{}", document);
        }
    }
}
