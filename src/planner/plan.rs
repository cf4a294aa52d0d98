//! From the wanted count to what each node does now.

use std::collections::{BTreeMap, BTreeSet};
use std::net::Ipv4Addr;

use uuid::Uuid;

use super::address::{AddressUse, free_address};
use super::backoff::plan_of_next;
use super::brake;
use super::doubt::{believed_gone_at, in_doubt};
use super::facts::{Facts, ServerFact};
use super::lifecycle::{Next, Wish, next};
use super::orders::{self, Departure, NodeOrders};
use super::orphans::Orphan;
use super::protect::{self, Protection};
use super::step::{Move, Note, Step};
use super::wishes::{Missing, wishes};
use crate::domain::{Node, NodeCount, NodeId, NodeState, RunId, ServerAdmin, Timestamp};
use crate::policy::Policy;

/// All that a plan depends on.
pub struct PlanInput<'a> {
    /// The pool's policy.
    pub policy: &'a Policy,
    /// The count that the pool shall have; `None` before anything was decided.
    pub desired: Option<NodeCount>,
    /// The pool's nodes, those that ended within the last hours included.
    pub nodes: &'a [Node],
    /// What this look showed, by node.
    pub facts: &'a BTreeMap<NodeId, Facts>,
    /// The nodes that an operator protects from removal.
    pub protected: &'a BTreeMap<NodeId, Protection>,
    /// What operators ordered beside that.
    pub orders: &'a NodeOrders,
    /// Every address of the VLAN that is held or rests, whichever pool's.
    pub addresses: &'a BTreeMap<Ipv4Addr, AddressUse>,
    /// Now.
    pub now: Timestamp,
}

/// What to do in this look.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Plan {
    /// Nodes to write down as planned; their lives begin with the next look, at once.
    pub create: Vec<Node>,
    /// Those of them that fill the standby.
    pub refills: BTreeSet<NodeId>,
    /// What existing nodes do now.
    pub moves: Vec<Move>,
    /// The orphan that is deleted now.
    pub sweep: Option<Orphan>,
    /// What each waiting node waits for.
    pub waits: BTreeMap<NodeId, String>,
    /// The nodes that an operator protects from removal.
    pub protected: BTreeMap<NodeId, Protection>,
    /// The nodes that an operator sends away.
    pub departures: BTreeMap<NodeId, Departure>,
    /// What would have been done and wasn't.
    pub notes: Vec<Note>,
}

impl Plan {
    /// Whether nothing is to be done: so it is on a settled world.
    pub fn is_empty(&self) -> bool {
        self.create.is_empty() && self.moves.is_empty() && self.sweep.is_none()
    }
}

/// Plans one look. `fresh` gives a new version 7 UUID at each call.
pub fn plan(input: &PlanInput, fresh: &mut dyn FnMut() -> Uuid) -> Plan {
    let (protected, departures) = (input.protected.clone(), input.orders.departures.clone());
    let mut plan = Plan { protected, departures, ..Plan::default() };
    let (mut wishes, missing) = wishes(input, &mut plan.notes);
    protect::keep(input, &mut wishes, &mut plan.notes);
    brake::hold(input, &mut wishes, &mut plan.notes);
    orders::hold_removals(input, &mut wishes, &mut plan.notes);
    create(input, missing, &mut plan, fresh);
    let unknown = Facts::unknown();
    let mut runs = Runs::new(input.policy.configure.batch);
    for node in input.nodes {
        let facts = input.facts.get(&node.id).unwrap_or(&unknown);
        let wish = wishes.get(&node.id).copied().unwrap_or(Wish::Stay);
        match next(node, facts, wish, input.policy, runs.current(fresh), input.now) {
            Next::Wait { .. } if node.state.is_final() => {}
            Next::Wait { what } => {
                plan.waits.insert(node.id, what);
            }
            Next::Do { enter, step, failure, because } => {
                let ordered = input.orders.departures.get(&node.id);
                let ordered = ordered.filter(|_| wish == Wish::Leave && failure.is_none());
                let because = ordered.map_or(because, ToString::to_string);
                let begins_run = enter.is_some() && step == Some(Step::StartRun);
                plan.moves.push(Move { node: node.id, enter, step, failure, because });
                if begins_run {
                    runs.take_a_place();
                }
            }
        }
        note_by_hand(node, facts, &mut plan.notes);
    }
    spare_shared_runs(input.nodes, &mut plan.moves);
    plan
}

/// A run that other nodes still wait for goes on when one of its nodes leaves it.
fn spare_shared_runs(nodes: &[Node], moves: &mut [Move]) {
    let leaving: BTreeSet<NodeId> =
        moves.iter().filter(|one| one.enter.is_some()).map(|one| one.node).collect();
    let stays = |node: &&Node| !leaving.contains(&node.id);
    let needed: BTreeSet<RunId> = nodes
        .iter()
        .filter(stays)
        .filter_map(|node| match node.state {
            NodeState::Configuring { run, .. } => Some(run),
            _ => None,
        })
        .collect();
    for one in moves {
        if matches!(&one.step, Some(Step::CancelRun { run }) if needed.contains(run)) {
            one.step = None;
        }
    }
}

/// Adds the missing nodes, as many as `max`, backoff and addresses allow; the standby yields to
/// those that shall serve.
fn create(input: &PlanInput, missing: Missing, plan: &mut Plan, fresh: &mut dyn FnMut() -> Uuid) {
    let in_doubt = in_doubt(input.nodes, input.facts, input.now);
    let existing = input.nodes.iter().filter(|node| node.counts_against_max()).count();
    let existing = (existing + in_doubt.len()) as u32;
    let room = input.policy.bounds.max.0.saturating_sub(existing);
    let to_serve = missing.to_serve.min(room);
    let wanted = missing.to_serve + missing.to_stand_by.min(room - to_serve);
    if wanted == 0 {
        return;
    }
    if let Some(until) = input.orders.creates_held {
        plan.notes.push(Note::CreatesHeld { wanted: NodeCount(wanted), until });
        return;
    }
    let (notes, first) = (&mut plan.notes, &input.policy.node.instance_type);
    let instance_type = match plan_of_next(input.nodes, &input.policy.node, input.now) {
        Ok(instance_type) => instance_type,
        Err((until, failures)) => {
            notes.push(Note::CreatingRests { wanted: NodeCount(wanted), until, failures });
            return;
        }
    };
    if instance_type != first {
        notes.push(Note::FallbackType { first: first.clone(), instead: instance_type.into() });
    }
    if to_serve < missing.to_serve {
        notes.extend(believed_gone_at(&in_doubt).map(|until| {
            let count = NodeCount(in_doubt.len() as u32);
            Note::CreatesInDoubt { count, until }
        }));
        let over = NodeCount(missing.to_serve - to_serve);
        notes.push(Note::MaxReached { wanted: over, max: input.policy.bounds.max });
    }
    let wanted = wanted.min(room);
    let mut addresses = input.addresses.clone();
    addresses.extend(in_doubt.iter().map(|node| (node.address, AddressUse::Held)));
    while (plan.create.len() as u32) < wanted {
        let vlan = &input.policy.node.vlan;
        let Some(address) = free_address(vlan, &addresses, input.now) else {
            let left = NodeCount(wanted - plan.create.len() as u32);
            plan.notes.push(Note::AddressesExhausted { wanted: left });
            break;
        };
        addresses.insert(address, AddressUse::Held);
        let node = planned_node(input, NodeId(fresh()), address, instance_type);
        if to_serve <= plan.create.len() as u32 {
            plan.refills.insert(node.id);
        }
        plan.create.push(node);
    }
}

fn planned_node(input: &PlanInput, id: NodeId, address: Ipv4Addr, instance_type: &str) -> Node {
    Node {
        address,
        vlan: input.policy.node.vlan.label.clone(),
        instance_type: instance_type.into(),
        region: input.policy.node.region.clone(),
        ..Node::planned(id, input.policy.pool.clone(), input.now)
    }
}

/// Nodes that begin their playbook in the same look share runs of at most `batch` nodes.
struct Runs {
    batch: u32,
    current: Option<(RunId, u32)>,
}

impl Runs {
    fn new(batch: u32) -> Self {
        Self { batch, current: None }
    }

    /// The run with a place left.
    fn current(&mut self, fresh: &mut dyn FnMut() -> Uuid) -> RunId {
        match self.current {
            Some((run, taken)) if taken < self.batch => run,
            _ => self.current.insert((RunId(fresh()), 0)).0,
        }
    }

    fn take_a_place(&mut self) {
        if let Some((_, taken)) = &mut self.current {
            *taken += 1;
        }
    }
}

/// A serving node that is not ready somewhere, or one in standby that is in maintenance, and we
/// owe it nothing there: a person did that.
fn note_by_hand(node: &Node, facts: &Facts, notes: &mut Vec<Note>) {
    let is_taken_out = |admin| match node.state {
        NodeState::InService => admin != ServerAdmin::Ready,
        NodeState::Standby => admin == ServerAdmin::Maintenance,
        _ => false,
    };
    for (balancer, fact) in &facts.servers {
        if let ServerFact::Present { server, .. } = fact
            && is_taken_out(server.admin)
            && !node.admitting.contains(balancer)
        {
            let balancer = balancer.clone();
            notes.push(Note::TakenOutByHand { node: node.id, balancer });
        }
    }
}
