//! Machines that cost money and are no node of ours, and machines of others beside them.

use super::super::Simulation;
use super::fixture::{minutes, quick_with, seconds, simulation, simulation_of};
use super::scenarios::load_for;
use crate::store::Entry;

/// A label of our form.
const OURS: &str = "web-0123456789ab";
const TAGS: [&str; 2] = ["windlass-web", "windlass"];

/// Two nodes serve, and orphans are deleted after an hour.
async fn deleting() -> Simulation {
    let policy = quick_with(&[("join:", "orphans: {keep_for: 1h, then: delete}\njoin:")]);
    let mut simulation = simulation_of(policy, load_for(2)).await;
    simulation.follows_load_for(2).await;
    simulation
}

/// What the journal says of deletions of orphans and of what is somebody else's, oldest first.
async fn told(simulation: &Simulation) -> Vec<String> {
    let pool = &simulation.policy().pool;
    let journal = simulation.store().journal(pool, i64::MAX, 10_000).await.expect("a journal");
    let told = journal.into_iter().rev().filter_map(|record| match record.entry {
        Entry::Sweeps { label, .. } => Some(format!("sweeps {label}")),
        Entry::Disowned { label, .. } => Some(format!("disowned {label}")),
        Entry::Came { step, outcome, .. } if step == "sweep_orphan" => Some(outcome),
        _ => None,
    });
    told.collect()
}

fn note(simulation: &Simulation) -> String {
    simulation.status().expect("it runs").notes.join("; ")
}

#[tokio::test]
async fn an_orphan_is_told_of_at_once_and_left_alone_unless_the_policy_says_otherwise() {
    let mut simulation = simulation(load_for(2)).await;
    simulation.follows_load_for(2).await;
    simulation.world().plant(OURS, &TAGS);
    simulation.runs(seconds(12)).await;
    let wanted = format!("instance {OURS} carries our tag and is no node of ours: left alone");
    assert_eq!(note(&simulation), wanted);
    simulation.runs(minutes(90)).await;
    assert!(simulation.world().has_instance(OURS));
    assert_eq!(told(&simulation).await, Vec::<String>::new());
}

#[tokio::test]
async fn an_orphan_of_ours_is_deleted_once_its_quarantine_ends_however_often_the_daemon_starts() {
    let mut simulation = deleting().await;
    simulation.world().plant(OURS, &TAGS);
    simulation.runs(minutes(40)).await;
    assert!(note(&simulation).contains("deleted after"), "{}", note(&simulation));
    simulation.kill();
    simulation.runs(minutes(19)).await;
    assert!(simulation.world().has_instance(OURS), "an hour is not over");
    simulation.runs(minutes(2)).await;
    assert!(!simulation.world().has_instance(OURS));
    assert_eq!(told(&simulation).await, [format!("sweeps {OURS}"), "done".into()]);
    assert_eq!(simulation.world().instances(), 2, "the nodes are untouched");
    simulation.runs(minutes(5)).await;
    assert_eq!(note(&simulation), "");
}

#[tokio::test]
async fn what_lacks_our_tag_or_our_label_is_never_touched() {
    let mut simulation = deleting().await;
    let strangers: [(&str, &[&str]); 5] = [
        ("web-0123456789ab", &[]),
        ("web-0123456789ac", &["windlass"]),
        ("web-0123456789ad", &["windlass", "windlass-other"]),
        ("database", &TAGS),
        ("web-eu-0123456789ab", &TAGS),
    ];
    for (label, tags) in strangers {
        simulation.world().plant(label, tags);
    }
    simulation.runs(minutes(90)).await;
    for (label, tags) in strangers {
        assert!(simulation.world().has_instance(label), "{label} {tags:?}");
    }
    assert_eq!(told(&simulation).await, Vec::<String>::new());
    assert_eq!(simulation.world().tally().deleted_strangers, 0);
}

#[tokio::test]
async fn a_machine_that_somebody_made_theirs_stays_theirs_though_the_tag_comes_back() {
    let mut simulation = deleting().await;
    let label = simulation.status().expect("it runs").nodes[0].label.to_string();
    // Without the tag it is gone for us, and another node takes its place.
    simulation.world().retag(&label, &["mine"]);
    simulation.runs(minutes(10)).await;
    assert_eq!(told(&simulation).await, [format!("disowned {label}")]);
    simulation.world().retag(&label, &TAGS);
    simulation.kill();
    simulation.runs(minutes(90)).await;
    assert!(simulation.world().has_instance(&label));
    assert!(note(&simulation).contains("took our tag off it"), "{}", note(&simulation));
}

#[tokio::test]
async fn many_orphans_go_one_a_minute_and_one_that_is_missing_from_a_listing_waits_anew() {
    let mut simulation = deleting().await;
    let labels: Vec<String> = (1..=5).map(|number| format!("web-{number:012x}")).collect();
    for label in &labels {
        simulation.world().plant(label, &TAGS);
    }
    simulation.runs(minutes(50)).await;
    simulation.world().retag(&labels[4], &[]);
    simulation.runs(seconds(30)).await;
    simulation.world().retag(&labels[4], &TAGS);
    let left = |simulation: &Simulation| {
        labels.iter().filter(|label| simulation.world().has_instance(label)).count()
    };
    simulation.runs(minutes(9)).await;
    assert_eq!(left(&simulation), 5);
    simulation.runs(minutes(2) + seconds(30)).await;
    let now_left = left(&simulation);
    assert!((2..=3).contains(&now_left), "{now_left} are left after two or three minutes");
    simulation.runs(minutes(10)).await;
    assert_eq!(left(&simulation), 1, "the one that was gone for a while");
    simulation.runs(minutes(50)).await;
    assert_eq!(left(&simulation), 0);
}
