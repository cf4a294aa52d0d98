//! What may have been made counts until listings prove that it was not.

use super::super::{AddressUse, Note};
use super::fixture::{Case, at, node, serving};
use crate::domain::{Node, NodeCount, NodeState};

/// A node that was given up this many seconds ago, after so many create calls without an answer.
fn given_up(number: u8, ago: i64, doubts: u32) -> (Node, super::super::Facts) {
    let mut node = node(number, NodeState::Deleted);
    (node.served_at, node.instance) = (None, None);
    (node.doubts, node.state_since) = (doubts, at(-ago));
    (node.planned_at, node.failed_at) = (at(-ago - 300), Some(at(-ago)));
    (node, super::super::Facts::unknown())
}

/// How many of ten, of which one serves, are created beside these.
fn created(others: &[(Node, super::super::Facts)]) -> usize {
    let mut nodes = others.to_vec();
    let (mut first, facts) = serving(1);
    first.planned_at = at(-9_000);
    nodes.push((first, facts));
    Case::new(10, nodes).plan().create.len()
}

#[test]
fn a_create_without_an_answer_counts_against_max_for_an_hour_and_a_half() {
    for (ago, doubts, room, because) in [
        (1, 1, 8, "one may exist"),
        (5_399, 1, 8, "still"),
        (5_400, 1, 9, "it would be listed by now"),
        (1, 0, 9, "every call was refused: nothing came of it"),
    ] {
        assert_eq!(created(&[given_up(2, ago, doubts)]), room, "{because}");
    }
}

#[test]
fn a_listing_that_shows_a_later_node_proves_what_it_lacks() {
    let (mut later, facts) = serving(3);
    later.planned_at = at(-100);
    let doubtful = |ago| given_up(2, ago, 1);
    assert_eq!(created(&[doubtful(101), (later.clone(), facts.clone())]), 8, "proven");
    assert_eq!(created(&[doubtful(100), (later.clone(), facts)]), 8, "to the second");
    let unseen = super::super::Facts::unknown();
    assert_eq!(created(&[doubtful(101), (later, unseen)]), 7, "nobody has seen the later one");
}

#[test]
fn what_is_in_doubt_is_told_where_it_leaves_no_room_and_keeps_its_address() {
    let mut case = Case::new(10, vec![serving(1), given_up(2, 60, 1)]);
    case.nodes[0].planned_at = at(-9_000);
    let plan = case.plan();
    let wanted = Note::CreatesInDoubt { count: NodeCount(1), until: at(5_340) };
    assert!(plan.notes.contains(&wanted), "{:?}", plan.notes);
    let address = case.nodes[1].address;
    assert_eq!(case.addresses.get(&address), None::<&AddressUse>, "the store has let go of it");
    assert!(plan.create.iter().all(|node| node.address != address));
    case.desired = Some(NodeCount(5));
    assert_eq!(case.plan().notes, [], "there is room");
}
