//! Many lives of one pool, each with its own seed: everything goes wrong, then nothing does, and
//! after every look the invariants are checked.
//!
//! In: a policy, seeds, how long things go wrong.
//! Out: of each seed, which invariants it broke, what was seen to go wrong, and what happened last.
//! Never: a fault or a wait that its seed doesn't repeat. Only a kill between two awaits of the
//! store may come one await earlier or later, as the store has a thread of its own.

mod bill;
mod end;
mod invariant;
mod judge;
mod life;
mod moment;
mod record;

#[cfg(test)]
mod tests;

use std::any::Any;
use std::ops::Range;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::domain::{Duration, NodeCount};
use crate::policy::{Policy, parse};

pub use invariant::{Broken, Invariant};
pub use life::Life;

/// A policy whose pool is quick to follow, so that an hour has many changes.
pub const QUICK_POLICY: &str = include_str!("quick.yaml");

/// What all lives share.
#[derive(Clone, Debug)]
pub struct Swarm {
    /// The pool's policies, at least one: each life goes by one of them.
    pub policies: Vec<Policy>,
    /// For how long things go wrong.
    pub trouble: Duration,
    /// The count that the pool must settle at once all is well; none: whatever it wants then.
    pub settles_at: Option<NodeCount>,
}

impl Swarm {
    /// The built-in policies: with and without nodes in standby, with and without healing, and each
    /// way to leave. Where nodes wait for the end of their paid hour lives are long, so that has a
    /// small share.
    pub fn built_in(trouble: Duration) -> Self {
        let policy = |early: &str, standby: u32, health: &str| {
            let leave = format!("leave_early: {early}}}\nstandby: {{nodes: {standby}}}{health}");
            let text = QUICK_POLICY.replace("leave_early: yes}", &leave);
            parse(&text, Path::new("quick.yaml")).expect("the built-in policy is a good one")
        };
        let mut policies = Vec::new();
        for (early, share) in [("yes", 5), ("to_standby", 2), ("no", 1)] {
            for (standby, health) in [(0, ""), (0, "\nhealth: off"), (1, ""), (2, "")] {
                policies.extend(vec![policy(early, standby, health); share]);
            }
        }
        Self { policies, trouble, settles_at: Some(NodeCount(4)) }
    }
}

/// Lives one life for each seed, on so many threads. `told` is called at each one's end. The lives,
/// in order of their seeds.
pub fn live_all(
    swarm: &Swarm,
    seeds: Range<u64>,
    threads: usize,
    told: &(dyn Fn(&Life) + Sync),
) -> std::io::Result<Vec<Life>> {
    let (next, lives) = (AtomicU64::new(seeds.start), Mutex::new(Vec::new()));
    let work = || -> std::io::Result<()> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build()?;
        loop {
            let seed = next.fetch_add(1, Ordering::SeqCst);
            if !seeds.contains(&seed) {
                return Ok(());
            }
            let life = catch_unwind(AssertUnwindSafe(|| runtime.block_on(life::live(swarm, seed))));
            let life = life.unwrap_or_else(|panic| Life::panicked(seed, said(panic.as_ref())));
            told(&life);
            lives.lock().expect("nobody panics while adding a life").push(life);
        }
    };
    std::thread::scope(|scope| {
        let threads: Vec<_> = (0..threads.max(1)).map(|_| scope.spawn(work)).collect();
        threads.into_iter().try_for_each(|one| one.join().expect("panics are caught within"))
    })?;
    let mut lives = lives.into_inner().expect("nobody panics while adding a life");
    lives.sort_by_key(|life| life.seed);
    Ok(lives)
}

fn said(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().map(ToString::to_string);
    text.or_else(|| panic.downcast_ref::<String>().cloned()).unwrap_or_default()
}
