//! The loop, rehearsed.

mod balancers;
mod fixture;
mod operators;
mod scenarios;
mod swarm;
mod unknown;
