//! A fleet never vanishes at once, whatever is wrong.

use super::super::{CloudMood, Settings, SimWorld, Simulation, Traffic};
use super::fixture::{minutes, quick_with, seconds, simulation_of};
use super::scenarios::load_for;
use crate::domain::NodeState;
use crate::policy::Policy;
use crate::store::{Entry, Store};

/// Nothing but the brake keeps the count from falling at once.
fn braked() -> Policy {
    quick_with(&[
        ("max: 10", "max: 20"),
        ("scale_in: {stabilize: 2m, pace: [{nodes: 4, per: 1m}], cooldown: 30s", QUICK_FALL),
        ("leave: {drain_timeout: 2m}", LEAVE),
    ])
}

const QUICK_FALL: &str = "scale_in: {stabilize: 0s, pace: [], cooldown: 0s";
const LEAVE: &str = "leave: {drain_timeout: 2m}\nbrake: {nodes: 4, percent: 50, per: 30m}";

async fn simulation_of_twelve() -> Simulation {
    let mut simulation = simulation_of(braked(), load_for(12)).await;
    simulation.follows_load_for(12).await;
    simulation
}

#[tokio::test]
async fn a_count_that_falls_to_almost_nothing_takes_a_few_nodes_and_a_restart_forgets_none_of_them()
{
    let mut simulation = simulation_of_twelve().await;
    simulation.world().set_traffic(Traffic::steady(load_for(2)));
    simulation.runs(minutes(6)).await;
    assert_eq!(simulation.desired().map(|count| count.0), Some(2));
    assert_eq!(simulation.world().serving_on(0), 8);
    let notes = simulation.status().expect("it runs").notes.join("; ");
    assert!(notes.contains("6 nodes not needed, kept until"), "{notes}");
    simulation.kill();
    simulation.runs(minutes(20)).await;
    assert_eq!(simulation.world().serving_on(0), 8, "26 minutes, two daemons: four gone");
    simulation.runs(minutes(10)).await;
    assert_eq!(simulation.world().serving_on(0), 4, "and four more in the next half hour");
    simulation.settles_at(2, minutes(40)).await;
    simulation.is_whole(2).await;
}

#[tokio::test]
async fn machines_that_an_operator_deletes_count_too() {
    let mut simulation = simulation_of_twelve().await;
    for _ in 0..4 {
        simulation.world().vanish();
    }
    simulation.runs(minutes(1)).await;
    simulation.settles_at(12, minutes(20)).await;
    simulation.world().set_traffic(Traffic::steady(load_for(2)));
    simulation.runs(minutes(5)).await;
    assert_eq!(simulation.world().serving_on(0), 12, "four are gone in this half hour already");
    simulation.settles_at(2, minutes(120)).await;
}

#[tokio::test]
async fn two_hundred_nodes_survive_listings_that_show_some_or_none_of_them_and_a_restart() {
    let policy = quick_with(&[
        ("max: 10", "max: 220"),
        ("scale_out: {stabilize: 0s, pace: [{nodes: 10, per: 1m}]", "scale_out: {pace: []"),
        ("timeout: 3m, batch: 3", "timeout: 3m, batch: 100"),
    ]);
    let world = SimWorld::new(1, 1);
    world.set_traffic(Traffic::steady(load_for(200)));
    let settings = Settings { interval: seconds(10), grain: seconds(5), ..Settings::default() };
    let store = Store::in_memory().await.expect("memory to spare");
    let mut simulation = Simulation::new(world, policy, store, settings);
    simulation.settles_at(200, minutes(20)).await;
    for mood in [CloudMood::ListsHalf, CloudMood::ListsMost, CloudMood::ListsNothing] {
        simulation.world().set_cloud(mood);
        simulation.runs(minutes(1)).await;
        simulation.kill();
        simulation.runs(minutes(3)).await;
        let notes = simulation.status().expect("it runs").notes.join("; ");
        assert!(notes.contains("not believed"), "{mood:?}: {notes}");
        assert_eq!(simulation.world().serving_on(0), 200, "{mood:?}");
    }
    simulation.world().set_cloud(CloudMood::Well);
    simulation.settles_at(200, minutes(5)).await;
    let tally = simulation.world().tally();
    assert_eq!((tally.deleted, tally.instances_ever), (0, 200));
    let pool = &simulation.policy().pool;
    let journal = simulation.store().journal(pool, i64::MAX, 100_000).await.expect("a journal");
    let leaves =
        |entry: &Entry| matches!(entry, Entry::Entered { after: NodeState::Deleting { .. }, .. });
    assert!(!journal.iter().any(|record| leaves(&record.entry)));
}
