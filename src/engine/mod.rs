//! Decides how many nodes a pool needs.
//!
//! In: the pool's policy and one observation.
//! Out: one decision: the count, what each rule recommended, what each guard did and why.
//! Never: knows async, clocks, chance, environment, logging, SQL or HTTP.

mod decision;
mod observation;
mod reason;

pub use decision::{Decision, Direction, Guard, Opinion, Recommendation, Stage};
pub use observation::{History, Observation, RecommendationSpan, ScaleEvent};
pub use reason::Reason;
