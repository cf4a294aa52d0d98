//! What is so of every plan.

use proptest::prelude::*;

use super::super::{Departure, DepartureOrder, Facts, InstanceFact, Next, Wish, next};
use super::fixture::{
    ABSENT, Case, Check, Says, at, facts, instance, node, now, policy, resting, run, serving,
    standing_by,
};
use crate::domain::{
    Failure, HostResult, InstanceStatus, Node, NodeCount, NodeState, RunStatus, ServerAdmin,
};
use crate::policy::{LeaveEarly, Policy};

fn any_state() -> impl Strategy<Value = NodeState> {
    (0..11u8, -500..500i64).prop_map(|(which, seconds)| {
        let deadline = at(seconds);
        match which {
            0 => NodeState::Planned,
            1 => NodeState::Provisioning { deadline },
            2 => NodeState::Configuring { run: run(5), deadline },
            3 => NodeState::Joining { deadline },
            4 => NodeState::InService,
            5 => NodeState::Standby,
            6 => NodeState::Draining { deadline },
            7 => NodeState::Deleting { deadline },
            8 => NodeState::Deleted,
            9 => NodeState::Unhealthy { deadline },
            _ => NodeState::Failed { why: Failure::NeverBooted },
        }
    })
}

fn any_says() -> impl Strategy<Value = Says> {
    let admin = prop_oneof![
        Just(ServerAdmin::Ready),
        Just(ServerAdmin::Drain),
        Just(ServerAdmin::Maintenance)
    ];
    let check = prop_oneof![Just(Check::Up), Just(Check::Rising), Just(Check::Down)];
    prop_oneof![
        Just(Says::Nothing),
        Just(ABSENT),
        Just(Says::Unknown { usable: false }),
        Just(Says::HeldByOldWorker),
        admin.clone().prop_map(Says::Busy),
        (admin, check).prop_map(|(admin, check)| Says::Has(admin, check)),
    ]
}

fn any_run() -> impl Strategy<Value = Option<RunStatus>> {
    prop_oneof![
        Just(None),
        Just(Some(RunStatus::NotStarted)),
        Just(Some(RunStatus::Running)),
        Just(Some(RunStatus::Lost)),
        Just(Some(RunStatus::Ended { hosts: Default::default() })),
    ]
}

fn any_node() -> impl Strategy<Value = (Node, Facts)> {
    let says = proptest::collection::vec(any_says(), 1..4);
    let world = (0..7u8, 0..4u32, any_run(), says);
    (any_state(), world, any::<bool>(), any::<bool>(), -9_000..0i64).prop_map(
        |(state, (status, looks, run, says), rests, is_known, born)| {
            let mut node = node(1, state);
            node.instance_created_at = Some(at(born));
            if !is_known {
                node.instance = None;
            }
            let node = if rests { resting(node) } else { node };
            let instance = match status {
                0 => InstanceFact::Unknown,
                1 => InstanceFact::Absent { looks },
                2 => instance(&node, InstanceStatus::Booting),
                3 => instance(&node, InstanceStatus::Offline),
                4 => instance(&node, InstanceStatus::Deleting),
                _ => instance(&node, InstanceStatus::Running),
            };
            let facts = Facts { instance, run, ..facts(&node, &says) };
            (node, facts)
        },
    )
}

fn any_policy() -> impl Strategy<Value = Policy> {
    let early =
        prop_oneof![Just(LeaveEarly::No), Just(LeaveEarly::Yes), Just(LeaveEarly::ToStandby)];
    (early, 0..4u32).prop_map(|(early, standby)| {
        let mut policy = policy();
        (policy.scale_in.leave_early, policy.standby.nodes) = (early, NodeCount(standby));
        policy
    })
}

/// Up to twelve nodes with their own ids, labels and addresses.
fn any_case() -> impl Strategy<Value = Case> {
    let nodes = proptest::collection::vec(any_node(), 0..12);
    (nodes, 0..=10u32, any_policy()).prop_map(|(nodes, desired, policy)| {
        let distinct = nodes.into_iter().zip(1..).map(|((like, facts), number)| {
            let own = node(number, like.state.clone());
            let own = Node { instance: like.instance.and(own.instance), ..own };
            let attempt = like.attempt;
            (Node { attempt, instance_created_at: like.instance_created_at, ..own }, facts)
        });
        Case { policy, ..Case::new(desired, distinct.collect()) }
    })
}

/// The same with some of the nodes sent away, and acts forbidden.
fn any_ordered_case() -> impl Strategy<Value = Case> {
    let orders = proptest::collection::vec(proptest::option::of(any::<bool>()), 12);
    let held = (any::<bool>(), any::<bool>());
    (any_case(), orders, held).prop_map(|(mut case, orders, (creates, removals))| {
        for (node, order) in case.nodes.iter().zip(orders) {
            let Some(drains) = order else { continue };
            let order = if drains { DepartureOrder::Drain } else { DepartureOrder::Replace };
            let (owner, reason) = ("ops".into(), "a rehearsal".into());
            let departure = Departure { order, until: at(600), reason, owner };
            case.orders.departures.insert(node.id, departure);
        }
        case.orders.creates_held = creates.then_some(at(600));
        case.orders.removals_held = removals.then_some(at(600));
        case
    })
}

proptest! {
    #[test]
    fn whatever_is_ordered_no_plan_makes_more_than_max_or_what_is_forbidden(
        case in any_ordered_case()
    ) {
        let existing = case.nodes.iter().filter(|node| node.counts_against_max()).count();
        let plan = case.plan();
        let (created, max) = (plan.create.len(), case.policy.bounds.max.0 as usize);
        prop_assert!(created == 0 || existing + created <= max, "{existing} + {created}");
        prop_assert!(case.orders.creates_held.is_none() || created == 0);
        let serves = |id| case.nodes.iter().any(|node| {
            node.id == id && node.state == NodeState::InService
        });
        // Whoever stands by drains, too, and does not leave.
        let drains = plan.moves.iter().any(|one| {
            let leaves = serves(one.node) && !one.because.contains("stand by");
            leaves && matches!(one.enter, Some(NodeState::Draining { .. }))
        });
        prop_assert!(case.orders.removals_held.is_none() || !drains);
    }

    /// Only an order to drain takes a node away that is not replaced yet.
    #[test]
    fn whoever_is_replaced_by_order_serves_until_another_does_or_takes_the_last_room(
        case in any_ordered_case()
    ) {
        let sent_away = |node: &Node, order| {
            case.orders.departures.get(&node.id).is_some_and(|one| one.order == order)
        };
        let serving: Vec<&Node> = case.nodes.iter().filter(|node| {
            node.state == NodeState::InService && !case.facts[&node.id].instance_is_gone()
        }).collect();
        let stays = |node: &&&Node| !case.orders.departures.contains_key(&node.id);
        let others = serving.iter().filter(stays).count();
        let desired = case.desired.expect("it was decided").0 as usize;
        let existing = case.nodes.iter().filter(|node| node.counts_against_max()).count();
        let is_full = case.policy.bounds.max.0 as usize <= existing + desired;
        let gone = case.plan().moves.into_iter().filter(|one| {
            let replaced = serving.iter().any(|node| {
                node.id == one.node && sent_away(node, DepartureOrder::Replace)
            });
            replaced && matches!(one.enter, Some(NodeState::Draining { .. }))
        });
        let comes_back = case.nodes.iter().any(|node| {
            matches!(node.state, NodeState::Draining { .. } | NodeState::Standby)
        });
        let may_serve_unseen = case.nodes.iter().any(|node| {
            matches!(node.state, NodeState::Unhealthy { .. }) || case.facts[&node.id].instance_is_gone()
        });
        prop_assert!(
            gone.count() == 0 || desired <= others || is_full || comes_back || may_serve_unseen
        );
    }

    #[test]
    fn whatever_is_ordered_each_living_node_moves_or_waits(case in any_ordered_case()) {
        let plan = case.plan();
        for node in case.nodes.iter().filter(|node| !node.state.is_final()) {
            let moves = plan.moves.iter().filter(|one| one.node == node.id).count();
            let waits = plan.waits.get(&node.id).is_some_and(|what| !what.is_empty());
            prop_assert_eq!(moves + usize::from(waits), 1, "{:?}", node);
        }
    }

    #[test]
    fn no_plan_makes_more_than_max(case in any_case()) {
        let may_exist = |node: &&Node| node.counts_against_max();
        let existing = case.nodes.iter().filter(may_exist).count();
        let created = case.plan().create.len();
        let max = case.policy.bounds.max.0 as usize;
        prop_assert!(created == 0 || existing + created <= max, "{existing} + {created}");
    }

    #[test]
    fn no_plan_makes_more_than_are_wanted_or_has_one_come_while_another_goes(case in any_case()) {
        // Whoever may be replaced is not counted upon.
        let is_ill = |node: &Node| {
            matches!(node.state, NodeState::Unhealthy { deadline } if deadline <= now())
        };
        let committed = case.nodes.iter().filter(|node| node.state.is_committed() && !is_ill(node));
        let committed = committed.count() as u32;
        let desired = case.desired.expect("it was decided").0;
        let plan = case.plan();
        let refills = plan.refills.len() as u32;
        let to_serve = plan.create.len() as u32 - refills;
        prop_assert!(to_serve <= desired.saturating_sub(committed));
        let standby = case.nodes.iter().filter(|node| node.state == NodeState::Standby).count();
        prop_assert!(refills as usize + standby <= standby.max(
            case.policy.standby.nodes.0 as usize + taken(&case, &plan)
        ));
        let serves = |id| case.nodes.iter().any(|node| {
            node.id == id && node.state == NodeState::InService
        });
        let drains = plan.moves.iter().filter(|one| {
            serves(one.node) && matches!(one.enter, Some(NodeState::Draining { .. }))
        });
        let drained = drains.count();
        prop_assert!(drained == 0 || to_serve == 0);
        // Whoever drains while others are made for the standby will stand by, too.
        let wanted = case.policy.standby.nodes.0 as usize + taken(&case, &plan);
        prop_assert!(refills == 0 || drained + refills as usize + standby <= wanted);
    }

    /// Whoever serves is sent away only for a surplus of those that serve.
    #[test]
    fn no_plan_leaves_fewer_serving_than_are_wanted_and_were(case in any_case()) {
        let desired = case.desired.expect("it was decided").0 as usize;
        let serving = |node: &&Node| {
            node.state == NodeState::InService && !case.facts[&node.id].instance_is_gone()
        };
        let serving: Vec<_> = case.nodes.iter().filter(serving).map(|node| node.id).collect();
        let plan = case.plan();
        let sent_away = plan.moves.iter().filter(|one| {
            serving.contains(&one.node) && matches!(one.enter, Some(NodeState::Draining { .. }))
        });
        let gone = case.nodes.iter().filter(|node| node.state == NodeState::InService).count()
            - serving.len();
        let left = serving.len() - sent_away.count();
        prop_assert!(serving.len().min(desired.saturating_sub(gone)) <= left);
    }

    #[test]
    fn the_same_case_gives_the_same_plan(case in any_case()) {
        prop_assert_eq!(case.plan(), case.plan());
    }

    #[test]
    fn each_living_node_moves_or_waits_for_something(case in any_case()) {
        let plan = case.plan();
        for node in case.nodes.iter().filter(|node| !node.state.is_final()) {
            let moves = plan.moves.iter().filter(|one| one.node == node.id).count();
            let waits = plan.waits.get(&node.id).is_some_and(|what| !what.is_empty());
            prop_assert_eq!(moves + usize::from(waits), 1, "{:?}", node);
        }
    }

    #[test]
    fn a_settled_pool_is_left_alone(count in 0..8u8, policy in any_policy()) {
        let standby = policy.standby.nodes.0.min(10 - u32::from(count)) as u8;
        let standing = (count + 1..=count + standby).map(standing_by);
        let nodes = (1..=count).map(serving).chain(standing).collect();
        let case = Case { policy, ..Case::new(count.into(), nodes) };
        let plan = case.plan();
        prop_assert!(plan.is_empty(), "{:?}", plan);
        prop_assert!(plan.notes.is_empty());
    }

    #[test]
    fn a_serving_node_leaves_through_a_drain_unless_it_is_gone(
        (mut node, facts) in any_node(), leaves in any::<bool>(), is_ill in any::<bool>()
    ) {
        node.state = match is_ill {
            true => NodeState::Unhealthy { deadline: at(-1) },
            false => NodeState::InService,
        };
        let wish = if leaves { Wish::Leave } else { Wish::Stay };
        let next = next(&node, &facts, wish, &policy(), run(7), now());
        if let Next::Do { enter: Some(NodeState::Deleting { .. }), .. } = next {
            prop_assert!(facts.instance_is_gone());
        }
    }

    #[test]
    fn a_bare_node_is_never_given_requests(
        (mut node, facts) in any_node(), which in 0..3u8
    ) {
        node.state = match which {
            0 => NodeState::Planned,
            1 => NodeState::Provisioning { deadline: at(100) },
            _ => NodeState::Configuring { run: run(5), deadline: at(100) },
        };
        let next = next(&node, &facts, Wish::Serve, &policy(), run(7), now());
        if let Next::Do { step: Some(step), .. } = next {
            prop_assert!(!matches!(step.name(), "make_ready" | "readmit_server"), "{step:?}");
        }
    }

    /// The only waits after a deadline are those of a deletion that nothing may end before the
    /// cloud has answered: which instance there is, or that there is none.
    #[test]
    fn whatever_is_overdue_is_acted_upon((mut node, facts) in any_node(), which in 0..5u8) {
        let deadline = at(-1);
        node.attempt = None;
        node.state = match which {
            0 => NodeState::Provisioning { deadline },
            1 => NodeState::Configuring { run: run(5), deadline },
            2 => NodeState::Joining { deadline },
            3 => NodeState::Draining { deadline },
            _ => NodeState::Deleting { deadline },
        };
        let next = next(&node, &facts, Wish::Stay, &policy(), run(7), now());
        if let Next::Wait { what } = next {
            let absent = matches!(facts.instance, InstanceFact::Absent { .. });
            let unknown = facts.instance == InstanceFact::Unknown;
            prop_assert!(which == 4 && node.instance.is_none() && (absent || unknown), "{}", what);
        }
    }
}

/// How many nodes the plan takes out of standby.
fn taken(case: &Case, plan: &super::super::Plan) -> usize {
    let stands = |id| {
        let mut nodes = case.nodes.iter();
        nodes.any(|node| node.id == id && node.state == NodeState::Standby)
    };
    plan.moves.iter().filter(|one| stands(one.node) && one.enter.is_some()).count()
}

#[test]
fn a_host_result_that_succeeded_is_the_only_way_to_join() {
    let node = node(1, NodeState::Configuring { run: run(5), deadline: at(100) });
    let failed = HostResult::Failed { reason: "x".into() };
    for (result, joins) in [(failed, false), (super::fixture::succeeded(), true)] {
        let facts = Facts { run: super::fixture::ended(&node, result), ..facts(&node, &[ABSENT]) };
        let next = next(&node, &facts, Wish::Stay, &policy(), run(7), now());
        let joined = matches!(next, Next::Do { enter: Some(NodeState::Joining { .. }), .. });
        assert_eq!(joined, joins);
    }
}
