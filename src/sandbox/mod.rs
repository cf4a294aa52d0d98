//! A Linode API v4 server on this machine, to develop, demonstrate and test against.
//!
//! In: HTTP below `/v4` and `/v4beta`, with a bearer token; options; a faults file.
//! Out: answers in the shapes of the API document, VMs that live and die as fast as the options
//! say, hooks that give them a body, a state file that survives a restart.
//! Never: talks to the internet; knows anything of Windlass but its words for time.
//!
//! One request's way is in `gate`; what is served is in `operations`; how time passes is in `jobs`.

mod account;
mod auth;
mod call;
mod catalogue;
mod configs;
mod control;
mod create;
mod driver;
mod effects;
mod errors;
mod events;
mod faults;
mod fields;
mod filter;
mod firewalls;
mod gate;
mod hooks;
mod instance;
mod instances;
mod interfaces;
mod jobs;
mod journal;
mod labels;
mod limits;
mod locks;
mod offers;
mod operations;
mod options;
mod paginate;
mod persist;
mod placement;
mod power;
mod server;
mod shared;
mod start;
mod tags;
mod views;
mod vlans;
mod world;

pub use auth::{TokenFileError, TokenSpec};
pub use catalogue::{hourly_price, instance_types, virtual_cpus};
pub use options::{NetworkHelper, SandboxOptions, Speed};
pub use persist::StateError;
pub use start::{Running, Sandbox, SandboxError, run};

/// Method and path of everything that is served, with the path as the API document writes it.
pub fn served() -> impl Iterator<Item = (&'static str, String)> {
    operations::OPERATIONS.iter().map(|one| (one.method.as_str(), one.path.replace("*}", "}")))
}
