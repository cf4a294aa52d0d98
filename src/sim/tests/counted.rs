//! Signals that the balancers count.

use super::super::{Simulation, Traffic};
use super::fixture::{minutes, quick_with, seconds, simulation_of};
use super::scenarios::load_for;
use crate::domain::{NodeCount, Reading, SignalName, Timestamp};
use crate::policy::Policy;

/// The quick policy by what balancers count, and by nothing else.
fn by_the_balancers() -> Policy {
    quick_with(&[(
        "    prometheus: {query: rate}
    stale_after: 45s
    coverage: {query: sources, at_least: serving}",
        "    haproxy: {metric: request_rate}",
    )])
}

async fn reading(simulation: &Simulation, signal: &str) -> Reading {
    let pool = &simulation.policy().pool;
    let decisions = simulation.store().decisions(pool, Timestamp::MAX, 1).await;
    let last = decisions.expect("the store works").pop().expect("it has decided");
    let name = SignalName::new(signal).expect("a legal name");
    last.observation.readings[&name].clone()
}

#[tokio::test]
async fn a_pool_follows_what_its_balancers_count_though_one_of_them_restarts() {
    let mut simulation = simulation_of(by_the_balancers(), load_for(2)).await;
    for nodes in [2, 6, 3] {
        simulation.follows_load_for(nodes).await;
    }
    let Reading::Fresh { sample } = reading(&simulation, "requests").await else { panic!("whole") };
    assert!((sample.value - load_for(3)).abs() < 1.0, "over both balancers: {}", sample.value);

    simulation.world().restart_balancer(0);
    simulation.runs(seconds(10)).await;
    let restarted = reading(&simulation, "requests").await;
    let Reading::Partial { sample, seen: 1, wanted: 2 } = restarted else {
        panic!("{restarted:?}")
    };
    assert!((200.0..=load_for(3)).contains(&sample.value), "nothing below zero: {}", sample.value);
    simulation.runs(minutes(1)).await;
    assert!(reading(&simulation, "requests").await.may_lower(), "its window is over");
    simulation.is_whole(3).await;
}

#[tokio::test]
async fn while_a_balancer_is_silent_nodes_come_and_none_leaves() {
    let mut simulation = simulation_of(by_the_balancers(), load_for(4)).await;
    simulation.follows_load_for(4).await;
    simulation.world().lose_balancer(1, minutes(20));
    simulation.world().set_traffic(Traffic::steady(load_for(2)));
    simulation.runs(minutes(10)).await;
    assert_eq!(simulation.desired(), Some(NodeCount(4)), "the other half may still be there");
    simulation.world().set_traffic(Traffic::steady(2.0 * load_for(6)));
    simulation.runs(minutes(5)).await;
    assert_eq!(simulation.desired(), Some(NodeCount(6)), "half of it is enough to know that");
    simulation.world().set_traffic(Traffic::steady(load_for(2)));
    simulation.runs(minutes(6)).await;
    simulation.settles_at(2, minutes(20)).await;
}

/// Somebody has measured wrong: nodes carry 160 requests per second, not 400. What arrives says
/// that all is well; the queue says otherwise long before that.
#[tokio::test]
async fn a_queue_at_the_balancers_is_the_earliest_sign_of_nodes_that_are_full() {
    let policy = |rule: &str| {
        quick_with(&[
            ("signals:\n", "signals:\n  waiting: {haproxy: {metric: queue, over: 10s}}\n"),
            (
                "[{target: {signal: requests, per_node: 100, headroom_percent: 0}}]",
                &format!("[{{target: {{signal: requests, per_node: 400}}}}{rule}]"),
            ),
        ])
    };
    let queue = ", {step: {signal: waiting, bands: [{from: 5, for: 15s, add: 2}]}}";
    let mut with_queue = simulation_of(policy(queue), 200.0).await;
    let mut without = simulation_of(policy(""), 200.0).await;
    for simulation in [&mut with_queue, &mut without] {
        simulation.settles_at(2, minutes(10)).await;
        simulation.world().set_traffic(Traffic::steady(620.0));
        simulation.runs(seconds(40)).await;
    }
    assert_eq!(without.desired(), Some(NodeCount(2)));
    assert!(with_queue.desired() > Some(NodeCount(2)), "within forty seconds");
    with_queue.runs(minutes(15)).await;
    let Reading::Fresh { sample } = reading(&with_queue, "waiting").await else { panic!("whole") };
    assert!(sample.value < 5.0, "nobody waits: {}", sample.value);
    let serving = with_queue.status().expect("it has looked").fleet.serving.0;
    assert!((4..=6).contains(&serving), "620 of 160 each, and no more than it takes: {serving}");
}

#[tokio::test]
async fn a_plan_takes_what_the_daemon_counted_for_what_one_look_cannot_count() {
    let mut simulation = simulation_of(by_the_balancers(), load_for(3)).await;
    simulation.follows_load_for(3).await;
    let preview = simulation.preview().await.expect("the store works");
    assert_eq!(preview.explanation.to, NodeCount(3));
    assert_eq!(preview.acts, Vec::<String>::new());
    let json = serde_json::to_string(&preview.explanation).expect("plain data");
    assert!(!json.contains("counted_too_shortly"), "{json}");
}
