//! Nodes that an operator protects from removal for a while: somebody looks into them.
//!
//! In: who is protected, the wishes of this look.
//! Out: no wish for them to leave; those that drain come back where one command brings them back.
//! Never: keeps a node whose instance is gone, or one that never came to serve.

use std::collections::BTreeMap;

use super::lifecycle::Wish;
use super::plan::PlanInput;
use super::step::Note;
use super::wishes::can_come_back;
use crate::domain::{Node, NodeCount, NodeId, NodeState, Timestamp};

/// What protects a node.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Protection {
    /// Until when.
    pub until: Timestamp,
    /// Why, in the operator's words.
    pub reason: String,
    /// Who gave the command.
    pub owner: String,
}

impl std::fmt::Display for Protection {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { until, reason, owner } = self;
        write!(f, "protected until {until} by {owner}: {reason}")
    }
}

/// Takes back the wishes that a protected node shall leave.
pub(super) fn keep(input: &PlanInput, wishes: &mut BTreeMap<NodeId, Wish>, notes: &mut Vec<Note>) {
    for id in input.protected.keys() {
        if wishes.get(id) == Some(&Wish::Leave) {
            wishes.remove(id);
        }
    }
    let is_protected = |node: &&Node| input.protected.contains_key(&node.id);
    let draining = |node: &&Node| matches!(node.state, NodeState::Draining { .. });
    let back = input.nodes.iter().filter(is_protected).filter(draining);
    let back = back.filter(|node| can_come_back(node, input.facts));
    wishes.extend(back.map(|node| (node.id, Wish::Serve)));

    let Some(desired) = input.desired else { return };
    let committed = input.nodes.iter().filter(|node| node.state.is_committed());
    let (protected, others): (Vec<&Node>, Vec<&Node>) = committed.partition(is_protected);
    let surplus = (protected.len() + others.len()).saturating_sub(desired.0 as usize);
    let kept = surplus.saturating_sub(others.len());
    let ends = protected.iter().filter_map(|node| input.protected.get(&node.id));
    if let Some(until) = ends.map(|protection| protection.until).min().filter(|_| 0 < kept) {
        notes.push(Note::Protected { kept: NodeCount(kept as u32), until });
    }
}
