//! Stores that fail, on real SQLite files: no act without a written intent, the failure is told,
//! and once it is over the pool goes on as if nothing had been.

use std::path::{Path, PathBuf};

use tempfile::TempDir;

use super::super::{Faults, Settings, SimWorld, Simulation, Traffic};
use super::fixture::{minutes, quick_with, seconds};
use super::scenarios::load_for;
use crate::store::{Entry, Store, StoreError};

/// A pool of two on a database of its own.
struct Place {
    folder: TempDir,
    simulation: Simulation,
}

impl Place {
    async fn new() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let world = SimWorld::new(1, 2);
        world.set_traffic(Traffic::steady(load_for(2)));
        world.set_faults(Faults::none());
        let store = Store::open(&database(&folder)).await.expect("a new file");
        let mut simulation = Simulation::new(world, quick_with(&[]), store, Settings::default());
        simulation.settles_at(2, minutes(10)).await;
        Self { folder, simulation }
    }

    /// Looks through so much time at a store that fails, and how many looks did.
    async fn looks_in_vain(&mut self, length: crate::domain::Duration) -> u32 {
        let (mut failed, mut left) = (0, length.as_secs());
        while 0 < left {
            let looked = self.simulation.look().await;
            failed += u32::from(looked.is_err());
            self.every_instance_was_written_first().await;
            self.simulation.world().pass(seconds(2));
            left = left.saturating_sub(2);
        }
        failed
    }

    /// The file, and not the loop's memory, knows of each instance.
    async fn every_instance_was_written_first(&self) {
        let store = Store::open_beside(&database(&self.folder)).await.expect("it can be read");
        let pool = &self.simulation.policy().pool;
        let nodes = store.load_pool(pool, crate::domain::Timestamp::MIN).await.expect("rows").nodes;
        for label in self.simulation.world().tally().created_by_label.keys() {
            let known = nodes.iter().any(|node| node.label.as_str() == label);
            assert!(known, "{label} was made, and no row says why");
        }
        store.close().await;
    }

    fn shown_failure(&self) -> Option<String> {
        self.simulation.status().and_then(|status| status.store_failure.clone())
    }

    /// What the journal says of the store and the clock.
    async fn told(&self) -> Vec<Entry> {
        let pool = &self.simulation.policy().pool;
        let journal = self.simulation.store().journal(pool, i64::MAX, u32::MAX).await;
        let entries = journal.expect("a journal").into_iter().map(|record| record.entry);
        let about =
            |entry: &Entry| matches!(entry, Entry::StoreFailed { .. } | Entry::ClockSetBack { .. });
        entries.filter(about).collect()
    }

    /// The pool reaches five nodes, the file is whole, and the failure stands in the journal.
    async fn recovers(&mut self, says: &str) {
        self.simulation.settles_at(5, minutes(20)).await;
        self.simulation.is_whole(5).await;
        assert_eq!(self.shown_failure(), None, "it works again");
        let wrong = self.simulation.store().wrong_in_file().await.expect("it can be read");
        assert_eq!(wrong, Vec::<String>::new());
        let told = self.told().await;
        // On a full disk a small write may pass between two that don't.
        assert!(!told.is_empty(), "the journal says nothing of it");
        for entry in &told {
            let fits = matches!(entry, Entry::StoreFailed { looks, what, .. }
                if 0 < *looks && what.contains(says));
            assert!(fits, "{entry:?}");
        }
    }
}

fn database(folder: &TempDir) -> PathBuf {
    folder.path().join("windlass.db")
}

#[tokio::test]
async fn on_a_full_disk_nothing_is_created_until_there_is_room_again() {
    let mut place = Place::new().await;
    place.simulation.world().set_traffic(Traffic::steady(load_for(5)));
    let mut failed = 0;
    for _ in 0..100 {
        // Each time anew, as the store opens another connection after such a failure.
        place.simulation.store().grow_no_further().await;
        failed += place.looks_in_vain(seconds(2)).await;
    }
    assert!(30 < failed, "{failed} looks found the disk full");
    let shown = place.shown_failure().expect("the failure is shown");
    assert!(shown.contains("full"), "{shown}");
    assert!(place.simulation.world().instances() < 5, "what can't be written is not made");
    place.recovers("full").await;
}

#[tokio::test]
async fn on_a_read_only_database_nothing_is_done_until_it_can_be_written_again() {
    let mut place = Place::new().await;
    place.simulation.store().make_read_only().await;
    place.simulation.world().set_traffic(Traffic::steady(load_for(5)));
    let failed = place.looks_in_vain(minutes(2)).await;
    assert!(55 <= failed, "{failed} of 60 looks: all but those that had nothing to write");
    let shown = place.shown_failure().expect("the failure is shown");
    assert!(shown.contains("readonly"), "{shown}");
    assert_eq!(place.simulation.world().instances(), 2);
    place.simulation.store().make_writable().await;
    place.recovers("readonly").await;
}

#[tokio::test]
async fn while_another_process_holds_the_database_nothing_is_done() {
    let mut place = Place::new().await;
    place.simulation.store().wait_for_others(seconds(0)).await;
    let other = Store::open_beside(&database(&place.folder)).await.expect("it can be opened");
    let held = other.hold().await;
    place.simulation.world().set_traffic(Traffic::steady(load_for(5)));
    let failed = place.looks_in_vain(minutes(1)).await;
    assert!(25 <= failed, "{failed} of 30 looks: all but those that had nothing to write");
    let shown = place.shown_failure().expect("the failure is shown");
    assert!(shown.contains("locked"), "{shown}");
    assert_eq!(place.simulation.world().instances(), 2);
    drop(held);
    other.close().await;
    place.recovers("locked").await;
}

#[tokio::test]
async fn a_slow_store_delays_every_act_until_its_intent_is_written_and_is_told_once() {
    let mut place = Place::new().await;
    let other = Store::open_beside(&database(&place.folder)).await.expect("it can be opened");
    place.simulation.world().set_traffic(Traffic::steady(load_for(5)));
    // Each look's first write waits until the other process lets go.
    for _ in 0..3 {
        let held = other.hold().await;
        let world = place.simulation.world().clone();
        let before = world.tally().instances_ever;
        let letting_go = async {
            tokio::time::sleep(seconds(1)).await;
            let during = world.tally().instances_ever;
            drop(held);
            during
        };
        let (looked, during) = tokio::join!(place.simulation.look(), letting_go);
        looked.expect("it only waited");
        assert_eq!(before, during, "nothing was made while nothing could be written");
        place.every_instance_was_written_first().await;
        place.simulation.world().pass(seconds(5));
    }
    other.close().await;
    let text = place.simulation.metrics();
    let slow =
        text.lines().find(|line| line.starts_with("windlass_store_write_duration_seconds_sum"));
    let sum: f64 = slow.and_then(|line| line.rsplit(' ').next()?.parse().ok()).expect("a sum");
    assert!(1.0 < sum, "{sum} s of writing are counted");
    place.simulation.settles_at(5, minutes(20)).await;
    place.simulation.is_whole(5).await;
}

#[tokio::test]
async fn a_clock_that_is_set_back_an_hour_is_told_and_nothing_is_lost_or_doubled() {
    let mut place = Place::new().await;
    place.simulation.world().set_clock_ahead(3_600);
    place.simulation.runs(minutes(2)).await;
    place.simulation.world().set_clock_ahead(0);
    place.simulation.world().set_traffic(Traffic::steady(load_for(5)));
    place.simulation.settles_at(5, minutes(20)).await;
    place.simulation.is_whole(5).await;
    let told = place.told().await;
    assert!(
        matches!(told.as_slice(), [Entry::ClockSetBack { seconds: 3_500..=3_600 }]),
        "{told:?}"
    );
    let text = place.simulation.metrics();
    assert!(text.contains("windlass_clock_set_back_total{pool=\"web\"} 1"), "{text}");
}

#[tokio::test]
async fn a_clock_that_is_set_back_while_the_daemon_is_down_is_told_by_the_next_one() {
    let mut place = Place::new().await;
    place.simulation.world().set_clock_ahead(3_600);
    place.simulation.runs(minutes(2)).await;
    place.simulation.kill();
    place.simulation.world().set_clock_ahead(0);
    place.simulation.runs(minutes(2)).await;
    let told = place.told().await;
    assert!(matches!(told.as_slice(), [Entry::ClockSetBack { .. }]), "{told:?}");
    place.simulation.is_whole(2).await;
}

#[tokio::test]
async fn a_damaged_file_is_refused_at_the_start_and_a_backup_goes_on_with_the_same_nodes() {
    let Place { folder, mut simulation } = Place::new().await;
    simulation.kill();
    simulation.store().close().await;
    let (world, path) = (simulation.world().clone(), database(&folder));
    drop(simulation);
    let backup = std::fs::read(&path).expect("the file");
    damage(&path);
    let refused = Store::open(&path).await.expect_err("it is damaged");
    assert!(matches!(refused, StoreError::Corrupt { .. }), "{refused:?}");
    let said = refused.to_string();
    assert!(said.contains("restore a backup") && said.contains("windlass.db"), "{said}");
    let kept = std::fs::read(&path).expect("the file");
    assert_eq!(kept.len(), backup.len(), "what is left of it stays for whoever can read it");

    std::fs::write(&path, backup).expect("written");
    let store = Store::open(&path).await.expect("a backup is whole");
    let mut simulation = Simulation::new(world, quick_with(&[]), store, Settings::default());
    let before = simulation.world().tally();
    simulation.runs(minutes(5)).await;
    simulation.is_whole(2).await;
    let after = simulation.world().tally();
    assert_eq!(before.instances_ever, after.instances_ever, "no node was made again");
    assert_eq!(before.deleted, after.deleted, "and none deleted");
}

#[tokio::test]
async fn a_file_that_is_damaged_under_a_running_daemon_stops_every_act_and_says_so() {
    let mut place = Place::new().await;
    let store = place.simulation.store();
    store.write_all_into_the_file().await;
    damage(&database(&place.folder));
    store.forget_pages().await;
    place.simulation.world().set_traffic(Traffic::steady(load_for(5)));
    let mut failed = 0;
    for _ in 0..30 {
        failed += u32::from(place.simulation.look().await.is_err());
        place.simulation.world().pass(seconds(2));
    }
    assert!(0 < failed, "no look met the damage");
    assert_eq!(place.simulation.world().instances(), 2, "nothing was made on a damaged file");
    let shown = place.shown_failure().expect("the failure is shown");
    assert!(shown.contains("malformed") || shown.contains("damage"), "{shown}");
}

/// Overwrites the middle of a file, as a dying disk does.
fn damage(path: &Path) {
    let mut bytes = std::fs::read(path).expect("the file");
    let (begin, end) = (4_096, bytes.len());
    bytes[begin..end].fill(0xa5);
    // In place: whoever has the file open sees it.
    use std::io::{Seek, SeekFrom, Write};
    let mut file = std::fs::OpenOptions::new().write(true).open(path).expect("the file");
    file.seek(SeekFrom::Start(0)).expect("a file");
    file.write_all(&bytes).expect("written");
}
