//! Bills that are right and bills that are not.

use super::super::bill::wrong_bill;
use super::forged::{at, quick};
use crate::domain::{Dollars, InstanceId, InstanceLabel, Node, NodeId, NodeState};
use crate::engine::Costs;
use crate::sim::Hired;

fn id(number: u128) -> NodeId {
    NodeId(uuid::Uuid::from_u128(number))
}

/// In the cloud's books from one second to another.
pub(super) fn hired(number: u128, from: u64, until: Option<u64>) -> Hired {
    let label = InstanceLabel::of(&quick().pool, id(number)).to_string();
    Hired { label, from: at(from), until: until.map(at), vanished: false }
}

/// A node whose instance came to be at `born` and whose state began at `since`.
pub(super) fn node(number: u128, born: u64, state: NodeState, since: u64) -> Node {
    let policy = quick();
    Node {
        id: id(number),
        label: InstanceLabel::of(&policy.pool, id(number)),
        pool: policy.pool,
        address: [10, 10, 0, 20 + number as u8].into(),
        vlan: "app".into(),
        instance_type: "g6-standard-2".into(),
        region: "eu-central".into(),
        state,
        state_since: at(since),
        planned_at: at(born),
        instance: Some(InstanceId(number as u64)),
        instance_created_at: Some(at(born)),
        host_keys: Vec::new(),
        doubts: 0,
        attempt: None,
        joining_since: None,
        served_at: None,
        left_at: None,
        admitting: Default::default(),
        failure: None,
        failed_at: None,
    }
}

/// A bill of so many hours, at 3.6 cents each.
pub(super) fn costs(hours: u64) -> Costs {
    let price = Dollars::new(0.036).expect("a sane price");
    Costs {
        node_hourly: Some(price),
        spent: price.times(hours),
        paid_ahead: Dollars::default(),
        month_seconds_left: 1_000_000,
    }
}

#[test]
fn a_bill_is_every_started_hour_of_every_instance_in_the_books() {
    let account = [hired(1, 0, Some(3_500)), hired(2, 100, None)];
    let nodes = [node(1, 0, NodeState::Deleted, 3_590), node(2, 100, NodeState::InService, 200)];
    // One hour of the first; two of the second: it is in its second.
    assert_eq!(wrong_bill(&account, &nodes, Some((at(4_000), costs(3)))), [""; 0]);
    for hours in [2, 4] {
        let wrong = wrong_bill(&account, &nodes, Some((at(4_000), costs(hours))));
        assert_eq!(wrong.len(), 1, "{wrong:?}");
        assert!(wrong[0].contains("the books' 3 hours are $0.108"), "{wrong:?}");
    }
}

#[test]
fn an_instance_on_no_bill_is_seen_unless_nobody_could_know_of_it() {
    let nodes = [Node { instance: None, ..node(1, 0, NodeState::Deleted, 90) }];
    let mut lost = hired(1, 0, Some(60));
    let wrong = wrong_bill(std::slice::from_ref(&lost), &nodes, None);
    assert_eq!(wrong, [format!("{} is in the books, and on no bill", lost.label)]);
    lost.vanished = true;
    assert_eq!(wrong_bill(&[lost], &nodes, None), [""; 0]);
}

#[test]
fn a_node_in_no_books_and_one_with_another_birth_are_seen() {
    let nodes = [node(1, 0, NodeState::InService, 90)];
    let wrong = wrong_bill(&[], &nodes, None);
    assert_eq!(wrong, [format!("{} is billed, and in no books", nodes[0].label)]);
    let wrong = wrong_bill(&[hired(1, 5, None)], &nodes, None);
    assert_eq!(wrong, [format!("{} is billed from another moment on", nodes[0].label)]);
}
