//! Announced campaigns: what a hint makes the load come to, and what past campaigns teach.
//!
//! In: hints, and the load that was measured around past ones.
//! Out: a [`Response`]: requests per second at any moment of a campaign; one learned for each kind.
//! Never: reads a clock; believes a hint that nothing came of.

mod learn;
mod response;

pub use learn::{Around, CAME_SHARE, LATE_SAMPLES, around, fit, learned, learned_until};
pub use response::{Response, seconds_after};
