//! Nodes that stand by: taken within a second, filled again, free until the end of their hour.

use super::super::{CloudMood, SimWorld, Simulation, Traffic};
use super::fixture::{minutes, quick_with, seconds, simulation_of};
use super::scenarios::load_for;
use crate::domain::{NodeState, elapsed};
use crate::policy::{Control, Policy};
use crate::store::{Entry, JournalRecord, Store};

fn keeping(standby: u32) -> Policy {
    quick_with(&[(
        "leave_early: yes}",
        &format!("leave_early: yes}}\nstandby: {{nodes: {standby}}}"),
    )])
}

async fn settled(policy: Policy, serving: u32, standby: u32) -> Simulation {
    let mut simulation = simulation_of(policy, load_for(serving)).await;
    simulation.runs(seconds(30)).await;
    simulation.settles_with(serving, standby, minutes(20)).await;
    simulation
}

async fn journal(simulation: &Simulation) -> Vec<JournalRecord> {
    let pool = &simulation.policy().pool;
    let mut records = simulation.store().journal(pool, i64::MAX, 10_000).await.expect("a journal");
    records.reverse();
    records
}

#[tokio::test]
async fn a_standby_serves_within_a_second_of_the_sample_that_calls_for_it() {
    let mut simulation = settled(keeping(1), 3, 1).await;
    simulation.world().set_traffic(Traffic::steady(load_for(4)));
    simulation.runs(seconds(30)).await;
    for balancer in [0, 1] {
        assert_eq!(simulation.world().serving_on(balancer), 4);
    }
    let records = journal(&simulation).await;
    let decided = records
        .iter()
        .rev()
        .find(|record| matches!(&record.entry, Entry::Decided { from, to, .. } if from < to));
    let ready = records.iter().rev().find(|record| {
        matches!(&record.entry, Entry::Came { step, outcome, .. }
            if step == "make_ready" && outcome == "done")
    });
    let (decided, ready) = (decided.expect("a scale-out"), ready.expect("a node made ready"));
    assert_eq!(elapsed(decided.at, ready.at), seconds(0), "in the very look that decided");
    simulation.settles_with(4, 1, minutes(10)).await;
    assert_eq!(simulation.world().tally().instances_ever, 5);
}

#[tokio::test]
async fn a_standby_goes_up_and_down_with_the_load_and_cuts_nothing() {
    let mut simulation = settled(keeping(2), 2, 2).await;
    for nodes in [6, 3, 8, 10, 2] {
        simulation.world().set_traffic(Traffic::steady(load_for(nodes)));
        simulation.runs(seconds(30)).await;
        simulation.settles_with(nodes, 2.min(10 - nodes), minutes(40)).await;
    }
    assert_eq!(simulation.world().tally().cuts, vec![]);
    assert_eq!(simulation.world().tally().most_instances, 10);
}

#[tokio::test]
async fn balancers_that_restart_get_their_standby_back_without_requests() {
    let mut simulation = settled(keeping(2), 3, 2).await;
    for balancer in [0, 1] {
        simulation.world().restart_balancer(balancer);
        simulation.runs(seconds(3)).await;
        assert_eq!(simulation.world().servers_on(balancer), 5, "all are registered again");
        assert_eq!(simulation.world().serving_on(balancer), 3);
        simulation.runs(seconds(30)).await;
    }
    simulation.settles_with(3, 2, minutes(1)).await;
    assert_eq!(simulation.world().tally().instances_ever, 5, "nobody was replaced");
    simulation.world().set_traffic(Traffic::steady(load_for(5)));
    simulation.runs(seconds(10)).await;
    assert_eq!(simulation.world().serving_on(0), 5, "and they serve when they are needed");
}

#[tokio::test]
async fn a_standby_whose_machine_vanished_or_died_is_replaced() {
    let mut simulation = settled(keeping(1), 2, 1).await;
    let status = simulation.status().expect("it runs");
    let standby = status.nodes.iter().find(|node| node.state == "standby").expect("one stands by");
    simulation.world().break_application(standby.label.as_str());
    simulation.runs(seconds(20)).await;
    simulation.settles_with(2, 1, minutes(10)).await;
    let after = simulation.status().expect("it runs");
    assert!(after.nodes.iter().all(|node| node.label != standby.label), "{after:#?}");
    assert_eq!(simulation.world().tally().instances_ever, 4);
}

#[tokio::test]
async fn a_daemon_that_dies_around_the_standby_ends_with_the_right_count() {
    for state in ["planned", "joining", "standby", "in_service", "draining", "deleting"] {
        let mut simulation = simulation_of(keeping(1), load_for(2)).await;
        simulation.world().die_after_writing(state);
        for nodes in [2, 4, 2] {
            simulation.world().set_traffic(Traffic::steady(load_for(nodes)));
            simulation.runs(seconds(30)).await;
            simulation.settles_with(nodes, 1, minutes(40)).await;
        }
        assert_eq!(simulation.world().tally().crashes, 1, "it died once, in {state}");
    }
}

#[tokio::test]
async fn a_look_that_is_cut_short_around_the_standby_leaks_nothing() {
    for polls in (1..=27).step_by(3) {
        let folder = tempfile::tempdir().expect("room for a database");
        let store = Store::open(&folder.path().join("pool.db")).await.expect("a new database");
        let world = SimWorld::new(u64::from(polls), 2);
        world.set_traffic(Traffic::steady(load_for(2)));
        let mut simulation = Simulation::new(world, keeping(1), store, Default::default());
        simulation.runs(seconds(30)).await;
        simulation.settles_with(2, 1, minutes(20)).await;
        for nodes in [4, 2] {
            simulation.world().set_traffic(Traffic::steady(load_for(nodes)));
            simulation.is_cut_short(polls, 20).await;
            simulation.settles_with(nodes, 1, minutes(40)).await;
        }
    }
}

#[tokio::test]
async fn drained_nodes_stand_by_until_their_paid_hour_ends_and_come_back_for_nothing() {
    let policy = quick_with(&[("leave_early: yes", "leave_early: to_standby")]);
    let mut simulation = settled(policy, 6, 0).await;
    simulation.world().set_traffic(Traffic::steady(load_for(2)));
    simulation.runs(minutes(12)).await;
    assert_eq!(simulation.world().serving_on(0), 2, "nobody serves beyond what is needed");
    assert_eq!(simulation.status().expect("it runs").fleet.standby.0, 4, "they are paid for");
    simulation.world().set_traffic(Traffic::steady(load_for(5)));
    simulation.runs(seconds(10)).await;
    assert_eq!(simulation.world().serving_on(0), 5, "taken back at once");
    assert_eq!(simulation.world().tally().instances_ever, 6, "and none was made");
    simulation.world().set_traffic(Traffic::steady(load_for(2)));
    simulation.runs(minutes(60)).await;
    simulation.settles_with(2, 0, minutes(10)).await;
    let model = simulation.world().model();
    for instance in model.instances.values() {
        let Some(gone) = instance.gone_at else { continue };
        let lived = elapsed(instance.created_at, gone);
        assert!(minutes(54) < lived && lived < minutes(60), "{} lived {lived:?}", instance.label);
    }
}

#[tokio::test]
async fn a_cloud_that_is_sold_out_is_bridged_by_the_standby() {
    let mut simulation = settled(keeping(2), 3, 2).await;
    simulation.world().set_cloud(CloudMood::SoldOut);
    simulation.world().set_traffic(Traffic::steady(load_for(5)));
    simulation.runs(minutes(2)).await;
    assert_eq!(simulation.world().serving_on(0), 5);
    simulation.world().set_cloud(CloudMood::Well);
    simulation.settles_with(5, 2, minutes(40)).await;
}

#[tokio::test]
async fn a_dry_run_makes_no_standby_and_says_that_it_would() {
    let mut policy = keeping(1);
    policy.control = Control::DryRun;
    let mut simulation = simulation_of(policy, load_for(2)).await;
    simulation.runs(minutes(2)).await;
    assert_eq!(simulation.world().instances(), 0);
    let told = journal(&simulation).await;
    let would = |record: &JournalRecord| matches!(&record.entry, Entry::Suppressed { what } if what == "create 3 nodes");
    assert!(told.iter().any(would), "{told:#?}");
}

#[tokio::test]
async fn the_journal_tells_of_the_standby() {
    let mut simulation = settled(keeping(1), 2, 1).await;
    simulation.world().set_traffic(Traffic::steady(load_for(3)));
    simulation.runs(seconds(20)).await;
    let told: Vec<String> = journal(&simulation)
        .await
        .into_iter()
        .filter_map(|record| match record.entry {
            Entry::Entered { before, after, because, .. }
                if after == NodeState::Standby || before == Some(NodeState::Standby) =>
            {
                Some(format!("{}: {because}", after.name()))
            }
            Entry::Entered { because, .. } if because.contains("stand by") => {
                Some(because.split(':').next().unwrap_or_default().to_owned())
            }
            _ => None,
        })
        .collect();
    assert_eq!(
        told,
        [
            "one more shall stand by",
            "standby: UP on every reachable balancer; kept in standby",
            "one more shall stand by",
            "in_service: needed; it stands by",
        ]
    );
}
