//! One contender's way through one trace, and many of them side by side.

use std::num::NonZero;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::STEP_SECONDS;
use super::baselines::{self, Baseline, Course, Plan};
use super::contender::{Contender, View};
use super::fleet::{Fleet, FleetRules, Moved};
use super::hints::{Hint, announced_times};
use super::past::Past;
use super::policy_contender::PolicyContender;
use super::readings::Underivable;
use super::record::{Detail, Record, Recorder};
use super::score::{Score, Step, Tally, Yardstick};
use super::settings::Settings;
use super::trace::Trace;
use crate::domain::{self, Duration, NodeCount, Timestamp, after};
use crate::policy::Policy;

/// How often a contender's way is told to whoever waits: each simulated day.
const TOLD_EVERY: usize = 8_640;

/// A contender that is about to live through a trace.
#[derive(Clone, Debug)]
pub struct Run<'a> {
    /// The contender, in reports.
    pub name: String,
    /// Who it is.
    pub who: Who<'a>,
    /// The traffic.
    pub trace: &'a Trace,
    /// The world.
    pub settings: &'a Settings,
    /// What was announced in advance.
    pub hints: &'a [Hint],
    /// What all ratios are to.
    pub yardstick: Yardstick,
    /// How much is kept to be plotted; none: only the score.
    pub detail: Option<Detail>,
}

/// Who scales.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Who<'a> {
    /// A policy of ours.
    Policy(&'a Policy),
    /// Another autoscaler, or a plan in full knowledge.
    Baseline(&'a Baseline),
}

/// What came of a [`Run`].
#[derive(Clone, Debug, PartialEq)]
pub struct Ran {
    /// Its score.
    pub score: Score,
    /// Its way, where it was to be kept.
    pub record: Option<Record>,
}

/// What the clairvoyant plans cost in a world.
pub fn yardstick(trace: &Trace, settings: &Settings) -> Yardstick {
    baselines::yardstick(trace, settings)
}

/// Lets every contender live through its trace, as many at once as the machine has cores; the
/// results are in the order of `runs`. The same input always gives the same results. `told` is
/// called with every some steps that are done, from any thread.
///
/// Fails where a policy looks at something that the traffic doesn't tell.
pub fn run_all(runs: &[Run<'_>], told: &(dyn Fn(u64) + Sync)) -> Result<Vec<Ran>, Underivable> {
    in_parallel(runs.len(), |place| one(&runs[place], told))
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

fn one(run: &Run<'_>, told: &(dyn Fn(u64) + Sync)) -> Result<Ran, Underivable> {
    let world = World { trace: run.trace, settings: run.settings, hints: run.hints };
    let notes = live_through(run.who, world, run.detail, told)?;
    let price = run.settings.hourly_price;
    let score = Score::new(run.name.clone(), notes.tally, run.yardstick, price);
    Ok(Ran { score, record: notes.recorder.map(Recorder::finish) })
}

/// Where somebody lives.
#[derive(Clone, Copy)]
pub(super) struct World<'a> {
    pub trace: &'a Trace,
    pub settings: &'a Settings,
    pub hints: &'a [Hint],
}

/// Lets `who` live through `world`; what is written down on the way.
pub(super) fn live_through(
    who: Who<'_>,
    world: World<'_>,
    detail: Option<Detail>,
    told: &(dyn Fn(u64) + Sync),
) -> Result<Notes, Underivable> {
    let World { trace, settings, hints } = world;
    let mut notes = Notes::of(world, detail);
    match who {
        Who::Policy(policy) => {
            let hints = hints.iter().enumerate();
            let mut hints: Vec<_> =
                hints.map(|(number, hint)| hint.announced(number, trace.scale)).collect();
            hints.extend(of_calendar(policy, trace));
            let mut contender = PolicyContender::new(policy, settings, hints, trace.begins_at)?;
            if detail.is_some() {
                contender = contender.telling_why();
            }
            live(world, FleetRules::of(policy), &mut contender, &mut notes, told);
        }
        Who::Baseline(baseline) => match baseline.course(trace, settings) {
            Course::Lives(mut contender) => {
                let rules = baseline.rules(settings.bounds);
                live(world, rules, &mut *contender, &mut notes, told);
            }
            Course::Planned(plan) => {
                carry_out(world, &plan, &mut notes);
                told(trace.steps() as u64);
            }
        },
    }
    Ok(notes)
}

/// What is written down on the way.
pub(super) struct Notes {
    pub tally: Tally,
    recorder: Option<Recorder>,
}

impl Notes {
    fn of(world: World<'_>, detail: Option<Detail>) -> Self {
        let first = first_scored_step(world.settings);
        let steps = world.trace.steps().saturating_sub(first);
        let from = first as u64 * STEP_SECONDS;
        Self {
            tally: Tally::new(announced_times(world.hints, world.trace.begins_at)),
            recorder: detail.map(|detail| Recorder::new(detail, from, steps)),
        }
    }

    fn add(&mut self, step: &Step) {
        self.tally.add(step);
        if let Some(recorder) = &mut self.recorder {
            recorder.add(step);
        }
    }
}

fn first_scored_step(settings: &Settings) -> usize {
    settings.scored_from.div_ceil(STEP_SECONDS) as usize
}

/// The campaigns that a policy's calendar announces in the trace's time. Their sizes are the
/// policy's own, as its `per_node` is: they don't grow with a trace that is scaled.
fn of_calendar(policy: &Policy, trace: &Trace) -> Vec<domain::Hint> {
    let begins = Timestamp::from_second(trace.begins_at).unwrap_or(Timestamp::MIN);
    policy.campaigns_between(begins, after(begins, Duration::from_secs(trace.seconds())))
}

/// Lets one contender live through the trace.
fn live(
    world: World<'_>,
    rules: FleetRules,
    contender: &mut dyn Contender,
    notes: &mut Notes,
    told: &(dyn Fn(u64) + Sync),
) {
    let World { trace, settings, .. } = world;
    let node = &settings.node;
    let first = NodeCount(node.demand(trace.rate(0), 0).saturating_add(1));
    let first = rules.bounds.hold(first);
    let mut fleet = Fleet::serving(first, settings, rules, trace.begins_at);
    let (mut past, mut queued, mut wanted) = (Past::before(trace.rate(0)), 0.0, first);
    for step in 0..trace.steps() {
        let now = step as u64 * STEP_SECONDS;
        let is_scored = settings.scored_from <= now;
        fleet.advance(now);
        if now.is_multiple_of(contender.period()) {
            let (counts, machines) = (fleet.counts(), fleet.machines());
            let view = View { now, fleet: counts, machines, past: &past, settings };
            let before = std::mem::replace(&mut wanted, rules.bounds.hold(contender.want(&view)));
            if let Some(recorder) =
                notes.recorder.as_mut().filter(|_| is_scored && before != wanted)
            {
                recorder.change(now, before.0, wanted.0, contender.reasons());
            }
        }
        let moved = fleet.steer(wanted, now);
        let serving = fleet.counts().serving;
        let outcome = node.serve(serving.0, trace.rate(step), queued);
        queued = outcome.queued;
        past.push(outcome.served);
        if is_scored {
            notes.add(&Step {
                now,
                demand: node.demand(trace.rate(step), settings.bounds.min.0),
                serving: serving.0,
                existing: fleet.existing(),
                moved,
                arrived: outcome.arrived,
                violating: outcome.violating,
            });
        }
        if (step + 1).is_multiple_of(TOLD_EVERY) {
            told(TOLD_EVERY as u64);
        }
    }
    told((trace.steps() % TOLD_EVERY) as u64);
    notes.tally.billed_hours = fleet.hours_until(trace.steps() as u64 * STEP_SECONDS);
}

/// Lets a contender live through a trace that nobody scores.
#[cfg(test)]
pub(in crate::sim) fn accompany(
    (trace, settings): (&Trace, &Settings),
    rules: FleetRules,
    contender: &mut dyn Contender,
) {
    let world = World { trace, settings, hints: &[] };
    live(world, rules, contender, &mut Notes::of(world, None), &|_| {});
}

/// What users get from a plan that was made in full knowledge.
fn carry_out(world: World<'_>, plan: &Plan, notes: &mut Notes) {
    let World { trace, settings, .. } = world;
    let mut before = plan.serving().next().unwrap_or_default();
    for (step, serving) in (first_scored_step(settings)..).zip(plan.serving()) {
        let rate = trace.rate(step);
        let outcome = settings.node.serve(serving, rate, 0.0);
        let moved = Moved {
            launched: serving.saturating_sub(before),
            removed: before.saturating_sub(serving),
        };
        before = serving;
        notes.add(&Step {
            now: step as u64 * STEP_SECONDS,
            demand: settings.node.demand(rate, settings.bounds.min.0),
            serving,
            existing: serving,
            moved,
            arrived: outcome.arrived,
            violating: outcome.violating,
        });
    }
    notes.tally.node_seconds = plan.node_seconds;
    notes.tally.billed_hours = plan.billed_hours;
}
