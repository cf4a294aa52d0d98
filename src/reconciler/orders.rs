//! What operators' commands come to.
//!
//! In: the commands in force, oldest first.
//! Out: what the decision and the plan must keep to, and each order in words.
//! Never: asks for the time: commands that have ended are not among those in force.

use std::collections::BTreeMap;

use crate::domain::{NodeId, Timestamp};
use crate::engine::{HeldChange, History, Order, OrderedCount, OrderedHold, Overrides};
use crate::planner::{Departure, DepartureOrder, NodeOrders, Protection};
use crate::store::{Command, CommandKind, HeldAct};

/// What is in force; of commands that speak of the same thing the newest.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Orders {
    /// Whether the whole pool is held.
    pub is_held: bool,
    /// For the decision.
    pub overrides: Overrides,
    /// For the plan.
    pub nodes: NodeOrders,
    /// Nodes that stay.
    pub protected: BTreeMap<NodeId, Protection>,
    /// When somebody ended the rest after the last change.
    cleared_at: Option<Timestamp>,
}

/// The newest command of each kind.
#[derive(Default)]
struct Newest<'a> {
    hold: Option<&'a Command>,
    holds: BTreeMap<HeldAct, &'a Command>,
    counts: BTreeMap<&'static str, &'a Command>,
    nodes: BTreeMap<NodeId, &'a Command>,
    cleared: Option<&'a Command>,
}

impl Orders {
    /// What `commands`, oldest first, come to.
    pub fn of(commands: &[Command]) -> Self {
        let newest = Newest::of(commands);
        let mut orders = Self {
            is_held: newest.hold.is_some(),
            cleared_at: newest.cleared.map(|command| command.given_at),
            ..Self::default()
        };
        for command in newest.all() {
            orders.take(command);
        }
        orders
    }

    /// The history that a decision begins with: without rests that somebody ended since the last
    /// one was made.
    pub fn cleared(&self, history: &History) -> History {
        let last = history.recommendations.last().map(|span| span.until);
        let last = history.looked_at.or(last);
        match self.cleared_at {
            Some(at) if last.is_none_or(|last| last <= at) => History {
                awaiting_capacity_since: None,
                scale_out_cooldown_until: None,
                scale_in_cooldown_until: None,
                ..history.clone()
            },
            _ => history.clone(),
        }
    }

    fn take(&mut self, command: &Command) {
        let Command { kind, reason, owner, expires_at: until, .. } = command.clone();
        let ordered = |count| Some(OrderedCount { count, until: Some(until) });
        let held = |change| OrderedHold { change, until: Some(until) };
        match kind {
            CommandKind::Hold | CommandKind::Resume | CommandKind::Release { .. } => {}
            CommandKind::ClearCooldown => {}
            CommandKind::HoldOnly { change } => match change {
                HeldAct::ScaleOut => self.overrides.holds.push(held(HeldChange::ScaleOut)),
                HeldAct::ScaleIn => self.overrides.holds.push(held(HeldChange::ScaleIn)),
                HeldAct::Create => self.nodes.creates_held = Some(until),
                HeldAct::Delete => self.nodes.removals_held = Some(until),
            },
            CommandKind::Set { count } => self.overrides.set = ordered(count),
            CommandKind::Floor { count } => self.overrides.floor = ordered(count),
            CommandKind::Ceiling { count } => self.overrides.ceiling = ordered(count),
            CommandKind::Drain { node } | CommandKind::Replace { node } => {
                let order = match kind {
                    CommandKind::Drain { .. } => DepartureOrder::Drain,
                    _ => DepartureOrder::Replace,
                };
                let departure = Departure { order, until, reason, owner };
                self.nodes.departures.insert(node, departure);
            }
            CommandKind::Protect { node } => {
                self.protected.insert(node, Protection { until, reason, owner });
            }
        }
        if let Some(what) = in_words(kind) {
            let Command { reason, owner, .. } = command.clone();
            self.overrides.orders.push(Order { what, until, owner, reason });
        }
    }
}

impl<'a> Newest<'a> {
    fn of(commands: &'a [Command]) -> Self {
        let mut newest = Self::default();
        for command in commands {
            match command.kind {
                CommandKind::Hold => newest.hold = Some(command),
                CommandKind::HoldOnly { change } => drop(newest.holds.insert(change, command)),
                CommandKind::Resume => {
                    newest.hold = None;
                    newest.holds.clear();
                }
                CommandKind::Set { .. } => drop(newest.counts.insert("set", command)),
                CommandKind::Floor { .. } => drop(newest.counts.insert("floor", command)),
                CommandKind::Ceiling { .. } => drop(newest.counts.insert("ceiling", command)),
                CommandKind::Drain { node }
                | CommandKind::Replace { node }
                | CommandKind::Protect { node } => drop(newest.nodes.insert(node, command)),
                CommandKind::Release { node } => drop(newest.nodes.remove(&node)),
                CommandKind::ClearCooldown => newest.cleared = Some(command),
            }
        }
        newest
    }

    fn all(&self) -> impl Iterator<Item = &'a Command> {
        let counts = self.counts.values().copied();
        let holds = self.hold.into_iter().chain(self.holds.values().copied());
        holds.chain(counts).chain(self.nodes.values().copied())
    }
}

/// What is ordered for a while, in words; nothing for what is done once.
fn in_words(kind: CommandKind) -> Option<String> {
    Some(match kind {
        CommandKind::Hold => "the count stays as it is".into(),
        CommandKind::HoldOnly { change: HeldAct::ScaleOut } => "no scale-out".into(),
        CommandKind::HoldOnly { change: HeldAct::ScaleIn } => "no scale-in".into(),
        CommandKind::HoldOnly { change: HeldAct::Create } => "no instance is created".into(),
        CommandKind::HoldOnly { change: HeldAct::Delete } => "no node is removed".into(),
        CommandKind::Set { count } => format!("exactly {count}"),
        CommandKind::Floor { count } => format!("at least {count}"),
        CommandKind::Ceiling { count } => format!("at most {count}"),
        CommandKind::Drain { node } => format!("node {node} drains"),
        CommandKind::Replace { node } => format!("node {node} is replaced"),
        CommandKind::Protect { node } => format!("node {node} is protected"),
        CommandKind::Resume | CommandKind::Release { .. } | CommandKind::ClearCooldown => {
            return None;
        }
    })
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;
    use crate::domain::{Duration, NodeCount, after};
    use crate::engine::RecommendationSpan;

    fn at(seconds: u64) -> Timestamp {
        after(Timestamp::UNIX_EPOCH, Duration::from_secs(seconds))
    }

    /// Commands that were given one second after another.
    fn orders(kinds: &[CommandKind]) -> Orders {
        let commands: Vec<Command> = (1u64..)
            .zip(kinds)
            .map(|(second, kind)| Command {
                id: Uuid::from_u128(second.into()),
                kind: *kind,
                reason: "a release".into(),
                owner: "ops".into(),
                given_at: at(second),
                expires_at: at(1_000 + second),
            })
            .collect();
        Orders::of(&commands)
    }

    fn node(number: u128) -> NodeId {
        NodeId(Uuid::from_u128(number))
    }

    #[test]
    fn of_commands_that_speak_of_the_same_thing_the_newest_counts() {
        let count = NodeCount;
        let one = orders(&[
            CommandKind::Floor { count: count(3) },
            CommandKind::Floor { count: count(5) },
            CommandKind::Ceiling { count: count(9) },
        ]);
        assert_eq!(one.overrides.floor.map(|floor| floor.count), Some(count(5)));
        assert_eq!(one.overrides.ceiling.and_then(|ceiling| ceiling.until), Some(at(1_003)));
        let words: Vec<&str> = one.overrides.orders.iter().map(|order| &*order.what).collect();
        assert_eq!(words, ["at most 9 nodes", "at least 5 nodes"]);
    }

    #[test]
    fn a_resume_ends_every_hold_before_it_and_none_after() {
        let hold = |change| CommandKind::HoldOnly { change };
        let kinds = [
            CommandKind::Hold,
            hold(HeldAct::Create),
            hold(HeldAct::ScaleIn),
            CommandKind::Resume,
            hold(HeldAct::Delete),
        ];
        let held = orders(&kinds[..3]);
        assert!(held.is_held && held.nodes.creates_held.is_some());
        assert_eq!(held.overrides.holds[0].change, HeldChange::ScaleIn);
        let resumed = orders(&kinds);
        assert!(!resumed.is_held && resumed.overrides.holds.is_empty());
        assert_eq!(resumed.nodes.creates_held, None);
        assert_eq!(resumed.nodes.removals_held, Some(at(1_005)));
    }

    #[test]
    fn of_a_node_only_the_last_word_counts() {
        let (drain, protect) =
            (CommandKind::Drain { node: node(1) }, CommandKind::Protect { node: node(1) });
        let kept = orders(&[drain, protect]);
        assert!(kept.nodes.departures.is_empty() && kept.protected.contains_key(&node(1)));
        let gone = orders(&[protect, drain]);
        assert!(gone.protected.is_empty() && gone.nodes.departures.contains_key(&node(1)));
        let released = orders(&[drain, CommandKind::Release { node: node(1) }]);
        assert_eq!(released, Orders::default());
    }

    #[test]
    fn a_rest_is_ended_once_and_not_the_next_one_too() {
        let cleared = orders(&[CommandKind::ClearCooldown]);
        let decided = |second| History {
            recommendations: vec![RecommendationSpan {
                count: NodeCount(3),
                from: at(0),
                until: at(second),
            }],
            scale_in_cooldown_until: Some(at(500)),
            ..History::default()
        };
        assert_eq!(cleared.cleared(&decided(0)).scale_in_cooldown_until, None);
        assert_eq!(cleared.cleared(&decided(2)).scale_in_cooldown_until, Some(at(500)));
    }
}
