//! How good the forecasts have been, and whether to believe them.
//!
//! In: each bound and what came. Out: the error, the coverage, a verdict.
//! Never: corrects a forecast; it only says what to think of it.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::faded::Faded;
use super::weigh::newsvendor_cost;

/// What a fleet provides for without any forecast, per demand: nodes at three quarters of
/// what they could serve, of which eight tenths are good service.
const REACTING: f64 = 1.07;
/// Distrust begins where the forecast has cost this much more than reacting would have, and
/// ends where it has cost no more. The gap keeps the verdict from flapping.
const WORSE: f64 = 1.25;
/// Silence after which the last bound speaks of a time that is gone.
const SILENCE: Duration = Duration::from_secs(600);

/// Whether a bound may be used.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(tag = "verdict", rename_all = "snake_case")]
pub enum Verdict {
    /// It may raise the count.
    Trusted,
    /// It must not be used yet.
    NotEnoughHistory {
        /// Minutes of demand of the last two weeks that were measured, together.
        #[serde(with = "humantime_serde")]
        have: Duration,
        /// How much it takes.
        #[serde(with = "humantime_serde")]
        need: Duration,
    },
    /// It must not be used now.
    Distrusted {
        /// Why.
        why: Doubt,
    },
}

/// Why a bound is not to be believed.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(tag = "doubt", rename_all = "snake_case")]
pub enum Doubt {
    /// Nothing was measured for so long that the bound speaks of a time that is gone.
    Silent {
        /// How long.
        #[serde(with = "humantime_serde")]
        lasting: Duration,
    },
    /// By the operator's own prices, the bounds of the last hours have cost more than merely
    /// reacting to demand would have.
    CostlierThanReacting {
        /// What they cost, as a multiple of the cost of reacting.
        times: f64,
    },
}

/// Fading means of how forecasts turned out.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Track {
    /// How far the blend was from what came, and what came.
    error: Faded,
    came: Faded,
    /// Share of outcomes at or under their bound.
    covered: Faded,
    /// What the bounds have cost, and what reacting would have.
    bound_cost: Faded,
    react_cost: Faded,
    distrusted: bool,
}

/// One outcome, beside all that was said of it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Outcome {
    pub(super) came: f64,
    pub(super) blend: f64,
    pub(super) bound: f64,
    /// Demand at the time of the forecast.
    pub(super) now: f64,
}

impl Track {
    pub(super) fn new() -> Self {
        // Error and coverage over a day; costs over half of one, so that a forecast which has
        // lost its way is out before the night is over.
        let [day, half] = [1440.0, 720.0].map(Faded::new);
        Self {
            error: day.clone(),
            came: day.clone(),
            covered: day,
            bound_cost: half.clone(),
            react_cost: half,
            distrusted: false,
        }
    }

    pub(super) fn learn(&mut self, outcome: Outcome, level: f64) {
        let Outcome { came, blend, bound, now } = outcome;
        self.error.add((came - blend).abs());
        self.came.add(came);
        self.covered.add(if came <= bound { 1.0 } else { 0.0 });
        self.bound_cost.add(newsvendor_cost(came, bound, level));
        self.react_cost.add(newsvendor_cost(came, REACTING * now, level));
        self.distrusted = match self.times_reacting() {
            Some(times) => (if self.distrusted { 1.0 } else { WORSE }) < times,
            None => false,
        };
    }

    /// Mean distance of the blend from what came, as a share of what came.
    pub(super) fn error(&self) -> Option<f64> {
        let came = self.came.mean().filter(|came| 0.0 < *came)?;
        Some(self.error.mean()? / came)
    }

    /// Share of outcomes at or under their bound.
    pub(super) fn coverage(&self) -> Option<f64> {
        self.covered.mean()
    }

    /// What the bounds have cost, as a multiple of the cost of reacting. `None` in the first
    /// hour and while nothing costs anything.
    fn times_reacting(&self) -> Option<f64> {
        let react = self.react_cost.mean().filter(|cost| 0.0 < *cost)?;
        (60.0 <= self.react_cost.weight()).then_some(())?;
        Some(self.bound_cost.mean()? / react)
    }

    /// The verdict on a bound after `silence`, with `have` of `need` of history.
    pub(super) fn verdict(&self, silence: Duration, have: Duration, need: Duration) -> Verdict {
        if have < need {
            return Verdict::NotEnoughHistory { have, need };
        }
        if SILENCE < silence {
            return Verdict::Distrusted { why: Doubt::Silent { lasting: silence } };
        }
        match self.times_reacting() {
            Some(times) if self.distrusted => {
                Verdict::Distrusted { why: Doubt::CostlierThanReacting { times } }
            }
            _ => Verdict::Trusted,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DAY: Duration = Duration::from_secs(86_400);

    fn tracked(minutes: usize, track: &mut Track, bound: f64) -> Verdict {
        for minute in 0..minutes {
            // Every tenth minute demand doubles.
            let came = if minute % 10 == 0 { 200.0 } else { 100.0 };
            track.learn(Outcome { came, blend: 100.0, bound, now: 100.0 }, 0.95);
        }
        track.verdict(Duration::ZERO, DAY, DAY)
    }

    #[test]
    fn bounds_that_waste_are_distrusted_and_trusted_again_when_they_do_better() {
        let mut track = Track::new();
        assert_eq!(tracked(2000, &mut track, 200.0), Verdict::Trusted);
        let verdict = tracked(2000, &mut track, 2000.0);
        assert!(
            matches!(verdict, Verdict::Distrusted { why: Doubt::CostlierThanReacting { times } } if 5.0 < times),
            "{verdict:?}"
        );
        assert_eq!(tracked(20_000, &mut track, 200.0), Verdict::Trusted);
        assert!((track.coverage().expect("known") - 1.0).abs() < 1e-3);
        assert!((track.error().expect("known") - 10.0 / 110.0).abs() < 0.01);
    }

    #[test]
    fn too_little_history_and_silence_come_first() {
        let track = Track::new();
        let (hour, nothing) = (DAY / 24, Duration::ZERO);
        let verdict = track.verdict(nothing, hour, DAY);
        assert_eq!(verdict, Verdict::NotEnoughHistory { have: hour, need: DAY });
        let verdict = track.verdict(hour, DAY, DAY);
        assert_eq!(verdict, Verdict::Distrusted { why: Doubt::Silent { lasting: hour } });
        assert_eq!(track.verdict(nothing, DAY, DAY), Verdict::Trusted);
        assert_eq!((track.error(), track.coverage()), (None, None));
    }
}
