//! Clocks that jump.

use super::super::Traffic;
use super::fixture::{minutes, simulation};
use super::scenarios::load_for;

#[tokio::test]
async fn a_clock_that_is_set_back_an_hour_makes_no_decision_wait_for_it() {
    let mut simulation = simulation(load_for(2)).await;
    simulation.follows_load_for(2).await;
    simulation.world().set_clock_ahead(3_600);
    simulation.runs(minutes(1)).await;
    simulation.world().set_clock_ahead(0);
    simulation.follows_load_for(5).await;
}

#[tokio::test]
async fn a_clock_that_jumps_an_hour_ahead_takes_no_serving_node_away() {
    let mut simulation = simulation(load_for(5)).await;
    simulation.follows_load_for(5).await;
    simulation.world().set_clock_ahead(3_600);
    simulation.world().set_traffic(Traffic::steady(load_for(2)));
    simulation.runs(minutes(30)).await;
    assert_eq!(simulation.world().tally().deleted, 0, "samples an hour old lower nothing");
    simulation.world().set_clock_ahead(0);
    simulation.follows_load_for(2).await;
}
