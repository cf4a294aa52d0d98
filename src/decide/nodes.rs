//! The nodes of a case, one by one, and what each says of the signals.
//!
//! In: the `nodes` of an observation.
//! Out: the engine's nodes, and a reading of each signal that any of them speaks in.
//! Never: judges what counts: that is the engine's part.

use std::collections::BTreeMap;

use super::history::seconds;
use super::observation::signals;
use crate::domain::{Duration, NodeSample, Reading, SignalName, Timestamp, before};
use crate::engine::{ObservedNode, Readiness};
use crate::policy::document::Kind;
use crate::policy::fields::{self, Fields, Notes, Value, wrong_kind};

/// The words for [`Readiness`].
const READINESS: &[(&str, Readiness)] = &[
    ("ready", Readiness::Ready),
    ("unready", Readiness::Unready),
    ("ignored", Readiness::Ignored),
];

/// The nodes, and their samples by signal.
#[derive(Default)]
pub(super) struct Nodes {
    pub nodes: Vec<ObservedNode>,
    samples: BTreeMap<SignalName, Vec<NodeSample>>,
}

impl Nodes {
    /// How many are of one kind.
    pub fn count(&self, readiness: Readiness) -> u32 {
        let nodes = self.nodes.iter().filter(|node| node.readiness == readiness);
        u32::try_from(nodes.count()).unwrap_or(u32::MAX)
    }

    /// A reading of each signal that any node speaks in.
    pub fn readings(self) -> impl Iterator<Item = (SignalName, Reading)> {
        self.samples
            .into_iter()
            .map(|(name, samples)| (name, Reading::PerNode { samples, capacity: None }))
    }
}

/// Reads `nodes`.
pub(super) fn nodes(value: Value<'_>, at: Timestamp, notes: &mut Notes) -> Option<Nodes> {
    let mut nodes = Nodes::default();
    let listed = fields::list(value, notes, |value, notes| node(value, at, notes))?;
    for (index, (name, readiness, samples)) in listed.into_iter().enumerate() {
        // No name that a case may choose begins so.
        let label = name.unwrap_or_else(|| format!("[{index}]"));
        for (signal, sample) in samples {
            let sample = NodeSample { node: label.clone(), ..sample };
            nodes.samples.entry(signal).or_default().push(sample);
        }
        nodes.nodes.push(ObservedNode { address: label.clone(), label, readiness });
    }
    Some(nodes)
}

type Listed = (Option<String>, Readiness, Vec<(SignalName, NodeSample)>);

fn node(value: Value<'_>, at: Timestamp, notes: &mut Notes) -> Option<Listed> {
    let mut fields = Fields::of(value, notes)?;
    let name = fields.optional("name", notes, fields::line);
    let readiness = fields.or("readiness", Readiness::Ready, notes, fields::word(READINESS));
    let samples = fields.or("signals", Vec::new(), notes, |value, notes| {
        signals(value, notes, |value, notes| sample(value, at, notes))
    });
    fields.finish(notes);
    Some((name?, readiness?, samples?))
}

/// A number, or `{value, capacity, age_seconds}`.
fn sample(value: Value<'_>, at: Timestamp, notes: &mut Notes) -> Option<NodeSample> {
    let node = String::new();
    match &value.node.kind {
        Kind::Integer(..) | Kind::Number(..) => {
            let value = Some(fields::number(value, notes)?);
            Some(NodeSample { node, at, value, capacity: None })
        }
        Kind::Map(_) => {
            let mut fields = Fields::of(value, notes)?;
            let value = fields.optional("value", notes, fields::number);
            let capacity = fields.optional("capacity", notes, fields::number);
            let age = fields.or("age_seconds", Duration::ZERO, notes, seconds);
            fields.finish(notes);
            let at = before(at, age?);
            Some(NodeSample { node, at, value: value?, capacity: capacity? })
        }
        _ => {
            wrong_kind(value, "a number or a mapping such as `{value: 300, capacity: 1000}`", notes)
        }
    }
}
