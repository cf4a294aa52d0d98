//! The machines: ordered, booting, serving, leaving, paid.
//!
//! In: a wanted count.
//! Out: who serves, what it costs.
//! Never: chooses who leaves: that is the planner's `leavers`, for each contender alike.

use std::cmp::Ordering;
use std::collections::BTreeSet;
use std::net::Ipv4Addr;

use uuid::Uuid;

use super::bill::started_hours;
use super::settings::{Bounds, Settings};
use crate::domain::{
    FleetCounts, InstanceLabel, Node, NodeCount, NodeId, NodeState, PoolName, Timestamp,
};
use crate::engine::ObservedNode;
use crate::planner::{Leaving, leavers};
use crate::policy::Policy;

/// How one contender's machines are ordered and let go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FleetRules {
    /// The smallest and the largest count.
    pub bounds: Bounds,
    /// Who leaves, and whether before the end of the paid hour.
    pub leaving: Leaving,
    /// What happens to a leaving node when more are wanted.
    pub comeback: Comeback,
}

impl FleetRules {
    /// As our own planner goes by `policy`.
    pub fn of(policy: &Policy) -> Self {
        let bounds = Bounds { min: policy.bounds.min, max: policy.bounds.max };
        Self { bounds, leaving: Leaving::of(policy), comeback: Comeback::TakenBack }
    }
}

/// Whether a node that is already leaving can be taken back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Comeback {
    /// It serves again at once, and counts against the largest count until it is gone: as our
    /// own planner has it.
    TakenBack,
    /// It is lost: as with other autoscalers, and as in the reference experiment.
    Never,
}

/// One contender's machines.
pub(super) struct Fleet<'a> {
    settings: &'a Settings,
    rules: FleetRules,
    /// The trace's beginning, so that nodes have true moments.
    begins_at: i64,
    pool: PoolName,
    machines: Vec<Machine>,
    counts: FleetCounts,
    ordered: u64,
    /// Nothing changes by itself before this.
    quiet_until: u64,
    /// Nobody may leave before this.
    stays_until: u64,
    hours: u64,
}

/// One of them.
#[derive(Debug)]
pub struct Machine {
    node: Node,
    /// In seconds after the trace's beginning; the first ones are older than that.
    ordered_at: i64,
    /// When its boot or its drain ends.
    changes_at: u64,
}

impl Machine {
    /// What signals with a series of each node are matched against.
    pub(super) fn observed(&self) -> Option<ObservedNode> {
        ObservedNode::of(&self.node)
    }
}

/// Nodes that moved in one step.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Moved {
    /// Ordered, or taken back.
    pub launched: u32,
    /// Cancelled, or sent away.
    pub removed: u32,
}

impl<'a> Fleet<'a> {
    /// A fleet that has been serving for a while.
    pub fn serving(
        count: NodeCount,
        settings: &'a Settings,
        rules: FleetRules,
        begins_at: i64,
    ) -> Self {
        let pool = PoolName::new("rehearsal").expect("a legal name");
        let mut fleet = Self {
            settings,
            rules,
            begins_at,
            pool,
            machines: Vec::new(),
            counts: FleetCounts::default(),
            ordered: 0,
            quiet_until: 0,
            stays_until: 0,
            hours: 0,
        };
        for _ in 0..count.0 {
            fleet.order(-(settings.boot.upper() as i64), 0);
        }
        fleet.advance(0);
        fleet
    }

    /// The nodes that there are.
    pub fn counts(&self) -> FleetCounts {
        self.counts
    }

    /// The nodes one by one.
    pub fn machines(&self) -> &[Machine] {
        &self.machines
    }

    /// Nodes that are paid for.
    pub fn existing(&self) -> u32 {
        self.machines.len() as u32
    }

    /// Boots and drains that are over by `now` end.
    pub fn advance(&mut self, now: u64) {
        if now < self.quiet_until {
            return;
        }
        let scored_from = self.settings.scored_from as i64;
        let mut hours = 0;
        self.machines.retain_mut(|machine| {
            if now < machine.changes_at {
                return true;
            }
            match machine.node.state {
                NodeState::Provisioning { .. } => machine.node.state = NodeState::InService,
                NodeState::Draining { .. } => {
                    let gone = machine.changes_at as i64;
                    hours += started_hours(machine.ordered_at, gone, scored_from);
                    return false;
                }
                _ => {}
            }
            machine.changes_at = u64::MAX;
            true
        });
        self.hours += hours;
        self.recount();
    }

    /// Goes towards `wanted`, which is brought within bounds first.
    pub fn steer(&mut self, wanted: NodeCount, now: u64) -> Moved {
        let (wanted, committed) = (self.rules.bounds.hold(wanted), self.counts.committed());
        match wanted.cmp(&committed) {
            Ordering::Equal => Moved::default(),
            Ordering::Greater => self.grow(wanted.0 - committed.0, now),
            Ordering::Less => self.shrink(committed.0 - wanted.0, now),
        }
    }

    fn grow(&mut self, more: u32, now: u64) -> Moved {
        let (back, room) = match self.rules.comeback {
            Comeback::Never => (0, more),
            Comeback::TakenBack => {
                let back = self.take_back(more);
                let room = self.rules.bounds.max.0.saturating_sub(self.existing());
                (back, room.min(more - back))
            }
        };
        for _ in 0..room {
            self.order(now as i64, now + self.boot_seconds());
        }
        self.recount();
        Moved { launched: back + room, removed: 0 }
    }

    /// Leaving nodes serve again, the oldest first; how many.
    fn take_back(&mut self, most: u32) -> u32 {
        let leaving =
            |machine: &&mut Machine| matches!(machine.node.state, NodeState::Draining { .. });
        let mut back = 0;
        for machine in self.machines.iter_mut().filter(leaving).take(most as usize) {
            machine.node.state = NodeState::InService;
            machine.changes_at = u64::MAX;
            back += 1;
        }
        back
    }

    fn shrink(&mut self, fewer: u32, now: u64) -> Moved {
        if now < self.stays_until {
            return Moved::default();
        }
        let at = self.moment(now as i64);
        let chosen = leavers(self.machines.iter().map(|one| &one.node), self.rules.leaving, at);
        if chosen.now.is_empty() {
            let next = chosen.next_at.map_or(i64::MAX, |next| next.as_second() - self.begins_at);
            self.stays_until = next.max(0) as u64;
            return Moved::default();
        }
        let leaving: Vec<NodeId> =
            chosen.now.iter().take(fewer as usize).map(|node| node.id).collect();
        for id in &leaving {
            self.remove(*id, now);
        }
        self.recount();
        Moved { launched: 0, removed: leaving.len() as u32 }
    }

    /// A node that boots is cancelled and gone; one that serves drains first.
    fn remove(&mut self, id: NodeId, now: u64) {
        let Some(place) = self.machines.iter().position(|machine| machine.node.id == id) else {
            return;
        };
        let gone_at = now + self.drain_seconds(id);
        let deadline = self.moment(gone_at as i64);
        let machine = &mut self.machines[place];
        if machine.node.state == NodeState::InService {
            machine.node.state = NodeState::Draining { deadline };
            machine.changes_at = gone_at;
            return;
        }
        let machine = self.machines.remove(place);
        let scored_from = self.settings.scored_from as i64;
        self.hours += started_hours(machine.ordered_at, now as i64, scored_from);
    }

    fn order(&mut self, ordered_at: i64, ready_at: u64) {
        self.ordered += 1;
        let id = NodeId(Uuid::from_u128(u128::from(self.ordered)));
        let planned_at = self.moment(ordered_at);
        let node = Node {
            id,
            pool: self.pool.clone(),
            label: InstanceLabel::of(&self.pool, id),
            address: Ipv4Addr::UNSPECIFIED,
            vlan: String::new(),
            instance_type: String::new(),
            region: String::new(),
            state: NodeState::Provisioning { deadline: self.moment(ready_at as i64) },
            state_since: planned_at,
            planned_at,
            instance: None,
            instance_created_at: Some(planned_at),
            host_keys: Vec::new(),
            attempt: None,
            joining_since: None,
            served_at: None,
            admitting: BTreeSet::new(),
            failure: None,
            failed_at: None,
        };
        self.machines.push(Machine { node, ordered_at, changes_at: ready_at });
    }

    /// How long the next node's boot takes: the same for the n-th node of each contender.
    fn boot_seconds(&self) -> u64 {
        self.settings.boot.draw(self.settings.seed, &format!("boot of node {}", self.ordered + 1))
    }

    /// How long a node's drain takes: the same however often it begins anew.
    fn drain_seconds(&self, node: NodeId) -> u64 {
        let number = node.0.as_u128();
        self.settings.drain.draw(self.settings.seed, &format!("drain of node {number}"))
    }

    fn moment(&self, seconds: i64) -> Timestamp {
        let seconds = self.begins_at.saturating_add(seconds);
        Timestamp::from_second(seconds).unwrap_or(Timestamp::MAX)
    }

    fn recount(&mut self) {
        self.counts = FleetCounts::of(self.machines.iter().map(|machine| &machine.node));
        let next = self.machines.iter().map(|machine| machine.changes_at).min();
        self.quiet_until = next.unwrap_or(u64::MAX);
        self.stays_until = 0;
    }

    /// Started hours of all nodes that there ever were, up to `end`. Nodes that still drain then
    /// are paid until they are gone.
    pub fn hours_until(&self, end: u64) -> u64 {
        let scored_from = self.settings.scored_from as i64;
        let own = |machine: &Machine| {
            let gone = match machine.node.state {
                NodeState::Draining { .. } => machine.changes_at,
                _ => end,
            };
            started_hours(machine.ordered_at, gone as i64, scored_from)
        };
        self.hours + self.machines.iter().map(own).sum::<u64>()
    }
}
