//! Rules on the samples of single nodes.

use super::super::{MetricsMood, Traffic};
use super::fixture::{minutes, quick_with, simulation_of};
use crate::policy::Policy;

/// The quick policy on the average of the nodes, 100 req/s each, instead of on their sum.
fn on_average() -> Policy {
    quick_with(&[
        ("prometheus: {query: rate}", "prometheus: {query: rate, node_label: instance}"),
        ("    coverage: {query: sources, at_least: serving}\n", ""),
        ("per_node: 100, headroom_percent: 0", "average: 100"),
    ])
}

#[tokio::test]
async fn a_pool_on_the_average_of_its_nodes_grows_and_shrinks_with_the_load() {
    let mut simulation = simulation_of(on_average(), 450.0).await;
    simulation.settles_at(5, minutes(20)).await;
    simulation.is_whole(5).await;
    simulation.world().set_traffic(Traffic::steady(150.0));
    simulation.settles_at(2, minutes(60)).await;
    simulation.is_whole(2).await;
}

#[tokio::test]
async fn nodes_that_nobody_speaks_of_keep_their_places() {
    let mut simulation = simulation_of(on_average(), 550.0).await;
    simulation.settles_at(6, minutes(20)).await;
    simulation.world().set_metrics(MetricsMood::Partial);
    simulation.world().set_traffic(Traffic::steady(570.0));
    simulation.runs(minutes(30)).await;
    assert_eq!(
        simulation.world().serving_on(0),
        6,
        "three speak, near the target, three are silent"
    );
    simulation.world().set_metrics(MetricsMood::Empty);
    simulation.world().set_traffic(Traffic::steady(0.0));
    simulation.runs(minutes(30)).await;
    assert_eq!(simulation.world().serving_on(0), 6, "and when nobody speaks, all of them do");
    assert_eq!(simulation.world().tally().deleted, 0);
}
