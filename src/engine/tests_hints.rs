//! Announced campaigns: nodes serve before the first message, and leave with the last request.

use super::fixture::*;
use super::{Announced, ObservedHint, Opinion, Reason, decide};
use crate::domain::{
    Hint, HintId, HintSize, HintSource, NodeCount, RequestsPerSecond, Timestamp, after, before,
};
use crate::forecast::campaign::{CAME_SHARE, Response, seconds_after};
use crate::policy::{HintRule, Lead, PaceSelect, Policy, Rule};

fn hint_rule(lead: Lead) -> Rule {
    Rule::Hint(HintRule {
        signal: name("requests"),
        per_node: RequestsPerSecond::new(400.0).expect("a legal rate"),
        lead,
        margin: percent(20.0),
    })
}

/// The load that is measured, and what is announced.
fn hinted_policy() -> Policy {
    let mut policy = policy();
    policy.rules.push(hint_rule(Lead::Fixed(minutes(3))));
    policy.bounds.max = NodeCount(200);
    policy
}

/// 4,000 req/s for two minutes, starting at 12:30, announced at noon.
fn lunch() -> Hint {
    Hint {
        id: HintId(uuid::Uuid::from_u128(7)),
        kind: "lunch".parse().expect("a legal name"),
        announced_at: noon(),
        starts_at: after(noon(), minutes(30)),
        size: HintSize::RequestsPerSecond(RequestsPerSecond::new(4_000.0).expect("a rate")),
        spread: minutes(2),
        tail: None,
        reason: "lunch push".into(),
        source: HintSource::Person,
    }
}

fn observed(hint: Hint) -> ObservedHint {
    ObservedHint { hint, response: Response::USUAL, before: None, peak: None }
}

/// Four nodes that 1,600 req/s fit, and the lunch announced.
fn pool() -> Pool {
    let mut pool = Pool::settled(hinted_policy(), 4).reads("requests", 1_600.0);
    pool.look.hints = Announced { lead_seconds: None, hints: vec![observed(lunch())] };
    pool
}

/// Lets the campaign come, `actual` times as large as announced, from five minutes before it; gives
/// each look's second after the announced start, with the count and the load.
fn lives_through(pool: &mut Pool, actual: f64) -> Vec<(f64, u32, f64)> {
    let hint = lunch();
    pool.look.at = before(hint.starts_at, minutes(5));
    let looks = (0..200).map(|_| {
        let seconds = seconds_after(&hint, pool.look.at);
        let load = 1_600.0 + actual * Response::USUAL.load(&hint, seconds);
        pool.set("requests", load);
        let observed = &mut pool.look.hints.hints[0];
        if -30.0 <= seconds {
            observed.before = Some(1_600.0);
            observed.peak = Some(observed.peak.unwrap_or(0.0).max(load));
        }
        let count = pool.decides_after(super::fixture::seconds(5)).to.0;
        (seconds, count, load)
    });
    looks.collect()
}

#[test]
fn nodes_are_asked_for_a_lead_before_the_first_message_and_leave_after_the_last() {
    let lived = lives_through(&mut pool(), 1.0);
    let count_at =
        |second: f64| lived.iter().rfind(|(at, _, _)| *at <= second).map(|(_, count, _)| *count);
    // (1,600 + 1.2 × 4,000) / 400 = 16. Lead and margin are 3 min 30 s.
    for (second, least, most, because) in [
        (-220.0, 4, 4, "it is early"),
        (-85.0, 15, 16, "the peak is at the fan-out's end: its nodes are asked for by now"),
        (0.0, 16, 17, "all are there before the first message"),
        (120.0, 16, 17, "and for the last one"),
        (170.0, 5, 7, "a minute later only late devices call"),
        (690.0, 4, 5, "and in the end nobody"),
    ] {
        let count = count_at(second).expect("it was looked at");
        assert!((least..=most).contains(&count), "{second} s: {count}: {because}");
    }
}

#[test]
fn a_campaign_that_never_comes_costs_its_window_only() {
    let lived = lives_through(&mut pool(), 0.0);
    let raised: Vec<f64> =
        lived.iter().filter(|(_, count, _)| 4 < *count).map(|(at, _, _)| *at).collect();
    let (first, last) = (raised[0], raised[raised.len() - 1]);
    assert!((-215.0..0.0).contains(&first), "raised from {first} s on");
    assert!((120.0..=210.0).contains(&last), "raised until {last} s");
    assert!(matches!(pool_after_nothing().because(), Reason::NothingAnnounced {}));
}

/// What the rule says once the campaign is known to have never come.
fn pool_after_nothing() -> Opinion {
    let mut pool = pool();
    lives_through(&mut pool, 0.0);
    pool.would_decide().recommendations[1].opinion.clone()
}

#[test]
fn a_wrong_size_degrades_gracefully() {
    for (actual, because) in [
        (0.3, "far fewer came: what was announced is kept for its window, no more"),
        (1.0, "as announced"),
        (1.2, "within the margin"),
        (3.0, "far more came: the rules that measure add what is missing"),
    ] {
        for (second, count, load) in lives_through(&mut pool(), actual) {
            let needs = (load / 400.0).ceil() as u32;
            assert!(needs <= count, "{second} s, {actual}: {count} of {needs}: {because}");
            let most = needs.max(17);
            assert!(count <= most, "{second} s, {actual}: {count} over {most}: {because}");
        }
    }
}

#[test]
fn a_campaign_is_not_counted_twice_once_it_shows_in_the_load() {
    let most = lives_through(&mut pool(), 1.0).iter().map(|(_, count, _)| *count).max();
    assert!(most <= Some(17), "{most:?}: 1,600 beside 4,800 req/s are 16 nodes");
}

#[test]
fn before_it_is_announced_and_after_its_tail_nobody_looks_at_a_hint() {
    let mut pool = pool();
    for at in [before(noon(), seconds(1)), after(lunch().ends_at(), seconds(0))] {
        pool.look.at = at;
        pool.set("requests", 1_600.0);
        let decision = pool.would_decide();
        assert_eq!(why(&decision), ["load_fits"], "{at}");
        let opinion = decision.recommendations[1].opinion.because().clone();
        assert!(matches!(opinion, Reason::NothingAnnounced {}), "{at}: {opinion}");
    }
}

#[test]
fn a_learned_lead_counts_and_three_minutes_while_nobody_knows() {
    for (learned, asked_before) in [(None, 210.0), (Some(60.0), 90.0), (Some(400.0), 430.0)] {
        let mut pool = pool();
        pool.policy.rules[1] = hint_rule(Lead::Learned);
        pool.look.hints.lead_seconds = learned;
        let asks = |pool: &Pool| pool.would_decide().to != NodeCount(4);
        // The first devices that call need a node more.
        for (early, expected) in [(0.0, false), (-1.0, true)] {
            pool.look.at = moment(-(asked_before + early));
            pool.set("requests", 1_600.0);
            assert_eq!(asks(&pool), expected, "{learned:?}, {early} s early");
        }
    }
}

/// So many seconds after the lunch should begin.
fn moment(seconds: f64) -> Timestamp {
    let offset = jiff::SignedDuration::from_secs_f64(seconds);
    lunch().starts_at.checked_add(offset).expect("a legal moment")
}

#[test]
fn a_slow_pace_is_asked_earlier_and_an_ask_is_never_taken_back() {
    let mut pool = pool();
    pool.policy.scale_out.pace = vec![nodes_per(3, minutes(1))];
    let lived = lives_through(&mut pool, 1.0);
    let before_start: Vec<u32> =
        lived.iter().filter(|(at, _, _)| *at < 0.0).map(|(_, count, _)| *count).collect();
    assert!(before_start.is_sorted(), "{before_start:?}");
    assert_eq!(before_start.last(), Some(&16), "all are there when it begins");
}

/// How many seconds before the lunch all its nodes are first asked for, while four serve.
fn asked_early(pool: &Pool) -> u64 {
    let mut pool = pool.clone();
    let asks = (0..300).rev().map(|step| step * 5).find(|early| {
        pool.look.at = before(lunch().starts_at, seconds(*early));
        pool.set("requests", 1_600.0);
        pool.would_decide().recommendations[1].count() == Some(NodeCount(16))
    });
    asks.expect("they are asked for")
}

#[test]
fn each_further_step_of_a_pace_is_asked_a_period_earlier() {
    let mut pool = pool();
    // (1,600 + 1.2 × 4,000) / 400 = 16 nodes are needed as the last messages leave.
    let at_once = asked_early(&pool);
    for (paces, select, steps, because) in [
        (vec![nodes_per(12, minutes(1))], PaceSelect::Largest, 0, "4, 16: one step"),
        (vec![nodes_per(11, minutes(1))], PaceSelect::Largest, 1, "4, 15, 16"),
        (vec![percent_per(100.0, minutes(1))], PaceSelect::Largest, 1, "4, 8, 16"),
        (vec![percent_per(50.0, minutes(1))], PaceSelect::Largest, 3, "4, 6, 9, 14, 16"),
        (
            vec![nodes_per(11, minutes(1)), percent_per(50.0, minutes(1))],
            PaceSelect::Largest,
            1,
            "the more generous one",
        ),
        (
            vec![nodes_per(11, minutes(1)), percent_per(50.0, minutes(1))],
            PaceSelect::Smallest,
            3,
            "the less generous one",
        ),
        (vec![nodes_per(0, minutes(1))], PaceSelect::Largest, 15, "never: no longer than 15 min"),
    ] {
        pool.policy.scale_out.pace = paces;
        pool.policy.scale_out.pace_select = select;
        assert_eq!(asked_early(&pool), at_once + steps * 60, "{because}");
    }
}

#[test]
fn the_steps_of_a_pace_are_counted_within_the_bounds() {
    let mut pool = pool();
    let at_once = asked_early(&pool);
    pool.policy.scale_out.pace = vec![nodes_per(1, minutes(1))];
    for (min, max, steps, because) in [
        (2, 200, 11, "4 for the load beside, then one after the other to 16"),
        (14, 200, 1, "there are never fewer than 14"),
        (2, 10, 5, "and never more than ten"),
    ] {
        (pool.policy.bounds.min, pool.policy.bounds.max) = (NodeCount(min), NodeCount(max));
        assert_eq!(asked_early(&pool), at_once + steps * 60, "{because}");
    }
}

#[test]
fn a_campaign_ahead_says_in_how_long_its_nodes_are_asked_for() {
    let mut pool = pool();
    for (pace, steps) in [(vec![], 0), (vec![nodes_per(3, minutes(1))], 3)] {
        pool.policy.scale_out.pace = pace;
        let because = pool.would_decide().recommendations[1].opinion.because().clone();
        let Reason::CampaignAhead { in_seconds, .. } = because else { panic!("{because}") };
        // Half an hour without the lead, the margin and the steps of the pace.
        assert_eq!(in_seconds, 1_800 - 180 - 30 - steps * 60);
    }
}

#[test]
fn ninety_seconds_after_its_last_message_a_campaign_must_have_shown() {
    let size = Response::USUAL.peak(&lunch());
    for (seconds, before, share, is_awaited, because) in [
        (209.0, Some(1_600.0), 0.0, true, "it may still show"),
        (210.0, Some(1_600.0), 0.0, false, "nothing came"),
        (210.0, Some(1_600.0), CAME_SHARE - 0.01, false, "hardly anything came"),
        (210.0, Some(1_600.0), CAME_SHARE + 0.01, true, "enough came"),
        (210.0, Some(0.0), CAME_SHARE, true, "just enough came"),
        (210.0, None, 0.0, true, "what nobody has measured may have come"),
    ] {
        let mut pool = pool();
        pool.look.at = moment(seconds);
        pool.set("requests", 1_600.0);
        let hint = &mut pool.look.hints.hints[0];
        (hint.before, hint.peak) = (before, Some(before.unwrap_or(0.0) + share * size));
        let because_of_rule = pool.would_decide().recommendations[1].opinion.because().name();
        assert_eq!(because_of_rule != "nothing_announced", is_awaited, "{because}");
    }
}

#[test]
fn a_campaign_comes_on_top_of_what_is_measured_until_half_a_minute_before_it() {
    for (second, beside) in [(-31.0, 2_000.0), (-30.0, 1_600.0)] {
        let mut pool = pool();
        pool.look.at = moment(second);
        pool.set("requests", 2_000.0);
        pool.look.hints.hints[0].before = Some(1_600.0);
        let because = pool.would_decide().recommendations[1].opinion.because().clone();
        let Reason::CampaignNeeds { beside: told, .. } = because else { panic!("{because}") };
        assert_eq!(told, beside, "{second} s");
    }
}

#[test]
fn a_campaign_that_needs_no_more_than_there_is_leaves_the_word_to_others() {
    let mut pool = pool();
    pool.look.at = moment(100.0);
    pool.set("requests", 1_600.0);
    let needed = pool.would_decide().recommendations[1].count().expect("it needs some");
    for (from, leaves_it) in [(needed, true), (needed.minus(1), false)] {
        pool.look.history.desired = Some(from);
        let opinion = pool.would_decide().recommendations[1].opinion.clone();
        assert_eq!(matches!(opinion, Opinion::AtLeast { .. }), leaves_it, "{opinion:?}");
    }
}

#[test]
fn that_so_few_are_enough_for_a_campaign_is_said_only_with_the_load_beside_it() {
    let is_blind = |pool: &Pool| pool.would_decide().recommendations[1].is_blind();
    let mut pool = pool().misses("requests");
    pool.look.at = moment(100.0);
    let needed = pool.would_decide().recommendations[1].count().expect("it needs some");
    pool.look.history.desired = Some(needed.minus(1));
    assert!(!is_blind(&pool), "what is announced needs one more");
    pool.look.history.desired = Some(needed);
    assert!(is_blind(&pool), "these may be too few");
    pool.look.history.desired = Some(NodeCount(60));
    pool.look.hints.hints[0].before = Some(1_600.0);
    assert!(!is_blind(&pool), "what was measured before is known");
    pool.set_partial("requests", 1_600.0);
    assert!(is_blind(&pool), "more than that may come by now");
}

#[test]
fn campaigns_at_the_same_time_add_up() {
    let mut pool = pool();
    pool.look.hints.hints.push(observed(Hint { id: HintId(uuid::Uuid::from_u128(8)), ..lunch() }));
    pool.look.at = moment(0.0);
    pool.set("requests", 1_600.0);
    // (1,600 + 2 × 1.2 × 4,000) / 400 = 28, and what late devices of the first minutes add.
    assert!((28..=29).contains(&pool.would_decide().to.0), "{:?}", why(&pool.would_decide()));
}

#[test]
fn without_its_signal_a_campaign_still_gets_its_nodes_and_none_leaves() {
    let mut pool = pool().misses("requests");
    pool.look.at = moment(0.0);
    // 1.2 × 4,000 / 400 = 12 without knowing what is beside.
    assert!((12..=13).contains(&pool.would_decide().to.0));
    pool.look.hints.hints[0].before = Some(1_600.0);
    assert!((16..=17).contains(&pool.would_decide().to.0), "what was measured before is known");
    pool.look.history.desired = Some(NodeCount(60));
    assert_eq!(pool.would_decide().to, NodeCount(60), "blind, so none leaves");
}

#[test]
fn an_observation_is_stored_with_what_was_announced_and_only_then() {
    let mut pool = pool();
    let stored = |pool: &Pool| serde_json::to_value(&pool.look).expect("JSON")["hints"].is_object();
    assert!(stored(&pool));
    pool.look.hints.hints.clear();
    assert!(!stored(&pool));
    pool.look.hints.lead_seconds = Some(60.0);
    assert!(stored(&pool));
}

#[test]
fn a_hint_tells_itself() {
    let mut pool = pool();
    pool.set("requests", 1_600.0);
    let ahead = pool.would_decide().recommendations[1].opinion.because().to_string();
    pool.look.at = moment(0.0);
    let needs = pool.would_decide().reasons[0].to_string();
    insta::assert_snapshot!([ahead, needs].join("\n"));
}

proptest::proptest! {
    /// Whatever is announced, the same look without it wants no more nodes; and nothing is taken
    /// from an observation that is stored and read back.
    #[test]
    fn a_hint_never_lowers_and_is_the_same_after_a_restart(
        load in 0.0..20_000.0_f64,
        size in 0_u64..5_000_000,
        spread in 0_u64..4_000,
        second in -4_000.0..4_000.0_f64,
        seen in proptest::option::of((0.0..10_000.0_f64, 0.0..50_000.0_f64)),
        from in 2_u32..150,
    ) {
        let mut pool = Pool::settled(hinted_policy(), from).reads("requests", load);
        pool.look.at = moment(second);
        let size = HintSize::Devices(size);
        let mut hint = observed(Hint { size, spread: self::seconds(spread), ..lunch() });
        (hint.before, hint.peak) = seen.unzip();
        let without = pool.would_decide();
        pool.look.hints.hints = vec![hint];
        let with = pool.would_decide();
        proptest::prop_assert!(without.to <= with.to, "{} became {}", without.to, with.to);
        let text = serde_json::to_string(&pool.look).expect("JSON");
        let restored = serde_json::from_str(&text).expect("what was written");
        proptest::prop_assert_eq!(decide(&pool.policy, &restored), with);
    }
}
