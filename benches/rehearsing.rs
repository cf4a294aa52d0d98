//! Rehearsing: a year of one-minute rates, decided every ten seconds, engine only.
//!
//! Budget: a year with one policy below 2 s.

use std::path::Path;

use windlass::domain::{Dollars, NodeCount};
use windlass::policy::{Policy, parse};
use windlass::sim::backtest::{Bounds, Lasts, NodeModel, Rehearse, Settings, Trace, rehearse};

/// One rule that reacts.
const MINIMAL: &str = include_str!("../policies/minimal.yaml");
/// Seven rules, a forecast among them.
const NOTIFICATIONS: &str = include_str!("../policies/notifications.yaml");

const MINUTES_OF_A_DAY: u32 = 1_440;

fn main() {
    divan::main();
}

/// Days of a wave with noise, each with a burst of a quarter of an hour.
fn trace(days: u32) -> Trace {
    let rate = |minute: u32| {
        let of_day = minute % MINUTES_OF_A_DAY;
        let turn = f64::from(of_day) / f64::from(MINUTES_OF_A_DAY) * std::f64::consts::TAU;
        let noise = f64::from(minute.wrapping_mul(2_654_435_761) % 1_000) / 5_000.0 + 0.9;
        let burst = if (700..715).contains(&of_day) { 1_500.0 } else { 0.0 };
        2_000.0 * (1.0 - 0.6 * turn.cos()) * noise + burst
    };
    let rates = (0..days * MINUTES_OF_A_DAY).map(rate).collect();
    Trace::from_samples("a year", 60.0, rates).expect("long enough")
}

fn settings() -> Settings {
    Settings {
        node: NodeModel::new(8, 20.0, 0.25),
        bounds: Bounds { min: NodeCount(2), max: NodeCount(40) },
        boot: Lasts::always(120),
        drain: Lasts::always(60),
        lag: 15,
        interval: 10,
        scored_from: 2 * 86_400,
        seed: 1,
        hourly_price: Dollars::new(0.036).expect("a price"),
    }
}

fn policy(text: &str) -> Policy {
    parse(text, Path::new("policy.yaml")).unwrap_or_else(|problems| panic!("{problems}"))
}

fn rehearse_with(bencher: divan::Bencher, policies: &[(String, Policy)]) {
    let settings = settings();
    let trace = trace(365).scaled_to_peak(38, &settings.node).expect("not silent");
    let all = Rehearse { trace: &trace, settings: &settings, hints: &[], policies, baselines: &[] };
    bencher.bench(|| rehearse(&all).expect("rates and latencies alone"));
}

#[divan::bench(sample_count = 3, sample_size = 1)]
fn a_year_without_any_policy(bencher: divan::Bencher) {
    rehearse_with(bencher, &[]);
}

#[divan::bench(sample_count = 3, sample_size = 1)]
fn a_year_with_one_rule(bencher: divan::Bencher) {
    rehearse_with(bencher, &[("minimal".to_owned(), policy(MINIMAL))]);
}

#[divan::bench(sample_count = 3, sample_size = 1)]
fn a_year_with_seven_rules(bencher: divan::Bencher) {
    rehearse_with(bencher, &[("notifications".to_owned(), policy(NOTIFICATIONS))]);
}
