//! Notices that runs end, those of an earlier process included.
//!
//! In: runs that were started or found at work.
//! Out: a wake-up for whoever waits, within a moment of a run's report.
//! Never: decides what a run came to.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::process::Child;
use tokio::sync::Notify;

use super::folder::RunFolder;
use crate::domain::{Duration, RunId};

/// A run's report is a file, and looking for it costs microseconds: short enough not to be
/// felt in the time from surge to serving.
const LOOK_EVERY: Duration = Duration::from_millis(50);

/// The runs under way, and who waits for their ends.
#[derive(Debug)]
pub(super) struct Watch {
    runs_dir: PathBuf,
    watched: Mutex<Watched>,
    begun: Notify,
    ended: Notify,
}

#[derive(Debug, Default)]
struct Watched {
    runs: BTreeSet<RunId>,
    /// Supervisors started by this very process that have not ended yet.
    children: BTreeMap<RunId, Child>,
}

impl Watch {
    pub fn new(runs_dir: PathBuf) -> Self {
        Self { runs_dir, watched: Mutex::default(), begun: Notify::new(), ended: Notify::new() }
    }

    pub fn add(&self, run: RunId) {
        self.lock().runs.insert(run);
        self.begun.notify_one();
    }

    pub fn add_child(&self, run: RunId, child: Child) {
        self.lock().children.insert(run, child);
        self.add(run);
    }

    pub fn is_watched(&self, run: RunId) -> bool {
        self.lock().runs.contains(&run)
    }

    /// Whether a supervisor of our own is at work on this run, or about to be.
    pub fn is_child(&self, run: RunId) -> bool {
        let mut watched = self.lock();
        watched.collect(run);
        watched.children.contains_key(&run)
    }

    pub async fn ended(&self) {
        self.ended.notified().await;
    }

    /// Looks at the runs under way for as long as the adapter lives.
    pub async fn look_after_runs(self: Arc<Self>) {
        loop {
            if self.lock().is_empty() {
                self.begun.notified().await;
            }
            let watch = Arc::clone(&self);
            let any_over = tokio::task::spawn_blocking(move || watch.drop_those_over()).await;
            if any_over.unwrap_or(false) {
                self.ended.notify_waiters();
                self.ended.notify_one();
            }
            tokio::time::sleep(LOOK_EVERY).await;
        }
    }

    fn drop_those_over(&self) -> bool {
        let runs: Vec<RunId> = self.lock().runs.iter().copied().collect();
        let over: Vec<RunId> = runs.into_iter().filter(|run| self.is_over(*run)).collect();
        let mut watched = self.lock();
        for run in &over {
            watched.runs.remove(run);
        }
        for run in watched.children.keys().copied().collect::<Vec<_>>() {
            watched.collect(run);
        }
        !over.is_empty()
    }

    fn is_over(&self, run: RunId) -> bool {
        let folder = RunFolder::of(&self.runs_dir, run);
        if folder.has_begun() {
            return folder.has_reported() || !folder.is_at_work();
        }
        let is_over = !self.is_child(run);
        if is_over {
            tracing::warn!(run.id = %run, "the supervisor of run {run} ended before it began");
        }
        is_over
    }

    fn lock(&self) -> MutexGuard<'_, Watched> {
        self.watched.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Watched {
    fn is_empty(&self) -> bool {
        self.runs.is_empty() && self.children.is_empty()
    }

    /// Forgets a child that has ended, so that it doesn't stay as a zombie.
    fn collect(&mut self, run: RunId) {
        let has_ended =
            self.children.get_mut(&run).is_some_and(|child| !matches!(child.try_wait(), Ok(None)));
        if has_ended {
            self.children.remove(&run);
        }
    }
}
