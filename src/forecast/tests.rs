//! The forecaster as a whole, on demand made up for the purpose.

use std::time::Duration;

use proptest::prelude::*;

use super::*;
use crate::domain::Timestamp;

const DAY: i64 = 86_400;

/// A midnight.
fn at(second: i64) -> Timestamp {
    Timestamp::from_second(1_700_006_400 + second).expect("a moment")
}

fn settings() -> ForecastSettings {
    ForecastSettings::new(Duration::from_secs(180))
}

/// A forecaster that saw `demand` (by minute) once a minute.
fn seen(settings: ForecastSettings, minutes: i64, demand: impl Fn(i64) -> f64) -> Forecaster {
    let mut forecaster = Forecaster::new(settings);
    forecaster.backfill((0..minutes).map(|minute| (at(60 * (minute + 1)), demand(minute))));
    forecaster
}

/// A day that swings between 50 and 150, with noise that repeats.
fn daily(minute: i64) -> f64 {
    let phase = (minute % 1440) as f64 / 1440.0 * std::f64::consts::TAU;
    100.0 - 50.0 * phase.cos() + noise(minute)
}

/// Between -2 and 2, without a pattern.
fn noise(minute: i64) -> f64 {
    let mixed = (minute as u64).wrapping_mul(0x9E37_79B9_7F4A_7C15).rotate_left(31);
    (mixed.wrapping_mul(0xBF58_476D_1CE4_E5B9) >> 40) as f64 / (1 << 22) as f64 - 2.0
}

#[test]
fn before_a_day_of_history_the_forecast_says_so_and_raises_nothing() {
    let forecaster = Forecaster::new(settings());
    let forecast = forecaster.forecast(at(0));
    let day = Duration::from_secs(86_400);
    assert_eq!(forecast.verdict, Verdict::NotEnoughHistory { have: Duration::ZERO, need: day });
    assert_eq!((forecast.bound, forecast.error, forecast.raises_to()), (0.0, None, None));

    let forecast = seen(settings(), 600, daily).forecast(at(600 * 60));
    let have = Duration::from_secs(36_000);
    assert_eq!(forecast.verdict, Verdict::NotEnoughHistory { have, need: day });
    assert!(0.0 < forecast.bound, "it may be shown, though");
    assert_eq!(forecast.raises_to(), None);

    let forecast = seen(settings(), 1440, daily).forecast(at(DAY));
    assert_eq!(forecast.verdict, Verdict::Trusted);
    assert_eq!(forecast.raises_to(), Some(forecast.bound));
}

#[test]
fn a_calm_day_needs_little_headroom_and_gets_what_was_asked_for() {
    let minutes = 3 * 1440 + 600;
    let forecaster = seen(settings(), minutes, daily);
    let forecast = forecaster.forecast(at(minutes * 60));
    let coming = (minutes..minutes + 4).map(daily).fold(0.0, f64::max);
    assert!(coming * 0.97 < forecast.bound && forecast.bound < coming * 1.1, "{forecast:?}");
    let (error, covered) = (forecast.error.expect("known"), forecast.coverage.expect("known"));
    assert!(error < 0.03, "{error}");
    assert!((covered - forecast.quantile).abs() < 0.02, "{covered} of {}", forecast.quantile);
    let shares = forecaster.shares();
    assert_eq!(shares[0].expert, "persistence");
    assert!((shares.iter().map(|share| share.weight).sum::<f64>() - 1.0).abs() < 1e-9);
    assert_eq!(forecast.horizon, Duration::from_secs(240));
}

#[test]
fn a_burst_by_the_clock_is_foreseen_and_the_quiet_minutes_are_not_charged_for_it() {
    // Every hour from minute 30 to 35, demand is five times as high.
    let bursts =
        |minute: i64| daily(minute) * if (30..36).contains(&(minute % 60)) { 5.0 } else { 1.0 };
    let start = 3 * 1440 + 12 * 60;
    let bound = |minute: i64| seen(settings(), minute, bursts).forecast(at(minute * 60)).bound;
    assert!(700.0 < bound(start + 29), "the minute before: {}", bound(start + 29));
    assert!(bound(start + 10) < 250.0, "long before: {}", bound(start + 10));
    assert!(bound(start + 45) < 250.0, "after: {}", bound(start + 45));
}

#[test]
fn what_rises_within_the_open_minute_comes_on_top() {
    let mut forecaster = seen(settings(), 1500, |_| 100.0);
    let before = forecaster.forecast(at(1500 * 60)).bound;
    forecaster.observe(at(1500 * 60 + 20), 140.0);
    assert_eq!(forecaster.forecast(at(1500 * 60 + 20)).bound, before + 40.0);
    forecaster.observe(at(1500 * 60 + 30), 60.0);
    assert_eq!(forecaster.forecast(at(1500 * 60 + 30)).bound, before, "a fall takes nothing");
}

#[test]
fn silence_is_not_zero_and_after_a_while_the_bound_is_not_believed() {
    let mut forecaster = seen(settings(), 2 * 1440, daily);
    let end = 2 * DAY;
    let fresh = forecaster.forecast(at(end));
    let stale = forecaster.forecast(at(end + 3600));
    assert_eq!((fresh.bound, &fresh.verdict), (stale.bound, &Verdict::Trusted));
    let lasting = Duration::from_secs(3600);
    assert_eq!(stale.verdict, Verdict::Distrusted { why: Doubt::Silent { lasting } });
    for wrong in [f64::NAN, f64::INFINITY, -1.0] {
        forecaster.observe(at(end + 60), wrong);
    }
    assert_eq!(forecaster.forecast(at(end)), fresh, "what is no number is no measurement");
    // Two hours later it comes back as the day would have it.
    let minute = 2 * 1440 + 120;
    (0..10).for_each(|more| forecaster.observe(at(60 * (minute + more + 1)), daily(minute + more)));
    let back = forecaster.forecast(at(60 * (minute + 10)));
    let coming = daily(minute + 12);
    assert_eq!(back.verdict, Verdict::Trusted);
    assert!(coming * 0.9 < back.bound && back.bound < coming * 1.2, "{back:?} {coming}");
}

#[test]
fn after_weeks_of_silence_there_is_not_enough_history_again() {
    let mut forecaster = seen(settings(), 2000, daily);
    forecaster.observe(at(40 * DAY), 100.0);
    let forecast = forecaster.forecast(at(40 * DAY));
    let have = Duration::from_secs(60);
    assert!(matches!(forecast.verdict, Verdict::NotEnoughHistory { have: h, .. } if h == have));
    assert!(forecast.bound.is_finite() && 100.0 <= forecast.bound);
}

#[test]
fn backfill_says_how_much_it_learned_and_passes_over_what_is_old() {
    let mut forecaster = Forecaster::new(settings());
    let samples = |from: i64, to: i64| (from..to).map(|minute| (at(60 * minute), 10.0));
    assert_eq!(forecaster.backfill(samples(1, 101)), 100);
    assert_eq!(forecaster.backfill(samples(50, 120)), 19);
}

#[test]
fn an_outage_to_zero_does_not_blow_the_bound_up() {
    let outage = |minute: i64| if (2000..2030).contains(&minute) { 0.0 } else { daily(minute) };
    let mut forecaster = seen(settings(), 2000, outage);
    for minute in 2000..2400 {
        forecaster.observe(at(60 * (minute + 1)), outage(minute));
        let bound = forecaster.forecast(at(60 * (minute + 1))).bound;
        assert!(bound.is_finite() && bound <= 2.0 * 160.0, "minute {minute}: {bound}");
    }
    assert!(forecaster.forecast(at(2400 * 60)).bound < 1.5 * daily(2400));
}

#[test]
fn forecast_only_shows_the_bound_and_raises_nothing() {
    let watching = ForecastSettings { mode: Mode::ForecastOnly, ..settings() };
    let forecast = seen(watching, 1500, daily).forecast(at(1500 * 60));
    assert_eq!((forecast.verdict.clone(), forecast.raises_to()), (Verdict::Trusted, None));
    assert!(50.0 < forecast.bound);
}

#[test]
fn a_forecast_reads_well_as_json() {
    let forecaster = seen(settings(), 1500, daily);
    let json = |second| serde_json::to_value(forecaster.forecast(at(second))).expect("JSON");
    let forecast = json(1500 * 60);
    assert_eq!(forecast["verdict"], "trusted");
    assert_eq!((&forecast["horizon"], &forecast["history"]), (&"4m".into(), &"1day 1h".into()));
    assert_eq!((&forecast["mode"], &forecast["level"]), (&"raise".into(), &0.95.into()));
    let stale = json(1500 * 60 + 7200);
    assert_eq!(stale["verdict"], "distrusted");
    assert_eq!(
        (&stale["why"]["doubt"], &stale["why"]["lasting"]),
        (&"silent".into(), &"2h".into())
    );
}

#[test]
fn a_higher_level_buys_more_headroom_and_a_longer_horizon_looks_further() {
    let of = |level: f64, seconds: u64| {
        let level = Level::new(level).expect("a level");
        let settings =
            ForecastSettings { level, horizon: Duration::from_secs(seconds), ..settings() };
        let ramp = |minute: i64| daily(minute) + 10.0 * noise(minute / 3);
        seen(settings, 2000, ramp).forecast(at(2000 * 60)).bound
    };
    let bounds = [(0.8, 180), (0.9, 180), (0.95, 180), (0.99, 180)].map(|(l, h)| of(l, h));
    assert!(bounds.is_sorted(), "{bounds:?}");
    assert!(bounds[0] < bounds[3]);
    assert!(of(0.95, 60) < of(0.95, 900));
}

#[test]
fn a_new_lead_time_is_learned_from_the_history_that_is_kept() {
    let mut moved = seen(settings(), 1600, daily);
    let longer = ForecastSettings { horizon: Duration::from_secs(420), ..settings() };
    moved.follow(longer);
    let direct = seen(longer, 1600, daily);
    assert_eq!(moved.forecast(at(1600 * 60)), direct.forecast(at(1600 * 60)));

    let held = moved.forecast(at(1600 * 60));
    let one_less = ForecastSettings { horizon: Duration::from_secs(360), ..settings() };
    moved.follow(one_less);
    assert_eq!(moved.forecast(at(1600 * 60)), held, "one minute less changes nothing yet");
    moved.follow(settings());
    assert_eq!(moved.forecast(at(1600 * 60)).horizon, Duration::from_secs(240));
}

#[test]
fn a_state_of_another_form_is_refused_and_a_damaged_one_too() {
    let state = serde_json::to_string(&seen(settings(), 100, daily)).expect("JSON");
    let read = |text: &str| {
        serde_json::from_str::<Forecaster>(text).map(|_| ()).map_err(|e| e.to_string())
    };
    assert_eq!(read(&state), Ok(()));
    let other = state.replacen("\"version\":1", "\"version\":2", 1);
    assert!(read(&other).expect_err("refused").contains("form 2"), "{:?}", read(&other));
    let damaged = state.replacen("\"coefficients\":[]", "\"coefficients\":[1.0]", 1);
    assert_ne!(damaged, state);
    assert!(read(&damaged).expect_err("refused").contains("damaged"), "{:?}", read(&damaged));
}

#[test]
fn two_weeks_of_state_are_small() {
    let mut forecaster = seen(settings(), 300, daily);
    // The ring is as large as it gets once it is full of anything.
    forecaster.observe(at(13 * DAY), 100.0);
    let state = serde_json::to_string(&forecaster).expect("JSON");
    assert!((80_000..200_000).contains(&state.len()), "{} bytes", state.len());
}

/// One stretch of looks: how many, how far apart, how much demand, known or not.
fn stretches() -> impl Strategy<Value = Vec<(i64, i64, f64, bool)>> {
    let demand = prop_oneof![Just(0.0), 1e-6..1e6_f64, Just(1e300), 90.0..110.0_f64];
    let stretch =
        (1..120_i64, prop_oneof![1..90_i64, Just(60), 60..4000_i64], demand, any::<bool>());
    proptest::collection::vec(stretch, 1..12)
}

/// Feeds the stretches from `second` on and says when they end.
fn feed(forecaster: &mut Forecaster, stretches: &[(i64, i64, f64, bool)], mut second: i64) -> i64 {
    for (count, apart, demand, known) in stretches {
        for look in 0..*count {
            second += apart;
            if *known {
                forecaster.observe(at(second), demand * (1.0 + 0.01 * (look % 7) as f64));
            }
        }
    }
    second
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(12))]

    #[test]
    fn whatever_is_measured_the_forecast_is_finite_and_never_negative(
        stretches in stretches(), horizon in 0..4000_u64,
    ) {
        let horizon = Duration::from_secs(horizon);
        let mut forecaster = Forecaster::new(ForecastSettings { horizon, ..settings() });
        let end = feed(&mut forecaster, &stretches, 0);
        let forecast = forecaster.forecast(at(end));
        for number in [forecast.bound, forecast.expected, forecast.trim] {
            prop_assert!(number.is_finite() && 0.0 <= number, "{:?}", forecast);
        }
        prop_assert!(forecast.error.is_none_or(|error| error.is_finite() && 0.0 <= error));
        prop_assert!(forecast.coverage.is_none_or(|share| (0.0..=1.0).contains(&share)));
    }

    #[test]
    fn a_restored_forecaster_goes_on_bit_for_bit(before in stretches(), after in stretches()) {
        let mut forecaster = seen(settings(), 1445, daily);
        let middle = feed(&mut forecaster, &before, 1445 * 60);
        let state = serde_json::to_string(&forecaster).expect("JSON");
        let mut restored: Forecaster = serde_json::from_str(&state).expect("a state");
        prop_assert_eq!(restored.forecast(at(middle)), forecaster.forecast(at(middle)));
        let end = feed(&mut forecaster, &after, middle);
        feed(&mut restored, &after, middle);
        prop_assert_eq!(restored.forecast(at(end)), forecaster.forecast(at(end)));
        let (one, other) = (serde_json::to_string(&forecaster), serde_json::to_string(&restored));
        prop_assert_eq!(one.expect("JSON"), other.expect("JSON"));
    }

    #[test]
    fn gaps_are_survived(gaps in proptest::collection::vec((0..2880_i64, 1..300_i64), 1..6)) {
        let mut forecaster = Forecaster::new(settings());
        for minute in 0..2880 {
            if !gaps.iter().any(|(from, length)| (*from..from + length).contains(&minute)) {
                forecaster.observe(at(60 * (minute + 1)), daily(minute));
            }
        }
        (2880..2885).for_each(|minute| forecaster.observe(at(60 * (minute + 1)), daily(minute)));
        let forecast = forecaster.forecast(at(2885 * 60));
        let coming = (2885..2889).map(daily).fold(0.0, f64::max);
        prop_assert!(coming * 0.8 < forecast.bound && forecast.bound < coming * 2.0, "{:?}", forecast);
    }
}
