//! Nodes that came to nothing, as far as anybody knows: an instance of theirs may yet show up.
//!
//! In: nodes that are over and whose create calls were never answered, and what listings show.
//! Out: those of them that count as instances still, against `max` and for their address.
//! Never: believes a listing that has shown nothing newer. A loop that forgets what it cannot see
//! makes a fleet out of a single lost answer.

use std::collections::BTreeMap;

use super::facts::{Facts, InstanceFact};
use crate::domain::{Duration, Node, NodeId, Timestamp, after, before};

/// So long after its end an instance of a node may come to be listed. An hour has been seen; where
/// the cloud answers nobody for longer than this, nodes are tried anew.
const LISTED_WITHIN: Duration = Duration::from_secs(5_400);

/// The nodes that are over and may have an instance nonetheless.
///
/// A node that was planned after another one's end, and whose instance is listed, proves that
/// listings have caught up: what they lack of the older one is not there. That takes listings to
/// show instances in the order of their making, as a copy of the truth that lags behind does.
pub(super) fn in_doubt<'a>(
    nodes: &'a [Node],
    facts: &BTreeMap<NodeId, Facts>,
    now: Timestamp,
) -> Vec<&'a Node> {
    let is_listed = |node: &&Node| {
        let instance = facts.get(&node.id).map(|facts| &facts.instance);
        matches!(instance, Some(InstanceFact::Present(_)))
    };
    let caught_up = nodes.iter().filter(is_listed).map(|node| node.planned_at).max();
    let since = caught_up.unwrap_or(Timestamp::MIN).max(before(now, LISTED_WITHIN));
    nodes.iter().filter(|node| node.may_come_late() && since < node.state_since).collect()
}

/// When the first of them counts no more, if listings show nothing until then.
pub(super) fn believed_gone_at(in_doubt: &[&Node]) -> Option<Timestamp> {
    in_doubt.iter().map(|node| after(node.state_since, LISTED_WITHIN)).min()
}
