//! Windlass raises and lowers fleets of Linode VMs behind HAProxy, and explains every number.
//!
//! The modules are storeys: each may use those above it in this list, none below.
#![warn(missing_docs)]

// Words.
pub mod domain;
// Thought: pure.
pub mod decide;
pub mod engine;
pub mod forecast;
pub mod planner;
pub mod policy;
// Edges.
pub mod ansible;
pub mod haproxy;
pub mod linode;
pub mod notify;
pub mod ports;
pub mod prometheus;
pub mod store;
pub mod telemetry;
// Action.
pub mod policytest;
pub mod reconciler;
pub mod sim;
// Face.
pub mod api;
pub mod cli;
pub mod config;
pub mod console;
pub mod daemon;
pub mod sandbox;

#[cfg(test)]
mod hostile_tests;
