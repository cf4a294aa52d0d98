//! Holds removals back: so many nodes, and such a share of the fleet, within so long. Whatever
//! wanted them gone, a decision, other bounds or a mistake, the rest stays until somebody has had
//! the time to look.
//!
//! In: the nodes that shall leave, and those that left lately, by whoever's wish.
//! Out: fewer of the former, with a note.
//! Never: forgets across a restart: when a node left stands in its row.

use std::collections::BTreeMap;

use super::choose::rank;
use super::lifecycle::Wish;
use super::plan::PlanInput;
use super::step::Note;
use crate::domain::{Node, NodeCount, NodeId, NodeState, after, before};

/// So many may always leave: of a handful of nodes, a share means nothing. As many are too few to
/// call a listing wrong.
const ALWAYS: u32 = 3;

/// Takes back wishes to leave that are more than the policy allows.
pub(super) fn hold(input: &PlanInput, wishes: &mut BTreeMap<NodeId, Wish>, notes: &mut Vec<Note>) {
    let (brake, now) = (input.policy.brake, input.now);
    let settled: Vec<&Node> = input.nodes.iter().filter(|node| node.state.is_settled()).collect();
    let wished = |node: &&&Node| wishes.get(&node.id) == Some(&Wish::Leave);
    let mut leave: Vec<&Node> = settled.iter().filter(wished).copied().collect();
    let since = before(now, brake.per);
    let left = input.nodes.iter().filter_map(|node| node.left_at).filter(|at| since < *at);
    let (removed, first) = (left.clone().count() as u32, left.min().unwrap_or(now));
    let fleet = settled.len() as u32 + removed;
    let share = (f64::from(fleet) * brake.share.fraction()).floor() as u32;
    let room = brake.nodes.min(share).max(ALWAYS).saturating_sub(removed) as usize;
    if leave.len() <= room {
        return;
    }
    // Whoever doesn't serve anyway goes first.
    let serves = |node: &Node| node.state == NodeState::InService;
    leave.sort_by_key(|node| (serves(node), rank(node, input.policy.scale_in.order, now)));
    for node in &leave[room..] {
        wishes.remove(&node.id);
    }
    let kept = NodeCount((leave.len() - room) as u32);
    let removed = NodeCount(removed + room as u32);
    notes.push(Note::RemovalsBraked { kept, removed, until: after(first, brake.per) });
}
