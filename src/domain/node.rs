//! A node: our record of one machine, from the plan to its deletion.

use std::collections::BTreeSet;
use std::fmt;
use std::net::Ipv4Addr;

use serde::{Deserialize, Serialize};

use super::{BalancerName, InstanceId, InstanceLabel, NodeId, PoolName, RunId, Timestamp};

/// Everything we know of one node. What is so in the world is not here: that is read afresh
/// each look.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Node {
    /// Made by us before anything outside was asked.
    pub id: NodeId,
    /// The pool that it belongs to, for life.
    pub pool: PoolName,
    /// The instance's label; derived from pool and id, so it never changes.
    pub label: InstanceLabel,
    /// Its address on the VLAN, held from the plan until the deletion is proven.
    pub address: Ipv4Addr,
    /// The VLAN that the address lies on.
    pub vlan: String,
    /// The Linode plan that was asked for, such as `g6-standard-2`.
    pub instance_type: String,
    /// The region that was asked for.
    pub region: String,
    /// What we may have asked of the world.
    pub state: NodeState,
    /// When that state began.
    pub state_since: Timestamp,
    /// When the node was planned.
    pub planned_at: Timestamp,
    /// The cloud's number for it, once known.
    pub instance: Option<InstanceId>,
    /// When the cloud says that the instance came to be: its paid hours count from here.
    pub instance_created_at: Option<Timestamp>,
    /// Public SSH host keys that the instance may show, one for each create call that may have
    /// succeeded, in OpenSSH form (`ssh-ed25519 AAAA…`).
    pub host_keys: Vec<String>,
    /// Create calls that may have made an instance and whose answer nobody read, lost or cut off.
    #[serde(default)]
    pub doubts: u32,
    /// The last try of what this state does, where one was made.
    pub attempt: Option<Attempt>,
    /// When it was first registered with the balancers; none once it has stood by: what it takes
    /// from there is no join.
    pub joining_since: Option<Timestamp>,
    /// When a balancer was first told to send it requests, having seen it UP.
    pub served_at: Option<Timestamp>,
    /// When it left service or standby, if it did and has not come back: what the brake on
    /// removals counts.
    pub left_at: Option<Timestamp>,
    /// Balancers on which we owe it requests: registered or about to be, not yet made ready.
    /// On any other, a serving node's drain or maintenance is an operator's wish.
    pub admitting: BTreeSet<BalancerName>,
    /// Why it is on its way out, if by misfortune and not by a scale-in.
    pub failure: Option<Failure>,
    /// When that misfortune was noticed.
    pub failed_at: Option<Timestamp>,
}

/// What we may have asked of the world for a node. Written before the asking.
///
/// A state carries only what it needs; every wait has a deadline.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(tag = "state", rename_all = "snake_case")]
pub enum NodeState {
    /// Intended, address and label allocated; nothing asked yet.
    Planned,
    /// The instance may exist and should come to run.
    Provisioning {
        /// When we give it up.
        deadline: Timestamp,
    },
    /// A playbook run may be at work on it.
    Configuring {
        /// The run.
        run: RunId,
        /// When the run is cut off.
        deadline: Timestamp,
    },
    /// Registered with the balancers, or about to be; checked but given no requests.
    Joining {
        /// When we give it up.
        deadline: Timestamp,
    },
    /// Given requests.
    InService,
    /// In service, and DOWN on every balancer that answers.
    Unhealthy {
        /// When it may be replaced, unless one sees it UP before.
        deadline: Timestamp,
    },
    /// Configured, registered and checked, given no requests: joins with one command.
    Standby,
    /// Given no new requests; the old ones may end.
    Draining {
        /// When it is removed though sessions remain.
        deadline: Timestamp,
    },
    /// Servers and instance are to go.
    Deleting {
        /// When somebody is told that it will not go.
        deadline: Timestamp,
    },
    /// The cloud has proven that the instance is gone, or that it never came.
    Deleted,
    /// Refused for good before any instance existed.
    Failed {
        /// The refusal.
        why: Failure,
    },
}

/// The last try of a step: when, how often, and what came of it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Attempt {
    /// How many tries this state has seen.
    pub count: u32,
    /// When the last try began.
    pub at: Timestamp,
    /// No further try before this.
    pub not_before: Timestamp,
    /// What went wrong, if something did.
    pub error: Option<String>,
}

/// Why a node came to nothing.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(tag = "failure", rename_all = "snake_case")]
pub enum Failure {
    /// The cloud refused to create it, and would refuse again.
    CreateRefused {
        /// The cloud's own words.
        reason: String,
    },
    /// The region has none of this plan left.
    OutOfCapacity {
        /// The cloud's own words.
        reason: String,
    },
    /// The instance did not run by its deadline.
    NeverBooted,
    /// The playbook failed on it.
    ConfigureFailed {
        /// The failing task and its message.
        reason: String,
    },
    /// The playbook did not end by its deadline.
    ConfigureTimedOut,
    /// The playbook run was cut off: nobody knows how far it came.
    RunLost,
    /// It was not seen UP by every reachable balancer by its deadline.
    NeverHealthy {
        /// What the balancers said of it.
        reason: String,
    },
    /// The instance is gone and we did not ask for that.
    Vanished,
    /// It served, and every balancer that answered saw it DOWN for too long.
    Unhealthy {
        /// What the balancers said of it.
        reason: String,
    },
}

impl Node {
    /// A node as it is planned at a moment: in no place yet, and nothing asked for it.
    pub fn planned(id: NodeId, pool: PoolName, at: Timestamp) -> Self {
        Self {
            id,
            label: InstanceLabel::of(&pool, id),
            pool,
            address: Ipv4Addr::UNSPECIFIED,
            vlan: String::new(),
            instance_type: String::new(),
            region: String::new(),
            state: NodeState::Planned,
            state_since: at,
            planned_at: at,
            instance: None,
            instance_created_at: None,
            host_keys: Vec::new(),
            doubts: 0,
            attempt: None,
            joining_since: None,
            served_at: None,
            left_at: None,
            admitting: BTreeSet::new(),
            failure: None,
            failed_at: None,
        }
    }

    /// Whether it is over, and an instance may yet come of one of its create calls: listings lag.
    pub fn may_come_late(&self) -> bool {
        self.state == NodeState::Deleted && self.instance.is_none() && 0 < self.doubts
    }

    /// Whether an instance of it may exist, or a create call may still be made: such nodes
    /// count against the pool's `max`. Those that [may come late](Node::may_come_late) do, too,
    /// for a while; the planner says how long.
    pub fn counts_against_max(&self) -> bool {
        match self.state {
            NodeState::Planned | NodeState::Provisioning { .. } => true,
            NodeState::Configuring { .. } | NodeState::Joining { .. } => true,
            NodeState::InService | NodeState::Unhealthy { .. } | NodeState::Standby => true,
            NodeState::Draining { .. } | NodeState::Deleting { .. } => true,
            NodeState::Deleted | NodeState::Failed { .. } => false,
        }
    }
}

impl NodeState {
    /// Whether this serves, or is on its way to serve.
    pub fn is_committed(&self) -> bool {
        match self {
            Self::Planned | Self::Provisioning { .. } | Self::Configuring { .. } => true,
            Self::Joining { .. } | Self::InService | Self::Unhealthy { .. } => true,
            Self::Standby | Self::Draining { .. } => false,
            Self::Deleting { .. } | Self::Deleted | Self::Failed { .. } => false,
        }
    }

    /// Whether its instance surely exists, and nothing is under way.
    pub fn is_settled(&self) -> bool {
        matches!(self, Self::InService | Self::Unhealthy { .. } | Self::Standby)
    }

    /// Whether nothing will ever happen to it again.
    pub fn is_final(&self) -> bool {
        matches!(self, Self::Deleted | Self::Failed { .. })
    }

    /// When waiting in this state ends, where it is a wait.
    pub fn deadline(&self) -> Option<Timestamp> {
        match self {
            Self::Provisioning { deadline }
            | Self::Configuring { deadline, .. }
            | Self::Joining { deadline }
            | Self::Unhealthy { deadline }
            | Self::Draining { deadline }
            | Self::Deleting { deadline } => Some(*deadline),
            Self::Planned | Self::InService | Self::Standby => None,
            Self::Deleted | Self::Failed { .. } => None,
        }
    }

    /// The state's name, as it stands in tables, metrics, logs and the API.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Planned => "planned",
            Self::Provisioning { .. } => "provisioning",
            Self::Configuring { .. } => "configuring",
            Self::Joining { .. } => "joining",
            Self::InService => "in_service",
            Self::Unhealthy { .. } => "unhealthy",
            Self::Standby => "standby",
            Self::Draining { .. } => "draining",
            Self::Deleting { .. } => "deleting",
            Self::Deleted => "deleted",
            Self::Failed { .. } => "failed",
        }
    }

    /// Every name that [`NodeState::name`] can give, in the order of a node's life.
    pub const NAMES: [&'static str; 11] = [
        "planned",
        "provisioning",
        "configuring",
        "joining",
        "in_service",
        "unhealthy",
        "standby",
        "draining",
        "deleting",
        "deleted",
        "failed",
    ];
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::CreateRefused { reason } => write!(f, "the cloud refused to create it: {reason}"),
            Self::OutOfCapacity { reason } => write!(f, "the plan is sold out: {reason}"),
            Self::NeverBooted => write!(f, "the instance did not run by its deadline"),
            Self::ConfigureFailed { reason } => write!(f, "the playbook failed: {reason}"),
            Self::ConfigureTimedOut => write!(f, "the playbook did not end by its deadline"),
            Self::RunLost => write!(f, "the playbook run was cut off"),
            Self::NeverHealthy { reason } => {
                write!(f, "it was not UP on every balancer by its deadline: {reason}")
            }
            Self::Vanished => write!(f, "the instance is gone and we did not delete it"),
            Self::Unhealthy { reason } => {
                write!(f, "every balancer saw it DOWN for too long: {reason}")
            }
        }
    }
}
