//! Announced campaigns in a rehearsal.

use std::fmt::Write as _;
use std::path::Path;

use windlass::policy::{self, Policy, Rule};
use windlass::sim::backtest::{Hint, Rehearse, Score, Trace, rehearse};

use super::settings;

/// A steady load of 800 req/s for six hours, and every hour a push of 60,000 devices over a minute
/// that lasts as long.
fn trace() -> Trace {
    let mut text = "timestamp_seconds,requests_per_second\n".to_owned();
    for second in (0..6 * 3_600).step_by(10) {
        let is_push = 1_800 <= second % 3_600 && second % 3_600 < 1_860;
        let rate = if is_push { 1_800 } else { 800 };
        writeln!(text, "{second},{rate}").expect("a string takes every line");
    }
    Trace::read("t", &text).expect("a good trace")
}

/// Each push, announced so many seconds before, with a share of its true size.
fn hints(ahead: f64, size: f64) -> Vec<Hint> {
    let hint = |hour: u32| {
        let starts_at = f64::from(hour) * 3_600.0 + 1_800.0;
        let announced_at = starts_at - ahead;
        Hint { announced_at, starts_at, requests: 60_000.0 * size, fan_out: 60.0 }
    };
    (0..6).map(hint).collect()
}

/// The reference policy for nodes of 128 req/s; with or without its rule for campaigns.
fn policy(hears: Hears) -> Policy {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("policies/notifications.yaml");
    let text = std::fs::read_to_string(&file).expect("the reference policy");
    let text = text.replace("per_node: 400", "per_node: 128");
    let mut policy = policy::parse(&text, &file).unwrap_or_else(|problems| panic!("{problems}"));
    match hears {
        Hears::Hints => {}
        Hears::Nothing => policy.rules.retain(|rule| !matches!(rule, Rule::Hint(_))),
    }
    assert_eq!(
        policy.rules.iter().any(|rule| matches!(rule, Rule::Hint(_))),
        hears == Hears::Hints
    );
    policy
}

#[derive(Clone, Copy, PartialEq)]
enum Hears {
    Hints,
    Nothing,
}

fn score(policy: Policy, hints: &[Hint]) -> Score {
    let (trace, settings) = (trace(), settings());
    let policies = [("p".to_owned(), policy)];
    let all =
        Rehearse { trace: &trace, settings: &settings, hints, policies: &policies, baselines: &[] };
    rehearse(&all).expect("derivable").scores.remove(0)
}

#[test]
fn announced_campaigns_lose_next_to_nothing() {
    let announced = hints(1_200.0, 1.0);
    let deaf = score(policy(Hears::Nothing), &announced);
    let hears = score(policy(Hears::Hints), &announced);
    let late = |score: &Score| score.announced_requests_violating_ratio.expect("campaigns came");
    assert!(0.10 < late(&deaf), "{deaf:?}");
    assert!(late(&hears) < 0.005, "{hears:?}");
}

#[test]
fn a_campaign_is_not_known_before_it_is_announced() {
    let late = score(policy(Hears::Hints), &hints(-3_000.0, 1.0));
    let never = score(policy(Hears::Hints), &[]);
    let violating = |score: &Score| score.violating_requests_ratio;
    assert!(0.01 < violating(&never), "{never:?}");
    assert_eq!(violating(&late), violating(&never), "announced when it was long over");
    assert_eq!(late.node_hours, never.node_hours);
}

#[test]
fn sizes_that_are_always_told_wrong_are_learned() {
    // Told three times too large: from the third on, the middle of what was seen counts.
    let honest = score(policy(Hears::Hints), &hints(1_200.0, 1.0));
    let boastful = score(policy(Hears::Hints), &hints(1_200.0, 3.0));
    let unlearned = honest.node_hours * 2.0;
    assert!(boastful.node_hours < unlearned, "{} of {unlearned}", boastful.node_hours);
    assert_eq!(boastful.announced_requests_violating_ratio.map(|ratio| ratio < 0.02), Some(true));
}

#[test]
fn what_the_policys_calendar_announces_needs_no_file() {
    let calendar = "\nhints: [{timezone: UTC, cron: '30 * * * *', devices: 60000, spread: 1m}]\n";
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("policies/notifications.yaml");
    let text = std::fs::read_to_string(&file).expect("the reference policy") + calendar;
    let policy_with = policy::parse(&text, &file).unwrap_or_else(|problems| panic!("{problems}"));
    let with = score(policy_with, &[]);
    let without = score(policy(Hears::Hints), &[]);
    assert!(0.01 < without.violating_requests_ratio, "{without:?}");
    assert!(with.violating_requests_ratio < 0.002, "{with:?}");
}
