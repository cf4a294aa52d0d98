//! Who leaves when fewer nodes are needed.

use crate::domain::{Duration, Node, NodeState, Timestamp, after, elapsed};
use crate::policy::{LeaveEarly, LeaveOrder, Policy};

/// Linode bills every started hour of an instance.
const PAID_HOUR: Duration = Duration::from_secs(3600);

/// For so long in each paid hour a node may leave. Twice as long gave away head-room that is paid
/// anyway; half as long is but a few looks, and who misses it stays for another hour.
const WINDOW: Duration = Duration::from_secs(90);

/// The nodes that may leave now, first leaver first, and when the next one may.
pub struct Leavers<'a> {
    /// May leave now.
    pub now: Vec<&'a Node>,
    /// When the first of the others may.
    pub next_at: Option<Timestamp>,
}

/// What settles who leaves: the parts of a policy that speak of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Leaving {
    /// Who leaves first.
    pub order: LeaveOrder,
    /// Whether a surplus node may leave before its paid hour ends.
    pub early: LeaveEarly,
    /// How long its requests may take to end.
    pub drain_timeout: Duration,
}

impl Leaving {
    /// What `policy` says of it.
    pub fn of(policy: &Policy) -> Self {
        Self {
            order: policy.scale_in.order,
            early: policy.scale_in.leave_early,
            drain_timeout: policy.leave.drain_timeout,
        }
    }
}

/// Sorts the committed `nodes` into those that may leave now and those that stay for their paid
/// hour.
///
/// Nodes that don't serve yet leave before those that do, the least advanced first: whatever is
/// still to be spent on them is saved.
pub fn leavers<'a>(
    nodes: impl IntoIterator<Item = &'a Node>,
    leaving: Leaving,
    now: Timestamp,
) -> Leavers<'a> {
    let mut may_leave = Vec::new();
    let mut next_at: Option<Timestamp> = None;
    for node in nodes.into_iter().filter(|node| node.state.is_committed()) {
        match leaves_at(node, leaving, now) {
            at if at <= now => may_leave.push(node),
            at => next_at = Some(next_at.map_or(at, |best| best.min(at))),
        }
    }
    may_leave.sort_by_key(|node| (stage(node), rank(node, leaving.order, now)));
    Leavers { now: may_leave, next_at }
}

/// When this node may leave.
fn leaves_at(node: &Node, leaving: Leaving, now: Timestamp) -> Timestamp {
    let at_once = match leaving.early {
        LeaveEarly::Yes => true,
        // A node on its way goes on: its hour is paid, and it will stand by.
        LeaveEarly::ToStandby => node.state == NodeState::InService,
        LeaveEarly::No => false,
    };
    let is_no_use = matches!(node.state, NodeState::Planned | NodeState::Unhealthy { .. });
    if at_once || is_no_use {
        return now;
    }
    // Whoever drains beyond the end of the hour begins another one, which is then paid, too: it
    // had better serve.
    let latest = leaving.drain_timeout.min(PAID_HOUR - WINDOW);
    let earliest = latest + WINDOW;
    let left = paid_time_left(node, now);
    match left {
        _ if left < latest => after(now, left + (PAID_HOUR - earliest)),
        _ if left <= earliest => now,
        _ => after(now, left - earliest),
    }
}

/// When a node that stands by and is not needed leaves: once no more is left of its paid hour than
/// a drain and the window.
pub fn leaves_standby_at(node: &Node, leaving: Leaving, now: Timestamp) -> Timestamp {
    let latest = leaving.drain_timeout.min(PAID_HOUR - WINDOW);
    match leaving.early {
        LeaveEarly::Yes => now,
        LeaveEarly::No | LeaveEarly::ToStandby => {
            after(now, paid_time_left(node, now).saturating_sub(latest + WINDOW))
        }
    }
}

/// How long the hour that is paid anyway still lasts.
fn paid_time_left(node: &Node, now: Timestamp) -> Duration {
    let born = node.instance_created_at.unwrap_or(node.planned_at);
    let into_hour = elapsed(born, now).as_millis() % PAID_HOUR.as_millis();
    PAID_HOUR - Duration::from_millis(into_hour as u64)
}

/// How far a node has come; the unhealthy leave first, then the least advanced.
fn stage(node: &Node) -> u8 {
    match node.state {
        NodeState::Unhealthy { .. } => 0,
        NodeState::Planned => 1,
        NodeState::Provisioning { .. } => 2,
        NodeState::Configuring { .. } => 3,
        NodeState::Joining { .. } => 4,
        NodeState::InService | NodeState::Standby => 5,
        NodeState::Draining { .. } | NodeState::Deleting { .. } => 6,
        NodeState::Deleted | NodeState::Failed { .. } => 7,
    }
}

/// The order among nodes of one stage; smaller leaves first. Ids settle ties, so that the same
/// look always chooses the same nodes.
pub(super) fn rank(
    node: &Node,
    order: LeaveOrder,
    now: Timestamp,
) -> (i128, crate::domain::NodeId) {
    let key = match order {
        LeaveOrder::BillingHour => paid_time_left(node, now).as_millis() as i128,
        LeaveOrder::Newest => -node.planned_at.as_nanosecond(),
        LeaveOrder::Oldest => node.planned_at.as_nanosecond(),
    };
    (key, node.id)
}
