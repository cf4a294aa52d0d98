//! A plan that is sold out.

use super::super::{CloudMood, Simulation};
use super::fixture::{minutes, quick_with, simulation_of};
use super::scenarios::load_for;

const FIRST: &str = "g6-standard-2";

/// How many living nodes were made from each of two plans.
async fn plans(simulation: &Simulation) -> (usize, usize) {
    let pool = &simulation.policy().pool;
    let now = crate::ports::Clock::now(simulation.world());
    let nodes = simulation.store().load_pool(pool, now).await.expect("nodes").nodes;
    let living = nodes.iter().filter(|node| !node.state.is_final());
    let (first, others): (Vec<_>, Vec<_>) = living.partition(|node| node.instance_type == FIRST);
    (first.len(), others.len())
}

#[tokio::test]
async fn nodes_are_made_from_the_next_plan_while_one_is_sold_out_and_from_the_first_afterwards() {
    let plans_of = "type: g6-standard-2\n  fallback_types: [g6-dedicated-2]";
    let policy = quick_with(&[("type: g6-standard-2", plans_of)]);
    let mut simulation = simulation_of(policy, load_for(2)).await;
    simulation.follows_load_for(2).await;
    simulation.world().set_cloud(CloudMood::SoldOutOf(FIRST));
    simulation.follows_load_for(5).await;
    assert_eq!(plans(&simulation).await, (2, 3));
    simulation.world().set_cloud(CloudMood::Well);
    simulation.runs(minutes(10)).await;
    simulation.follows_load_for(7).await;
    assert_eq!(plans(&simulation).await, (4, 3), "its rest was over");
}
