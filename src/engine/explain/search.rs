//! Searches the next change: by itself, by more load, by less load.
//!
//! In: a decision, its observation and policy.
//! Out: distances.
//! Never: repeats a rule or guard. A candidate (a load, a moment) is computed; whether it does
//! what the sentence says is asked of the engine itself, so a distance is true or not given.

use std::collections::BTreeMap;

use super::super::guard::cooldown::LONGEST_WAIT;
use super::super::guard::effectiveness;
use super::super::guard::overrides::{in_force, is_held};
use super::super::recommend::{keys, moments, shares, surge};
use super::super::text::seconds_up;
use super::super::{Decision, Direction, HeldChange, History, Observation, decide};
use super::{Distance, LoadFall, LoadLimit};
use crate::domain::{
    Duration, NodeCount, Reading, RequestsPerSecond, SignalName, Timestamp, after, before, elapsed,
};
use crate::policy::{Control, PaceSelect, Policy, Rule, TargetForm, TargetRule, Tolerance};

/// Both the tolerance and the rounding up forgive a billionth; a step must be beyond both.
const NOISE: f64 = 3e-9;

/// Everything that can be said about the next change.
pub(super) fn distances(
    decision: &Decision,
    observation: &Observation,
    policy: &Policy,
) -> Vec<Distance> {
    if observation.is_held || policy.control == Control::Hold {
        return vec![Distance::Held];
    }
    let mut now = Situation { policy, observation, decision, by_time: None };
    now.by_time = now.next_change(&now.next_look([]));
    let mut found = Vec::new();
    found.extend(now.by_time.map(|change| now.by_time(change)));
    if in_force(observation.overrides.set, observation.at).is_some() {
        // Loads move nothing then.
        return if found.is_empty() { vec![Distance::Held] } else { found };
    }
    found.extend(now.outward());
    found.extend(now.inward());
    found
}

/// The pool after the decision.
struct Situation<'a> {
    policy: &'a Policy,
    observation: &'a Observation,
    decision: &'a Decision,
    /// The change that comes by itself.
    by_time: Option<Change>,
}

/// A change that the engine would make.
#[derive(Clone, Copy)]
struct Change {
    at: Timestamp,
    to: NodeCount,
}

impl Situation<'_> {
    /// The next look if nothing but these loads change.
    fn next_look<'s>(&self, loads: impl IntoIterator<Item = (&'s SignalName, f64)>) -> Observation {
        let mut next = self.observation.clone();
        next.history = self.decision.history.clone();
        for (signal, load) in loads {
            if let Some(Reading::Fresh { sample } | Reading::Partial { sample, .. }) =
                next.readings.get_mut(signal)
            {
                sample.value = load;
            }
        }
        next
    }

    /// The first change that the engine makes if `look` repeats itself for ever. The count
    /// changes only when something begins or ends that the history or the policy names, so the engine is
    /// asked at each such moment in turn, and told at each what it would remember by then.
    fn next_change(&self, look: &Observation) -> Option<Change> {
        // Each moment is one thing ending; a history that names more is none of ours.
        const MOST_MOMENTS: usize = 1_000;
        // Windows open and close for ever; what a day brings is news.
        let horizon = after(look.at, Duration::from_secs(24 * 3600));
        let mut look = look.clone();
        for _ in 0..MOST_MOMENTS {
            let decision = decide(self.policy, &look);
            if decision.to != self.decision.to {
                return Some(Change { at: look.at, to: decision.to });
            }
            let edge = self.policy.next_window_edge(look.at, horizon);
            let ends = next_moment(self.policy, &look, &decision);
            look.at = edge.into_iter().chain(ends).min()?;
            look.history = seen_until(decision, look.at);
        }
        None
    }

    fn by_time(&self, change: Change) -> Distance {
        let direction = match change.to > self.decision.to {
            true => Direction::Out,
            false => Direction::In,
        };
        let while_below = match direction {
            Direction::In => self.limits_for_in(),
            Direction::Out | Direction::Hold => Vec::new(),
        };
        let awaited = self.awaited().filter(|_| direction == Direction::In);
        Distance::ByTime {
            direction,
            to: change.to,
            at: change.at,
            in_seconds: self.seconds_to(change),
            while_below,
            sooner_once_serving: awaited,
        }
    }

    /// How many nodes shall serve, where a scale-out still awaits its capacity.
    fn awaited(&self) -> Option<NodeCount> {
        self.decision.history.awaiting_capacity_since.map(|_| self.decision.to)
    }

    fn seconds_to(&self, change: Change) -> u64 {
        seconds_up(elapsed(self.decision.at, change.at))
    }

    /// The targets that a whole number of requests per second can be told for, and what a node
    /// carries. For the others nobody knows what a small step is.
    fn targets(&self) -> impl Iterator<Item = (&TargetRule, RequestsPerSecond)> {
        self.policy.rules.iter().filter_map(|rule| match rule {
            Rule::Target(target) => match target.form {
                TargetForm::PerNode(rate) => Some((target, rate)),
                TargetForm::Value(_)
                | TargetForm::Average(_)
                | TargetForm::UtilisationPercent(_) => None,
            },
            Rule::Latency(_)
            | Rule::Count(_)
            | Rule::Fixed(_)
            | Rule::Step(_)
            | Rule::Schedule(_)
            | Rule::Forecast(_)
            | Rule::Surge(_)
            | Rule::Hint(_) => None,
        })
    }

    fn load(&self, signal: &SignalName) -> Option<f64> {
        self.observation.readings.get(signal)?.sample().map(|sample| sample.value)
    }

    /// How much more load on each signal adds nodes.
    fn outward(&self) -> Vec<Distance> {
        let ceiling = in_force(self.observation.overrides.ceiling, self.observation.at);
        let max = self.policy.bounds_at(self.observation.at).max;
        let max = ceiling.map_or(max, |ceiling| ceiling.count.min(max));
        if self.decision.to >= max {
            return vec![Distance::AtMax { max }];
        }
        self.limits_for_out().into_iter().filter_map(|limit| self.more_load(limit)).collect()
    }

    fn more_load(&self, LoadLimit { signal, load: limit }: LoadLimit) -> Option<Distance> {
        let load = self.load(&signal)?;
        if load > limit {
            return None; // It is enough already; what it waits for is told by time.
        }
        let more = step_beyond(limit * (1.0 + NOISE) - load);
        let change = self.next_change(&self.next_look([(&signal, load + more)]))?;
        let sooner = |by_time: Change| {
            self.seconds_to(change) < self.seconds_to(by_time) || change.to > by_time.to
        };
        let adds = change.to > self.decision.to && self.by_time.is_none_or(sooner);
        adds.then(|| Distance::MoreLoad {
            signal,
            more,
            for_seconds: self.seconds_to(change),
            nodes: NodeCount(change.to.0.abs_diff(self.decision.to.0)),
            to: change.to,
        })
    }

    /// How much less load on each signal lets nodes leave, where they don't leave by themselves.
    fn inward(&self) -> Vec<Distance> {
        if self.by_time.is_some_and(|change| change.to < self.decision.to) {
            return Vec::new();
        }
        let (orders, at) = (&self.observation.overrides, self.observation.at);
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
        vec![self.less_load().unwrap_or(Distance::KeptByRules { rules: self.keeping_rules() })]
    }

    fn less_load(&self) -> Option<Distance> {
        let limits = self.limits_for_in();
        let falls: Vec<_> = limits.iter().filter_map(|limit| self.fall(limit)).collect();
        let fallen = falls
            .iter()
            .filter_map(|LoadFall { signal, less }| Some((signal, self.load(signal)? - less)));
        let change = self.next_change(&self.next_look(fallen))?;
        (change.to < self.decision.to).then(|| Distance::LessLoad {
            falls,
            for_seconds: self.seconds_to(change),
            sooner_once_serving: self.awaited(),
            nodes: NodeCount(change.to.0.abs_diff(self.decision.to.0)),
            to: change.to,
        })
    }

    /// How far a load must fall to be under a limit; none where it is low enough.
    fn fall(&self, limit: &LoadLimit) -> Option<LoadFall> {
        let load = self.load(&limit.signal)?;
        (load >= limit.load).then(|| LoadFall {
            signal: limit.signal.clone(),
            less: step_beyond(load - limit.load * (1.0 - NOISE)).min(load),
        })
    }

    /// The rules that want at least the count that there is.
    fn keeping_rules(&self) -> Vec<String> {
        let wants = self.decision.recommendations.iter();
        let keeping = wants.filter(|wants| wants.count().is_some_and(|c| c >= self.decision.to));
        keeping.map(|wants| wants.rule.clone()).collect()
    }

    fn broken_signals(&self) -> Vec<SignalName> {
        let blind = self.decision.recommendations.iter().zip(&self.policy.rules);
        let blind = blind.filter(|(recommendation, _)| recommendation.is_blind());
        blind.filter_map(|(_, rule)| rule.signal().cloned()).collect()
    }

    /// Over any of these loads, a target wants more nodes.
    fn limits_for_out(&self) -> Vec<LoadLimit> {
        let count = f64::from(self.decision.to.0);
        let mut limits = self.limits(|tolerance| count * (1.0 + tolerance.out.fraction()));
        // How much more of such a signal adds nodes depends on how fast it comes.
        let surges = |signal: &SignalName| {
            let mut rules = self.policy.rules.iter();
            rules.any(|rule| matches!(rule, Rule::Surge(surge) if surge.signal == *signal))
        };
        limits.retain(|limit| !surges(&limit.signal));
        limits
    }

    /// Under all of these loads, every target lets nodes leave.
    fn limits_for_in(&self) -> Vec<LoadLimit> {
        let count = f64::from(self.decision.to.0);
        let tolerated = |tolerance: Tolerance| count * (1.0 - tolerance.scale_in.fraction());
        self.limits(|tolerance| tolerated(tolerance).min(count - 1.0))
    }

    /// The smallest load of each signal that needs so many nodes, given a rule's tolerance.
    fn limits(&self, nodes: impl Fn(Tolerance) -> f64) -> Vec<LoadLimit> {
        let mut limits: BTreeMap<&SignalName, f64> = BTreeMap::new();
        for (rule, per_node) in self.targets() {
            let nodes = nodes(rule.tolerance.unwrap_or(self.policy.tolerance));
            let limit = limits.entry(&rule.signal).or_insert(f64::MAX);
            *limit = limit.min(load_of(rule, per_node, nodes));
        }
        let limits = limits.into_iter();
        limits.map(|(signal, load)| LoadLimit { signal: signal.clone(), load }).collect()
    }
}

/// The load whose need is `nodes`; the inverse of what the target rule computes.
fn load_of(rule: &TargetRule, per_node: RequestsPerSecond, nodes: f64) -> f64 {
    let one = shares(rule, per_node, 1.0);
    if one > 0.0 { nodes / one } else { f64::MAX }
}

/// The smallest whole number of requests per second above `gap`.
fn step_beyond(gap: f64) -> f64 {
    gap.floor() + 1.0
}

/// The first moment after a decision at which something ends that could hold a change back.
fn next_moment(
    policy: &Policy,
    observation: &Observation,
    decision: &Decision,
) -> Option<Timestamp> {
    let history = &decision.history;
    // The last recommendation goes on, so it never leaves its window.
    let spans = history.recommendations.iter().rev().skip(1);
    let windows = [policy.scale_out.stabilize, policy.scale_in.stabilize];
    let spans = spans.flat_map(|span| windows.map(|window| after(span.until, window)));
    let paces = || policy.scale_out.pace.iter().chain(&policy.scale_in.pace);
    let events = history.scale_events.iter();
    let events = events.flat_map(|event| paces().map(|pace| after(event.at, pace.per)));
    let rules = policy.rules.iter().zip(keys(&policy.rules));
    let conditions = rules.flat_map(|(rule, key)| match rule {
        Rule::Target(_) | Rule::Count(_) | Rule::Fixed(_) | Rule::Schedule(_) => Vec::new(),
        Rule::Forecast(_) | Rule::Surge(_) | Rule::Hint(_) => Vec::new(),
        Rule::Latency(latency) => {
            let condition = history.conditions.get(&key);
            let until = condition.map(|known| after(known.since, latency.for_at_least));
            until.into_iter().collect()
        }
        Rule::Step(step) => moments(&history.conditions, step, &key).collect(),
    });
    let rules = policy.rules.iter().zip(keys(&policy.rules));
    let wishes = rules.flat_map(|(rule, key)| {
        let wishes = history.wishes.get(&key).into_iter().flatten();
        wishes.map(|wish| after(wish.at, rule.hold())).collect::<Vec<_>>()
    });
    let rules = policy.rules.iter().zip(keys(&policy.rules));
    let surges = rules.flat_map(|(rule, key)| match (rule, history.rates.get(&key)) {
        (Rule::Surge(rule), Some(said)) => surge::moments(rule, said).collect(),
        _ => Vec::new(),
    });
    let wait = history.awaiting_capacity_since.map(|since| after(since, LONGEST_WAIT));
    let blind = history.blind_since.map(|since| after(since, policy.missing_data.hold_for));
    let rests = [history.scale_out_cooldown_until, history.scale_in_cooldown_until];
    let single = [wait, blind].into_iter().chain(rests).flatten();
    let effects = policy.effectiveness.iter();
    let effects = effects.flat_map(|settings| effectiveness::moments(settings, &history.effects));
    let orders = observation.overrides.ends();
    let moments = spans
        .chain(events)
        .chain(conditions)
        .chain(wishes)
        .chain(surges)
        .chain(single)
        .chain(effects)
        .chain(orders);
    moments.filter(|moment| *moment > decision.at).min()
}

/// The history as it is if the same look came again and again until just before `at`.
fn seen_until(decision: Decision, at: Timestamp) -> History {
    let mut history = decision.history;
    let just_before = before(at, Duration::from_nanos(1));
    if let Some(last) = history.recommendations.last_mut() {
        last.until = last.until.max(just_before);
    }
    for wishes in history.wishes.values_mut() {
        if let Some(last) = wishes.last_mut().filter(|last| last.at == decision.at) {
            last.at = last.at.max(just_before);
        }
    }
    for condition in history.conditions.values_mut() {
        condition.seen = condition.seen.max(just_before);
    }
    for memory in history.steps.values_mut() {
        memory.seen = memory.seen.map(|seen| seen.max(just_before));
    }
    history
}
