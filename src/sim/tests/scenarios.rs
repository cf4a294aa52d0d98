//! One story each: the fleet follows the load, whoever dies or fails.

use super::super::{CloudMood, Faults, SimWorld, Simulation, Traffic};
use super::fixture::{minutes, quick_with, seconds, simulation, simulation_of};
use crate::domain::{Duration, NodeCount};
use crate::store::{Entry, Store};

/// Load for so many nodes of the quick policy.
pub fn load_for(nodes: u32) -> f64 {
    f64::from(nodes) * 100.0 - 20.0
}

impl Simulation {
    /// Gives the pool load for so many nodes, and waits until it has them and nothing moves.
    pub async fn follows_load_for(&mut self, nodes: u32) {
        self.world().set_traffic(Traffic::steady(load_for(nodes)));
        self.runs(seconds(30)).await;
        self.settles_at(nodes, minutes(40)).await;
        self.is_whole(nodes).await;
    }

    /// So many looks, each given up after so many polls.
    pub async fn is_cut_short(&mut self, polls: u32, looks: u32) {
        for _ in 0..looks {
            self.look_for_polls(polls).await.expect("the store works");
            self.world().pass(seconds(4));
        }
    }
}

#[tokio::test]
async fn a_surge_brings_nodes_and_the_quiet_takes_them_away() {
    let mut simulation = simulation(load_for(2)).await;
    for nodes in [2, 8, 3, 5, 2] {
        simulation.follows_load_for(nodes).await;
    }
    assert_eq!(simulation.world().tally().cuts, vec![], "no request was cut off");
    assert_eq!(simulation.world().tally().instances_ever, 2 + 6 + 2, "none more than was needed");
}

#[tokio::test]
async fn a_daemon_that_dies_in_any_state_and_starts_again_ends_with_the_right_count() {
    for state in
        ["planned", "provisioning", "configuring", "joining", "in_service", "draining", "deleting"]
    {
        let mut simulation = simulation(load_for(2)).await;
        simulation.follows_load_for(2).await;
        simulation.world().die_after_writing(state);
        simulation.follows_load_for(5).await;
        simulation.follows_load_for(2).await;
        assert_eq!(simulation.world().tally().crashes, 1, "it died once, in {state}");
        assert_eq!(simulation.world().tally().instances_ever, 5, "{state}: none was made twice");
    }
}

#[tokio::test]
async fn a_look_that_is_cut_short_at_any_point_leaks_nothing() {
    for polls in (1..=27).step_by(2) {
        let folder = tempfile::tempdir().expect("room for a database");
        let store = Store::open(&folder.path().join("pool.db")).await.expect("a new database");
        let world = SimWorld::new(u64::from(polls), 2);
        world.set_traffic(Traffic::steady(load_for(5)));
        let mut simulation = Simulation::new(world, quick_with(&[]), store, Default::default());
        simulation.is_cut_short(polls, 8).await;
        simulation.follows_load_for(5).await;
        simulation.world().set_traffic(Traffic::steady(load_for(2)));
        simulation.is_cut_short(polls, 20).await;
        simulation.follows_load_for(2).await;
        assert_eq!(simulation.world().tally().instances_ever, 5, "after {polls} polls");
    }
}

#[tokio::test]
async fn an_instance_whose_create_answer_got_lost_is_found_by_its_label() {
    let mut simulation = simulation(load_for(4)).await;
    let lost = Faults { answer_lost: 1.0, ..Faults::none() };
    simulation.world().set_faults(lost);
    simulation.runs(minutes(1)).await;
    simulation.world().heal();
    simulation.follows_load_for(4).await;
    assert_eq!(simulation.world().tally().instances_ever, 4);
}

#[tokio::test]
async fn an_instance_that_no_listing_shows_yet_is_adopted_by_its_unique_label() {
    let mut simulation = simulation(load_for(4)).await;
    let lost = Faults { answer_lost: 1.0, listing_lags: 1.0, ..Faults::none() };
    simulation.world().set_faults(lost);
    simulation.runs(seconds(8)).await;
    assert_eq!(simulation.world().instances(), 4, "made, and nobody told us");
    simulation.world().heal();
    simulation.follows_load_for(4).await;
    assert_eq!(simulation.world().tally().instances_ever, 4);
}

#[tokio::test]
async fn an_instance_in_doubt_is_found_and_deleted_though_the_next_call_is_refused_for_good() {
    let mut simulation = simulation(load_for(8)).await;
    let lost = Faults { answer_lost: 1.0, listing_lags: 1.0, ..Faults::none() };
    simulation.world().set_faults(lost);
    simulation.runs(seconds(8)).await;
    assert_eq!(simulation.world().instances(), 8, "made, and nobody told us");
    simulation.world().set_faults(Faults { refused: 1.0, ..Faults::none() });
    simulation.runs(seconds(8)).await;
    let status = simulation.status().expect("it runs");
    let given_up = status.nodes.iter().filter(|node| node.state == "deleting");
    assert!(0 < given_up.count(), "{status:#?}");
    simulation.world().heal();
    simulation.follows_load_for(8).await;
}

#[tokio::test]
async fn create_calls_that_never_arrived_are_made_again() {
    let mut simulation = simulation(load_for(4)).await;
    simulation.world().set_faults(Faults { call_lost: 1.0, ..Faults::none() });
    simulation.runs(minutes(3)).await;
    assert_eq!(simulation.world().tally().instances_ever, 0);
    simulation.world().heal();
    simulation.follows_load_for(4).await;
}

#[tokio::test]
async fn a_playbook_that_always_fails_costs_ever_fewer_tries_and_leaks_nothing() {
    let mut simulation = simulation(load_for(2)).await;
    simulation.world().set_faults(Faults { playbook_fails: 1.0, ..Faults::none() });
    let mut made = Vec::new();
    for _ in 0..4 {
        let before = simulation.world().tally().instances_ever;
        simulation.runs(minutes(30)).await;
        made.push(simulation.world().tally().instances_ever - before);
    }
    assert!(made[3] < made[0], "tries in each half hour: {made:?}");
    assert!(made[3] <= 8, "at most one round of two each eight minutes: {made:?}");
    assert!(0 < made[3], "it never gives up: {made:?}");
    simulation.world().heal();
    simulation.runs(minutes(9)).await;
    simulation.follows_load_for(2).await;
}

#[tokio::test]
async fn an_instance_that_never_boots_is_replaced_and_deleted() {
    let mut simulation = simulation(load_for(2)).await;
    simulation.world().set_cloud(CloudMood::NothingBoots);
    simulation.runs(minutes(2)).await;
    assert_eq!(simulation.world().instances(), 2);
    simulation.world().set_cloud(CloudMood::Well);
    simulation.follows_load_for(2).await;
    assert_eq!(simulation.world().tally().deleted, 2);
}

#[tokio::test]
async fn a_cloud_that_answers_errors_for_ten_minutes_delays_a_scale_out_and_harms_nothing() {
    for mood in [CloudMood::ServerErrors, CloudMood::TooManyRequests] {
        let mut simulation = simulation(load_for(2)).await;
        simulation.follows_load_for(2).await;
        simulation.world().set_cloud(mood);
        simulation.world().set_traffic(Traffic::steady(load_for(5)));
        simulation.runs(minutes(10)).await;
        assert_eq!(simulation.world().serving_on(0), 2, "{mood:?}: those that serve stay");
        simulation.world().set_cloud(CloudMood::Well);
        simulation.follows_load_for(5).await;
    }
}

#[tokio::test]
async fn a_sold_out_plan_is_asked_for_again_after_a_rest() {
    let mut simulation = simulation(load_for(3)).await;
    simulation.world().set_cloud(CloudMood::SoldOut);
    simulation.runs(minutes(30)).await;
    assert_eq!(simulation.world().instances(), 0);
    let notes = simulation.status().expect("it runs").notes.clone();
    assert!(notes.iter().any(|note| note.contains("creating rests")), "{notes:?}");
    simulation.world().set_cloud(CloudMood::Well);
    simulation.follows_load_for(3).await;
}

#[tokio::test]
async fn nodes_that_run_when_looked_at_share_runs_of_at_most_a_batch() {
    let mut simulation = simulation(load_for(7)).await;
    simulation.runs(seconds(10)).await;
    simulation.world().set_cloud(CloudMood::ServerErrors);
    simulation.runs(minutes(2)).await;
    assert!(simulation.world().tally().run_sizes.is_empty(), "nobody saw them run yet");
    simulation.world().set_cloud(CloudMood::Well);
    simulation.follows_load_for(7).await;
    let mut sizes = simulation.world().tally().run_sizes;
    sizes.sort();
    assert_eq!(sizes, [1, 3, 3]);
}

#[tokio::test]
async fn draining_nodes_are_taken_back_before_any_is_made() {
    let mut simulation = simulation(load_for(2)).await;
    simulation.follows_load_for(6).await;
    simulation.world().set_faults(Faults { sticky_sessions: 1.0, ..Faults::none() });
    simulation.world().set_traffic(Traffic::steady(load_for(2)));
    let drains = simulation
        .run_to(minutes(10), |status| status.fleet.leaving == NodeCount(4))
        .await
        .expect("the store works");
    assert!(drains, "{:#?}", simulation.status());
    simulation.follows_load_for(6).await;
    assert_eq!(simulation.world().tally().instances_ever, 6);
    assert_eq!(simulation.world().tally().cuts, vec![]);
}

#[tokio::test]
async fn no_more_than_max_exist_while_old_ones_will_not_go() {
    let policy = quick_with(&[("max: 10", "max: 4")]);
    let mut simulation = simulation_of(policy, load_for(4)).await;
    simulation.follows_load_for(4).await;
    simulation.world().set_traffic(Traffic::steady(load_for(2)));
    let leaving = |count| {
        move |status: &crate::reconciler::PoolStatus| {
            status.nodes.iter().filter(|node| node.state == "deleting").count() == count
        }
    };
    assert!(simulation.run_to(minutes(10), leaving(1)).await.expect("the store works"));
    simulation.world().set_cloud(CloudMood::ServerErrors);
    assert!(simulation.run_to(minutes(5), leaving(2)).await.expect("the store works"));
    simulation.world().set_traffic(Traffic::steady(load_for(4)));
    simulation.runs(minutes(2)).await;
    let notes = simulation.status().expect("it runs").notes.clone();
    assert!(notes.iter().any(|note| note.contains("the most allowed")), "{notes:?}");
    simulation.world().set_cloud(CloudMood::Well);
    simulation.follows_load_for(4).await;
    assert_eq!(simulation.world().tally().most_instances, 4);
}

#[tokio::test]
async fn an_address_rests_before_another_node_gets_it() {
    let policy = quick_with(&[
        ("10.10.0.0/24, reserve: [10.10.0.1-10.10.0.19]", "10.10.0.0/29, reserve: [10.10.0.1]"),
        ("max: 10", "max: 4"),
    ]);
    let mut simulation = simulation_of(policy, load_for(4)).await;
    for nodes in [4, 2, 4, 2, 4] {
        simulation.follows_load_for(nodes).await;
    }
    let pool = &simulation.policy().pool;
    let long_ago = crate::domain::Timestamp::MIN;
    let mut nodes = simulation.store().load_pool(pool, long_ago).await.expect("nodes").nodes;
    nodes.sort_by_key(|node| (node.address, node.planned_at));
    let again: Vec<Duration> = nodes
        .windows(2)
        .filter(|pair| pair[0].address == pair[1].address)
        .map(|pair| crate::domain::elapsed(pair[0].state_since, pair[1].planned_at))
        .collect();
    assert!(!again.is_empty(), "five addresses were enough for eight nodes");
    assert!(again.iter().all(|rested| minutes(2) <= *rested), "{again:?}");
}

#[tokio::test]
async fn surplus_nodes_serve_until_the_last_minutes_of_their_paid_hour() {
    let policy = quick_with(&[("leave_early: yes", "leave_early: no")]);
    let mut simulation = simulation_of(policy, load_for(5)).await;
    simulation.follows_load_for(5).await;
    simulation.world().set_traffic(Traffic::steady(load_for(2)));
    simulation.runs(minutes(40)).await;
    assert_eq!(simulation.desired(), Some(NodeCount(2)));
    assert_eq!(simulation.world().serving_on(0), 5, "they are paid for");
    let notes = simulation.status().expect("it runs").notes.clone();
    assert!(notes.iter().any(|note| note.contains("the hour is paid")), "{notes:?}");
    simulation.settles_at(2, minutes(30)).await;
    let model = simulation.world().model();
    for instance in model.instances.values() {
        let Some(gone) = instance.gone_at else { continue };
        let lived = crate::domain::elapsed(instance.created_at, gone);
        assert!(minutes(54) < lived && lived < minutes(60), "{} lived {lived:?}", instance.label);
    }
}

#[tokio::test]
async fn nodes_that_vanish_are_replaced_even_most_of_a_fleet_when_balancers_see_them_dead() {
    for vanished in [1, 3, 5] {
        let mut simulation = simulation(load_for(5)).await;
        simulation.follows_load_for(5).await;
        for _ in 0..vanished {
            simulation.world().vanish();
        }
        simulation.runs(seconds(30)).await;
        simulation.follows_load_for(5).await;
        assert_eq!(simulation.world().tally().instances_ever, 5 + vanished);
    }
}

#[tokio::test]
async fn a_listing_that_lacks_half_of_a_fleet_that_serves_is_not_believed() {
    let mut simulation = simulation(load_for(6)).await;
    simulation.follows_load_for(6).await;
    simulation.world().set_cloud(CloudMood::ListsHalf);
    simulation.runs(minutes(10)).await;
    let notes = simulation.status().expect("it runs").notes.clone();
    assert!(notes.iter().any(|note| note.contains("not believed")), "{notes:?}");
    simulation.world().set_cloud(CloudMood::Well);
    simulation.follows_load_for(6).await;
    assert_eq!(simulation.world().tally().instances_ever, 6, "nobody was replaced");
}

#[tokio::test]
async fn a_single_balancer_that_restarts_gets_its_servers_back_at_once() {
    let world = SimWorld::new(1, 1);
    world.set_traffic(Traffic::steady(load_for(5)));
    let store = Store::in_memory().await.expect("memory to spare");
    let mut simulation = Simulation::new(world, quick_with(&[]), store, Default::default());
    simulation.settles_at(5, minutes(10)).await;
    simulation.world().restart_balancer(0);
    simulation.look().await.expect("the store works");
    assert_eq!(simulation.world().serving_on(0), 5, "in the very next look");
    simulation.runs(minutes(1)).await;
    simulation.is_whole(5).await;
    let journal = simulation.store().journal(&simulation.policy().pool, i64::MAX, 10_000).await;
    let readmitted = journal.expect("a journal").into_iter().filter(
        |record| matches!(&record.entry, Entry::Came { step, .. } if step == "readmit_server"),
    );
    assert_eq!(readmitted.count(), 5);
}
