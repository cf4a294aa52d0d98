//! What the step rule makes of a value.

use proptest::prelude::*;

use super::fixture::*;
use super::{Distance, History, Opinion, Reason, explain};
use crate::domain::{NodeCount, after, before};
use crate::policy::{Band, BandAction, Policy, Rule, Samples, StepRounding, StepRule};

fn policy_with(bands: &[Band]) -> Policy {
    let mut policy = policy();
    policy.bounds.min = NodeCount(0);
    policy.rules = vec![Rule::Step(step_rule("queue", bands))];
    policy
}

fn pool(count: u32, bands: &[Band]) -> Pool {
    Pool::settled(policy_with(bands), count)
}

/// What the rule wants of a settled pool that nobody looked at before.
fn wants(rule: &StepRule, count: u32, value: f64) -> Option<u32> {
    let mut policy = policy();
    policy.rules = vec![Rule::Step(rule.clone())];
    let decision = Pool::settled(policy, count).reads("queue", value).would_decide();
    match decision.recommendations[0].opinion {
        Opinion::Wants { count, .. } => Some(count.0),
        Opinion::None { .. } | Opinion::Blind { .. } | Opinion::AtLeast { .. } => None,
    }
}

/// Lets five seconds pass and brings a new sample.
fn next(pool: &mut Pool, value: f64) -> u32 {
    pool.look.at = after(pool.look.at, seconds(5));
    pool.set("queue", value);
    pool.decides().to.0
}

fn share(value: f64) -> BandAction {
    BandAction::AddPercent(percent(value))
}

fn share_off(value: f64) -> BandAction {
    BandAction::RemovePercent(percent(value))
}

#[test]
fn a_value_outside_of_every_band_names_the_nearest_ones() {
    let bands = [
        band(Some(90.0), None, BandAction::Add(2)),
        band(Some(70.0), Some(90.0), BandAction::Add(1)),
        band(Some(10.0), Some(30.0), BandAction::Remove(1)),
        band(None, Some(10.0), BandAction::Remove(2)),
    ];
    for (value, names) in [(50.0, [2, 1]), (30.0, [2, 1]), (69.9, [2, 1])] {
        let decision = pool(4, &bands).reads("queue", value).would_decide();
        let Reason::OutsideBands { nearest, .. } = decision.recommendations[0].opinion.because()
        else {
            panic!("{:?}", decision.recommendations)
        };
        let wanted = names.map(|place| format!("{}: {}", bands[place], bands[place].action));
        assert_eq!(nearest.as_slice(), wanted, "{value}");
    }
}

#[test]
fn a_settled_pool_steps_as_nomad_does() {
    // Nomad's own cases (threshold/plugin/plugin_test.go, bounds 5 and 20, value 10), and then
    // what its arithmetic makes of shares that come to no whole number.
    let set = |count| BandAction::Set(NodeCount(count));
    for (case, count, action, to) in [
        ("delta scale up", 1, BandAction::Add(1), 2),
        ("delta scale down", 1, BandAction::Remove(1), 0),
        ("percentage scale up", 10, share(30.0), 13),
        ("percentage scale down", 10, share_off(30.0), 7),
        ("value scale up", 1, set(10), 10),
        ("value scale down", 20, set(10), 10),
        ("value scale none", 10, set(10), 10),
        ("ceil(100 × 1.1) is 111 in floating point", 100, share(10.0), 111),
        ("ceil(3 × 1.2) is 4", 3, share(20.0), 4),
        ("ceil(3 × 0.8) is 3: nobody leaves", 3, share_off(20.0), 3),
        ("ceil(10 × 0.75) is 8", 10, share_off(25.0), 8),
        ("no share of nothing", 0, share(50.0), 0),
        ("all of them", 7, share_off(100.0), 0),
        ("no fewer than none", 3, BandAction::Remove(5), 0),
    ] {
        let rule = step_rule("queue", &[band(Some(5.0), Some(20.0), action)]);
        assert_eq!(wants(&rule, count, 10.0), Some(to), "{case}");
    }
}

#[test]
fn a_band_holds_its_smallest_value_and_not_the_one_that_it_ends_below() {
    // Nomad: `value >= lower_bound && value < upper_bound`.
    for (from, below, value, is_inside) in [
        (Some(5.0), Some(20.0), 5.0, true),
        (Some(5.0), Some(20.0), 19.999, true),
        (Some(5.0), Some(20.0), 20.0, false),
        (Some(5.0), Some(20.0), 4.999, false),
        (None, Some(20.0), 0.0, true),
        (None, Some(20.0), 20.0, false),
        (Some(5.0), None, 1e300, true),
    ] {
        let rule = step_rule("queue", &[band(from, below, BandAction::Add(1))]);
        let inside = wants(&rule, 4, value) == Some(5);
        assert_eq!(inside, is_inside, "{value} in {from:?} to {below:?}");
    }
}

#[test]
fn aws_rounds_the_change_instead_of_the_count() {
    // EC2 Auto Scaling, PercentChangeInCapacity: 12.7 is 12, .67 is 1, -.58 is -1, -6.67 is -6.
    for (count, action, aws, nomad) in [
        (127, share(10.0), 127 + 12, 140),
        (67, share(1.0), 67 + 1, 68),
        (58, share_off(1.0), 58 - 1, 58),
        (667, share_off(1.0), 667 - 6, 661),
        (100, share(10.0), 110, 111),
        (10, share(25.0), 12, 13),
        (0, share(25.0), 0, 0),
        (3, share_off(100.0), 0, 0),
        (3, share(100.0 / 3.0), 4, 4),
    ] {
        let mut rule = step_rule("queue", &[band(Some(1.0), None, action)]);
        assert_eq!(wants(&rule, count, 10.0), Some(nomad), "nomad: {action:?} of {count}");
        rule.rounding = StepRounding::Aws;
        assert_eq!(wants(&rule, count, 10.0), Some(aws), "aws: {action:?} of {count}");
    }
}

#[test]
fn so_many_of_the_last_samples_must_be_inside() {
    // Nomad: `withinBoundsCounter >= within_bounds_trigger`.
    let mut pool = pool(4, &[band(Some(100.0), None, BandAction::Add(2))]);
    let Rule::Step(rule) = &mut pool.policy.rules[0] else { panic!("it is a step") };
    rule.samples = Samples { within: 3, of: 5 };
    let seen = [500.0, 500.0, 20.0, 20.0, 20.0, 500.0, 500.0];
    assert_eq!(seen.map(|value| next(&mut pool, value)), [4; 7], "never three of five");
    assert_eq!(next(&mut pool, 500.0), 6, "the third of the last five");
    assert_eq!([500.0; 3].map(|value| next(&mut pool, value)), [6; 3], "they count anew");
    assert_eq!(next(&mut pool, 500.0), 8);
}

#[test]
fn a_sample_that_is_seen_twice_counts_once() {
    let mut pool = pool(4, &[band(Some(100.0), None, BandAction::Add(2))]).reads("queue", 500.0);
    let Rule::Step(rule) = &mut pool.policy.rules[0] else { panic!("it is a step") };
    rule.samples = Samples { within: 2, of: 2 };
    assert_eq!(pool.counts_for(minutes(1)), [4; 12]);
    assert_eq!(next(&mut pool, 500.0), 6);
}

#[test]
fn samples_from_before_a_long_gap_do_not_count() {
    for (gap, count) in [(minutes(2), 6), (minutes(3), 4)] {
        let mut pool = pool(4, &[band(Some(100.0), None, BandAction::Add(2))]);
        let Rule::Step(rule) = &mut pool.policy.rules[0] else { panic!("it is a step") };
        rule.samples = Samples { within: 2, of: 2 };
        next(&mut pool, 500.0);
        pool.look.at = after(pool.look.at, gap - seconds(5));
        assert_eq!(next(&mut pool, 500.0), count, "{gap:?}");
    }
}

#[test]
fn a_band_acts_only_once_it_lasted() {
    let long = Band { for_at_least: seconds(30), ..band(None, Some(300.0), BandAction::Remove(1)) };
    let mut pool = pool(8, &[long]);
    let counts: Vec<u32> = (0..14).map(|_| next(&mut pool, 100.0)).collect();
    assert_eq!(counts, [8, 8, 8, 8, 8, 8, 7, 7, 7, 7, 7, 7, 7, 6], "30 s each");
    next(&mut pool, 300.0);
    let counts: Vec<u32> = (0..6).map(|_| next(&mut pool, 100.0)).collect();
    assert_eq!(counts, [6; 6], "a break starts it over");
    assert_eq!(next(&mut pool, 100.0), 5);
}

#[test]
fn a_value_that_is_lost_for_a_moment_goes_on_where_it_was() {
    let long = Band { for_at_least: seconds(30), ..band(Some(300.0), None, BandAction::Add(1)) };
    let mut pool = pool(8, &[long]);
    (0..4).for_each(|_| assert_eq!(next(&mut pool, 400.0), 8));
    pool.lose("queue");
    pool.decides_after(seconds(5));
    assert_eq!(next(&mut pool, 400.0), 8);
    assert_eq!(next(&mut pool, 400.0), 9, "30 s after the first look");
}

#[test]
fn one_step_is_not_taken_again_while_its_nodes_are_on_the_way() {
    let bands = [
        band(Some(1_000.0), Some(5_000.0), BandAction::Add(2)),
        band(Some(5_000.0), None, BandAction::Add(4)),
    ];
    let mut pool = pool(8, &bands);
    pool.nodes = Nodes::StayPut;
    assert_eq!(next(&mut pool, 2_000.0), 10);
    for _ in 0..12 {
        assert_eq!(next(&mut pool, 2_000.0), 10, "the same band again");
    }
    assert_eq!(next(&mut pool, 6_000.0), 12, "a higher band adds only the difference");
    for serving in [9, 10, 11] {
        pool.look.fleet.serving = NodeCount(serving);
        assert_eq!(next(&mut pool, 6_000.0), 12, "{serving} of 12 serve");
    }
    pool.look.fleet.serving = NodeCount(12);
    assert_eq!(next(&mut pool, 6_000.0), 12, "the sample speaks of the moment of arrival");
    assert_eq!(next(&mut pool, 6_000.0), 16, "12 were not enough");
}

#[test]
fn what_a_band_must_last_for_begins_anew_when_the_nodes_serve() {
    let long = Band { for_at_least: seconds(30), ..band(Some(300.0), None, BandAction::Add(1)) };
    let mut pool = pool(4, &[long]);
    pool.nodes = Nodes::StayPut;
    let counts: Vec<u32> = (0..30).map(|_| next(&mut pool, 400.0)).collect();
    assert_eq!((counts[5], counts[6], counts[29]), (4, 5, 5));
    pool.look.fleet.serving = NodeCount(5);
    let counts: Vec<u32> = (0..9).map(|_| next(&mut pool, 400.0)).collect();
    assert_eq!(counts, [5, 5, 5, 5, 5, 5, 5, 6, 6], "30 s from the first sample after that");
}

#[test]
fn no_further_node_is_removed_while_surplus_nodes_still_serve() {
    let mut pool = pool(8, &[band(None, Some(300.0), BandAction::Remove(1))]);
    pool.nodes = Nodes::StayPut;
    let counts: Vec<u32> = (0..10).map(|_| next(&mut pool, 100.0)).collect();
    assert_eq!(counts, [7; 10], "8 serve, so the value speaks of 8");
    pool.look.fleet.serving = NodeCount(7);
    assert_eq!(next(&mut pool, 100.0), 6);
}

#[test]
fn what_a_band_took_away_is_told_while_surplus_nodes_still_serve() {
    let long = Band { for_at_least: seconds(30), ..band(None, Some(300.0), BandAction::Remove(1)) };
    let mut pool = pool(8, &[long]);
    pool.nodes = Nodes::StayPut;
    let counts: Vec<u32> = (0..14).map(|_| next(&mut pool, 100.0)).collect();
    assert_eq!((counts[5], counts[6], counts[13]), (8, 7, 7));
    let because = pool.would_decide().recommendations[0].opinion.because().clone();
    let Reason::StepTaken { counted_from, needed, .. } = because else { panic!("{because}") };
    assert_eq!((counted_from, needed), (NodeCount(8), NodeCount(7)));
}

#[test]
fn what_another_rule_adds_or_takes_ends_no_wait_of_a_step() {
    let add = band(Some(100.0), None, BandAction::Add(2));
    let samples = Samples { within: 3, of: 3 };
    let stepping = Rule::Step(StepRule { samples, ..step_rule("queue", &[add]) });

    let mut pool = pool(4, &[]).reads("requests", 1_600.0);
    pool.policy.rules = vec![stepping, target("requests", 400.0)];
    pool.nodes = Nodes::StayPut;
    assert_eq!(next(&mut pool, 500.0), 4);
    pool.set("requests", 2_400.0);
    assert_eq!(next(&mut pool, 500.0), 6, "the load needs two more");
    pool.look.fleet.serving = NodeCount(6);
    assert_eq!(next(&mut pool, 500.0), 8, "and a third sample two more again");

    pool.look.fleet.serving = NodeCount(8);
    let counts = [500.0; 2].map(|value| next(&mut pool, value));
    assert_eq!(counts, [8; 2], "the first one speaks of the moment of arrival");
    pool.policy.bounds.max = NodeCount(6);
    assert_eq!(next(&mut pool, 500.0), 6, "the largest count was lowered");
    pool.policy.bounds.max = NodeCount(40);
    assert_eq!(next(&mut pool, 500.0), 10, "the third sample: two more than serve");
}

#[test]
fn a_step_that_is_taken_ends_no_wait_of_another_rule() {
    let lasting = |signal: &str, lasts: u64, nodes: u32| {
        let add = band(Some(100.0), None, BandAction::Add(nodes));
        let long = Band { for_at_least: seconds(lasts), ..add };
        Rule::Step(step_rule(signal, &[long]))
    };
    let mut pool = pool(8, &[]).reads("backlog", 500.0);
    pool.policy.rules = vec![lasting("queue", 30, 1), lasting("backlog", 10, 2)];
    let counts: Vec<u32> = (0..7).map(|_| next(&mut pool, 500.0)).collect();
    assert_eq!(counts, [8, 8, 10, 10, 10, 10, 11], "10 s and 30 s after the first look");
}

#[test]
fn a_step_that_a_pace_holds_back_keeps_what_it_saw() {
    let mut pool = pool(8, &[band(Some(1_000.0), None, BandAction::Add(4))]);
    let Rule::Step(rule) = &mut pool.policy.rules[0] else { panic!("it is a step") };
    rule.samples = Samples { within: 2, of: 2 };
    pool.policy.scale_out.pace = vec![nodes_per(2, minutes(1))];
    pool.nodes = Nodes::StayPut;
    let counts = [2_000.0; 3].map(|value| next(&mut pool, value));
    assert_eq!(counts, [8, 10, 10]);
    assert_eq!(pool.would_decide().recommendations[0].count(), Some(NodeCount(12)));
}

#[test]
fn what_a_guard_holds_back_is_taken_as_soon_as_it_lets_go() {
    let mut pool = pool(8, &[band(None, Some(300.0), BandAction::Remove(1))]);
    let Rule::Step(rule) = &mut pool.policy.rules[0] else { panic!("it is a step") };
    rule.samples = Samples { within: 2, of: 2 };
    pool.policy.scale_in.cooldown = seconds(35);
    let counts: Vec<u32> = (0..9).map(|_| next(&mut pool, 100.0)).collect();
    assert_eq!(counts, [8, 7, 7, 7, 7, 7, 7, 7, 6], "as the cooldown ends");
}

#[test]
fn nodes_that_do_not_serve_make_no_more_leave_than_the_band_says() {
    let mut pool = pool(8, &[band(None, Some(300.0), BandAction::Remove(1))]);
    pool.look.fleet.serving = NodeCount(3);
    pool.nodes = Nodes::StayPut;
    assert_eq!(next(&mut pool, 100.0), 7);
}

#[test]
fn a_step_counts_surplus_nodes_that_still_serve() {
    let mut pool = pool(4, &[band(Some(300.0), None, BandAction::Add(2))]);
    pool.look.fleet.serving = NodeCount(8);
    assert_eq!(next(&mut pool, 400.0), 10, "8 were not enough");
}

#[test]
fn of_several_bands_the_largest_count_wins() {
    let lasting = |band| Band { for_at_least: minutes(1), ..band };
    let add = band(Some(1_000.0), None, BandAction::Add(2));
    let add_more = band(Some(2_000.0), None, BandAction::Add(4));
    let remove = band(None, Some(3_000.0), BandAction::Remove(1));
    let remove_more = band(None, Some(3_000.0), BandAction::Remove(3));
    for (bands, to, because) in [
        (vec![add, add_more], 12, "the larger step out"),
        (vec![remove, remove_more], 7, "the smaller step in"),
        (vec![remove, add], 10, "out before in"),
        (vec![remove, lasting(add)], 8, "none leaves while one might be added"),
        (vec![remove_more, lasting(remove)], 8, "nor while fewer might have to go"),
        (vec![lasting(add_more), add], 10, "what has lasted acts at once"),
    ] {
        assert_eq!(next(&mut pool(8, &bands), 2_500.0), to, "{because}");
    }
}

#[test]
fn outside_of_every_band_only_a_rule_that_removes_nodes_has_a_say() {
    let add = band(Some(1_000.0), None, BandAction::Add(2));
    let remove = band(None, Some(300.0), BandAction::Remove(1));
    let keep = band(Some(300.0), Some(1_000.0), BandAction::Add(0));
    let set = band(Some(1_000.0), None, BandAction::Set(NodeCount(20)));
    for (bands, to, because) in [
        (vec![add], 4, "it has no opinion, so the load decides"),
        (vec![set], 4, "nor has one that sets a count"),
        (vec![add, remove], 8, "it does not want any to leave"),
        (vec![add, keep], 8, "a band that keeps the count says so"),
    ] {
        let mut pool = pool(8, &bands).reads("requests", 1_600.0);
        pool.policy.rules.push(target("requests", 400.0));
        assert_eq!(next(&mut pool, 500.0), to, "{because}");
    }
}

#[test]
fn what_comes_by_itself_comes_although_a_step_looks_back_on_samples() {
    let mut pool = pool(6, &[band(Some(100.0), None, BandAction::Add(1))]);
    let Rule::Step(rule) = &mut pool.policy.rules[0] else { panic!("it is a step") };
    rule.samples = Samples { within: 2, of: 3 };
    pool.policy.rules.push(target("requests", 400.0));
    pool.policy.scale_in.stabilize = minutes(10);
    pool.set("requests", 2_400.0);
    pool.nodes = Nodes::StayPut;
    for value in [20.0, 500.0, 500.0] {
        next(&mut pool, value);
    }
    pool.look.fleet.serving = NodeCount(7);
    pool.set("requests", 800.0);
    let counts = [20.0, 500.0, 500.0, 20.0].map(|value| next(&mut pool, value));
    let kept = counts[3];
    let decision = pool.would_decide();
    let by_itself = explain(&decision, &pool.look, &pool.policy).distances;
    let falls = by_itself.iter().find_map(|next| match next {
        Distance::ByTime { to, in_seconds, .. } if to.0 < kept => Some(*in_seconds),
        _ => None,
    });
    let told = falls.expect("the load has let nodes go");
    let seen = (1..=told).find(|_| to(&pool.decides_after(seconds(1))) != kept);
    assert_eq!(seen, Some(told), "as it was told: {by_itself:?}");
}

#[test]
fn in_a_group_a_rule_that_would_stay_keeps_no_node() {
    let rule = |signal: &str, group: Option<&str>| {
        let bands = [band(None, Some(300.0), BandAction::Remove(2))];
        let group = group.map(str::to_owned);
        Rule::Step(StepRule { group, ..step_rule(signal, &bands) })
    };
    for (group, count) in [(None, 8), (Some("work"), 6)] {
        let mut pool = pool(8, &[]).reads("queue", 100.0).reads("backlog", 500.0);
        pool.policy.rules = vec![rule("queue", group), rule("backlog", group)];
        assert_eq!(to(&pool.would_decide()), count, "{group:?}");
    }
}

#[test]
fn a_broken_value_forbids_scale_in_and_a_partial_one_may_only_raise() {
    let bands = [
        band(Some(1_000.0), None, BandAction::Add(2)),
        band(None, Some(300.0), BandAction::Remove(1)),
    ];
    let mut pool = pool(8, &bands).misses("queue").reads("requests", 1_600.0);
    pool.policy.rules.push(target("requests", 400.0));
    assert_eq!(why(&pool.would_decide())[0], "broken_signal_holds");
    pool.set_partial("queue", 100.0);
    assert_eq!(
        (to(&pool.would_decide()), why(&pool.would_decide())[0]),
        (8, "broken_signal_holds")
    );
    pool.set_partial("queue", 2_000.0);
    assert_eq!(to(&pool.would_decide()), 10);
}

#[test]
fn partial_samples_do_not_help_to_remove_a_node() {
    let long = Band { for_at_least: seconds(30), ..band(None, Some(300.0), BandAction::Remove(1)) };
    let mut pool = pool(8, &[long]);
    for _ in 0..12 {
        pool.look.at = after(pool.look.at, seconds(5));
        pool.set_partial("queue", 100.0);
        assert_eq!(to(&pool.decides()), 8);
    }
    let counts: Vec<u32> = (0..7).map(|_| next(&mut pool, 100.0)).collect();
    assert_eq!(counts, [8, 8, 8, 8, 8, 8, 7], "30 s of whole samples");
}

#[test]
fn partial_samples_help_to_add_a_node() {
    let long = Band { for_at_least: seconds(30), ..band(Some(300.0), None, BandAction::Add(1)) };
    let mut pool = pool(8, &[long]);
    let counts: Vec<u32> = (0..7)
        .map(|_| {
            pool.look.at = after(pool.look.at, seconds(5));
            pool.set_partial("queue", 400.0);
            pool.decides().to.0
        })
        .collect();
    assert_eq!(counts, [8, 8, 8, 8, 8, 8, 9]);
}

#[test]
fn a_partial_sample_in_between_ends_no_wait_for_a_node_to_leave() {
    let long = Band { for_at_least: seconds(30), ..band(None, Some(300.0), BandAction::Remove(1)) };
    let mut pool = pool(8, &[long]);
    (0..4).for_each(|_| assert_eq!(next(&mut pool, 100.0), 8));
    pool.look.at = after(pool.look.at, seconds(5));
    pool.set_partial("queue", 100.0);
    assert_eq!(to(&pool.decides()), 8);
    assert_eq!([100.0; 2].map(|value| next(&mut pool, value)), [8, 7], "30 s after the first");
}

#[test]
fn of_a_set_count_that_lowers_every_sample_must_be_whole() {
    let set = BandAction::Set(NodeCount(5));
    let long = Band { for_at_least: seconds(30), ..band(Some(1_000.0), None, set) };
    let mut pool = pool(8, &[long]);
    let Rule::Step(rule) = &mut pool.policy.rules[0] else { panic!("it is a step") };
    rule.samples = Samples { within: 2, of: 2 };
    for _ in 0..7 {
        pool.look.at = after(pool.look.at, seconds(5));
        pool.set_partial("queue", 2_000.0);
        assert_eq!(to(&pool.decides()), 8);
    }
    assert_eq!(next(&mut pool, 2_000.0), 8, "the first whole one");
    let because = pool.would_decide().recommendations[0].opinion.because().clone();
    let Reason::StepWaits { until, .. } = because else { panic!("{because}") };
    assert_eq!(until, None, "it lasted for long enough; another sample is what lacks");
    let counts = [2_000.0; 7].map(|value| next(&mut pool, value));
    assert_eq!(counts, [8, 8, 8, 8, 8, 8, 5], "30 s from the second one");
}

#[test]
fn a_set_count_is_lowered_to_by_whole_samples_alone() {
    let mut pool = pool(8, &[band(Some(1_000.0), None, BandAction::Set(NodeCount(5)))]);
    pool.set_partial("queue", 2_000.0);
    assert_eq!(to(&pool.would_decide()), 8);
    pool.set("queue", 2_000.0);
    assert_eq!(to(&pool.would_decide()), 5);
}

#[test]
fn a_step_waits_with_the_pace_and_loses_nothing() {
    let mut pool = pool(8, &[band(Some(1_000.0), None, BandAction::Add(4))]);
    pool.nodes = Nodes::StayPut;
    pool.policy.scale_out.pace = vec![nodes_per(2, minutes(1))];
    let counts: Vec<u32> = (0..24).map(|_| next(&mut pool, 2_000.0)).collect();
    assert_eq!((counts[0], counts[11], counts[12], counts[23]), (10, 10, 12, 12));
}

#[test]
fn a_clock_that_was_set_back_starves_no_step() {
    let mut pool = pool(4, &[band(Some(100.0), None, BandAction::Add(2))]);
    next(&mut pool, 500.0);
    pool.look.at = before(noon(), minutes(60));
    assert_eq!(next(&mut pool, 500.0), 6, "the nodes serve since now");
    assert_eq!(next(&mut pool, 500.0), 8);
}

#[test]
fn a_history_without_steps_still_reads() {
    let mut json = serde_json::to_value(History::default()).expect("it serialises");
    assert!(json.as_object_mut().is_some_and(|fields| fields.remove("steps").is_none()));
    let read: History = serde_json::from_value(json).expect("it reads");
    assert_eq!(read, History::default());
}

#[test]
fn two_steps_on_one_value_each_remember_for_themselves() {
    let mut pool = pool(4, &[band(Some(100.0), None, BandAction::Add(2))]).reads("queue", 500.0);
    let rule = pool.policy.rules[0].clone();
    pool.policy.rules.push(rule);
    let history = pool.would_decide().history;
    assert_eq!(history.steps.keys().collect::<Vec<_>>(), ["step:queue", "step:queue#2"]);
}

proptest::proptest! {
    #[test]
    fn a_step_never_turns_around_at_a_fixed_value(
        bands in proptest::collection::vec(any_band(), 1..5),
        (within, more) in (1..4_u32, 0..3_u32),
        value in 0.0..100.0_f64,
        count in 2..30_u32,
    ) {
        let mut pool = pool(count, &bands);
        let Rule::Step(rule) = &mut pool.policy.rules[0] else { panic!("it is a step") };
        rule.samples = Samples { within, of: within + more };
        let mut counts = vec![count];
        counts.extend((0..60).map(|_| next(&mut pool, value)));
        let turns_nowhere = counts.is_sorted() || counts.iter().rev().is_sorted();
        proptest::prop_assert!(turns_nowhere, "{counts:?}");
    }
}

fn any_band() -> impl Strategy<Value = Band> {
    let action = prop_oneof![
        (0..5_u32).prop_map(BandAction::Add),
        (1..5_u32).prop_map(BandAction::Remove),
        (1.0..80.0_f64).prop_map(share),
        (1.0..80.0_f64).prop_map(share_off),
        (0..40_u32).prop_map(|count| BandAction::Set(NodeCount(count))),
    ];
    let ends = prop_oneof![
        (0.0..100.0_f64).prop_map(|from| (Some(from), None)),
        (0.1..100.0_f64).prop_map(|below| (None, Some(below))),
        (0.0..50.0_f64, 50.0..100.0_f64).prop_map(|(from, below)| (Some(from), Some(below))),
    ];
    (ends, action, prop_oneof![Just(0), 1..90_u64]).prop_map(|((from, below), action, lasts)| {
        Band { for_at_least: seconds(lasts), ..band(from, below, action) }
    })
}

#[test]
fn a_step_tells_what_it_saw_and_what_it_waits_for() {
    let lasting =
        Band { for_at_least: minutes(5), ..band(None, Some(300.0), BandAction::Remove(1)) };
    let bands = [band(Some(1_000.0), None, share(20.0)), lasting];
    let mut pool = pool(8, &bands);
    let sentences = [2_500.0, 450.0, 120.6].map(|value| {
        pool.set("queue", value);
        pool.would_decide().recommendations[0].opinion.because().to_string()
    });
    assert_eq!(
        sentences,
        [
            "queue is 2,500, from 1,000: add 20 %; counted from 8, that comes to 10 nodes",
            "queue is 450, outside of every band (below 300: remove 1 and from 1,000: add 20 %)",
            "queue is 121, below 300: remove 1 if that lasts until 12:05:00 UTC",
        ]
    );
}
