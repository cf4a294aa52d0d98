//! The words: units, names, readings, nodes, fleets and money.
//!
//! In: values that something else has read or been told.
//! Out: types that can only hold legal values.
//! Never: I/O, clocks, chance, logging. Time arithmetic on given timestamps is all.

mod address;
mod fleet;
mod ids;
mod money;
mod node;
mod signal;
mod units;
mod world;

pub use address::{AddressRange, CidrBlock};
pub use fleet::FleetCounts;
pub use ids::{
    BackendName, BalancerName, DecisionId, InstanceId, InstanceLabel, NodeId, PoolName, RunId,
    ServerName, SignalName,
};
pub use money::Dollars;
pub use node::{Attempt, Failure, Node, NodeState};
pub use signal::{Missing, NodeSample, Reading, Sample};
pub use units::{NodeCount, Percent, RequestsPerSecond};
pub use world::{
    BackendView, BalancerProcess, HostResult, Instance, InstanceStatus, RunStatus, Server,
    ServerAdmin, ServerHealth, Sessions,
};

/// A moment in UTC. Never made here from a clock: it always arrives as an argument.
pub use jiff::Timestamp;
/// A length of time; never negative.
pub use std::time::Duration;

/// `later - earlier`, and zero when the clock seems to run backwards.
pub fn elapsed(earlier: Timestamp, later: Timestamp) -> Duration {
    Duration::try_from(later.duration_since(earlier)).unwrap_or(Duration::ZERO)
}

/// `moment + length`, held at the end of time instead of overflowing.
pub fn after(moment: Timestamp, length: Duration) -> Timestamp {
    moment.checked_add(length).unwrap_or(Timestamp::MAX)
}

/// `moment - length`, held at the beginning of time instead of overflowing.
pub fn before(moment: Timestamp, length: Duration) -> Timestamp {
    moment.checked_sub(length).unwrap_or(Timestamp::MIN)
}
