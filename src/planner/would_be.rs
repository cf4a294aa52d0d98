//! A fleet that nobody makes: who would serve, and what would be paid, had a count been acted on.
//!
//! In: a wanted count at each look, and how long nodes take to come and to leave.
//! Out: the nodes that there would be, how long they would have been there, and the hours that
//! would have begun.
//! Never: fails, is refused or delayed: faults are not foreseen, and brakes on removals not known.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::choose::{Leaving, leavers, leaves_standby_at};
use crate::domain::{
    Duration, FleetCounts, Node, NodeCount, NodeId, NodeState, PoolName, Timestamp, after, elapsed,
};
use crate::policy::{LeaveEarly, Policy};

/// Linode bills every started hour of an instance.
const HOUR: Duration = Duration::from_secs(3_600);

/// How long nodes take; each length is what half of the pool's nodes took.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NodePaces {
    /// From the order until a node serves.
    pub coming: Duration,
    /// From its last request until it holds none.
    pub drain: Duration,
    /// From then until it is gone.
    pub deletion: Duration,
}

/// What settles who comes and who leaves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WouldBeRules {
    /// Never more instances.
    pub max: NodeCount,
    /// Kept ready beside those that serve.
    pub standby: NodeCount,
    /// Who leaves, and when.
    pub leaving: Leaving,
}

impl WouldBeRules {
    /// As `policy` has it.
    pub fn of(policy: &Policy) -> Self {
        let (max, standby) = (policy.bounds.max, policy.standby.nodes);
        Self { max, standby, leaving: Leaving::of(policy) }
    }
}

/// Machines that there would be.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct WouldBeFleet {
    /// The last look.
    at: Timestamp,
    nodes: Vec<WouldBeNode>,
    /// How many were ordered, so that each has an id of its own.
    ordered: u64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct WouldBeNode {
    id: NodeId,
    /// Its paid hours count from here.
    born: Timestamp,
    stage: Stage,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Stage {
    Coming { until: Timestamp },
    Serving,
    StandingBy,
    Draining { since: Timestamp, until: Timestamp },
    Deleting { until: Timestamp },
}

/// What a time would have come to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Paid {
    /// How long nodes would have been there, added up, in milliseconds.
    pub node_milliseconds: u64,
    /// Hours of nodes that began: each is billed whole.
    pub hours_begun: u64,
}

impl Paid {
    /// Both together.
    pub fn plus(self, more: Self) -> Self {
        Self {
            node_milliseconds: self.node_milliseconds.saturating_add(more.node_milliseconds),
            hours_begun: self.hours_begun.saturating_add(more.hours_begun),
        }
    }
}

impl WouldBeFleet {
    /// The fleet that there is: from here on it goes its own way.
    pub fn of<'a>(
        nodes: impl IntoIterator<Item = &'a Node>,
        paces: NodePaces,
        now: Timestamp,
    ) -> Self {
        let copied = nodes.into_iter().filter_map(|node| {
            let since = node.state_since;
            let stage = match node.state {
                NodeState::Planned
                | NodeState::Provisioning { .. }
                | NodeState::Configuring { .. }
                | NodeState::Joining { .. } => {
                    Stage::Coming { until: after(node.planned_at, paces.coming) }
                }
                NodeState::InService | NodeState::Unhealthy { .. } => Stage::Serving,
                NodeState::Standby => Stage::StandingBy,
                NodeState::Draining { .. } => {
                    Stage::Draining { since, until: after(since, paces.drain) }
                }
                NodeState::Deleting { .. } => {
                    Stage::Deleting { until: after(since, paces.deletion) }
                }
                NodeState::Deleted | NodeState::Failed { .. } => return None,
            };
            let born = node.instance_created_at.unwrap_or(node.planned_at);
            Some(WouldBeNode { id: node.id, born, stage })
        });
        Self { at: now, nodes: copied.collect(), ordered: 0 }
    }

    /// The nodes, counted.
    pub fn counts(&self) -> FleetCounts {
        let mut counts = FleetCounts::default();
        for node in &self.nodes {
            let count = match node.stage {
                Stage::Coming { .. } => &mut counts.on_the_way,
                Stage::Serving => &mut counts.serving,
                Stage::StandingBy => &mut counts.standby,
                Stage::Draining { .. } | Stage::Deleting { .. } => &mut counts.leaving,
            };
            *count = count.plus(1);
        }
        counts
    }

    /// How much of the hours that have begun is still ahead, all nodes together.
    pub fn paid_ahead(&self) -> Duration {
        let left = self.nodes.iter().map(|node| {
            let used = elapsed(node.born, self.at).as_millis() % HOUR.as_millis();
            HOUR - Duration::from_millis(used as u64)
        });
        left.sum()
    }

    /// Lets time pass until `now`: boots, drains and deletions that are over by then end. A clock
    /// that was set back passes none.
    pub fn advance(
        &mut self,
        rules: WouldBeRules,
        wanted: NodeCount,
        paces: NodePaces,
        now: Timestamp,
    ) -> Paid {
        let mut paid = Paid::default();
        let from = std::mem::replace(&mut self.at, now);
        for place in 0..self.nodes.len() {
            let stage = self.after_its_wait(self.nodes[place], rules, wanted, paces);
            self.nodes[place].stage = stage;
            let node = self.nodes[place];
            let end = match stage {
                Stage::Deleting { until } => until.min(now),
                _ => now,
            };
            paid.node_milliseconds += elapsed(from, end).as_millis() as u64;
            paid.hours_begun += hours_between(node.born, from, end);
        }
        self.nodes.retain(|node| !matches!(node.stage, Stage::Deleting { until } if until <= now));
        paid
    }

    /// What a node is at this look, whose boot or drain may be over.
    fn after_its_wait(
        &self,
        node: WouldBeNode,
        rules: WouldBeRules,
        wanted: NodeCount,
        paces: NodePaces,
    ) -> Stage {
        let (counts, now) = (self.counts(), self.at);
        let is_short = counts.standby < rules.standby;
        let waits = rules.leaving.early == LeaveEarly::ToStandby;
        match node.stage {
            Stage::Coming { until } if until <= now => {
                let stands_by = wanted <= counts.serving && (is_short || waits);
                if stands_by { Stage::StandingBy } else { Stage::Serving }
            }
            Stage::Draining { since, until } if until <= now => {
                let leaves_at = leaves_standby_at(&as_node(&node), rules.leaving, since);
                let stands_by = is_short || (waits && since < leaves_at);
                match stands_by {
                    true => Stage::StandingBy,
                    false => Stage::Deleting { until: after(until, paces.deletion) },
                }
            }
            Stage::StandingBy if rules.standby < counts.standby => {
                match leaves_standby_at(&as_node(&node), rules.leaving, now) <= now {
                    true => Stage::Deleting { until: after(now, paces.deletion) },
                    false => Stage::StandingBy,
                }
            }
            other => other,
        }
    }

    /// Goes towards `wanted`: takes back who drains, has serve who stands by, orders, or sends
    /// away, in the planner's order. What the orders cost.
    pub fn steer(&mut self, rules: WouldBeRules, wanted: NodeCount, paces: NodePaces) -> Paid {
        let missing = wanted.0.saturating_sub(self.counts().committed().0);
        self.serve(missing, |stage| matches!(stage, Stage::Draining { .. }));
        let missing = wanted.0.saturating_sub(self.counts().serving.0);
        self.serve(missing, |stage| *stage == Stage::StandingBy);
        self.shrink(rules, wanted, paces);
        let orders = self.orders(rules, wanted);
        for _ in 0..orders {
            self.ordered += 1;
            let id = NodeId(Uuid::from_u128(u128::from(self.ordered)));
            let stage = Stage::Coming { until: after(self.at, paces.coming) };
            self.nodes.push(WouldBeNode { id, born: self.at, stage });
        }
        Paid { node_milliseconds: 0, hours_begun: u64::from(orders) }
    }

    fn serve(&mut self, most: u32, is: impl Fn(&Stage) -> bool) {
        let those = self.nodes.iter_mut().filter(|node| is(&node.stage));
        those.take(most as usize).for_each(|node| node.stage = Stage::Serving);
    }

    /// How many nodes are ordered: those that shall serve, and those that the standby lacks beside
    /// a surplus and what drains.
    fn orders(&self, rules: WouldBeRules, wanted: NodeCount) -> u32 {
        let counts = self.counts();
        let committed = counts.committed().0;
        let to_serve = wanted.0.saturating_sub(committed);
        let others = committed.saturating_sub(wanted.0) + counts.leaving.0;
        let short = rules.standby.0.saturating_sub(counts.standby.0);
        let room = rules.max.0.saturating_sub(self.nodes.len() as u32);
        (to_serve + short.saturating_sub(others)).min(room)
    }

    /// Of a surplus, those on their way stay that the standby lacks, and nobody who serves leaves
    /// while the surplus is only on its way.
    fn shrink(&mut self, rules: WouldBeRules, wanted: NodeCount, paces: NodePaces) {
        let counts = self.counts();
        let surplus = counts.committed().0.saturating_sub(wanted.0);
        let short = rules.standby.0.saturating_sub(counts.standby.0);
        let needed = wanted.0.saturating_sub(counts.serving.0);
        let spare = counts.on_the_way.0.saturating_sub(needed);
        let kept = surplus.min(short).min(spare);
        let fewer = surplus - kept;
        if fewer == 0 {
            return;
        }
        let nodes: Vec<Node> = self.nodes.iter().map(as_node).collect();
        let mut serving_may_leave = counts.serving.0.saturating_sub(wanted.0);
        let mut coming_may_leave = spare - kept;
        let chosen = leavers(&nodes, rules.leaving, self.at).now.into_iter().filter(|node| {
            let may_leave = match node.state {
                NodeState::InService => &mut serving_may_leave,
                _ => &mut coming_may_leave,
            };
            let may = 0 < *may_leave;
            *may_leave -= u32::from(may);
            may
        });
        let leaving: BTreeSet<NodeId> = chosen.take(fewer as usize).map(|node| node.id).collect();
        let now = self.at;
        for node in self.nodes.iter_mut().filter(|node| leaving.contains(&node.id)) {
            node.stage = match node.stage {
                Stage::Serving => Stage::Draining { since: now, until: after(now, paces.drain) },
                _ => Stage::Deleting { until: after(now, paces.deletion) },
            };
        }
    }
}

/// Hours of a node that begin from `from` on and before `end`; not the first, which the order
/// counts.
fn hours_between(born: Timestamp, from: Timestamp, end: Timestamp) -> u64 {
    let hour = HOUR.as_millis();
    let begun = elapsed(born, end).as_millis().div_ceil(hour).max(1);
    let before = elapsed(born, from).as_millis().div_ceil(hour).max(1);
    begun.saturating_sub(before) as u64
}

/// A node such as the rules of leaving look at it.
fn as_node(one: &WouldBeNode) -> Node {
    let pool = PoolName::new("would-be").expect("a legal name");
    let (state, since) = match one.stage {
        Stage::Coming { until } => (NodeState::Provisioning { deadline: until }, one.born),
        Stage::Serving => (NodeState::InService, one.born),
        Stage::StandingBy => (NodeState::Standby, one.born),
        Stage::Draining { since, until } => (NodeState::Draining { deadline: until }, since),
        Stage::Deleting { until } => (NodeState::Deleting { deadline: until }, one.born),
    };
    Node {
        state,
        state_since: since,
        instance_created_at: Some(one.born),
        ..Node::planned(one.id, pool, one.born)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::policy::LeaveOrder;

    const PACES: NodePaces = NodePaces {
        coming: Duration::from_secs(120),
        drain: Duration::from_secs(30),
        deletion: Duration::from_secs(10),
    };

    fn at(seconds: u64) -> Timestamp {
        Timestamp::from_second(1_800_000_000 + seconds as i64).expect("a legal moment")
    }

    fn rules(early: LeaveEarly, standby: u32) -> WouldBeRules {
        let drain_timeout = Duration::from_secs(60);
        let leaving = Leaving { order: LeaveOrder::BillingHour, early, drain_timeout };
        WouldBeRules { max: NodeCount(10), standby: NodeCount(standby), leaving }
    }

    fn empty() -> WouldBeFleet {
        WouldBeFleet::of([], PACES, at(0))
    }

    /// Wants `count` every five seconds until `end`.
    fn hold(fleet: &mut WouldBeFleet, rules: WouldBeRules, count: u32, end: Timestamp) -> Paid {
        let (wanted, mut paid) = (NodeCount(count), Paid::default());
        while fleet.at < end {
            let now = after(fleet.at, Duration::from_secs(5)).min(end);
            paid = paid.plus(fleet.advance(rules, wanted, PACES, now));
            paid = paid.plus(fleet.steer(rules, wanted, PACES));
        }
        paid
    }

    fn numbers(fleet: &WouldBeFleet) -> (u32, u32, u32, u32) {
        let FleetCounts { serving, on_the_way, standby, leaving } = fleet.counts();
        (serving.0, on_the_way.0, standby.0, leaving.0)
    }

    #[test]
    fn nodes_come_after_their_time_and_leave_after_drain_and_deletion() {
        let (mut fleet, rules) = (empty(), rules(LeaveEarly::Yes, 0));
        fleet.steer(rules, NodeCount(3), PACES);
        hold(&mut fleet, rules, 3, at(115));
        assert_eq!(numbers(&fleet), (0, 3, 0, 0), "they boot");
        hold(&mut fleet, rules, 3, at(120));
        assert_eq!(numbers(&fleet), (3, 0, 0, 0), "they serve");
        hold(&mut fleet, rules, 2, at(125));
        assert_eq!(numbers(&fleet), (2, 0, 0, 1), "one drains");
        hold(&mut fleet, rules, 3, at(130));
        assert_eq!(numbers(&fleet), (3, 0, 0, 0), "and is taken back");
        hold(&mut fleet, rules, 2, at(165));
        assert_eq!(numbers(&fleet), (2, 0, 0, 1), "now it is drained and not gone");
        hold(&mut fleet, rules, 2, at(175));
        assert_eq!(numbers(&fleet), (2, 0, 0, 0), "gone");
        hold(&mut fleet, rules, 30, at(180));
        assert_eq!(numbers(&fleet), (2, 8, 0, 0), "never more than the largest count");
    }

    #[test]
    fn every_started_hour_is_paid_and_a_surplus_stays_for_it() {
        let (mut fleet, no) = (empty(), rules(LeaveEarly::No, 0));
        let mut paid = fleet.steer(no, NodeCount(1), PACES);
        paid = paid.plus(hold(&mut fleet, no, 1, at(3_600)));
        assert_eq!(paid.hours_begun, 1, "the first hour to its last moment");
        paid = paid.plus(hold(&mut fleet, no, 1, at(3_605)));
        assert_eq!((paid.hours_begun, paid.node_milliseconds), (2, 3_605_000));
        assert_eq!(fleet.paid_ahead(), Duration::from_secs(3_595));
        hold(&mut fleet, no, 0, at(7_000));
        assert_eq!(numbers(&fleet), (1, 0, 0, 0), "its hour is paid");
        let rest = hold(&mut fleet, no, 0, at(7_200));
        assert_eq!((numbers(&fleet), rest.hours_begun), ((0, 0, 0, 0), 0), "gone within the hour");

        let (mut fleet, yes) = (empty(), rules(LeaveEarly::Yes, 0));
        let paid = fleet.steer(yes, NodeCount(1), PACES);
        let more = hold(&mut fleet, yes, 0, at(60));
        assert_eq!(paid.plus(more).hours_begun, 1, "one that is cancelled has begun an hour");
        assert_eq!(numbers(&fleet), (0, 0, 0, 0));
    }

    #[test]
    fn a_standby_serves_at_once_and_is_filled_again() {
        let (mut fleet, rules) = (empty(), rules(LeaveEarly::Yes, 1));
        fleet.steer(rules, NodeCount(2), PACES);
        assert_eq!(numbers(&fleet), (0, 3, 0, 0));
        hold(&mut fleet, rules, 2, at(125));
        assert_eq!(numbers(&fleet), (2, 0, 1, 0));
        hold(&mut fleet, rules, 3, at(130));
        assert_eq!(numbers(&fleet), (3, 1, 0, 0), "the standby serves, another one is ordered");
        hold(&mut fleet, rules, 2, at(135));
        assert_eq!(numbers(&fleet), (2, 1, 0, 1), "one drains, the other will stand by");
        hold(&mut fleet, rules, 2, at(300));
        assert_eq!(numbers(&fleet), (2, 0, 1, 0), "and whoever is ready first does");
    }

    #[test]
    fn a_surplus_that_drains_to_standby_leaves_before_its_hour_ends() {
        let (mut fleet, rules) = (empty(), rules(LeaveEarly::ToStandby, 0));
        fleet.steer(rules, NodeCount(2), PACES);
        hold(&mut fleet, rules, 2, at(200));
        hold(&mut fleet, rules, 1, at(300));
        assert_eq!(numbers(&fleet), (1, 0, 1, 0));
        hold(&mut fleet, rules, 1, at(3_599));
        assert_eq!(numbers(&fleet), (1, 0, 0, 0));
    }

    #[test]
    fn a_clock_that_was_set_back_costs_nothing() {
        let (mut fleet, rules) = (empty(), rules(LeaveEarly::No, 0));
        fleet.steer(rules, NodeCount(1), PACES);
        hold(&mut fleet, rules, 1, at(4_000));
        let paid = fleet.advance(rules, NodeCount(1), PACES, at(3_000));
        assert_eq!(paid, Paid::default());
    }
}
