//! A contest: the same contenders on several traces, under other settings, and at each setting of
//! their knobs.
//!
//! In: traces, policies, baselines, variants of policies, levels.
//! Out: for each trace everyone's score, their ways to be plotted, and the cost curve; of all
//! traces together the means.
//! Never: lets the same contender live through the same trace twice.

use serde::Serialize;

use super::baselines::Baseline;
use super::curve::{CurvePoint, Turned, turn_baseline, turn_policy};
use super::hints::Hint;
use super::readings::Underivable;
use super::record::{Detail, Record};
use super::run::{Run, Who, run_all, yardstick};
use super::score::{Score, Yardstick};
use super::settings::Settings;
use super::trace::Trace;
use crate::forecast::Level;
use crate::policy::Policy;

/// All that a contest needs.
#[derive(Clone, Copy, Debug)]
pub struct Contest<'a> {
    /// Where it takes place.
    pub scenes: &'a [Scene],
    /// Our own contenders, by name.
    pub policies: &'a [(String, Policy)],
    /// The same under other settings.
    pub variants: &'a [Variant],
    /// The others.
    pub baselines: &'a [Baseline],
    /// The levels of the cost curve; none: no curve.
    pub levels: &'a [Level],
    /// How much is kept to be plotted; none: nothing.
    pub detail: Option<Detail>,
}

/// One trace, with its world.
#[derive(Clone, Debug, PartialEq)]
pub struct Scene {
    /// The traffic.
    pub trace: Trace,
    /// The world.
    pub settings: Settings,
    /// What was announced in advance.
    pub hints: Vec<Hint>,
}

/// A policy under other settings than everyone's.
#[derive(Clone, Debug, PartialEq)]
pub struct Variant {
    /// Named by what differs.
    pub name: String,
    /// The policy, changed.
    pub policy: Policy,
    /// The world, changed; what is scored is the scene's.
    pub settings: Settings,
}

/// What came of it on one trace.
#[derive(Clone, Debug, PartialEq)]
pub struct Bout {
    /// What the clairvoyant plans cost: all ratios are to these.
    pub yardstick: Yardstick,
    /// Policies first, then their variants, then baselines, as they were named.
    pub scores: Vec<Score>,
    /// Everyone's way, in the same order; empty where nothing is kept.
    pub records: Vec<Record>,
    /// The cost curve; empty where there are no levels.
    pub curve: Vec<CurvePoint>,
}

/// One contender on all traces together.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Together {
    /// The contender.
    pub name: String,
    /// Requests that waited longer than the objective, of all: mean and median over the traces.
    pub violating_requests_ratio: Middle,
    /// Billed hours against the plan with the fewest; the mean is the geometric one.
    pub billed_vs_oracle: Middle,
    /// Billed hours times the price.
    pub cost_usd: Middle,
}

/// The middle of some numbers. Two flash crowds decide every mean; no median sees them.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Middle {
    /// The sum, divided.
    pub mean: f64,
    /// As many are below as above.
    pub median: f64,
}

impl Middle {
    /// The middle of `values`: not a number where there are none.
    pub fn of(mut values: Vec<f64>) -> Self {
        values.sort_by(f64::total_cmp);
        let count = values.len();
        let mean = values.iter().sum::<f64>() / count as f64;
        let median = match (values.get(count.wrapping_sub(1) / 2), values.get(count / 2)) {
            (Some(low), Some(high)) => (low + high) / 2.0,
            _ => f64::NAN,
        };
        Self { mean, median }
    }

    /// The middle of ratios above zero: their mean is the geometric one, by which twice as much and
    /// half as much are as far from as much.
    pub fn of_ratios(values: Vec<f64>) -> Self {
        Self { mean: geometric_mean(&values), ..Self::of(values) }
    }
}

/// The mean of ratios above zero: not a number where there are none.
pub(super) fn geometric_mean(ratios: &[f64]) -> f64 {
    (ratios.iter().map(|ratio| ratio.ln()).sum::<f64>() / ratios.len() as f64).exp()
}

/// Holds the contest. `told` hears of every some steps that are done, from any thread;
/// [`Contest::steps`] says how many there are.
///
/// Fails where a policy looks at something that the traffic doesn't tell.
pub fn compete(
    contest: &Contest<'_>,
    told: &(dyn Fn(u64) + Sync),
) -> Result<Vec<Bout>, Underivable> {
    let (entrants, points) = (contest.entrants(), contest.points());
    let lineup = Lineup::of(&entrants, &points);
    let mut runs = Vec::new();
    let mut yardsticks = Vec::new();
    let own: Vec<Vec<Settings>> = contest.scenes.iter().map(|scene| own(contest, scene)).collect();
    for (scene, own) in contest.scenes.iter().zip(&own) {
        let yardstick = yardstick(&scene.trace, &scene.settings);
        yardsticks.push(yardstick);
        runs.extend(lineup.0.iter().enumerate().map(|(place, (name, who))| {
            let variant = place.checked_sub(contest.policies.len());
            let settings = variant.and_then(|place| own.get(place));
            Run {
                name: name.clone(),
                who: *who,
                trace: &scene.trace,
                settings: settings.unwrap_or(&scene.settings),
                hints: &scene.hints,
                yardstick,
                detail: contest.detail.filter(|_| place < entrants.len()),
            }
        }));
    }
    let mut ran = run_all(&runs, told)?.into_iter();
    let bout = |yardstick| {
        let ran: Vec<_> = ran.by_ref().take(lineup.0.len()).collect();
        let point =
            |((point, _), place): (&(CurvePoint, Turned), &usize)| point.scored(&ran[*place].score);
        let curve = points.iter().zip(&lineup.1).map(point).collect();
        let (scores, records): (Vec<_>, Vec<_>) =
            ran.into_iter().take(entrants.len()).map(|ran| (ran.score, ran.record)).unzip();
        Bout { yardstick, scores, records: records.into_iter().flatten().collect(), curve }
    };
    Ok(yardsticks.into_iter().map(bout).collect())
}

/// Each variant's settings in a scene.
fn own(contest: &Contest<'_>, scene: &Scene) -> Vec<Settings> {
    let scored_from = scene.settings.scored_from;
    let own = contest.variants.iter();
    own.map(|variant| Settings { scored_from, ..variant.settings.clone() }).collect()
}

/// Everyone who runs on each trace, once; and which of them each point of the curve is.
struct Lineup<'a>(Vec<(String, Who<'a>)>, Vec<usize>);

impl<'a> Lineup<'a> {
    fn of(entrants: &[(String, Who<'a>, Place)], points: &'a [(CurvePoint, Turned)]) -> Self {
        let mut all: Vec<_> = entrants.iter().map(|(name, who, _)| (name.clone(), *who)).collect();
        let mut places = Vec::new();
        for (point, turned) in points {
            let who = match turned {
                Turned::Policy(policy) => Who::Policy(policy),
                Turned::Baseline(baseline) => Who::Baseline(baseline),
            };
            // A variant lives in another world, so it is no point of the curve.
            let known = all.iter().enumerate().position(|(place, (_, known))| {
                let place = entrants.get(place).map_or(Place::Everyones, |entrant| entrant.2);
                place == Place::Everyones && *known == who
            });
            places.push(known.unwrap_or(all.len()));
            if known.is_none() {
                all.push((point.name.clone(), who));
            }
        }
        Self(all, places)
    }
}

/// Where an entrant lives.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    /// In the scene's world.
    Everyones,
    /// In a world of its own.
    Own,
}

impl<'a> Contest<'a> {
    /// Everyone with a score: policies, variants, baselines.
    fn entrants(&self) -> Vec<(String, Who<'a>, Place)> {
        let policies = self.policies.iter();
        let policies =
            policies.map(|(name, policy)| (name.clone(), Who::Policy(policy), Place::Everyones));
        let variants = self.variants.iter();
        let variants = variants.map(|one| (one.name.clone(), Who::Policy(&one.policy), Place::Own));
        let baselines = self.baselines.iter();
        let baselines = baselines
            .map(|baseline| (baseline.to_string(), Who::Baseline(baseline), Place::Everyones));
        policies.chain(variants).chain(baselines).collect()
    }

    /// The points of the curve, without their numbers.
    fn points(&self) -> Vec<(CurvePoint, Turned)> {
        if self.levels.is_empty() {
            return Vec::new();
        }
        let policies = self.policies.iter();
        let policies = policies.flat_map(|(name, policy)| turn_policy(name, policy, self.levels));
        let mut points: Vec<_> = policies.collect();
        for baseline in self.baselines {
            for (point, turned) in turn_baseline(baseline) {
                if !points.iter().any(|(_, known)| *known == turned) {
                    points.push((point, turned));
                }
            }
        }
        points
    }

    /// How many steps all its contenders take together.
    pub fn steps(&self) -> u64 {
        let (entrants, points) = (self.entrants(), self.points());
        let runs = Lineup::of(&entrants, &points).0.len() as u64;
        self.scenes.iter().map(|scene| runs * scene.trace.steps() as u64).sum()
    }
}

/// Every contender over all traces.
pub fn together(bouts: &[Bout]) -> Vec<Together> {
    let contenders = bouts.first().map_or(0, |bout| bout.scores.len());
    let one = |place: usize| {
        let scores = || bouts.iter().filter_map(move |bout| bout.scores.get(place));
        let middle = |value: fn(&Score) -> f64| Middle::of(scores().map(value).collect());
        Together {
            name: scores().next().map(|score| score.name.clone()).unwrap_or_default(),
            violating_requests_ratio: middle(|score| score.violating_requests_ratio),
            billed_vs_oracle: Middle::of_ratios(
                scores().map(|score| score.billed_vs_oracle).collect(),
            ),
            cost_usd: middle(|score| score.cost_usd),
        }
    };
    (0..contenders).map(one).collect()
}

/// The cost curve on the mean over all traces.
pub fn mean_curve(bouts: &[Bout]) -> Vec<CurvePoint> {
    let points = bouts.first().map_or(0, |bout| bout.curve.len());
    let one = |place: usize| {
        let same: Vec<_> = bouts.iter().filter_map(|bout| bout.curve.get(place)).collect();
        CurvePoint::mean(&same)
    };
    (0..points).filter_map(one).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_middle_of_traces_is_mean_and_median() {
        for (values, mean, median) in [
            (vec![3.0], 3.0, 3.0),
            (vec![9.0, 1.0], 5.0, 5.0),
            (vec![1.0, 10.0, 1.0], 4.0, 1.0),
            (vec![4.0, 1.0, 2.0, 9.0], 4.0, 3.0),
        ] {
            assert_eq!(Middle::of(values), Middle { mean, median });
        }
        assert!(Middle::of(vec![]).median.is_nan());
    }

    #[test]
    fn twice_the_bill_and_half_of_it_are_the_same_bill_on_the_mean() {
        let Middle { mean, median } = Middle::of_ratios(vec![2.0, 0.5]);
        assert!((mean - 1.0).abs() < 1e-12, "{mean}");
        assert_eq!(median, 1.25);
        assert!(Middle::of_ratios(vec![]).mean.is_nan());
    }
}
