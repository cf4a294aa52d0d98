//! Whoever is protected stays.

use super::super::{Note, Protection};
use super::fixture::{Case, at, draining, node, serving};
use crate::domain::{NodeCount, NodeState};

/// These nodes are protected until so many seconds from now.
fn protect(case: &mut Case, until: &[(usize, i64)]) {
    for (index, until) in until {
        let (owner, reason) = ("ops".into(), "a core dump is on it".into());
        let protection = Protection { until: at(*until), reason, owner };
        case.protected.insert(case.nodes[*index].id, protection);
    }
}

fn moved(case: &Case) -> Vec<u128> {
    case.plan().moves.iter().map(|one| one.node.0.as_u128()).collect()
}

fn case(desired: u32) -> Case {
    let mut case = Case::new(desired, vec![serving(1), serving(2), serving(3)]);
    case.policy.scale_in.leave_early = crate::policy::LeaveEarly::Yes;
    case
}

#[test]
fn another_node_leaves_in_the_place_of_a_protected_one() {
    let mut case = case(2);
    let first = moved(&case);
    assert_eq!(first.len(), 1);
    let index = case.nodes.iter().position(|node| node.id.0.as_u128() == first[0]);
    protect(&mut case, &[(index.expect("one of them"), 60)]);
    assert_eq!(moved(&case).len(), 1);
    assert_ne!(moved(&case), first);
    assert_eq!(case.plan().notes, [], "as many leave as shall");
}

#[test]
fn a_surplus_that_is_protected_stays_and_is_told() {
    let mut case = case(0);
    protect(&mut case, &[(0, 60), (2, 40)]);
    assert_eq!(moved(&case), [2]);
    assert_eq!(case.plan().notes, [Note::Protected { kept: NodeCount(2), until: at(40) }]);
    assert_eq!(case.plan().protected, case.protected, "and shown beside each");
}

#[test]
fn a_protected_node_that_drains_comes_back() {
    let mut case = Case::new(1, vec![serving(1), draining(2)]);
    protect(&mut case, &[(1, 60)]);
    let plan = case.plan();
    assert_eq!(plan.moves[0].enter, Some(NodeState::InService));
}

#[test]
fn no_protection_keeps_a_node_whose_instance_is_gone_or_that_never_booted() {
    let gone = serving(1);
    let late = node(2, NodeState::Provisioning { deadline: at(-1) });
    let facts = super::fixture::seen(&late, super::super::InstanceFact::Unknown);
    let mut case = Case::new(2, vec![gone, (late, facts)]);
    let id = case.nodes[0].id;
    case.facts.get_mut(&id).expect("its facts").instance =
        super::super::InstanceFact::Absent { looks: 2 };
    protect(&mut case, &[(0, 60), (1, 60)]);
    assert_eq!(moved(&case), [1, 2]);
}
