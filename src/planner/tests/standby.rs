//! Who stands by, who is taken from there, and what fills it again.

use super::super::{Facts, Note, Plan, spare_on_the_way};
use super::fixture::{
    ABSENT, Case, Check, Says, at, draining, facts, node, policy_with, serving, standing_by, up,
};
use crate::domain::{InstanceStatus, Node, NodeCount, NodeState, ServerAdmin, Timestamp};

const DRAIN: ServerAdmin = ServerAdmin::Drain;

/// A pool that keeps so many nodes in standby, and lets its nodes leave like this.
fn case(standby: u32, leave_early: &str, desired: u32, nodes: Vec<(Node, Facts)>) -> Case {
    let to = format!("leave_early: {leave_early}}}\nstandby: {{nodes: {standby}}}");
    Case { policy: policy_with("leave_early: yes}", &to), ..Case::new(desired, nodes) }
}

fn all(serve: u8, stand_by: u8) -> Vec<(Node, Facts)> {
    let standing = (serve + 1..=serve + stand_by).map(standing_by);
    (1..=serve).map(serving).chain(standing).collect()
}

/// Each node that moves, and the state that it enters.
fn moves(plan: &Plan) -> Vec<(u128, &'static str)> {
    let entered = |one: &super::super::Move| one.enter.as_ref().map_or("stays", NodeState::name);
    let mut moves: Vec<_> =
        plan.moves.iter().map(|one| (one.node.0.as_u128(), entered(one))).collect();
    moves.sort_unstable();
    moves
}

/// A node that is about to join.
fn joining(number: u8, says: Says) -> (Node, Facts) {
    let like = node(number, NodeState::Joining { deadline: at(100) });
    let node = Node { served_at: None, ..like };
    let facts = facts(&node, &[says, says]);
    (node, facts)
}

fn booting(number: u8) -> (Node, Facts) {
    let node = node(number, NodeState::Provisioning { deadline: at(100) });
    let instance = super::fixture::instance(&node, InstanceStatus::Booting);
    let facts = Facts { instance, ..facts(&node, &[ABSENT, ABSENT]) };
    (node, facts)
}

/// Born so that its paid hour has this much left.
fn with_left(seconds: i64, (mut node, facts): (Node, Facts)) -> (Node, Facts) {
    node.instance_created_at = Some(at(seconds - 3_600));
    (node, facts)
}

#[test]
fn a_standby_is_made_beside_the_nodes_that_serve() {
    let plan = case(2, "yes", 3, all(3, 0)).plan();
    assert_eq!((plan.create.len(), plan.refills.len()), (2, 2));
    let plan = case(2, "yes", 4, all(3, 0)).plan();
    assert_eq!((plan.create.len(), plan.refills.len()), (3, 2), "one of them shall serve");
}

#[test]
fn a_pool_with_its_standby_is_left_alone() {
    let plan = case(2, "yes", 3, all(3, 2)).plan();
    assert!(plan.is_empty(), "{plan:?}");
    assert_eq!(plan.notes, []);
}

#[test]
fn a_scale_out_takes_the_standby_and_another_is_made_behind_it() {
    let plan = case(1, "yes", 4, all(3, 1)).plan();
    assert_eq!(moves(&plan), [(4, "in_service")]);
    assert_eq!((plan.create.len(), plan.refills.len()), (1, 1));
    let plan = case(1, "yes", 6, all(3, 1)).plan();
    assert_eq!(moves(&plan), [(4, "in_service")]);
    assert_eq!((plan.create.len(), plan.refills.len()), (3, 1));
}

#[test]
fn the_standby_serves_at_once_while_others_are_only_on_their_way() {
    let mut nodes = all(3, 1);
    nodes.push(booting(9));
    let plan = case(1, "yes", 4, nodes).plan();
    assert_eq!(moves(&plan), [(4, "in_service")], "and the booting one will stand by");
    assert_eq!(plan.create.len(), 0);
}

#[test]
fn the_standby_yields_to_serving_nodes_where_max_has_no_room_for_both() {
    let plan = case(2, "yes", 9, all(9, 0)).plan();
    assert_eq!((plan.create.len(), plan.refills.len()), (1, 1), "ten may exist");
    assert_eq!(plan.notes, [], "nothing is wrong");
    let plan = case(2, "yes", 10, all(9, 1)).plan();
    assert_eq!(moves(&plan), [(10, "in_service")]);
    assert!(plan.create.is_empty());
    let settled = case(2, "yes", 10, all(10, 0)).plan();
    assert!(settled.is_empty() && settled.notes.is_empty(), "{settled:?}");
}

#[test]
fn a_standby_that_cannot_serve_makes_room_at_max_for_a_node_that_can() {
    let (node, _) = standing_by(10);
    let starting = facts(&node, &[Says::Has(DRAIN, Check::Rising)]);
    let mut nodes = all(9, 0);
    nodes.push((node, starting));
    let plan = case(1, "yes", 10, nodes).plan();
    assert_eq!(moves(&plan), [(10, "deleting")]);
    assert_eq!(plan.notes, [Note::MaxReached { wanted: NodeCount(1), max: NodeCount(10) }]);
}

#[test]
fn of_those_that_are_up_as_many_serve_as_are_missing_and_the_others_stand_by() {
    let up = up(DRAIN);
    let rising = Says::Has(DRAIN, Check::Rising);
    let mut nodes = all(3, 0);
    nodes.extend([joining(7, rising), joining(8, up), joining(9, up)]);
    let plan = case(2, "yes", 4, nodes).plan();
    assert_eq!(moves(&plan), [(8, "in_service"), (9, "standby")], "the first that is UP serves");
    assert!(plan.create.is_empty());
}

#[test]
fn a_surplus_fills_the_standby_and_only_what_it_leaves_open_is_made() {
    let plan = case(3, "yes", 1, all(3, 0)).plan();
    assert_eq!(moves(&plan).len(), 2, "two of the three that serve will stand by");
    assert!(moves(&plan).iter().all(|(_, enters)| *enters == "draining"));
    assert_eq!((plan.create.len(), plan.refills.len()), (1, 1));
}

#[test]
fn a_surplus_node_fills_the_standby_before_another_is_made() {
    for (leave_early, moved) in [("yes", vec![(3, "draining")]), ("no", vec![])] {
        let mut nodes = all(2, 0);
        nodes.push(with_left(1_800, serving(3)));
        nodes.swap(0, 2);
        let plan = case(1, leave_early, 2, nodes).plan();
        assert_eq!(moves(&plan), moved, "leave_early: {leave_early}");
        assert!(plan.create.is_empty(), "it is as good as in standby: {leave_early}");
        assert_eq!(plan.notes, []);
    }
}

#[test]
fn a_draining_node_stands_by_where_one_is_lacking() {
    let mut nodes = all(2, 0);
    nodes.push(draining(3));
    let idle = facts(&nodes[2].0, &[up(DRAIN), up(DRAIN)]);
    nodes[2].1 = idle;
    let plan = case(1, "yes", 2, nodes.clone()).plan();
    assert_eq!(moves(&plan), [(3, "standby")]);
    assert!(plan.create.is_empty());
    let plan = case(0, "yes", 2, nodes).plan();
    assert_eq!(moves(&plan), [(3, "deleting")], "none is wanted in standby");
}

#[test]
fn with_to_standby_a_drained_node_waits_for_the_end_of_its_paid_hour() {
    let drained = |left| {
        let (mut node, _) = with_left(left, draining(3));
        node.state_since = at(-10);
        let facts = facts(&node, &[up(DRAIN), up(DRAIN)]);
        let mut nodes = all(2, 0);
        nodes.push((node, facts));
        nodes
    };
    // Leaving takes a drain of two minutes, and its window has 90 s.
    for (leave_early, left, entered) in [
        ("to_standby", 1_800, "standby"),
        ("to_standby", 211, "standby"),
        ("to_standby", 190, "deleting"),
        ("yes", 1_800, "deleting"),
    ] {
        let plan = case(0, leave_early, 2, drained(left)).plan();
        assert_eq!(moves(&plan), [(3, entered)], "{leave_early}, {left} s left");
        assert!(plan.create.is_empty());
    }
}

#[test]
fn a_free_standby_leaves_in_the_last_minutes_of_its_hour_and_another_one_takes_its_place() {
    for (standby, left, moved) in [
        (0, [1_800, 1_700], vec![]),
        (0, [1_800, 200], vec![(4, "deleting")]),
        (1, [1_800, 200], vec![(4, "deleting")]),
        (2, [1_800, 200], vec![]),
        (1, [200, 190], vec![(4, "deleting")]),
        (0, [200, 190], vec![(3, "deleting"), (4, "deleting")]),
    ] {
        let mut nodes = all(2, 0);
        nodes.push(with_left(left[0], standing_by(3)));
        nodes.push(with_left(left[1], standing_by(4)));
        let plan = case(standby, "to_standby", 2, nodes).plan();
        assert_eq!(moves(&plan), moved, "{standby} wanted in standby, {left:?} s left");
        assert!(plan.create.is_empty());
    }
}

#[test]
fn with_to_standby_a_surplus_node_on_its_way_goes_on_and_stands_by() {
    let mut nodes = all(3, 0);
    nodes.push(booting(4));
    nodes.push(joining(5, up(DRAIN)));
    let plan = case(0, "to_standby", 3, nodes).plan();
    assert_eq!(moves(&plan), [(5, "standby")], "nobody who serves is sent away for it");
}

#[test]
fn whoever_is_surplus_is_no_longer_wanted_in_standby_either() {
    let plan = case(1, "yes", 2, all(2, 3)).plan();
    assert_eq!(moves(&plan), [(3, "deleting"), (4, "deleting")]);
}

#[test]
fn nobody_who_serves_leaves_while_the_surplus_is_only_on_its_way() {
    let window = 200;
    let mut nodes: Vec<_> = (1..=3).map(|number| with_left(window, serving(number))).collect();
    nodes.push(with_left(1_800, booting(4)));
    let plan = case(0, "no", 3, nodes).plan();
    assert_eq!(moves(&plan), [], "three are wanted, and three serve");
}

#[test]
fn a_node_taken_out_of_standby_by_hand_is_noted_and_not_taken() {
    let (node, _) = standing_by(4);
    let taken_out = facts(&node, &[up(ServerAdmin::Maintenance)]);
    let mut nodes = all(3, 0);
    let balancer = super::fixture::balancer(0);
    let note = Note::TakenOutByHand { node: node.id, balancer };
    nodes.push((node, taken_out));
    let plan = case(1, "yes", 4, nodes).plan();
    assert_eq!(moves(&plan), []);
    assert_eq!(plan.create.len(), 1);
    assert_eq!(plan.notes, [note]);
}

#[test]
fn nodes_on_their_way_beyond_those_wanted_are_bound_for_the_standby() {
    let spare = |desired, standby| {
        let nodes = [serving(1), booting(2), booting(3), booting(4)].map(|(node, _)| node);
        let spare = spare_on_the_way(nodes.iter(), Some(NodeCount(desired)), NodeCount(standby));
        spare.into_iter().map(|id| id.0.as_u128()).collect::<Vec<_>>()
    };
    assert_eq!(spare(4, 1), []);
    assert_eq!(spare(3, 1), [4]);
    assert_eq!(spare(2, 1), [3], "the others serve on as paid head-room");
    assert_eq!(spare(2, 2), [3, 4]);
    assert_eq!(spare(2, 0), []);
}

#[test]
fn a_node_that_stands_by_ends_a_row_of_failures() {
    let failed = |number: u8, seconds: i64| {
        let mut node = node(number, NodeState::Deleted);
        node.planned_at = at(seconds - 3);
        (node.served_at, node.failed_at) = (None, Some(at(seconds)));
        (node, Facts::unknown())
    };
    let created = |stands_by_since: Timestamp| {
        let (mut good, facts) = standing_by(9);
        (good.served_at, good.state_since) = (None, stands_by_since);
        let nodes = vec![failed(1, -20), failed(2, -10), (good, facts)];
        case(2, "yes", 0, nodes).plan().create.len()
    };
    assert_eq!(created(at(-5)), 1);
    assert_eq!(created(at(-30)), 0, "creating rests");
}
