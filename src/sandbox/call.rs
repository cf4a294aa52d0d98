//! One call of the API, and what a handler may answer.
//!
//! In: a request that passed the gate: known operation, known caller, parsed body.
//! Out: a [`Reply`] or a [`Refusal`].
//! Never: the wire; that is the gate's.

use jiff::Timestamp;
use serde_json::{Map, Value, json};

use super::effects::Curse;
use super::errors::Refusal;
use super::jobs::Pace;
use super::options::NetworkHelper;

/// What a handler sees of a request.
#[derive(Clone, Debug)]
pub struct Call {
    /// When it came.
    pub now: Timestamp,
    /// The placeholders of the path, in order, decoded.
    pub params: Vec<String>,
    /// The body; empty when there was none.
    pub body: Map<String, Value>,
    /// How this account works.
    pub rules: Rules,
    /// What faults do to the jobs that this call starts.
    pub curse: Curse,
}

/// How this account works: settings that don't change while the sandbox runs.
#[derive(Clone, Copy, Debug)]
pub struct Rules {
    /// How long jobs take, and which of them have hooks.
    pub pace: Pace,
    /// Most instances at once.
    pub quota_instances: Option<usize>,
    /// The account setting `network_helper`.
    pub network_helper: NetworkHelper,
}

/// What a handler answers.
pub type Answer = Result<Reply, Refusal>;

/// A good answer.
#[derive(Clone, Debug)]
pub enum Reply {
    /// 200 with this body.
    Object(Value),
    /// 200 with one page of what the caller's filter leaves.
    List {
        /// Everything there is.
        items: Vec<Value>,
        /// What `X-Filter` may name.
        keys: &'static [&'static str],
    },
    /// 204.
    NoContent,
}

impl Reply {
    /// 200 with `{}`.
    pub fn empty() -> Self {
        Self::Object(json!({}))
    }

    /// A collection.
    pub fn list(items: Vec<Value>, keys: &'static [&'static str]) -> Self {
        Self::List { items, keys }
    }
}

impl Call {
    /// The placeholder at `position` as text.
    pub fn text(&self, position: usize) -> &str {
        self.params.get(position).map_or("", String::as_str)
    }

    /// The placeholder at `position` as an id; what is no number exists as little as an
    /// unknown one.
    pub fn id(&self, position: usize) -> Result<u64, Refusal> {
        self.text(position).parse().map_err(|_| Refusal::not_found())
    }
}
