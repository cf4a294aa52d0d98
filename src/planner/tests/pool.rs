//! Whole plans: who comes, who goes, who stays.

use std::collections::BTreeMap;
use std::net::Ipv4Addr;

use super::super::{AddressUse, Facts, Note, OrphanKept, Step, create_not_before, free_address};
use super::fixture::{
    ABSENT, Case, Says, at, draining, facts, instance, node, now, policy, policy_with, run,
    serving, up,
};
use crate::domain::{
    Failure, InstanceStatus, Node, NodeCount, NodeState, RunId, RunStatus, ServerAdmin,
};

fn numbers(plan: &super::super::Plan) -> Vec<u128> {
    plan.moves.iter().map(|one| one.node.0.as_u128()).collect()
}

/// A node that is to be configured in this look.
fn booted(number: u8) -> (Node, Facts) {
    let node = node(number, NodeState::Provisioning { deadline: at(100) });
    let facts = Facts {
        instance: instance(&node, InstanceStatus::Running),
        ..facts(&node, &[ABSENT, ABSENT])
    };
    (node, facts)
}

fn configuring(number: u8, run: RunId) -> (Node, Facts) {
    let node = node(number, NodeState::Configuring { run, deadline: at(100) });
    let facts = Facts { run: Some(RunStatus::Running), ..facts(&node, &[ABSENT]) };
    (node, facts)
}

/// A node that failed so many seconds from now, three seconds after it was planned.
fn failed(number: u8, seconds: i64) -> (Node, Facts) {
    let mut node = node(number, NodeState::Deleted);
    node.planned_at = at(seconds - 3);
    (node.served_at, node.failed_at) = (None, Some(at(seconds)));
    (node, Facts::unknown())
}

#[test]
fn nothing_happens_before_anything_was_decided() {
    let mut case = Case::new(0, vec![serving(1)]);
    case.desired = None;
    assert!(case.plan().is_empty());
}

#[test]
fn missing_nodes_are_planned_each_with_its_own_label_and_address() {
    let plan = Case::new(4, vec![serving(1)]).plan();
    assert!(plan.moves.is_empty());
    assert!(!plan.is_empty());
    let created: Vec<_> = plan.create.iter().map(|node| (node.address, &node.label)).collect();
    assert_eq!(created.len(), 3);
    let first = Ipv4Addr::new(10, 10, 0, 20);
    assert_eq!(created[0].0, first, "the first that is neither reserved nor held");
    let distinct: BTreeMap<_, _> = created.iter().cloned().collect();
    assert_eq!(distinct.len(), 3);
    assert!(plan.create.iter().all(|node| node.state == NodeState::Planned));
}

#[test]
fn whoever_may_still_have_a_machine_counts_against_max() {
    let dying: Vec<_> = (1..=8)
        .map(|number| {
            let node = node(number, NodeState::Deleting { deadline: at(100) });
            let facts = facts(&node, &[Says::Nothing]);
            (node, facts)
        })
        .collect();
    let plan = Case::new(5, dying.clone()).plan();
    assert_eq!(plan.create.len(), 2, "ten may exist, eight do");
    let wanted = Note::MaxReached { wanted: NodeCount(3), max: NodeCount(10) };
    assert_eq!(plan.notes, [wanted]);
    let plan = Case::new(2, dying).plan();
    assert_eq!((plan.create.len(), plan.notes), (2, vec![]), "there is room for both");
}

#[test]
fn draining_nodes_come_back_first_then_standby_then_new_ones() {
    let standby = node(3, NodeState::Standby);
    let stands_by = facts(&standby, &[up(ServerAdmin::Drain)]);
    let nodes = vec![draining(4), (standby, stands_by), draining(5), serving(1)];
    for (desired, back, created, because) in [
        (1, vec![], 0, "enough serve"),
        (2, vec![4], 0, "who drains is warm"),
        (3, vec![4, 5], 0, "both"),
        (4, vec![4, 5, 3], 1, "and another one is made for the standby"),
        (6, vec![4, 5, 3], 3, "two to serve, one to stand by"),
    ] {
        let mut case = Case::new(desired, nodes.clone());
        case.policy.standby.nodes = NodeCount(1);
        let plan = case.plan();
        let mut moved = numbers(&plan);
        let mut wanted: Vec<u128> = back;
        moved.sort();
        wanted.sort();
        assert_eq!((moved, plan.create.len()), (wanted, created), "{desired} wanted: {because}");
    }
}

#[test]
fn a_draining_node_comes_back_only_where_every_balancer_can_be_told() {
    let (node, _) = draining(1);
    for (says, because) in [
        ([Says::Busy(ServerAdmin::Drain), ABSENT], "one balancer has forgotten it"),
        ([Says::Nothing, Says::Nothing], "no balancer could be told"),
    ] {
        let plan = Case::new(1, vec![(node.clone(), facts(&node, &says))]).plan();
        assert_eq!(plan.create.len(), 1, "{because}");
        assert!(plan.moves.is_empty(), "it goes on draining, {because}: {:?}", plan.moves);
    }
}

#[test]
fn nodes_that_boot_in_the_same_look_share_runs_of_at_most_a_batch() {
    // Neither one that is not so far nor one whose run is started anew takes a place.
    let mut nodes = vec![(node(11, NodeState::Planned), Facts::unknown()), configuring(12, run(5))];
    nodes[1].1.run = Some(RunStatus::NotStarted);
    nodes.extend((1..=8).map(booted));
    let plan = Case::new(10, nodes).plan();
    assert!(!plan.is_empty());
    let mut sizes: BTreeMap<RunId, u32> = BTreeMap::new();
    for one in &plan.moves {
        if let Some(NodeState::Configuring { run, .. }) = one.enter {
            assert_eq!(one.step, Some(Step::StartRun));
            *sizes.entry(run).or_default() += 1;
        }
    }
    let mut sizes: Vec<u32> = sizes.into_values().collect();
    sizes.sort();
    assert_eq!(sizes, [2, 3, 3]);
}

#[test]
fn a_run_is_cut_off_only_when_nobody_waits_for_it_any_more() {
    let cancelled = |desired| {
        let nodes = vec![configuring(1, run(5)), configuring(2, run(5))];
        let moves = Case::new(desired, nodes).plan().moves;
        let steps = moves.iter().map(|one| one.step.as_ref().map_or("none", Step::name));
        steps.collect::<Vec<_>>()
    };
    assert_eq!(cancelled(1), ["none"], "the other one still needs it");
    assert_eq!(cancelled(0), ["cancel_run", "cancel_run"]);
}

#[test]
fn the_least_advanced_leave_first_then_whose_paid_hour_ends_soonest() {
    let mut soon = serving(6);
    soon.0.instance_created_at = Some(at(-3_500));
    let nodes = vec![serving(1), soon, configuring(2, run(5)), booted(3)];
    for (desired, leaving) in [(4, vec![]), (3, vec![3]), (2, vec![2, 3]), (1, vec![2, 3, 6])] {
        let mut case = Case::new(desired, nodes.clone());
        // The booted one would otherwise go on to its playbook.
        case.facts.get_mut(&nodes[3].0.id).expect("its facts").instance =
            instance(&nodes[3].0, InstanceStatus::Booting);
        let mut moved = numbers(&case.plan());
        moved.sort();
        assert_eq!(moved, leaving, "{desired} wanted");
    }
}

#[test]
fn who_leaves_follows_the_order_that_the_policy_names() {
    for (order, first) in [("newest", 3), ("oldest", 1)] {
        let mut case = Case::new(2, vec![serving(1), serving(2), serving(3)]);
        let to = format!("leave_early: yes, order: {order}");
        case.policy = policy_with("leave_early: yes", &to);
        assert_eq!(numbers(&case.plan()), [first], "{order}");
    }
}

#[test]
fn a_surplus_node_stays_for_its_paid_hour_and_the_note_says_until_when() {
    let mut case = Case::new(1, vec![serving(1), serving(2)]);
    case.policy = policy_with("leave_early: yes", "leave_early: no");
    // Both were made 1,100 s ago, and a drain takes two minutes: they may leave for 90 s before.
    let leaves = 3_600 - 1_100 - 120 - 90;
    let plan = case.plan();
    assert!(plan.is_empty());
    assert_eq!(plan.notes, [Note::PaidHour { surplus: NodeCount(1), until: at(leaves) }]);
    assert!(case.plan_at(at(leaves - 1)).is_empty());
    assert_eq!(numbers(&case.plan_at(at(leaves))).len(), 1);
    assert_eq!(numbers(&case.plan_at(at(leaves + 90))).len(), 1);
    let late = case.plan_at(at(leaves + 91));
    assert!(late.is_empty(), "its drain may begin another hour, so it may as well serve");
    let next = Note::PaidHour { surplus: NodeCount(1), until: at(leaves + 3_600) };
    assert_eq!(late.notes, [next]);
    assert!(case.plan_at(at(3_600 - 1_100 + 1)).is_empty(), "the next hour is paid, too");
}

#[test]
fn a_note_counts_only_those_that_stay_for_their_paid_hour() {
    let mut leaves = serving(1);
    // Its hour ends when a drain of two minutes has, and 30 s later.
    leaves.0.instance_created_at = Some(at(-3_450));
    let mut case = Case::new(2, vec![leaves, serving(2), serving(3)]);
    case.policy = policy_with("leave_early: yes", "leave_early: no");
    let plan = case.plan();
    assert_eq!((numbers(&plan), plan.notes), (vec![1], vec![]), "one is too many, and leaves");
    case.desired = Some(NodeCount(1));
    let plan = case.plan();
    let until = at(3_600 - 1_100 - 120 - 90);
    assert_eq!(numbers(&plan), [1]);
    assert_eq!(plan.notes, [Note::PaidHour { surplus: NodeCount(1), until }]);
}

#[test]
fn a_node_whose_drain_may_outlast_any_hour_leaves_as_its_hour_begins() {
    let mut case = Case::new(1, vec![serving(1), serving(2)]);
    case.policy = policy_with("leave_early: yes", "leave_early: no");
    case.policy.leave.drain_timeout = std::time::Duration::from_secs(2 * 3_600);
    let begins = 3_600 - 1_100;
    for (seconds, leaves) in [(-1, 0), (0, 1), (90, 1), (91, 0)] {
        let plan = case.plan_at(at(begins + seconds));
        assert_eq!(numbers(&plan).len(), leaves, "{seconds} s into the hour");
    }
}

#[test]
fn failures_in_a_row_make_creating_rest_ever_longer() {
    let policy = policy();
    let rests = |failures: &[i64]| {
        let nodes: Vec<Node> =
            failures.iter().zip(1..).map(|(at, number)| failed(number, *at).0).collect();
        create_not_before(&nodes, policy.node.backoff, now())
    };
    assert_eq!(rests(&[]), None);
    assert_eq!(rests(&[-1]), None, "the first is followed by another try at once");
    assert_eq!(rests(&[-9, -1]), Some((at(-1 + 300), 2)));
    assert_eq!(rests(&[-9, -5, -1]), Some((at(-1 + 600), 3)));
    let many: Vec<i64> = (1..=9).map(|number| -50 * number).collect();
    assert_eq!(rests(&many), Some((at(-50 + 1_800), 9)), "never longer than half an hour");
    assert_eq!(rests(&[-3, -2, -1]), None, "nodes planned together fail as one");
    assert_eq!(rests(&[-10, -7]), None, "planned in the look that saw the first one fail");
    assert_eq!(rests(&[-400, -300]), None, "the rest is over");
    assert_eq!(rests(&[-11_000, -10_900, -1]), None, "three quiet hours end a row");
    assert_eq!(rests(&[-10_800, -10_700, -1]), Some((at(-1 + 300), 2)), "they are over");
    assert_eq!(rests(&[-10_799, -10_700, -1]), Some((at(-1 + 600), 3)), "not quite three hours");
}

#[test]
fn a_node_that_served_ends_a_row_of_failures() {
    let case = |served: i64| {
        let mut good = serving(9);
        good.0.served_at = Some(at(served));
        Case::new(3, vec![failed(1, -20), failed(2, -10), good]).plan()
    };
    assert_eq!(case(-5).create.len(), 2);
    let rests = case(-15);
    assert_eq!(rests.create.len(), 2, "one failure since");
    let rests = case(-30);
    assert!(rests.create.is_empty());
    let note = Note::CreatingRests { wanted: NodeCount(2), until: at(290), failures: 2 };
    assert_eq!(rests.notes, [note]);
}

#[test]
fn a_network_without_a_free_address_is_noted() {
    let mut case = Case::new(5, vec![]);
    // All but two are held by other pools.
    let hosts = case.policy.node.vlan.cidr.hosts().skip(2);
    case.addresses = hosts.map(|address| (address, AddressUse::Held)).collect();
    case.policy.node.vlan.reserve.clear();
    let plan = case.plan();
    assert_eq!(plan.create.len(), 2);
    assert_eq!(plan.notes, [Note::AddressesExhausted { wanted: NodeCount(3) }]);
}

#[test]
fn an_address_is_new_or_the_longest_free_and_never_one_that_rests() {
    let mut vlan = policy().node.vlan;
    vlan.cidr = "10.10.0.0/29".parse().expect("a legal block");
    vlan.reserve = vec!["10.10.0.2".parse().expect("a legal range")];
    let host = |last: u8| Ipv4Addr::new(10, 10, 0, last);
    let mut used = BTreeMap::from([
        (host(1), AddressUse::FreedAt(at(-500))),
        (host(3), AddressUse::FreedAt(at(-900))),
        (host(4), AddressUse::Held),
        (host(5), AddressUse::FreedAt(at(-119))),
    ]);
    assert_eq!(free_address(&vlan, &used, now()), Some(host(6)), "never used");
    used.insert(host(6), AddressUse::Held);
    assert_eq!(free_address(&vlan, &used, now()), Some(host(3)), "free the longest");
    used.insert(host(3), AddressUse::Held);
    used.insert(host(1), AddressUse::Held);
    assert_eq!(free_address(&vlan, &used, now()), None, "one rests, one is reserved");
    assert_eq!(free_address(&vlan, &used, at(1)), Some(host(5)), "two minutes are over");
}

#[test]
fn a_server_that_a_person_took_out_is_noted_and_one_that_we_owe_requests_is_not() {
    let (mut node, _) = serving(1);
    let drained = facts(&node, &[up(ServerAdmin::Ready), up(ServerAdmin::Maintenance)]);
    let plan = Case::new(1, vec![(node.clone(), drained.clone())]).plan();
    let balancer = super::fixture::balancer(1);
    let note = Note::TakenOutByHand { node: node.id, balancer: balancer.clone() };
    assert!(plan.is_empty());
    assert_eq!(plan.notes, [note]);
    node.admitting.insert(balancer);
    assert_eq!(Case::new(1, vec![(node, drained)]).plan().notes, []);
}

#[test]
fn a_failure_is_told_with_the_move_that_it_led_to() {
    let (node, mut facts) = serving(1);
    facts.instance = super::super::InstanceFact::Absent { looks: 2 };
    let plan = Case::new(1, vec![(node, facts)]).plan();
    assert_eq!(plan.moves[0].failure, Some(Failure::Vanished));
}

#[test]
fn a_node_whose_life_is_over_waits_for_nothing() {
    let plan = Case::new(1, vec![serving(1), failed(2, -20)]).plan();
    assert_eq!(plan.waits.keys().map(|id| id.0.as_u128()).collect::<Vec<_>>(), [1]);
}

#[test]
fn a_note_reads_as_a_sentence() {
    let balancer = super::fixture::balancer(0);
    let node = node(1, NodeState::InService).id;
    let count = NodeCount;
    let notes = [
        Note::MaxReached { wanted: count(3), max: count(10) },
        Note::CreatingRests { wanted: count(1), until: at(290), failures: 2 },
        Note::CreatesInDoubt { count: count(2), until: at(5_400) },
        Note::FallbackType { first: "g6-standard-2".into(), instead: "g6-dedicated-2".into() },
        Note::AddressesExhausted { wanted: count(2) },
        Note::PaidHour { surplus: count(1), until: at(900) },
        Note::RemovalsBraked { kept: count(1), removed: count(3), until: at(600) },
        Note::Protected { kept: count(2), until: at(600) },
        Note::TakenOutByHand { node, balancer: balancer.clone() },
        Note::BalancerUnreachable { balancer, why: "connection refused".into() },
        Note::InventoryShrank { missing: count(4), known: count(5) },
        Note::InventoryUnknown { why: "no answer".into() },
        Note::Orphan { label: "web-0a".into(), kept: OrphanKept::Reported },
    ];
    insta::assert_snapshot!(notes.map(|note| note.to_string()).join("\n"));
}

#[test]
fn a_note_about_another_node_balancer_or_orphan_is_news_and_other_numbers_are_not() {
    let orphan = |label: &str| Note::Orphan { label: label.into(), kept: OrphanKept::Reported };
    let silent = |index, why: &str| Note::BalancerUnreachable {
        balancer: super::fixture::balancer(index),
        why: why.into(),
    };
    let by_hand = |number, index| Note::TakenOutByHand {
        node: node(number, NodeState::InService).id,
        balancer: super::fixture::balancer(index),
    };
    let paid = |count, until| Note::PaidHour { surplus: NodeCount(count), until: at(until) };
    for (one, other, same) in [
        (orphan("web-a"), orphan("web-a"), true),
        (orphan("web-a"), orphan("web-b"), false),
        (silent(0, "refused"), silent(0, "no answer"), true),
        (silent(0, "refused"), silent(1, "refused"), false),
        (by_hand(1, 0), by_hand(1, 0), true),
        (by_hand(1, 0), by_hand(1, 1), false),
        (by_hand(1, 0), by_hand(2, 0), false),
        (paid(1, 5), paid(2, 9), true),
        (paid(1, 5), orphan("web-a"), false),
    ] {
        assert_eq!(one.is_about(&other), same, "{one:?} and {other:?}");
    }
}
