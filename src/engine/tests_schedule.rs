//! When a schedule's windows are open, and what they do to the bounds.

use proptest::prelude::*;

use super::fixture::*;
use super::{Distance, explain};
use crate::domain::{Duration, NodeCount, Timestamp, before};
use crate::policy::{CronPattern, Policy, Rule, ScheduleRule, When, Window, Zone, expired};

fn moment(text: &str) -> Timestamp {
    text.parse().expect("a legal moment")
}

fn zone(name: &str) -> Zone {
    Zone::named(name).expect("a known zone")
}

fn again(zone_name: &str, cron: &str, lasts: Duration) -> ScheduleRule {
    let cron = CronPattern::parse(cron).expect("a legal pattern");
    ScheduleRule {
        timezone: zone(zone_name),
        when: When::Again { cron, lasts },
        at_least: Some(NodeCount(8)),
        at_most: None,
    }
}

fn once(opens: &str, closes: &str) -> ScheduleRule {
    let window = Window { opens: moment(opens), closes: moment(closes) };
    ScheduleRule { when: When::Once(window), ..again("UTC", "0 0 * * *", minutes(1)) }
}

fn with_counts(
    rule: ScheduleRule,
    at_least: impl Into<Option<u32>>,
    at_most: impl Into<Option<u32>>,
) -> ScheduleRule {
    let (at_least, at_most) = (at_least.into().map(NodeCount), at_most.into().map(NodeCount));
    ScheduleRule { at_least, at_most, ..rule }
}

/// 400 req/s a node, and these schedules.
fn policy_with(schedules: impl IntoIterator<Item = ScheduleRule>) -> Policy {
    let mut policy = policy();
    policy.rules.extend(schedules.into_iter().map(Rule::Schedule));
    policy
}

fn bounds_at(schedules: impl IntoIterator<Item = ScheduleRule>, at: Timestamp) -> (u32, u32) {
    let bounds = policy_with(schedules).bounds_at(at);
    (bounds.min.0, bounds.max.0)
}

// Windows.

#[test]
fn a_window_opens_and_closes_by_the_clock_of_its_zone() {
    // Changes of clocks in 2026 by the IANA database: Berlin 29 March 01:00Z (02:00 to 03:00) and
    // 25 October 01:00Z (03:00 to 02:00); New York 8 March 07:00Z; Lord Howe, half an hour, 4 April
    // 15:00Z back and 3 October 15:30Z (02:00 to 02:30); India and UTC never.
    for (case, name, cron, hours, before_it, opens, closes) in [
        (
            "winter",
            "Europe/Berlin",
            "0 17 * * 1-5",
            3,
            "2026-03-02T12:00Z",
            "2026-03-02T16:00Z",
            "2026-03-02T19:00Z",
        ),
        (
            "summer",
            "Europe/Berlin",
            "0 17 * * 1-5",
            3,
            "2026-07-01T12:00Z",
            "2026-07-01T15:00Z",
            "2026-07-01T18:00Z",
        ),
        (
            "over a weekend",
            "Europe/Berlin",
            "0 17 * * 1-5",
            3,
            "2026-07-03T19:00Z",
            "2026-07-06T15:00Z",
            "2026-07-06T18:00Z",
        ),
        (
            "a zone without changes",
            "Asia/Kolkata",
            "0 17 * * *",
            3,
            "2026-07-01T11:00Z",
            "2026-07-01T11:30Z",
            "2026-07-01T14:30Z",
        ),
        (
            "UTC",
            "UTC",
            "0 17 * * *",
            3,
            "2026-07-01T11:00Z",
            "2026-07-01T17:00Z",
            "2026-07-01T20:00Z",
        ),
        (
            "a start in the gap",
            "Europe/Berlin",
            "30 2 * * *",
            1,
            "2026-03-28T20:00Z",
            "2026-03-29T01:00Z",
            "2026-03-29T02:00Z",
        ),
        (
            "half an hour's gap",
            "Australia/Lord_Howe",
            "15 2 * * *",
            1,
            "2026-10-03T12:00Z",
            "2026-10-03T15:30Z",
            "2026-10-03T16:30Z",
        ),
        (
            "the hour before a gap",
            "America/New_York",
            "30 1 * * *",
            2,
            "2026-03-08T00:00Z",
            "2026-03-08T06:30Z",
            "2026-03-08T08:30Z",
        ),
        (
            "a start that comes twice",
            "Europe/Berlin",
            "30 2 * * *",
            1,
            "2026-10-24T20:00Z",
            "2026-10-25T00:30Z",
            "2026-10-25T01:30Z",
        ),
        (
            "and not again",
            "Europe/Berlin",
            "30 2 * * *",
            1,
            "2026-10-25T00:30Z",
            "2026-10-26T01:30Z",
            "2026-10-26T02:30Z",
        ),
        (
            "real time over a long night",
            "Europe/Berlin",
            "30 1 * * *",
            3,
            "2026-10-24T20:00Z",
            "2026-10-24T23:30Z",
            "2026-10-25T02:30Z",
        ),
        (
            "real time over a short night",
            "Europe/Berlin",
            "30 1 * * *",
            3,
            "2026-03-28T20:00Z",
            "2026-03-29T00:30Z",
            "2026-03-29T03:30Z",
        ),
        (
            "a leap day",
            "UTC",
            "0 0 29 2 *",
            24,
            "2026-03-01T00:00Z",
            "2028-02-29T00:00Z",
            "2028-03-01T00:00Z",
        ),
    ] {
        let rule = again(name, cron, Duration::from_secs(hours * 3600));
        let expected = Window { opens: moment(opens), closes: moment(closes) };
        assert_eq!(rule.next(moment(before_it)), Some(expected), "{case}");
        let instant = Duration::from_nanos(1);
        for (at, is_open) in [
            (before(expected.opens, instant), false),
            (expected.opens, true),
            (before(expected.closes, instant), true),
            (expected.closes, false),
        ] {
            assert_eq!(rule.open(at), is_open.then_some(expected), "{case} at {at}");
        }
    }
}

#[test]
fn a_window_that_is_open_when_it_opens_again_is_the_later_one() {
    let rule = again("UTC", "0 * * * *", minutes(90));
    let open = rule.open(moment("2026-07-01T12:15Z")).expect("it is open");
    assert_eq!(open.closes, moment("2026-07-01T13:30Z"));
}

#[test]
fn a_window_that_closed_for_ever_is_expired() {
    let past = once("2026-03-01T12:00Z", "2026-03-02T12:00Z");
    let open = once("2026-03-01T12:00Z", "2026-03-02T12:01Z");
    let policy = policy_with([past, open, again("UTC", "0 0 1 1 *", minutes(5))]);
    assert_eq!(expired(&policy, noon()), ["rules[1].schedule"]);
    assert_eq!(expired(&policy, before(noon(), seconds(1))), [] as [String; 0]);
    let opens = once("2026-03-02T12:00Z", "2026-03-02T13:00Z");
    assert_eq!(opens.next(noon()), None, "it is open, and there is no other");
    assert!(opens.next(before(noon(), seconds(1))).is_some());
}

// Bounds.

#[test]
fn an_open_window_moves_the_bounds_and_several_the_furthest() {
    let rush = || again("UTC", "0 11 * * *", minutes(120));
    let night = || again("UTC", "0 22 * * *", minutes(120));
    for (schedules, bounds, because) in [
        (vec![night()], (2, 40), "it is closed"),
        (vec![rush()], (8, 40), "a floor"),
        (vec![with_counts(rush(), None, 20)], (2, 20), "a ceiling"),
        (
            vec![rush(), with_counts(rush(), 12, 30), with_counts(rush(), 9, 35)],
            (12, 30),
            "several",
        ),
        (
            vec![with_counts(rush(), 12, None), with_counts(rush(), None, 10)],
            (12, 12),
            "the floor holds",
        ),
        (vec![with_counts(rush(), 1, 50)], (2, 40), "never beyond the policy's own"),
        (vec![with_counts(rush(), 60, None)], (40, 40), "nothing passes the largest count"),
    ] {
        assert_eq!(bounds_at(schedules, noon()), bounds, "{because}");
    }
}

#[test]
fn of_windows_with_the_same_count_the_one_that_closes_last_speaks() {
    let first = |floor: u32, ceiling: u32| {
        with_counts(once("2026-03-02T11:00Z", "2026-03-02T12:30Z"), floor, ceiling)
    };
    let last = |floor: u32, ceiling: u32| {
        with_counts(once("2026-03-02T11:30Z", "2026-03-02T13:00Z"), floor, ceiling)
    };
    for schedules in
        [[first(8, 20), last(8, 20)], [last(8, 20), first(8, 20)], [last(60, 20), first(50, 20)]]
    {
        let bounds = policy_with(schedules).bounds_at(noon());
        let closes = Some(moment("2026-03-02T13:00Z"));
        assert_eq!((bounds.floor_until, bounds.ceiling_until), (closes, closes));
    }
}

#[test]
fn a_floor_that_meets_a_ceiling_leaves_it_its_own_end() {
    let floor = with_counts(once("2026-03-02T11:00Z", "2026-03-02T12:30Z"), 9, None);
    let ceiling = with_counts(once("2026-03-02T11:00Z", "2026-03-02T13:00Z"), None, 9);
    let bounds = policy_with([floor, ceiling]).bounds_at(noon());
    assert_eq!((bounds.min, bounds.max), (NodeCount(9), NodeCount(9)));
    assert_eq!(bounds.floor_until, Some(moment("2026-03-02T12:30Z")));
    assert_eq!(bounds.ceiling_until, Some(moment("2026-03-02T13:00Z")));
}

#[test]
fn a_floor_is_there_at_once_and_the_measured_load_decides_afterwards() {
    let mut policy = policy_with([again("UTC", "10 12 * * *", minutes(10))]);
    policy.scale_out.pace = vec![nodes_per(1, minutes(1))];
    policy.scale_in.pace = vec![nodes_per(2, minutes(5))];
    let mut pool = Pool::settled(policy, 3).reads("requests", 1_200.0);
    let counts = pool.counts_for(minutes(30));
    let at = |minute: usize, second: usize| counts[minute * 12 + second / 5 - 1];
    assert_eq!((at(9, 55), at(10, 0), at(19, 55)), (3, 8, 8));
    assert_eq!((at(20, 0), at(25, 0), at(30, 0)), (6, 4, 3), "as the pace of leaving allows");
}

#[test]
fn a_floor_holds_for_a_pool_that_is_held_or_blind() {
    let mut pool = Pool::settled(policy_with([once("2026-03-02T11:00Z", "2026-03-02T13:00Z")]), 3);
    pool.look.is_held = true;
    let decision = pool.would_decide();
    assert_eq!((to(&decision), why(&decision)[0]), (8, "raised_to_schedule"));
}

#[test]
fn a_ceiling_holds_whatever_the_load_and_says_until_when() {
    let night = with_counts(once("2026-03-02T11:00Z", "2026-03-02T20:00Z"), None, 10);
    let decision = Pool::settled(policy_with([night]), 10).reads("requests", 9_000.0).decides();
    assert_eq!(to(&decision), 10);
    assert_eq!(
        decision.reasons[0].to_string(),
        "wanted 23 nodes; the schedule allows no more than 10 until 2026-03-02 20:00 UTC"
    );
}

#[test]
fn a_schedule_is_no_opinion_and_no_signal() {
    let mut policy = policy_with([again("UTC", "0 11 * * *", minutes(120))]);
    policy.rules.remove(0);
    let decision = Pool::settled(policy, 20).decides();
    assert_eq!(to(&decision), 20, "a floor makes no node leave");
    assert_eq!(why(&decision), ["no_opinion", "schedule_open"], "nor is the pool blind");
    assert_eq!(decision.recommendations[0].rule, "schedule");
}

#[test]
fn the_first_decision_starts_from_the_policys_own_bounds() {
    let ceiling = with_counts(once("2026-03-02T11:00Z", "2026-03-02T13:00Z"), None, 4);
    let mut pool = Pool::settled(policy_with([ceiling]), 9).reads("requests", 3_600.0);
    pool.look.history = Default::default();
    let decision = pool.would_decide();
    assert_eq!((decision.from.0, to(&decision)), (9, 4));
}

// What comes next.

#[test]
fn the_next_window_is_told_before_it_opens() {
    let mut policy = policy_with([again("UTC", "40 12 * * *", minutes(10))]);
    policy.scale_in.stabilize = minutes(10);
    let mut pool = Pool::watched(policy, 3, 1_200.0);
    pool.look.at = moment("2026-03-03T12:20Z");
    pool.decides();
    let distances = explain(&pool.would_decide(), &pool.look, &pool.policy).distances;
    assert_eq!(
        distances[0].to_string(),
        "scale-out to 8 nodes in 20 min, at 12:40:00 UTC, if nothing else changes: wanted 3 nodes; \
         the schedule keeps at least 8 until 2026-03-03 12:50 UTC"
    );
    pool.look.at = moment("2026-03-03T12:45Z");
    assert_eq!(to(&pool.decides()), 8);
    let decision = pool.decides_after(seconds(5));
    let distances = explain(&decision, &pool.look, &pool.policy).distances;
    let told = distances[0].to_string();
    assert!(told.starts_with("scale-in to 3 nodes in 4 min 55 s, at 12:50:00 UTC, if "), "{told}");
}

#[test]
fn what_adds_nodes_before_a_window_does_is_told_beside_it() {
    let policy = policy_with([again("UTC", "40 12 * * *", minutes(10))]);
    let mut pool = Pool::watched(policy, 3, 1_200.0);
    pool.look.at = moment("2026-03-03T12:20Z");
    let decision = pool.decides();
    let told = explain(&decision, &pool.look, &pool.policy).distances;
    assert!(told[0].to_string().starts_with("scale-out to 8 nodes in 20 min"), "{told:?}");
    assert_eq!(
        told[1].to_string(),
        "1 more req/s on requests adds 1 node, to 4 (target:requests)",
        "fewer than the window brings, but now"
    );
}

#[test]
fn an_edge_is_looked_for_up_to_a_moment_and_at_it() {
    let policy = policy_with([again("UTC", "40 12 * * *", minutes(10))]);
    let opens = moment("2026-03-02T12:40Z");
    assert_eq!(policy.next_window_edge(noon(), opens), Some(opens));
    assert_eq!(policy.next_window_edge(noon(), before(opens, seconds(1))), None);
}

#[test]
fn a_window_that_is_more_than_a_day_off_is_no_news() {
    let rule = again("UTC", "0 12 * * 3", minutes(10));
    let pool = Pool::settled(policy_with([rule]), 3).reads("requests", 1_200.0);
    let explanation = explain(&pool.would_decide(), &pool.look, &pool.policy);
    let by_time = explanation.distances.iter().find(|next| matches!(next, Distance::ByTime { .. }));
    assert_eq!(by_time, None, "noon is a Monday");
    assert_eq!(
        explanation.rules[1].to_string(),
        "schedule has no opinion: at least 8 nodes from 2026-03-04 12:00 UTC"
    );
}

proptest! {
    #[test]
    fn scheduled_bounds_always_hold_and_a_look_repeats_itself(
        load in 0.0..20_000.0_f64,
        (every, lasts) in (1..30_u64, 1..40_u64),
        (floor, more) in (2..20_u32, 0..20_u32),
        pauses in proptest::collection::vec(1..2_000_u64, 1..40),
    ) {
        let rule = again("Europe/Berlin", &format!("*/{every} * * * *"), minutes(lasts));
        let policy = policy_with([with_counts(rule, floor, floor + more)]);
        let mut pool = Pool::settled(policy, 10).reads("requests", load);
        for pause in pauses {
            let decision = pool.decides_after(seconds(pause));
            let bounds = pool.policy.bounds_at(pool.look.at);
            prop_assert!((bounds.min..=bounds.max).contains(&decision.to));
            prop_assert_eq!(decision.to, pool.would_decide().to);
        }
    }
}
