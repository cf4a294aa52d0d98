//! What scale-ins would do, and what scale-outs did.

use super::fixture::*;
use super::{Reason, decide};
use crate::domain::{NodeCount, SignalName};
use crate::policy::{Measures, Policy, Rule, TargetForm, TargetRule};

// Flap.

/// Each node of eight is at 60; ten of that is a node's share, and requests need only four.
fn busy_nodes(measures: Measures) -> Pool {
    let mut policy = policy();
    policy.rules = vec![target("requests", 400.0), target("busy", 10.0)];
    policy.signals.insert(name("busy"), signal_of(measures));
    Pool::settled(policy, 8).reads("requests", 1_600.0).reads("busy", 60.0)
}

#[test]
fn no_node_leaves_whom_the_survivors_would_call_back() {
    // Requests need four nodes, or just the six that busy nodes need: they call nobody back.
    for requests in [1_600.0, 2_400.0] {
        let decision = busy_nodes(Measures::Node).reads("requests", requests).would_decide();
        // Six would carry 60 × 8 / 6 = 80 each and want 8; seven carry 68.6 each and want 7.
        assert_eq!((to(&decision), why(&decision)[0]), (7, "flap_ahead"));
        let Reason::FlapAhead { wanted, rules, .. } = &decision.reasons[0] else { panic!("it is") };
        assert_eq!((*wanted, rules.as_slice()), (NodeCount(6), &["target:busy".to_owned()][..]));
    }
}

#[test]
fn a_figure_of_the_pool_stays_as_it_is_when_nodes_leave() {
    let decision = busy_nodes(Measures::Pool).would_decide();
    assert_eq!((to(&decision), why(&decision)[0]), (6, "load_needs"));
}

#[test]
fn what_the_survivors_would_want_is_tolerated_as_ever() {
    let mut pool = busy_nodes(Measures::Node);
    // 80 each want 8, which is a third more than the 6 that carry it.
    pool.policy.tolerance.out = percent(34.0);
    assert_eq!(to(&pool.would_decide()), 6);
    pool.policy.tolerance.out = percent(33.0);
    assert_eq!(to(&pool.would_decide()), 7);
}

#[test]
fn surplus_nodes_that_still_serve_carry_their_part() {
    let mut pool = busy_nodes(Measures::Node);
    pool.look.fleet.serving = NodeCount(12);
    // Seven would carry 60 × 12 / 7 = 103 each.
    assert_eq!(to(&pool.would_decide()), 8);
}

#[test]
fn the_last_node_leaves_only_an_idle_pool() {
    for (busy, count) in [(0.1, 1), (0.0, 0)] {
        let mut pool = busy_nodes(Measures::Node).reads("requests", 0.0).reads("busy", busy);
        pool.policy.bounds.min = NodeCount(0);
        pool.look.history.desired = Some(NodeCount(1));
        pool.look.fleet.serving = NodeCount(1);
        assert_eq!(to(&pool.would_decide()), count, "{busy}");
    }
}

#[test]
fn a_latency_has_no_part_in_what_is_foreseen_and_is_named() {
    let mut pool = busy_nodes(Measures::Node).reads("p95", 0.1);
    pool.policy.rules.push(latency("p95"));
    pool.policy.signals.insert(name("p95"), signal_of(Measures::Node));
    let decision = pool.would_decide();
    assert_eq!(to(&decision), 7);
    let Reason::FlapAhead { not_foreseen, .. } = &decision.reasons[0] else { panic!("it is") };
    let names: Vec<&str> = not_foreseen.iter().map(SignalName::as_str).collect();
    assert_eq!(names, ["p95"]);
}

#[test]
fn those_who_stay_carry_what_those_who_leave_did_on_what_they_have_themselves() {
    let small = |value: f64| Seen::Has { value, capacity: 10.0 };
    let large = |value: f64| Seen::Has { value, capacity: 100.0 };
    let idle = Seen::OnItsWay(90.0);
    for (nodes, count, because) in [
        (vec![large(5.0), small(5.0)], 1, "all on the large one are 10 %"),
        (vec![small(2.0), large(8.0)], 2, "all on the small one are 100 %"),
        (vec![small(0.0), large(10.0)], 2, "also where it carried nothing before"),
        (vec![large(5.0), small(5.0), idle], 1, "what is on its way takes nothing over"),
    ] {
        let mut policy = policy();
        policy.bounds.min = NodeCount(0);
        policy.rules = vec![with_form("busy", TargetForm::UtilisationPercent(50))];
        policy.signals.insert(name("busy"), signal_of(Measures::Node));
        let mut pool = Pool::settled(policy, 2).sees("busy", &nodes);
        // Machines that are no nodes of the pool leave it nothing.
        pool.hears_strangers("busy", &[900.0]);
        let decision = pool.would_decide();
        assert_eq!(to(&decision), count, "{because}");
        assert_eq!(why(&decision)[0] == "flap_ahead", count == 2, "{because}");
    }
}

#[test]
fn those_who_stay_and_were_idle_take_even_parts_of_what_the_others_did() {
    let small = Seen::Has { value: 0.0, capacity: 10.0 };
    for (load, count, because) in [
        (8.0, 2, "one would be used to 80 %, two to 40 % each"),
        (12.0, 3, "two would be used to 60 % each"),
    ] {
        let mut policy = policy();
        policy.bounds.min = NodeCount(0);
        policy.rules = vec![with_form("busy", TargetForm::UtilisationPercent(50))];
        policy.signals.insert(name("busy"), signal_of(Measures::Node));
        let large = Seen::Has { value: load, capacity: 100.0 };
        let mut pool = Pool::settled(policy, 3).sees("busy", &[small, small, large]);
        pool.hears_strangers("busy", &[0.0, 0.0]);
        assert_eq!(to(&pool.would_decide()), count, "{because}");
    }
}

#[test]
fn what_a_division_loses_keeps_no_node() {
    let mut pool = busy_nodes(Measures::Node);
    let target = TargetRule { headroom: percent(10.0), ..target_rule("busy", 1.0) };
    let form = TargetForm::Value(10.0);
    pool.policy.rules = vec![Rule::Target(TargetRule { form, ..target })];
    // Just what five need, of which a multiplication there and back makes a little more.
    pool.set("busy", 10.0 / 1.1 * 5.0 / 21.0);
    pool.look.history.desired = Some(NodeCount(21));
    pool.look.fleet.serving = NodeCount(21);
    assert_eq!(to(&pool.would_decide()), 5);
}

#[test]
fn the_fewest_survivors_are_found_in_a_large_pool_too() {
    let mut pool = busy_nodes(Measures::Node).reads("requests", 0.0);
    pool.policy.bounds.max = NodeCount(u32::MAX);
    pool.look.history.desired = Some(NodeCount(1_000_000));
    pool.look.fleet.serving = NodeCount(1_000_000);
    // c survivors carry 60 million / c each and want a tenth of that: √6,000,000 is enough.
    assert_eq!(to(&pool.would_decide()), 2_450);
}

// Effectiveness.

/// Eight nodes that requests fit, a latency that is too long whatever is added, and two more
/// nodes each three minutes.
fn in_vain() -> Pool {
    let mut pool = pool_with_latency(412.0);
    pool.policy.effectiveness = Some(effectiveness());
    pool.policy.scale_out.pace = vec![nodes_per(2, minutes(3))];
    pool
}

/// The counts without their repetitions.
fn steps(counts: &[u32]) -> Vec<u32> {
    counts.chunk_by(|a, b| a == b).map(|run| run[0]).collect()
}

#[test]
fn a_rule_whose_last_scale_outs_helped_nothing_adds_no_more_until_it_has_rested() {
    let mut pool = in_vain();
    // At 30 s, 210 s and 390 s; each is judged 95 s later.
    assert_eq!(steps(&pool.counts_for(minutes(20))), [8, 10, 12, 14]);
    let decision = pool.would_decide();
    assert_eq!(why(&decision)[0], "ineffective");
    let Reason::Ineffective { rules, until, .. } = &decision.reasons[0] else { panic!("it is") };
    assert_eq!(rules, &["latency:p95"]);
    let rest = until.duration_since(pool.look.at).as_secs();
    assert_eq!(steps(&pool.counts_for(seconds(rest as u64 - 5))), [14]);
    assert_eq!(to(&pool.decides_after(seconds(5))), 16, "three more may be tried");
    assert_eq!(steps(&pool.counts_for(minutes(20))), [16, 18, 20]);
}

#[test]
fn without_that_section_a_latency_adds_up_to_the_maximum() {
    let mut pool = in_vain();
    pool.policy.effectiveness = None;
    assert_eq!(pool.counts_for(minutes(60)).last(), Some(&40));
}

#[test]
fn a_scale_out_that_helped_forgives_those_before_it() {
    let mut pool = in_vain();
    // The second one is judged at 305 s.
    pool.counts_for(minutes(5));
    assert_eq!(pool.look.history.desired, Some(NodeCount(12)));
    pool.set("p95", 0.412 * 0.95);
    assert_eq!(pool.counts_for(minutes(20)).last(), Some(&18), "three more after the second");
}

#[test]
fn less_than_an_effect_is_none() {
    let mut pool = in_vain();
    pool.counts_for(minutes(5));
    pool.set("p95", 0.412 * 0.951);
    assert_eq!(pool.counts_for(minutes(20)).last(), Some(&14));
}

#[test]
fn a_signal_that_clears_forgets_what_was_in_vain() {
    let mut pool = in_vain();
    pool.counts_for(minutes(20));
    pool.set("p95", 0.25);
    pool.decides_after(seconds(5));
    assert_eq!(pool.look.history.effects, []);
    pool.set("p95", 0.412);
    assert_eq!(pool.counts_for(minutes(20)).last(), Some(&20));
}

#[test]
fn other_rules_go_on_adding() {
    let mut pool = in_vain();
    pool.counts_for(minutes(20));
    pool.policy.scale_out.pace = vec![];
    for (nodes, because) in [(15.0, "the load needs one more"), (8.0, "and then no more")] {
        pool.set("requests", nodes * 400.0);
        let decision = pool.decides_after(seconds(5));
        assert_eq!((to(&decision), why(&decision)[0]), (15, "ineffective"), "{because}");
    }
    let tries = pool.look.history.effects.len();
    assert_eq!(tries, 3, "what others add is no try of a rule in vain");
}

#[test]
fn a_rate_from_outside_is_never_judged() {
    let mut pool = Pool::settled(policy(), 8).reads("requests", 16_000.0);
    pool.policy.effectiveness = Some(effectiveness());
    pool.policy.scale_out.pace = vec![nodes_per(2, minutes(3))];
    assert_eq!(pool.counts_for(minutes(60)).last(), Some(&40));
    assert_eq!(pool.look.history.effects, []);
}

/// Eight nodes, a queue that is this long whatever is added, where ten would be right, and two
/// more nodes each three minutes.
fn queue_in_vain(length: f64) -> Pool {
    let mut pool = Pool::settled(policy(), 8).reads("queue", length);
    pool.policy.rules = vec![with_form("queue", TargetForm::Value(10.0))];
    pool.policy.tolerance.out = percent(25.0);
    pool.policy.effectiveness = Some(effectiveness());
    pool.policy.scale_out.pace = vec![nodes_per(2, minutes(3))];
    pool
}

#[test]
fn a_target_that_more_nodes_bring_no_nearer_is_judged_too() {
    let mut pool = queue_in_vain(13.0);
    assert_eq!(steps(&pool.counts_for(minutes(20))), [10, 12, 14]);
    assert_eq!(why(&pool.would_decide())[0], "ineffective");
}

#[test]
fn a_target_is_judged_by_how_far_it_is_missed_whatever_the_count() {
    let mut pool = queue_in_vain(20.0);
    // The second one is judged at 280 s; 19 is 5 % less than 20.
    pool.counts_for(minutes(4));
    pool.set("queue", 19.0);
    assert_eq!(pool.counts_for(minutes(20)).last(), Some(&18), "three more after the second");
}

#[test]
fn a_target_within_its_tolerance_forgets_what_was_in_vain() {
    for (length, forgets) in [(12.5, true), (12.6, false)] {
        let mut pool = queue_in_vain(13.0);
        pool.counts_for(minutes(20));
        pool.set("queue", length);
        pool.decides_after(seconds(5));
        assert_eq!(pool.look.history.effects.is_empty(), forgets, "{length}");
    }
}

#[test]
fn nodes_of_an_empty_pool_are_not_judged_by_what_nobody_carried() {
    let mut pool = queue_in_vain(20.0);
    pool.policy.bounds.min = NodeCount(0);
    pool.look.history.desired = Some(NodeCount(0));
    pool.look.fleet.serving = NodeCount(0);
    assert_eq!(to(&pool.decides()), 2);
    assert_eq!(pool.look.history.effects, []);
}

#[test]
fn what_cannot_be_read_neither_judges_nor_forgives() {
    let mut pool = in_vain();
    pool.counts_for(minutes(20));
    let remembered = pool.look.history.effects.clone();
    pool.lose("p95");
    pool.counts_for(seconds(60));
    assert_eq!(pool.look.history.effects, remembered);
}

#[test]
fn what_is_added_while_capacity_is_awaited_is_part_of_the_same_try() {
    let mut pool = in_vain();
    pool.policy.scale_out.pace = vec![];
    pool.nodes = Nodes::StayPut;
    assert_eq!(steps(&pool.counts_for(seconds(35))), [8, 10]);
    pool.look.fleet.serving = NodeCount(9);
    assert_eq!(to(&pool.decides_after(seconds(5))), 12, "a quarter more than nine");
    let [effect] = pool.look.history.effects.as_slice() else { panic!("one try") };
    let awaited = (effect_at_first(), NodeCount(12), None);
    assert_eq!((effect.at, effect.to, effect.served_at), awaited);
}

#[test]
fn a_scale_out_that_was_undone_before_it_was_judged_is_no_try() {
    let mut pool = in_vain();
    assert_eq!(steps(&pool.counts_for(minutes(1))), [8, 10]);
    pool.policy.bounds.max = NodeCount(8);
    assert_eq!(steps(&pool.counts_for(minutes(3))), [8]);
    assert_eq!(pool.look.history.effects, []);
}

#[test]
fn capacity_that_never_serves_is_no_evidence() {
    let mut pool = in_vain();
    pool.nodes = Nodes::StayPut;
    pool.counts_for(minutes(19));
    let [effect] = pool.look.history.effects.as_slice() else { panic!("one try, still waiting") };
    assert_eq!((effect.served_at, effect.in_vain_at), (None, None));
    pool.counts_for(minutes(2));
    let since = pool.look.history.effects.first().map(|effect| effect.at);
    assert_ne!(since, Some(effect_at_first()), "the first try was given up");
}

fn effect_at_first() -> crate::domain::Timestamp {
    crate::domain::after(noon(), seconds(35))
}

#[test]
fn a_blind_pool_goes_to_its_default_though_its_rules_were_in_vain() {
    let mut pool = in_vain();
    pool.policy.bounds.default = NodeCount(20);
    pool.counts_for(minutes(20));
    pool.lose("p95");
    pool.lose("requests");
    assert_eq!(pool.counts_for(minutes(30)).last(), Some(&20));
}

#[test]
fn a_stored_history_without_effects_is_one_that_knows_none() {
    let pool = in_vain();
    let mut stored = serde_json::to_value(&pool.look).expect("it serialises");
    let look = stored.as_object_mut().expect("a mapping");
    look.remove("overrides");
    look.remove("costs");
    look["history"].as_object_mut().expect("a mapping").remove("effects");
    let read = serde_json::from_value(stored).expect("it reads back");
    assert_eq!(pool.look, read);
    let policy = Policy { effectiveness: None, ..pool.policy };
    assert_eq!(decide(&policy, &read).to, decide(&policy, &pool.look).to);
}
