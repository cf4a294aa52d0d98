//! Reading the fields of a request body, collecting every complaint.
//!
//! In: a JSON object and the names to look for.
//! Out: values of the right type, or their absence with a complaint.
//! Never: stops at the first problem.

use serde_json::{Map, Value};

use super::errors::Complaint;

/// A body under inspection.
pub struct Fields<'a> {
    body: &'a Map<String, Value>,
    pub complaints: Vec<Complaint>,
}

impl<'a> Fields<'a> {
    /// Starts without complaints.
    pub fn new(body: &'a Map<String, Value>) -> Self {
        Self { body, complaints: Vec::new() }
    }

    /// Adds a complaint about a field.
    pub fn complain(&mut self, field: impl Into<String>, reason: impl Into<String>) {
        self.complaints.push(Complaint::on(field, reason));
    }

    /// The raw value; absent and null are the same.
    pub fn raw(&self, name: &str) -> Option<&'a Value> {
        self.body.get(name).filter(|value| !value.is_null())
    }

    /// A text.
    pub fn text(&mut self, name: &str) -> Option<&'a str> {
        self.typed(name, "a string", Value::as_str)
    }

    /// A text that must be there.
    pub fn required_text(&mut self, name: &str) -> Option<&'a str> {
        if self.raw(name).is_none() {
            self.complain(name, format!("{name} is required"));
        }
        self.text(name)
    }

    /// A truth value.
    pub fn flag(&mut self, name: &str) -> Option<bool> {
        self.typed(name, "a boolean", Value::as_bool)
    }

    /// A whole number, possibly negative.
    pub fn integer(&mut self, name: &str) -> Option<i64> {
        self.typed(name, "an integer", Value::as_i64)
    }

    /// A list of texts; an element of another kind is complained about by its index.
    pub fn texts(&mut self, name: &str) -> Option<Vec<String>> {
        let list = self.typed(name, "a list", Value::as_array)?;
        let mut texts = Vec::new();
        for (index, value) in list.iter().enumerate() {
            match value.as_str() {
                Some(text) => texts.push(text.to_owned()),
                None => self.complain(format!("{name}[{index}]"), "Must be a string"),
            }
        }
        Some(texts)
    }

    fn typed<T>(
        &mut self,
        name: &str,
        kind: &str,
        read: impl Fn(&'a Value) -> Option<T>,
    ) -> Option<T> {
        let found = read(self.raw(name)?);
        if found.is_none() {
            self.complain(name, format!("{name} must be {kind}"));
        }
        found
    }
}
