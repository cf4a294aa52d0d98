//! What the next node is made from when a plan is sold out.

use super::super::{Note, plan_of_next};
use super::fixture::{Case, at, node, policy_with};
use crate::domain::{Failure, Node, NodeState, Timestamp};
use crate::policy::Policy;

const FIRST: &str = "g6-standard-2";
const SECOND: &str = "g6-dedicated-2";

fn policy() -> Policy {
    let plans = "type: g6-standard-2\n  fallback_types: [g6-dedicated-2]";
    policy_with("type: g6-standard-2", plans)
}

/// A node of this plan that was refused, planned three seconds before.
fn refused(number: u8, plan: &str, seconds: i64, failure: Failure) -> Node {
    let mut node = node(number, NodeState::Failed { why: failure.clone() });
    node.instance_type = plan.into();
    (node.planned_at, node.failed_at) = (at(seconds - 3), Some(at(seconds)));
    (node.served_at, node.instance) = (None, None);
    node.failure = Some(failure);
    node
}

fn sold_out(number: u8, plan: &str, seconds: i64) -> Node {
    refused(number, plan, seconds, Failure::OutOfCapacity { reason: "none left".into() })
}

fn served(number: u8, plan: &str, seconds: i64) -> Node {
    let mut node = node(number, NodeState::InService);
    (node.instance_type, node.served_at) = (plan.into(), Some(at(seconds)));
    node
}

fn told(nodes: &[Node], now: Timestamp) -> Result<String, (Timestamp, u32)> {
    plan_of_next(nodes, &policy().node, now).map(String::from)
}

#[test]
fn a_sold_out_plan_rests_for_itself_and_is_the_first_choice_again_afterwards() {
    let once = [sold_out(1, FIRST, 0), sold_out(2, FIRST, 0)];
    let rest = policy().node.backoff.first.as_secs() as i64;
    assert_eq!(told(&once, at(1)), Ok(SECOND.into()), "one batch is one failure");
    assert_eq!(told(&once, at(rest - 1)), Ok(SECOND.into()));
    assert_eq!(told(&once, at(rest)), Ok(FIRST.into()), "its rest is over");
    let again = [sold_out(1, FIRST, 0), sold_out(2, FIRST, rest + 5)];
    assert_eq!(told(&again, at(rest + 5 + 2 * rest - 1)), Ok(SECOND.into()), "twice as long");
    assert_eq!(told(&again, at(rest + 5 + 2 * rest)), Ok(FIRST.into()));
}

#[test]
fn a_node_that_serves_ends_the_row_of_its_own_plan_alone() {
    let other = [sold_out(1, FIRST, 0), served(2, SECOND, 10)];
    assert_eq!(told(&other, at(20)), Ok(SECOND.into()));
    let same = [sold_out(1, FIRST, 0), served(2, FIRST, 10)];
    assert_eq!(told(&same, at(20)), Ok(FIRST.into()));
}

#[test]
fn where_every_plan_is_sold_out_creating_rests_until_the_first_of_them_may_be_asked() {
    let rest = policy().node.backoff.first.as_secs() as i64;
    let both = [sold_out(1, FIRST, 0), sold_out(2, SECOND, 5)];
    assert_eq!(told(&both, at(6)), Err((at(rest), 1)));
    assert_eq!(told(&both, at(rest)), Ok(FIRST.into()));
}

#[test]
fn failures_that_have_nothing_to_do_with_a_plan_keep_all_of_them_waiting() {
    let broken = |number, seconds| {
        let reason = "the image is not allowed here".into();
        refused(number, FIRST, seconds, Failure::CreateRefused { reason })
    };
    let twice = [broken(1, 0), broken(2, 10)];
    assert!(told(&twice, at(11)).is_err());
    assert_eq!(told(&[broken(1, 0)], at(11)), Ok(FIRST.into()));
}

#[test]
fn a_node_of_another_plan_says_so_in_its_record_and_in_a_note() {
    let mut case = Case::new(1, vec![(sold_out(1, FIRST, -10), super::super::Facts::unknown())]);
    case.policy = policy();
    let plan = case.plan();
    assert_eq!(plan.create[0].instance_type, SECOND);
    let wanted = Note::FallbackType { first: FIRST.into(), instead: SECOND.into() };
    assert_eq!(plan.notes, [wanted]);
}
