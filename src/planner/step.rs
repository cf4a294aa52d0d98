//! The vocabulary of a plan: steps, moves and notes.

use serde::{Deserialize, Serialize};

use super::orphans::OrphanKept;
use crate::domain::{
    BalancerName, Failure, NodeCount, NodeId, NodeState, RunId, Sessions, Timestamp,
};

/// One idempotent act, keyed by its node.
#[derive(Clone, Debug, PartialEq)]
pub enum Step {
    /// Ask the cloud for the instance, or adopt it by its label.
    CreateInstance,
    /// Start an instance that is offline.
    BootInstance,
    /// Start the playbook run that the state names.
    StartRun,
    /// End the playbook run that the state named.
    CancelRun {
        /// The run.
        run: RunId,
    },
    /// Make the server known: checked, but given no requests.
    Register {
        /// Where.
        balancers: Vec<BalancerName>,
    },
    /// Give it requests.
    MakeReady {
        /// Where.
        balancers: Vec<BalancerName>,
    },
    /// Register and give requests at once: it serves elsewhere, or nothing else does.
    Readmit {
        /// Where.
        balancers: Vec<BalancerName>,
    },
    /// Give it no new requests.
    DrainServer {
        /// Where.
        balancers: Vec<BalancerName>,
    },
    /// Take the server out.
    RemoveServer {
        /// Where.
        balancers: Vec<BalancerName>,
        /// What becomes of requests under way.
        sessions: Sessions,
    },
    /// Delete the instance; asked again, the cloud's 404 is the proof that it is gone.
    DeleteInstance,
    /// Ask the cloud whether any instance has the label: a create call was in doubt.
    ProveAbsence,
}

impl Step {
    /// The step's name in the journal, metrics and logs.
    pub fn name(&self) -> &'static str {
        match self {
            Self::CreateInstance => "create_instance",
            Self::BootInstance => "boot_instance",
            Self::StartRun => "start_run",
            Self::CancelRun { .. } => "cancel_run",
            Self::Register { .. } => "register_server",
            Self::MakeReady { .. } => "make_ready",
            Self::Readmit { .. } => "readmit_server",
            Self::DrainServer { .. } => "drain_server",
            Self::RemoveServer { .. } => "remove_server",
            Self::DeleteInstance => "delete_instance",
            Self::ProveAbsence => "prove_absence",
        }
    }

    /// The balancers that it speaks to; none for the others.
    pub fn balancers(&self) -> &[BalancerName] {
        match self {
            Self::Register { balancers }
            | Self::MakeReady { balancers }
            | Self::Readmit { balancers }
            | Self::DrainServer { balancers }
            | Self::RemoveServer { balancers, .. } => balancers,
            Self::CreateInstance | Self::BootInstance | Self::StartRun => &[],
            Self::CancelRun { .. } | Self::DeleteInstance | Self::ProveAbsence => &[],
        }
    }
}

/// What one node does now: the state is written first, then the step is taken.
#[derive(Clone, Debug, PartialEq)]
pub struct Move {
    /// The node.
    pub node: NodeId,
    /// The state to write; `None` stays in the present one.
    pub enter: Option<NodeState>,
    /// The act to take after that; `None` only writes.
    pub step: Option<Step>,
    /// The misfortune that led here, if one did.
    pub failure: Option<Failure>,
    /// Why, for the journal: a whole sentence without its full stop.
    pub because: String,
}

/// Something the plan would have done and didn't, and why.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(tag = "note", rename_all = "snake_case")]
pub enum Note {
    /// Nodes are wanted, and `max` instances may exist already.
    MaxReached {
        /// How many more were wanted.
        wanted: NodeCount,
        /// How many may exist.
        max: NodeCount,
    },
    /// Nodes are wanted, and creating rests after failures.
    CreatingRests {
        /// How many more were wanted.
        wanted: NodeCount,
        /// Until when.
        until: Timestamp,
        /// Failures in a row.
        failures: u32,
    },
    /// Nodes were given up whose create calls were never answered: they count as instances.
    CreatesInDoubt {
        /// How many.
        count: NodeCount,
        /// When the first of them counts no more.
        until: Timestamp,
    },
    /// The policy's plan was sold out and rests: nodes are made from another one.
    FallbackType {
        /// The policy's plan.
        first: String,
        /// The other one.
        instead: String,
    },
    /// Nodes are wanted, and the VLAN has no address free.
    AddressesExhausted {
        /// How many more were wanted.
        wanted: NodeCount,
    },
    /// Nodes are not needed and stay: the hour is paid.
    PaidHour {
        /// How many.
        surplus: NodeCount,
        /// When the first of them may leave.
        until: Timestamp,
    },
    /// Nodes are not needed and stay: as many as may have left within the brake's time.
    RemovalsBraked {
        /// How many stay.
        kept: NodeCount,
        /// How many left, those that begin to now included.
        removed: NodeCount,
        /// When the first of them counts no more.
        until: Timestamp,
    },
    /// Nodes are not needed and stay: an operator protects them.
    Protected {
        /// How many.
        kept: NodeCount,
        /// When the first protection ends.
        until: Timestamp,
    },
    /// Nodes are wanted, and an operator forbade to create any.
    CreatesHeld {
        /// How many more were wanted.
        wanted: NodeCount,
        /// Until when.
        until: Timestamp,
    },
    /// Nodes shall leave and stay: an operator forbade to remove any.
    RemovalsHeld {
        /// How many stay.
        kept: NodeCount,
        /// Until when.
        until: Timestamp,
    },
    /// An operator took a node that serves or stands by out of a balancer by hand.
    TakenOutByHand {
        /// The node.
        node: NodeId,
        /// Where.
        balancer: BalancerName,
    },
    /// So many nodes are unhealthy at once that it is not believed to be them: nobody is replaced.
    HealingFrozen {
        /// Unhealthy ones.
        unhealthy: NodeCount,
        /// Of all that are in service.
        in_service: NodeCount,
    },
    /// A balancer does not answer.
    BalancerUnreachable {
        /// Which.
        balancer: BalancerName,
        /// What it said.
        why: String,
    },
    /// The listing lacks so many instances at once that it is not believed.
    InventoryShrank {
        /// Missing now.
        missing: NodeCount,
        /// Known before.
        known: NodeCount,
    },
    /// The cloud could not be asked.
    InventoryUnknown {
        /// What it said.
        why: String,
    },
    /// An instance carries our tag and no node of ours is it.
    Orphan {
        /// Its label.
        label: String,
        /// Why it is still there.
        #[serde(default)]
        kept: OrphanKept,
    },
}

impl Note {
    /// Whether both speak of the same thing, be it with other numbers: then the later one is no
    /// news.
    pub fn is_about(&self, other: &Self) -> bool {
        match (self, other) {
            (
                Self::TakenOutByHand { node, balancer },
                Self::TakenOutByHand { node: other_node, balancer: other_balancer },
            ) => (node, balancer) == (other_node, other_balancer),
            (
                Self::BalancerUnreachable { balancer, .. },
                Self::BalancerUnreachable { balancer: other, .. },
            ) => balancer == other,
            (Self::Orphan { label, .. }, Self::Orphan { label: other, .. }) => label == other,
            _ => std::mem::discriminant(self) == std::mem::discriminant(other),
        }
    }
}

impl std::fmt::Display for Note {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::MaxReached { wanted, max } => {
                write!(f, "{wanted} more wanted, but {max} exist already, the most allowed")
            }
            Self::CreatingRests { wanted, until, failures } => write!(
                f,
                "{wanted} more wanted, but creating rests until {until} after {failures} \
                 failures in a row"
            ),
            Self::CreatesInDoubt { count, until } => write!(
                f,
                "{count} given up whose create calls were never answered: until {until}, or until \
                 listings catch up, they count as instances"
            ),
            Self::FallbackType { first, instead } => {
                write!(f, "{first} was sold out lately: nodes are made from {instead}")
            }
            Self::AddressesExhausted { wanted } => {
                write!(f, "{wanted} more wanted, but no VLAN address is free")
            }
            Self::PaidHour { surplus, until } => {
                write!(f, "{surplus} not needed, kept until {until}: the hour is paid")
            }
            Self::RemovalsBraked { kept, removed, until } => write!(
                f,
                "{kept} not needed, kept until {until}: {} left lately, the most that `brake` \
                 allows",
                removed.0
            ),
            Self::Protected { kept, until } => {
                write!(f, "{kept} not needed, kept until {until} or longer: protected")
            }
            Self::CreatesHeld { wanted, until } => {
                write!(
                    f,
                    "{wanted} more wanted, but an operator lets none be created until {until}"
                )
            }
            Self::RemovalsHeld { kept, until } => {
                write!(f, "{kept} to leave, kept until {until}: an operator lets none be removed")
            }
            Self::TakenOutByHand { node, balancer } => {
                write!(f, "node {node} was taken out of {balancer} by hand; left so")
            }
            Self::HealingFrozen { unhealthy, in_service } => write!(
                f,
                "{} of {in_service} in service look unhealthy at once, so nobody is replaced: it \
                 is the balancers, the network or the application",
                unhealthy.0
            ),
            Self::BalancerUnreachable { balancer, why } => {
                write!(f, "balancer {balancer} does not answer: {why}")
            }
            Self::InventoryShrank { missing, known } => write!(
                f,
                "the cloud's listing lacks {} of {known} at once; not believed",
                missing.0
            ),
            Self::InventoryUnknown { why } => write!(f, "the cloud could not be asked: {why}"),
            Self::Orphan { label, kept } => {
                write!(f, "instance {label} carries our tag and is no node of ours: {kept}")
            }
        }
    }
}
