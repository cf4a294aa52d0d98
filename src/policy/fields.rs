//! From nodes to values: the readers from which a schema is put together.
//!
//! In: a node, and the name that people know it by.
//! Out: a value, or `None` with at least one problem noted: reading goes on, so that an
//! operator sees every problem at once.
//! Never: knows which keys a file has; stops at the first problem.

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde_json::{Value as Json, json};

use super::document::{Key, Kind, Node};
use super::nearest::suggestion;
use super::problem::{Place, Problem};
use super::question::Question;
use crate::domain::{Duration, Percent};

/// The longest duration that means anything here; more is a slip, and time arithmetic stays safe.
pub(crate) const LONGEST: Duration = Duration::from_secs(10 * 366 * 86_400);

/// Stands for a key of the writer's own where readers are only asked what they would accept.
const FREE_KEY: &str = "name";

/// How every duration begins, as a regular expression: with its first number.
const DURATION: &str = r"^\s*[0-9]";

/// Where problems are noted.
pub(crate) type Notes = Vec<Problem>;

/// Notes a problem and has no value.
pub(crate) fn refuse<T>(
    notes: &mut Notes,
    at: Place,
    what: impl Into<String>,
    help: impl Into<String>,
) -> Option<T> {
    notes.push(Problem { at, what: what.into(), help: help.into() });
    None
}

/// A node and the name that messages call it by.
#[derive(Clone, Copy)]
pub(crate) struct Value<'n> {
    /// Its key, or its place in a list: `reserve[1]`.
    pub name: &'n str,
    /// What was written.
    pub node: &'n Node,
}

impl Value<'_> {
    /// Where readers are only asked what they would accept: notes keywords of JSON Schema.
    fn says(&self, keywords: impl FnOnce() -> Json) {
        if let Kind::Question(question) = &self.node.kind {
            question.say(keywords());
        }
    }
}

/// A mapping whose keys are asked for one by one; [`Fields::finish`] refuses the rest.
pub(crate) struct Fields<'n> {
    /// Where the mapping begins.
    pub at: Place,
    name: &'n str,
    entries: BTreeMap<&'n str, (&'n Key, &'n Node)>,
    known: Vec<&'static str>,
    refused: Vec<(&'static str, String, &'static str)>,
    question: Option<Question>,
}

impl<'n> Fields<'n> {
    /// The fields of a mapping; keys that repeat are refused, and the first one counts.
    pub fn of(value: Value<'n>, notes: &mut Notes) -> Option<Self> {
        let (map, question): (&'n [(Key, Node)], _) = match &value.node.kind {
            Kind::Map(map) => (map, None),
            Kind::Question(question) => (&[], Some(question.clone())),
            _ => return wrong_kind(value, "a mapping of keys to values", notes),
        };
        let mut entries: BTreeMap<&str, (&Key, &Node)> = BTreeMap::new();
        for (key, node) in map {
            match entries.get(key.name.as_str()) {
                Some((first, _)) => notes.push(Problem {
                    at: key.at,
                    what: format!("`{}` is there a second time", key.name),
                    help: format!("keep this one or the one in line {}", first.at.line),
                }),
                None => {
                    entries.insert(&key.name, (key, node));
                }
            }
        }
        let (known, refused) = (Vec::new(), Vec::new());
        Some(Self { at: value.node.at, name: value.name, entries, known, refused, question })
    }

    /// The value of a key that may be absent: `Some(None)` where it is.
    pub fn optional<T>(
        &mut self,
        key: &'static str,
        notes: &mut Notes,
        read: impl FnOnce(Value<'_>, &mut Notes) -> Option<T>,
    ) -> Option<Option<T>> {
        self.known.push(key);
        match (self.node(key), self.asked(key)) {
            (Some(node), _) => read(Value { name: key, node }, notes).map(Some),
            (None, Some(node)) => read(Value { name: key, node: &node }, notes).map(Some),
            (None, None) => Some(None),
        }
    }

    /// The value of a key, and `default` where it is absent.
    pub fn or<T>(
        &mut self,
        key: &'static str,
        default: T,
        notes: &mut Notes,
        read: impl FnOnce(Value<'_>, &mut Notes) -> Option<T>,
    ) -> Option<T> {
        self.optional(key, notes, read).map(|value| value.unwrap_or(default))
    }

    /// The value of a key that must be there.
    pub fn required<T>(
        &mut self,
        key: &'static str,
        example: &str,
        notes: &mut Notes,
        read: impl FnOnce(Value<'_>, &mut Notes) -> Option<T>,
    ) -> Option<T> {
        if let Some(question) = &self.question {
            question.requires(key);
        }
        match self.optional(key, notes, read)? {
            Some(value) => Some(value),
            None if self.refused.iter().any(|(refused, ..)| self.node(refused).is_some()) => None,
            None => {
                let what = match self.name {
                    "" => format!("`{key}` is missing"),
                    name => format!("`{key}` is missing in `{name}`"),
                };
                refuse(notes, self.at, what, format!("add it, such as `{key}: {example}`"))
            }
        }
    }

    /// The fields of a mapping that may be absent, as if it were empty then.
    pub fn section<T>(
        &mut self,
        key: &'static str,
        notes: &mut Notes,
        read: impl FnOnce(Fields<'_>, &mut Notes) -> Option<T>,
    ) -> Option<T> {
        self.known.push(key);
        if let Some(node) = self.asked(key) {
            return read(Fields::of(Value { name: key, node: &node }, notes)?, notes);
        }
        match self.node(key) {
            Some(node) => {
                let fields = Fields::of(Value { name: key, node }, notes)?;
                read(fields, notes)
            }
            None => read(
                Fields {
                    at: self.at,
                    name: key,
                    entries: BTreeMap::new(),
                    known: Vec::new(),
                    refused: Vec::new(),
                    question: None,
                },
                notes,
            ),
        }
    }

    /// A key that many would expect here, refused with a reason of its own. Where it is given,
    /// other keys are not missed: it stood in their place.
    pub fn refused(&mut self, key: &'static str, what: String, help: &'static str) {
        self.refused.push((key, what, help));
    }

    /// Whether a key is there.
    pub fn has(&self, key: &str) -> bool {
        self.entries.contains_key(key)
    }

    /// Where a key's value is written; the mapping's own place where it is absent.
    pub fn place(&self, key: &str) -> Place {
        self.node(key).map_or(self.at, |node| node.at)
    }

    /// Refuses every key that nobody asked for.
    pub fn finish(self, notes: &mut Notes) {
        for (key, _) in self.entries.values() {
            let name = key.name.as_str();
            if self.known.contains(&name) {
                continue;
            }
            let (what, help) = match self.refused.iter().find(|(known, ..)| *known == name) {
                Some((_, what, help)) => (what.clone(), (*help).to_owned()),
                None if name == "<<" => (
                    "merge keys (`<<`) are not supported".to_owned(),
                    "write the keys out, or use a whole value's alias".to_owned(),
                ),
                None => (self.unknown(name), suggestion(name, &self.known)),
            };
            notes.push(Problem { at: key.at, what, help });
        }
    }

    fn unknown(&self, name: &str) -> String {
        let name: String = name.chars().take(60).collect();
        match self.name {
            "" => format!("`{name}` is no key of this file"),
            here => format!("`{name}` is no key of `{here}`"),
        }
    }

    fn node(&self, key: &str) -> Option<&'n Node> {
        self.entries.get(key).map(|(_, node)| *node)
    }

    /// What stands for a key's value where readers are only asked what they would accept.
    fn asked(&self, key: &'static str) -> Option<Node> {
        self.question.as_ref().map(|question| question.key(key).node())
    }
}

/// Every entry of a mapping with free keys, sorted by key; repeated keys are refused.
pub(crate) fn entries<T>(
    value: Value<'_>,
    notes: &mut Notes,
    mut read: impl FnMut(&Key, Value<'_>, &mut Notes) -> Option<T>,
) -> Option<Vec<T>> {
    if let Kind::Question(question) = &value.node.kind {
        let name = String::from(FREE_KEY);
        let (key, node) = (Key { at: Place::START, name }, question.values().node());
        return read(&key, Value { name: FREE_KEY, node: &node }, notes).map(|read| vec![read]);
    }
    let fields = Fields::of(value, notes)?;
    let read: Vec<Option<T>> = fields
        .entries
        .values()
        .map(|(key, node)| read(key, Value { name: &key.name, node }, notes))
        .collect();
    read.into_iter().collect()
}

/// Every item of a list.
pub(crate) fn list<T>(
    value: Value<'_>,
    notes: &mut Notes,
    mut read: impl FnMut(Value<'_>, &mut Notes) -> Option<T>,
) -> Option<Vec<T>> {
    if let Kind::Question(question) = &value.node.kind {
        let node = question.items().node();
        return read(Value { name: value.name, node: &node }, notes).map(|item| vec![item]);
    }
    let Kind::List(items) = &value.node.kind else {
        return wrong_kind(value, "a list (`[…]`, or a line `- …` for each item)", notes);
    };
    let read: Vec<Option<T>> = items
        .iter()
        .enumerate()
        .map(|(index, node)| read(Value { name: &format!("{}[{index}]", value.name), node }, notes))
        .collect();
    read.into_iter().collect()
}

/// Text of one line, not empty.
pub(crate) fn line(value: Value<'_>, notes: &mut Notes) -> Option<String> {
    value.says(|| json!({"type": "string", "pattern": r"^\S(.*\S)?$"}));
    let text = text(value, notes)?;
    if text.trim() != text || text.chars().any(char::is_control) {
        let what = format!("`{}` must be one line of text without blanks around it", value.name);
        return refuse(notes, value.node.at, what, "write the plain value");
    }
    Some(text)
}

/// Text of any number of lines, not blank.
pub(crate) fn text(value: Value<'_>, notes: &mut Notes) -> Option<String> {
    value.says(|| json!({"type": "string", "minLength": 1}));
    match &value.node.kind {
        Kind::Text(text) if text.trim().is_empty() => {
            refuse(notes, value.node.at, format!("`{}` is empty", value.name), "write its value")
        }
        Kind::Text(text) if text.contains('\0') => {
            let what = format!("`{}` holds a NUL character", value.name);
            refuse(notes, value.node.at, what, "remove it")
        }
        Kind::Text(text) => Some(text.clone()),
        Kind::Integer(_, written) | Kind::Number(_, written) => {
            let what = format!("`{}` must be text, but {written} is a number", value.name);
            refuse(notes, value.node.at, what, format!("put it in quotes: '{written}'"))
        }
        _ => wrong_kind(value, "text", notes),
    }
}

/// Text, a number or a boolean, as it was written.
pub(crate) fn scalar(value: Value<'_>, notes: &mut Notes) -> Option<String> {
    value.says(|| json!({"type": ["string", "number", "boolean"]}));
    match &value.node.kind {
        Kind::Text(text) => Some(text.clone()),
        Kind::Bool(value) => Some(value.to_string()),
        Kind::Integer(_, written) | Kind::Number(_, written) => Some(written.clone()),
        Kind::Null | Kind::List(_) | Kind::Map(_) | Kind::Question(_) => {
            wrong_kind(value, "text", notes)
        }
    }
}

/// A path, as written.
pub(crate) fn path(value: Value<'_>, notes: &mut Notes) -> Option<PathBuf> {
    line(value, notes).map(PathBuf::from)
}

/// Text that a domain type accepts; the type's own sentence says why not.
pub(crate) fn parsed<T: std::str::FromStr<Err = String>>(
    help: &'static str,
) -> impl Fn(Value<'_>, &mut Notes) -> Option<T> {
    move |value, notes| {
        line(value, notes)?
            .parse()
            .map_err(|what| notes.push(Problem { at: value.node.at, what, help: help.into() }))
            .ok()
    }
}

/// One of a few words.
pub(crate) fn word<T: Copy>(
    words: &'static [(&'static str, T)],
) -> impl Fn(Value<'_>, &mut Notes) -> Option<T> {
    move |value, notes| {
        value.says(|| json!({"enum": spellings(words)}));
        let written = match &value.node.kind {
            // `yes` and `no` are words here, and some write them as booleans.
            Kind::Bool(true) => "yes",
            Kind::Bool(false) => "no",
            Kind::Text(text) => text.as_str(),
            _ => return wrong_kind(value, &one_of(words), notes),
        };
        match words.iter().find(|(word, _)| *word == written) {
            Some((_, meaning)) => Some(*meaning),
            None => {
                let known: Vec<&str> = words.iter().map(|(word, _)| *word).collect();
                let shown: String = written.chars().take(60).collect();
                let what = format!("`{}` can't be `{shown}`", value.name);
                refuse(notes, value.node.at, what, suggestion(written, &known))
            }
        }
    }
}

/// One of a few words, or what `otherwise` reads; `wanted` names both.
pub(crate) fn word_or<T: Copy>(
    words: &'static [(&'static str, T)],
    wanted: &'static str,
    otherwise: impl Fn(Value<'_>, &mut Notes) -> Option<T>,
) -> impl Fn(Value<'_>, &mut Notes) -> Option<T> {
    move |value, notes| match &value.node.kind {
        Kind::Text(_) => word(words)(value, notes),
        Kind::Integer(..) | Kind::Number(..) => otherwise(value, notes),
        Kind::Question(question) => {
            word(words)(Value { name: value.name, node: &question.form().node() }, notes);
            otherwise(Value { name: value.name, node: &question.form().node() }, notes)
        }
        _ => wrong_kind(value, wanted, notes),
    }
}

/// `off`, which is none, or what `otherwise` reads.
pub(crate) fn off_or<T>(
    otherwise: impl Fn(Value<'_>, &mut Notes) -> Option<T>,
) -> impl Fn(Value<'_>, &mut Notes) -> Option<Option<T>> {
    const OFF: &[(&str, ())] = &[("off", ()), ("no", ())];
    move |value, notes| match &value.node.kind {
        // Some write the word as a boolean.
        Kind::Text(_) | Kind::Bool(_) => word(OFF)(value, notes).map(|()| None),
        Kind::Question(question) => {
            word(OFF)(Value { name: value.name, node: &question.form().node() }, notes);
            otherwise(Value { name: value.name, node: &question.form().node() }, notes).map(Some)
        }
        _ => otherwise(value, notes).map(Some),
    }
}

/// A whole number from `least` to `most`.
pub(crate) fn whole(least: u32, most: u32) -> impl Fn(Value<'_>, &mut Notes) -> Option<u32> {
    move |value, notes| {
        value.says(|| match most {
            u32::MAX => json!({"type": "integer", "minimum": least}),
            _ => json!({"type": "integer", "minimum": least, "maximum": most}),
        });
        let Kind::Integer(number, written) = &value.node.kind else {
            return wrong_kind(value, "a whole number", notes);
        };
        match u32::try_from(*number) {
            Ok(number) if (least..=most).contains(&number) => Some(number),
            _ => {
                let bounds = match most {
                    u32::MAX => format!("at least {least}"),
                    _ => format!("from {least} to {most}"),
                };
                let what = format!("`{}` is {written}, but must be {bounds}", value.name);
                refuse(notes, value.node.at, what, "write a number in these bounds")
            }
        }
    }
}

/// A finite number, whole or not.
pub(crate) fn number(value: Value<'_>, notes: &mut Notes) -> Option<f64> {
    value.says(|| json!({"type": "number"}));
    let number = match &value.node.kind {
        Kind::Integer(number, _) => *number as f64,
        Kind::Number(number, _) => *number,
        _ => return wrong_kind(value, "a number", notes),
    };
    if number.is_finite() {
        return Some(number);
    }
    let what = format!("`{}` must be a finite number", value.name);
    refuse(notes, value.node.at, what, "write it out in digits")
}

/// A finite number above zero.
pub(crate) fn number_above_zero(value: Value<'_>, notes: &mut Notes) -> Option<f64> {
    value.says(|| json!({"exclusiveMinimum": 0}));
    let number = number(value, notes)?;
    if 0.0 < number {
        return Some(number);
    }
    let what = format!("`{}` is {number}, but must be above zero", value.name);
    refuse(notes, value.node.at, what, "write a number above zero")
}

/// A percentage of zero or more.
pub(crate) fn percent(value: Value<'_>, notes: &mut Notes) -> Option<Percent> {
    value.says(|| json!({"minimum": 0}));
    if let Kind::Text(text) = &value.node.kind
        && let Some(digits) = text.strip_suffix('%')
        && let Ok(number) = digits.trim().parse::<f64>()
    {
        let what = format!("`{}` is a bare number of per cent", value.name);
        return refuse(notes, value.node.at, what, format!("write {number}"));
    }
    let number = number(value, notes)?;
    match Percent::new(number) {
        Some(percent) => Some(percent),
        None => {
            let what = format!("`{}` is {number}, below zero", value.name);
            refuse(notes, value.node.at, what, "write a percentage of zero or more")
        }
    }
}

/// A percentage above zero.
pub(crate) fn percent_above_zero(value: Value<'_>, notes: &mut Notes) -> Option<Percent> {
    value.says(|| json!({"exclusiveMinimum": 0}));
    let percent = percent(value, notes)?;
    if 0.0 < percent.get() {
        return Some(percent);
    }
    let what = format!("`{}` is 0", value.name);
    refuse(notes, value.node.at, what, "write a percentage above zero")
}

/// A duration such as `90s`, `1m 30s` or `250ms`; at most ten years.
pub(crate) fn duration(value: Value<'_>, notes: &mut Notes) -> Option<Duration> {
    // Text that begins with a number, or zero without a unit.
    value.says(
        || json!({"type": ["string", "integer"], "pattern": DURATION, "minimum": 0, "maximum": 0}),
    );
    let written = match &value.node.kind {
        Kind::Text(text) => text,
        Kind::Integer(0, _) => return Some(Duration::ZERO),
        Kind::Integer(_, written) | Kind::Number(_, written) => {
            let what = format!("`{}` is {written} without a unit", value.name);
            let help = format!("write {written}s for seconds, {written}m for minutes");
            return refuse(notes, value.node.at, what, help);
        }
        _ => return wrong_kind(value, "a duration such as 90s or 5m", notes),
    };
    match humantime::parse_duration(written) {
        Ok(duration) if duration <= LONGEST => Some(duration),
        Ok(_) => {
            let what = format!("`{}` is longer than ten years", value.name);
            refuse(notes, value.node.at, what, "write a shorter one")
        }
        Err(error) => {
            let shown: String = written.chars().take(60).collect();
            let error = error.to_string();
            // The library lists its units as well; our hint is shorter.
            let error = error.split(", supported units").next().unwrap_or_default();
            let what = format!("`{}` is no duration: `{shown}`: {error}", value.name);
            refuse(notes, value.node.at, what, "write one such as 250ms, 90s, 5m or 1h 30m")
        }
    }
}

/// A duration above zero.
pub(crate) fn duration_above_zero(value: Value<'_>, notes: &mut Notes) -> Option<Duration> {
    duration_from(Duration::from_millis(1))(value, notes)
}

/// A duration of `least` or more.
pub(crate) fn duration_from(least: Duration) -> impl Fn(Value<'_>, &mut Notes) -> Option<Duration> {
    move |value, notes| {
        let duration = duration(value, notes);
        if !least.is_zero() {
            value.says(|| json!({"type": "string"}));
        }
        let duration = duration?;
        if least <= duration {
            return Some(duration);
        }
        let what = format!("`{}` is {}, too short", value.name, written_out(duration));
        refuse(notes, value.node.at, what, format!("write at least {}", written_out(least)))
    }
}

/// A duration as people write it: `1m 30s`.
pub(crate) fn written_out(duration: Duration) -> String {
    humantime::format_duration(duration).to_string()
}

/// Notes that a value is of the wrong kind.
pub(crate) fn wrong_kind<T>(value: Value<'_>, wanted: &str, notes: &mut Notes) -> Option<T> {
    let found = match &value.node.kind {
        Kind::Null => {
            let (what, help) = match value.name {
                "" => ("the file is empty".to_owned(), format!("write {wanted}")),
                name => (
                    format!("`{name}` has no value"),
                    format!("write {wanted}, or delete the line"),
                ),
            };
            return refuse(notes, value.node.at, what, help);
        }
        Kind::Bool(value) => value.to_string(),
        Kind::Integer(_, written) | Kind::Number(_, written) => format!("the number {written}"),
        Kind::Text(_) => "text".to_owned(),
        Kind::List(_) => "a list".to_owned(),
        Kind::Map(_) => "a mapping".to_owned(),
        Kind::Question(_) => "only asked for".to_owned(),
    };
    let what = match value.name {
        "" => format!("the file must hold {wanted}, but is {found}"),
        name => format!("`{name}` must be {wanted}, but is {found}"),
    };
    refuse(notes, value.node.at, what, format!("write {wanted}"))
}

/// The words as YAML may have them: `yes` and `no` are booleans to some readers of YAML.
fn spellings<T>(words: &[(&str, T)]) -> Vec<Json> {
    let booleans = words.iter().filter_map(|(word, _)| match *word {
        "yes" => Some(true.into()),
        "no" => Some(false.into()),
        _ => None,
    });
    words.iter().map(|(word, _)| Json::from(*word)).chain(booleans).collect()
}

fn one_of<T>(words: &[(&str, T)]) -> String {
    let words: Vec<String> = words.iter().map(|(word, _)| format!("`{word}`")).collect();
    words.join(" or ")
}
