//! One look at a pool after another: observe, decide, plan, act, write down.
//!
//! In: a policy, the ports, the store.
//! Out: a changed world, a journal of why, and a status for whoever asks.
//! Never: knows a concrete adapter, sleeps, or acts before the intent is written.
//!
//! A crash needs no recovery code: states were written before their acts, so the next look is
//! the recovery.

mod act;
mod counting;
mod courier;
#[cfg(test)]
mod courier_tests;
mod drift;
mod facts;
mod foresight;
mod hints;
mod identity;
mod inventory;
mod look;
mod observe;
mod orders;
mod orphans;
mod outcome;
mod policy;
mod preview;
mod record;
mod regions;
mod rest;
mod shadow;
mod spending;
mod status;
mod telling;
#[cfg(test)]
mod tests;
mod trouble;

pub use counting::Counting;
pub use courier::{Courier, give_up_for_strangers};
pub use inventory::{Inventory, Listing};
pub use look::{AfterWrite, PoolLoop, World};
pub use preview::{Preview, preview, preview_with};
pub use regions::Regions;
pub use shadow::{
    Candidate, Divergence, LiveTick, Shadow, ShadowComparison, ShadowSide, compare_shadows,
};
pub use spending::{Bill, bill};
pub use status::{NodeStatus, PoolStatus};

/// Tags that every instance of ours carries: this one, and the pool's.
pub const COMMON_TAG: &str = "windlass";

/// The tag of a pool's instances.
pub fn pool_tag(pool: &crate::domain::PoolName) -> String {
    format!("windlass-{pool}")
}
