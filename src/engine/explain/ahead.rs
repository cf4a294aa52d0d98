//! What the engine will make of a look that repeats itself.
//!
//! In: a look, and the decision that was just made.
//! Out: the first change of the count; where there is none, the last decision that kept it.
//! Never: repeats a rule or guard: it asks the engine at each moment at which something begins or
//! ends.

use super::super::RuleKey;
use super::super::guard::cooldown::LONGEST_WAIT;
use super::super::guard::{effectiveness, flap};
use super::super::look::LONGEST_GAP;
use super::super::recommend::{moments, surge};
use super::super::{Decision, Direction, Guard, History, Observation, Reason, StepMemory, decide};
use crate::domain::{Duration, NodeCount, Reading, Sample, Timestamp, after, before, elapsed};
use crate::policy::{Policy, Rule, StepRule};

/// How far and how finely to look ahead.
#[derive(Clone, Copy)]
pub(super) struct Ahead {
    /// What windows do later than this is no news.
    windows: Duration,
    /// What a campaign brings changes all the time; it is looked at so often.
    campaigns: Duration,
}

/// For what comes by itself: a day's windows.
pub(super) const BY_ITSELF: Ahead =
    Ahead { windows: Duration::from_secs(24 * 3_600), campaigns: Duration::from_secs(5) };
/// For what a signal would do, which is asked often: nobody waits for that any longer, and a window
/// that opens later is told by itself.
pub(super) const IF_SHIFTED: Ahead =
    Ahead { windows: Duration::from_secs(2 * 3_600), campaigns: Duration::from_secs(30) };

/// A change that the engine would make.
#[derive(Clone)]
pub(super) struct Change {
    pub at: Timestamp,
    pub to: NodeCount,
    /// The rule that wants the most then, by its key.
    pub rule: Option<String>,
    /// What the change is for.
    pub because: Option<Reason>,
    /// The guard that held it back until then.
    pub held_by: Option<Guard>,
    /// How many samples of a step rule's signal have been seen by then, this look's included.
    pub samples: u32,
}

/// How far apart a step rule's samples come: as the last two came, else as often as daemons
/// usually look.
pub(in crate::engine) fn spacing(history: &History) -> Duration {
    const USUAL: Duration = Duration::from_secs(10);
    let gaps = history.steps.values().filter_map(|memory| match memory.samples.as_slice() {
        [.., one, last] => Some(Duration::from_secs(elapsed(one.at, last.at).as_secs())),
        _ => None,
    });
    let sane = gaps.filter(|gap| !gap.is_zero() && *gap < LONGEST_GAP);
    sane.min().unwrap_or(USUAL)
}

/// The first change to another count than `decision`'s, if `look` repeats itself for ever, with
/// new samples; the last decision where there is none.
///
/// The count changes only when something begins or ends that the history or the policy names, so
/// the engine is asked at each such moment in turn, and told at each what it would remember by
/// then.
pub(super) fn next_change(
    policy: &Policy,
    decision: &Decision,
    mut look: Observation,
    ahead: Ahead,
) -> Result<Change, Box<Decision>> {
    // Each moment is one thing ending; a history that names more is none of ours.
    const MOST_MOMENTS: usize = 1_000;
    let first = look.clone();
    let spacing = spacing(&look.history);
    let horizon = after(look.at, ahead.windows);
    // Whether a rule still wants what it wanted at this very moment, this look says.
    for wish in look.history.wishes.values_mut().flatten() {
        wish.at = wish.at.min(before(first.at, Duration::from_nanos(1)));
    }
    let mut last: Option<Decision> = None;
    for _ in 0..MOST_MOMENTS {
        let samples = (elapsed(first.at, look.at).as_secs() / spacing.as_secs()) as u32;
        date_samples(policy, &mut look, &first, spacing.saturating_mul(samples));
        let now = decide(policy, &look);
        if now.to != decision.to {
            return Ok(change(decision.to, last.as_ref(), &now, samples + 1));
        }
        let edge = policy.next_window_edge(look.at, horizon);
        let ends = next_moment(policy, &look, &now, ahead.campaigns);
        let next_sample = after(first.at, spacing.saturating_mul(samples + 1));
        let sample = awaits_samples(policy, &look, &now).then_some(next_sample);
        let moment = edge.into_iter().chain(ends).chain(sample).min();
        let history = moment.map(|moment| seen_until(policy, &now, moment));
        last = Some(now);
        let (Some(moment), Some(history)) = (moment, history) else { break };
        (look.at, look.history) = (moment, history);
    }
    Err(Box::new(last.unwrap_or_else(|| decision.clone())))
}

/// `last` is what was decided right before it; none where it comes at once.
fn change(from: NodeCount, last: Option<&Decision>, now: &Decision, samples: u32) -> Change {
    let direction = if now.to > from { Direction::Out } else { Direction::In };
    let wishes = now.recommendations.iter().filter(|wants| wants.count() > Some(from));
    let highest = wishes.rev().max_by_key(|wants| wants.count());
    let brought = now.reasons.first().filter(|reason| {
        matches!(
            reason,
            Reason::RaisedToSchedule { .. }
                | Reason::CutToSchedule { .. }
                | Reason::CampaignNeeds { .. }
        )
    });
    Change {
        at: now.at,
        to: now.to,
        rule: highest.map(|wants| wants.rule.to_string()),
        because: brought.cloned(),
        held_by: last.and_then(|last| holding(last, direction)).map(|stage| stage.guard),
        samples,
    }
}

/// What held a decision's count back from going further this way.
pub(super) fn holding(decision: &Decision, direction: Direction) -> Option<&super::Stage> {
    decision.stages.iter().rev().find(|stage| match direction {
        Direction::Out => stage.after < stage.before,
        Direction::In => stage.after > stage.before,
        Direction::Hold => false,
    })
}

fn step_rules(policy: &Policy) -> impl Iterator<Item = (&StepRule, RuleKey)> {
    let rules = policy.rules.iter().zip(RuleKey::of_all(&policy.rules));
    rules.filter_map(|(rule, key)| match rule {
        Rule::Step(step) => Some((step, key)),
        _ => None,
    })
}

/// New samples say what the old ones said.
fn date_samples(policy: &Policy, look: &mut Observation, first: &Observation, later: Duration) {
    for (rule, _) in step_rules(policy) {
        let said = first.readings.get(&rule.signal).and_then(Reading::sample);
        let now = look.readings.get_mut(&rule.signal);
        if let (Some(said), Some(Reading::Fresh { sample } | Reading::Partial { sample, .. })) =
            (said, now)
        {
            sample.at = after(said.at, later);
        }
    }
}

/// Whether further samples would show a step rule something that it does not know yet.
fn awaits_samples(policy: &Policy, look: &Observation, decision: &Decision) -> bool {
    let knows_all = |rule: &StepRule, memory: &StepMemory| {
        let Some(reading) = look.readings.get(&rule.signal) else { return true };
        let usable = |sample: &Sample| sample.value.is_finite() && sample.value >= 0.0;
        let Some(sample) = reading.sample().filter(usable) else { return true };
        let is_whole = matches!(reading, Reading::Fresh { .. });
        let is_same = memory
            .samples
            .iter()
            .all(|kept| kept.value == sample.value && kept.is_whole == is_whole);
        is_same && memory.samples.len() == rule.samples.of as usize
    };
    step_rules(policy).any(|(rule, key)| {
        let memory = decision.history.steps.get(&*key);
        memory.is_some_and(|memory| !knows_all(rule, memory))
    })
}

/// The first moment after a decision at which something ends that could hold a change back.
fn next_moment(
    policy: &Policy,
    observation: &Observation,
    decision: &Decision,
    campaigns_every: Duration,
) -> Option<Timestamp> {
    let history = &decision.history;
    // The last recommendation goes on, so it never leaves its window.
    let spans = history.recommendations.iter().rev().skip(1);
    let windows = [policy.scale_out.stabilize, policy.scale_in.stabilize];
    let spans = spans.flat_map(|span| windows.map(|window| after(span.until, window)));
    let paces = || policy.scale_out.pace.iter().chain(&policy.scale_in.pace);
    let events = history.scale_events.iter();
    let events = events.flat_map(|event| paces().map(|pace| after(event.at, pace.per)));
    let rules = policy.rules.iter().zip(RuleKey::of_all(&policy.rules));
    let conditions = rules.flat_map(|(rule, key)| match rule {
        Rule::Target(_) | Rule::Count(_) | Rule::Fixed(_) | Rule::Schedule(_) => Vec::new(),
        Rule::Forecast(_) | Rule::Surge(_) | Rule::Hint(_) => Vec::new(),
        Rule::Latency(latency) => {
            let condition = history.conditions.get(&*key);
            let until = condition.map(|known| after(known.since, latency.for_at_least));
            until.into_iter().collect()
        }
        Rule::Step(step) => moments(&history.conditions, step, &key).collect(),
    });
    let rules = policy.rules.iter().zip(RuleKey::of_all(&policy.rules));
    let wishes = rules.flat_map(|(rule, key)| {
        let wishes = history.wishes.get(&*key).into_iter().flatten();
        wishes.map(|wish| after(wish.at, rule.hold())).collect::<Vec<_>>()
    });
    let rules = policy.rules.iter().zip(RuleKey::of_all(&policy.rules));
    let surges = rules.flat_map(|(rule, key)| match (rule, history.rates.get(&*key)) {
        (Rule::Surge(rule), Some(said)) => {
            let figure = flap::figure(policy, &rule.signal);
            surge::moments(rule, figure, said).collect::<Vec<_>>()
        }
        _ => Vec::new(),
    });
    let wait = history.awaiting_capacity_since.map(|since| after(since, LONGEST_WAIT));
    let blind = history.blind_since.map(|since| after(since, policy.missing_data.hold_for));
    let rests = [history.scale_out_cooldown_until, history.scale_in_cooldown_until];
    let single = [wait, blind].into_iter().chain(rests).flatten();
    let effects = policy.effectiveness.iter();
    let effects = effects.flat_map(|settings| effectiveness::moments(settings, &history.effects));
    let orders = observation.overrides.ends();
    let campaigns = decision.recommendations.iter();
    let campaigns = campaigns.filter_map(|wants| match wants.opinion.because() {
        Reason::CampaignAhead { in_seconds, .. } => {
            Some(after(decision.at, Duration::from_secs((*in_seconds).max(1))))
        }
        Reason::CampaignNeeds { .. } => Some(after(decision.at, campaigns_every)),
        _ => None,
    });
    let moments = spans
        .chain(events)
        .chain(conditions)
        .chain(wishes)
        .chain(surges)
        .chain(single)
        .chain(effects)
        .chain(orders)
        .chain(campaigns);
    moments.filter(|moment| *moment > decision.at).min()
}

/// The history as it is if the same look came again and again until just before `at`.
fn seen_until(policy: &Policy, decision: &Decision, at: Timestamp) -> History {
    let mut history = decision.history.clone();
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
    for (rule, key) in policy.rules.iter().zip(RuleKey::of_all(&policy.rules)) {
        let (Rule::Surge(rule), Some(said)) = (rule, history.rates.get_mut(&*key)) else {
            continue;
        };
        if said.last().is_some_and(|last| last.at == decision.at) {
            surge::go_on(rule, said, just_before);
        }
    }
    history
}
