//! The machines: ordered, booting, standing by, serving, leaving, paid.
//!
//! In: a wanted count.
//! Out: who serves, what it costs.
//! Never: chooses who leaves: that is the planner's `leavers`, for each contender alike.

use uuid::Uuid;

use super::bill::started_hours;
use super::settings::{Bounds, Settings};
use crate::domain::{FleetCounts, Node, NodeCount, NodeId, NodeState, PoolName, Timestamp};
use crate::engine::ObservedNode;
use crate::planner::{Leaving, leavers, leaves_standby_at};
use crate::policy::{LeaveEarly, Policy};

/// Between two looks at a node that stands by in the last minutes of its hour.
const STANDBY_LOOK: u64 = 60;

/// How one contender's machines are ordered and let go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FleetRules {
    /// The smallest and the largest count.
    pub bounds: Bounds,
    /// Who leaves, and whether before the end of the paid hour.
    pub leaving: Leaving,
    /// What happens to a leaving node when more are wanted.
    pub comeback: Comeback,
    /// Nodes that are kept ready beside those that serve, and serve at once.
    pub standby: NodeCount,
}

impl FleetRules {
    /// As our own planner goes by `policy`.
    pub fn of(policy: &Policy) -> Self {
        let bounds = Bounds { min: policy.bounds.min, max: policy.bounds.max };
        Self {
            bounds,
            leaving: Leaving::of(policy),
            comeback: Comeback::TakenBack,
            standby: policy.standby.nodes,
        }
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
    /// The last wanted count, within bounds.
    wanted: u32,
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
    /// A fleet that has been serving for a while, with its standby.
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
            wanted: count.0,
            ordered: 0,
            quiet_until: 0,
            stays_until: 0,
            hours: 0,
        };
        let room = rules.bounds.max.minus(count.0);
        for _ in 0..count.0 + rules.standby.min(room).0 {
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

    /// Boots, drains and paid hours that are over by `now` end.
    pub fn advance(&mut self, now: u64) {
        if now < self.quiet_until {
            return;
        }
        let mut place = 0;
        while let Some(machine) = self.machines.get(place) {
            if now < machine.changes_at {
                place += 1;
                continue;
            }
            match self.after_its_wait(&machine.node) {
                Some(state) => {
                    let changes_at = match state {
                        NodeState::Standby => self.leaves_standby_at(&machine.node, now),
                        _ => u64::MAX,
                    };
                    let machine = &mut self.machines[place];
                    (machine.node.state, machine.changes_at) = (state, changes_at);
                    place += 1;
                }
                None => {
                    let machine = self.machines.remove(place);
                    let scored_from = self.settings.scored_from as i64;
                    let gone = machine.changes_at as i64;
                    self.hours += started_hours(machine.ordered_at, gone, scored_from);
                }
            }
            self.recount();
        }
        self.recount();
    }

    /// What a node is from now on, whose boot, drain or paid hour is over; `None`: gone.
    fn after_its_wait(&self, node: &Node) -> Option<NodeState> {
        let (counts, leaving) = (self.counts, self.rules.leaving);
        let is_short = counts.standby < self.rules.standby;
        let waits = leaving.early == LeaveEarly::ToStandby;
        match node.state {
            NodeState::Provisioning { .. } => {
                let is_spare = self.wanted <= counts.serving.0;
                let stands_by = is_spare && (is_short || waits);
                Some(if stands_by { NodeState::Standby } else { NodeState::InService })
            }
            NodeState::Draining { .. } => {
                let began = node.state_since;
                let is_free = waits && began < leaves_standby_at(node, leaving, began);
                (is_short || is_free).then_some(NodeState::Standby)
            }
            NodeState::Standby => {
                (counts.standby <= self.rules.standby).then_some(NodeState::Standby)
            }
            _ => Some(node.state.clone()),
        }
    }

    /// When a node in standby is looked at again: at the end of its hour, and until that is over.
    fn leaves_standby_at(&self, node: &Node, now: u64) -> u64 {
        let at = leaves_standby_at(node, self.rules.leaving, self.moment(now as i64));
        let seconds = (at.as_second() - self.begins_at).max(0) as u64;
        seconds.max(now + STANDBY_LOOK)
    }

    /// Goes towards `wanted`, which is brought within bounds first.
    pub fn steer(&mut self, wanted: NodeCount, now: u64) -> Moved {
        self.wanted = self.rules.bounds.hold(wanted).0;
        let back = match self.rules.comeback {
            Comeback::TakenBack => self.take_back(),
            Comeback::Never => 0,
        };
        let removed = self.shrink(now);
        let more = self.missing();
        for _ in 0..more {
            self.order(now as i64, now + self.boot_seconds());
        }
        if 0 < more {
            self.recount();
        }
        Moved { launched: back + more, removed }
    }

    fn surplus(&self) -> u32 {
        self.counts.committed().0.saturating_sub(self.wanted)
    }

    /// How many nodes the standby lacks.
    fn short(&self) -> u32 {
        self.rules.standby.0.saturating_sub(self.counts.standby.0)
    }

    /// Nodes to order: those that shall serve, and those that shall stand by beside a surplus and
    /// what drains.
    fn missing(&self) -> u32 {
        let to_serve = self.wanted.saturating_sub(self.counts.committed().0);
        let others = self.surplus() + self.counts.leaving.0;
        let to_stand_by = self.short().saturating_sub(others);
        match self.rules.comeback {
            Comeback::Never => to_serve,
            Comeback::TakenBack => {
                let room = self.rules.bounds.max.0.saturating_sub(self.existing());
                (to_serve + to_stand_by).min(room)
            }
        }
    }

    /// Leaving nodes serve again where a node is missing, and those that stand by where others are
    /// only on their way; the oldest first; how many.
    fn take_back(&mut self) -> u32 {
        let drains = |state: &NodeState| matches!(state, NodeState::Draining { .. });
        let missing = self.wanted.saturating_sub(self.counts.committed().0);
        let back = self.serve_again(drains, missing);
        let missing = self.wanted.saturating_sub(self.counts.serving.0);
        back + self.serve_again(|state| *state == NodeState::Standby, missing)
    }

    fn serve_again(&mut self, is: impl Fn(&NodeState) -> bool, most: u32) -> u32 {
        let mut back = 0;
        if most == 0 {
            return back;
        }
        let those = self.machines.iter_mut().filter(|machine| is(&machine.node.state));
        for machine in those.take(most as usize) {
            machine.node.state = NodeState::InService;
            machine.changes_at = u64::MAX;
            back += 1;
        }
        if 0 < back {
            self.recount();
        }
        back
    }

    /// Of a surplus, those on their way stay that the standby lacks; how many others left.
    fn shrink(&mut self, now: u64) -> u32 {
        let serving = self.counts.serving.0;
        let needed = self.wanted.saturating_sub(serving);
        let spare = self.counts.on_the_way.0.saturating_sub(needed);
        let fewer = self.surplus() - self.surplus().min(self.short()).min(spare);
        if fewer == 0 || now < self.stays_until {
            return 0;
        }
        let at = self.moment(now as i64);
        let chosen = leavers(self.machines.iter().map(|one| &one.node), self.rules.leaving, at);
        if chosen.now.is_empty() {
            let next = chosen.next_at.map_or(i64::MAX, |next| next.as_second() - self.begins_at);
            self.stays_until = next.max(0) as u64;
            return 0;
        }
        // As our planner has it, nobody who serves is sent away for those on their way.
        let mut may_leave = match self.rules.comeback {
            Comeback::Never => u32::MAX,
            Comeback::TakenBack => serving.saturating_sub(self.wanted),
        };
        let may_leave = chosen.now.into_iter().filter(|node| {
            let serves = node.state == NodeState::InService;
            let may = !serves || 0 < may_leave;
            may_leave -= u32::from(serves && may);
            may
        });
        let leaving: Vec<NodeId> = may_leave.take(fewer as usize).map(|node| node.id).collect();
        for id in &leaving {
            self.remove(*id, now);
        }
        if !leaving.is_empty() {
            self.recount();
        }
        leaving.len() as u32
    }

    /// A node that boots is cancelled and gone; one that serves drains first.
    fn remove(&mut self, id: NodeId, now: u64) {
        let Some(place) = self.machines.iter().position(|machine| machine.node.id == id) else {
            return;
        };
        let gone_at = now + self.drain_seconds(id);
        let deadline = self.moment(gone_at as i64);
        let began = self.moment(now as i64);
        let machine = &mut self.machines[place];
        if machine.node.state == NodeState::InService {
            (machine.node.state, machine.node.state_since) =
                (NodeState::Draining { deadline }, began);
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
            state: NodeState::Provisioning { deadline: self.moment(ready_at as i64) },
            instance_created_at: Some(planned_at),
            ..Node::planned(id, self.pool.clone(), planned_at)
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
