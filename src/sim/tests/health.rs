//! Nodes that fall ill: replaced a few at a time, and not at all where most of them seem to be.

use super::super::Simulation;
use super::fixture::{minutes, quick_with, seconds, simulation, simulation_of};
use super::scenarios::load_for;

/// The labels of nodes in service, the oldest first.
fn serving(simulation: &Simulation) -> Vec<String> {
    let status = simulation.status().expect("it runs");
    let mut nodes: Vec<_> = status.nodes.iter().filter(|node| node.state == "in_service").collect();
    nodes.sort_by_key(|node| node.instance_created_at);
    nodes.iter().map(|node| node.label.to_string()).collect()
}

#[tokio::test]
async fn a_node_that_stays_down_is_replaced_before_it_leaves() {
    let mut simulation = simulation(load_for(5)).await;
    simulation.follows_load_for(5).await;
    let ill = serving(&simulation).remove(0);
    simulation.world().break_application(&ill);
    simulation.runs(seconds(110)).await;
    assert_eq!(simulation.world().tally().instances_ever, 5, "it has two minutes to recover");
    simulation.runs(seconds(60)).await;
    assert_eq!(simulation.world().tally().instances_ever, 6, "another one is made");
    simulation.follows_load_for(5).await;
    assert!(!serving(&simulation).contains(&ill));
    assert_eq!(simulation.world().tally().instances_ever, 6);
    let told = simulation.timeline().await.expect("a journal");
    assert!(told.contains("is unhealthy: lb1 says DOWN (L7STS); lb2 says DOWN (L7STS)"), "{told}");
}

#[tokio::test]
async fn a_node_that_recovers_in_time_stays() {
    let mut simulation = simulation(load_for(4)).await;
    simulation.follows_load_for(4).await;
    let ill = serving(&simulation).remove(0);
    simulation.world().break_application(&ill);
    simulation.runs(seconds(60)).await;
    simulation.world().mend_application(&ill);
    simulation.follows_load_for(4).await;
    assert_eq!(simulation.world().tally().instances_ever, 4);
}

#[tokio::test]
async fn a_balancer_that_is_cut_off_from_its_nodes_replaces_nobody() {
    let mut simulation = simulation(load_for(5)).await;
    simulation.follows_load_for(5).await;
    simulation.world().cut_off_balancer(0, minutes(20));
    simulation.runs(minutes(21)).await;
    simulation.follows_load_for(5).await;
    assert_eq!(simulation.world().tally().instances_ever, 5);
}

#[tokio::test]
async fn healing_is_frozen_while_every_balancer_is_cut_off() {
    let mut simulation = simulation(load_for(5)).await;
    simulation.follows_load_for(5).await;
    for balancer in [0, 1] {
        simulation.world().cut_off_balancer(balancer, minutes(20));
    }
    simulation.runs(minutes(10)).await;
    let notes = simulation.status().expect("it runs").notes.clone();
    assert!(notes.iter().any(|note| note.contains("nobody is replaced")), "{notes:?}");
    simulation.runs(minutes(11)).await;
    simulation.follows_load_for(5).await;
    assert_eq!(simulation.world().tally().instances_ever, 5);
}

#[tokio::test]
async fn several_ill_nodes_are_replaced_one_after_the_other() {
    let mut simulation = simulation(load_for(8)).await;
    simulation.follows_load_for(8).await;
    for ill in serving(&simulation).into_iter().take(3) {
        simulation.world().break_application(&ill);
    }
    simulation.runs(seconds(150)).await;
    assert_eq!(simulation.world().tally().instances_ever, 9, "a fifth of eight is one at once");
    simulation.runs(minutes(30)).await;
    simulation.follows_load_for(8).await;
    assert_eq!(simulation.world().tally().instances_ever, 11);
    assert_eq!(simulation.world().tally().cuts, vec![]);
}

#[tokio::test]
async fn at_max_an_ill_node_makes_room_for_its_replacement() {
    let mut simulation = simulation_of(quick_with(&[("max: 10", "max: 4")]), load_for(4)).await;
    simulation.follows_load_for(4).await;
    simulation.world().break_application(&serving(&simulation)[0]);
    simulation.runs(minutes(4)).await;
    simulation.follows_load_for(4).await;
    assert_eq!(simulation.world().tally().instances_ever, 5);
    assert_eq!(simulation.world().tally().most_instances, 4);
}

#[tokio::test]
async fn a_standby_serves_in_the_place_of_an_ill_node() {
    let policy = quick_with(&[("leave_early: yes}", "leave_early: yes}\nstandby: {nodes: 1}")]);
    let mut simulation = simulation_of(policy, load_for(4)).await;
    simulation.runs(seconds(30)).await;
    simulation.settles_with(4, 1, minutes(20)).await;
    simulation.world().break_application(&serving(&simulation)[0]);
    simulation.runs(seconds(140)).await;
    assert_eq!(simulation.world().serving_on(0), 4, "without a boot");
    simulation.settles_with(4, 1, minutes(20)).await;
    assert_eq!(simulation.world().tally().instances_ever, 6);
}

#[tokio::test]
async fn a_daemon_that_dies_while_it_heals_ends_with_the_right_count() {
    for state in ["unhealthy", "planned", "in_service", "draining", "deleting"] {
        let mut simulation = simulation(load_for(4)).await;
        simulation.follows_load_for(4).await;
        simulation.world().die_after_writing(state);
        simulation.world().break_application(&serving(&simulation)[0]);
        simulation.runs(minutes(5)).await;
        simulation.follows_load_for(4).await;
        assert_eq!(simulation.world().tally().crashes, 1, "it died once, in {state}");
        assert_eq!(simulation.world().tally().instances_ever, 5, "{state}");
    }
}
