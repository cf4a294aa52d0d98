//! The loop on real parts: HAProxy, Prometheus, `ansible-playbook` over SSH, systemd in every VM;
//! only the cloud's API is a sandbox. Each test has a world of its own (`tests/lab/world`).
//!
//! Needs root and the packages that `tests/lab/install` puts in place. Logs stay in
//! `target/tmp/lab/TEST`.

#![allow(clippy::disallowed_methods, reason = "tests wait for processes, a condition at a time")]

mod haproxy;
mod lab;
mod load;
mod process;
mod reload;
mod wait;
mod world;

mod balancers;
mod churn;
mod crashes;
mod faults;
mod kills;
mod scaling;
mod secrets;
mod signals;
