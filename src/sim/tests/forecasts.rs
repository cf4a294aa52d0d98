//! Nodes for the rate that is expected.

use super::super::{Simulation, Traffic};
use super::fixture::{minutes, quick_with, seconds, simulation_of};
use crate::domain::{Duration, Timestamp, after, before};
use crate::engine::{Foreseen, decide};
use crate::forecast::Forecaster;
use crate::policy::{Policy, Rule};
use crate::ports::{Clock, MetricsSource};

const STEP_AT: Duration = minutes(30);

/// 150 req/s, and 550 from half an hour after each day's beginning until before the next one.
fn daily_step() -> Traffic {
    Traffic::daily([
        (Duration::ZERO, 150.0),
        (STEP_AT, 150.0),
        (STEP_AT + seconds(30), 550.0),
        (minutes(1_430), 550.0),
        (minutes(1_435), 150.0),
    ])
}

fn quick_with_forecast() -> Policy {
    let rule = "- forecast: {signal: requests, per_node: 100, lead: 2m}";
    let target = "{target: {signal: requests, per_node: 100, headroom_percent: 0}}";
    quick_with(&[(&format!("rules: [{target}]"), &format!("rules:\n  - {target}\n  {rule}"))])
}

async fn stepping(policy: Policy) -> Simulation {
    let simulation = simulation_of(policy, 0.0).await;
    simulation.world().set_traffic(daily_step());
    simulation
}

#[tokio::test]
async fn a_forecast_has_nodes_serve_before_the_daily_step_comes() {
    let mut simulation = stepping(quick_with_forecast()).await;
    simulation.runs(STEP_AT - minutes(8)).await;
    assert_eq!(simulation.desired().map(|count| count.0), Some(2), "nothing comes for a while");
    simulation.runs(minutes(8) - seconds(20)).await;
    let status = simulation.status().expect("it has looked");
    assert!(6 <= status.fleet.serving.0, "{:?}", status.fleet);

    let mut without = stepping(quick_with(&[])).await;
    without.runs(STEP_AT - seconds(20)).await;
    assert_eq!(without.desired().map(|count| count.0), Some(2), "who only reacts waits for it");
}

#[tokio::test]
async fn a_restart_changes_no_forecast_and_each_decision_can_be_made_again() {
    let mut simulation = stepping(quick_with_forecast()).await;
    let began = simulation.world().now();
    for pause in [seconds(700), seconds(95), seconds(400)] {
        simulation.runs(pause).await;
        simulation.kill();
    }
    simulation.runs(seconds(100)).await;

    let policy = simulation.policy().clone();
    let decisions = simulation.store().decisions(&policy.pool, Timestamp::MAX, u32::MAX).await;
    let decisions = decisions.expect("the store works");
    let mut unbroken = learned_until(&simulation, &policy, began).await;
    assert!(100 < decisions.len());
    for record in decisions.iter().rev() {
        let observation = &record.observation;
        if let Some(sample) = observation.readings.values().next().and_then(|r| r.sample()) {
            unbroken.observe(sample.at, sample.value);
        }
        let expected = Foreseen::from(&unbroken.forecast(observation.at));
        assert_eq!(observation.forecasts["forecast:requests"], expected, "at {}", record.at);
        assert_eq!(decide(&policy, observation), record.decision);
    }
}

/// A forecaster that has learned the two weeks before the first look.
async fn learned_until(simulation: &Simulation, policy: &Policy, began: Timestamp) -> Forecaster {
    let Some(Rule::Forecast(rule)) = policy.rules.get(1) else { panic!("the forecast's rule") };
    let mut forecaster = Forecaster::new(rule.forecasting(minutes(3), minutes(1)));
    let (from, minute) = (before(began, minutes(14 * 1_440)), minutes(1));
    let past = simulation.world().read_range("rate", from, began, minute).await;
    let past = past.expect("it answers");
    forecaster.backfill(past.into_iter().map(|sample| (sample.at, sample.value)));
    assert!(forecaster.forecast(after(began, seconds(1))).raises_to().is_some());
    forecaster
}
