//! Many seeds, everything goes wrong, then nothing does: now it must settle.

use super::super::chance::roll;
use super::super::{Faults, Settings, SimWorld, Simulation, Tally, Traffic};
use super::fixture::{minutes, quick_with, seconds};
use super::scenarios::load_for;
use crate::domain::Timestamp;
use crate::engine::decide;
use crate::policy::Policy;
use crate::store::{Store, StoreError};

/// An hour and a half of faults and as much of peace, for each seed. How many seeds one test
/// takes can be raised for a long night: `WINDLASS_TEST_SEEDS=500`.
async fn rehearse(first: u64) {
    let asked = std::env::var("WINDLASS_TEST_SEEDS").ok().and_then(|count| count.parse().ok());
    let count: u64 = asked.unwrap_or(8);
    let mut crashes = 0;
    for seed in first..first + count {
        match one(seed).await {
            Ok(tally) => crashes += u64::from(tally.crashes),
            Err(problems) => panic!("seed {seed}:\n{problems}"),
        }
    }
    assert!(count < crashes, "{crashes} crashes in {count} seeds rehearse nothing");
}

async fn one(seed: u64) -> Result<Tally, String> {
    let policy = policy(seed);
    let standby = policy.standby.nodes.0;
    let world = SimWorld::new(seed, 1 + (seed % 3) as usize);
    world.set_traffic(waves(seed));
    world.set_faults(Faults::all());
    let store = Store::in_memory().await.expect("memory to spare");
    let settings = Settings { interval: seconds(10), grain: seconds(5), ..Settings::default() };
    let mut simulation = Simulation::new(world, policy, store, settings);
    let ran = run_and_heal(&mut simulation).await;
    let mut problems: Vec<String> =
        ran.err().map(|cause| format!("{cause:?}")).into_iter().collect();
    problems.extend(simulation.problems(4, standby).await);
    problems.extend(decisions_that_are_wrong(&simulation).await);
    if problems.is_empty() {
        return Ok(simulation.world().tally());
    }
    let timeline = simulation.timeline().await.expect("a journal");
    let lines: Vec<&str> = timeline.lines().collect();
    let last = lines[lines.len().saturating_sub(400)..].join("\n");
    let status = simulation.status();
    Err(format!("{last}\n{status:#?}\n{}", problems.join("\n")))
}

/// Half of the policies keep some nodes in standby, most replace the unhealthy, and each way to
/// leave has its share.
fn policy(seed: u64) -> Policy {
    let early = ["yes", "yes", "no", "to_standby"][(roll(seed, "paid hour") * 4.0) as usize];
    let standby = [0, 0, 1, 2][(roll(seed, "standby") * 4.0) as usize];
    let leave = format!("leave_early: {early}}}\nstandby: {{nodes: {standby}}}");
    let off = "leave: {drain_timeout: 2m}\nhealth: off";
    let healing = if roll(seed, "health") < 0.3 { off } else { "leave: {drain_timeout: 2m}" };
    quick_with(&[("leave_early: yes}", &leave), ("leave: {drain_timeout: 2m}", healing)])
}

async fn run_and_heal(simulation: &mut Simulation) -> Result<(), StoreError> {
    simulation.run_for(minutes(90)).await?;
    simulation.world().heal();
    simulation.world().set_traffic(Traffic::steady(load_for(4)));
    simulation.run_for(minutes(90)).await
}

/// Load that rises and falls every ten minutes, up to what `max` can carry.
fn waves(seed: u64) -> Traffic {
    Traffic::through((0..9).map(|wave| {
        let load = roll(seed, &format!("wave {wave}")) * 1_000.0;
        (minutes(wave * 10), load)
    }))
}

/// Decisions that shrink the pool on bad data, or come out otherwise when they are made again.
async fn decisions_that_are_wrong(simulation: &Simulation) -> Vec<String> {
    let policy = simulation.policy();
    let decisions = simulation.store().decisions(&policy.pool, Timestamp::MAX, u32::MAX).await;
    let mut wrong = Vec::new();
    for record in decisions.expect("the store works") {
        let readings = record.observation.readings.values();
        let all_fresh =
            readings.clone().count() == 1 && readings.clone().all(|one| one.may_lower());
        if record.decision.to < record.decision.from && !all_fresh {
            wrong.push(format!("{}: shrinks on {:?}", record.at, record.observation.readings));
        }
        if decide(policy, &record.observation) != record.decision {
            wrong.push(format!("{}: comes out otherwise when made again", record.at));
        }
    }
    wrong
}

#[tokio::test]
async fn whatever_goes_wrong_the_pool_settles_once_it_stops() {
    rehearse(0).await;
}

#[tokio::test]
async fn whatever_goes_wrong_the_pool_settles_once_it_stops_with_other_seeds() {
    rehearse(10_000).await;
}
