//! Who shall serve, stand by or leave, and how many nodes are missing.
//!
//! In: the wanted count, the standby that the policy names, our nodes and what is seen of them.
//! Out: a wish for each node that shall do otherwise than go on, and what is missing beside them.
//! Never: remembers who was made for what. A node on its way serves if one that serves is missing
//! when it is UP, and stands by otherwise: so the nodes that are furthest always serve first.

use std::collections::{BTreeMap, BTreeSet};

use super::choose::{Leaving, leavers, leaves_standby_at, rank};
use super::facts::{Facts, ServerFact, is_up};
use super::lifecycle::Wish;
use super::orders::{Departure, DepartureOrder};
use super::plan::PlanInput;
use super::step::Note;
use crate::domain::{Failure, Node, NodeCount, NodeId, NodeState};
use crate::policy::LeaveEarly;

/// Nodes that nobody can become who exists.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Missing {
    /// To serve.
    pub to_serve: u32,
    /// To stand by.
    pub to_stand_by: u32,
}

/// The wishes, by node, and what is missing.
pub(super) fn wishes(
    input: &PlanInput,
    notes: &mut Vec<Note>,
) -> (BTreeMap<NodeId, Wish>, Missing) {
    let Some(desired) = input.desired else {
        return Default::default();
    };
    let mut muster = Muster::of(input, desired.0);
    muster.obey();
    muster.ail(notes);
    muster.take_back();
    let to_serve = muster.desired.saturating_sub(muster.committed());
    muster.replace(to_serve);
    muster.let_go(notes);
    muster.admit();
    let to_stand_by = muster.keep_draining();
    muster.thin_standby(to_serve);
    (muster.wishes, Missing { to_serve, to_stand_by })
}

/// The nodes on their way that will stand by, as far as it can be told now: the least advanced of
/// those that are more than are wanted.
///
/// - `standby`: how many the policy wants in standby.
pub fn spare_on_the_way<'a>(
    nodes: impl Iterator<Item = &'a Node> + Clone,
    desired: Option<NodeCount>,
    standby: NodeCount,
) -> BTreeSet<NodeId> {
    let is = |state: fn(&NodeState) -> bool| nodes.clone().filter(move |node| state(&node.state));
    let stand_by = is(|state| *state == NodeState::Standby).count() as u32;
    let mut coming: Vec<&Node> = is(is_on_the_way).collect();
    let serving = is(NodeState::is_committed).count() - coming.len();
    let Some(desired) = desired else { return BTreeSet::new() };
    let needed = (desired.0 as usize).saturating_sub(serving);
    coming.sort_by_key(|node| (node.planned_at, node.id));
    let short = standby.0.saturating_sub(stand_by) as usize;
    let spare = coming.into_iter().skip(needed).take(short);
    spare.map(|node| node.id).collect()
}

/// The nodes by what they can become, and the wishes so far.
struct Muster<'a> {
    input: &'a PlanInput<'a>,
    leaving: Leaving,
    desired: u32,
    /// In service, or taken back into it.
    serving: u32,
    coming: Vec<&'a Node>,
    draining: Vec<&'a Node>,
    standby: Vec<&'a Node>,
    /// Unhealthy for too long, and to be replaced now: they count for nothing any more.
    ailing: Vec<&'a Node>,
    /// The other unhealthy ones, counted among those that serve.
    unhealthy: u32,
    wishes: BTreeMap<NodeId, Wish>,
}

impl<'a> Muster<'a> {
    fn of(input: &'a PlanInput<'a>, desired: u32) -> Self {
        let mut muster = Self {
            input,
            leaving: Leaving::of(input.policy),
            desired,
            serving: 0,
            coming: Vec::new(),
            draining: Vec::new(),
            standby: Vec::new(),
            ailing: Vec::new(),
            unhealthy: 0,
            wishes: BTreeMap::new(),
        };
        for node in input.nodes {
            match node.state {
                NodeState::InService | NodeState::Unhealthy { .. } => muster.serving += 1,
                NodeState::Planned
                | NodeState::Provisioning { .. }
                | NodeState::Configuring { .. }
                | NodeState::Joining { .. } => muster.coming.push(node),
                NodeState::Draining { .. } => muster.draining.push(node),
                NodeState::Standby => muster.standby.push(node),
                NodeState::Deleting { .. } | NodeState::Deleted | NodeState::Failed { .. } => {}
            }
        }
        for group in [&mut muster.coming, &mut muster.draining, &mut muster.standby] {
            group.sort_by_key(|node| (node.planned_at, node.id));
        }
        muster
    }

    /// Nodes that serve or are on their way.
    fn committed(&self) -> u32 {
        self.serving + self.coming.len() as u32
    }

    fn surplus(&self) -> u32 {
        self.committed().saturating_sub(self.desired)
    }

    /// How many nodes the standby lacks.
    fn short(&self) -> u32 {
        self.input.policy.standby.nodes.0.saturating_sub(self.standby.len() as u32)
    }

    fn wish(&mut self, node: &Node, wish: Wish) {
        self.wishes.insert(node.id, wish);
    }

    /// Whoever an operator sends away counts for nothing any more. One that serves and shall be
    /// replaced stays until another does.
    fn obey(&mut self) {
        let departures = &self.input.orders.departures;
        for node in self.input.nodes {
            let Some(Departure { order, .. }) = departures.get(&node.id) else { continue };
            match (&node.state, order) {
                (NodeState::InService | NodeState::Unhealthy { .. }, DepartureOrder::Replace) => {
                    self.serving -= 1;
                    self.ailing.push(node);
                }
                (NodeState::InService | NodeState::Unhealthy { .. }, DepartureOrder::Drain) => {
                    self.serving -= 1;
                    self.wish(node, Wish::Leave);
                }
                (
                    NodeState::Planned
                    | NodeState::Provisioning { .. }
                    | NodeState::Configuring { .. }
                    | NodeState::Joining { .. }
                    | NodeState::Standby,
                    DepartureOrder::Drain | DepartureOrder::Replace,
                ) => self.wish(node, Wish::Leave),
                (
                    NodeState::Draining { .. }
                    | NodeState::Deleting { .. }
                    | NodeState::Deleted
                    | NodeState::Failed { .. },
                    DepartureOrder::Drain | DepartureOrder::Replace,
                ) => {}
            }
        }
        for group in [&mut self.coming, &mut self.draining, &mut self.standby] {
            group.retain(|node| !departures.contains_key(&node.id));
        }
    }

    /// Chooses who is replaced: the longest unhealthy, within what the policy allows at once, and
    /// nobody where most look unhealthy.
    fn ail(&mut self, notes: &mut Vec<Note>) {
        let deadline = |node: &Node| match node.state {
            NodeState::Unhealthy { deadline } => Some(deadline),
            _ => None,
        };
        let departures = &self.input.orders.departures;
        let others = self.input.nodes.iter().filter(|node| !departures.contains_key(&node.id));
        let unhealthy = others.clone().filter(|node| deadline(node).is_some()).count();
        self.unhealthy = unhealthy as u32;
        let Some(health) = self.input.policy.health else { return };
        let in_service = self.serving as usize;
        // One node alone is no majority: it may be as broken as any other.
        if 1 < unhealthy && in_service < 2 * unhealthy {
            let (unhealthy, in_service) =
                (NodeCount(unhealthy as u32), NodeCount(in_service as u32));
            return notes.push(Note::HealingFrozen { unhealthy, in_service });
        }
        let most = (health.replace_at_most.fraction() * in_service as f64).floor().max(1.0);
        let on_their_way_out = self.input.nodes.iter().filter(|node| {
            let leaves =
                matches!(node.state, NodeState::Draining { .. } | NodeState::Deleting { .. });
            leaves && matches!(node.failure, Some(Failure::Unhealthy { .. }))
        });
        let budget = (most as usize).saturating_sub(on_their_way_out.count());
        let overdue = |node: &&Node| deadline(node).is_some_and(|due| due <= self.input.now);
        let mut ailing: Vec<&Node> = others.filter(overdue).collect();
        ailing.sort_by_key(|node| (deadline(node), node.id));
        ailing.truncate(budget);
        self.serving -= ailing.len() as u32;
        self.unhealthy -= ailing.len() as u32;
        self.ailing.append(&mut ailing);
    }

    /// Whoever is replaced leaves once enough others serve, or where `max` has no other room for
    /// the replacement.
    fn replace(&mut self, to_serve: u32) {
        let existing = self.input.nodes.iter().filter(|node| node.counts_against_max()).count();
        let room = (self.input.policy.bounds.max.0 as usize).saturating_sub(existing);
        let may_leave = match self.desired <= self.serving {
            true => self.ailing.len(),
            false => (to_serve as usize).saturating_sub(room),
        };
        for node in self.ailing.clone().into_iter().take(may_leave) {
            self.wish(node, Wish::Leave);
        }
    }

    /// Draining nodes come back where a node is missing: they are warm, and bring back what was
    /// about to be lost. Those in standby serve as long as others are only on their way.
    fn take_back(&mut self) {
        let facts = self.input.facts;
        let missing = self.desired.saturating_sub(self.committed()) as usize;
        let back = |node: &&&Node| can_come_back(node, facts);
        let back: Vec<&Node> = self.draining.iter().filter(back).take(missing).copied().collect();
        self.serving += back.len() as u32;
        let missing = self.desired.saturating_sub(self.serving) as usize;
        let ready = |node: &&&Node| stands_ready(node, facts);
        let ready: Vec<&Node> = self.standby.iter().filter(ready).take(missing).copied().collect();
        self.serving += ready.len() as u32;
        for node in back.into_iter().chain(ready) {
            self.wish(node, Wish::Serve);
        }
        let taken = &self.wishes;
        self.draining.retain(|node| !taken.contains_key(&node.id));
        self.standby.retain(|node| !taken.contains_key(&node.id));
    }

    /// Of a surplus, as many stay as the standby lacks, and the others leave.
    fn let_go(&mut self, notes: &mut Vec<Note>) {
        let ailing: BTreeSet<NodeId> = self.ailing.iter().map(|node| node.id).collect();
        let (protected, departures) = (self.input.protected, &self.input.orders.departures);
        let is_other = |node: &&Node| {
            let is_spoken_of =
                protected.contains_key(&node.id) || departures.contains_key(&node.id);
            !ailing.contains(&node.id) && !is_spoken_of
        };
        let others = self.input.nodes.iter().filter(is_other);
        let leavers = leavers(others, self.leaving, self.input.now);
        let kept = self.surplus().min(self.short());
        let leave = (self.surplus() - kept) as usize;
        // As long as others are only on their way, nobody who serves is sent away for them.
        let (serve, come): (Vec<&Node>, Vec<&Node>) =
            leavers.now.iter().partition(|node| node.state == NodeState::InService);
        let spare = (self.serving - self.unhealthy).saturating_sub(self.desired) as usize;
        let may_leave = come.into_iter().chain(serve.iter().copied().take(spare));
        let leaving: Vec<&Node> = may_leave.take(leave).collect();
        if let Some(until) = leavers.next_at.filter(|_| leaving.len() < leave) {
            let surplus = NodeCount((leave - leaving.len()) as u32);
            notes.push(Note::PaidHour { surplus, until });
        }
        let committed = self.committed();
        for node in &leaving {
            self.wish(node, Wish::Leave);
        }
        let gone = &self.wishes;
        self.coming.retain(|node| !gone.contains_key(&node.id));
        self.serving = committed - leaving.len() as u32 - self.coming.len() as u32;

        let needed = self.desired.saturating_sub(self.serving);
        let will_stand_by = (self.coming.len() as u32).saturating_sub(needed);
        let to_convert = kept.saturating_sub(will_stand_by);
        let ill = |node: &&&Node| matches!(node.state, NodeState::Unhealthy { .. });
        let ill_left = self.unhealthy - leaving.iter().filter(ill).count() as u32;
        let spare = (self.serving - ill_left).saturating_sub(self.desired);
        let to_convert = to_convert.min(spare) as usize;
        let stays = |node: &&Node| !leaving.iter().any(|gone| gone.id == node.id);
        for node in serve.into_iter().filter(stays).take(to_convert) {
            self.wish(node, Wish::StandBy);
        }
    }

    /// Whoever is UP now serves where a node is missing; of the others as many stand by as are
    /// lacking. With `to_standby` all of them do: they wait for the end of their hour.
    fn admit(&mut self) {
        let facts = self.input.facts;
        let needed = self.desired.saturating_sub(self.serving) as usize;
        let kept = match self.leaving.early {
            LeaveEarly::ToStandby => usize::MAX,
            LeaveEarly::No | LeaveEarly::Yes => self.short() as usize,
        };
        let joins = |node: &&&Node| {
            let facts = facts.get(&node.id);
            matches!(node.state, NodeState::Joining { .. })
                && facts.is_some_and(Facts::is_up_on_all_that_answer)
        };
        let spare: Vec<&Node> =
            self.coming.iter().filter(joins).skip(needed).take(kept).copied().collect();
        for node in spare {
            self.wish(node, Wish::StandBy);
        }
    }

    /// Draining nodes stand by while their hour is paid, and as many as the standby lacks beside
    /// the surplus. How many are missing then.
    fn keep_draining(&mut self) -> u32 {
        let facts = self.input.facts;
        let mut missing = self.short().saturating_sub(self.surplus());
        let is_free = |node: &&Node| {
            let free = self.leaving.early == LeaveEarly::ToStandby;
            let began = node.state_since;
            free && began < leaves_standby_at(node, self.leaving, began)
        };
        let can_stay = self.draining.iter().copied().filter(|node| can_come_back(node, facts));
        let (free, paid): (Vec<&Node>, Vec<&Node>) = can_stay.partition(is_free);
        missing = missing.saturating_sub(free.len() as u32);
        let kept: Vec<&Node> =
            free.into_iter().chain(paid.into_iter().take(missing as usize)).collect();
        let stay = kept.len() as u32;
        for node in kept {
            self.wish(node, Wish::StandBy);
        }
        self.short().saturating_sub(self.surplus() + stay)
    }

    /// Nodes in standby beyond what the policy wants leave once their hour is used, unless one may
    /// still be needed; and those that can't serve where `max` has no other room for who shall.
    fn thin_standby(&mut self, to_serve: u32) {
        let (now, order) = (self.input.now, self.leaving.order);
        let existing = self.input.nodes.iter().filter(|node| node.counts_against_max()).count();
        let room = (self.input.policy.bounds.max.0 as usize).saturating_sub(existing);
        let in_the_way = (to_serve as usize).saturating_sub(room);
        let excess = match to_serve {
            0 => self.standby.len().saturating_sub(self.input.policy.standby.nodes.0 as usize),
            _ => 0,
        };
        let used_up = |node: &&&Node| leaves_standby_at(node, self.leaving, now) <= now;
        let mut used: Vec<&Node> = self.standby.iter().filter(used_up).copied().collect();
        used.sort_by_key(|node| rank(node, order, now));
        let leave: BTreeSet<NodeId> = used
            .into_iter()
            .take(excess)
            .chain(self.standby.iter().copied().take(in_the_way))
            .map(|node| node.id)
            .collect();
        self.wishes.extend(leave.into_iter().map(|node| (node, Wish::Leave)));
    }
}

fn is_on_the_way(state: &NodeState) -> bool {
    let in_service = matches!(state, NodeState::InService | NodeState::Unhealthy { .. });
    state.is_committed() && !in_service
}

/// Whether one command brings a draining node back: every balancer that answers still has its
/// server.
pub(super) fn can_come_back(node: &Node, facts: &BTreeMap<NodeId, Facts>) -> bool {
    node.failure.is_none()
        && facts.get(&node.id).is_some_and(|facts| {
            facts.any_balancer_answers()
                && facts.servers.iter().all(|(_, fact)| !matches!(fact, ServerFact::Absent { .. }))
                && !facts.instance_is_gone()
        })
}

/// Whether one command makes a node in standby serve: a balancer sees it UP.
fn stands_ready(node: &Node, facts: &BTreeMap<NodeId, Facts>) -> bool {
    facts.get(&node.id).is_some_and(|facts| {
        !facts.instance_is_gone() && facts.servers.iter().any(|(_, fact)| is_up(fact))
    })
}
