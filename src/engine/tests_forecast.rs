//! Forecasts, surges and wishes that are held.

use super::fixture::*;
use super::recommend::surge;
use super::{Belief, Distance, Foreseen, Opinion, Reason, explain};
use crate::domain::{NodeCount, Timestamp, after, elapsed};
use crate::forecast::{Level, Mode};
use crate::policy::{ForecastRule, Measures, Rule, SurgeRule};

fn foreseen(bound: f64, belief: Belief) -> Foreseen {
    Foreseen {
        bound,
        expected: bound / 1.2,
        level: Level::default(),
        horizon_seconds: 240,
        error: Some(0.05),
        coverage: Some(0.98),
        history_seconds: 9 * 86_400,
        belief,
    }
}

/// Five nodes that the load fits; a forecast beside it.
fn pool_with_forecast(mode: Mode) -> Pool {
    let mut policy = policy();
    policy.rules.push(Rule::Forecast(ForecastRule { mode, ..forecast_rule("requests", 400.0) }));
    Pool::settled(policy, 5).reads("requests", 2_000.0)
}

impl Pool {
    fn foresees(&mut self, bound: f64, belief: Belief) {
        let key = "forecast:requests".to_owned();
        self.look.forecasts.insert(key, foreseen(bound, belief));
    }
}

/// What the last rule said.
fn last_opinion(pool: &Pool) -> Opinion {
    pool.would_decide().recommendations.pop().expect("a rule").opinion
}

#[test]
fn a_forecast_adds_the_nodes_that_its_bound_needs() {
    let mut pool = pool_with_forecast(Mode::Raise);
    pool.foresees(2_801.0, Belief::Trusted);
    let decision = pool.decides();
    assert_eq!((to(&decision), why(&decision)[0]), (8, "forecast_needs"));
}

#[test]
fn a_forecast_lets_nodes_leave_that_it_does_not_need_and_keeps_those_that_it_does() {
    for (bound, count) in [(0.0, 5), (1_000.0, 5), (2_401.0, 7)] {
        let mut pool = pool_with_forecast(Mode::Raise);
        pool.look.history.desired = Some(NodeCount(8));
        pool.foresees(bound, Belief::Trusted);
        assert_eq!(to(&pool.decides()), count, "{bound}");
    }
}

#[test]
fn a_forecast_of_no_more_than_there_is_leaves_the_word_to_others() {
    for (bound, count) in [(2_000.0, None), (2_001.0, Some(NodeCount(6)))] {
        let mut pool = pool_with_forecast(Mode::Raise);
        pool.foresees(bound, Belief::Trusted);
        let wants = match last_opinion(&pool) {
            Opinion::Wants { count, .. } => Some(count),
            Opinion::AtLeast { .. } | Opinion::None { .. } | Opinion::Blind { .. } => None,
        };
        assert_eq!(wants, count, "{bound}");
    }
}

#[test]
fn a_forecast_that_is_missing_shown_only_or_not_to_be_believed_changes_nothing() {
    let young = Belief::NotEnoughHistory { have_seconds: 5 * 3_600, need_seconds: 86_400 };
    for (mode, belief, name) in [
        (Mode::Raise, None, "no_forecast"),
        (Mode::Raise, Some(young), "forecast_not_believed"),
        (Mode::Raise, Some(Belief::Silent { seconds: 700 }), "forecast_not_believed"),
        (Mode::Raise, Some(Belief::CostlierThanReacting { times: 1.4 }), "forecast_not_believed"),
        (Mode::ForecastOnly, Some(Belief::Trusted), "forecast_shown"),
    ] {
        for (from, count) in [(5, 5), (8, 5)] {
            let mut pool = pool_with_forecast(mode);
            pool.look.history.desired = Some(NodeCount(from));
            if let Some(belief) = belief {
                pool.foresees(9_000.0, belief);
            }
            let Opinion::None { because } = last_opinion(&pool) else { panic!("no opinion") };
            assert_eq!(because.name(), name, "{belief:?}");
            assert_eq!(to(&pool.decides()), count, "{belief:?} from {from}");
        }
    }
}

#[test]
fn a_forecasts_wish_counts_for_its_hold_and_no_longer() {
    let mut pool = pool_with_forecast(Mode::Raise);
    pool.foresees(3_200.0, Belief::Trusted);
    assert_eq!(to(&pool.decides()), 8);
    pool.foresees(2_400.0, Belief::Trusted);
    let counts = pool.counts_for(seconds(70));
    let (held, let_go) = counts.split_at(11);
    assert_eq!((held, let_go), (&[8; 11][..], &[6, 6, 6][..]));
}

// Surge.

/// Looked at every five seconds for ten minutes at 1,000 req/s, with three nodes.
fn calm_pool() -> Pool {
    let mut policy = policy();
    policy.rules = vec![target("requests", 400.0), Rule::Surge(surge_rule("requests", 400.0))];
    Pool::watched(policy, 3, 1_000.0)
}

#[test]
fn a_rate_that_rises_fast_gets_nodes_for_once_more_the_same_rise() {
    let mut pool = calm_pool();
    pool.set("requests", 1_200.0);
    let decision = pool.decides_after(seconds(5));
    assert_eq!((to(&decision), why(&decision)[0]), (4, "surge"), "1,400 req/s");
    pool.set("requests", 3_000.0);
    let decision = pool.decides_after(seconds(5));
    assert_eq!(to(&decision), 12, "one and a half times 3,000 req/s, and not 5,000");
}

#[test]
fn a_slow_rise_or_one_that_is_over_is_no_surge() {
    let mut pool = calm_pool();
    pool.set("requests", 1_149.0);
    assert_eq!(to(&pool.decides_after(seconds(5))), 3, "15 % within two minutes are noise");
    let mut pool = calm_pool();
    pool.set("requests", 1_199.0);
    pool.counts_for(seconds(45));
    let Opinion::AtLeast { because, .. } = last_opinion(&pool) else { panic!("a held wish") };
    assert_eq!(because.name(), "wish_held", "after a minute the rate no longer rises");
}

#[test]
fn a_surge_is_more_than_the_rise_that_a_policy_names() {
    for (rate, name) in [(1_250.0, "no_surge"), (1_251.0, "surge")] {
        let mut pool = calm_pool();
        pool.policy.rules[1] =
            Rule::Surge(SurgeRule { rise: percent(25.0), ..surge_rule("requests", 400.0) });
        pool.set("requests", rate);
        pool.look.at = after(pool.look.at, seconds(5));
        assert_eq!(last_opinion(&pool).because().name(), name, "{rate}");
    }
}

#[test]
fn a_rise_is_a_surge_only_as_steep_as_it_stands_out_of_its_last_minute() {
    // A minute's mean is 40 s of the rise behind the rate: 7 % of it, or 3.5 %.
    for (each_second, surges) in [(4.0, true), (2.0, false)] {
        let mut pool = calm_pool();
        pool.policy.rules[1] =
            Rule::Surge(SurgeRule { hold: seconds(0), ..surge_rule("requests", 400.0) });
        let names: Vec<_> = (1..=24)
            .map(|look| {
                pool.set("requests", 1_000.0 + f64::from(look * 5) * each_second);
                let decision = pool.decides_after(seconds(5));
                decision.recommendations[1].opinion.because().name()
            })
            .collect();
        assert_eq!(names.contains(&"surge"), surges, "{each_second}: {names:?}");
    }
}

#[test]
fn a_surge_tells_when_its_rate_will_no_longer_stand_out() {
    let mut pool = calm_pool();
    pool.policy.rules[1] =
        Rule::Surge(SurgeRule { hold: seconds(0), ..surge_rule("requests", 400.0) });
    pool.set("requests", 1_199.0);
    let decision = pool.decides_after(seconds(5));
    assert_eq!(to(&decision), 4);
    let distances = explain(&decision, &pool.look, &pool.policy).distances;
    let Distance::ByTime { to, in_seconds, .. } = distances[0] else { panic!("{distances:?}") };
    assert_eq!((to, in_seconds), (NodeCount(3), 40), "then all of a minute is as high");
    assert_eq!(pool.counts_for(seconds(40)), [4, 4, 4, 4, 4, 4, 4, 3]);
}

#[test]
fn what_a_surge_compares_with_changes_only_where_its_signal_said_something_new() {
    let ahead = |pool: &Pool| -> Vec<u64> {
        let said = &pool.look.history.rates["surge:requests"];
        let moments = surge::moments(&surge_rule("requests", 400.0), Measures::Pool, said);
        let ahead = moments.filter(|moment| pool.look.at < *moment);
        ahead.map(|moment| elapsed(pool.look.at, moment).as_secs()).collect()
    };
    let mut pool = calm_pool();
    assert_eq!(ahead(&pool), [] as [u64; 0], "an hour says the same");
    pool.set("requests", 1_100.0);
    pool.decides_after(seconds(5));
    pool.decides_after(seconds(5));
    assert_eq!(ahead(&pool), [15, 35], "20 and 40 s after the change; then its minute is over");
}

#[test]
fn a_surge_lets_its_nodes_go_after_its_hold() {
    let mut pool = calm_pool();
    pool.set("requests", 1_200.0);
    pool.decides_after(seconds(5));
    pool.set("requests", 1_000.0);
    let counts = pool.counts_for(minutes(6));
    assert_eq!(counts.iter().filter(|count| **count == 4).count(), 59, "five minutes");
    assert_eq!(counts.last(), Some(&3));
}

#[test]
fn what_was_before_a_gap_makes_no_surge_and_a_restart_changes_none() {
    let mut pool = calm_pool();
    pool.set("requests", 1_200.0);
    let decision = pool.decides_after(minutes(20));
    assert_eq!(to(&decision), 3);
    let because = decision.recommendations[1].opinion.because().name();
    assert_eq!(because, "rise_unknown");

    let mut pool = calm_pool();
    let stored = serde_json::to_string(&pool.look.history).expect("it is plain data");
    pool.look.history = serde_json::from_str(&stored).expect("it was just written");
    pool.set("requests", 1_200.0);
    assert_eq!(to(&pool.decides_after(seconds(30))), 4, "a daemon that was away for a moment");
}

#[test]
fn what_a_rate_was_is_known_for_two_minutes_after_a_look() {
    // The rate of two minutes ago is that of the look before the pause.
    for (pause, name) in [(200, "surge"), (201, "rise_unknown")] {
        let mut pool = calm_pool();
        pool.decides_after(seconds(pause));
        pool.set("requests", 1_200.0);
        let decision = pool.decides_after(seconds(40));
        assert_eq!(decision.recommendations[1].opinion.because().name(), name, "{pause} s");
    }
}

#[test]
fn what_a_surge_remembers_has_an_end() {
    let mut pool = calm_pool();
    pool.counts_for(minutes(60));
    let said = &pool.look.history.rates["surge:requests"];
    assert_eq!(said.len(), (240 / 5) + 1, "over, and the longest gap");
    assert!(said.is_sorted_by_key(|sample| sample.at));
    let once = said.clone();
    pool.decides();
    let twice = &pool.look.history.rates["surge:requests"];
    assert_eq!(*twice, once, "a look that is repeated is remembered once");
}

#[test]
fn a_surge_that_cannot_see_lets_no_node_leave() {
    let mut policy = policy();
    policy.rules = vec![target("requests", 400.0), Rule::Surge(surge_rule("surge", 400.0))];
    let mut pool = Pool::settled(policy, 5).reads("requests", 1_000.0).misses("surge");
    assert_eq!(to(&pool.decides()), 5);
}

// Hold.

fn held_pool() -> Pool {
    let mut policy = policy();
    let mut rule = target_rule("requests", 400.0);
    rule.hold = minutes(5);
    policy.rules = vec![Rule::Target(rule)];
    Pool::watched(policy, 5, 2_000.0)
}

#[test]
fn a_target_with_a_hold_wants_the_most_of_that_time_and_says_until_when() {
    let mut pool = held_pool();
    let fell_at = pool.look.at;
    pool.set("requests", 400.0);
    let decision = pool.decides_after(seconds(5));
    let until = after(fell_at, minutes(5));
    let held = Reason::WishHeld { signal: name("requests"), held: NodeCount(5), until };
    assert_eq!((to(&decision), &decision.reasons[0]), (5, &held));
    let counts = pool.counts_for(minutes(6));
    assert_eq!(counts.iter().filter(|count| **count == 5).count(), 58);
    assert_eq!(counts.last(), Some(&2));
    let wishes: &Vec<_> = &pool.look.history.wishes["target:requests"];
    assert_eq!(wishes.len(), 1, "a wish that a later one outlasts is forgotten");
}

#[test]
fn time_that_nobody_looked_at_counts_as_if_the_count_had_been_wanted() {
    let mut pool = held_pool();
    pool.set("requests", 400.0);
    let decision = pool.decides_after(minutes(60));
    let Reason::WishHeld { until, .. } = decision.reasons[0] else { panic!("{decision:?}") };
    let expected: Timestamp = after(decision.at, minutes(5));
    assert_eq!((to(&decision), until), (5, expected));
}

#[test]
fn a_rule_that_cannot_see_stays_blind_whatever_it_wanted() {
    let mut pool = held_pool();
    pool.lose("requests");
    let decision = pool.decides_after(seconds(5));
    assert!(decision.recommendations[0].is_blind());
}
