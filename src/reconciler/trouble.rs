//! Says what ails the daemon itself: a store that fails or is slow, a clock that was set back.
//!
//! In: a failure of the store, the length of a write, the moment of a look.
//! Out: the pool's status, metrics and log at once; the journal as soon as it can be written.
//! Never: acts; believes what it remembers from before a failure.

use tracing::{info, warn};

use super::look::{ENDED_MEMORY, PoolLoop};
use crate::domain::{Duration, Timestamp, after, before, elapsed};
use crate::ports::with_causes;
use crate::store::{Change, Entry, StoreError};

/// Half of what one write may take before a node's join is late by a second. A sound disk needs
/// some milliseconds.
const SLOW_WRITE: Duration = Duration::from_millis(500);

/// Clocks are set right by fractions of a second all the time; nothing here minds a minute.
const SET_BACK: Duration = Duration::from_secs(60);

/// What the daemon has noticed of itself.
#[derive(Debug, Default)]
pub(super) struct Trouble {
    store: Option<StoreFailure>,
    is_slow: bool,
    last_look: Option<Timestamp>,
}

/// A store that fails since some moment.
#[derive(Debug)]
struct StoreFailure {
    since: Timestamp,
    looks: u32,
    what: String,
}

impl Trouble {
    /// As of the journal's last row, which may be of another process.
    pub(super) fn since(last: Option<Timestamp>) -> Self {
        Self { last_look: last, ..Self::default() }
    }
}

impl PoolLoop {
    /// Shows that the store failed, so that a look ended with nothing done that is not written.
    pub(super) fn store_failed(&mut self, cause: &StoreError) {
        let (now, what) = (self.now(), with_causes(cause));
        let failure = self.trouble.store.get_or_insert_with(|| StoreFailure {
            since: now,
            looks: 0,
            what: what.clone(),
        });
        failure.looks += 1;
        let labels = self.pool_labels();
        self.telemetry.store_failing.get_or_create(&labels).set(1);
        self.telemetry.store_failures.get_or_create(&labels).inc();
        self.show_store_failure(Some(what));
    }

    /// After a failure: takes the pool up from the file, as a new process would, since a write
    /// that failed may have been kept or not; and writes down what was.
    pub(super) async fn take_up_after_failure(&mut self, now: Timestamp) -> Result<(), StoreError> {
        let Some(StoreFailure { since, looks, what }) = &self.trouble.store else { return Ok(()) };
        let (looks, pool) = (*looks, self.policy.pool.clone());
        let entry = Entry::StoreFailed { since: *since, looks, what: what.clone() };
        let change = Change { entries: vec![(None, entry)], ..Change::default() };
        self.store.write(&pool, now, &change).await?;
        let state = self.store.load_pool(&pool, before(now, ENDED_MEMORY)).await?;
        self.nodes = state.nodes.into_iter().map(|node| (node.id, node)).collect();
        self.history = state.history;
        self.trouble.store = None;
        self.telemetry.store_failing.get_or_create(&self.pool_labels()).set(0);
        self.show_store_failure(None);
        info!(pool = %pool, "the store works again after {looks} looks of {pool} that did nothing");
        Ok(())
    }

    /// Notes how long a write took, and says once that the store has become slow.
    pub(super) fn note_write(&mut self, took: std::time::Duration) {
        let labels = self.pool_labels();
        self.telemetry.store_write_seconds.get_or_create(&labels).observe(took.as_secs_f64());
        let is_slow = SLOW_WRITE <= took;
        if is_slow && !self.trouble.is_slow {
            warn!(
                pool = %self.policy.pool,
                "the store is slow: writing took {:.1} s, and no act goes before its write. Look at \
                 the disk, and at who else uses the database",
                took.as_secs_f64()
            );
        }
        self.trouble.is_slow = is_slow;
    }

    /// Says that the clock was set back since the last look, and writes it down.
    pub(super) async fn notice_clock(&mut self, now: Timestamp) -> Result<(), StoreError> {
        let Some(last) = self.trouble.last_look.replace(now) else { return Ok(()) };
        if last <= after(now, SET_BACK) {
            return Ok(());
        }
        let seconds = elapsed(now, last).as_secs();
        let pool = &self.policy.pool;
        warn!(
            pool = %pool,
            "the clock was set back by {seconds} s: deadlines and waits end that much later. \
             Look at the time service of this machine"
        );
        self.telemetry.clock_set_back.get_or_create(&self.pool_labels()).inc();
        let entry = Entry::ClockSetBack { seconds };
        let change = Change { entries: vec![(None, entry)], ..Change::default() };
        self.store.write(pool, now, &change).await
    }
}
