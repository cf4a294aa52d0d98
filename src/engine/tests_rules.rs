//! What each rule wants, what they come to together, and what a decision tells.

use super::fixture::*;
use super::{History, Opinion};
use crate::domain::{Duration, FleetCounts, NodeCount, after};
use crate::policy::Tolerance;

// The count to start from.

#[test]
fn the_first_decision_starts_from_the_nodes_that_are_there() {
    for (committed, from, because) in [
        (0, 2, "an empty pool starts from its minimum"),
        (5, 5, "what serves or is on its way"),
        (90, 40, "no more than the maximum"),
    ] {
        let mut pool = Pool::settled(policy(), 0).reads("requests", 1.0);
        pool.look.history = History::default();
        pool.look.fleet = FleetCounts {
            serving: NodeCount(committed / 2),
            on_the_way: NodeCount(committed - committed / 2),
            ..FleetCounts::default()
        };
        assert_eq!(pool.would_decide().from, NodeCount(from), "{because}");
    }
}

#[test]
fn later_decisions_start_from_what_was_decided_not_from_what_serves() {
    let mut pool = Pool::settled(policy(), 8).reads("requests", 3_200.0);
    pool.look.fleet.serving = NodeCount(3);
    let decision = pool.decides();
    assert_eq!((decision.from.0, to(&decision)), (8, 8));
}

// Target.

#[test]
fn load_rounds_up_to_whole_nodes() {
    for (load, count, because) in [
        (0.0, 2, "an idle pool keeps its minimum"),
        (1_200.0, 3, "an exact multiple needs no further node"),
        (1_200.000_000_000_000_2, 3, "nor does one with the noise of a sum"),
        (1_200.1, 4, "a fraction of a node is a node"),
        (1e300, 40, "no load goes over the maximum"),
    ] {
        let decision = Pool::settled(policy(), 3).reads("requests", load).decides();
        assert_eq!(to(&decision), count, "{because}");
    }
}

#[test]
fn headroom_is_room_on_top_of_the_load() {
    let mut policy = policy();
    let mut rule = target_rule("requests", 400.0);
    rule.headroom = percent(15.0);
    policy.rules = vec![crate::policy::Rule::Target(rule)];
    let decision = Pool::settled(policy, 5).reads("requests", 1_800.0).decides();
    assert_eq!(to(&decision), 6, "1,800 req/s and 15 % are 2,070 req/s, 5.175 nodes");
}

#[test]
fn a_rule_that_only_raises_makes_no_node_leave_and_keeps_those_it_needs() {
    let mut policy = policy();
    policy.rules.push(raise_only("surge", 400.0));
    let mut pool = Pool::settled(policy, 8).reads("requests", 1_600.0).reads("surge", 400.0);
    assert_eq!(to(&pool.would_decide()), 4, "it lets others lower the count");
    pool.set("surge", 2_000.0);
    assert_eq!(to(&pool.would_decide()), 5, "but not below what it would call back at once");
    pool.set("surge", 4_000.0);
    assert_eq!(to(&pool.would_decide()), 10, "and raises it by itself");
    pool.policy.rules.remove(0);
    pool.set("surge", 400.0);
    assert_eq!(to(&pool.would_decide()), 8, "alone, it makes no node leave");
}

#[test]
fn a_partial_reading_may_raise_the_count_but_not_lower_it() {
    let mut pool = Pool::settled(policy(), 5);
    pool.set_partial("requests", 400.0);
    let decision = pool.would_decide();
    assert_eq!(to(&decision), 5);
    assert!(why(&decision).contains(&"signal_partial"), "{:?}", decision.reasons);
    pool.set_partial("requests", 2_000.0);
    assert_eq!(why(&pool.would_decide()), ["no_opinion", "signal_partial"], "nor confirm it");
    pool.set_partial("requests", 4_000.0);
    assert_eq!(to(&pool.would_decide()), 10);
}

// Latency.

#[test]
fn a_latency_over_its_objective_adds_nodes_only_once_it_lasts() {
    let mut pool = pool_with_latency(412.0);
    pool.nodes = Nodes::StayPut;
    for second in [0, 10, 20, 29] {
        pool.look.at = after(noon(), seconds(second));
        let decision = pool.decides();
        assert_eq!(to(&decision), 8, "after {second} s");
    }
    pool.look.at = after(noon(), seconds(30));
    let decision = pool.decides();
    assert_eq!(to(&decision), 10, "a quarter more than the 8 that serve");
    assert_eq!(why(&decision), ["latency_too_long"]);
}

#[test]
fn a_latency_asks_for_no_further_nodes_while_some_are_on_their_way() {
    let mut pool = pool_with_latency(412.0);
    pool.nodes = Nodes::StayPut;
    let counts = pool.counts_for(minutes(10));
    assert_eq!(counts.iter().max(), Some(&10), "8 serve all the time");
    pool.look.fleet.serving = NodeCount(10);
    assert_eq!(to(&pool.decides_after(seconds(5))), 13, "now they serve, and it was not enough");
}

#[test]
fn a_small_share_still_adds_one_node() {
    let mut pool = pool_with_latency(412.0);
    pool.policy.rules = vec![latency("p95")];
    pool.look.history.desired = Some(NodeCount(2));
    pool.look.fleet.serving = NodeCount(2);
    pool.nodes = Nodes::StayPut;
    assert_eq!(pool.counts_for(minutes(1)).last(), Some(&3));
}

#[test]
fn a_latency_starts_over_when_it_was_at_its_objective_in_between() {
    let mut pool = pool_with_latency(412.0);
    pool.counts_for(seconds(25));
    pool.set("p95", 0.3);
    pool.decides_after(seconds(5));
    pool.set("p95", 0.412);
    assert_eq!(pool.counts_for(seconds(30)), [8; 6]);
    assert_eq!(to(&pool.decides_after(seconds(5))), 10);
}

#[test]
fn a_latency_that_is_lost_for_a_moment_goes_on_where_it_was() {
    let mut pool = pool_with_latency(412.0);
    pool.counts_for(seconds(20));
    pool.lose("p95");
    pool.counts_for(seconds(10));
    pool.set("p95", 0.412);
    assert_eq!(to(&pool.decides_after(seconds(5))), 10);
}

#[test]
fn a_latency_that_nobody_saw_for_long_starts_over() {
    for (because, signal_is_lost) in [("the signal was lost", true), ("nobody looked", false)] {
        let mut pool = pool_with_latency(412.0);
        pool.counts_for(seconds(20));
        if signal_is_lost {
            pool.lose("p95");
            pool.counts_for(minutes(3));
            pool.set("p95", 0.412);
        }
        assert_eq!(to(&pool.decides_after(minutes(3))), 8, "{because}");
    }
}

#[test]
fn a_latency_between_clear_and_objective_lets_no_node_leave() {
    for (milliseconds, count, because) in [
        (199.0, 4, "clear: the load decides"),
        (200.0, 8, "not below the clear mark"),
        (300.0, 8, "at the objective is not over it"),
        (301.0, 8, "over it, but not yet for long enough"),
    ] {
        let decision = pool_with_latency(milliseconds).reads("requests", 1_600.0).decides();
        assert_eq!(to(&decision), count, "{milliseconds} ms: {because}");
    }
}

#[test]
fn a_latency_never_wants_fewer_nodes_than_are_decided() {
    let mut pool = pool_with_latency(412.0);
    pool.policy.rules = vec![latency("p95")];
    pool.look.fleet.serving = NodeCount(2);
    pool.nodes = Nodes::StayPut;
    assert_eq!(pool.counts_for(minutes(1)), [8; 12]);
}

#[test]
fn two_rules_on_one_latency_each_keep_their_own_time() {
    let mut pool = pool_with_latency(412.0);
    pool.policy.rules.push(latency_for("p95", minutes(10)));
    pool.counts_for(seconds(25));
    let decision = pool.would_decide();
    let keys: Vec<_> = decision.recommendations.iter().map(|r| &*r.rule).collect();
    assert_eq!(keys, ["target:requests", "latency:p95", "latency:p95#2"]);
    assert_eq!(decision.history.conditions.len(), 2);
}

#[test]
fn a_latency_counts_surplus_nodes_that_still_serve() {
    let mut pool = pool_with_latency(412.0);
    pool.look.history.desired = Some(NodeCount(4));
    pool.set("requests", 1_600.0);
    pool.nodes = Nodes::StayPut;
    assert_eq!(pool.counts_for(minutes(1)).last(), Some(&10), "8 were not enough");
}

// Combine and freshness.

#[test]
fn the_highest_rule_wins_and_scale_in_needs_all() {
    let mut policy = policy();
    policy.rules.push(target("queue", 10.0));
    for (requests, queue, count, because) in [
        (4_000.0, 30.0, 10, "one rule alone scales out"),
        (1_200.0, 80.0, 8, "one rule alone keeps"),
        (1_200.0, 50.0, 5, "both agree to fewer: the higher of the two"),
    ] {
        let pool = Pool::settled(policy.clone(), 8).reads("requests", requests);
        assert_eq!(to(&pool.reads("queue", queue).decides()), count, "{because}");
    }
}

#[test]
fn a_broken_signal_forbids_scale_in_and_cancels_no_scale_out() {
    let mut with_all = policy();
    with_all.rules = vec![target("requests", 400.0), raise_only("surge", 400.0), latency("p95")];
    for (lost, kept) in [("surge", "p95"), ("p95", "surge")] {
        let mut pool = Pool::settled(with_all.clone(), 8).reads(kept, 0.1).misses(lost);
        pool.set("requests", 400.0);
        let decision = pool.would_decide();
        assert_eq!(to(&decision), 8, "{lost} is lost");
        assert_eq!(why(&decision)[0], "broken_signal_holds");
        pool.set("requests", 4_000.0);
        assert_eq!(to(&pool.would_decide()), 10, "{lost} is lost");
    }
}

#[test]
fn a_number_that_is_none_counts_as_missing_and_not_as_no_load() {
    for value in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY, -1.0] {
        let decision = Pool::settled(policy(), 8).reads("requests", value).decides();
        assert_eq!(to(&decision), 8, "{value}");
        assert_eq!(why(&decision), ["blind_held", "signal_missing"]);
    }
}

#[test]
fn a_signal_that_nobody_read_counts_as_missing() {
    assert_eq!(to(&Pool::settled(policy(), 8).decides()), 8);
}

#[test]
fn a_blind_pool_is_held_and_then_goes_to_its_default() {
    let mut pool = Pool::settled(policy(), 3).misses("requests");
    let counts = pool.counts_for(minutes(5));
    assert_eq!(counts, [3; 60]);
    let decision = pool.decides_after(seconds(5));
    assert_eq!(to(&decision), 6, "five minutes after the first look that was blind");
    assert_eq!(why(&decision), ["blind_floor", "signal_missing"]);
    assert_eq!(pool.counts_for(minutes(5)), [6; 60]);
}

#[test]
fn a_blind_pool_above_its_default_stays() {
    let mut pool = Pool::settled(policy(), 9).misses("requests");
    assert!(pool.counts_for(minutes(10)).iter().all(|count| *count == 9));
    assert_eq!(why(&pool.would_decide()), ["blind_floor", "signal_missing"]);
}

#[test]
fn one_reading_ends_blindness() {
    let mut pool = Pool::settled(policy(), 3).misses("requests");
    pool.counts_for(minutes(4));
    pool.set("requests", 1_200.0);
    pool.decides_after(seconds(5));
    pool.lose("requests");
    assert_eq!(pool.counts_for(minutes(5)), [3; 60]);
}

#[test]
fn neither_stabilization_nor_cooldown_keeps_a_blind_pool_from_its_default() {
    let mut policy = policy();
    policy.scale_out.stabilize = minutes(30);
    policy.scale_out.cooldown = minutes(30);
    let mut pool = Pool::settled(policy, 3).reads("requests", 1_200.0);
    pool.decides();
    pool.look.history.scale_out_cooldown_until = Some(after(noon(), minutes(30)));
    pool.lose("requests");
    assert_eq!(pool.counts_for(minutes(6)).last(), Some(&6));
}

#[test]
fn a_blind_pool_goes_to_its_default_no_faster_than_its_pace() {
    let mut policy = policy();
    policy.scale_out.pace = vec![nodes_per(1, minutes(1))];
    let mut pool = Pool::settled(policy, 3).misses("requests");
    let counts = pool.counts_for(minutes(9));
    let steps: Vec<u32> = counts.chunk_by(|a, b| a == b).map(|run| run[0]).collect();
    assert_eq!(steps, [3, 4, 5, 6]);
}

#[test]
fn without_any_opinion_the_count_stays() {
    let mut policy = policy();
    policy.rules = vec![latency("p95")];
    let decision = Pool::settled(policy, 7).reads("p95", 0.1).decides();
    assert_eq!((to(&decision), why(&decision)), (7, vec!["no_opinion", "latency_clear"]));
}

// Tolerance.

#[test]
fn tolerance_includes_both_its_ends() {
    let mut policy = policy();
    policy.tolerance = Tolerance { out: percent(5.0), scale_in: percent(15.0) };
    for (load, count, because) in [
        (4_199.0, 10, "below the upper end"),
        (4_200.0, 10, "at the upper end"),
        (4_201.0, 11, "above the upper end"),
        (3_400.0, 10, "at the lower end"),
        (3_399.0, 9, "below the lower end"),
    ] {
        let decision = Pool::settled(policy.clone(), 10).reads("requests", load).decides();
        assert_eq!(to(&decision), count, "{load}: {because}");
    }
}

#[test]
fn a_rule_that_wants_the_present_count_breaks_no_tolerance_of_another() {
    let mut policy = policy();
    policy.tolerance = Tolerance { out: percent(5.0), scale_in: percent(15.0) };
    policy.rules.push(latency("p95"));
    let decision = Pool::settled(policy, 10).reads("requests", 4_100.0).reads("p95", 0.25);
    let decision = decision.would_decide();
    assert_eq!((to(&decision), why(&decision)[0]), (10, "within_tolerance"));
}

#[test]
fn each_rule_is_tolerated_by_itself() {
    let mut policy = policy();
    policy.tolerance = Tolerance { out: percent(5.0), scale_in: percent(15.0) };
    policy.rules.push(latency("p95"));
    let mut pool = Pool::settled(policy, 39).reads("requests", 15_600.0).reads("p95", 0.4);
    pool.look.fleet.serving = NodeCount(31);
    pool.nodes = Nodes::StayPut;
    assert_eq!(
        pool.counts_for(minutes(1)).last(),
        Some(&39),
        "a quarter more than 31 is 39, which is decided already"
    );
    pool.look.fleet.serving = NodeCount(32);
    assert_eq!(to(&pool.decides_after(seconds(5))), 40, "a latency knows no tolerance");
}

#[test]
fn a_pool_of_none_tolerates_no_load() {
    let mut policy = policy();
    policy.bounds.min = NodeCount(0);
    policy.tolerance = Tolerance { out: percent(50.0), scale_in: percent(50.0) };
    assert_eq!(to(&Pool::settled(policy, 0).reads("requests", 1.0).decides()), 1);
}

// What a decision tells.

#[test]
fn a_rule_tells_what_it_wants_before_rounding() {
    let decision = Pool::settled(policy(), 3).reads("requests", 1_300.0).decides();
    let Opinion::Wants { count, exact, .. } = decision.recommendations[0].opinion else {
        panic!("it has an opinion");
    };
    assert_eq!((count, exact), (NodeCount(4), 3.25));
    assert_eq!(decision.recommendations[0].rule, "target:requests");
}

#[test]
fn stages_follow_each_other_from_guard_to_guard() {
    let decision = Pool::settled(cautious_policy(), 3).reads("requests", 16_000.0).decides();
    assert_eq!(decision.stages.len(), 10);
    assert!(decision.stages.windows(2).all(|pair| pair[0].after == pair[1].before));
    assert_eq!(decision.stages.last().map(|stage| stage.after), Some(decision.to));
}

#[test]
fn extreme_settings_neither_panic_nor_overflow() {
    for value in [0.0, f64::MIN_POSITIVE, 1e-300, 1e300, f64::MAX] {
        let mut policy = cautious_policy();
        policy.bounds.max = NodeCount(u32::MAX);
        policy.tolerance = Tolerance { out: percent(value), scale_in: percent(value) };
        policy.scale_out.pace = vec![percent_per(value, Duration::MAX)];
        policy.scale_in.pace = vec![nodes_per(u32::MAX, Duration::MAX)];
        policy.scale_in.stabilize = Duration::MAX;
        policy.scale_in.cooldown = Duration::MAX;
        let mut pool = Pool::settled(policy, u32::MAX).reads("requests", value);
        pool.set("p95", value);
        pool.set("surge", value);
        for _ in 0..3 {
            let decision = pool.decides_after(Duration::from_secs(u64::MAX));
            assert!(decision.to >= NodeCount(2));
        }
    }
}
