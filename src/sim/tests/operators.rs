//! What operators do, and what they must be able to rely on.

use super::super::{Settings, SimWorld, Simulation, Traffic};
use super::fixture::{minutes, quick_with, seconds, simulation};
use super::scenarios::load_for;
use crate::domain::NodeCount;
use crate::policy::Control;
use crate::store::{CommandKind, Entry, Store};

#[tokio::test]
async fn a_server_taken_out_by_hand_is_left_alone_and_noted() {
    let mut simulation = simulation(load_for(3)).await;
    simulation.follows_load_for(3).await;
    let server = simulation.world().take_out_by_hand(0).expect("a server");
    simulation.runs(minutes(10)).await;
    assert_eq!(simulation.world().serving_on(0), 2, "{server} stays out");
    assert_eq!(simulation.world().serving_on(1), 3, "and serves elsewhere");
    let notes = simulation.status().expect("it runs").notes.clone();
    assert_eq!(notes.len(), 1, "{notes:?}");
    assert!(notes[0].contains("taken out of lb1 by hand"), "{notes:?}");
}

#[tokio::test]
async fn a_hold_stops_changes_until_it_is_resumed() {
    let mut simulation = simulation(load_for(2)).await;
    simulation.follows_load_for(2).await;
    simulation.command(CommandKind::Hold).await.expect("the store works");
    simulation.world().set_traffic(Traffic::steady(load_for(5)));
    simulation.runs(minutes(10)).await;
    simulation.is_whole(2).await;
    let reasons = simulation.status().expect("it runs").reasons.clone();
    assert!(reasons[0].contains("operator"), "{reasons:?}");
    simulation.command(CommandKind::Resume).await.expect("the store works");
    simulation.follows_load_for(5).await;
}

#[tokio::test]
async fn a_protected_node_outlives_a_scale_in_until_it_is_released_or_its_time_is_over() {
    let mut simulation = simulation(load_for(2)).await;
    simulation.follows_load_for(5).await;
    let ids: Vec<_> =
        simulation.status().expect("it runs").nodes.iter().map(|node| node.id).collect();
    for node in ids[..4].iter().copied() {
        simulation.command(CommandKind::Protect { node }).await.expect("the store works");
    }
    simulation.world().set_traffic(Traffic::steady(load_for(2)));
    simulation.runs(minutes(20)).await;
    simulation.kill();
    simulation.runs(minutes(20)).await;
    let status = simulation.status().expect("it runs");
    let left: Vec<_> = status.nodes.iter().map(|node| node.id).collect();
    assert_eq!(left, ids[..4], "three would be too many without the protection");
    let protected = status.nodes[0].protected.clone().unwrap_or_default();
    assert!(protected.ends_with("by operator: a rehearsal"), "{protected}");
    assert!(status.notes.join("; ").contains("protected"), "{:?}", status.notes);
    simulation.command(CommandKind::Release { node: ids[0] }).await.expect("the store works");
    simulation.runs(minutes(10)).await;
    let nodes = simulation.status().expect("it runs").nodes.clone();
    assert_eq!(nodes.iter().map(|node| node.id).collect::<Vec<_>>(), ids[1..4]);
    simulation.settles_at(2, minutes(20)).await;
    simulation.is_whole(2).await;
}

#[tokio::test]
async fn a_hold_ends_by_itself() {
    let mut simulation = simulation(load_for(2)).await;
    simulation.follows_load_for(2).await;
    simulation.command(CommandKind::Hold).await.expect("the store works");
    simulation.world().set_traffic(Traffic::steady(load_for(5)));
    simulation.runs(minutes(59)).await;
    simulation.is_whole(2).await;
    simulation.runs(minutes(1)).await;
    simulation.follows_load_for(5).await;
}

#[tokio::test]
async fn a_dry_run_says_what_it_would_do_and_does_nothing() {
    let world = SimWorld::new(1, 2);
    world.set_traffic(Traffic::steady(load_for(4)));
    let store = Store::in_memory().await.expect("memory to spare");
    let settings = Settings { control: Control::DryRun, ..Settings::default() };
    let mut simulation = Simulation::new(world, quick_with(&[]), store, settings);
    simulation.runs(minutes(10)).await;
    assert_eq!(simulation.world().tally(), Default::default());
    assert_eq!(simulation.desired(), Some(NodeCount(4)), "it decides");
    let journal = simulation.store().journal(&simulation.policy().pool, i64::MAX, 10_000).await;
    let would: Vec<String> = journal
        .expect("a journal")
        .into_iter()
        .filter_map(|record| match record.entry {
            Entry::Suppressed { what } => Some(what),
            _ => None,
        })
        .collect();
    assert!(would.contains(&"create 4 nodes".to_string()), "{would:?}");
    assert!(would.len() <= 3, "said once and not at each look: {would:?}");
}

#[tokio::test]
async fn what_plan_shows_is_what_the_next_look_does_and_showing_changes_nothing() {
    let mut simulation = simulation(load_for(2)).await;
    simulation.follows_load_for(2).await;
    simulation.world().set_traffic(Traffic::steady(load_for(5)));
    simulation.runs(seconds(2)).await;
    simulation.world().pass(seconds(20));
    let (nodes, instances) = (simulation.status().expect("it runs").nodes.len(), 2);
    let preview = simulation.preview().await.expect("the store works");
    assert_eq!(preview.acts, ["create 3 nodes"]);
    let status = simulation.status().expect("it runs");
    assert_eq!((status.nodes.len(), simulation.world().instances()), (nodes, instances));
    simulation.look().await.expect("the store works");
    assert_eq!(simulation.status().expect("it runs").nodes.len(), 5);
}

#[tokio::test]
async fn counts_that_are_ordered_are_kept_to_until_they_end() {
    let mut simulation = simulation(load_for(3)).await;
    simulation.follows_load_for(3).await;
    let count = NodeCount;
    simulation.command(CommandKind::Floor { count: count(5) }).await.expect("the store works");
    simulation.settles_at(5, minutes(20)).await;
    let orders = simulation.status().expect("it runs").orders.clone();
    assert_eq!(orders[0].what, "at least 5 nodes");
    simulation.command(CommandKind::Set { count: count(4) }).await.expect("the store works");
    simulation.runs(minutes(2)).await;
    assert_eq!(simulation.desired(), Some(count(4)), "a set count is stricter than a floor");
    simulation.runs(minutes(70)).await;
    simulation.settles_at(3, minutes(90)).await;
    assert_eq!(simulation.status().expect("it runs").orders, [], "all have ended");
}

#[tokio::test]
async fn a_replaced_node_goes_once_another_serves_and_a_drained_one_at_once() {
    let mut simulation = simulation(load_for(3)).await;
    simulation.follows_load_for(3).await;
    let nodes = simulation.status().expect("it runs").nodes.clone();
    let (first, second) = (nodes[0].id, nodes[1].id);
    simulation.command(CommandKind::Replace { node: first }).await.expect("the store works");
    simulation.runs(seconds(30)).await;
    let status = simulation.status().expect("it runs");
    assert_eq!(status.fleet.serving, NodeCount(3), "it serves until another does");
    let told = status.nodes.iter().find(|node| node.id == first).expect("it is there");
    let told = told.sent_away.clone().unwrap_or_default();
    assert_eq!(told, "replaced by order of operator: a rehearsal");
    simulation.runs(minutes(20)).await;
    simulation.is_whole(3).await;
    let left: Vec<_> = simulation.status().expect("it runs").nodes.iter().map(|n| n.id).collect();
    assert!(!left.contains(&first) && left.contains(&second), "{left:?}");
    simulation.command(CommandKind::Drain { node: second }).await.expect("the store works");
    simulation.runs(seconds(10)).await;
    assert_eq!(simulation.status().expect("it runs").fleet.serving, NodeCount(2));
    simulation.runs(minutes(20)).await;
    simulation.is_whole(3).await;
    let left: Vec<_> = simulation.status().expect("it runs").nodes.iter().map(|n| n.id).collect();
    assert!(!left.contains(&second), "{left:?}");
    assert_eq!(simulation.cuts_before_the_deadline().await.expect("the store works"), []);
}
