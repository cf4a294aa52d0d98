//! Searches the next change: by itself, and by what signals could say.
//!
//! In: a decision, its observation and policy.
//! Out: distances.
//! Never: repeats a rule or guard. A candidate is where a rule turns; whether the count follows,
//! and that a step less would not do, is asked of the engine itself: a distance is true or not
//! given.

use super::super::guard::overrides::{in_force, is_held};
use super::super::text::seconds_up;
use super::super::{Decision, Direction, HeldChange, Observation};
use super::ahead::{self, BY_ITSELF, Change, IF_SHIFTED, holding, next_change};
use super::limits::{Move, Turning, ends, fewest};
use super::shift::Gauge;
use super::{Distance, Limit, Shift, ShiftWay, Stage};
use crate::domain::{NodeCount, SignalName, elapsed};
use crate::policy::{Control, PaceSelect, Policy, Rule};

/// Everything that can be said about the next change.
pub(super) fn distances(
    decision: &Decision,
    observation: &Observation,
    policy: &Policy,
) -> Vec<Distance> {
    if observation.is_held || policy.control == Control::Hold {
        return vec![Distance::Held];
    }
    let now = Situation::new(policy, observation, decision);
    let by_time = now.by_time.as_ref().ok();
    let mut found: Vec<_> = by_time.map(|change| now.by_time(change)).into_iter().collect();
    if in_force(observation.overrides.set, observation.at).is_some() {
        // Signals move nothing then.
        return if found.is_empty() { vec![Distance::Held] } else { found };
    }
    found.extend(now.outward());
    found.extend(now.inward());
    found
}

/// The pool after the decision.
struct Situation<'a> {
    policy: &'a Policy,
    decision: &'a Decision,
    /// The next look, if nothing changes.
    next: Observation,
    /// The change that comes by itself; without one, the decision that keeps the count.
    by_time: Result<Change, Box<Decision>>,
    /// The signals that can be read, each once.
    gauges: Vec<Gauge>,
}

/// What signals would have to do.
type Moves<'g> = Vec<(&'g Gauge, Move)>;

impl<'a> Situation<'a> {
    fn new(policy: &'a Policy, observation: &Observation, decision: &'a Decision) -> Self {
        let mut next = observation.clone();
        next.history = decision.history.clone();
        let mut signals: Vec<_> = policy.rules.iter().filter_map(Rule::signal).collect();
        signals.sort();
        signals.dedup();
        let gauge = |signal: &SignalName| Gauge::of(policy, &next, signal, &ends(policy, signal));
        let gauges = signals.into_iter().filter_map(gauge).collect();
        let by_time = next_change(policy, decision, next.clone(), BY_ITSELF);
        Self { policy, decision, next, by_time, gauges }
    }

    /// The first change if signals move so.
    fn if_moved(&self, moves: &[(&Gauge, Move)]) -> Result<Change, Box<Decision>> {
        let mut look = self.next.clone();
        for shift in shifts(moves) {
            shift.apply(&mut look);
        }
        next_change(self.policy, self.decision, look, IF_SHIFTED)
    }

    fn turnings<'s>(&'s self, gauge: &'s Gauge) -> impl Iterator<Item = Turning<'s>> {
        let rules = self.policy.rules.iter();
        let rules = rules.filter(|rule| rule.signal() == Some(&gauge.signal));
        rules.map(|rule| Turning::new(self.policy, rule, gauge, &self.next, self.decision.to))
    }

    fn seconds_to(&self, change: &Change) -> u64 {
        seconds_up(elapsed(self.decision.at, change.at))
    }

    /// How many nodes shall serve, where a scale-out still awaits its capacity.
    fn awaited(&self) -> Option<NodeCount> {
        self.decision.history.awaiting_capacity_since.map(|_| self.decision.to)
    }

    fn by_time(&self, change: &Change) -> Distance {
        let direction = match change.to > self.decision.to {
            true => Direction::Out,
            false => Direction::In,
        };
        let while_below = match direction {
            Direction::In => self.limits(),
            Direction::Out | Direction::Hold => Vec::new(),
        };
        Distance::ByTime {
            direction,
            to: change.to,
            at: change.at,
            in_seconds: self.seconds_to(change),
            because: change.because.clone(),
            held_by: change.held_by,
            while_below,
            sooner_once_serving: self.awaited().filter(|_| direction == Direction::In),
        }
    }

    /// What each signal must keep for nodes to leave.
    fn limits(&self) -> Vec<Limit> {
        let tightest = |gauge| {
            let limits = self.turnings(gauge).filter_map(|turning| turning.limit());
            limits.min_by(|one, other| one.below.total_cmp(&other.below))
        };
        self.gauges.iter().filter_map(tightest).collect()
    }

    /// What each signal would have to do for nodes to be added.
    fn outward(&self) -> Vec<Distance> {
        let at = self.decision.at;
        let ceiling = in_force(self.next.overrides.ceiling, at);
        let max = self.policy.bounds_at(at).max;
        let max = ceiling.map_or(max, |ceiling| ceiling.count.min(max));
        if self.decision.to >= max {
            return vec![Distance::AtMax { max }];
        }
        let mut found = Vec::new();
        let mut held: Option<Box<Stage>> = None;
        // How much more of such a signal adds nodes depends on how fast it comes.
        for gauge in self.gauges.iter().filter(|gauge| !self.surges(&gauge.signal)) {
            let moves: Vec<_> = self.turnings(gauge).flat_map(|rule| rule.outward()).collect();
            for way in [ShiftWay::More, ShiftWay::Less] {
                let mut moves: Vec<_> = moves.iter().filter(|one| one.way == way).collect();
                moves.sort_by_key(|one| one.steps);
                let told = moves.into_iter().find_map(|one| match self.adds(gauge, *one) {
                    Ok(distance) => Some(distance),
                    Err(stage) => {
                        held = held.take().or(stage);
                        None
                    }
                });
                found.extend(told);
            }
        }
        if found.is_empty() && self.by_time.is_err() {
            found.extend(held.and_then(|stage| kept_by_guard(*stage, Direction::Out)));
        }
        found
    }

    fn surges(&self, signal: &SignalName) -> bool {
        let mut rules = self.policy.rules.iter();
        rules.any(|rule| matches!(rule, Rule::Surge(surge) if surge.signal == *signal))
    }

    /// The fewest steps that add nodes, up to those of a move; the guard that forbids it.
    fn adds(
        &self,
        gauge: &Gauge,
        Move { way, steps }: Move,
    ) -> Result<Distance, Option<Box<Stage>>> {
        let after_steps = |steps| self.if_moved(&[(gauge, Move { way, steps })]);
        let is_news = |change: &Change| {
            let sooner = |by_time: &Change| {
                self.seconds_to(change) < self.seconds_to(by_time) || change.to > by_time.to
            };
            change.to > self.decision.to && self.by_time.as_ref().ok().is_none_or(sooner)
        };
        let adds = |steps| after_steps(steps).is_ok_and(|change| is_news(&change));
        let change = match after_steps(steps) {
            Ok(change) if steps > 0 && is_news(&change) => change,
            Ok(_) => return Err(None),
            Err(last) => return Err(holding(&last, Direction::Out).cloned().map(Box::new)),
        };
        let (steps, change) = match adds(steps - 1) {
            false => (steps, change),
            true => {
                let steps = fewest(steps - 1, adds).unwrap_or(steps);
                (steps, after_steps(steps).map_err(|_| None)?)
            }
        };
        let moves = [(gauge, Move { way, steps })];
        Ok(Distance::Adds {
            shift: gauge.shift(way, steps),
            rule: change.rule.clone(),
            for_seconds: self.seconds_to(&change),
            samples: self.samples(&change, &moves),
            held_by: change.held_by,
            nodes: NodeCount(change.to.0.abs_diff(self.decision.to.0)),
            to: change.to,
        })
    }

    /// How many samples the change takes, where nothing else is waited for.
    fn samples(&self, change: &Change, moves: &[(&Gauge, Move)]) -> Option<u32> {
        let counts = |rule: &Rule| match rule {
            Rule::Step(step) => {
                step.samples.within > 1 && moves.iter().any(|(g, _)| g.signal == step.signal)
            }
            _ => false,
        };
        let spacing = ahead::spacing(&self.next.history).as_secs();
        let takes = u64::from(change.samples - 1) * spacing;
        let is_all = takes > 0 && self.seconds_to(change) == takes;
        (is_all && self.policy.rules.iter().any(counts)).then_some(change.samples)
    }

    /// What signals would have to do for nodes to leave, where they don't leave by themselves.
    fn inward(&self) -> Vec<Distance> {
        if self.by_time.as_ref().is_ok_and(|change| change.to < self.decision.to) {
            return Vec::new();
        }
        let (orders, at) = (&self.next.overrides, self.decision.at);
        let floor = in_force(orders.floor, at);
        let min = self.policy.bounds_at(at).min;
        let min = floor.map_or(min, |floor| floor.count.max(min));
        if self.decision.to <= min {
            return vec![Distance::AtMin { min }];
        }
        if self.policy.scale_in.pace_select == PaceSelect::Disabled {
            return vec![Distance::ScaleInDisabled];
        }
        if is_held(orders, HeldChange::ScaleIn, at) {
            return vec![Distance::ScaleInHeld];
        }
        let signals: Vec<_> = self.broken_signals();
        if !signals.is_empty() {
            return vec![Distance::NeedsReadings { signals }];
        }
        let moves = self.moves_inward();
        match self.if_moved(&moves) {
            Ok(change) if change.to < self.decision.to => vec![self.lets_leave(moves)],
            // The count rises by itself before that; it is told already.
            Ok(_) => Vec::new(),
            Err(last) => {
                // Where it is rules that want the count, no fall of other signals helps.
                let further = last.stages.first().filter(|stage| stage.before < self.decision.to);
                match further.and_then(|_| self.further(&moves)) {
                    Some(moves) => vec![self.lets_leave(moves)],
                    None => vec![self.kept(*last)],
                }
            }
        }
    }

    fn lets_nodes_leave(&self, moves: &[(&Gauge, Move)]) -> bool {
        self.if_moved(moves).is_ok_and(|change| change.to < self.decision.to)
    }

    /// After these, each rule by itself lets nodes go.
    fn moves_inward(&self) -> Moves<'_> {
        let furthest = |gauge| {
            let moves: Vec<_> = self.turnings(gauge).filter_map(|rule| rule.inward()).collect();
            // Where one rule wants less and another more, less is tried.
            let is_less = |one: &Move| one.way == ShiftWay::Less && one.steps > 0;
            let way = if moves.iter().any(is_less) { ShiftWay::Less } else { ShiftWay::More };
            let moves = moves.into_iter().filter(|one| one.way == way && one.steps > 0);
            moves.max_by_key(|one| one.steps).map(|one| (gauge, one))
        };
        self.gauges.iter().filter_map(furthest).collect()
    }

    /// The same and more, where a guard still holds the count after those: what nodes carry falls further.
    fn further(&self, moves: &[(&Gauge, Move)]) -> Option<Moves<'_>> {
        let falls = |gauge: &&Gauge| {
            let mut rules = self.policy.rules.iter();
            rules.any(|rule| {
                let eases = match rule {
                    Rule::Target(_) | Rule::Count(_) => true,
                    Rule::Step(step) => !step.removes(),
                    _ => false,
                };
                eases && rule.signal() == Some(&gauge.signal)
            })
        };
        let moved = |gauge: &Gauge| {
            let known = moves.iter().find(|(moved, _)| moved.signal == gauge.signal);
            known.map(|(_, one)| *one)
        };
        [2, 4, 8, 16, u64::MAX].into_iter().find_map(|part| {
            let further = self.gauges.iter().filter_map(|gauge| {
                let all = gauge.steps_to_zero();
                let steps = all - all / part;
                match moved(gauge) {
                    Some(one) if one.way == ShiftWay::More => Some((gauge, one)),
                    known if falls(&gauge) => {
                        let steps = known.map_or(0, |one| one.steps).max(steps);
                        Some((gauge, Move { way: ShiftWay::Less, steps }))
                    }
                    known => known.map(|one| (gauge, one)),
                }
            });
            let further: Moves<'_> = further.filter(|(_, one)| one.steps > 0).collect();
            self.lets_nodes_leave(&further).then_some(further)
        })
    }

    /// The least of each move that still lets nodes leave.
    fn lets_leave(&self, mut moves: Moves<'_>) -> Distance {
        for place in 0..moves.len() {
            let most = moves[place].1.steps;
            let is_enough = |steps| {
                let mut fewer = moves.clone();
                fewer[place].1.steps = steps;
                self.lets_nodes_leave(&fewer)
            };
            let fewer = if most > 1 && !is_enough(most - 1) && !is_enough(0) {
                most
            } else {
                fewest(most, is_enough).unwrap_or(most)
            };
            moves[place].1.steps = fewer;
        }
        moves.retain(|(_, one)| one.steps > 0);
        let change = self.if_moved(&moves).ok();
        let to = change.as_ref().map_or(self.decision.to, |change| change.to);
        Distance::LetsLeave {
            shifts: shifts(&moves),
            for_seconds: change.as_ref().map_or(0, |change| self.seconds_to(change)),
            samples: change.as_ref().and_then(|change| self.samples(change, &moves)),
            held_by: change.and_then(|change| change.held_by),
            sooner_once_serving: self.awaited(),
            nodes: NodeCount(to.0.abs_diff(self.decision.to.0)),
            to,
        }
    }

    /// What keeps the count where no signal would lower it: `last` is what would be decided then.
    fn kept(&self, last: Decision) -> Distance {
        let wanted = last.stages.first().map_or(self.decision.to, |stage| stage.before);
        let stage = holding(&last, Direction::In).filter(|_| wanted < self.decision.to);
        let guard = stage.cloned().and_then(|stage| kept_by_guard(stage, Direction::In));
        guard.unwrap_or_else(|| {
            let wants = last.recommendations.into_iter();
            let keeping =
                wants.filter(|wants| wants.count().is_some_and(|c| c >= self.decision.to));
            Distance::KeptByRules { rules: keeping.map(|wants| wants.rule.to_string()).collect() }
        })
    }

    fn broken_signals(&self) -> Vec<SignalName> {
        let blind = self.decision.recommendations.iter().zip(&self.policy.rules);
        let blind = blind.filter(|(recommendation, _)| recommendation.is_blind());
        blind.filter_map(|(_, rule)| rule.signal().cloned()).collect()
    }
}

fn shifts(moves: &[(&Gauge, Move)]) -> Vec<Shift> {
    moves.iter().map(|(gauge, one)| gauge.shift(one.way, one.steps)).collect()
}

fn kept_by_guard(stage: Stage, direction: Direction) -> Option<Distance> {
    let Stage { guard, reason, .. } = stage;
    Some(Distance::KeptByGuard { direction, guard, because: reason? })
}
