//! What comes of a policy, and of the same traffic with one thing changed at a time.
//!
//! In: a rehearsal.
//! Out: for each of its policies, what each change brings.
//! Never: changes two things at once.

use std::collections::BTreeMap;

use serde::Serialize;

use super::super::baselines::Baseline;
use super::super::readings::Underivable;
use super::super::rehearse::tally;
use super::super::run::in_parallel;
use super::super::settings::{Bounds, Settings};
use super::super::{Rehearse, STEP_SECONDS};
use super::{Advice, OFTEN, Trial, judge};
use crate::domain::{Duration, NodeCount};
use crate::policy::{Policy, SignalSource, with_window};

/// Steps below the level that end a burst: two minutes. Less would count the flicker of one push as
/// several; much more would join pushes that follow each other.
const ENDS_A_BURST: usize = (120 / STEP_SECONDS) as usize;

/// What came of a policy as it is, and of each change.
#[derive(Clone, Debug, PartialEq)]
pub struct Evidence {
    /// As it is.
    pub is: Trial,
    /// `bounds.min`.
    pub min: u32,
    /// `bounds.max`.
    pub max: u32,
    /// From ordering a node until it serves, in seconds.
    pub boot_seconds: u64,
    /// How often an hour the need rises a quarter above the usual.
    pub bursts_per_hour: f64,
    /// The median of what is needed, but at least `bounds.min`.
    pub usual_nodes: u32,
    /// What `bounds.min` alone would be billed, as a share of the bill.
    pub min_share_of_bill: f64,
    /// The largest `bounds.min` that is as cheap, tried only where bursts are frequent.
    pub larger_min: Option<(u32, Trial)>,
    /// Half of `bounds.min`.
    pub smaller_min: Option<(u32, Trial)>,
    /// Twice `bounds.max`, tried only where it was reached.
    pub larger_max: Option<(u32, Trial)>,
    /// Nodes serve in half of the time.
    pub halved: Trial,
    /// Nodes serve in a quarter of the time.
    pub quartered: Trial,
    /// A third of the metrics' age and window; none where they are fresh.
    pub fresher: Option<(Freshness, Trial)>,
    /// The ideal reaction under the same bounds.
    pub reactive: Trial,
}

/// How fresh metrics are, and a third of that.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Freshness {
    /// The newest one's age.
    pub lag_seconds: u64,
    /// Over how long they are taken.
    pub window_seconds: u64,
    /// A third of the age.
    pub to_lag_seconds: u64,
    /// A third of the window, but a step at least.
    pub to_window_seconds: u64,
}

/// What each policy of a rehearsal is advised, by its name. Baselines are left out. `told` hears of
/// every trial that is done, from any thread; [`trials_at_most`] says how many there may be.
///
/// Fails where a policy looks at something that the traffic doesn't tell.
pub fn advise(
    world: &Rehearse<'_>,
    told: &(dyn Fn(u64) + Sync),
) -> Result<Vec<(String, Vec<Advice>)>, Underivable> {
    let each = world.policies.iter();
    each.map(|(name, policy)| Ok((name.clone(), judge(&evidence(world, policy, told)?)))).collect()
}

/// How many trials [`advise`] makes of `policies` at most: one of each change, and the search for
/// the largest `bounds.min`, which halves what is between the bounds.
pub fn trials_at_most(policies: &[(String, Policy)]) -> u64 {
    let halvings = |policy: &Policy| {
        let between = policy.bounds.max.0.saturating_sub(policy.bounds.min.0);
        u64::from(u32::BITS - between.leading_zeros())
    };
    policies.iter().map(|(_, policy)| CHANGES + halvings(policy)).sum()
}

/// How many members [`What`] has.
const CHANGES: u64 = 7;

/// What is tried.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum What {
    AsItIs,
    Halved,
    Quartered,
    Reactive,
    SmallerMin,
    LargerMax,
    Fresher,
}

/// A world with one thing changed, and who lives in it: a policy, or the ideal reaction.
struct Change {
    settings: Settings,
    policy: Option<Policy>,
}

/// What comes of `policy` in `world`, and of each change; `told` as for [`advise`].
pub fn evidence(
    world: &Rehearse<'_>,
    policy: &Policy,
    told: &(dyn Fn(u64) + Sync),
) -> Result<Evidence, Underivable> {
    let settings = world.settings;
    let (NodeCount(min), NodeCount(max)) = (policy.bounds.min, policy.bounds.max);
    let (half, twice) = (min.div_ceil(2), max.saturating_mul(2));
    let fresher = fresher(policy, settings);
    let changes = changes(policy, settings, (half, twice), fresher.as_ref());
    let trials = in_parallel(changes.len(), |place| {
        let (what, change) = &changes[place];
        let trial = trial(world, change)?;
        told(1);
        Ok((*what, trial))
    })?;
    let trials: BTreeMap<What, (Trial, u32)> = trials.into_iter().collect();
    let of = |what| trials[&what].0;
    let (is, most_nodes) = trials[&What::AsItIs];
    let (bursts_per_hour, usual_nodes) = bursts(world, min);
    let larger_min = match OFTEN <= bursts_per_hour {
        true => larger_min(world, policy, is, told)?,
        false => None,
    };
    let min_hours = u64::from(min) * scored_seconds(world).div_ceil(3_600);
    Ok(Evidence {
        is,
        min,
        max,
        boot_seconds: settings.boot.upper(),
        bursts_per_hour,
        usual_nodes,
        min_share_of_bill: min_hours as f64 / is.billed_node_hours.max(1) as f64,
        larger_min,
        smaller_min: (half < min).then(|| (half, of(What::SmallerMin))),
        larger_max: (max <= most_nodes).then(|| (twice, of(What::LargerMax))),
        halved: of(What::Halved),
        quartered: of(What::Quartered),
        fresher: fresher.map(|(freshness, _)| (freshness, of(What::Fresher))),
        reactive: of(What::Reactive),
    })
}

/// The worlds in which a policy is tried; `half` of its `min`, `twice` its `max`.
fn changes(
    policy: &Policy,
    settings: &Settings,
    (half, twice): (u32, u32),
    fresher: Option<&(Freshness, Policy)>,
) -> Vec<(What, Change)> {
    let own_bounds = Bounds { min: policy.bounds.min, max: policy.bounds.max };
    let boot = |parts| Settings { boot: settings.boot.divided(parts), ..settings.clone() };
    let with = |settings, policy: Policy| Change { settings, policy: Some(policy) };
    let smaller = bounded(policy, half, own_bounds.max.0);
    let larger = bounded(policy, own_bounds.min.0, twice);
    let reactive = Settings { bounds: own_bounds, ..settings.clone() };
    let mut changes = vec![
        (What::AsItIs, with(settings.clone(), policy.clone())),
        (What::Halved, with(boot(2), policy.clone())),
        (What::Quartered, with(boot(4), policy.clone())),
        (What::Reactive, Change { settings: reactive, policy: None }),
        (What::SmallerMin, with(settings.clone(), smaller)),
        (What::LargerMax, with(settings.clone(), larger)),
    ];
    changes.extend(fresher.map(|(freshness, sharper)| {
        let lag = freshness.to_lag_seconds;
        (What::Fresher, with(Settings { lag, ..settings.clone() }, sharper.clone()))
    }));
    changes
}

/// What came of a run, and the most nodes that were paid for at once.
fn trial(world: &Rehearse<'_>, change: &Change) -> Result<(Trial, u32), Underivable> {
    let settings = &change.settings;
    let policies: Vec<_> =
        change.policy.iter().map(|policy| (String::new(), policy.clone())).collect();
    let reactive: Baseline = "ideal-reactive".parse().expect("a known name");
    let baselines = [reactive];
    let changed =
        Rehearse { settings, policies: &policies, baselines: &baselines, ..world.clone() };
    let tally = tally(&changed, 0)?;
    let (late_requests, late_ratio) = tally.late();
    let billed_node_hours = tally.billed_hours;
    let cost_usd = settings.hourly_price.times(billed_node_hours).get();
    Ok((Trial { late_ratio, late_requests, billed_node_hours, cost_usd }, tally.peak_nodes()))
}

fn bounded(policy: &Policy, min: u32, max: u32) -> Policy {
    let mut policy = policy.clone();
    policy.bounds.min = NodeCount(min);
    policy.bounds.max = NodeCount(max.max(min));
    policy.bounds.default = policy.bounds.default.max(policy.bounds.min).min(policy.bounds.max);
    policy
}

/// The largest `bounds.min` that costs no more than a hundredth more, found by halving: the more
/// nodes always serve, the fewer are ordered and the more is paid for idle ones. None where it is
/// what there is.
fn larger_min(
    world: &Rehearse<'_>,
    policy: &Policy,
    is: Trial,
    told: &(dyn Fn(u64) + Sync),
) -> Result<Option<(u32, Trial)>, Underivable> {
    let node = &world.settings.node;
    let most_needed = world.trace.rates().map(|rate| node.demand(rate, 0)).max().unwrap_or(0);
    let max = policy.bounds.max.0;
    let (mut known, mut most) = (policy.bounds.min.0, most_needed.min(max));
    let mut found = None;
    while known < most {
        let min = known + (most - known).div_ceil(2);
        let policy = Some(bounded(policy, min, max));
        let (then, _) = trial(world, &Change { settings: world.settings.clone(), policy })?;
        told(1);
        match then.cost_usd <= super::AS_CHEAP * is.cost_usd {
            true => (known, found) = (min, Some((min, then))),
            false => most = min - 1,
        }
    }
    Ok(found)
}

/// The policy with its windows a third as long, and the numbers.
fn fresher(policy: &Policy, settings: &Settings) -> Option<(Freshness, Policy)> {
    let third = |seconds: u64| (seconds / 3).max(STEP_SECONDS).min(seconds);
    let mut sharper = policy.clone();
    let mut longest = 0;
    for signal in sharper.signals.values_mut() {
        let Some(window) = signal.window().map(|window| window.as_secs()) else {
            continue;
        };
        longest = longest.max(window);
        let shorter = Duration::from_secs(third(window));
        match &mut signal.source {
            SignalSource::Prometheus { query, nodes: _ } => *query = with_window(query, shorter),
            SignalSource::Haproxy(counted) => counted.over = shorter,
        }
    }
    let freshness = Freshness {
        lag_seconds: settings.lag,
        window_seconds: longest,
        to_lag_seconds: settings.lag / 3,
        to_window_seconds: third(longest),
    };
    let is_fresh = settings.lag == 0 && longest <= STEP_SECONDS;
    (!is_fresh).then_some((freshness, sharper))
}

/// How often an hour the need rises a quarter above the usual, and the usual: its median, but at
/// least `min`.
fn bursts(world: &Rehearse<'_>, min: u32) -> (f64, u32) {
    let first = world.settings.scored_from.div_ceil(STEP_SECONDS) as usize;
    let node = &world.settings.node;
    let needed = || world.trace.rates().skip(first).map(|rate| node.demand(rate, min));
    let usual = upper_median(needed()).unwrap_or(min);
    let level = usual + usual.div_ceil(4).max(1);
    let (mut bursts, mut below) = (0u32, ENDS_A_BURST);
    for needed in needed() {
        if needed < level {
            below += 1;
            continue;
        }
        bursts += u32::from(ENDS_A_BURST <= below);
        below = 0;
    }
    let hours = scored_seconds(world) as f64 / 3_600.0;
    (f64::from(bursts) / hours, usual)
}

/// The middle of some counts, the upper one of two; none of none. However many there are, only how
/// often each comes is kept.
fn upper_median(counts: impl Iterator<Item = u32>) -> Option<u32> {
    let mut often: BTreeMap<u32, u64> = BTreeMap::new();
    counts.for_each(|count| *often.entry(count).or_default() += 1);
    let mut left = often.values().sum::<u64>() / 2;
    let middle = often.into_iter().find(|(_, times)| {
        let is_middle = left < *times;
        left = left.saturating_sub(*times);
        is_middle
    });
    middle.map(|(count, _)| count)
}

fn scored_seconds(world: &Rehearse<'_>) -> u64 {
    world.trace.seconds() - world.settings.scored_from
}
