//! A policy file as JSON Schema, for editors and for checks elsewhere.
//!
//! In: nothing; the readers are asked what they accept, and the reference what each key means.
//! Out: a schema of the 2020-12 draft.
//! Never: a second truth: structure and limits come from the readers, the words from
//! `docs/policy.md`, the defaults from a policy that leaves everything out.

use std::path::Path;

use serde_json::{Value, json};

use super::document::{self, Kind, Node};
use super::question::Question;
use super::{explain_defaults, parse, read};

/// The reference whose tables say what each key means.
const REFERENCE: &str = include_str!("../../docs/policy.md");

/// A policy that says the least, but has each mapping that may be left out: what it leaves out
/// shows the defaults.
const LEAST: &str = include_str!("least.yaml");

/// Keys whose default depends on another key; the reference says how.
const DEPENDENT: &[&str] = &[
    "bounds.default",
    "signals.stale_after",
    "rules.target.headroom_percent",
    "rules.latency.clear_below",
    "node.ssh.authorized_keys_file",
];

/// The JSON Schema of a policy file.
///
/// Whatever [`parse`] accepts is valid. A document may be valid and still be refused for what no
/// single key can tell, such as a `max` below its `min`.
pub fn json_schema() -> Value {
    let question = Question::default();
    read::policy(&question.node(), &mut Vec::new());
    let mut schema = question.schema();
    let least = parse(LEAST, Path::new("least.yaml")).expect("our own policy is legal");
    let given = document::read(LEAST).expect("it was just read");
    let whole = document::read(&explain_defaults(&least)).expect("what we write we can read");
    let written = Written { given: vec![&given], whole: vec![&whole] };
    describe(&mut schema, &written, &mut Vec::new());
    schema["$schema"] = json!("https://json-schema.org/draft/2020-12/schema");
    schema["title"] = json!("Windlass policy");
    schema["description"] =
        json!("How one pool of nodes is scaled; docs/policy.md explains each key.");
    schema
}

/// The same places in [`LEAST`]: as it is, and with everything written out.
struct Written<'n> {
    given: Vec<&'n Node>,
    whole: Vec<&'n Node>,
}

impl<'n> Written<'n> {
    fn at(&self, key: &str) -> Self {
        let at = |nodes: &[&'n Node]| nodes.iter().filter_map(|node| value_of(node, key)).collect();
        Self { given: at(&self.given), whole: at(&self.whole) }
    }

    /// Every item of lists and every value of mappings, where they were given.
    fn below(&self) -> Self {
        match self.given.is_empty() {
            true => Self { given: Vec::new(), whole: Vec::new() },
            false => Self { given: below(&self.given), whole: below(&self.whole) },
        }
    }
}

/// Adds to every key below `schema` what it means and what it is when it is left out.
fn describe(schema: &mut Value, written: &Written<'_>, path: &mut Vec<String>) {
    if let Some(keys) = schema.get_mut("properties").and_then(Value::as_object_mut) {
        for (key, below) in keys {
            path.push(key.clone());
            let here = written.at(key);
            if let Some(meaning) = meaning(path) {
                below["description"] = meaning.into();
            }
            let left_out = here.given.is_empty() && below.get("properties").is_none();
            let fixed = !DEPENDENT.contains(&path.join(".").as_str());
            if let Some(default) = here.whole.first().filter(|_| left_out && fixed) {
                below["default"] = plain(default);
            }
            describe(below, &here, path);
            path.pop();
        }
    }
    for every in ["additionalProperties", "items"] {
        if schema[every].is_object() {
            describe(&mut schema[every], &written.below(), path);
        }
    }
    for form in schema.get_mut("anyOf").and_then(Value::as_array_mut).into_iter().flatten() {
        describe(form, written, path);
    }
}

/// What a key holds in a document.
fn value_of<'n>(node: &'n Node, key: &str) -> Option<&'n Node> {
    match &node.kind {
        Kind::Map(map) => map.iter().find(|(name, _)| name.name == key).map(|(_, node)| node),
        _ => None,
    }
}

/// Every item of `nodes` that are lists and every value of those that are mappings.
fn below<'n>(nodes: &[&'n Node]) -> Vec<&'n Node> {
    let below = nodes.iter().flat_map(|node| match &node.kind {
        Kind::List(items) => items.iter().collect(),
        Kind::Map(map) => map.iter().map(|(_, node)| node).collect(),
        _ => Vec::new(),
    });
    below.collect()
}

/// A part of a document as JSON.
fn plain(node: &Node) -> Value {
    match &node.kind {
        Kind::Null | Kind::Question(_) => Value::Null,
        Kind::Bool(value) => (*value).into(),
        Kind::Integer(number, _) => i64::try_from(*number).map_or(Value::Null, Value::from),
        Kind::Number(number, _) => (*number).into(),
        Kind::Text(text) => text.as_str().into(),
        Kind::List(items) => items.iter().map(plain).collect::<Vec<_>>().into(),
        Kind::Map(map) => {
            map.iter().map(|(key, node)| (key.name.clone(), plain(node))).collect::<Value>()
        }
    }
}

/// What the reference says of the key at the end of `path`, without its marks.
///
/// A chapter is about the top-level keys in its title. In it, the table that names the nearest
/// key above comes first: `signal` of `latency`, and not that of `target`.
fn meaning(path: &[String]) -> Option<String> {
    // What has a chapter of its own (`tolerance`) may also stand inside another one (`target`).
    let begins = (0..path.len()).rev();
    begins.filter_map(|begin| meaning_in_chapter(&path[begin..])).next()
}

fn meaning_in_chapter(path: &[String]) -> Option<String> {
    let (top, key) = (path.first()?, path.last()?);
    let chapter = REFERENCE
        .split("\n## ")
        .skip(1)
        .find(|chapter| names(chapter.lines().next().unwrap_or_default(), top))?;
    let tables: Vec<&str> = chapter.split("\n\n").filter(|part| part.starts_with('|')).collect();
    let of_parent = |table: &&&str| {
        path.iter().rev().skip(1).any(|above| row(table, above).is_some() && above != top)
    };
    let nearest = tables.iter().find(of_parent).and_then(|table| row(table, key));
    let meaning = nearest.or_else(|| tables.iter().find_map(|table| row(table, key)));
    // A chapter about one key may say in its first paragraph what that is.
    let opening = || chapter.split("\n\n").nth(1).filter(|_| path.len() == 1);
    let meaning = meaning.or_else(opening)?;
    Some(meaning.replace("**", "").replace('`', "").replace('\n', " "))
}

/// The second cell of the row that is about `key`.
fn row<'t>(table: &'t str, key: &str) -> Option<&'t str> {
    table.lines().skip(2).find_map(|line| {
        let mut cells = line.trim_matches('|').split(" | ");
        let (about, meaning) = (cells.next()?, cells.next()?);
        (names(about, key) && !meaning.trim().is_empty()).then(|| meaning.trim())
    })
}

/// Whether `key` stands in `text` as code.
fn names(text: &str, key: &str) -> bool {
    text.contains(&format!("`{key}`"))
}
