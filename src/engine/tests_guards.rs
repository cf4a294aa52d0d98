//! What each guard does from stabilization on.

use super::fixture::*;
use super::{Direction, Reason};
use crate::domain::{NodeCount, after};
use crate::policy::{Control, Tolerance};

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
fn what_waits_for_a_window_says_until_when_either_way() {
    for (load, way, window) in [(4_000.0, Direction::Out, 30), (400.0, Direction::In, 600)] {
        let mut policy = policy();
        policy.scale_out.stabilize = seconds(30);
        policy.scale_in.stabilize = minutes(10);
        let mut pool = Pool::watched(policy, 6, 2_400.0);
        let last = pool.look.at;
        pool.set("requests", load);
        for _ in 0..3 {
            let decision = pool.decides_after(seconds(5));
            let Reason::Stabilized { direction, until, .. } = &decision.reasons[0] else {
                panic!("{:?}", decision.reasons)
            };
            assert_eq!((*direction, *until), (way, after(last, seconds(window))));
        }
    }
}

#[test]
fn a_load_within_tolerance_names_the_tolerance_of_its_direction() {
    for (load, tolerated) in [(4_100.0, 5.0), (3_600.0, 15.0)] {
        let mut pool = Pool::settled(policy(), 10).reads("requests", load);
        pool.policy.tolerance = Tolerance { out: percent(5.0), scale_in: percent(15.0) };
        let decision = pool.would_decide();
        let Reason::WithinTolerance { tolerance_percent, .. } = &decision.reasons[0] else {
            panic!("{:?}", decision.reasons)
        };
        assert_eq!((to(&decision), *tolerance_percent), (10, tolerated));
    }
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
fn two_minutes_without_a_look_are_no_outage_and_more_are_one() {
    for (pause, count) in [(120, 2), (121, 6)] {
        let mut policy = policy();
        policy.scale_in.stabilize = seconds(90);
        let mut pool = Pool::watched(policy, 6, 2_400.0);
        pool.set("requests", 800.0);
        assert_eq!(to(&pool.decides_after(seconds(pause))), count, "{pause} s");
    }
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
fn a_pace_that_is_used_up_turns_no_direction_around() {
    // The period began with 4 nodes and 6 came; a pace of 2 would have allowed 6, not 10.
    let mut pool = Pool::settled(policy(), 4).reads("requests", 4_000.0);
    pool.policy.scale_out.pace = vec![nodes_per(6, minutes(5))];
    pool.decides();
    pool.policy.scale_out.pace = vec![nodes_per(2, minutes(5))];
    pool.set("requests", 8_000.0);
    assert_eq!(to(&pool.decides_after(seconds(5))), 10);

    let mut pool = Pool::settled(policy(), 10).reads("requests", 2_000.0);
    pool.policy.scale_in.pace = vec![nodes_per(6, minutes(5))];
    pool.decides();
    pool.policy.scale_in.pace = vec![nodes_per(2, minutes(5))];
    pool.set("requests", 800.0);
    assert_eq!(to(&pool.decides_after(seconds(5))), 5);
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
fn surplus_nodes_that_are_taken_back_need_not_be_awaited() {
    let mut policy = policy();
    policy.scale_out.cooldown = minutes(1);
    let mut pool = Pool::settled(policy, 4).reads("requests", 4_000.0);
    pool.look.fleet.serving = NodeCount(10);
    let history = pool.decides().history;
    assert_eq!(history.awaiting_capacity_since, None);
    assert_eq!(history.scale_out_cooldown_until, Some(after(noon(), minutes(1))));
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

#[test]
fn a_change_that_a_wrong_clock_dated_uses_up_the_pace_for_one_period_only() {
    let mut policy = policy();
    policy.scale_out.pace = vec![nodes_per(2, minutes(1))];
    let mut pool = Pool::settled(policy, 4).reads("requests", 16_000.0);
    pool.look.at = after(noon(), minutes(60 * 24));
    assert_eq!(to(&pool.decides()), 6);
    pool.look.at = noon();
    assert_eq!(to(&pool.decides()), 6);
    assert_eq!(to(&pool.decides_after(minutes(1))), 8);
}

#[test]
fn a_latency_that_a_wrong_clock_dated_is_forgotten_like_any_other() {
    let mut pool = pool_with_latency(412.0);
    pool.look.at = after(noon(), minutes(60 * 24));
    pool.decides();
    pool.look.at = noon();
    pool.lose("p95");
    pool.counts_for(minutes(3));
    pool.set("p95", 0.412);
    assert_eq!(to(&pool.decides_after(seconds(5))), 8, "unseen for three minutes");
}

#[test]
fn what_a_wrong_clock_began_lasts_no_longer_than_its_own_time() {
    let tomorrow = after(noon(), minutes(60 * 24));

    let mut late = pool_with_latency(412.0);
    late.look.at = tomorrow;
    late.decides();
    late.look.at = noon();
    let counts = late.counts_for(seconds(35));
    assert_eq!(counts, [8, 8, 8, 8, 8, 8, 10], "30 s from the first look that had the right time");

    let mut blind = Pool::settled(policy(), 3).misses("requests");
    blind.look.at = tomorrow;
    blind.decides();
    blind.look.at = noon();
    assert_eq!(blind.counts_for(seconds(305)).last(), Some(&6), "the hold of five minutes");

    let mut waiting = Pool::settled(policy(), 4).reads("requests", 4_000.0);
    waiting.nodes = Nodes::StayPut;
    waiting.look.at = tomorrow;
    waiting.decides();
    waiting.look.at = noon();
    waiting.set("requests", 400.0);
    assert_eq!(waiting.counts_for(seconds(1_205)).last(), Some(&2), "the wait for capacity");
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
fn an_operators_command_holds_a_pool_whatever_its_policy_says() {
    let mut pool = Pool::settled(policy(), 5).reads("requests", 16_000.0);
    pool.look.is_held = true;
    assert_eq!(to(&pool.would_decide()), 5);
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
fn a_pool_outside_of_its_bounds_comes_back_first_and_its_rules_speak_then() {
    for (from, load, first, then, because) in [
        (60, 4_000.0, 40, 10, "above"),
        (60, 20_000.0, 40, 40, "above, and more is wanted"),
        (1, 4_000.0, 2, 10, "below"),
        (1, 0.0, 2, 2, "below, and less is wanted"),
    ] {
        let mut pool = Pool::settled(cautious_policy(), from).reads("requests", load);
        pool.policy.rules = vec![target("requests", 400.0)];
        pool.policy.scale_in.stabilize = seconds(0);
        pool.policy.scale_in.cooldown = seconds(0);
        pool.policy.scale_in.pace = vec![];
        assert_eq!(to(&pool.decides()), first, "{because}");
        assert_eq!(to(&pool.decides_after(seconds(5))), then, "{because}");
    }
}

#[test]
fn a_pool_that_comes_back_within_its_bounds_says_what_its_rules_wanted() {
    let decision = Pool::settled(policy(), 60).reads("requests", 4_000.0).would_decide();
    assert_eq!((to(&decision), why(&decision)[0]), (40, "back_within_bounds"));
}

#[test]
fn a_maximum_that_was_lowered_takes_nodes_at_once() {
    let mut pool = Pool::settled(cautious_policy(), 60).misses("requests");
    let decision = pool.decides();
    assert_eq!((to(&decision), why(&decision)[0]), (40, "cut_to_max"));
    assert_eq!(decision.direction(), Direction::In);
}
