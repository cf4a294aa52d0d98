//! What operators ordered of single nodes, and which acts they forbade.
//!
//! In: orders that are in force.
//! Out: whom they send away, and what the plan leaves undone because of them.
//! Never: ends a node's life otherwise than the table of its life does: it drains first.

use std::collections::BTreeMap;

use super::lifecycle::Wish;
use super::plan::PlanInput;
use super::step::Note;
use crate::domain::{Node, NodeCount, NodeId, NodeState, Timestamp};

/// All that is in force of it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct NodeOrders {
    /// The nodes that shall go.
    pub departures: BTreeMap<NodeId, Departure>,
    /// Until when no instance may be created.
    pub creates_held: Option<Timestamp>,
    /// Until when no node may begin to leave, and no orphan be deleted.
    pub removals_held: Option<Timestamp>,
}

/// A node that shall go.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Departure {
    /// Before or after another has taken its place.
    pub order: DepartureOrder,
    /// When the order ends, if the node is still there then.
    pub until: Timestamp,
    /// Why, in the operator's words.
    pub reason: String,
    /// Who gave the command.
    pub owner: String,
}

/// Whether a node goes before or after another has taken its place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DepartureOrder {
    /// At once; if one is then missing, another is made.
    Drain,
    /// Once another serves in its place.
    Replace,
}

impl std::fmt::Display for Departure {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { reason, owner, .. } = self;
        match self.order {
            DepartureOrder::Drain => write!(f, "drained by order of {owner}: {reason}"),
            DepartureOrder::Replace => write!(f, "replaced by order of {owner}: {reason}"),
        }
    }
}

/// Takes back every wish to leave while removals are held.
pub(super) fn hold_removals(
    input: &PlanInput,
    wishes: &mut BTreeMap<NodeId, Wish>,
    notes: &mut Vec<Note>,
) {
    let Some(until) = input.orders.removals_held else { return };
    // What was only planned costs nothing to forget.
    let is_there = |node: &&Node| node.state != NodeState::Planned;
    let there = input.nodes.iter().filter(is_there);
    let kept: Vec<NodeId> =
        there.map(|node| node.id).filter(|id| wishes.get(id) == Some(&Wish::Leave)).collect();
    for id in &kept {
        wishes.remove(id);
    }
    if !kept.is_empty() {
        notes.push(Note::RemovalsHeld { kept: NodeCount(kept.len() as u32), until });
    }
}
