//! What holds for every policy and every series of looks.

use proptest::prelude::*;

use super::fixture::*;
use super::{
    Belief, Costs, Decision, Foreseen, Guard, HeldChange, History, Observation, OrderedCount,
    OrderedHold, Overrides, decide, explain,
};
use crate::domain::{
    Dollars, Duration, FleetCounts, Missing, NodeCount, Reading, Sample, Timestamp, after,
};
use crate::forecast::Level;
use crate::policy::{
    Band, BandAction, Budget, Control, CronPattern, Effectiveness, Measures, Pace, PaceSelect,
    Policy, Rule, Samples, ScheduleRule, StepRounding, StepRule, Tolerance, When, Zone,
};

/// One look of a series: what is seen, and how long after the one before.
#[derive(Clone, Debug)]
pub(super) struct Seen {
    pause: Duration,
    requests: Reading,
    surge: Reading,
    p95: Reading,
    queue: Reading,
    serving: u32,
    /// What the largest rate of `requests` should stay under.
    bound: Option<f64>,
    overrides: Overrides,
    costs: Option<Costs>,
}

fn any_select() -> impl Strategy<Value = PaceSelect> {
    prop_oneof![
        6 => Just(PaceSelect::Largest),
        2 => Just(PaceSelect::Smallest),
        1 => Just(PaceSelect::Disabled),
    ]
}

fn any_dollars(most: f64) -> impl Strategy<Value = Dollars> {
    (0.001..most).prop_map(|amount| Dollars::new(amount).expect("a sane amount"))
}

prop_compose! {
    fn any_budget()(
        hourly in proptest::option::of(any_dollars(4.0)),
        monthly in any_dollars(2_000.0),
        soft in 1.0..100.0_f64,
    ) -> Budget {
        Budget { hourly, monthly: hourly.is_none().then_some(monthly), soft: percent(soft) }
    }
}

prop_compose! {
    fn any_costs()(
        node_hourly in proptest::option::weighted(0.8, any_dollars(0.2)),
        spent in any_dollars(1_000.0),
        paid_ahead in any_dollars(4.0),
        month_seconds_left in 0..2_678_400_u64,
    ) -> Costs {
        Costs { node_hourly, spent, paid_ahead, month_seconds_left }
    }
}

/// When an order ends, in minutes after noon: some have ended before they are looked at.
fn any_end() -> impl Strategy<Value = Option<Timestamp>> {
    proptest::option::of((0..600_u64).prop_map(|end| after(noon(), minutes(end))))
}

fn any_order() -> impl Strategy<Value = Option<OrderedCount>> {
    let order = (0..60_u32, any_end())
        .prop_map(|(count, until)| OrderedCount { count: NodeCount(count), until });
    proptest::option::weighted(0.15, order)
}

prop_compose! {
    fn any_overrides()(
        set in any_order(),
        floor in any_order(),
        ceiling in any_order(),
        holds in proptest::option::weighted(0.1, (any::<bool>(), any_end())),
    ) -> Overrides {
        let holds = holds.into_iter().map(|(out, until)| OrderedHold {
            change: if out { HeldChange::ScaleOut } else { HeldChange::ScaleIn },
            until,
        });
        Overrides { set, floor, ceiling, holds: holds.collect(), ..Overrides::default() }
    }
}

fn any_pace() -> impl Strategy<Value = Vec<Pace>> {
    let nodes = (1..12_u32, 1..20_u64).prop_map(|(nodes, per)| nodes_per(nodes, minutes(per)));
    let share =
        (1.0..200.0_f64, 1..20_u64).prop_map(|(share, per)| percent_per(share, minutes(per)));
    proptest::collection::vec(prop_oneof![nodes, share], 0..3)
}

prop_compose! {
    /// Fewer below, more above, as a sane operator orders them; some must last.
    fn any_step()(
        (low, high) in (0.0..500.0_f64, 500.0..1_000.0_f64),
        (lasts, lasts_below) in (prop_oneof![Just(0), 1..200_u64], prop_oneof![Just(0), 1..200_u64]),
        (nodes, share) in (1..10_u32, 1.0..60.0_f64),
        (by_share, fewer) in (any::<bool>(), any::<bool>()),
        rounding in prop_oneof![Just(StepRounding::Nomad), Just(StepRounding::Aws)],
    ) -> StepRule {
        let add = match by_share {
            true => BandAction::AddPercent(percent(share)),
            false => BandAction::Add(nodes),
        };
        let remove = match by_share {
            true => BandAction::RemovePercent(percent(share)),
            false => BandAction::Remove(nodes),
        };
        let above = Band { for_at_least: seconds(lasts), ..band(Some(high), None, add) };
        let below = Band { for_at_least: seconds(lasts_below), ..band(None, Some(low), remove) };
        let bands = if fewer { vec![above, below] } else { vec![above] };
        StepRule { rounding, ..step_rule("queue", &bands) }
    }
}

prop_compose! {
    /// Floors that open and close again and again.
    fn any_floors()(every in 2..30_u64, lasts in 1..30_u64, floor in 0..70_u32) -> ScheduleRule {
        let cron = CronPattern::parse(&format!("*/{every} * * * *")).expect("a legal pattern");
        ScheduleRule {
            timezone: Zone::named("Europe/Berlin").expect("a known zone"),
            when: When::Again { cron, lasts: minutes(lasts) },
            at_least: Some(NodeCount(floor)),
            at_most: None,
        }
    }
}

prop_compose! {
    pub(super) fn any_policy()(
        (min, default, more) in (0..5_u32, 0..10_u32, 0..60_u32),
        (out, fall) in (0.0..30.0_f64, 0.0..30.0_f64),
        (rise_window, fall_window) in (0..120_u64, 0..900_u64),
        (rise_rest, fall_rest) in (prop_oneof![Just(0), 1..600_u64], 0..600_u64),
        out_pace in any_pace(),
        in_pace in any_pace(),
        rules in (0..2_048_u16).prop_filter("some rule", |rules| *rules != 0),
        selects in (any_select(), any_select()),
        effectiveness in proptest::option::of((1..4_u32, 1.0..20.0_f64, 1..60_u64)),
        budget in proptest::option::weighted(0.3, any_budget()),
        measures in any::<(bool, bool)>(),
        step in any_step(),
        other_step in any_step(),
        floors in any_floors(),
        control in prop_oneof![9 => Just(Control::Automatic), 1 => Just(Control::Hold)],
    ) -> Policy {
        let mut policy = policy();
        policy.control = control;
        policy.bounds.min = NodeCount(min);
        policy.bounds.default = NodeCount(min + default);
        policy.bounds.max = NodeCount(min + default + more);
        policy.tolerance = Tolerance { out: percent(out), scale_in: percent(fall) };
        policy.scale_out.stabilize = seconds(rise_window);
        policy.scale_out.cooldown = seconds(rise_rest);
        policy.scale_out.pace = out_pace;
        policy.scale_in.stabilize = seconds(fall_window);
        policy.scale_in.cooldown = seconds(fall_rest);
        policy.scale_in.pace = in_pace;
        (policy.scale_out.pace_select, policy.scale_in.pace_select) = selects;
        policy.effectiveness = effectiveness.map(|(after, improves, rest)| {
            Effectiveness { after, improves: percent(improves), rest: minutes(rest) }
        });
        policy.budget = budget;
        for (signal, one_node) in [("requests", measures.0), ("surge", measures.1)] {
            let measures = if one_node { Measures::Node } else { Measures::Pool };
            policy.signals.insert(name(signal), signal_of(measures));
        }
        let all = [
            target("requests", 400.0),
            raise_only("surge", 350.0),
            latency("p95"),
            target("requests", 500.0),
            latency_for("p95", seconds(90)),
            Rule::Step(step),
            Rule::Step(StepRule { samples: Samples { within: 2, of: 3 }, ..other_step }),
            Rule::Schedule(floors),
            held_target("requests", 450.0),
            Rule::Forecast(forecast_rule("requests", 400.0)),
            Rule::Surge(surge_rule("surge", 400.0)),
        ];
        let chosen = all.into_iter().enumerate().filter(|(bit, _)| rules & (1 << bit) != 0);
        policy.rules = chosen.map(|(_, rule)| rule).collect();
        policy
    }
}

fn any_reading(largest: f64) -> impl Strategy<Value = Reading> {
    let sample = (0.0..largest).prop_map(|value| Sample { at: noon(), value });
    prop_oneof![
        8 => sample.clone().prop_map(|sample| Reading::Fresh { sample }),
        1 => sample.prop_map(|sample| Reading::Partial { sample, seen: 3, wanted: 5 }),
        1 => Just(Reading::Missing { why: Missing::Empty }),
    ]
}

prop_compose! {
    fn any_seen()(
        pause in prop_oneof![6 => Just(5), 2 => 1..120_u64, 1 => 120..5_000_u64],
        requests in any_reading(20_000.0),
        surge in any_reading(20_000.0),
        p95 in any_reading(0.6),
        queue in any_reading(1_000.0),
        serving in 0..60_u32,
        bound in proptest::option::of(0.0..20_000.0_f64),
        overrides in prop_oneof![2 => Just(Overrides::default()), 1 => any_overrides()],
        costs in proptest::option::weighted(0.8, any_costs()),
    ) -> Seen {
        let pause = seconds(pause);
        Seen { pause, requests, surge, p95, queue, serving, bound, overrides, costs }
    }
}

/// Bounds that seven divides are not to be believed.
fn foreseen(bound: f64) -> (String, Foreseen) {
    let belief = match (bound as u64).is_multiple_of(7) {
        true => Belief::Silent { seconds: 700 },
        false => Belief::Trusted,
    };
    let foreseen = Foreseen {
        bound,
        expected: bound,
        level: Level::default(),
        horizon_seconds: 240,
        error: None,
        coverage: None,
        history_seconds: 86_400,
        belief,
    };
    ("forecast:requests".to_owned(), foreseen)
}

fn held_target(signal: &str, per_node: f64) -> Rule {
    let mut rule = target_rule(signal, per_node);
    rule.hold = minutes(3);
    Rule::Target(rule)
}

pub(super) fn any_series() -> impl Strategy<Value = Vec<Seen>> {
    proptest::collection::vec(any_seen(), 1..40)
}

fn look(at: Timestamp, seen: &Seen, history: History) -> Observation {
    let readings = [
        (name("requests"), seen.requests.clone()),
        (name("surge"), seen.surge.clone()),
        (name("p95"), seen.p95.clone()),
        (name("queue"), dated(&seen.queue, at)),
    ];
    let fleet = FleetCounts { serving: NodeCount(seen.serving), ..FleetCounts::default() };
    Observation {
        at,
        fleet,
        nodes: vec![],
        readings: readings.into(),
        forecasts: seen.bound.map(foreseen).into_iter().collect(),
        is_held: false,
        overrides: seen.overrides.clone(),
        costs: seen.costs,
        hints: Default::default(),
        history,
    }
}

/// The same reading, as a sample of this moment.
fn dated(reading: &Reading, at: Timestamp) -> Reading {
    let mut dated = reading.clone();
    match &mut dated {
        Reading::Fresh { sample } | Reading::Partial { sample, .. } => sample.at = at,
        Reading::PerNode { .. } | Reading::Missing { .. } => {}
    }
    dated
}

/// Lives through a series; before some looks all is written down and read back.
fn live(
    policy: &Policy,
    series: &[Seen],
    restarts_before: impl Fn(usize) -> bool,
) -> Vec<(Observation, Decision)> {
    let (mut at, mut history) = (noon(), History::default());
    let mut lived = Vec::new();
    for (place, seen) in series.iter().enumerate() {
        at = after(at, seen.pause);
        let mut observation = look(at, seen, history);
        if restarts_before(place) {
            observation = through_json(&observation);
        }
        let mut decision = decide(policy, &observation);
        if restarts_before(place) {
            decision = through_json(&decision);
        }
        history = decision.history.clone();
        lived.push((observation, decision));
    }
    lived
}

pub(super) fn as_lived(policy: &Policy, series: &[Seen]) -> Vec<(Observation, Decision)> {
    live(policy, series, |_| false)
}

fn through_json<T: serde::Serialize + serde::de::DeserializeOwned>(value: &T) -> T {
    let text = serde_json::to_string(value).expect("it serialises");
    serde_json::from_str(&text).expect("it reads back")
}

/// The same look with another value of a signal, as good as it was.
fn with_value(observation: &Observation, signal: &str, value: f64) -> Observation {
    let mut changed = observation.clone();
    match changed.readings.get_mut(&name(signal)) {
        Some(Reading::Fresh { sample } | Reading::Partial { sample, .. }) => sample.value = value,
        Some(Reading::PerNode { .. } | Reading::Missing { .. }) | None => {}
    }
    changed
}

proptest! {
    #[test]
    fn bounds_always_hold(policy in any_policy(), series in any_series()) {
        for (_, decision) in as_lived(&policy, &series) {
            prop_assert!(decision.to >= policy.bounds.min);
            prop_assert!(decision.to <= policy.bounds.max);
        }
    }

    #[test]
    fn unknown_data_never_lowers_the_count(
        policy in any_policy(),
        series in any_series(),
        broken in any_seen(),
        which in 0..8_usize,
    ) {
        let (mut observation, decision) = as_lived(&policy, &series).pop().expect("one look");
        observation.at = after(observation.at, broken.pause);
        observation.history = decision.history;
        let signals: Vec<_> = policy.rules.iter().filter_map(Rule::signal).collect();
        prop_assume!(!signals.is_empty());
        let missing = Reading::Missing { why: Missing::NotANumber };
        observation.readings.insert(signals[which % signals.len()].clone(), missing);
        let decision = decide(&policy, &observation);
        // An operator or a budget may; data may not.
        let by_data = decision.stages.iter().find(|stage| stage.guard == Guard::Overrides);
        let by_data = by_data.expect("every guard leaves its stage").before;
        prop_assert!(by_data >= decision.from, "{:?}", decision.reasons);
        let ordered = decision.reasons.iter().any(|reason| {
            ["set_by_operator", "cut_by_operator", "cut_by_budget"].contains(&reason.name())
        });
        prop_assert!(ordered || decision.to >= decision.from, "{:?}", decision.reasons);
    }

    #[test]
    fn partial_data_never_lowers_the_count(
        policy in any_policy(),
        series in any_series(),
        value in 0.0..20_000.0_f64,
    ) {
        let (mut observation, decision) = as_lived(&policy, &series).pop().expect("one look");
        observation.at = after(observation.at, seconds(5));
        observation.history = decision.history;
        let sample = Sample { at: observation.at, value };
        let partial = Reading::Partial { sample, seen: 1, wanted: 2 };
        let signal = policy.rules.iter().find_map(Rule::signal);
        prop_assume!(signal.is_some());
        observation.readings.extend(signal.map(|signal| (signal.clone(), partial)));
        let decision = decide(&policy, &observation);
        // An operator or a budget may; data may not.
        let by_data = decision.stages.iter().find(|stage| stage.guard == Guard::Overrides);
        let by_data = by_data.expect("every guard leaves its stage").before;
        prop_assert!(by_data >= decision.from, "{:?}", decision.reasons);
        let ordered = decision.reasons.iter().any(|reason| {
            ["set_by_operator", "cut_by_operator", "cut_by_budget"].contains(&reason.name())
        });
        prop_assert!(ordered || decision.to >= decision.from, "{:?}", decision.reasons);
    }

    #[test]
    fn more_load_never_means_fewer_nodes(
        policy in any_policy(),
        series in any_series(),
        (less, more) in (0.0..20_000.0_f64, 0.0..20_000.0_f64),
        (shorter, longer) in (0.0..0.6_f64, 0.0..0.6_f64),
    ) {
        // Whether nodes helped is judged by how far a latency fell: a longer one may end it.
        let policy = Policy { effectiveness: None, ..policy };
        let (observation, _) = as_lived(&policy, &series).pop().expect("one look");
        for (signal, one, other) in
            [("requests", less, more), ("surge", less, more), ("p95", shorter, longer),
             ("queue", less / 20.0, more / 20.0)]
        {
            let lower = decide(&policy, &with_value(&observation, signal, one.min(other)));
            let higher = decide(&policy, &with_value(&observation, signal, one.max(other)));
            prop_assert!(lower.to <= higher.to, "{signal}");
        }
    }

    #[test]
    fn deciding_again_at_once_wants_no_change(policy in any_policy(), series in any_series()) {
        for (mut observation, decision) in as_lived(&policy, &series) {
            observation.history = decision.history.clone();
            let again = decide(&policy, &observation);
            prop_assert_eq!(again.to, decision.to, "{:?}", again.reasons);
        }
    }

    #[test]
    fn every_change_of_the_number_leaves_a_reason(
        policy in any_policy(),
        series in any_series(),
    ) {
        for (_, decision) in as_lived(&policy, &series) {
            prop_assert!(!decision.reasons.is_empty());
            prop_assert_eq!(decision.stages.len(), 10);
            for stage in &decision.stages {
                prop_assert_eq!(stage.before != stage.after, stage.reason.is_some());
            }
            let guarded = decision.stages.iter().rev().find_map(|stage| stage.reason.clone());
            if let Some(binding) = guarded {
                prop_assert_eq!(&decision.reasons[0], &binding);
            }
            for reason in &decision.reasons {
                prop_assert!(!reason.to_string().contains("NaN"));
                let json = serde_json::to_value(reason).expect("it serialises");
                prop_assert_eq!(json["reason"].as_str(), Some(reason.name()));
            }
        }
    }

    #[test]
    fn a_restart_at_any_look_changes_no_decision(
        policy in any_policy(),
        series in any_series(),
        restarts in any::<u64>(),
    ) {
        let restarted = live(&policy, &series, |place| restarts & (1 << place) != 0);
        prop_assert_eq!(as_lived(&policy, &series), restarted);
    }

    #[test]
    fn a_stored_observation_decides_to_the_stored_decision(
        policy in any_policy(),
        series in any_series(),
    ) {
        // The last few carry all that came before.
        for (observation, decision) in as_lived(&policy, &series).into_iter().rev().take(3) {
            let stored: Observation = through_json(&observation);
            prop_assert_eq!(&stored, &observation);
            prop_assert_eq!(decide(&policy, &stored), through_json(&decision));
        }
    }

    #[test]
    fn no_number_however_large_panics_or_overflows(
        policy in any_policy(),
        values in proptest::collection::vec(
            prop_oneof![Just(f64::MAX), Just(0.0), Just(f64::MIN_POSITIVE), any::<f64>()],
            9,
        ),
        counts in proptest::collection::vec(prop_oneof![Just(u32::MAX), any::<u32>()], 4),
        pauses in proptest::collection::vec(prop_oneof![Just(u64::MAX), any::<u64>()], 3),
        costs in proptest::option::of(any_costs()),
    ) {
        let mut policy = policy;
        policy.bounds.max = NodeCount(u32::MAX);
        let history = History { desired: Some(NodeCount(counts[0])), ..History::default() };
        let (mut at, mut history) = (noon(), history);
        for (values, pause) in values.chunks(3).zip(pauses) {
            at = after(at, Duration::from_millis(pause));
            let fresh = |value| Reading::Fresh { sample: Sample { at, value } };
            let readings = [
                (name("requests"), fresh(values[0])),
                (name("surge"), fresh(values[1])),
                (name("p95"), fresh(values[2])),
            ];
            let fleet = FleetCounts {
                serving: NodeCount(counts[1]),
                on_the_way: NodeCount(counts[2]),
                standby: NodeCount(counts[3]),
                leaving: NodeCount(counts[3]),
            };
            let readings = readings.into();
            let observation = Observation {
                at,
                fleet,
        nodes: vec![],
                readings,
                forecasts: Default::default(),
                is_held: false,
                overrides: Overrides::default(),
                costs,
                hints: Default::default(),
                history,
            };
            let decision = decide(&policy, &observation);
            prop_assert!(decision.to >= policy.bounds.min);
            let explanation = explain(&decision, &observation, &policy).to_string();
            prop_assert!(explanation.len() < 12_000, "{explanation}");
            history = decision.history;
        }
    }
}
