//! What each form of target does at its edges, and what holds for every load.

use proptest::prelude::*;

use super::fixture::*;
use super::{Decision, Distance, Opinion, explain};
use crate::domain::{FleetCounts, NodeCount, NodeSample, Reading, RequestsPerSecond};
use crate::policy::{LeaveEarly, Policy, Rule, RuleScaleIn, TargetForm, TargetRule, Tolerance};

fn policy_of(form: TargetForm) -> Policy {
    let mut policy = policy();
    policy.bounds.min = NodeCount(0);
    policy.rules = vec![with_form("load", form)];
    policy
}

fn target_of(policy: &mut Policy) -> &mut TargetRule {
    match &mut policy.rules[0] {
        Rule::Target(target) => target,
        other => panic!("{other:?} is no target"),
    }
}

fn serving(values: &[f64]) -> Vec<Seen> {
    values.iter().map(|value| Seen::Serves(*value)).collect()
}

fn wanted(decision: &Decision) -> Option<u32> {
    decision.recommendations[0].count().map(|count| count.0)
}

#[test]
fn headroom_is_room_on_top_of_what_is_measured() {
    for (form, because) in [
        (TargetForm::Average(10.0), "an average"),
        (TargetForm::UtilisationPercent(1_000), "a utilisation"),
    ] {
        let mut pool = Pool::settled(policy_of(form), 4).sees("load", &serving(&[10.0; 4]));
        assert_eq!(to(&pool.would_decide()), 4, "{because}");
        target_of(&mut pool.policy).headroom = percent(20.0);
        assert_eq!(to(&pool.would_decide()), 5, "{because} with a fifth more");
    }
    let mut pool = Pool::settled(policy_of(TargetForm::Value(10.0)), 4).reads("load", 10.0);
    target_of(&mut pool.policy).headroom = percent(20.0);
    assert_eq!(to(&pool.would_decide()), 5, "one value with a fifth more");
}

fn square_root(quality: f64, count: u32) -> Pool {
    let rate = RequestsPerSecond::new(400.0).expect("a legal rate");
    let mut policy = policy_of(TargetForm::PerNode(rate));
    policy.bounds.max = NodeCount(1_000_000);
    target_of(&mut policy).square_root = Some(quality);
    Pool::settled(policy, count)
}

#[test]
fn by_the_square_root_rule_a_larger_fleet_keeps_a_smaller_share_free() {
    for (load, count, because) in [
        (0.0, 0, "nothing to do"),
        (400.0, 3, "1 + 1.2 = 2.2: more than half is free"),
        (7_360.0, 24, "18.4 + 1.2 × 4.29 = 23.5: a fifth"),
        (640_000.0, 1_648, "1,600 + 1.2 × 40 = 1,648: a thirtieth"),
    ] {
        let pool = square_root(1.2, 5).reads("load", load);
        assert_eq!(to(&pool.would_decide()), count, "{because}");
    }
    let decision = square_root(1.2, 5).reads("load", 7_360.0).would_decide();
    insta::assert_snapshot!(
        decision.recommendations[0].opinion.because(),
        @"load is 7,360 req/s; at 400 req/s a node that is 18.4 nodes' worth of work, with 5.1 to spare by the square-root rule that needs 24 nodes"
    );
}

#[test]
fn the_distance_of_a_square_root_target_is_true() {
    let mut pool = square_root(1.2, 24).reads("load", 7_360.0);
    let decision = pool.would_decide();
    let distances = explain(&decision, &pool.look, &pool.policy).distances;
    let more = distances.iter().find_map(|distance| match distance {
        Distance::Adds { shift, to, .. } => Some((shift.by, *to)),
        _ => None,
    });
    let (more, next) = more.unwrap_or_else(|| panic!("{distances:?}"));
    pool.set("load", 7_360.0 + more - 1.0);
    assert_eq!(to(&pool.would_decide()), 24);
    pool.set("load", 7_360.0 + more);
    assert_eq!(pool.would_decide().to, next);
}

#[test]
fn a_rule_s_own_tolerance_stands_in_for_the_policy_s() {
    let mut pool = Pool::settled(policy_of(TargetForm::Value(10.0)), 10).reads("load", 11.0);
    pool.policy.tolerance = Tolerance { out: percent(20.0), scale_in: percent(20.0) };
    assert_eq!(to(&pool.would_decide()), 10, "the policy's");
    let own = Tolerance { out: percent(5.0), scale_in: percent(40.0) };
    target_of(&mut pool.policy).tolerance = Some(own);
    assert_eq!(to(&pool.would_decide()), 11, "narrower on the way out");
    pool.set("load", 6.0);
    assert_eq!(to(&pool.would_decide()), 10, "wider on the way in, its end included");
    pool.set("load", 5.9);
    assert_eq!(to(&pool.would_decide()), 6);
}

#[test]
fn a_target_on_nodes_may_only_raise_the_count() {
    let mut pool = Pool::settled(policy_of(TargetForm::Average(10.0)), 4);
    pool = pool.sees("load", &serving(&[2.0; 4]));
    target_of(&mut pool.policy).scale_in = RuleScaleIn::Never;
    let decision = pool.would_decide();
    assert_eq!((to(&decision), wanted(&decision)), (4, Some(1)));
    pool.set_nodes("load", &serving(&[20.0; 4]));
    assert_eq!(to(&pool.would_decide()), 8);
}

#[test]
fn without_a_sample_of_any_serving_node_a_rule_on_nodes_is_blind() {
    use Seen::{Leaves, OnItsWay, Silent};
    for (nodes, because) in [
        (vec![], "no node at all"),
        (vec![Silent, Silent], "nobody speaks"),
        (vec![OnItsWay(9.0), Leaves(9.0), Silent], "only those that do not count speak"),
    ] {
        let mut pool = Pool::settled(policy_of(TargetForm::Average(10.0)), 3).sees("load", &nodes);
        pool.policy.bounds.default = NodeCount(6);
        let decision = pool.decides();
        assert_eq!(why(&decision), ["blind_held", "signal_missing"], "{because}");
        assert_eq!(pool.counts_for(minutes(6)).last(), Some(&6), "{because}: its default, then");
    }
}

#[test]
fn an_empty_pool_on_samples_of_nodes_comes_to_its_default() {
    let mut pool = Pool::settled(policy_of(TargetForm::UtilisationPercent(70)), 0);
    pool = pool.sees("load", &[]);
    assert_eq!(pool.counts_for(minutes(6)).last(), Some(&6), "nobody is there to be measured");
}

#[test]
fn a_value_that_cannot_be_one_is_a_node_s_silence() {
    for value in [f64::NAN, f64::INFINITY, -1.0] {
        let mut nodes = serving(&[10.0; 3]);
        nodes.push(Seen::Serves(value));
        let pool = Pool::settled(policy_of(TargetForm::Average(10.0)), 4).sees("load", &nodes);
        let decision = pool.would_decide();
        let text = decision.recommendations[0].opinion.because().to_string();
        assert!(text.contains("10 on average on 3 nodes (1 silent)"), "{value}: {text}");
    }
}

#[test]
fn a_capacity_that_cannot_be_one_is_taken_to_be_that_of_the_others() {
    for capacity in [0.0, -1.0, f64::NAN, f64::INFINITY] {
        let mut nodes = vec![Seen::Has { value: 10.0, capacity: 20.0 }; 3];
        nodes.push(Seen::Has { value: 10.0, capacity });
        let form = TargetForm::UtilisationPercent(50);
        let pool = Pool::settled(policy_of(form), 4).sees("load", &nodes);
        assert_eq!(wanted(&pool.would_decide()), Some(4), "half of 20 each, {capacity}");
    }
}

#[test]
fn while_the_nodes_that_speak_have_too_much_to_do_no_surplus_leaves_on_a_guess() {
    let mut nodes = serving(&[11.0; 5]);
    nodes.extend([Seen::Silent, Seen::OnItsWay(0.0)]);
    // 11 are too many; but 55 on seven nodes would be too few, so nothing is known.
    let mut pool = Pool::settled(policy_of(TargetForm::Average(10.0)), 3).sees("load", &nodes);
    assert_eq!(wanted(&pool.would_decide()), Some(6), "all that serve, the silent one too");
    pool.policy.scale_in.leave_early = LeaveEarly::Yes;
    assert_eq!(wanted(&pool.would_decide()), Some(3), "as HPA has it");
}

#[test]
fn silent_nodes_hold_a_count_only_where_the_guess_turns_it_around() {
    use Seen::{OnItsWay, Serves, Silent};
    let average = TargetForm::Average(10.0);
    let utilisation = TargetForm::UtilisationPercent(70);
    for (form, from, nodes, count, reason, because) in [
        (average, 2, vec![Serves(5.0), Serves(5.0), Silent], 2, "average_needs", "20 of 3 × 10"),
        (
            average,
            4,
            vec![Serves(16.0), Serves(16.0), OnItsWay(0.0)],
            4,
            "average_needs",
            "32 of 3 × 10",
        ),
        (
            utilisation,
            1,
            vec![Serves(0.4), Silent],
            1,
            "silent_nodes_hold",
            "40 % and a full one are just 70 %: a guess adds none",
        ),
        (
            average,
            2,
            vec![Serves(15.0), Serves(15.0), OnItsWay(0.0)],
            3,
            "average_needs",
            "30 of 3 × 10: all three are needed",
        ),
    ] {
        let decision = Pool::settled(policy_of(form), from).sees("load", &nodes).would_decide();
        let opinion = &decision.recommendations[0].opinion;
        let told = (opinion.count(), opinion.because().name());
        assert_eq!(told, (Some(NodeCount(count)), reason), "{because}");
    }
}

#[test]
fn a_silent_node_beside_others_at_their_target_changes_nothing() {
    let nodes = [[Seen::Serves(0.7); 4].as_slice(), &[Seen::Silent]].concat();
    let policy = policy_of(TargetForm::UtilisationPercent(70));
    let decision = Pool::settled(policy, 5).sees("load", &nodes).would_decide();
    assert_eq!(to(&decision), 5, "it adds no node for the one that it may be busy with");
}

#[test]
fn while_nodes_lag_behind_and_have_too_much_to_do_the_count_does_not_fall() {
    let nodes = [Seen::Serves(16.0), Seen::Serves(16.0), Seen::OnItsWay(0.0)];
    for leave_early in [LeaveEarly::No, LeaveEarly::Yes] {
        let mut pool = Pool::settled(policy_of(TargetForm::Average(10.0)), 6).sees("load", &nodes);
        pool.policy.scale_in.leave_early = leave_early;
        assert_eq!(to(&pool.would_decide()), 6, "{leave_early:?}: 32 of 3 × 10 are four");
    }
}

#[test]
fn where_no_surplus_stays_a_tolerance_is_of_the_count_as_hpa_has_it() {
    let policy = policy_of(TargetForm::Average(10.0));
    let mut pool = Pool::settled(policy, 4).sees("load", &serving(&[10.5; 6]));
    pool.policy.tolerance = Tolerance { out: percent(10.0), scale_in: percent(10.0) };
    pool.policy.scale_in.leave_early = LeaveEarly::Yes;
    assert_eq!(to(&pool.would_decide()), 4, "5 % too much, though 6 nodes carry it");
    pool.look.history.desired = Some(NodeCount(0));
    pool.set_nodes("load", &serving(&[25.0]));
    assert_eq!(to(&pool.would_decide()), 3, "nothing is within a tolerance of no nodes");
}

#[test]
fn two_samples_of_one_node_are_none() {
    let pool = Pool::settled(policy_of(TargetForm::Average(10.0)), 2);
    let pool = pool.sees("load", &serving(&[30.0, 30.0]));
    let first = pool.look.nodes[0].clone();
    for twin in [first.label, first.address] {
        let mut pool = pool.clone();
        let Some(Reading::PerNode { samples, .. }) = pool.look.readings.get_mut(&name("load"))
        else {
            panic!("it has samples of nodes")
        };
        samples.push(NodeSample { node: twin.clone(), value: Some(1.0), ..samples[0].clone() });
        let decision = pool.would_decide();
        assert_eq!(to(&decision), 2, "{twin}");
        assert!(decision.reasons.last().unwrap().to_string().contains("two series of node"));
    }
}

#[test]
fn a_signal_of_the_wrong_kind_is_no_number() {
    let pool = Pool::settled(policy_of(TargetForm::Value(1.0)), 3).sees("load", &serving(&[9.0]));
    assert_eq!(why(&pool.would_decide()), ["blind_held", "signal_missing"]);
    let pool = Pool::settled(policy_of(TargetForm::Average(1.0)), 3).reads("load", 9.0);
    assert_eq!(why(&pool.would_decide()), ["blind_held", "signal_missing"]);
}

#[test]
fn while_no_node_serves_one_value_moves_nothing() {
    let mut pool = Pool::settled(policy_of(TargetForm::Value(10.0)), 3).reads("load", 50.0);
    pool.look.fleet = FleetCounts { on_the_way: NodeCount(3), ..FleetCounts::default() };
    let decision = pool.would_decide();
    assert_eq!(to(&decision), 3);
    assert!(why(&decision).contains(&"no_node_serves"), "{:?}", decision.reasons);
}

#[test]
fn more_serving_nodes_than_wanted_are_what_a_ratio_was_measured_on() {
    // Five serve to the end of their paid hours, three are wanted.
    for (each, count, because) in [
        (5.0, 3, "half of five, within 20 % of three"),
        (8.0, 4, "four fifths of five"),
        (10.0, 5, "the target on all five needs all five"),
        (13.0, 7, "and more needs more"),
    ] {
        let mut on_nodes = Pool::settled(policy_of(TargetForm::Average(10.0)), 3);
        on_nodes = on_nodes.sees("load", &serving(&[each; 5]));
        let mut on_one = Pool::settled(policy_of(TargetForm::Value(10.0)), 3).reads("load", each);
        on_one.look.fleet.serving = NodeCount(5);
        for mut pool in [on_nodes, on_one] {
            pool.policy.tolerance = Tolerance { out: percent(20.0), scale_in: percent(20.0) };
            assert_eq!(to(&pool.would_decide()), count, "{because}");
        }
    }
}

#[test]
fn a_ratio_above_one_lowers_no_count_that_nodes_lag_behind_where_surplus_stays() {
    // Six are wanted, and only three exist yet: creating rests after failures.
    let mut pool = Pool::settled(policy_of(TargetForm::Average(10.0)), 6);
    pool = pool.sees("load", &serving(&[15.0; 3]));
    assert_eq!(to(&pool.would_decide()), 6);
    pool.policy.scale_in.leave_early = LeaveEarly::Yes;
    assert_eq!(to(&pool.would_decide()), 5, "more than there are, as HPA has it");
}

#[test]
fn no_number_overflows() {
    for value in [f64::MAX, 1e300, 1e18, f64::MIN_POSITIVE] {
        for form in [
            TargetForm::Value(value),
            TargetForm::Value(0.0),
            TargetForm::Average(value),
            TargetForm::UtilisationPercent(1),
            TargetForm::UtilisationPercent(u32::MAX),
        ] {
            let mut pool = Pool::settled(policy_of(form), 5);
            pool.policy.bounds.max = NodeCount(u32::MAX);
            target_of(&mut pool.policy).headroom = percent(f64::MAX);
            match form.reads_each_node() {
                true => {
                    pool.set_nodes("load", &[serving(&[value; 5]), vec![Seen::Silent]].concat())
                }
                false => pool.set("load", value),
            }
            let decision = pool.would_decide();
            let (Opinion::Wants { exact, .. } | Opinion::AtLeast { exact, .. }) =
                decision.recommendations[0].opinion
            else {
                panic!("{:?}", decision.recommendations)
            };
            assert!(exact.is_finite(), "{form:?} of {value}");
        }
    }
}

/// A form and the load that brings it to its target.
fn any_form() -> impl Strategy<Value = TargetForm> {
    prop_oneof![
        (1.0..1_000.0_f64).prop_map(|rate| {
            TargetForm::PerNode(RequestsPerSecond::new(rate).expect("it is a rate"))
        }),
        (0.0..1_000.0_f64).prop_map(TargetForm::Value),
        (0.1..1_000.0_f64).prop_map(TargetForm::Average),
        (1..300_u32).prop_map(TargetForm::UtilisationPercent),
    ]
}

/// What a node at its target shows; zero for forms that look at no node.
fn target_on_a_node(form: TargetForm) -> f64 {
    match form {
        TargetForm::PerNode(_) | TargetForm::Value(_) => 0.0,
        TargetForm::Average(target) => target,
        TargetForm::UtilisationPercent(target) => f64::from(target) / 100.0,
    }
}

/// Serving nodes about `value`, silent ones and some on their way, as `kinds` has them.
fn mixed(value: f64, kinds: &[u8]) -> Vec<Seen> {
    let seen = |kind: &u8| match kind % 4 {
        0 | 1 => Seen::Serves(value * (0.5 + f64::from(*kind) / 255.0)),
        2 => Seen::Silent,
        _ => Seen::OnItsWay(value),
    };
    kinds.iter().map(seen).collect()
}

/// A load of so many times a form's target.
fn set_load(pool: &mut Pool, form: TargetForm, share: f64, kinds: &[u8]) {
    match form {
        TargetForm::PerNode(rate) => pool.set("load", rate.get() * share * kinds.len() as f64),
        TargetForm::Value(target) => pool.set("load", target * share),
        TargetForm::Average(_) | TargetForm::UtilisationPercent(_) => {
            pool.set_nodes("load", &mixed(target_on_a_node(form) * share, kinds));
        }
    }
}

prop_compose! {
    /// A pool of nodes under one form, as many serving or on their way as are wanted or more.
    fn any_pool()(
        form in any_form(),
        nodes in proptest::collection::vec(any::<u8>(), 1..12),
        fewer in 0..4_usize,
        (out, fall) in (0.0..30.0_f64, 0.0..30.0_f64),
        share in 0.0..3.0_f64,
    ) -> (Pool, TargetForm, Vec<u8>, f64) {
        let mut policy = policy_of(form);
        policy.tolerance = Tolerance { out: percent(out), scale_in: percent(fall) };
        let from = nodes.len().saturating_sub(fewer).max(1) as u32;
        let mut pool = Pool::settled(policy, from);
        pool.look.fleet.serving = NodeCount(nodes.len() as u32);
        set_load(&mut pool, form, share, &nodes);
        (pool, form, nodes, share)
    }
}

proptest! {
    #[test]
    fn more_load_never_means_fewer_nodes_in_any_form(
        (mut pool, form, nodes, share) in any_pool(),
        more in 0.0..2.0_f64,
    ) {
        let less = pool.would_decide();
        set_load(&mut pool, form, share + more, &nodes);
        let more = pool.would_decide();
        prop_assert!(less.to <= more.to, "{:?} {:?}", less.reasons, more.reasons);
    }

    #[test]
    fn more_load_never_means_fewer_nodes_by_the_square_root_rule(
        quality in 0.01..5.0_f64, count in 0..200_u32, load in 0.0..1e6_f64, more in 0.0..1e6_f64,
    ) {
        let mut pool = square_root(quality, count).reads("load", load);
        let less = pool.would_decide();
        pool.set("load", load + more);
        let more = pool.would_decide();
        prop_assert!(less.to <= more.to, "{:?} {:?}", less.reasons, more.reasons);
        // Never fewer than the work itself needs.
        prop_assert!(f64::from(less.to.0) * 400.0 >= load - 1e-6);
    }

    #[test]
    fn a_silent_node_lets_no_more_leave_than_one_at_its_target(
        (mut pool, form, kinds, share) in any_pool(),
        which in any::<proptest::sample::Index>(),
    ) {
        let at_target = target_on_a_node(form);
        let mut nodes = mixed(at_target * share, &kinds);
        let node = which.index(nodes.len());
        let mut with = |pool: &mut Pool, seen| {
            nodes[node] = seen;
            if form.reads_each_node() { pool.set_nodes("load", &nodes) } else { pool.lose("load") }
            pool.would_decide()
        };
        let speaks = with(&mut pool, Seen::Serves(at_target));
        let silent = with(&mut pool, Seen::Silent);
        prop_assert!(
            silent.to >= speaks.to.min(speaks.from),
            "{:?} {:?}", speaks.reasons, silent.reasons
        );
    }

    #[test]
    fn a_signal_that_nobody_can_read_lowers_no_count((mut pool, _, _, _) in any_pool()) {
        pool.lose("load");
        let decision = pool.would_decide();
        prop_assert!(decision.to >= decision.from, "{:?}", decision.reasons);
    }

    #[test]
    fn what_is_stored_decides_again_to_the_same((pool, _, _, _) in any_pool()) {
        let stored = serde_json::to_string(&pool.look).expect("it serialises");
        let stored = serde_json::from_str(&stored).expect("it reads back");
        prop_assert_eq!(super::decide(&pool.policy, &stored), pool.would_decide());
    }
}
