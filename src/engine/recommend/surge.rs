//! Surge: more nodes while a rate rises fast.
//!
//! In: a rate over the pool, and what it said lately.
//! Out: nodes for a rate that rises once more by as much as it has risen in a node's time to
//! serve, but for no more than a share of what is measured. No opinion while it rises slowly, or
//! where what it was then is not known.
//! Never: lowers the count; takes the first look after a gap for a rise.
//!
//! A short window is noisy, so the rise counts only while it goes on: the rate must be above that of
//! the last minute, too. What each number is worth was measured by replaying
//! recorded request rates of web sites, APIs and message streams.

use super::super::look::{LONGEST_GAP, Look};
use super::super::{Opinion, Reason};
use super::forecast::raise;
use super::target::ceil_whole;
use crate::domain::{Duration, Sample, Timestamp, after, before};
use crate::policy::{Measures, Rule, SurgeRule};

/// Three rates over twenty seconds each make up a minute's.
const THIRDS: [Duration; 2] = [Duration::from_secs(20), Duration::from_secs(40)];
/// A rise goes on while the rate is above the minute's by more than this.
const GOES_ON: f64 = 1.05;

/// What the rule wants, given what its signal said before now.
pub(super) fn recommend(look: &Look<'_>, rule: &SurgeRule, said: &[Sample]) -> Opinion {
    let signal = rule.signal.clone();
    let rate = match look.value(&rule.signal) {
        Ok(value) => value.number,
        Err(missing) => {
            return Opinion::Blind { because: Reason::SignalMissing { signal, missing } };
        }
    };
    let ago = |length| value_at(said, before(look.at, length));
    let (Some(earlier), Some(minute)) = (ago(rule.over), minute(rate, ago)) else {
        return Opinion::None { because: Reason::RiseUnknown { signal, rate } };
    };
    let over_seconds = rule.over.as_secs();
    if rate <= earlier * (1.0 + rule.rise.fraction()) || rate <= GOES_ON * minute {
        return Opinion::None { because: Reason::NoSurge { signal, rate, earlier, over_seconds } };
    }
    let expected = (2.0 * rate - earlier).min(rate * rule.at_most.fraction()).min(f64::MAX);
    let per_node = rule.per_node.get();
    let exact = (expected / per_node).min(f64::MAX);
    let needed = ceil_whole(exact);
    let because = Reason::Surge { signal, rate, earlier, over_seconds, expected, per_node, needed };
    raise(look, needed, exact, because)
}

/// The rate over the last minute; none where it is not known for all of it.
fn minute(rate: f64, ago: impl Fn(Duration) -> Option<f64>) -> Option<f64> {
    let [middle, first] = THIRDS.map(ago);
    Some(rate / 3.0 + middle? / 3.0 + first? / 3.0)
}

/// The moments at which what the rule compares with changes, if nothing new is said.
///
/// Once the minute's rate is the rate itself, nothing rises any more. The flap guard asks with
/// another rate, though, where the signal is a figure of one node: then all of them count.
pub(in crate::engine) fn moments<'a>(
    rule: &SurgeRule,
    figure: Measures,
    said: &'a [Sample],
) -> impl Iterator<Item = Timestamp> + use<'a> {
    let [middle, first] = THIRDS;
    let lengths = [middle, first, rule.over];
    let news = || said.chunk_by(|one, next| one.value == next.value).map(|run| run[0].at);
    let moments = news().flat_map(move |at| lengths.map(|length| after(at, length)));
    let matters = match figure {
        Measures::Pool => first,
        Measures::Node => first.max(rule.over),
    };
    let last = news().next_back().map(|at| after(at, matters));
    moments.filter(move |moment| Some(*moment) <= last)
}

/// What the signal will have said just before `end`, if it goes on to say what it said last.
pub(in crate::engine) fn go_on(rule: &SurgeRule, said: &mut Vec<Sample>, end: Timestamp) {
    let Some(&last) = said.last() else { return };
    // No look looks back further than this; a sample speaks for as long as a look does.
    let from = last.at.max(before(oldest_at(rule, end), LONGEST_GAP));
    let mut at = after(from, LONGEST_GAP);
    while at < end {
        said.push(Sample { at, ..last });
        at = after(at, LONGEST_GAP);
    }
    if last.at < end {
        said.push(Sample { at: end, ..last });
    }
}

/// What the signal said before now, as far back as the rule looks.
pub(super) fn said<'a>(look: &'a Look<'_>, rule: &SurgeRule, key: &str) -> &'a [Sample] {
    let known = look.past.rates.get(key).map_or(&[][..], Vec::as_slice);
    let from = known.partition_point(|sample| sample.at < oldest_at(rule, look.at));
    let until = known.partition_point(|sample| sample.at < look.at);
    known.get(from..until).unwrap_or_default()
}

/// Remembers what the signals of surges say, and forgets what none of them looks back to.
pub(in crate::engine) fn remember_rates(look: &mut Look<'_>) {
    let mut surges = 0;
    for (rule, key) in look.policy.rules.iter().zip(look.keys) {
        let Rule::Surge(rule) = rule else { continue };
        let (oldest, now) = (oldest_at(rule, look.at), look.at);
        let value = look.value(&rule.signal).ok().map(|value| value.number);
        let known = match look.past.rates.get_mut(&**key) {
            Some(known) => known,
            None => look.past.rates.entry(key.to_string()).or_default(),
        };
        known.retain(|sample| oldest <= sample.at && sample.at < now);
        known.extend(value.map(|value| Sample { at: now, value }));
        surges += 1;
    }
    if surges < look.past.rates.len() {
        let keys = look.keys;
        look.past.rates.retain(|key, _| keys.iter().any(|own| **own == **key));
    }
}

/// The moment of the oldest sample that a look of this moment needs.
fn oldest_at(rule: &SurgeRule, at: Timestamp) -> Timestamp {
    before(at, rule.over.max(THIRDS[1]).saturating_add(LONGEST_GAP))
}

/// The value that stood at a moment; none where nobody looked for too long before it.
fn value_at(said: &[Sample], moment: Timestamp) -> Option<f64> {
    let last = said.iter().rev().find(|sample| sample.at <= moment)?;
    (before(moment, LONGEST_GAP) <= last.at).then_some(last.value)
}
