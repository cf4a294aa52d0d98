//! The configurator: turns a bare instance into a serving one.

use std::collections::BTreeMap;
use std::net::Ipv4Addr;
use std::path::PathBuf;

use async_trait::async_trait;

use super::Fault;
use crate::domain::{Duration, InstanceLabel, RunId, RunStatus, Timestamp};

/// Runs playbooks in the background.
#[async_trait]
pub trait Configurator: Send + Sync {
    /// Starts a run and comes back at once.
    ///
    /// Idempotent by the run's id: a second start of the same run, even by another process
    /// after a crash, does nothing. The run outlives us if it must; [`Configurator::status`]
    /// finds it again.
    async fn start(&self, run: &RunSpec) -> Result<(), Fault>;

    /// Where a run stands now.
    async fn status(&self, run: RunId) -> Result<RunStatus, Fault>;

    /// Ends a run and everything that it started; a run that is over is success.
    async fn cancel(&self, run: RunId) -> Result<(), Fault>;

    /// Resolves when some run has ended since the last call: the loop need not poll.
    async fn run_ended(&self);
}

/// One run over one node or several.
#[derive(Clone, Debug, PartialEq)]
pub struct RunSpec {
    /// Made by us and stored before the start.
    pub id: RunId,
    /// The playbook.
    pub playbook: PathBuf,
    /// The nodes.
    pub hosts: Vec<RunHost>,
    /// The user to log in as.
    pub user: String,
    /// The SSH port.
    pub port: u16,
    /// The private key to log in with.
    pub private_key_file: PathBuf,
    /// Variables for every host, on top of `windlass_pool`, `windlass_label` and `vlan_ip`.
    pub variables: BTreeMap<String, String>,
    /// When the run is interrupted, then terminated, then killed.
    pub deadline: Timestamp,
    /// How long the run may take in all.
    pub timeout: Duration,
    /// The pool, for the variables.
    pub pool: String,
}

/// One node of a run.
#[derive(Clone, Debug, PartialEq)]
pub struct RunHost {
    /// Its label: the inventory name and the host key alias.
    pub label: InstanceLabel,
    /// Its VLAN address.
    pub address: Ipv4Addr,
    /// The host keys that it may show, in OpenSSH form; any other is refused.
    pub host_keys: Vec<String>,
}
