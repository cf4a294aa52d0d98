//! One look at a pool, prepared: what every rule and guard may see.
//!
//! In: the policy and the observation.
//! Out: the count to start from, and the history put right for this moment.
//! Never: changes the count.

use super::guard::cooldown;
use super::{Condition, History, Observation, RecommendationSpan, RuleKey};
use crate::domain::{
    Duration, FleetCounts, Missing, NodeCount, Reading, SignalName, Timestamp, after, elapsed,
};
use crate::policy::{EffectiveBounds, Policy, Rule};

/// How long one look speaks for the time before it. If nobody looked for longer, the time
/// between is unknown, and unknown is never zero. Twice the longest interval between ticks that
/// makes sense (a minute): half of it would call a slow tick an outage, double would let a
/// short outage pass for a quiet window.
pub(super) const LONGEST_GAP: Duration = Duration::from_secs(120);

/// What every rule and guard may see.
pub(super) struct Look<'a> {
    pub policy: &'a Policy,
    /// The key of each of its rules.
    pub keys: &'a [RuleKey],
    pub at: Timestamp,
    pub fleet: FleetCounts,
    pub observation: &'a Observation,
    /// The count to start from.
    pub from: NodeCount,
    /// The bounds of this moment.
    pub bounds: EffectiveBounds,
    /// What earlier decisions left behind, put right for this moment.
    pub past: History,
}

/// A usable value of a signal.
pub(super) struct Value {
    pub number: f64,
    /// `(seen, wanted)` where fewer sources speak in it than should.
    pub partial: Option<(u32, u32)>,
}

impl<'a> Look<'a> {
    pub fn new(
        past: History,
        policy: &'a Policy,
        keys: &'a [RuleKey],
        observation: &'a Observation,
    ) -> Self {
        let from = starting_count(&past, policy, observation);
        let mut look = Self {
            policy,
            keys,
            at: observation.at,
            fleet: observation.fleet,
            observation,
            from,
            bounds: policy.bounds_at(observation.at),
            past,
        };
        look.forget_the_future();
        look.fill_unseen_time();
        look.note_blindness();
        cooldown::settle(&mut look);
        look
    }

    /// The same look at another fleet: `observation` shows it, and `count` is what it begins with.
    pub fn imagined<'b>(&self, observation: &'b Observation, count: NodeCount) -> Look<'b>
    where
        'a: 'b,
    {
        Look {
            policy: self.policy,
            keys: self.keys,
            at: self.at,
            fleet: observation.fleet,
            observation,
            from: count,
            bounds: self.bounds,
            past: self.past.clone(),
        }
    }

    /// A signal's usable value, or what is wrong with it. What the adapter should have refused
    /// is refused here, too: a NaN that slipped through would read as no load at all.
    pub fn value(&self, signal: &SignalName) -> Result<Value, Missing> {
        let (sample, partial) = match self.observation.readings.get(signal) {
            None => {
                return Err(Missing::QueryFailed { message: "nobody asked for it".into() });
            }
            Some(Reading::Missing { why }) => return Err(why.clone()),
            Some(Reading::PerNode { .. }) => return Err(Missing::AnotherKind),
            Some(Reading::Fresh { sample }) => (sample, None),
            Some(Reading::Partial { sample, seen, wanted }) => (sample, Some((*seen, *wanted))),
        };
        match sample.value {
            value if !value.is_finite() => Err(Missing::NotANumber),
            value if value < 0.0 => Err(Missing::Negative { value }),
            number => Ok(Value { number, partial }),
        }
    }

    /// Whether no rule's signal can be read.
    fn is_blind(&self) -> bool {
        let mut seen = self.policy.rules.iter().filter_map(|rule| self.can_read(rule)).peekable();
        seen.peek().is_some() && seen.all(|can_read| !can_read)
    }

    /// Whether a rule's signal says anything that it can use; none where it looks at none.
    fn can_read(&self, rule: &Rule) -> Option<bool> {
        let signal = rule.signal()?;
        Some(match rule.reads_each_node() {
            true => self.node_values(signal).is_ok(),
            false => self.value(signal).is_ok(),
        })
    }

    /// A moment after now can only come from a clock that was set back. It counts as now, or a
    /// wrong clock of one minute would hold the pool for as long as it was wrong.
    fn forget_the_future(&mut self) {
        let (now, past) = (self.at, &mut self.past);
        for span in &mut past.recommendations {
            span.from = span.from.min(now);
            span.until = span.until.min(now);
        }
        for event in &mut past.scale_events {
            event.at = event.at.min(now);
        }
        for Condition { since, seen } in past.conditions.values_mut() {
            *since = (*since).min(now);
            *seen = (*seen).min(now);
        }
        for wish in past.wishes.values_mut().flatten() {
            wish.at = wish.at.min(now);
        }
        for effect in &mut past.effects {
            effect.at = effect.at.min(now);
            for moment in [&mut effect.served_at, &mut effect.in_vain_at] {
                *moment = moment.map(|moment| moment.min(now));
            }
        }
        for memory in past.steps.values_mut() {
            memory.since = memory.since.map(|since| since.min(now));
            memory.seen = memory.seen.map(|seen| seen.min(now));
        }
        for moment in [&mut past.awaiting_capacity_since, &mut past.blind_since] {
            *moment = moment.map(|moment| moment.min(now));
        }
    }

    /// Time that nobody looked at counts as if the count that stood had been recommended all
    /// along, up to now: so a pool whose daemon was down, or has just begun, neither shrinks nor
    /// grows before a whole window was seen.
    fn fill_unseen_time(&mut self) {
        let recommended = self.past.recommendations.iter().map(|span| span.until).max();
        let last = self.past.looked_at.max(recommended);
        let unseen_from = match last {
            Some(last) if elapsed(last, self.at) <= LONGEST_GAP => return,
            Some(last) => last,
            None => self.at,
        };
        self.past.recommendations.push(RecommendationSpan {
            count: self.from,
            from: unseen_from,
            until: self.at,
        });
    }

    fn note_blindness(&mut self) {
        self.past.blind_since = self.is_blind().then(|| self.past.blind_since.unwrap_or(self.at));
    }

    /// Since when no signal could be read, where that is longer than the policy holds the count.
    pub fn blind_too_long_since(&self) -> Option<Timestamp> {
        let since = self.past.blind_since?;
        (after(since, self.policy.missing_data.hold_for) <= self.at).then_some(since)
    }

    /// The count that stabilization and cooldown may not hold back: the default of a pool that
    /// was blind for too long. (The pace may: it limits what a mistake can cost.)
    pub fn floor(&self) -> NodeCount {
        match self.blind_too_long_since() {
            Some(_) => self.policy.bounds.default,
            None => NodeCount::ZERO,
        }
    }
}

/// The last decision's count. Before the first: the nodes that were found, within bounds.
fn starting_count(past: &History, policy: &Policy, observation: &Observation) -> NodeCount {
    let found = observation.fleet.committed().max(policy.bounds.min).min(policy.bounds.max);
    past.desired.unwrap_or(found)
}
