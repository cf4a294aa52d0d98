//! What is told about the next change comes true, and a little less would not have done.

use proptest::prelude::*;

use super::explain::ahead::spacing;
use super::fixture::*;
use super::tests_properties::{any_policy, any_series, as_lived};
use super::{
    Decision, Direction, Distance, Explanation, Observation, ObservedNode, Readiness, Shift,
    ShiftWay, Unit, decide, explain,
};
use crate::domain::{Missing, NodeCount, NodeSample, Reading, Sample, Timestamp, after};
use crate::policy::{
    BandAction, Control, CountRule, Measures, Policy, Rule, RuleScaleIn, Samples, StepRule,
    TargetForm, TargetRule,
};

/// A pool under any policy, looked at often, and what was decided last.
#[derive(Clone, Debug)]
struct Situation {
    policy: Policy,
    observation: Observation,
    decision: Decision,
}

prop_compose! {
    /// Any policy and series, as they are.
    fn any_situation()(policy in any_policy(), series in any_series()) -> Situation {
        let (observation, decision) = as_lived(&policy, &series).pop().expect("one look");
        Situation { policy, observation, decision }
    }
}

fn any_value(largest: f64) -> impl Strategy<Value = Reading> {
    let whole = (0.0..largest).prop_map(f64::round);
    let value = prop_oneof![whole, 0.0..largest];
    let sample = value.prop_map(|value| Sample { at: noon(), value });
    prop_oneof![
        12 => sample.clone().prop_map(|sample| Reading::Fresh { sample }),
        1 => sample.prop_map(|sample| Reading::Partial { sample, seen: 3, wanted: 5 }),
        1 => Just(Reading::Missing { why: Missing::Empty }),
    ]
}

fn any_nodes(largest: f64) -> impl Strategy<Value = Vec<Option<f64>>> {
    let value = proptest::option::weighted(0.95, 0.0..largest);
    proptest::collection::vec(value, 1..12)
}

/// Rules of the forms that look at signals, each on its own signal.
fn forms(samples: Samples, lasts: u64) -> Vec<Rule> {
    let bands = [
        band(Some(5_000.0), None, BandAction::Add(4)),
        band(Some(1_000.0), Some(5_000.0), BandAction::AddPercent(percent(20.0))),
        band(Some(20.0), Some(300.0), BandAction::Remove(1)),
    ];
    let lasting = bands.map(|band| crate::policy::Band { for_at_least: seconds(lasts), ..band });
    let adds =
        [band(None, Some(0.2), BandAction::Add(1)), band(Some(0.85), None, BandAction::Add(2))];
    vec![
        with_form("queue", TargetForm::Value(500.0)),
        with_form("strain", TargetForm::Value(0.7)),
        with_form("factor", TargetForm::Value(0.0)),
        with_form("connections", TargetForm::Average(200.0)),
        with_form("cpu", TargetForm::UtilisationPercent(70)),
        Rule::Count(CountRule {
            signal: name("wanted"),
            scale_in: RuleScaleIn::Allowed,
            group: None,
        }),
        Rule::Step(StepRule { samples, ..step_rule("backlog", &lasting) }),
        Rule::Step(StepRule { samples, ..step_rule("busy", &adds) }),
        latency("p95"),
        target("requests", 400.0),
        Rule::Target(TargetRule { headroom: percent(12.5), ..target_rule("requests", 333.3) }),
        Rule::Target(TargetRule { square_root: Some(1.2), ..target_rule("requests", 450.0) }),
    ]
}

prop_compose! {
    /// A pool that was steady for a while, under one to three rules of any form.
    fn any_form()(
        rules in proptest::sample::subsequence((0..11_usize).collect::<Vec<_>>(), 1..4),
        samples in prop_oneof![Just((1, 1)), Just((2, 3)), Just((3, 3))],
        lasts in prop_oneof![Just(0), 1..100_u64],
        (out_window, in_window, rest) in (
            prop_oneof![Just(0), 1..90_u64],
            prop_oneof![Just(0), 1..600_u64],
            prop_oneof![Just(0), 1..300_u64],
        ),
        tolerance in prop_oneof![Just(0.0), 0.0..20.0_f64],
        of_one_node in proptest::bool::weighted(0.2),
        values in (any_value(9_000.0), any_value(1.4), any_value(2.0), any_value(0.6), any_value(6_000.0)),
        small in (any_value(1.0), any_value(15.0)),
        (connections, cpu) in (any_nodes(400.0), any_nodes(1.0)),
        desired in 2..12_u32,
        looks in 1..6_usize,
    ) -> Situation {
        let (within, of) = samples;
        let all = forms(Samples { within, of }, lasts);
        let mut policy = policy();
        policy.rules = rules.into_iter().map(|place| all[place].clone()).collect();
        policy.scale_out.stabilize = seconds(out_window);
        policy.scale_in.stabilize = seconds(in_window);
        policy.scale_in.cooldown = seconds(rest);
        policy.tolerance.out = percent(tolerance);
        policy.tolerance.scale_in = percent(tolerance);
        if of_one_node {
            policy.signals.insert(name("strain"), signal_of(Measures::Node));
            policy.signals.insert(name("queue"), signal_of(Measures::Node));
        }
        let mut pool = Pool::settled(policy, desired);
        pool.nodes = Nodes::StayPut;
        let (queue, strain, factor, p95, requests) = values;
        let (busy, wanted) = small;
        let readings = [
            ("queue", queue.clone()), ("backlog", queue), ("strain", strain), ("factor", factor),
            ("p95", p95), ("requests", requests), ("busy", busy), ("wanted", wanted),
        ];
        for (signal, reading) in readings {
            pool.look.readings.insert(name(signal), reading);
        }
        let nodes = connections.len().max(cpu.len());
        pool.look.nodes = (0..nodes).map(node).collect();
        for (signal, values) in [("connections", connections), ("cpu", cpu)] {
            let samples = values.into_iter().enumerate().map(|(number, value)| NodeSample {
                node: node(number).label,
                at: noon(),
                value,
                capacity: None,
            });
            let reading = Reading::PerNode { samples: samples.collect(), capacity: None };
            pool.look.readings.insert(name(signal), reading);
        }
        let mut decision = None;
        for _ in 0..looks {
            if decision.is_some() {
                pool.look.history = decision.map_or_else(Default::default, |d: Decision| d.history);
            }
            pool.look.at = after(pool.look.at, seconds(10));
            let at = pool.look.at;
            date(&mut pool.look, at);
            decision = Some(pool.would_decide());
        }
        let decision = decision.expect("at least one look");
        Situation { policy: pool.policy, observation: pool.look, decision }
    }
}

fn node(number: usize) -> ObservedNode {
    let (label, address) = (format!("web-{number}"), format!("10.10.0.{}", number + 20));
    ObservedNode { label, address, readiness: Readiness::Ready }
}

/// Every value was measured at this moment.
fn date(observation: &mut Observation, at: Timestamp) {
    for reading in observation.readings.values_mut() {
        if let Reading::Fresh { sample } | Reading::Partial { sample, .. } = reading {
            sample.at = at;
        }
    }
}

proptest! {
    // Each case asks the engine thousands of times.
    #![proptest_config(ProptestConfig::with_cases(32))]
    #[test]
    fn every_distance_is_true(situation in any_situation()) {
        each_distance_is_true(&situation)?;
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]
    #[test]
    fn every_distance_of_every_form_is_true(situation in any_form()) {
        each_distance_is_true(&situation)?;
    }
}

#[test]
fn a_distance_knows_what_a_surge_will_have_seen_by_then() {
    // The survivors of a scale-in would each see a third more, which a surge calls fast; but only
    // once it knows what the rate was two minutes ago. It does when the window ends.
    let mut policy = policy();
    policy.rules = vec![target("requests", 400.0), Rule::Surge(surge_rule("surge", 400.0))];
    policy.signals.insert(name("surge"), signal_of(Measures::Node));
    policy.bounds.min = NodeCount(3);
    policy.scale_in.stabilize = seconds(270);
    let pool = Pool::settled(policy, 4).reads("requests", 0.0).reads("surge", 1_724.0);
    let decision = pool.would_decide();
    let situation = Situation { policy: pool.policy, observation: pool.look, decision };
    each_distance_is_true(&situation).expect("no node leaves after 270 s");
    let Situation { policy, observation, decision } = &situation;
    let told = explain(decision, observation, policy).distances;
    let comes_by_itself = |distance: &Distance| matches!(distance, Distance::ByTime { .. });
    assert!(!told.iter().any(comes_by_itself), "{told:?}");
}

#[test]
fn a_wish_that_a_fall_ends_at_once_is_held_from_now_on_and_no_longer() {
    let mut policy = policy();
    policy.rules = vec![target("requests", 400.0), Rule::Surge(surge_rule("requests", 400.0))];
    policy.scale_in.stabilize = seconds(7);
    let mut pool = Pool::settled(policy, 3).reads("requests", 1_000.0);
    pool.counts_for(seconds(600));
    pool.set("requests", 1_500.0);
    pool.look.at = after(pool.look.at, seconds(5));
    let decision = pool.would_decide();
    assert!(decision.recommendations[1].count() > Some(NodeCount(4)), "a surge");
    let situation = Situation { policy: pool.policy, observation: pool.look, decision };
    each_distance_is_true(&situation).expect("it lasts 300 s and a window");
}

fn each_distance_is_true(situation: &Situation) -> Result<(), TestCaseError> {
    let Situation { policy, observation, decision } = situation;
    let Explanation { distances, .. } = explain(decision, observation, policy);
    let by_itself = distances.iter().find_map(|distance| match distance {
        Distance::ByTime { to, .. } => Some(*to),
        _ => None,
    });
    for distance in &distances {
        match distance {
            Distance::ByTime { direction, to, in_seconds, .. } => {
                prop_assert_eq!(*direction == Direction::Out, *to > decision.to);
                comes_true(situation, &[], *in_seconds, *to, distance)?;
            }
            Distance::Adds { shift, for_seconds, samples, to, nodes, .. } => {
                prop_assert_eq!(*to, decision.to.plus(nodes.0));
                prop_assert!(samples.is_none_or(|samples| samples > 1));
                comes_true(situation, std::slice::from_ref(shift), *for_seconds, *to, distance)?;
                // One step less would not do.
                let nearly = first_change(situation, &[a_step_less(shift)], *for_seconds);
                let nearly = nearly.map(|(_, count)| count);
                prop_assert!(
                    nearly.is_none_or(|count| count < decision.to) || nearly == by_itself,
                    "{distance}, but less does, too: {nearly:?}"
                );
            }
            Distance::LetsLeave { shifts, for_seconds, to, nodes, .. } => {
                prop_assert_eq!(*to, decision.to.minus(nodes.0));
                comes_true(situation, shifts, *for_seconds, *to, distance)?;
                for place in 0..shifts.len() {
                    let mut fewer = shifts.clone();
                    fewer[place] = a_step_less(&shifts[place]);
                    let nearly = first_change(situation, &fewer, *for_seconds);
                    prop_assert!(
                        nearly.is_none_or(|(_, count)| count > decision.to),
                        "{distance}, but a step less of the {place}. does, too: {nearly:?}"
                    );
                }
            }
            Distance::AtMax { max } => prop_assert!(decision.to >= *max),
            Distance::AtMin { min } => prop_assert!(decision.to <= *min),
            Distance::Held => {
                let is_set = observation.overrides.set.is_some();
                prop_assert!(is_set || policy.control == Control::Hold);
            }
            Distance::KeptByGuard { because, .. } => {
                prop_assert!(!because.to_string().is_empty());
            }
            Distance::ScaleInDisabled | Distance::ScaleInHeld => {}
            Distance::NeedsReadings { .. } | Distance::KeptByRules { .. } => {}
        }
    }
    Ok(())
}

/// The change comes, at the told moment and not before it.
fn comes_true(
    situation: &Situation,
    shifts: &[Shift],
    in_seconds: u64,
    to: NodeCount,
    distance: &Distance,
) -> Result<(), TestCaseError> {
    let (second, count) = first_change(situation, shifts, in_seconds)
        .ok_or_else(|| TestCaseError::fail(format!("no change: {distance}")))?;
    prop_assert_eq!(count, to, "{}", distance);
    // A distance takes looks without a pause; with one each second, what was recommended last
    // before a change is up to a second older.
    prop_assert!(second + 2 >= in_seconds, "{distance}: after {second} s");
    Ok(())
}

/// The same way, but the smallest difference that its sentence shows less far.
fn a_step_less(shift: &Shift) -> Shift {
    let is_whole = |number: f64| (number - number.round()).abs() < 1e-9;
    let step = match shift.unit {
        Unit::RequestsPerSecond | Unit::PercentagePoints | Unit::Nodes => 1.0,
        Unit::Seconds => 0.001,
        Unit::Own | Unit::Unknown if is_whole(shift.by) => 1.0,
        Unit::Own | Unit::Unknown if is_whole(shift.by * 10.0) => 0.1,
        Unit::Own | Unit::Unknown if is_whole(shift.by * 1_000.0) => 0.001,
        // All that there is, down to zero.
        Unit::Own | Unit::Unknown => 1.0,
    };
    Shift { by: (shift.by - step).max(0.0), ..shift.clone() }
}

/// Signals say something else from now on.
fn after_shifts(observation: &Observation, shifts: &[Shift]) -> Observation {
    let mut shifted = observation.clone();
    for shift in shifts {
        let to = |value: f64| match shift.way {
            ShiftWay::More => value + shift.by,
            ShiftWay::Less => (value - shift.by).max(0.0),
        };
        match shifted.readings.get_mut(&shift.signal).expect("it is read") {
            Reading::Fresh { sample } | Reading::Partial { sample, .. } => {
                sample.value = to(sample.value);
            }
            Reading::PerNode { samples, .. } => {
                let heard: Vec<f64> = samples.iter().filter_map(|sample| sample.value).collect();
                let unit = if shift.unit == Unit::PercentagePoints { 100.0 } else { 1.0 };
                let mean = unit * heard.iter().sum::<f64>() / heard.len() as f64;
                for value in samples.iter_mut().filter_map(|sample| sample.value.as_mut()) {
                    *value = if mean > 0.0 { *value * to(mean) / mean } else { to(mean) / unit };
                }
            }
            Reading::Missing { .. } => panic!("nobody knows what {} says", shift.signal),
        }
    }
    shifted
}

/// Looks every second, as the daemon would, for so many seconds, while each signal goes on to say
/// what it says then; the first change and the second that it came at.
fn first_change(
    situation: &Situation,
    shifts: &[Shift],
    in_seconds: u64,
) -> Option<(u64, NodeCount)> {
    let Situation { policy, observation, decision } = situation;
    let mut next = after_shifts(observation, shifts);
    next.history = decision.history.clone();
    let (now, every) = (next.at, spacing(&decision.history).as_secs());
    let said = next.readings.clone();
    for second in 0..=in_seconds {
        next.at = after(now, seconds(second));
        for (reading, said) in next.readings.values_mut().zip(said.values()) {
            if let (Reading::Fresh { sample } | Reading::Partial { sample, .. }, Some(said)) =
                (reading, said.sample())
            {
                sample.at = after(said.at, seconds(second / every * every));
            }
        }
        let looked = decide(policy, &next);
        if looked.to != decision.to {
            return Some((second, looked.to));
        }
        next.history = looked.history;
    }
    None
}
