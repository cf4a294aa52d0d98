//! Balancers that come and go while the fleet changes.

use super::super::Traffic;
use super::fixture::{minutes, quick_with, seconds, simulation, simulation_of};
use super::scenarios::load_for;

#[tokio::test]
async fn one_of_two_balancers_restarts_and_has_its_servers_back_in_the_next_look() {
    let mut simulation = simulation(load_for(5)).await;
    simulation.follows_load_for(5).await;
    simulation.world().restart_balancer(1);
    simulation.look().await.expect("the store works");
    assert_eq!(simulation.world().serving_on(1), 5);
    simulation.runs(minutes(1)).await;
    simulation.is_whole(5).await;
}

#[tokio::test]
async fn nodes_join_without_a_balancer_that_is_down_and_join_it_once_it_is_back() {
    let mut simulation = simulation(load_for(2)).await;
    simulation.follows_load_for(2).await;
    simulation.world().lose_balancer(0, minutes(10));
    simulation.world().set_traffic(Traffic::steady(load_for(5)));
    simulation.runs(minutes(5)).await;
    assert_eq!(simulation.world().serving_on(1), 5, "the other one needs no permission");
    assert_eq!(simulation.world().serving_on(0), 2);
    simulation.runs(minutes(6)).await;
    simulation.is_whole(5).await;
}

#[tokio::test]
async fn servers_of_nodes_that_left_while_a_balancer_was_down_are_cleared_when_it_is_back() {
    let mut simulation = simulation(load_for(5)).await;
    simulation.follows_load_for(5).await;
    simulation.world().lose_balancer(0, minutes(30));
    simulation.world().set_traffic(Traffic::steady(load_for(2)));
    simulation.runs(minutes(25)).await;
    assert_eq!(simulation.world().instances(), 2, "a dead balancer keeps no machine alive");
    simulation.runs(minutes(6)).await;
    simulation.is_whole(2).await;
}

#[tokio::test]
async fn an_address_that_is_used_again_while_a_balancer_is_down_brings_no_request_too_early() {
    let policy = quick_with(&[
        ("10.10.0.0/24, reserve: [10.10.0.1-10.10.0.19]", "10.10.0.0/29, reserve: [10.10.0.1]"),
        ("max: 10", "max: 4"),
    ]);
    let mut simulation = simulation_of(policy, load_for(4)).await;
    simulation.follows_load_for(4).await;
    // Both modes: slots on one balancer, names on the other.
    for balancer in [0, 1] {
        simulation.world().lose_balancer(balancer, minutes(14));
        simulation.world().set_traffic(Traffic::steady(load_for(2)));
        simulation.runs(minutes(12)).await;
        assert_eq!(simulation.world().instances(), 2);
        assert_eq!(simulation.world().servers_on(balancer), 4, "two of them are left over");
        simulation.world().set_traffic(Traffic::steady(load_for(4)));
        simulation.runs(minutes(1)).await;
        let held = simulation.world().addresses();
        assert_eq!(held.len(), 4, "of five addresses at least one is used again: {held:?}");
        simulation.runs(minutes(4)).await;
        simulation.settles_at(4, minutes(1)).await;
        simulation.is_whole(4).await;
    }
}

#[tokio::test]
async fn out_and_in_again_while_a_balancer_is_down_leaves_nothing_behind() {
    let mut simulation = simulation(load_for(2)).await;
    simulation.follows_load_for(4).await;
    simulation.world().lose_balancer(0, minutes(10));
    simulation.world().set_traffic(Traffic::steady(load_for(8)));
    simulation.runs(minutes(4)).await;
    assert_eq!(simulation.world().serving_on(1), 8);
    simulation.world().set_traffic(Traffic::steady(load_for(2)));
    simulation.runs(minutes(20)).await;
    simulation.follows_load_for(2).await;
}

#[tokio::test]
async fn a_node_taken_back_while_a_balancer_is_down_serves_there_again_too() {
    let mut simulation = simulation(load_for(4)).await;
    simulation.follows_load_for(4).await;
    let sticky = super::super::Faults { sticky_sessions: 1.0, ..Default::default() };
    simulation.world().set_faults(sticky);
    simulation.world().set_traffic(Traffic::steady(load_for(2)));
    let leaving = simulation.run_to(minutes(10), |status| status.fleet.leaving.0 == 2).await;
    assert!(leaving.expect("the store works"));
    simulation.runs(seconds(2)).await;
    simulation.world().lose_balancer(0, minutes(5));
    simulation.world().set_traffic(Traffic::steady(load_for(4)));
    simulation.runs(minutes(4)).await;
    assert_eq!(simulation.world().serving_on(1), 4, "taken back where that is possible");
    simulation.runs(minutes(2)).await;
    simulation.is_whole(4).await;
    assert_eq!(simulation.world().tally().instances_ever, 4);
}

#[tokio::test]
async fn good_nodes_survive_all_balancers_being_down_while_they_join() {
    let mut simulation = simulation(load_for(3)).await;
    let joining = simulation
        .run_to(minutes(10), |status| status.nodes.iter().any(|node| node.state == "joining"))
        .await;
    assert!(joining.expect("the store works"));
    simulation.world().lose_balancer(0, minutes(10));
    simulation.world().lose_balancer(1, minutes(10));
    simulation.runs(minutes(11)).await;
    simulation.follows_load_for(3).await;
    assert_eq!(simulation.world().tally().instances_ever, 3, "none was thrown away");
}
