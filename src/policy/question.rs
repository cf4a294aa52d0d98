//! Asks the readers what they would accept: the one description of a policy file is the code that
//! reads it.
//!
//! In: a reader, and a [`Question`] in place of something written.
//! Out: what the reader looks for there, as JSON Schema.
//! Never: knows a key by itself; claims more than the reader says, so a reader may refuse what
//! the schema lets pass (two keys that contradict each other), never the other way round.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;

use serde_json::{Map, Value};

use super::document::{Kind, Node};
use super::problem::Place;

/// A place of a document where nothing is written: each reader that comes by says what it would
/// take, and goes on as if its value were wrong.
#[derive(Clone, Debug, Default)]
pub(crate) struct Question(Rc<RefCell<Answers>>);

/// What the readers said.
#[derive(Clone, Debug, Default)]
struct Answers {
    /// Keywords of JSON Schema.
    says: Map<String, Value>,
    /// It is a mapping with these keys.
    keys: Option<BTreeMap<&'static str, Question>>,
    /// Of these, the ones that must be there.
    required: Vec<&'static str>,
    /// It is a mapping with keys of the writer's own, and such values.
    values: Option<Question>,
    /// It is a list of such items.
    items: Option<Question>,
    /// It has any one of these forms.
    forms: Vec<Question>,
}

impl Question {
    /// The question as a part of a document.
    pub fn node(&self) -> Node {
        Node { at: Place::START, kind: Kind::Question(self.clone()) }
    }

    /// Notes keywords of JSON Schema; a later reader refines what an earlier one said.
    pub fn say(&self, keywords: Value) {
        if let Value::Object(keywords) = keywords {
            self.0.borrow_mut().says.extend(keywords);
        }
    }

    /// What a key holds.
    pub fn key(&self, key: &'static str) -> Self {
        let mut answers = self.0.borrow_mut();
        answers.keys.get_or_insert_default().entry(key).or_default().clone()
    }

    /// Notes that a key must be there.
    pub fn requires(&self, key: &'static str) {
        self.0.borrow_mut().required.push(key);
    }

    /// What each value holds where the keys are the writer's own.
    pub fn values(&self) -> Self {
        self.0.borrow_mut().values.get_or_insert_default().clone()
    }

    /// What each item of a list holds.
    pub fn items(&self) -> Self {
        self.0.borrow_mut().items.get_or_insert_default().clone()
    }

    /// Notes one more form that it may have: the answer to that form's own question.
    pub fn form(&self) -> Self {
        let form = Self::default();
        self.0.borrow_mut().forms.push(form.clone());
        form
    }

    /// What was said, as JSON Schema.
    pub fn schema(&self) -> Value {
        let answers = self.0.borrow();
        let mut schema = answers.says.clone();
        if let Some(keys) = &answers.keys {
            let keys: Map<String, Value> =
                keys.iter().map(|(key, below)| ((*key).to_owned(), below.schema())).collect();
            schema.insert("type".into(), "object".into());
            schema.insert("properties".into(), keys.into());
            schema.insert("additionalProperties".into(), false.into());
            if !answers.required.is_empty() {
                let mut required = answers.required.clone();
                required.sort_unstable();
                required.dedup();
                schema.insert("required".into(), required.into());
            }
        }
        if let Some(values) = &answers.values {
            schema.insert("type".into(), "object".into());
            schema.insert("additionalProperties".into(), values.schema());
        }
        if let Some(items) = &answers.items {
            schema.insert("type".into(), "array".into());
            schema.insert("items".into(), items.schema());
        }
        if !answers.forms.is_empty() {
            let forms: Vec<Value> = answers.forms.iter().map(Self::schema).collect();
            schema.insert("anyOf".into(), forms.into());
        }
        schema.into()
    }
}
