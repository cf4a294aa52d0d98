//! A world to rehearse in: every port over virtual time and seeded chance, around the very loop
//! that runs in the daemon, on a real store.
//!
//! In: a seed, a policy, traffic, faults, and what a scenario does by hand.
//! Out: what came of it: instances, servers, what was lost, a timeline to read.
//! Never: a copy of any rule of ours; real time; chance that its seed doesn't repeat.
//!
//! Each throw of chance belongs to a purpose and a thing (`create web-0123`, second try), so
//! the order in which calls happen to be answered changes nothing.

pub mod backtest;
mod balancer;
mod board;
mod chance;
mod cloud;
mod configurator;
pub mod drill;
mod faults;
mod metrics;
mod model;
mod paces;
mod queueing;
mod servers;
mod simulation;
pub mod swarm;
mod tally;
mod timeline;
mod traffic;
mod weather;
mod world;

#[cfg(test)]
mod tests;

pub use balancer::SimBalancer;
pub use board::SimAnnotation;
pub use cloud::CloudMood;
pub use faults::{Faults, KINDS};
pub use metrics::MetricsMood;
pub use paces::Paces;
pub use simulation::{Settings, Simulation};
pub use tally::{Cut, Hired, Tally};
pub use traffic::Traffic;
pub use world::SimWorld;
