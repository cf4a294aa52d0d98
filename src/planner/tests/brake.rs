//! Never too many gone at once.

use super::super::{Facts, Note};
use super::fixture::{Case, at, draining, node, policy_with, serving};
use crate::domain::{Node, NodeCount, NodeState};

/// So many serving nodes of which so many shall stay, with a brake of this many nodes and percent
/// in ten minutes; `left` nodes left so many seconds ago.
fn case(serve: u8, stay: u32, brake: (u32, u32), left: &[i64]) -> Case {
    let mut nodes: Vec<(Node, Facts)> = (1..=serve).map(serving).collect();
    nodes.extend(left.iter().zip(100..).map(|(ago, number)| {
        let mut node = node(number, NodeState::Deleted);
        node.left_at = Some(at(-ago));
        (node, Facts::unknown())
    }));
    let mut case = Case::new(stay, nodes);
    let (nodes, percent) = brake;
    let leave = "leave: {drain_timeout: 2m}";
    let brake = format!("brake: {{nodes: {nodes}, percent: {percent}, per: 10m}}\n{leave}");
    case.policy = policy_with(leave, &brake);
    case.policy.scale_in.leave_early = crate::policy::LeaveEarly::Yes;
    case
}

fn drained(case: &Case) -> usize {
    case.plan().moves.len()
}

#[test]
fn the_smaller_of_number_and_share_leaves_and_three_in_any_case() {
    for (serve, brake, leave, because) in [
        (20, (5, 100), 5, "five at most"),
        (20, (100, 50), 10, "half of them at most"),
        (9, (100, 50), 4, "half a node is none"),
        (6, (1, 1), 3, "a share of a handful means nothing"),
        (2, (1, 1), 2, "and there may be fewer"),
    ] {
        assert_eq!(drained(&case(serve, 0, brake, &[])), leave, "{because}");
    }
}

#[test]
fn who_left_lately_counts_whoever_made_it_leave_and_who_left_long_ago_does_not() {
    for (left, leave) in [(&[][..], 5), (&[1, 599], 3), (&[1, 600, 3_000], 4), (&[1; 7], 0)] {
        assert_eq!(drained(&case(20, 0, (5, 100), left)), leave, "{left:?}");
    }
    let shrunk = case(10, 0, (100, 50), &[1, 2, 3, 4]);
    assert_eq!(drained(&shrunk), 3, "half of the fourteen that there were, four of them gone");
}

#[test]
fn what_the_brake_keeps_is_told_with_the_time_of_its_end() {
    let braked = |kept, removed, until| Note::RemovalsBraked {
        kept: NodeCount(kept),
        removed: NodeCount(removed),
        until: at(until),
    };
    assert_eq!(case(20, 4, (5, 100), &[]).plan().notes, [braked(11, 5, 600)]);
    assert_eq!(case(20, 4, (5, 100), &[60, 30]).plan().notes, [braked(13, 5, 540)]);
    assert_eq!(case(20, 16, (5, 100), &[]).plan().notes, []);
}

#[test]
fn the_brake_holds_no_node_that_never_served() {
    let coming = (1..=8).map(|number| {
        let node = node(number, NodeState::Planned);
        (node, Facts::unknown())
    });
    let mut case = case(1, 0, (3, 1), &[]);
    let all = Case::new(0, coming.chain([draining(20)]).collect());
    (case.nodes, case.facts) = (all.nodes, all.facts);
    assert_eq!(case.plan().notes, []);
    assert_eq!(drained(&case), 8);
}
