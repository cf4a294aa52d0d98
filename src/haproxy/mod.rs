//! HAProxy over its runtime API: servers admitted, drained and removed without a failed request.
//!
//! In: members by name and address.
//! Out: the port [`crate::ports::Balancer`]: views of a backend, changes verified by reading back.
//! Never: touches a server that is neither named `as-<label>` nor a template slot, forces one up
//! that HAProxy has seen failing, or deletes one while connections hold on to it. Nor does
//! it remember anything: each call looks first, so that a restart of either side changes nothing.

mod address;
mod admission;
mod balancer;
mod bulk;
mod client;
mod examine;
mod info;
mod mode;
mod removal;
mod reply;
mod state;
mod statistics;
mod transport;
mod view;
mod workers;

#[cfg(test)]
mod hostile_tests;

pub use address::RuntimeAddress;
pub use balancer::{HaproxyBalancer, HaproxySettings};
pub use examine::{Examination, ServersCome};
pub use mode::Mode;
pub use workers::OldWorkersSettings;
