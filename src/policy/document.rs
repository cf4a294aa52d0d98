//! A YAML text as a tree whose every node knows its place.
//!
//! In: text from anywhere.
//! Out: one [`Node`], or the one problem that stops the reading.
//! Never: knows a schema; grows beyond its bounds, whatever the text says.
//!
//! Typed deserialisation stops at the first wrong value; an operator wants them all. So serde
//! reads the shape that YAML has, and `fields` checks it against the one that we want.

use std::fmt;

use serde::Deserialize;
use serde::de::{self, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_saphyr::budget::BudgetBreach;
use serde_saphyr::options::{DuplicateKeyPolicy, MergeKeyPolicy, NonFiniteFloatPolicy};
use serde_saphyr::{Location, Options, Spanned};

use super::problem::{Place, Problem};
use super::question::Question;

/// The largest text that is read, in bytes: a hundred times the largest sensible policy.
const LARGEST_TEXT: usize = 256 * 1024;
/// The deepest nesting; a policy has six levels. Also bounds our own recursion.
const DEEPEST: usize = 32;
/// The most nodes, those counted that aliases repeat.
const MOST_NODES: usize = 20_000;

/// A node of the tree.
#[derive(Clone, Debug)]
pub(crate) struct Node {
    /// Where it is written; for an alias, where its anchor is.
    pub at: Place,
    /// What it is.
    pub kind: Kind,
}

/// What a node is.
#[derive(Clone, Debug)]
pub(crate) enum Kind {
    /// Nothing after the colon, `~` or `null`.
    Null,
    /// `true` or `false`.
    Bool(bool),
    /// A whole number, and how it was written.
    Integer(i128, String),
    /// Any other number, infinite and NaN ones too, and how it was written.
    Number(f64, String),
    /// Text.
    Text(String),
    /// A list.
    List(Vec<Node>),
    /// A mapping in the order of its lines; keys may repeat.
    Map(Vec<(Key, Node)>),
    /// Nothing that was written: readers are asked what they would accept here.
    Question(Question),
}

/// A key of a mapping.
#[derive(Clone, Debug)]
pub(crate) struct Key {
    /// Where it is written.
    pub at: Place,
    /// The key; numbers and the like as they were written.
    pub name: String,
}

impl Node {
    /// Where the value below `keys` is written; the nearest mapping's place where it is absent.
    pub fn place_below(&self, keys: &[&str]) -> Place {
        let (Some((first, rest)), Kind::Map(map)) = (keys.split_first(), &self.kind) else {
            return self.at;
        };
        let below = map.iter().find(|(key, _)| key.name == *first);
        below.map_or(self.at, |(_, node)| node.place_below(rest))
    }
}

/// Reads `text`.
pub(crate) fn read(text: &str) -> Result<Node, Problem> {
    if LARGEST_TEXT < text.len() {
        return Err(Problem {
            at: Place::START,
            what: format!("the file is {} KiB long", text.len() / 1024),
            help: format!("it may have {} KiB at most; is it the right file?", LARGEST_TEXT / 1024),
        });
    }
    serde_saphyr::from_str_with_options::<Spanned<Raw>>(text, options())
        .map(|raw| placed(raw, text))
        .map_err(|error| syntax_problem(&error))
}

fn options() -> Options {
    serde_saphyr::options! {
        budget: serde_saphyr::budget! {
            max_depth: DEEPEST,
            max_nodes: MOST_NODES,
            max_events: 2 * MOST_NODES,
            max_documents: 1,
            flow_nesting_limit: DEEPEST,
        },
        // `fields` reports every repetition, and `<<` like any unknown key.
        duplicate_keys: DuplicateKeyPolicy::PassThrough,
        merge_keys: MergeKeyPolicy::AsOrdinary,
        // `leave_early: no` is a word, not a boolean.
        strict_booleans: true,
        reject_unsupported_tags: true,
        non_finite_float_policy: NonFiniteFloatPolicy::PassThrough,
        with_snippet: false,
    }
}

fn syntax_problem(error: &serde_saphyr::Error) -> Problem {
    let error = error.without_snippet();
    let at =
        error.location().map_or(Place::START, |location| Place { width: 1, ..place(location, "") });
    if let serde_saphyr::Error::Budget { breach: BudgetBreach::Documents { .. }, .. } = error {
        return Problem {
            at,
            what: "a second document begins here".into(),
            help: "one file holds one document: delete the line `---` or move what follows to a \
                   file of its own"
                .into(),
        };
    }
    let message = error.to_string();
    // What an alias repeats comes wrapped: only its words tell.
    let is_wrapped = message.starts_with("budget breached");
    if matches!(error, serde_saphyr::Error::Budget { .. }) || is_wrapped {
        return Problem {
            at,
            what: format!("the file is nested or repeated beyond all bounds ({message})"),
            help: format!(
                "at most {DEEPEST} levels and {MOST_NODES} values; is it the right file?"
            ),
        };
    }
    let message = message.lines().next().unwrap_or_default();
    // The library ends its sentence with the place that we print ourselves.
    let message = message.split(" at line ").next().unwrap_or_default();
    Problem {
        at,
        what: format!("the YAML can't be read: {message}"),
        help: "check indentation, quotes and brackets here and in the line above".into(),
    }
}

/// The tree as serde sees it, before places and source text are attached.
enum Raw {
    Null,
    Bool(bool),
    Integer(i128),
    Number(f64),
    Text(String),
    List(Vec<Spanned<Raw>>),
    Map(Vec<(Spanned<RawKey>, Spanned<Raw>)>),
}

/// A key: any scalar.
struct RawKey(String);

fn placed(raw: Spanned<Raw>, text: &str) -> Node {
    let kind = match raw.value {
        Raw::Null => Kind::Null,
        Raw::Bool(value) => Kind::Bool(value),
        Raw::Integer(value) => Kind::Integer(value, written(raw.defined, text).to_owned()),
        Raw::Number(value) => Kind::Number(value, written(raw.defined, text).to_owned()),
        Raw::Text(value) => Kind::Text(value),
        Raw::List(items) => Kind::List(items.into_iter().map(|item| placed(item, text)).collect()),
        Raw::Map(entries) => Kind::Map(
            entries
                .into_iter()
                .map(|(key, value)| {
                    let key = Key { at: place(key.defined, text), name: key.value.0 };
                    (key, placed(value, text))
                })
                .collect(),
        ),
    };
    let mut at = place(raw.defined, text);
    if let Kind::List(_) | Kind::Map(_) = kind {
        at.width = 1;
    }
    Node { at, kind }
}

fn place(location: Location, text: &str) -> Place {
    let first_line = written(location, text).lines().next().unwrap_or_default();
    Place {
        line: usize::try_from(location.line()).unwrap_or(usize::MAX).max(1),
        column: usize::try_from(location.column()).unwrap_or(usize::MAX).max(1),
        width: first_line.trim_end().chars().count().max(1),
    }
}

/// The source text at a location; empty where the parser doesn't say.
fn written(location: Location, text: &str) -> &str {
    let span = location.span();
    let range = span.byte_offset().zip(span.byte_len()).and_then(|(from, length)| {
        let from = usize::try_from(from).ok()?;
        text.get(from..from.checked_add(usize::try_from(length).ok()?)?)
    });
    range.unwrap_or_default()
}

impl<'de> Deserialize<'de> for Raw {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(RawVisitor)
    }
}

struct RawVisitor;

impl<'de> Visitor<'de> for RawVisitor {
    type Value = Raw;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("any YAML value")
    }

    fn visit_unit<E>(self) -> Result<Raw, E> {
        Ok(Raw::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Raw, E> {
        Ok(Raw::Bool(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Raw, E> {
        Ok(Raw::Integer(value.into()))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Raw, E> {
        Ok(Raw::Integer(value.into()))
    }

    fn visit_i128<E>(self, value: i128) -> Result<Raw, E> {
        Ok(Raw::Integer(value))
    }

    fn visit_u128<E>(self, value: u128) -> Result<Raw, E> {
        Ok(i128::try_from(value).map_or(Raw::Number(value as f64), Raw::Integer))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Raw, E> {
        Ok(Raw::Number(value))
    }

    fn visit_str<E>(self, value: &str) -> Result<Raw, E> {
        Ok(Raw::Text(value.to_owned()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Raw, A::Error> {
        let mut list = Vec::new();
        while let Some(item) = items.next_element()? {
            list.push(item);
        }
        Ok(Raw::List(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Raw, A::Error> {
        let mut map = Vec::new();
        while let Some(entry) = entries.next_entry()? {
            map.push(entry);
        }
        Ok(Raw::Map(map))
    }
}

impl<'de> Deserialize<'de> for RawKey {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_string(RawKeyVisitor)
    }
}

struct RawKeyVisitor;

impl Visitor<'_> for RawKeyVisitor {
    type Value = RawKey;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a key of letters")
    }

    fn visit_str<E: de::Error>(self, value: &str) -> Result<RawKey, E> {
        Ok(RawKey(value.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_place_of_what_is_missing_is_that_of_the_mapping_it_belongs_to() {
        let node = read("a: 1\nb:\n  c: 2\n  d: {e: 3}\n").expect("it is YAML");
        let place = |keys: &[&str]| {
            let at = node.place_below(keys);
            (at.line, at.column)
        };
        assert_eq!((place(&["b", "c"]), place(&["b", "d", "e"])), ((3, 6), (4, 10)));
        assert_eq!(place(&["b", "d", "f"]), place(&["b", "d"]));
    }
}
