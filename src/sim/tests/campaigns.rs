//! Announced campaigns, through the loop and the store.

use super::super::{Simulation, Traffic};
use super::fixture::{minutes, quick_with, seconds, simulation_of};
use super::scenarios::load_for;
use crate::domain::{
    Hint, HintId, HintSize, HintSource, NodeCount, RequestsPerSecond, Timestamp, after, elapsed,
};
use crate::ports::Clock;
use crate::store::{Announcement, Entry, HintRecord};

/// A pool of two nodes that listens to what is announced, and has served for a while.
async fn listening() -> Simulation {
    let rules = "headroom_percent: 0}}]";
    let with_hints = "headroom_percent: 0}}, {hint: {signal: requests, per_node: 100}}]";
    let mut simulation = simulation_of(quick_with(&[(rules, with_hints)]), load_for(2)).await;
    simulation.follows_load_for(2).await;
    simulation
}

/// 500 req/s for two minutes, `ahead` of now: with 180 req/s beside it that is 8 nodes.
async fn announce(simulation: &Simulation, ahead: u64) -> Hint {
    let now = simulation.world().now();
    let hint = Hint {
        id: HintId(uuid::Uuid::from_u128(u128::from(ahead))),
        kind: "lunch".parse().expect("a legal name"),
        announced_at: now,
        starts_at: after(now, minutes(ahead)),
        size: HintSize::RequestsPerSecond(RequestsPerSecond::new(500.0).expect("a rate")),
        spread: minutes(2),
        tail: None,
        reason: "lunch push".into(),
        source: HintSource::Person,
    };
    let announcement = Announcement { hint: hint.clone(), owner: "operator".into() };
    let store = simulation.store();
    store.add_hints(&simulation.policy().pool, &[announcement]).await.expect("the store works");
    hint
}

async fn record_of(simulation: &Simulation, hint: &Hint) -> HintRecord {
    let pool = &simulation.policy().pool;
    let records = simulation.store().hints(pool, Timestamp::MIN).await.expect("the store works");
    records.into_iter().find(|record| record.announcement.hint == *hint).expect("it was announced")
}

fn serving(simulation: &Simulation) -> u32 {
    simulation.status().expect("it has looked").fleet.serving.0
}

#[tokio::test]
async fn an_announced_campaign_has_its_nodes_before_it_begins_though_the_daemon_dies() {
    let mut simulation = listening().await;
    let hint = announce(&simulation, 20).await;
    simulation.runs(minutes(5)).await;
    assert_eq!(simulation.desired(), Some(NodeCount(2)), "it is early");
    simulation.kill();
    simulation.runs(minutes(15)).await;
    assert_eq!(serving(&simulation), 8, "they serve as the first message is sent");
    simulation.world().set_traffic(Traffic::steady(680.0));
    simulation.runs(seconds(130)).await;
    assert_eq!(serving(&simulation), 8, "and until the last request");
    simulation.world().set_traffic(Traffic::steady(load_for(2)));
    simulation.settles_at(2, minutes(15)).await;
    simulation.is_whole(2).await;
    simulation.runs(minutes(20)).await;
    let response = record_of(&simulation, &hint).await.response.expect("it taught");
    assert!((0.7..1.4).contains(&response.factor), "{response:?}");
    let journal = simulation.store().journal(&simulation.policy().pool, i64::MAX, u32::MAX).await;
    let journal = journal.expect("the store works");
    let told = journal.iter().filter(|record| matches!(record.entry, Entry::Announced { .. }));
    assert_eq!(told.count(), 1, "the journal says so once");
}

#[tokio::test]
async fn a_campaign_that_never_comes_costs_its_window_and_a_cancelled_one_nothing() {
    let mut simulation = listening().await;
    let hint = announce(&simulation, 20).await;
    simulation.runs(minutes(20)).await;
    assert_eq!(serving(&simulation), 8);
    // 120 s of spread, 90 s of grace, two minutes of stabilization, and the time to leave.
    simulation.settles_at(2, minutes(15)).await;
    simulation.runs(minutes(20)).await;
    assert_eq!(record_of(&simulation, &hint).await.response, None, "it taught nothing");

    let second = announce(&simulation, 30).await;
    let (pool, now) = (simulation.policy().pool.clone(), simulation.world().now());
    let cancel = async |id| {
        simulation.store().cancel_hint(&pool, id, "operator", now).await.expect("the store works")
    };
    assert!(cancel(second.id).await && !cancel(second.id).await, "once");
    assert!(!cancel(hint.id).await, "what is over can't be taken back");
    simulation.runs(minutes(32)).await;
    assert_eq!(serving(&simulation), 2);
}

#[tokio::test]
async fn the_policys_calendar_needs_no_call_and_teaches_like_any_campaign() {
    let rules = "headroom_percent: 0}}]";
    let with_calendar = "headroom_percent: 0}}, {hint: {signal: requests, per_node: 100}}]\n\
         hints: [{timezone: UTC, cron: '0 7-9 * * *', rps: 500, kind: hourly}]";
    // It is six; at seven, eight and nine comes a push.
    let mut simulation = simulation_of(quick_with(&[(rules, with_calendar)]), load_for(2)).await;
    simulation.follows_load_for(2).await;
    let start: Timestamp = "2026-03-02T07:00:00Z".parse().expect("a moment");
    let until =
        |simulation: &Simulation, moment: Timestamp| elapsed(simulation.world().now(), moment);
    let lead = until(&simulation, start);
    simulation.runs(lead).await;
    assert_eq!(serving(&simulation), 8, "they serve as the first message is sent");
    simulation.world().set_traffic(Traffic::steady(680.0));
    simulation.runs(seconds(130)).await;
    simulation.kill();
    simulation.world().set_traffic(Traffic::steady(load_for(2)));
    simulation.settles_at(2, minutes(15)).await;
    simulation.runs(minutes(20)).await;

    let (pool, store) = (simulation.policy().pool.clone(), simulation.store());
    let records = store.hints(&pool, Timestamp::MIN).await.expect("the store works");
    assert_eq!(records.len(), 1, "stored once, and only what has begun: {records:?}");
    assert_eq!(records[0].announcement.hint.source, HintSource::Calendar);
    assert_eq!(records[0].announcement.hint.starts_at, start);
    assert!(records[0].response.is_some(), "it taught");

    // The one at eight is taken back, the one at nine never comes: that costs its window.
    let hints = simulation.policy().campaigns_at(simulation.world().now());
    let (eight, nine) = (&hints[0], after(start, minutes(120)));
    let announcement = Announcement { hint: eight.clone(), owner: "the policy's calendar".into() };
    store.add_hints(&pool, &[announcement]).await.expect("the store works");
    let now = simulation.world().now();
    assert!(store.cancel_hint(&pool, eight.id, "operator", now).await.expect("the store works"));
    let length = until(&simulation, after(eight.starts_at, minutes(2)));
    simulation.runs(length).await;
    assert_eq!(serving(&simulation), 2);
    let length = until(&simulation, nine);
    simulation.runs(length).await;
    assert_eq!(serving(&simulation), 8);
    simulation.settles_at(2, minutes(15)).await;
    simulation.is_whole(2).await;
}
