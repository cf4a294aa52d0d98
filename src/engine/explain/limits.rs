//! Where a rule turns: how far its signal must go until the rule itself wants more nodes, or lets
//! some go.
//!
//! In: a policy, an observation, the count, and one rule.
//! Out: candidates: shifts of the rule's signal, in steps; the limits that it must keep.
//! Never: knows other rules, or whether a guard lets the count follow.

use super::super::look::Look;
use super::super::recommend::ask_all;
use super::super::{Observation, RuleKey, recommended};
use super::shift::{self, Gauge};
use super::{Limit, ShiftWay};
use crate::domain::{Duration, NodeCount, SignalName};
use crate::policy::{
    Band, BandAction, CountRule, LatencyRule, Policy, Rule, RuleScaleIn, StepRule, TargetForm,
    TargetRule,
};

/// So many steps one way; zero where the signal is there already.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Move {
    pub way: ShiftWay,
    pub steps: u64,
}

/// One rule that looks at a signal, asked alone.
pub(super) struct Turning<'a> {
    rule: &'a Rule,
    gauge: &'a Gauge,
    observation: &'a Observation,
    /// The policy with this rule alone, for rules that a formula would have to be turned around of.
    alone: Policy,
    count: NodeCount,
}

impl<'a> Turning<'a> {
    /// `observation` is the next look: its history begins with `count`.
    pub fn new(
        policy: &Policy,
        rule: &'a Rule,
        gauge: &'a Gauge,
        observation: &'a Observation,
        count: NodeCount,
    ) -> Self {
        let mut alone = policy.clone();
        alone.rules = vec![by_itself(rule)];
        Self { rule, gauge, observation, alone, count }
    }

    /// The moves after which the rule wants more nodes, the nearest first.
    pub fn outward(&self) -> Vec<Move> {
        match self.rule {
            Rule::Target(_) | Rule::Count(_) => {
                let wants_more = |value| self.wants(value) > self.count;
                self.rise(wants_more).into_iter().collect()
            }
            Rule::Latency(rule) => {
                let objective = rule.objective.as_secs_f64();
                self.rise(|value| value > objective).into_iter().collect()
            }
            Rule::Step(rule) => {
                let bands = rule.bands.iter().filter(|band| raises(band, self.count));
                let mut moves: Vec<_> = bands.filter_map(|band| self.move_into(band)).collect();
                moves.sort_by_key(|step| step.steps);
                moves
            }
            Rule::Fixed(_) | Rule::Schedule(_) => Vec::new(),
            Rule::Forecast(_) | Rule::Surge(_) | Rule::Hint(_) => Vec::new(),
        }
    }

    /// The move after which the rule lets nodes go; none where no value would do, or where it does
    /// not judge by one.
    pub fn inward(&self) -> Option<Move> {
        match self.rule {
            Rule::Target(_) | Rule::Count(_) => self.fall(|value| self.wants(value) < self.count),
            Rule::Latency(rule) => {
                let clear = rule.clear_below.as_secs_f64();
                self.fall(|value| value < clear)
            }
            Rule::Step(rule) => self.inward_of_bands(rule),
            Rule::Fixed(_) | Rule::Schedule(_) => None,
            Rule::Forecast(_) | Rule::Surge(_) | Rule::Hint(_) => None,
        }
    }

    fn inward_of_bands(&self, rule: &StepRule) -> Option<Move> {
        if rule.removes() {
            let bands = rule.bands.iter().filter(|band| lowers(band, self.count));
            let moves = bands.filter_map(|band| self.move_into(band));
            // People mean by "less" what comes first, where both would do.
            return moves.min_by_key(|step| (step.way == ShiftWay::More, step.steps));
        }
        let holds = |band: &&Band| band.holds(self.gauge.value) && !lowers(band, self.count);
        match rule.bands.iter().find(holds) {
            Some(band) => {
                let from = band.from?;
                self.fall(|value| value < from)
            }
            None => Some(Move { way: ShiftWay::Less, steps: 0 }),
        }
    }

    /// What the signal must keep for the rule to let nodes go; none where any value does.
    pub fn limit(&self) -> Option<Limit> {
        let limit = |at_least, below| {
            let Gauge { signal, unit, .. } = self.gauge;
            Some(Limit { signal: signal.clone(), unit: *unit, at_least, below })
        };
        match self.rule {
            Rule::Target(_) | Rule::Count(_) => {
                let too_much =
                    fewest(u64::MAX, |steps| self.wants(self.gauge.absolute(steps)) >= self.count)?;
                limit(None, self.gauge.absolute(too_much.saturating_sub(1)))
            }
            Rule::Latency(rule) => limit(None, rule.clear_below.as_secs_f64()),
            Rule::Step(rule) => {
                let holds = |band: &&Band| band.holds(self.gauge.value);
                let lowering =
                    rule.bands.iter().filter(|band| lowers(band, self.count)).find(holds);
                match lowering {
                    Some(band) => limit(band.from, band.below?),
                    None => {
                        let raising = rule.bands.iter().filter(|band| !lowers(band, self.count));
                        let starts = raising.filter_map(|band| band.from);
                        let above = starts.filter(|from| self.gauge.value < *from);
                        limit(None, above.min_by(f64::total_cmp)?)
                    }
                }
            }
            Rule::Fixed(_) | Rule::Schedule(_) => None,
            Rule::Forecast(_) | Rule::Surge(_) | Rule::Hint(_) => None,
        }
    }

    fn move_into(&self, band: &Band) -> Option<Move> {
        match (band.from, band.below) {
            (Some(from), _) if self.gauge.value < from => self.rise(|value| from <= value),
            (_, Some(below)) if below <= self.gauge.value => self.fall(|value| value < below),
            _ => Some(Move { way: ShiftWay::More, steps: 0 }),
        }
        .filter(|step| band.holds(self.gauge.shifted(step.way, step.steps)))
    }

    fn rise(&self, is_enough: impl Fn(f64) -> bool) -> Option<Move> {
        let way = ShiftWay::More;
        let steps = fewest(u64::MAX, |steps| is_enough(self.gauge.shifted(way, steps)))?;
        Some(Move { way, steps })
    }

    fn fall(&self, is_enough: impl Fn(f64) -> bool) -> Option<Move> {
        let way = ShiftWay::Less;
        let deepest = self.gauge.steps_to_zero();
        let steps = fewest(deepest, |steps| is_enough(self.gauge.shifted(way, steps)))?;
        Some(Move { way, steps })
    }

    /// What the rule wants where its signal says `value`, its tolerance considered.
    fn wants(&self, value: f64) -> NodeCount {
        let mut observation = self.observation.clone();
        shift::set(&mut observation, &self.gauge.signal, self.gauge.unit, value);
        let keys = RuleKey::of_all(&self.alone.rules);
        let look = Look::new(observation.history.clone(), &self.alone, &keys, &observation);
        recommended(&look, &ask_all(&look).recommendations).count()
    }
}

/// The fewest steps that are enough, where more of them are enough, too; none where `most` are not.
pub(super) fn fewest(most: u64, is_enough: impl Fn(u64) -> bool) -> Option<u64> {
    // No count and no sentence needs more steps than this.
    const MOST: u64 = 1 << 45;
    let most = most.min(MOST);
    if is_enough(0) {
        return Some(0);
    }
    let (mut too_few, mut enough) = (0, 1.min(most));
    while !is_enough(enough) {
        if enough == most {
            return None;
        }
        (too_few, enough) = (enough, enough.saturating_mul(2).min(most));
    }
    while 1 < enough - too_few {
        let middle = too_few + (enough - too_few) / 2;
        if is_enough(middle) { enough = middle } else { too_few = middle }
    }
    Some(enough)
}

/// The values at which the rules of a signal turn, as the policy writes them.
pub(super) fn ends(policy: &Policy, signal: &SignalName) -> Vec<f64> {
    let rules = policy.rules.iter().filter(|rule| rule.signal() == Some(signal));
    let ends = rules.flat_map(|rule| match rule {
        Rule::Target(TargetRule { form, .. }) => match *form {
            TargetForm::Value(target) | TargetForm::Average(target) => vec![target],
            TargetForm::PerNode(_) | TargetForm::UtilisationPercent(_) => vec![],
        },
        Rule::Latency(LatencyRule { objective, .. }) => vec![objective.as_secs_f64()],
        Rule::Step(rule) => {
            rule.bands.iter().flat_map(|band| band.from.into_iter().chain(band.below)).collect()
        }
        Rule::Count(_) | Rule::Fixed(_) | Rule::Schedule(_) => vec![],
        Rule::Forecast(_) | Rule::Surge(_) | Rule::Hint(_) => vec![],
    });
    ends.collect()
}

/// A rule as if it were alone and had nothing to wait for.
fn by_itself(rule: &Rule) -> Rule {
    let (scale_in, group) = (RuleScaleIn::Allowed, None);
    match rule {
        Rule::Target(rule) => {
            Rule::Target(TargetRule { scale_in, group, hold: Duration::ZERO, ..rule.clone() })
        }
        Rule::Count(rule) => Rule::Count(CountRule { scale_in, group, ..rule.clone() }),
        other => other.clone(),
    }
}

/// Whether a band wants more than `count`, once it has held.
fn raises(band: &Band, count: NodeCount) -> bool {
    match band.action {
        BandAction::Add(nodes) => nodes > 0,
        BandAction::AddPercent(_) => true,
        BandAction::Remove(_) | BandAction::RemovePercent(_) => false,
        BandAction::Set(to) => to > count,
    }
}

/// Whether a band wants fewer than `count`, once it has held.
fn lowers(band: &Band, count: NodeCount) -> bool {
    match band.action {
        BandAction::Add(_) | BandAction::AddPercent(_) => false,
        BandAction::Remove(_) | BandAction::RemovePercent(_) => true,
        BandAction::Set(to) => to < count,
    }
}
