//! What a pool may cost. A node costs 3.6 cents an hour here.

use super::super::{CloudMood, Simulation};
use super::fixture::{minutes, quick_with, simulation_of};
use super::scenarios::load_for;
use crate::domain::{Dollars, NodeCount};
use crate::engine::Costs;
use crate::policy::Policy;
use crate::ports::Clock;

fn quick_on_a_budget(budget: &str) -> Policy {
    quick_with(&[("signals:\n", &format!("budget: {budget}\nsignals:\n"))])
}

impl Simulation {
    /// The costs that the last decision was made with.
    async fn last_costs(&self) -> Costs {
        let (pool, now) = (&self.policy().pool, self.world().now());
        let records = self.store().decisions(pool, now, 1).await.expect("the store works");
        records[0].observation.costs.expect("the policy has a budget")
    }
}

#[tokio::test]
async fn a_pool_never_has_more_nodes_than_its_budget_pays_for() {
    let mut simulation = simulation_of(quick_on_a_budget("{hourly: 0.15}"), load_for(8)).await;
    simulation.settles_at(4, minutes(40)).await;
    simulation.is_whole(4).await;
    assert_eq!(simulation.world().tally().instances_ever, 4);
}

#[tokio::test]
async fn every_started_hour_of_living_and_of_ended_nodes_is_counted_whoever_counts() {
    let mut simulation = simulation_of(quick_on_a_budget("{monthly: 900}"), load_for(2)).await;
    for nodes in [2, 5, 2] {
        simulation.follows_load_for(nodes).await;
    }
    simulation.runs(minutes(3 * 60)).await;
    let counted = simulation.last_costs().await;
    // Three nodes lived for less than an hour; two began their fourth, or have just ended it.
    let cents = (counted.spent.get() * 1_000.0).round() as u32;
    assert!([11 * 36, 13 * 36].contains(&cents), "{counted:?}");
    simulation.kill();
    simulation.runs(minutes(1)).await;
    let again = simulation.last_costs().await;
    assert_eq!(again.spent, counted.spent, "a new daemon knows the old one's bill");
    assert!(again.month_seconds_left < counted.month_seconds_left);
}

#[tokio::test]
async fn while_the_price_was_never_told_no_node_comes_and_none_is_missed_later() {
    let mut simulation = simulation_of(quick_on_a_budget("{hourly: 9}"), load_for(5)).await;
    simulation.world().set_cloud(CloudMood::ServerErrors);
    simulation.runs(minutes(3)).await;
    assert_eq!(simulation.desired(), Some(NodeCount(2)), "the smallest count, and no more");
    assert_eq!(simulation.last_costs().await.node_hourly, None);
    simulation.world().set_cloud(CloudMood::Well);
    simulation.settles_at(5, minutes(40)).await;
    assert_eq!(simulation.last_costs().await.node_hourly, Dollars::new(0.036));
    simulation.world().set_cloud(CloudMood::ServerErrors);
    simulation.runs(minutes(120)).await;
    assert_eq!(simulation.last_costs().await.node_hourly, Dollars::new(0.036), "the last known");
}
