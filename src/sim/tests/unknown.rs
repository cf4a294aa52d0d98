//! Unknown is never zero.

use super::super::{MetricsMood, Traffic};
use super::fixture::{minutes, quick_with, simulation, simulation_of};
use super::scenarios::load_for;
use crate::ports::Clock;

#[tokio::test]
async fn an_hour_without_usable_metrics_takes_no_node_away() {
    for which in 0..5 {
        let mut simulation = simulation(load_for(5)).await;
        simulation.follows_load_for(5).await;
        let now = simulation.world().now();
        let mood = [
            MetricsMood::Empty,
            MetricsMood::Stuck(now),
            MetricsMood::NotANumber,
            MetricsMood::Failing,
            MetricsMood::Partial,
        ][which];
        simulation.world().set_metrics(mood);
        simulation.world().set_traffic(Traffic::steady(0.0));
        simulation.runs(minutes(60)).await;
        assert_eq!(simulation.world().serving_on(0), 5, "{mood:?}");
        assert_eq!(simulation.world().tally().deleted, 0, "{mood:?}");
        simulation.world().set_metrics(MetricsMood::Well);
        simulation.follows_load_for(2).await;
    }
}

#[tokio::test]
async fn a_pool_that_is_blind_for_too_long_goes_to_its_default() {
    let mut simulation = simulation(load_for(2)).await;
    simulation.follows_load_for(2).await;
    simulation.world().set_metrics(MetricsMood::Empty);
    simulation.runs(minutes(4)).await;
    assert_eq!(simulation.world().instances(), 2, "it holds for five minutes");
    simulation.runs(minutes(6)).await;
    assert_eq!(simulation.world().serving_on(0), 3);
}

#[tokio::test]
async fn half_of_the_sources_may_raise_the_count_and_not_lower_it() {
    let mut simulation = simulation_of(quick_with(&[]), load_for(4)).await;
    simulation.follows_load_for(4).await;
    simulation.world().set_metrics(MetricsMood::Partial);
    simulation.runs(minutes(20)).await;
    assert_eq!(simulation.world().serving_on(0), 4, "half of the load is seen");
    simulation.world().set_traffic(Traffic::steady(load_for(6) * 2.0));
    simulation.runs(minutes(10)).await;
    assert_eq!(simulation.world().serving_on(0), 6, "half of twice the load is seen");
}
