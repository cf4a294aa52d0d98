//! What the outside shows of a node: the instance in the cloud, the server on a balancer, the
//! playbook run. Facts, read afresh each look and believed over any record of ours.

use std::collections::BTreeMap;
use std::net::SocketAddrV4;

use serde::{Deserialize, Serialize};

use super::{InstanceId, InstanceLabel, ServerName, Timestamp};

/// An instance as the cloud lists it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Instance {
    /// The cloud's number for it.
    pub id: InstanceId,
    /// Its label, whatever its form: strangers have labels too.
    pub label: String,
    /// What the cloud says it is doing.
    pub status: InstanceStatus,
    /// Its tags.
    pub tags: Vec<String>,
    /// Its region.
    pub region: String,
    /// Its plan.
    pub instance_type: String,
    /// When it came to be, by the cloud's clock.
    pub created_at: Option<Timestamp>,
}

/// What an instance is doing, as far as we act on it. The cloud's set is open.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum InstanceStatus {
    /// Being made.
    Provisioning,
    /// Made and starting.
    Booting,
    /// Started; the guest may still be busy with itself.
    Running,
    /// Not running, and nobody is about to start it.
    Offline,
    /// Being deleted.
    Deleting,
    /// Anything else: wait and look again.
    Other(String),
}

/// One server of a backend, as one balancer shows it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Server {
    /// Its name on that balancer: ours in dynamic mode, a slot's in slots mode.
    pub name: ServerName,
    /// Where it sends requests. A node is known by this address on every balancer.
    pub address: SocketAddrV4,
    /// Whether we may touch it: it has our name's form, or is a template slot.
    pub is_ours: bool,
    /// What it was told to be.
    pub admin: ServerAdmin,
    /// What the health check says.
    pub health: ServerHealth,
    /// Requests being connected or served right now, old workers' included.
    pub sessions: u32,
    /// Requests queued on this very server.
    pub queued: u32,
}

/// What a server was told to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ServerAdmin {
    /// Given requests while healthy.
    Ready,
    /// Checked, but given no new requests.
    Drain,
    /// Out of use.
    Maintenance,
}

/// What a server's health check says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "health", rename_all = "snake_case")]
pub enum ServerHealth {
    /// No check is configured or enabled, or it pauses in maintenance.
    Unchecked,
    /// Checks are under way and don't yet suffice, or not all of the last ones passed: a reused
    /// slot's old result is this, too. Such a server gets requests if it is ready.
    Rising,
    /// A fresh and full series of checks passed.
    Up,
    /// Checks fail.
    Down {
        /// The last check's result in the balancer's words, such as `L4CON`.
        check: String,
    },
}

/// One process of a balancer: a reload or restart makes another.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct BalancerProcess {
    /// Its process number.
    pub pid: u32,
    /// When it started, in seconds of the balancer's clock since 1970.
    pub started_at_seconds: i64,
}

/// One backend as one balancer shows it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct BackendView {
    /// The process that answered.
    pub process: BalancerProcess,
    /// The balancer's version, as it gives it.
    pub version: String,
    /// The backend's servers; free slots are left out.
    pub servers: Vec<Server>,
    /// What the backend as a whole has counted.
    pub counts: BackendCounts,
    /// Slots still free, in slots mode.
    pub free_slots: Option<u32>,
    /// Whether a worker of an earlier configuration still holds connections: until it has
    /// gone, no instance may be deleted.
    pub old_workers: bool,
}

/// What a balancer has counted of one backend.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct BackendCounts {
    /// Requests since the process began, or since somebody cleared its counters.
    pub requests: u64,
    /// Requests that are here right now, the queued ones and old workers' included.
    pub sessions: u32,
    /// Requests that wait for a server, be it any or a certain one.
    pub queued: u32,
    /// Whether that is all: not while an old worker may hold requests that can't be known.
    pub is_whole: bool,
}

impl BackendView {
    /// The server at `address`, where there is one.
    pub fn server_at(&self, address: SocketAddrV4) -> Option<&Server> {
        self.servers.iter().find(|server| server.address == address)
    }

    /// Whether any server could take a request now.
    pub fn has_usable_server(&self) -> bool {
        self.servers.iter().any(|server| {
            let healthy = match server.health {
                ServerHealth::Up | ServerHealth::Unchecked | ServerHealth::Rising => true,
                ServerHealth::Down { .. } => false,
            };
            server.admin == ServerAdmin::Ready && healthy
        })
    }
}

/// Where a playbook run stands.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "run", rename_all = "snake_case")]
pub enum RunStatus {
    /// Nobody ever started it.
    NotStarted,
    /// At work.
    Running,
    /// Over, with each host's own result. A host without an entry was not reached at all.
    Ended {
        /// The result of each host, by its label.
        hosts: BTreeMap<InstanceLabel, HostResult>,
    },
    /// Started, not at work any more, and never reported its end.
    Lost,
}

/// What a playbook run came to on one host.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "result", rename_all = "snake_case")]
pub enum HostResult {
    /// Every task ended well.
    Succeeded {
        /// Tasks that ran.
        ok: u32,
        /// Tasks that changed something.
        changed: u32,
        /// Facts that the host told of itself, such as its host name and kernel.
        facts: BTreeMap<String, String>,
    },
    /// A task failed.
    Failed {
        /// The task and its message.
        reason: String,
    },
    /// SSH did not get through.
    Unreachable {
        /// What SSH said.
        reason: String,
    },
}

/// What a removal does about requests that are still under way.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Sessions {
    /// Wait for them.
    LetEnd,
    /// Cut them off: the drain's deadline has passed.
    Cut,
}
