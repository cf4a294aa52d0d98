//! Who is replaced for being unhealthy, how many at once, and when nobody is.

use super::super::{Facts, Note, Plan, Wish, next};
use super::fixture::{
    ABSENT, Case, Check, Says, at, facts, instance, node, now, policy_with, run, serving, short,
    standing_by, told, up,
};
use crate::domain::{Failure, InstanceStatus, Node, NodeCount, NodeState, ServerAdmin};

const READY: ServerAdmin = ServerAdmin::Ready;
const DOWN: Says = Says::Has(READY, Check::Down);

fn unhealthy_until(number: u8, deadline: i64) -> (Node, Facts) {
    let node = node(number, NodeState::Unhealthy { deadline: at(deadline) });
    let facts = facts(&node, &[DOWN, DOWN]);
    (node, facts)
}

/// Unhealthy for too long.
fn ailing(number: u8) -> (Node, Facts) {
    unhealthy_until(number, -i64::from(number))
}

fn joining(number: u8) -> (Node, Facts) {
    let like = node(number, NodeState::Joining { deadline: at(100) });
    let node = Node { served_at: None, ..like };
    let facts = facts(&node, &[Says::Has(ServerAdmin::Drain, Check::Rising)]);
    (node, facts)
}

fn moves(plan: &Plan) -> Vec<(u128, &'static str)> {
    let entered = |one: &super::super::Move| one.enter.as_ref().map_or("stays", NodeState::name);
    let mut moves: Vec<_> =
        plan.moves.iter().map(|one| (one.node.0.as_u128(), entered(one))).collect();
    moves.sort_unstable();
    moves
}

fn all(well: u8, ill: u8) -> Vec<(Node, Facts)> {
    (1..=well).map(serving).chain((well + 1..=well + ill).map(ailing)).collect()
}

#[test]
fn a_serving_node_is_unhealthy_once_every_balancer_that_answers_sees_it_down() {
    let node = node(1, NodeState::InService);
    for (says, told_then, because) in [
        ([DOWN, DOWN], "becomes unhealthy", "all say so"),
        ([DOWN, Says::Nothing], "becomes unhealthy", "all that answer say so"),
        ([DOWN, up(READY)], "waits", "one balancer's word may be about the balancer"),
        ([DOWN, ABSENT], "register_server lb2", "one has yet to look at it"),
        ([Says::Nothing, Says::Nothing], "waits", "nobody says anything"),
    ] {
        assert_eq!(told(&node, &facts(&node, &says), Wish::Stay), told_then, "{because}");
    }
    let off = policy_with("leave: {drain_timeout: 2m}", "health: off");
    let next = next(&node, &facts(&node, &[DOWN]), Wish::Stay, &off, run(7), now());
    assert_eq!(short(&next), "waits", "the policy wants nobody replaced");
}

#[test]
fn an_unhealthy_node_recovers_once_a_balancer_sees_it_up_and_waits_otherwise() {
    for deadline in [100, -100] {
        let (node, _) = unhealthy_until(1, deadline);
        for (says, told_then, because) in [
            ([DOWN, up(READY)], "becomes in_service", "one sees it UP"),
            ([DOWN, up(ServerAdmin::Drain)], "becomes in_service", "be it drained by hand"),
            ([DOWN, Says::Has(READY, Check::Rising)], "waits", "its checks have only begun"),
            ([DOWN, DOWN], "waits", "a wish is needed to replace it"),
            ([DOWN, ABSENT], "register_server lb2", "a balancer that restarted looks, too"),
        ] {
            assert_eq!(told(&node, &facts(&node, &says), Wish::Stay), told_then, "{because}");
        }
    }
}

#[test]
fn the_time_of_an_unhealthy_node_moves_on_while_no_balancer_answers() {
    let silent = [Says::Nothing, Says::Nothing];
    let (early, _) = unhealthy_until(1, 61);
    assert_eq!(told(&early, &facts(&early, &silent), Wish::Stay), "waits");
    let (late, _) = unhealthy_until(1, -5);
    assert_eq!(told(&late, &facts(&late, &silent), Wish::Stay), "becomes unhealthy");
}

#[test]
fn an_unhealthy_node_that_is_replaced_drains_and_says_why() {
    let (node, seen) = ailing(1);
    let next = next(&node, &seen, Wish::Leave, &policy_with("", ""), run(7), now());
    assert_eq!(short(&next), "becomes draining, drain_server lb1 lb2, after unhealthy");
    assert!(format!("{next:?}").contains("lb1 says DOWN (L4CON)"), "{next:?}");
}

#[test]
fn a_replacement_comes_first_and_then_the_unhealthy_node_leaves() {
    let plan = Case::new(5, all(4, 1)).plan();
    assert_eq!((moves(&plan), plan.create.len()), (vec![], 1), "the replacement is made");
    let mut nodes = all(4, 1);
    nodes.push(joining(9));
    let plan = Case::new(5, nodes).plan();
    assert_eq!((moves(&plan), plan.create.len()), (vec![], 0), "it is on its way");
    let mut nodes = all(4, 1);
    nodes.push(serving(9));
    let plan = Case::new(5, nodes).plan();
    assert_eq!((moves(&plan), plan.create.len()), (vec![(5, "draining")], 0), "it serves");
    let failure = plan.moves[0].failure.as_ref();
    assert!(matches!(failure, Some(Failure::Unhealthy { .. })), "{failure:?}");
}

#[test]
fn nobody_is_replaced_before_the_time_that_the_policy_gives() {
    let mut nodes = all(4, 0);
    nodes.push(unhealthy_until(5, 1));
    let case = Case::new(5, nodes);
    assert!(case.plan().is_empty());
    assert_eq!(case.plan_at(at(1)).create.len(), 1);
}

#[test]
fn no_more_than_a_share_of_the_pool_is_replaced_at_once_and_one_in_any_case() {
    for (well, ill, percent, replaced) in
        [(3, 1, 20, 1), (4, 1, 20, 1), (4, 3, 20, 1), (6, 4, 20, 2), (5, 4, 50, 4)]
    {
        let mut case = Case::new(u32::from(well + ill), all(well, ill));
        let to = format!("health: {{replace_at_most_percent: {percent}}}");
        case.policy = policy_with("leave: {drain_timeout: 2m}", &to);
        case.policy.bounds.max = NodeCount(20);
        let because = format!("{ill} of {} ill, {percent} %", well + ill);
        assert_eq!(case.plan().create.len(), replaced, "{because}");
    }
}

#[test]
fn those_on_their_way_out_count_as_being_replaced() {
    let deadline = at(60);
    let leaving = Node {
        failure: Some(Failure::Unhealthy { reason: "DOWN".into() }),
        ..node(9, NodeState::Draining { deadline })
    };
    let busy = facts(&leaving, &[Says::Busy(ServerAdmin::Drain)]);
    let mut nodes = all(4, 1);
    nodes.push((leaving, busy));
    let plan = Case::new(5, nodes).plan();
    assert_eq!((moves(&plan), plan.create.len()), (vec![], 0), "and they don't come back");
}

#[test]
fn nobody_is_replaced_while_most_of_a_pool_looks_unhealthy() {
    for (well, ill, is_frozen) in [(0, 1, false), (1, 1, false), (2, 2, false), (2, 3, true)] {
        let count = u32::from(well + ill);
        let plan = Case::new(count, all(well, ill)).plan();
        let unhealthy = NodeCount(ill.into());
        let frozen = Note::HealingFrozen { unhealthy, in_service: NodeCount(count) };
        let notes = if is_frozen { vec![frozen] } else { vec![] };
        assert_eq!(plan.notes, notes, "{ill} of {count}");
        assert_eq!(plan.create.is_empty(), is_frozen, "{ill} of {count}");
        assert!(plan.moves.is_empty());
    }
}

#[test]
fn a_standby_takes_the_place_of_an_unhealthy_node_at_once() {
    let mut nodes = all(4, 1);
    nodes.push(standing_by(9));
    let mut case = Case::new(5, nodes);
    case.policy.standby.nodes = NodeCount(1);
    let plan = case.plan();
    assert_eq!(moves(&plan), [(5, "draining"), (9, "in_service")]);
    assert_eq!((plan.create.len(), plan.refills.len()), (1, 1));
}

#[test]
fn at_max_the_unhealthy_node_leaves_first() {
    let mut case = Case::new(5, all(4, 1));
    case.policy.bounds.max = NodeCount(5);
    let plan = case.plan();
    assert_eq!((moves(&plan), plan.create.len()), (vec![(5, "draining")], 0));
}

#[test]
fn of_a_surplus_the_unhealthy_leave_first_whatever_their_hour() {
    let mut nodes = all(4, 0);
    nodes.push(unhealthy_until(5, 100));
    let mut case = Case::new(4, nodes);
    case.policy = policy_with("leave_early: yes", "leave_early: no");
    assert_eq!(moves(&case.plan()), [(5, "draining")]);
}

#[test]
fn an_unhealthy_node_whose_instance_is_gone_is_given_up() {
    let (node, _) = unhealthy_until(1, 100);
    let gone = Facts {
        instance: super::super::InstanceFact::Absent { looks: 2 },
        ..facts(&node, &[DOWN])
    };
    assert_eq!(told(&node, &gone, Wish::Stay), "becomes deleting, after vanished");
    let offline = Facts { instance: instance(&node, InstanceStatus::Offline), ..gone };
    assert_eq!(told(&node, &offline, Wish::Stay), "waits", "it may be started again");
}
