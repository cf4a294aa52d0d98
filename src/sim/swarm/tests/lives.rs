//! Lives of many seeds.

use std::collections::BTreeMap;

use super::super::{Life, Swarm, life, live_all};
use crate::domain::Duration;
use crate::sim::KINDS;

/// A swarm whose lives are short: what matters happens within minutes here.
fn swarm(trouble_minutes: u64) -> Swarm {
    Swarm::built_in(Duration::from_secs(trouble_minutes * 60))
}

/// How many seeds the test takes; raised for a long night: `WINDLASS_TEST_SEEDS=5000`.
fn seeds() -> u64 {
    let asked = std::env::var("WINDLASS_TEST_SEEDS").ok().and_then(|count| count.parse().ok());
    asked.unwrap_or(200)
}

fn tell(life: &Life) -> String {
    let broken: Vec<String> = life
        .broken
        .iter()
        .map(|one| format!("{}: {}: {}", one.at, one.invariant, one.what))
        .collect();
    format!("{}\nseed {}:\n{}", life.timeline.join("\n"), life.seed, broken.join("\n"))
}

#[test]
fn whatever_goes_wrong_the_invariants_hold_and_the_pool_settles_once_it_stops() {
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    let lives = live_all(&swarm(12), 0..seeds(), threads, &|_| {}).expect("threads");
    assert_eq!(lives.len() as u64, seeds());
    let failed: Vec<String> =
        lives.iter().filter(|life| !life.broken.is_empty()).map(tell).collect();
    assert!(failed.is_empty(), "{}\n{} failed", failed.join("\n\n"), failed.len());
    let mut struck: BTreeMap<&str, u64> = KINDS.iter().map(|kind| (*kind, 0)).collect();
    for (kind, times) in lives.iter().flat_map(|life| &life.faults) {
        *struck.get_mut(kind).unwrap_or_else(|| panic!("{kind} is no kind")) += times;
    }
    let never: Vec<_> = struck.iter().filter(|(_, times)| **times == 0).collect();
    assert!(never.is_empty(), "never struck: {never:?}");
    let crashes: u32 = lives.iter().map(|life| life.crashes).sum();
    assert!(lives.len() < crashes as usize, "{crashes} crashes rehearse nothing");
}

#[tokio::test]
async fn a_seed_repeats_its_life() {
    // Kills between awaits of the store hang on its thread; this seed has none.
    let calm = (0..).find(|seed| crate::sim::Faults::of(*seed).crash_between_awaits == 0.0);
    let seed = calm.expect("half of the odd seeds");
    let (first, second) = (life::live(&swarm(15), seed).await, life::live(&swarm(15), seed).await);
    assert_eq!(first.broken, []);
    let counts = |life: &Life| (life.looks, life.decisions, life.crashes, life.instances);
    assert_eq!(counts(&first), counts(&second));
    assert_eq!((first.bill, first.faults, first.lived), (second.bill, second.faults, second.lived));
}

#[tokio::test]
async fn the_books_are_kept_and_not_empty() {
    let life = life::live(&swarm(15), 2).await;
    assert_eq!(life.broken, []);
    assert!(4 <= life.instances, "{life:?}");
    assert!(0.036 * f64::from(life.instances) <= life.bill.get(), "{life:?}");
}

#[test]
fn a_life_that_panics_is_a_failed_life() {
    let life = Life::panicked(7, "index out of bounds".into());
    assert_eq!(life.broken.len(), 1);
    assert!(tell(&life).contains("it panicked: index out of bounds"));
}
