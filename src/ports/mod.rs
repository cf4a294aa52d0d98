//! What we ask of the outside world, as traits whose contract is prose.
//!
//! In: words and the planner's wishes.
//! Out: facts, outcomes, or a [`Fault`] of one of few kinds.
//! Never: waits for a boot, a playbook or a drain: every call is short. Every call is safe to
//! repeat; those that are not say what to look at first.

mod annotations;
mod balancer;
mod causes;
mod chance;
mod clock;
mod cloud;
mod configurator;
mod fault;
mod metrics;
mod notifier;

pub use crate::domain::Sessions;
pub use annotations::{Annotations, Closing};
pub use balancer::{Balancer, Member, RegisterOptions, Removal};
pub use causes::{root_cause, with_causes};
pub use chance::{Chance, SystemChance};
pub use clock::{Clock, SystemClock};
pub use cloud::{Cloud, CreateRequest, Deletion};
pub use configurator::{Configurator, RunHost, RunSpec};
pub use fault::Fault;
pub use metrics::MetricsSource;
pub use notifier::{Errand, Notifier, RateLimit};
