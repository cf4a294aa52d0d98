//! The sandbox over HTTP, in this process: held to the API document and to recorded answers, then
//! its own promises: time, hooks, faults, limits, restarts.

mod api;
mod behaviour;
mod document;
mod hooks;
mod recorded;
mod trouble;
