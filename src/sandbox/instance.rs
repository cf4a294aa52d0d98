//! A Linode as the sandbox keeps it, with its disks, profile and interfaces.
//!
//! In: what a create or rebuild was asked for.
//! Out: plain data that the state file keeps.
//! Never: behaviour over time (see `jobs`) or JSON for clients (see `views`).

use std::collections::VecDeque;
use std::net::{Ipv4Addr, Ipv6Addr};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::jobs::Job;

/// One Linode.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Instance {
    pub id: u64,
    pub label: String,
    pub group: String,
    pub region: String,
    /// The plan, such as `g6-nanode-1`.
    pub plan: String,
    pub image: Option<String>,
    pub status: Status,
    pub created: Timestamp,
    pub updated: Timestamp,
    pub ipv4: Ipv4Addr,
    pub private_ipv4: Option<Ipv4Addr>,
    pub ipv6: Ipv6Addr,
    pub tags: Vec<String>,
    /// As sent: base64. Cannot be read back through the API.
    pub user_data: Option<String>,
    pub authorized_keys: Vec<String>,
    pub placement_group: Option<u64>,
    pub disk_encryption: String,
    pub generation: Generation,
    pub maintenance_policy: String,
    pub watchdog_enabled: bool,
    pub alerts: Value,
    pub backups_enabled: bool,
    pub host_id: String,
    pub disks: Vec<Disk>,
    /// Only Linodes with an image have one.
    pub config: Option<Config>,
    /// In order: eth0, eth1, eth2.
    pub interfaces: Vec<Interface>,
    /// The job under way and those queued behind it.
    pub jobs: VecDeque<Job>,
    /// When a fault makes this instance disappear without a trace.
    pub vanishes: Option<Timestamp>,
    /// Until when a fault keeps this instance out of listings.
    pub unlisted_until: Option<Timestamp>,
}

/// `status` of a Linode: those that the sandbox brings about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    Provisioning,
    Booting,
    Running,
    ShuttingDown,
    Offline,
    Rebooting,
    Rebuilding,
    Deleting,
}

/// Which kind of interfaces a Linode has.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Generation {
    /// They belong to the configuration profile.
    LegacyConfig,
    /// They belong to the Linode.
    Linode,
}

/// One network interface of either generation.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Interface {
    pub id: u64,
    pub kind: InterfaceKind,
    pub primary: bool,
    pub created: Timestamp,
}

/// What an interface is attached to.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum InterfaceKind {
    /// The internet.
    Public,
    /// A VLAN; the address is the client's choice and may be missing.
    Vlan { label: String, address: Option<String> },
}

/// A disk.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Disk {
    pub id: u64,
    pub label: String,
    pub filesystem: String,
    /// Megabytes.
    pub size: u64,
    pub created: Timestamp,
}

/// A configuration profile.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Config {
    pub id: u64,
    pub label: String,
    pub comments: String,
    pub kernel: String,
    pub memory_limit: u64,
    pub root_device: String,
    pub run_level: String,
    pub virt_mode: String,
    pub helpers: Helpers,
    pub created: Timestamp,
    pub updated: Timestamp,
}

/// What is done to the guest's files at boot.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
#[serde(default)]
pub struct Helpers {
    pub updatedb_disabled: bool,
    pub distro: bool,
    pub modules_dep: bool,
    /// Network Helper: without it no VLAN address reaches the guest.
    pub network: bool,
    pub devtmpfs_automount: bool,
}

impl Default for Helpers {
    fn default() -> Self {
        Self {
            updatedb_disabled: true,
            distro: true,
            modules_dep: true,
            network: true,
            devtmpfs_automount: true,
        }
    }
}

impl Instance {
    /// The VLANs this Linode is attached to, with its address on each.
    pub fn vlans(&self) -> impl Iterator<Item = (&str, Option<&str>)> {
        self.interfaces.iter().filter_map(|interface| match &interface.kind {
            InterfaceKind::Vlan { label, address } => Some((label.as_str(), address.as_deref())),
            InterfaceKind::Public => None,
        })
    }

    /// Whether Network Helper configures addresses when this Linode boots. Linode interfaces
    /// always have it here.
    pub fn has_network_helper(&self) -> bool {
        match self.generation {
            Generation::Linode => true,
            Generation::LegacyConfig => self.config.as_ref().is_some_and(|c| c.helpers.network),
        }
    }
}
