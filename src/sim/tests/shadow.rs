//! Candidates beside the live policy.

use std::path::PathBuf;
use std::sync::Arc;

use super::super::{Simulation, Traffic};
use super::fixture::{minutes, quick_with, seconds, simulation};
use crate::domain::{CandidateName, Timestamp};
use crate::engine::decide;
use crate::policy::Policy;
use crate::reconciler::{Candidate, ShadowComparison, compare_shadows};
use crate::store::DecisionRecord;

const CALM: &str = "scale_in: {stabilize: 2m";

fn candidate(name: &str, policy: Policy) -> Candidate {
    let name = CandidateName::new(name).expect("a legal name");
    let file = PathBuf::from(format!("{name}.yaml"));
    Candidate { name, file, policy: Arc::new(policy) }
}

/// Waves that make the pool grow and shrink, for two hours.
async fn waves() -> Simulation {
    let simulation = simulation(150.0).await;
    let wave = |start| {
        let rates = [(0, 150.0), (60, 700.0), (900, 700.0), (1_000, 250.0), (1_700, 250.0)];
        rates.map(|(second, rate)| (minutes(start) + seconds(second), rate))
    };
    simulation.world().set_traffic(Traffic::through([5, 35, 65, 95].into_iter().flat_map(wave)));
    simulation
}

async fn compared(simulation: &Simulation) -> Vec<ShadowComparison> {
    let pool = &simulation.policy().pool;
    compare_shadows(simulation.store(), pool, None).await.expect("the store works")
}

async fn decided(simulation: &Simulation) -> Vec<DecisionRecord> {
    let pool = &simulation.policy().pool;
    let all = simulation.store().decisions(pool, Timestamp::MAX, u32::MAX).await;
    all.expect("the store works")
}

#[tokio::test]
async fn a_candidate_that_equals_the_live_policy_is_never_apart_and_costs_the_same() {
    let mut simulation = waves().await;
    simulation.follow(vec![candidate("same", quick_with(&[]))]);
    simulation.runs(minutes(120)).await;
    let all = compared(&simulation).await;
    let [same] = all.as_slice() else { panic!("{all:?}") };
    assert_eq!((same.apart_ratio, &same.largest), (0.0, &None));
    assert_eq!(same.live, same.shadow);
    assert!(8 <= same.live.billed_hours, "{same:?}");
    assert!(same.live.cost.is_some() && 7_000 < same.judged_seconds, "{same:?}");
}

#[tokio::test]
async fn a_calmer_candidate_is_apart_with_both_reasons_and_has_longer_node_hours() {
    let mut simulation = waves().await;
    let calm = quick_with(&[(CALM, "scale_in: {stabilize: 30m")]);
    simulation.follow(vec![candidate("calm", calm)]);
    simulation.runs(minutes(120)).await;
    let all = compared(&simulation).await;
    let [calm] = all.as_slice() else { panic!("{all:?}") };
    assert!(0.1 < calm.apart_ratio && calm.apart_ratio < 0.9, "{calm:?}");
    assert!(calm.live.node_hours < calm.shadow.node_hours, "{calm:?}");
    assert!(calm.shadow.short_seconds <= calm.live.short_seconds, "{calm:?}");
    let largest = calm.largest.as_ref().expect("they were apart");
    assert!(largest.live_desired < largest.desired, "{largest:?}");
    assert!(largest.reasons.concat().contains("30"), "{largest:?}");
    assert!(!largest.live_reasons.is_empty());
}

#[tokio::test]
async fn a_restart_changes_no_decision_of_a_candidate() {
    let mut simulation = waves().await;
    let calm = candidate("calm", quick_with(&[(CALM, "scale_in: {stabilize: 30m")]));
    simulation.follow(vec![calm.clone()]);
    simulation.runs(minutes(8)).await;
    let since = compared(&simulation).await[0].from;
    for pause in [minutes(17), seconds(95), minutes(30)] {
        simulation.kill();
        simulation.runs(pause).await;
    }
    let all = compared(&simulation).await;
    assert_eq!(all[0].from, since, "the comparison goes on");
    let (pool, policy) = (&simulation.policy().pool, &calm.policy);
    let decisions = simulation.store().shadow_decisions(pool, &calm.name, &policy.digest).await;
    let decisions = decisions.expect("the store works");
    assert!(4 < decisions.len(), "{}", decisions.len());
    for (observation, decision) in &decisions {
        assert_eq!(decide(policy, observation), *decision, "at {}", decision.at);
    }
    let last = &decisions.last().expect("some").1;
    let kept = decisions.windows(2).all(|two| two[0].1.to == two[1].1.from);
    assert!(kept && last.to == all[0].shadow.desired, "each goes on from the one before");
}

#[tokio::test]
async fn a_candidate_that_can_read_nothing_changes_no_live_decision() {
    let mut with = waves().await;
    let blind = quick_with(&[
        ("{query: rate}", "{query: 'no such series'}"),
        ("bounds: {min: 2, max: 10", "bounds: {min: 2, max: 9"),
    ]);
    with.follow(vec![candidate("blind", blind), candidate("same", quick_with(&[]))]);
    let mut without = waves().await;
    with.runs(minutes(60)).await;
    without.runs(minutes(60)).await;
    let made = |records: Vec<DecisionRecord>| -> Vec<_> {
        records.into_iter().map(|one| (one.at, one.observation, one.decision)).collect()
    };
    assert_eq!(made(decided(&with).await), made(decided(&without).await));
    assert_eq!(compared(&with).await.len(), 2);
}

#[tokio::test]
async fn a_candidate_that_is_taken_away_is_forgotten_and_begins_anew_when_it_comes_back() {
    let mut simulation = waves().await;
    let same = candidate("same", quick_with(&[]));
    simulation.follow(vec![same.clone()]);
    simulation.runs(minutes(5)).await;
    simulation.follow(Vec::new());
    simulation.runs(minutes(1)).await;
    assert_eq!(compared(&simulation).await, []);
    simulation.follow(vec![same]);
    simulation.runs(minutes(5)).await;
    let again = compared(&simulation).await;
    let lasts = again[0].until.duration_since(again[0].from).as_secs();
    assert!((200..=300).contains(&lasts), "{again:?}");
}
