//! A rehearsal on one trace: everyone's score.

use super::baselines::Baseline;
use super::hints::Hint;
use super::readings::Underivable;
use super::run::{Run, Who, World, live_through, run_all, yardstick};
use super::score::{Score, Tally, Yardstick};
use super::settings::Settings;
use super::trace::Trace;
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

/// Lets every contender live through the trace. The same input always gives the same scores.
///
/// Fails where a policy looks at something that the traffic doesn't tell.
pub fn rehearse(rehearse: &Rehearse<'_>) -> Result<Rehearsal, Underivable> {
    let Rehearse { trace, settings, hints, policies, baselines } = *rehearse;
    let yardstick = yardstick(trace, settings);
    let run = |place| {
        let (name, who) = rehearse.contender(place);
        Run { name, who, trace, settings, hints, yardstick, detail: None }
    };
    let runs: Vec<Run<'_>> = (0..policies.len() + baselines.len()).map(run).collect();
    let ran = run_all(&runs, &|_| ())?;
    Ok(Rehearsal { yardstick, scores: ran.into_iter().map(|ran| ran.score).collect() })
}

/// What came of the contender at `place` alone, policies first.
pub(super) fn tally(rehearse: &Rehearse<'_>, place: usize) -> Result<Tally, Underivable> {
    let Rehearse { trace, settings, hints, .. } = *rehearse;
    let (_, who) = rehearse.contender(place);
    Ok(live_through(who, World { trace, settings, hints }, None, &|_| ())?.tally)
}

impl<'a> Rehearse<'a> {
    /// The contender at `place`, policies first.
    fn contender(&self, place: usize) -> (String, Who<'a>) {
        match self.policies.get(place) {
            Some((name, policy)) => (name.clone(), Who::Policy(policy)),
            None => {
                let baseline = &self.baselines[place - self.policies.len()];
                (baseline.to_string(), Who::Baseline(baseline))
            }
        }
    }
}
