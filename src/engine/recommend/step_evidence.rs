//! What earlier looks saw of a step rule's value: how many samples were inside of a band, and since
//! when enough were.
//!
//! In: this look, and what the last one left in the history.
//! Out: whether a band has held for long enough, and what the next look must remember.
//! Never: counts a sample twice; counts what was seen before the last step was taken, because it
//! speaks of a pool of another size.

use std::collections::BTreeMap;

use super::super::look::{LONGEST_GAP, Look};
use super::super::observation::{KeptSample, StepMemory};
use super::super::{Condition, Opinion, Recommendation};
use super::step::{Step, step};
use crate::domain::{NodeCount, Reading, Timestamp, after, elapsed};
use crate::policy::{Band, BandAction, StepRule};

/// Which samples speak for a band.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Evidence {
    /// All of them: enough to raise the count.
    Any,
    /// Those to which every source contributed: what lowers the count needs them.
    Whole,
}

/// What is known about a rule's bands at this look.
pub(super) struct Gathered {
    key: String,
    /// For the next look.
    pub memory: StepMemory,
    /// Which bands hold, and since when, for the next look.
    pub conditions: BTreeMap<String, Condition>,
}

impl Gathered {
    /// Takes in what this look brought.
    pub fn new(look: &Look<'_>, rule: &StepRule, key: &str) -> Self {
        let mut memory = look.past.steps.get(key).cloned().unwrap_or_default();
        let is_broken = memory.seen.is_none_or(|seen| elapsed(seen, look.at) > LONGEST_GAP);
        if is_broken {
            memory.samples.clear();
        }
        let awaits = look.past.awaiting_capacity_since.is_some();
        let arrived = memory.counted_from.is_some() && !awaits;
        if arrived {
            memory =
                StepMemory { since: Some(look.at), seen: memory.seen, ..StepMemory::default() };
        }
        let mut gathered = Self { key: key.to_owned(), memory, conditions: BTreeMap::new() };
        gathered.keep_sample(look, rule);
        if !arrived {
            gathered.conditions = gathered.conditions(look, rule);
        }
        gathered
    }

    fn keep_sample(&mut self, look: &Look<'_>, rule: &StepRule) {
        let Ok(value) = look.value(&rule.signal) else { return };
        let reading = look.observation.readings.get(&rule.signal);
        let Some(at) = reading.and_then(Reading::sample).map(|sample| sample.at) else {
            return;
        };
        self.memory.seen = Some(look.at);
        // A source whose clock was set back repeats moments: what it says now counts.
        self.memory.samples.retain(|kept| kept.at < at);
        if self.memory.since.is_none_or(|since| since < at) {
            let is_whole = value.partial.is_none();
            self.memory.samples.push(KeptSample { at, value: value.number, is_whole });
        }
        let surplus = self.memory.samples.len().saturating_sub(rule.samples.of as usize);
        self.memory.samples.drain(..surplus);
    }

    fn conditions(&self, look: &Look<'_>, rule: &StepRule) -> BTreeMap<String, Condition> {
        let mut conditions = BTreeMap::new();
        for band in rule.bands.iter().filter(|band| !band.for_at_least.is_zero()) {
            for evidence in kinds_of_evidence(band) {
                let key = condition_key(&self.key, band, *evidence);
                let condition = self.condition(look, rule, band, *evidence, &key);
                conditions.extend(condition.map(|condition| (key, condition)));
            }
        }
        conditions
    }

    /// Since when enough samples are inside without a break. What this look can't judge neither
    /// begins nor ends it, but longer than [`LONGEST_GAP`] without a judgement is a break.
    fn condition(
        &self,
        look: &Look<'_>,
        rule: &StepRule,
        band: &Band,
        evidence: Evidence,
        key: &str,
    ) -> Option<Condition> {
        let known = look.past.conditions.get(key).copied();
        let unbroken = known.filter(|known| elapsed(known.seen, look.at) <= LONGEST_GAP);
        match look.value(&rule.signal) {
            Err(_) => unbroken,
            Ok(value) if value.partial.is_some() && evidence == Evidence::Whole => unbroken,
            Ok(_) if self.inside(band, evidence) >= rule.samples.within => {
                let since = unbroken.map_or(look.at, |known| known.since);
                Some(Condition { since, seen: look.at })
            }
            Ok(_) => None,
        }
    }

    /// How many of the kept samples are inside of a band.
    pub fn inside(&self, band: &Band, evidence: Evidence) -> u32 {
        let counts = |kept: &&KeptSample| {
            band.holds(kept.value) && (kept.is_whole || evidence == Evidence::Any)
        };
        self.memory.samples.iter().filter(counts).count() as u32
    }

    /// What a band wants, where it has held for long enough.
    pub fn met<'a>(&self, look: &Look<'_>, rule: &StepRule, band: &'a Band) -> Option<Step<'a>> {
        let step = step(look, rule, band, self.memory.counted_from);
        let evidence = match step.count >= look.from && !removes(band) {
            true => Evidence::Any,
            false => Evidence::Whole,
        };
        let enough = self.inside(band, evidence) >= rule.samples.within;
        let until = self.until(band, evidence);
        let long = band.for_at_least.is_zero() || until.is_some_and(|until| until <= look.at);
        (enough && long).then_some(step)
    }

    /// The band, where the value is inside of it but has not been for long enough; and when it will
    /// have been, where that is only a matter of time.
    pub fn waiting<'a>(
        &self,
        look: &Look<'_>,
        rule: &StepRule,
        band: &'a Band,
        value: f64,
    ) -> Option<(&'a Band, Option<Timestamp>)> {
        let waits = band.holds(value) && self.met(look, rule, band).is_none();
        let kinds = kinds_of_evidence(band).iter();
        let until = kinds.filter_map(|evidence| self.until(band, *evidence)).max();
        waits.then_some((band, until.filter(|until| *until > look.at)))
    }

    fn until(&self, band: &Band, evidence: Evidence) -> Option<Timestamp> {
        let condition = self.conditions.get(&condition_key(&self.key, band, evidence))?;
        Some(after(condition.since, band.for_at_least))
    }
}

/// What a rule of this key remembers once the decision is made: where the count went the way that
/// the rule wanted, its evidence begins anew. A rise must have come as far as it wanted; of a fall
/// every node counts, because that is the direction in which waiting is safe.
pub(in crate::engine) fn remember(
    look: &Look<'_>,
    recommendation: &Recommendation,
    memory: &mut StepMemory,
    to: NodeCount,
    awaits: bool,
) -> bool {
    let Opinion::Wants { count, .. } = recommendation.opinion else { return false };
    let rose = look.from < count && count <= to;
    let fell = count < look.from && to < look.from;
    if rose && awaits {
        memory.counted_from = Some(memory.counted_from.unwrap_or(look.fleet.serving));
    }
    if rose || fell {
        memory.samples.clear();
        memory.since = Some(look.at);
    }
    rose || fell
}

/// When each band that holds will have held for long enough.
pub(in crate::engine) fn moments<'a>(
    conditions: &'a BTreeMap<String, Condition>,
    rule: &'a StepRule,
    key: &'a str,
) -> impl Iterator<Item = Timestamp> + use<'a> {
    rule.bands.iter().flat_map(move |band| {
        kinds_of_evidence(band).iter().filter_map(move |evidence| {
            let condition = conditions.get(&condition_key(key, band, *evidence))?;
            Some(after(condition.since, band.for_at_least))
        })
    })
}

/// Whether a condition in the history belongs to a step rule of this key.
pub(in crate::engine) fn is_condition_of(condition: &str, key: &str) -> bool {
    condition.strip_prefix(key).is_some_and(|rest| rest.starts_with('/'))
}

fn removes(band: &Band) -> bool {
    matches!(band.action, BandAction::Remove(_) | BandAction::RemovePercent(_))
}

/// A band that sets a count raises or lowers it, so both are kept.
fn kinds_of_evidence(band: &Band) -> &'static [Evidence] {
    match band.action {
        BandAction::Add(_) | BandAction::AddPercent(_) => &[Evidence::Any],
        BandAction::Remove(_) | BandAction::RemovePercent(_) => &[Evidence::Whole],
        BandAction::Set(_) => &[Evidence::Any, Evidence::Whole],
    }
}

/// Names the band by its ends, so that a changed policy starts the ones it changed anew.
fn condition_key(rule: &str, band: &Band, evidence: Evidence) -> String {
    let end = |end: Option<f64>| end.map(|end| end.to_string()).unwrap_or_default();
    let whole = if evidence == Evidence::Whole { "/whole" } else { "" };
    format!("{rule}/{}..{}{whole}", end(band.from), end(band.below))
}
