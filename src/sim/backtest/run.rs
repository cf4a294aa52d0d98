//! The rehearsal itself.

use std::num::NonZero;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::baselines::{self, Baseline, Course, Plan};
use super::contender::{Contender, View};
use super::fleet::{Fleet, FleetRules, Moved};
use super::hints::{Hint, announced_times};
use super::past::Past;
use super::policy_contender::PolicyContender;
use super::readings::Underivable;
use super::score::{Score, Step, Tally, Yardstick};
use super::settings::Settings;
use super::{STEP_SECONDS, Trace};
use crate::domain::{self, Duration, NodeCount, Timestamp, after};
use crate::policy::Policy;

/// What a rehearsal came to.
#[derive(Clone, Debug, PartialEq)]
pub struct Rehearsal {
    /// What the clairvoyant plans cost: all ratios are to these.
    pub yardstick: Yardstick,
    /// Everyone's score: policies first, then baselines, as they were named.
    pub scores: Vec<Score>,
}

/// All that a rehearsal needs.
#[derive(Clone, Debug)]
pub struct Rehearse<'a> {
    /// The traffic.
    pub trace: &'a Trace,
    /// The world.
    pub settings: &'a Settings,
    /// What was announced in advance.
    pub hints: &'a [Hint],
    /// Our own contenders, by name.
    pub policies: &'a [(String, Policy)],
    /// The others.
    pub baselines: &'a [Baseline],
}

/// Lets every contender live through the trace, as many at once as the machine has cores. The
/// same input always gives the same scores.
///
/// Fails where a policy looks at something that the traffic doesn't tell.
pub fn rehearse(rehearse: &Rehearse<'_>) -> Result<Rehearsal, Underivable> {
    let yardstick = baselines::yardstick(rehearse.trace, rehearse.settings);
    let count = rehearse.policies.len() + rehearse.baselines.len();
    let scores = in_parallel(count, |place| {
        let (name, tally) = tally(rehearse, place)?;
        Ok(Score::new(name, tally, yardstick, rehearse.settings.hourly_price))
    })?;
    Ok(Rehearsal { yardstick, scores })
}

/// What `work` makes of each place below `count`, in order, as many at once as the machine has
/// cores.
pub(super) fn in_parallel<T: Send, E: Send>(
    count: usize,
    work: impl Fn(usize) -> Result<T, E> + Sync,
) -> Result<Vec<T>, E> {
    let next = AtomicUsize::new(0);
    let work = || {
        let mut done = Vec::new();
        loop {
            let place = next.fetch_add(1, Ordering::Relaxed);
            if count <= place {
                return Ok(done);
            }
            done.push((place, work(place)?));
        }
    };
    let cores = std::thread::available_parallelism().map_or(1, NonZero::get).min(count);
    let ended: Result<Vec<Vec<(usize, T)>>, E> = std::thread::scope(|scope| {
        let workers: Vec<_> = (0..cores).map(|_| scope.spawn(work)).collect();
        workers.into_iter().map(|worker| worker.join().expect("no contender panics")).collect()
    });
    let mut done: Vec<(usize, T)> = ended?.into_iter().flatten().collect();
    done.sort_by_key(|(place, _)| *place);
    Ok(done.into_iter().map(|(_, done)| done).collect())
}

/// The contender at `place`, policies first: its name, and what came of it.
pub(super) fn tally(rehearse: &Rehearse<'_>, place: usize) -> Result<(String, Tally), Underivable> {
    let Rehearse { trace, settings, policies, baselines, .. } = rehearse;
    if let Some((name, policy)) = policies.get(place) {
        let hints = rehearse.hints.iter().enumerate();
        let mut hints: Vec<_> =
            hints.map(|(number, hint)| hint.announced(number, trace.scale)).collect();
        hints.extend(of_calendar(policy, trace));
        let mut contender = PolicyContender::new(policy, settings, hints, trace.begins_at)?;
        let tally = live(rehearse, FleetRules::of(policy), &mut contender);
        return Ok((name.clone(), tally));
    }
    let baseline = &baselines[place - policies.len()];
    let tally = match baseline.course(trace, settings) {
        Course::Lives(mut contender) => {
            live(rehearse, baseline.rules(settings.bounds), &mut *contender)
        }
        Course::Planned(plan) => carry_out(rehearse, &plan),
    };
    Ok((baseline.to_string(), tally))
}

/// The campaigns that a policy's calendar announces in the trace's time. Their sizes are the
/// policy's own, as its `per_node` is: they don't grow with a trace that is scaled.
fn of_calendar(policy: &Policy, trace: &Trace) -> Vec<domain::Hint> {
    let begins = Timestamp::from_second(trace.begins_at).unwrap_or(Timestamp::MIN);
    policy.campaigns_between(begins, after(begins, Duration::from_secs(trace.seconds())))
}

/// Lets one contender live through the trace.
fn live(world: &Rehearse<'_>, rules: FleetRules, contender: &mut dyn Contender) -> Tally {
    let Rehearse { trace, settings, .. } = *world;
    let node = &settings.node;
    let first = NodeCount(node.demand(trace.rate(0), 0).saturating_add(1));
    let first = rules.bounds.hold(first);
    let mut fleet = Fleet::serving(first, settings, rules, trace.begins_at);
    let (mut past, mut queued, mut wanted) = (Past::before(trace.rate(0)), 0.0, first);
    let mut tally = Tally::new(announced_times(world.hints, trace.begins_at));
    for step in 0..trace.steps() {
        let now = step as u64 * STEP_SECONDS;
        fleet.advance(now);
        if now.is_multiple_of(contender.period()) {
            let (counts, machines) = (fleet.counts(), fleet.machines());
            wanted = contender.want(&View { now, fleet: counts, machines, past: &past, settings });
        }
        let moved = fleet.steer(wanted, now);
        let serving = fleet.counts().serving;
        let outcome = node.serve(serving.0, trace.rate(step), queued);
        queued = outcome.queued;
        past.push(outcome.served);
        if settings.scored_from <= now {
            tally.add(&Step {
                now,
                demand: node.demand(trace.rate(step), settings.bounds.min.0),
                serving: serving.0,
                existing: fleet.existing(),
                moved,
                arrived: outcome.arrived,
                violating: outcome.violating,
            });
        }
    }
    tally.billed_hours = fleet.hours_until(trace.steps() as u64 * STEP_SECONDS);
    tally
}

/// Lets a contender live through a trace that nobody scores.
#[cfg(test)]
pub(in crate::sim) fn accompany(
    (trace, settings): (&Trace, &Settings),
    rules: FleetRules,
    contender: &mut dyn Contender,
) {
    let (hints, policies, baselines) = (&[], &[], &[]);
    live(&Rehearse { trace, settings, hints, policies, baselines }, rules, contender);
}

/// What users get from a plan that was made in full knowledge.
fn carry_out(world: &Rehearse<'_>, plan: &Plan) -> Tally {
    let Rehearse { trace, settings, .. } = *world;
    let mut tally = Tally::new(announced_times(world.hints, trace.begins_at));
    let first_step = settings.scored_from.div_ceil(STEP_SECONDS) as usize;
    let mut before = plan.serving.first().copied().unwrap_or_default();
    for (step, &serving) in (first_step..).zip(&plan.serving) {
        let rate = trace.rate(step);
        let outcome = settings.node.serve(serving, rate, 0.0);
        let moved = Moved {
            launched: serving.saturating_sub(before),
            removed: before.saturating_sub(serving),
        };
        before = serving;
        tally.add(&Step {
            now: step as u64 * STEP_SECONDS,
            demand: settings.node.demand(rate, settings.bounds.min.0),
            serving,
            existing: serving,
            moved,
            arrived: outcome.arrived,
            violating: outcome.violating,
        });
    }
    tally.node_seconds = plan.node_seconds;
    tally.billed_hours = plan.billed_hours;
    tally
}
