//! What deciding does, rule by rule and guard by guard.

use super::fixture::*;
use super::{Decision, Direction, History, Opinion, Reason};
use crate::domain::{Duration, FleetCounts, NodeCount, after};
use crate::policy::{Control, Tolerance};

fn to(decision: &Decision) -> u32 {
    decision.to.0
}

/// The names of a decision's reasons, the binding one first.
fn why(decision: &Decision) -> Vec<&'static str> {
    decision.reasons.iter().map(Reason::name).collect()
}

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
    pool.set_partial("requests", 4_000.0);
    assert_eq!(to(&pool.would_decide()), 10);
}

// Latency.

/// Eight nodes that the load fits, with a latency rule beside it.
fn pool_with_latency(milliseconds: f64) -> Pool {
    let mut policy = policy();
    policy.rules.push(latency("p95"));
    Pool::settled(policy, 8).reads("requests", 3_200.0).reads("p95", milliseconds / 1_000.0)
}

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
    pool.look.fleet.serving = NodeCount(2);
    pool.nodes = Nodes::StayPut;
    assert_eq!(pool.counts_for(minutes(1)).last(), Some(&8));
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
fn without_any_opinion_the_count_stays() {
    let mut policy = policy();
    policy.rules = vec![latency("p95")];
    let decision = Pool::settled(policy, 7).reads("p95", 0.1).decides();
    assert_eq!((to(&decision), why(&decision)), (7, vec!["no_opinion"]));
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

// Stabilization.

#[test]
fn a_fall_waits_until_it_was_recommended_for_a_whole_window() {
    let mut policy = policy();
    policy.scale_in.stabilize = minutes(10);
    let mut pool = Pool::watched(policy, 6, 2_400.0);
    pool.set("requests", 1_600.0);
    let counts = pool.counts_for(minutes(10));
    assert_eq!(counts[..119], [6; 119], "6 were recommended less than ten minutes ago");
    assert_eq!(counts[119], 4, "the last recommendation of 6 is ten minutes old");
}

#[test]
fn a_peak_within_the_window_sets_how_far_a_fall_goes() {
    let mut policy = policy();
    policy.scale_in.stabilize = minutes(10);
    let mut pool = Pool::watched(policy, 6, 2_400.0);
    pool.set("requests", 1_600.0);
    pool.counts_for(minutes(5));
    pool.set("requests", 2_000.0);
    pool.decides_after(seconds(5));
    pool.set("requests", 1_600.0);
    let counts = pool.counts_for(minutes(10));
    assert_eq!(counts.iter().copied().min(), Some(4));
    let steps: Vec<u32> = counts.chunk_by(|a, b| a == b).map(|run| run[0]).collect();
    assert_eq!(steps, [6, 5, 4], "first what the peak needed, then what the rest needs");
}

#[test]
fn a_rise_waits_for_its_own_window() {
    let mut policy = policy();
    policy.scale_out.stabilize = seconds(30);
    let mut pool = Pool::watched(policy, 3, 1_200.0);
    pool.set("requests", 3_600.0);
    assert_eq!(pool.counts_for(seconds(25)), [3; 5]);
    assert_eq!(to(&pool.decides_after(seconds(5))), 9);
}

#[test]
fn the_first_looks_of_a_pool_neither_shrink_nor_grow_it_early() {
    let mut policy = policy();
    policy.scale_in.stabilize = minutes(10);
    policy.scale_out.stabilize = seconds(30);
    let mut shrinking = Pool::settled(policy.clone(), 6).reads("requests", 400.0);
    assert_eq!(to(&shrinking.decides()), 6);
    assert!(shrinking.counts_for(seconds(595)).iter().all(|count| *count == 6));
    assert_eq!(to(&shrinking.decides_after(seconds(5))), 2);

    let mut growing = Pool::settled(policy, 6).reads("requests", 4_000.0);
    assert_eq!(to(&growing.decides()), 6);
    assert_eq!(growing.counts_for(seconds(25)), [6; 5]);
    assert_eq!(to(&growing.decides_after(seconds(5))), 10);
}

#[test]
fn time_that_nobody_looked_at_lets_no_node_leave() {
    let mut policy = policy();
    policy.scale_in.stabilize = minutes(10);
    let mut pool = Pool::watched(policy, 6, 2_400.0);
    pool.set("requests", 800.0);
    assert_eq!(to(&pool.decides_after(minutes(60))), 6, "an hour went unseen");
    assert!(pool.counts_for(seconds(595)).iter().all(|count| *count == 6));
    assert_eq!(to(&pool.decides_after(seconds(5))), 2, "now a whole window was seen");
}

#[test]
fn slow_looks_are_no_outage() {
    let mut policy = policy();
    policy.scale_in.stabilize = minutes(10);
    let mut pool = Pool::settled(policy, 6).reads("requests", 2_400.0);
    for _ in 0..30 {
        pool.decides_after(minutes(1));
    }
    pool.set("requests", 800.0);
    let counts: Vec<u32> = (0..10).map(|_| to(&pool.decides_after(minutes(1)))).collect();
    assert_eq!(counts, [6, 6, 6, 6, 6, 6, 6, 6, 6, 2]);
}

#[test]
fn what_is_remembered_of_a_window_stays_small() {
    let mut policy = policy();
    policy.scale_in.stabilize = minutes(10);
    policy.scale_in.pace = vec![nodes_per(1, seconds(1))];
    let mut pool = Pool::settled(policy, 6);
    for look in 0..2_000 {
        pool.set("requests", if look % 2 == 0 { 2_400.0 } else { 800.0 });
        pool.decides_after(seconds(5));
    }
    assert!(pool.look.history.recommendations.len() <= 121);
    for _ in 0..200 {
        pool.decides_after(seconds(5));
    }
    assert_eq!(pool.look.history.recommendations.len(), 1, "equal neighbours are one span");
    assert!(pool.look.history.scale_events.len() <= 1);
}

// Pace.

#[test]
fn the_most_generous_pace_counts() {
    let mut policy = policy();
    policy.scale_out.pace = vec![nodes_per(4, minutes(1)), percent_per(100.0, minutes(1))];
    for (from, count, because) in [
        (3, 7, "four nodes are more than 100 % of 3"),
        (10, 20, "100 % of 10 are more than four nodes"),
    ] {
        let decision = Pool::settled(policy.clone(), from).reads("requests", 16_000.0).decides();
        assert_eq!(to(&decision), count, "{because}");
        assert_eq!(why(&decision)[0], "limited_by_pace");
    }
}

#[test]
fn a_pace_counts_from_the_beginning_of_its_period() {
    let mut policy = policy();
    policy.scale_out.pace = vec![nodes_per(4, minutes(1))];
    let mut pool = Pool::settled(policy, 4).reads("requests", 16_000.0);
    assert_eq!(to(&pool.decides()), 8);
    assert_eq!(pool.counts_for(seconds(55)), [8; 11], "the four of this minute are used up");
    assert_eq!(to(&pool.decides_after(seconds(5))), 12, "the last change is a minute old");
}

#[test]
fn what_was_added_in_a_period_may_be_taken_again_beyond_the_pace() {
    // HPA: the period began with 4 nodes, so 2 fewer than those is what the pace allows.
    let mut policy = policy();
    policy.scale_in.pace = vec![nodes_per(2, minutes(5))];
    let mut pool = Pool::settled(policy, 4).reads("requests", 4_000.0);
    assert_eq!(to(&pool.decides()), 10);
    pool.set("requests", 0.0);
    assert_eq!(to(&pool.decides_after(seconds(5))), 2);
}

#[test]
fn shares_round_in_favour_of_moving() {
    let mut policy = policy();
    policy.bounds.min = NodeCount(0);
    policy.scale_out.pace = vec![percent_per(10.0, minutes(1))];
    policy.scale_in.pace = vec![percent_per(10.0, minutes(1))];
    let grown = Pool::settled(policy.clone(), 3).reads("requests", 16_000.0).decides();
    assert_eq!(to(&grown), 4, "10 % of 3 is a part of a node: one may come");
    let shrunk = Pool::settled(policy, 3).reads("requests", 0.0).decides();
    assert_eq!(to(&shrunk), 2, "90 % of 3 is 2.7: 2 may remain");
}

#[test]
fn without_a_pace_the_count_moves_at_once() {
    assert_eq!(to(&Pool::settled(policy(), 2).reads("requests", 16_000.0).decides()), 40);
    assert_eq!(to(&Pool::settled(policy(), 40).reads("requests", 0.0).decides()), 2);
}

// Cooldown.

#[test]
fn no_node_leaves_while_a_scale_out_awaits_its_capacity() {
    let mut pool = Pool::settled(policy(), 4).reads("requests", 4_000.0);
    pool.nodes = Nodes::StayPut;
    assert_eq!(to(&pool.decides()), 10);
    pool.set("requests", 400.0);
    let decision = pool.decides_after(seconds(5));
    assert_eq!((to(&decision), why(&decision)[0]), (10, "awaiting_capacity"));
    pool.look.fleet.serving = NodeCount(10);
    assert_eq!(to(&pool.decides_after(seconds(5))), 2, "the capacity serves");
}

#[test]
fn waiting_for_capacity_that_never_comes_ends() {
    let mut pool = Pool::settled(policy(), 4).reads("requests", 4_000.0);
    pool.nodes = Nodes::StayPut;
    pool.decides();
    pool.set("requests", 400.0);
    let counts = pool.counts_for(minutes(20));
    assert_eq!(counts[..239], [10; 239]);
    assert_eq!(counts[239], 2, "twenty minutes are enough");
}

#[test]
fn a_scale_out_cools_down_from_when_its_capacity_serves() {
    let mut policy = policy();
    policy.scale_out.cooldown = minutes(3);
    let mut pool = Pool::settled(policy, 4).reads("requests", 4_000.0);
    pool.nodes = Nodes::StayPut;
    assert_eq!(to(&pool.decides()), 10);
    pool.set("requests", 8_000.0);
    let decision = pool.decides_after(minutes(2));
    assert_eq!((to(&decision), why(&decision)[0]), (10, "awaiting_capacity"));
    pool.look.fleet.serving = NodeCount(10);
    let counts = pool.counts_for(minutes(3));
    assert_eq!(counts, [10; 36], "it served at the first of these looks");
    assert_eq!(to(&pool.decides_after(seconds(5))), 20);
}

#[test]
fn without_a_cooldown_a_growing_surge_adds_further_nodes_before_the_first_serve() {
    let mut pool = Pool::settled(policy(), 4).reads("requests", 4_000.0);
    pool.nodes = Nodes::StayPut;
    pool.decides();
    pool.set("requests", 8_000.0);
    assert_eq!(to(&pool.decides_after(seconds(5))), 20);
}

#[test]
fn scale_in_cools_down_after_any_change() {
    let mut policy = policy();
    policy.scale_in.cooldown = minutes(5);
    let mut pool = Pool::settled(policy, 10).reads("requests", 2_000.0);
    assert_eq!(to(&pool.decides()), 5);
    pool.set("requests", 400.0);
    let counts = pool.counts_for(minutes(5));
    assert_eq!(counts[..59], [5; 59]);
    assert_eq!(counts[59], 2);

    pool.set("requests", 4_000.0);
    assert_eq!(to(&pool.decides_after(seconds(5))), 10, "no scale-in delays a scale-out");
    pool.set("requests", 400.0);
    let counts = pool.counts_for(minutes(6));
    assert_eq!(counts.iter().position(|count| *count == 2), Some(60), "from when it serves");
}

#[test]
fn a_shorter_cooldown_counts_at_once() {
    let mut policy = policy();
    policy.scale_in.cooldown = minutes(60);
    let mut pool = Pool::settled(policy, 10).reads("requests", 2_000.0);
    pool.decides();
    pool.set("requests", 400.0);
    pool.policy.scale_in.cooldown = minutes(1);
    assert_eq!(to(&pool.decides_after(seconds(5))), 5);
    assert_eq!(to(&pool.decides_after(minutes(1))), 2);
}

#[test]
fn a_clock_that_was_wrong_for_a_moment_holds_nothing_for_long() {
    let mut policy = cautious_policy();
    policy.rules = vec![target("requests", 400.0)];
    let mut pool = Pool::watched(policy, 6, 2_400.0);
    let right = pool.look.at;
    pool.look.at = after(right, minutes(60 * 24 * 365));
    pool.decides();
    pool.look.at = after(right, seconds(5));
    pool.set("requests", 400.0);
    assert!(pool.counts_for(minutes(11)).contains(&4), "a window and a cooldown later");
}

// Overrides and bounds.

#[test]
fn a_held_pool_keeps_its_count_within_bounds() {
    let mut policy = policy();
    policy.control = Control::Hold;
    for (held, load, count, because) in [
        (5, 16_000.0, 5, "no scale-out"),
        (5, 0.0, 5, "no scale-in"),
        (1, 0.0, 2, "but the minimum"),
        (90, 0.0, 40, "and the maximum"),
    ] {
        let decision = Pool::settled(policy.clone(), held).reads("requests", load).decides();
        assert_eq!(to(&decision), count, "{because}");
    }
}

#[test]
fn a_dry_run_decides_as_if_it_were_carried_out() {
    let mut pool = Pool::settled(policy(), 5).reads("requests", 4_000.0);
    let live = pool.would_decide();
    pool.policy.control = Control::DryRun;
    assert_eq!(pool.would_decide(), live);
}

#[test]
fn bounds_hold_even_when_blind_and_cooling_down() {
    let mut pool = Pool::settled(policy(), 1).misses("requests");
    pool.policy.scale_out.cooldown = minutes(60);
    pool.look.history.scale_out_cooldown_until = Some(after(noon(), minutes(60)));
    let decision = pool.decides();
    assert_eq!((to(&decision), why(&decision)[0]), (2, "raised_to_min"));
}

#[test]
fn a_maximum_that_was_lowered_takes_nodes_at_once() {
    let mut pool = Pool::settled(cautious_policy(), 60).misses("requests");
    let decision = pool.decides();
    assert_eq!((to(&decision), why(&decision)[0]), (40, "cut_to_max"));
    assert_eq!(decision.direction(), Direction::In);
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
    assert_eq!(decision.stages.len(), 7);
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
