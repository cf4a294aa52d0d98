//! What operators order of nodes.

use super::super::{Departure, DepartureOrder, Note};
use super::fixture::{Case, at, draining, node, seen, serving, standing_by};
use crate::domain::{NodeCount, NodeState};

/// A case in which the node at `index` is sent away.
fn sent_away(mut case: Case, index: usize, order: DepartureOrder) -> Case {
    let (owner, reason) = ("ops".into(), "a bad disk".into());
    let departure = Departure { order, until: at(600), reason, owner };
    case.orders.departures.insert(case.nodes[index].id, departure);
    case
}

fn moves(case: &Case) -> Vec<(u128, Option<&'static str>, String)> {
    let plan = case.plan();
    let moves = plan.moves.into_iter().map(|one| {
        let enter = one.enter.map(|state| state.name());
        (one.node.0.as_u128(), enter, one.because)
    });
    moves.collect()
}

#[test]
fn a_drained_node_leaves_at_once_and_another_is_made() {
    let case = Case::new(2, vec![serving(1), serving(2)]);
    let case = sent_away(case, 0, DepartureOrder::Drain);
    let because = "drained by order of ops: a bad disk".to_string();
    assert_eq!(moves(&case), [(1, Some("draining"), because)]);
    assert_eq!(case.plan().create.len(), 1);
}

#[test]
fn a_replaced_node_leaves_once_another_serves() {
    let two = Case::new(2, vec![serving(1), serving(2)]);
    let waits = sent_away(two, 0, DepartureOrder::Replace);
    assert_eq!(moves(&waits), []);
    assert_eq!(waits.plan().create.len(), 1, "its replacement");
    let three = Case::new(2, vec![serving(1), serving(2), serving(3)]);
    let goes = sent_away(three, 0, DepartureOrder::Replace);
    let because = "replaced by order of ops: a bad disk".to_string();
    assert_eq!(moves(&goes), [(1, Some("draining"), because)]);
    assert!(goes.plan().create.is_empty());
}

#[test]
fn a_replaced_node_makes_room_where_max_has_no_other() {
    let max = Case::new(1, vec![]).policy.bounds.max.0 as u8;
    let case = Case::new(max.into(), (1..=max).map(serving).collect());
    let case = sent_away(case, 0, DepartureOrder::Replace);
    assert_eq!(moves(&case).len(), 1);
}

#[test]
fn whoever_is_sent_away_is_not_taken_back_and_leaves_from_any_state() {
    let early = node(3, NodeState::Provisioning { deadline: at(100) });
    let facts = seen(&early, super::super::InstanceFact::Unknown);
    let nodes = vec![draining(1), standing_by(2), (early, facts)];
    let mut case = Case::new(3, nodes);
    for index in 0..3 {
        case = sent_away(case, index, DepartureOrder::Drain);
    }
    let entered: Vec<_> = moves(&case).into_iter().map(|one| (one.0, one.1)).collect();
    assert!(!entered.contains(&(1, Some("in_service"))), "{entered:?}");
    assert!(entered.iter().any(|one| one.0 == 2) && entered.iter().any(|one| one.0 == 3));
    assert_eq!(case.plan().create.len(), 3);
}

#[test]
fn nobody_leaves_while_removals_are_held_and_nobody_comes_while_creates_are() {
    let mut case = Case::new(1, vec![serving(1), serving(2), serving(3)]);
    case.policy.scale_in.leave_early = crate::policy::LeaveEarly::Yes;
    let mut case = sent_away(case, 0, DepartureOrder::Drain);
    case.orders.removals_held = Some(at(300));
    let plan = case.plan();
    assert!(plan.moves.is_empty(), "{:?}", plan.moves);
    assert_eq!(plan.notes, [Note::RemovalsHeld { kept: NodeCount(2), until: at(300) }]);

    let mut case = Case::new(3, vec![serving(1), draining(2)]);
    case.orders.creates_held = Some(at(300));
    let plan = case.plan();
    assert!(plan.create.is_empty());
    assert_eq!(plan.moves.len(), 1, "the draining one is taken back");
    assert_eq!(plan.notes, [Note::CreatesHeld { wanted: NodeCount(1), until: at(300) }]);
}
