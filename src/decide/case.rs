//! One case: what stands in a line.
//!
//! In: JSON text.
//! Out: the policy and the observation that the engine decides by, or every mistake.
//! Never: takes a key that it doesn't know.

use std::collections::BTreeMap;

use super::answer::{CaseError, ErrorKind};
use super::{history, observation};
use crate::engine::{Announced, History, Observation, RuleKey, StepMemory};
use crate::policy::document::{self, Kind, Node};
use crate::policy::fields::{self, Fields, Notes, Value};
use crate::policy::{Policy, Rule, fragment};

/// One case.
pub(super) struct Case {
    /// Its own name, where it has one.
    pub id: Option<String>,
    /// The neutral policy with the case's fragment over it.
    pub policy: Policy,
    /// What the engine sees.
    pub observation: Observation,
}

/// Reads a case; where it has mistakes, its id comes back with them.
pub(super) fn read(text: &str) -> Result<Case, (Option<String>, CaseError)> {
    let document = match document::read(text) {
        Ok(document) => document,
        // It is JSON, so what the reader minds is its size.
        Err(problem) => {
            let message = format!("the case has too many levels or values: {}", problem.what);
            return Err((None, CaseError::new(ErrorKind::TooLarge, message)));
        }
    };
    let mut notes = Notes::new();
    let case = case(&document, &mut notes);
    match case {
        Some(case) if notes.is_empty() => Ok(case),
        _ => Err((id(&document), CaseError::of_case(notes))),
    }
}

fn case(document: &Node, notes: &mut Notes) -> Option<Case> {
    let mut fields = Fields::of(Value { name: "case", node: document }, notes)?;
    let id = fields.optional("id", notes, fields::scalar);
    // What people note beside a case; the engine doesn't see it.
    let _ = fields.optional("source", notes, fields::scalar);
    let _ = fields.optional("note", notes, fields::scalar);
    let seen = fields.required("observation", "{count: 3}", notes, observation::observation);
    let signals: Vec<_> =
        seen.iter().flat_map(|seen| seen.observation.readings.keys().cloned()).collect();
    let policy = fields.required("policy", "{rules: [{target: {…}}]}", notes, |value, notes| {
        fragment(value, &signals, notes)
    });
    let at = seen.as_ref().map_or(observation::EPOCH, |seen| seen.observation.at);
    let history =
        fields.optional("history", notes, |value, notes| history::history(value, at, notes));
    fields.finish(notes);
    let (policy, seen, history) = (policy?, seen?, history?);
    let history = history.unwrap_or_else(|| history::looked_just_now(at));
    Some(Case { id: id?, observation: with_history(seen, history, &policy), policy })
}

fn with_history(seen: observation::Seen, mut history: History, policy: &Policy) -> Observation {
    history.desired = Some(seen.count);
    history.steps = remembered(&seen, policy);
    let mut observation = Observation { history, ..seen.observation };
    let of_calendar = Announced::of_calendar(policy, observation.at, &[]);
    observation.hints.hints.extend(of_calendar.hints);
    observation
}

/// What the step rules remember of the samples before the reading.
fn remembered(seen: &observation::Seen, policy: &Policy) -> BTreeMap<String, StepMemory> {
    let rules = policy.rules.iter().zip(RuleKey::of_all(&policy.rules));
    let memories = rules.filter_map(|(rule, key)| {
        let Rule::Step(step) = rule else { return None };
        let samples = seen.earlier.get(&step.signal)?.clone();
        let seen = Some(seen.observation.at);
        Some((key.to_string(), StepMemory { seen, samples, ..StepMemory::default() }))
    });
    memories.collect()
}

/// The id of a case whose rest may be wrong.
fn id(document: &Node) -> Option<String> {
    let Kind::Map(entries) = &document.kind else { return None };
    let (_, node) = entries.iter().find(|(key, _)| key.name == "id")?;
    fields::scalar(Value { name: "id", node }, &mut Notes::new())
}
