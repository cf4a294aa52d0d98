//! Each row of the table: state, facts, wish, deadline, and what follows.

use super::super::{Facts, InstanceFact, Next, Wish, next};
use super::fixture::{
    ABSENT, Check, Says, at, balancer, ended, facts, instance, node, now, policy, resting, run,
    seen, short, succeeded, told, up,
};
use crate::domain::{
    BalancerName, HostResult, InstanceStatus, Node, NodeState, RunStatus, ServerAdmin, Timestamp,
};

const READY: ServerAdmin = ServerAdmin::Ready;
const DRAIN: ServerAdmin = ServerAdmin::Drain;
const MAINTENANCE: ServerAdmin = ServerAdmin::Maintenance;

/// The deadline of the state that a node enters.
fn deadline_of(node: &Node, facts: &Facts, wish: Wish) -> Timestamp {
    match next(node, facts, wish, &policy(), run(77), now()) {
        Next::Do { enter: Some(state), .. } => state.deadline().expect("a wait has a deadline"),
        other => panic!("it enters no state: {other:?}"),
    }
}

#[test]
fn a_planned_node_asks_for_its_instance_and_gives_it_the_boot_timeout() {
    let node = node(1, NodeState::Planned);
    assert_eq!(told(&node, &Facts::unknown(), Wish::Stay), "becomes provisioning, create_instance");
    assert_eq!(deadline_of(&node, &Facts::unknown(), Wish::Stay), at(300));
}

#[test]
fn a_planned_node_that_is_not_needed_ends_before_anything_was_asked() {
    let node = node(1, NodeState::Planned);
    assert_eq!(told(&node, &Facts::unknown(), Wish::Leave), "becomes deleted");
}

fn provisioning() -> Node {
    node(1, NodeState::Provisioning { deadline: at(100) })
}

/// A node whose create call was made and answered to nobody.
fn in_doubt() -> Node {
    Node { instance: None, ..provisioning() }
}

#[test]
fn an_instance_that_runs_is_configured_within_the_playbooks_timeout() {
    let node = provisioning();
    let facts = seen(&node, instance(&node, InstanceStatus::Running));
    assert_eq!(told(&node, &facts, Wish::Stay), "becomes configuring, start_run");
    assert_eq!(deadline_of(&node, &facts, Wish::Stay), at(480));
}

#[test]
fn an_instance_on_its_way_is_waited_for() {
    let node = provisioning();
    for status in [
        InstanceStatus::Provisioning,
        InstanceStatus::Booting,
        InstanceStatus::Other("migrating".into()),
    ] {
        let facts = seen(&node, instance(&node, status.clone()));
        assert_eq!(told(&node, &facts, Wish::Stay), "waits", "{status:?}");
    }
}

#[test]
fn an_instance_that_is_offline_is_started_and_not_at_every_look() {
    let node = provisioning();
    let facts = seen(&node, instance(&node, InstanceStatus::Offline));
    assert_eq!(told(&node, &facts, Wish::Stay), "boot_instance");
    assert_eq!(told(&resting(node), &facts, Wish::Stay), "waits");
}

#[test]
fn an_instance_that_somebody_else_deletes_is_given_up() {
    let node = provisioning();
    let facts = seen(&node, instance(&node, InstanceStatus::Deleting));
    assert_eq!(told(&node, &facts, Wish::Stay), "becomes deleting, after vanished");
}

#[test]
fn an_instance_that_nobody_knows_of_is_asked_for_again_after_a_rest() {
    let absent = InstanceFact::Absent { looks: 1 };
    let node = in_doubt();
    assert_eq!(told(&node, &seen(&node, absent.clone()), Wish::Stay), "create_instance");
    let node = resting(node);
    assert_eq!(told(&node, &seen(&node, absent), Wish::Stay), "waits");
}

#[test]
fn an_instance_that_listings_lack_is_believed_gone_after_two_of_them_and_a_minute() {
    let known = provisioning();
    for (looks, tried, told_then) in
        [(1, -600, "waits"), (2, -59, "waits"), (2, -60, "becomes deleting, after vanished")]
    {
        let mut node = resting(known.clone());
        node.attempt.as_mut().expect("it tried").at = at(tried);
        let facts = seen(&node, InstanceFact::Absent { looks });
        assert_eq!(told(&node, &facts, Wish::Stay), told_then, "{looks} looks, {tried} s ago");
    }
}

#[test]
fn a_cloud_that_does_not_answer_is_waited_for_until_the_boot_timeout() {
    let node = provisioning();
    let facts = seen(&node, InstanceFact::Unknown);
    assert_eq!(told(&node, &facts, Wish::Stay), "waits");
    let late = self::node(1, NodeState::Provisioning { deadline: now() });
    assert_eq!(told(&late, &facts, Wish::Stay), "becomes deleting, after never_booted");
}

#[test]
fn an_instance_that_never_runs_is_deleted_at_its_deadline() {
    let node = node(1, NodeState::Provisioning { deadline: now() });
    for status in [InstanceStatus::Booting, InstanceStatus::Running] {
        let facts = seen(&node, instance(&node, status));
        assert_eq!(told(&node, &facts, Wish::Stay), "becomes deleting, after never_booted");
    }
}

#[test]
fn a_node_that_is_not_needed_before_it_serves_is_deleted_without_a_failure() {
    let provisioning = provisioning();
    let joining = node(1, NodeState::Joining { deadline: at(100) });
    for node in [provisioning, joining] {
        let facts = seen(&node, instance(&node, InstanceStatus::Booting));
        assert_eq!(told(&node, &facts, Wish::Leave), "becomes deleting");
    }
}

fn configuring(deadline: i64) -> Node {
    node(1, NodeState::Configuring { run: run(5), deadline: at(deadline) })
}

#[test]
fn a_playbook_that_succeeded_is_followed_by_a_registration_on_every_balancer_that_answers() {
    let node = configuring(100);
    let both = Facts { run: ended(&node, succeeded()), ..facts(&node, &[ABSENT, ABSENT]) };
    assert_eq!(told(&node, &both, Wish::Stay), "becomes joining, register_server lb1 lb2");
    assert_eq!(deadline_of(&node, &both, Wish::Stay), at(120));
    let one = Facts { run: ended(&node, succeeded()), ..facts(&node, &[Says::Nothing, ABSENT]) };
    assert_eq!(told(&node, &one, Wish::Stay), "becomes joining, register_server lb2");
}

#[test]
fn a_success_that_is_seen_after_the_deadline_counts() {
    let node = configuring(-1);
    let facts = Facts { run: ended(&node, succeeded()), ..facts(&node, &[ABSENT]) };
    assert_eq!(told(&node, &facts, Wish::Stay), "becomes joining, register_server lb1");
}

#[test]
fn a_playbook_that_failed_or_never_came_means_another_node() {
    let node = configuring(100);
    let reason = || "no route".to_string();
    for run in [
        ended(&node, HostResult::Failed { reason: reason() }),
        ended(&node, HostResult::Unreachable { reason: reason() }),
        Some(RunStatus::Ended { hosts: Default::default() }),
    ] {
        let facts = Facts { run, ..facts(&node, &[ABSENT]) };
        assert_eq!(told(&node, &facts, Wish::Stay), "becomes deleting, after configure_failed");
    }
    let lost = Facts { run: Some(RunStatus::Lost), ..facts(&node, &[ABSENT]) };
    assert_eq!(told(&node, &lost, Wish::Stay), "becomes deleting, after run_lost");
}

#[test]
fn a_playbook_at_work_is_waited_for_and_cut_off_at_its_deadline() {
    for status in [Some(RunStatus::Running), None] {
        let (early, late) = (configuring(100), configuring(0));
        let facts = Facts { run: status, ..facts(&early, &[ABSENT]) };
        assert_eq!(told(&early, &facts, Wish::Stay), "waits");
        let cut = "becomes deleting, cancel_run, after configure_timed_out";
        assert_eq!(told(&late, &facts, Wish::Stay), cut);
    }
}

#[test]
fn a_run_that_was_intended_and_never_started_is_started_and_not_at_every_look() {
    let node = configuring(100);
    let facts = Facts { run: Some(RunStatus::NotStarted), ..facts(&node, &[ABSENT]) };
    assert_eq!(told(&node, &facts, Wish::Stay), "start_run");
    assert_eq!(told(&resting(node), &facts, Wish::Stay), "waits");
}

#[test]
fn a_configuring_node_that_vanished_or_is_not_needed_ends_its_run() {
    let node = configuring(100);
    let running = Facts { run: Some(RunStatus::Running), ..facts(&node, &[ABSENT]) };
    assert_eq!(told(&node, &running, Wish::Leave), "becomes deleting, cancel_run");
    let gone = Facts { instance: InstanceFact::Absent { looks: 2 }, ..running.clone() };
    let vanished = "becomes deleting, cancel_run, after vanished";
    assert_eq!(told(&node, &gone, Wish::Stay), vanished);
    let once = Facts { instance: InstanceFact::Absent { looks: 1 }, ..running };
    assert_eq!(told(&node, &once, Wish::Stay), "waits", "one listing proves nothing");
}

#[test]
fn a_server_that_an_earlier_node_left_at_the_address_is_taken_out_first() {
    for node in [provisioning(), configuring(100)] {
        let left = facts(&node, &[ABSENT, up(READY)]);
        assert_eq!(told(&node, &left, Wish::Stay), "remove_server lb2 Cut", "{:?}", node.state);
        let rested = told(&resting(node), &left, Wish::Stay);
        assert!(!rested.contains("remove"), "not at every look: {rested}");
    }
}

fn joining(deadline: i64) -> Node {
    let joining = node(1, NodeState::Joining { deadline: at(deadline) });
    Node { served_at: None, ..joining }
}

#[test]
fn a_node_serves_once_every_balancer_that_answers_sees_it_up() {
    let node = joining(100);
    for (says, told_then) in [
        (vec![up(DRAIN), up(DRAIN)], "becomes in_service, make_ready lb1 lb2"),
        (vec![up(DRAIN), Says::Nothing], "becomes in_service, make_ready lb1"),
        (vec![up(DRAIN), Says::Has(DRAIN, Check::Rising)], "waits"),
        (vec![up(DRAIN), Says::Has(DRAIN, Check::Down)], "waits"),
        (vec![up(DRAIN), ABSENT], "register_server lb2"),
        (vec![up(MAINTENANCE), up(DRAIN)], "register_server lb1"),
    ] {
        assert_eq!(told(&node, &facts(&node, &says), Wish::Stay), told_then, "{says:?}");
    }
    let facts = facts(&node, &[up(DRAIN), ABSENT]);
    assert_eq!(told(&resting(node), &facts, Wish::Stay), "waits", "not at every look");
}

#[test]
fn a_node_that_a_balancer_never_sees_up_is_deleted_at_its_deadline_and_says_where() {
    let node = joining(0);
    let facts = facts(&node, &[up(DRAIN), Says::Has(DRAIN, Check::Down)]);
    let next = next(&node, &facts, Wish::Stay, &policy(), run(77), now());
    assert_eq!(short(&next), "becomes deleting, after never_healthy");
    assert!(format!("{next:?}").contains("lb2 says DOWN (L4CON)"), "{next:?}");
}

#[test]
fn a_join_deadline_moves_on_while_no_balancer_answers() {
    let silent = [Says::Nothing, Says::Nothing];
    for deadline in [61, 60] {
        let node = joining(deadline);
        assert_eq!(told(&node, &facts(&node, &silent), Wish::Stay), "waits", "half of it is left");
    }
    for deadline in [59, 0, -100] {
        let node = joining(deadline);
        assert_eq!(told(&node, &facts(&node, &silent), Wish::Stay), "becomes joining");
        assert_eq!(deadline_of(&node, &facts(&node, &silent), Wish::Stay), at(120));
    }
}

#[test]
fn a_joining_node_whose_instance_vanished_is_given_up() {
    let node = joining(100);
    let facts = seen(&node, InstanceFact::Absent { looks: 2 });
    assert_eq!(told(&node, &facts, Wish::Stay), "becomes deleting, after vanished");
}

fn in_service() -> Node {
    node(1, NodeState::InService)
}

#[test]
fn a_serving_node_that_is_not_needed_drains_first() {
    let node = in_service();
    let facts = facts(&node, &[up(READY), Says::Nothing]);
    assert_eq!(told(&node, &facts, Wish::Leave), "becomes draining, drain_server lb1");
    assert_eq!(deadline_of(&node, &facts, Wish::Leave), at(120));
}

#[test]
fn a_serving_node_is_given_up_after_two_listings_without_its_instance() {
    let node = in_service();
    let absent = |looks| Facts {
        instance: InstanceFact::Absent { looks },
        ..facts(&node, &[up(READY), up(READY)])
    };
    assert_eq!(told(&node, &absent(1), Wish::Stay), "waits");
    assert_eq!(told(&node, &absent(2), Wish::Stay), "becomes deleting, after vanished");
}

#[test]
fn a_balancer_that_lost_a_serving_node_gets_it_back() {
    let only_one_lost_all = [Says::Unknown { usable: false }];
    for (says, told_then, because) in [
        (&[ABSENT, up(READY)][..], "readmit_server lb1", "at once: it serves elsewhere"),
        (&only_one_lost_all[..], "readmit_server lb1", "at once: nothing else serves"),
        (&[ABSENT, Says::Nothing][..], "register_server lb1", "checked: others serve there"),
        (&[ABSENT, Says::Has(READY, Check::Down)][..], "register_server lb1", "checked: it is ill"),
        (&[Says::Nothing, up(READY)][..], "waits", "a balancer that is down is waited for"),
    ] {
        let node = in_service();
        assert_eq!(told(&node, &facts(&node, says), Wish::Stay), told_then, "{because}");
        let facts = facts(&node, says);
        assert_eq!(told(&resting(node), &facts, Wish::Stay), "waits", "not at every look");
    }
}

#[test]
fn a_node_that_never_served_is_checked_before_a_balancer_gets_it_back() {
    let node = Node { served_at: None, ..in_service() };
    let facts = facts(&node, &[Says::Unknown { usable: false }]);
    assert_eq!(told(&node, &facts, Wish::Stay), "register_server lb1");
}

#[test]
fn a_serving_node_is_made_ready_where_we_owe_it_requests_and_nowhere_else() {
    let owed = |names: &[BalancerName]| Node {
        admitting: names.iter().cloned().collect(),
        ..in_service()
    };
    for (node, says, told_then, because) in [
        (owed(&[balancer(1)]), up(DRAIN), "make_ready lb2", "registered by us, now UP"),
        (owed(&[balancer(1)]), Says::Has(DRAIN, Check::Rising), "waits", "not UP yet"),
        (owed(&[]), up(DRAIN), "waits", "drained by hand"),
        (owed(&[]), up(MAINTENANCE), "waits", "in maintenance by hand"),
        (owed(&[balancer(1)]), up(MAINTENANCE), "register_server lb2", "half registered by us"),
    ] {
        let facts = facts(&node, &[up(READY), says]);
        assert_eq!(told(&node, &facts, Wish::Stay), told_then, "{because}");
    }
}

fn standby() -> Node {
    node(1, NodeState::Standby)
}

#[test]
fn a_node_that_is_kept_stands_by_once_every_balancer_that_answers_sees_it_up() {
    let node = joining(100);
    for (says, told_then) in [
        ([up(DRAIN), up(DRAIN)], "becomes standby"),
        ([up(DRAIN), Says::Nothing], "becomes standby"),
        ([up(DRAIN), Says::Has(DRAIN, Check::Rising)], "waits"),
    ] {
        assert_eq!(told(&node, &facts(&node, &says), Wish::StandBy), told_then, "{says:?}");
    }
}

#[test]
fn a_serving_node_that_is_kept_drains_and_then_stands_by() {
    let serving = in_service();
    let ready = facts(&serving, &[up(READY), up(READY)]);
    assert_eq!(told(&serving, &ready, Wish::StandBy), "becomes draining, drain_server lb1 lb2");
    let idle = [up(DRAIN), up(DRAIN)];
    for (node, says, told_then, because) in [
        (draining(100), idle, "becomes standby", "its requests have ended"),
        (draining(100), [up(DRAIN), Says::Busy(DRAIN)], "waits", "one has not"),
        (draining(100), [up(READY), up(DRAIN)], "drain_server lb1", "one still gives it some"),
        (draining(0), [up(DRAIN), Says::Busy(DRAIN)], "becomes standby", "nothing need be cut"),
    ] {
        assert_eq!(told(&node, &facts(&node, &says), Wish::StandBy), told_then, "{because}");
    }
}

#[test]
fn a_node_in_standby_comes_with_one_command_when_it_is_needed() {
    let node = standby();
    for (says, told_then) in [
        ([up(DRAIN), Says::Nothing], "becomes in_service, make_ready lb1"),
        ([up(DRAIN), up(DRAIN)], "becomes in_service, make_ready lb1 lb2"),
        ([up(DRAIN), Says::Has(DRAIN, Check::Rising)], "becomes in_service, make_ready lb1"),
    ] {
        let facts = facts(&node, &says);
        assert_eq!(told(&node, &facts, Wish::Stay), "waits", "{says:?}");
        assert_eq!(told(&node, &facts, Wish::StandBy), "waits", "{says:?}");
        assert_eq!(told(&node, &facts, Wish::Serve), told_then, "{says:?}");
    }
}

#[test]
fn a_node_in_standby_leaves_at_once_unless_requests_may_be_left_from_when_it_served() {
    let served = standby();
    let never_served = Node { served_at: None, ..standby() };
    let idle = [up(DRAIN), up(DRAIN)];
    for (node, says, told_then, because) in [
        (&served, idle, "becomes deleting, remove_server lb1 lb2 LetEnd", "all have ended"),
        (&served, [up(DRAIN), Says::Busy(DRAIN)], "becomes draining, drain_server lb1 lb2", "one"),
        (&served, [up(DRAIN), Says::Nothing], "becomes draining, drain_server lb1", "who knows"),
        (&never_served, [up(DRAIN), Says::Nothing], "becomes deleting", "it never had any"),
    ] {
        assert_eq!(told(node, &facts(node, &says), Wish::Leave), told_then, "{because}");
    }
}

#[test]
fn balancers_that_lost_a_node_in_standby_get_it_back_without_requests() {
    let half_registered = Node { admitting: [balancer(0)].into(), ..standby() };
    for (node, says, told_then, because) in [
        (standby(), [ABSENT, up(DRAIN)], "register_server lb1", "it restarted"),
        (standby(), [Says::Unknown { usable: false }; 2], "register_server lb1 lb2", "both did"),
        (half_registered, [up(MAINTENANCE), up(DRAIN)], "register_server lb1", "half registered"),
        (standby(), [up(MAINTENANCE), up(DRAIN)], "waits", "taken out by hand"),
        (standby(), [up(READY), up(DRAIN)], "drain_server lb1", "it was down during the drain"),
        (standby(), [Says::Has(DRAIN, Check::Rising), up(DRAIN)], "waits", "checks begin"),
    ] {
        let facts = facts(&node, &says);
        assert_eq!(told(&node, &facts, Wish::Stay), told_then, "{because}");
        assert_eq!(told(&resting(node), &facts, Wish::Stay), "waits", "not at every look");
    }
}

#[test]
fn a_node_in_standby_that_every_balancer_sees_down_has_to_join_again() {
    let node = standby();
    let down = Says::Has(DRAIN, Check::Down);
    for (says, told_then, because) in [
        ([down, down], "becomes joining", "all say so"),
        ([down, Says::Nothing], "becomes joining", "all that answer say so"),
        ([down, up(DRAIN)], "waits", "one balancer's word may be about the balancer"),
    ] {
        assert_eq!(told(&node, &facts(&node, &says), Wish::Stay), told_then, "{because}");
    }
    assert_eq!(deadline_of(&node, &facts(&node, &[down]), Wish::Stay), at(120));
}

#[test]
fn a_node_in_standby_whose_instance_vanished_is_given_up() {
    let node = standby();
    let gone = seen(&node, InstanceFact::Absent { looks: 2 });
    assert_eq!(told(&node, &gone, Wish::Stay), "becomes deleting, after vanished");
}

fn draining(deadline: i64) -> Node {
    node(1, NodeState::Draining { deadline: at(deadline) })
}

#[test]
fn a_draining_node_leaves_once_no_balancer_has_requests_for_it() {
    let node = draining(100);
    for (says, told_then) in [
        ([up(DRAIN), up(DRAIN)], "becomes deleting, remove_server lb1 lb2 LetEnd"),
        ([up(DRAIN), ABSENT], "becomes deleting, remove_server lb1 LetEnd"),
        ([up(DRAIN), Says::Busy(DRAIN)], "waits"),
        ([up(DRAIN), Says::HeldByOldWorker], "waits"),
        ([up(DRAIN), Says::Nothing], "waits"),
        ([up(READY), up(DRAIN)], "drain_server lb1"),
    ] {
        assert_eq!(told(&node, &facts(&node, &says), Wish::Stay), told_then, "{says:?}");
    }
    let facts = facts(&node, &[up(READY), up(DRAIN)]);
    assert_eq!(told(&resting(node), &facts, Wish::Stay), "waits", "not at every look");
}

#[test]
fn a_drain_that_lasts_too_long_is_cut_off_even_where_a_balancer_is_silent() {
    let node = draining(0);
    let cut = "becomes deleting, remove_server lb1 Cut";
    assert_eq!(told(&node, &facts(&node, &[Says::Busy(DRAIN), Says::Nothing]), Wish::Stay), cut);
    let facts = facts(&node, &[Says::Busy(DRAIN)]);
    assert_eq!(deadline_of(&node, &facts, Wish::Stay), now(), "sessions may be cut at once");
}

#[test]
fn a_draining_node_that_is_needed_again_serves_again() {
    let node = draining(100);
    let facts = facts(&node, &[Says::Busy(DRAIN), up(DRAIN)]);
    assert_eq!(told(&node, &facts, Wish::Serve), "becomes in_service, make_ready lb1 lb2");
}

#[test]
fn a_draining_node_that_vanished_is_no_failure() {
    let node = draining(100);
    let facts = seen(&node, InstanceFact::Absent { looks: 2 });
    assert_eq!(told(&node, &facts, Wish::Serve), "becomes deleting");
}

fn deleting(deadline: i64) -> Node {
    node(1, NodeState::Deleting { deadline: at(deadline) })
}

#[test]
fn servers_go_before_their_instance() {
    let never_served = |node: Node| Node { served_at: None, ..node };
    for (node, says, told_then, because) in [
        (deleting(100), up(DRAIN), "remove_server lb2 LetEnd", "it served"),
        (deleting(0), up(DRAIN), "remove_server lb2 Cut", "overdue"),
        (never_served(deleting(100)), up(DRAIN), "remove_server lb2 Cut", "it never served"),
        (resting(deleting(100)), up(DRAIN), "waits", "between two tries"),
        (deleting(100), ABSENT, "delete_instance", "no balancer has it"),
        (deleting(100), Says::Nothing, "waits", "a silent balancer may have requests for it"),
        (deleting(0), Says::Nothing, "delete_instance", "but not for ever"),
        (never_served(deleting(100)), Says::Nothing, "delete_instance", "it never had requests"),
        (deleting(100), Says::HeldByOldWorker, "waits", "an old worker may have requests for it"),
        (deleting(0), Says::HeldByOldWorker, "delete_instance", "but not for ever"),
    ] {
        assert_eq!(told(&node, &facts(&node, &[ABSENT, says]), Wish::Stay), told_then, "{because}");
    }
}

#[test]
fn only_the_clouds_404_ends_a_node_whose_instance_was_known() {
    let node = deleting(100);
    for instance in [
        instance(&node, InstanceStatus::Running),
        instance(&node, InstanceStatus::Deleting),
        InstanceFact::Absent { looks: 1 },
        InstanceFact::Absent { looks: 9 },
        InstanceFact::Unknown,
    ] {
        let facts = seen(&node, instance.clone());
        assert_eq!(told(&node, &facts, Wish::Stay), "delete_instance", "{instance:?}");
        let rested = told(&resting(node.clone()), &facts, Wish::Stay);
        assert_eq!(rested, "waits", "asked again after a rest: {instance:?}");
    }
}

#[test]
fn a_create_call_in_doubt_is_settled_by_listings_a_minute_and_a_search() {
    let since = |seconds| Node { instance: None, state_since: at(seconds), ..deleting(100) };
    for (node, instance, told_then) in [
        (since(-600), InstanceFact::Unknown, "waits"),
        (since(-600), InstanceFact::Absent { looks: 1 }, "waits"),
        (since(-59), InstanceFact::Absent { looks: 5 }, "waits"),
        (since(-60), InstanceFact::Absent { looks: 2 }, "prove_absence"),
    ] {
        assert_eq!(told(&node, &seen(&node, instance.clone()), Wish::Stay), told_then);
    }
    let never_asked = Node { host_keys: vec![], ..since(-1) };
    let facts = seen(&never_asked, InstanceFact::Absent { looks: 1 });
    assert_eq!(told(&never_asked, &facts, Wish::Stay), "becomes deleted");
}

#[test]
fn a_server_that_outlived_its_node_is_removed() {
    for state in
        [NodeState::Deleted, NodeState::Failed { why: crate::domain::Failure::NeverBooted }]
    {
        let node = node(1, state);
        let left = Facts { instance: InstanceFact::Unknown, ..facts(&node, &[ABSENT, up(READY)]) };
        assert_eq!(told(&node, &left, Wish::Stay), "remove_server lb2 Cut");
        let nothing = Facts { servers: vec![], ..left };
        assert_eq!(told(&node, &nothing, Wish::Stay), "waits");
    }
}
