//! The forecaster of one pool, as the rest of the program sees it.
//!
//! In: what was measured at each look. Out: a forecast, whenever asked.
//! Never: asks the time; every moment is an argument.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::experts::NAMES;
use super::learner::Learner;
use super::open::OpenMinute;
use super::settings::{ForecastSettings, Level, Mode};
use super::trust::Verdict;
use crate::domain::Timestamp;

/// Larger demands are taken as this, so that no product overflows.
const LARGEST: f64 = 1e15;

/// Forecasts the demand of one pool. Its serde form is its state.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(try_from = "Stored")]
pub struct Forecaster {
    version: u32,
    settings: ForecastSettings,
    open: OpenMinute,
    learner: Learner,
}

/// What is expected, and what to think of it.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Forecast {
    /// What the largest demand within the horizon should stay under, in the unit of the
    /// observed demand; zero before anything was observed. See [`Forecast::raises_to`].
    pub bound: f64,
    /// What the experts together expect as the largest demand within the horizon.
    pub expected: f64,
    /// The operator's newsvendor level.
    pub level: Level,
    /// The share of outcomes that the bound should cover.
    pub quantile: f64,
    /// How far ahead the bound looks: the horizon in whole minutes, and one for the minute
    /// that is open.
    #[serde(with = "humantime_serde")]
    pub horizon: Duration,
    /// Mean distance of what was expected from what came over about a day, as a share of what
    /// came.
    pub error: Option<f64>,
    /// Share of outcomes over about a day that stayed under their bound; compare `quantile`.
    pub coverage: Option<f64>,
    /// The conformal correction of the head-room; one where the quantiles are right.
    pub trim: f64,
    /// Minutes of demand of the last two weeks that were measured, together.
    #[serde(with = "humantime_serde")]
    pub history: Duration,
    /// Whether the bound may change anything.
    pub mode: Mode,
    /// Whether to believe it.
    #[serde(flatten)]
    pub verdict: Verdict,
}

impl Forecast {
    /// The demand that the pool should be ready for, if the bound is trusted and may count.
    /// It may raise what other rules want and never lower it; `None` leaves it to them.
    pub fn raises_to(&self) -> Option<f64> {
        let counts = self.verdict == Verdict::Trusted && self.mode == Mode::Raise;
        counts.then_some(self.bound)
    }
}

/// One expert's share in what is expected.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Share {
    /// The expert.
    pub expert: &'static str,
    /// Its weight; all weights add up to one.
    pub weight: f64,
}

impl Forecaster {
    /// The form of the state that this program reads and writes.
    const VERSION: u32 = 1;

    /// One that knows nothing yet.
    pub fn new(settings: ForecastSettings) -> Self {
        let learner = Learner::new(settings.minutes(), settings.level.quantile());
        Self { version: Self::VERSION, settings, open: OpenMinute::default(), learner }
    }

    /// Takes in the demand that a look at `at` measured: a mean over the settings' window.
    ///
    /// Looks may come in any rhythm; nothing is needed for those that measured nothing. What
    /// is negative or not finite is no measurement, and what is not newer than the newest
    /// one is no news: both are passed over.
    pub fn observe(&mut self, at: Timestamp, demand: f64) {
        self.take_in(at, demand);
    }

    /// Observes, and says how many minutes are over by it.
    fn take_in(&mut self, at: Timestamp, demand: f64) -> usize {
        if !demand.is_finite() || demand < 0.0 {
            return 0;
        }
        let window_ms = i64::try_from(self.settings.window.as_millis()).unwrap_or(i64::MAX / 2);
        let closed = self.open.measure(at.as_millisecond(), demand.min(LARGEST), window_ms);
        let minutes = closed.into_iter().flatten();
        minutes.map(|minute| self.learner.learn(minute.minute, minute.demand)).count()
    }

    /// Takes in history, oldest first, such as a range query with a step of a minute brings;
    /// two weeks are worth having. What is not newer than the newest observation is passed
    /// over, so this comes before the first look. Says how many minutes were learned.
    pub fn backfill(&mut self, samples: impl IntoIterator<Item = (Timestamp, f64)>) -> usize {
        samples.into_iter().map(|(at, demand)| self.take_in(at, demand)).sum()
    }

    /// What is to be expected from `now` on.
    pub fn forecast(&self, now: Timestamp) -> Forecast {
        let (newest, track) = (self.learner.newest(), self.learner.track());
        // What came in since the last minute was closed comes on top of it.
        let since = self.open.latest().map_or(0.0, |latest| (latest - newest.now).max(0.0));
        let history = Duration::from_secs(60 * self.learner.known_minutes());
        let bound = if self.learner.known_minutes() == 0 { since } else { newest.bound + since };
        Forecast {
            bound,
            expected: newest.blend + since,
            level: self.settings.level,
            quantile: self.learner.level(),
            horizon: Duration::from_secs(60 * self.learner.horizon().unsigned_abs()),
            error: track.error(),
            coverage: track.coverage(),
            trim: self.learner.trim(),
            history,
            mode: self.settings.mode,
            verdict: track.verdict(self.silence(now), history, self.settings.need),
        }
    }

    /// How much each expert is believed; no part of a forecast, which is asked for at every look.
    pub fn shares(&self) -> Vec<Share> {
        let shares = NAMES.iter().zip(self.learner.shares());
        shares.map(|(expert, weight)| Share { expert, weight }).collect()
    }

    /// Goes on under other settings: a lead time that was learned anew, another level.
    ///
    /// A longer horizon counts at once. A shorter one counts once it is two minutes shorter,
    /// so that a lead time near a whole minute doesn't make everything be learned over and
    /// over: with another horizon or level, the kept history is worked through again, which
    /// takes a fraction of a second for two weeks.
    pub fn follow(&mut self, settings: ForecastSettings) {
        let (asked, held) = (settings.minutes(), self.learner.horizon());
        let horizon = if held < asked || asked + 2 <= held { asked } else { held };
        let level = settings.level.quantile();
        self.settings = settings;
        if horizon != held || level != self.learner.level() {
            self.learner = self.learner.relearned(horizon, level);
        }
    }

    /// The settings that it goes by.
    pub fn settings(&self) -> &ForecastSettings {
        &self.settings
    }

    /// How long ago anything was last measured.
    fn silence(&self, now: Timestamp) -> Duration {
        let newest = self.open.newest_ms().unwrap_or(i64::MIN / 2);
        Duration::from_millis(now.as_millisecond().saturating_sub(newest).max(0).unsigned_abs())
    }
}

/// A forecaster's state as it was stored, not yet believed.
#[derive(Deserialize)]
struct Stored {
    version: u32,
    settings: ForecastSettings,
    open: OpenMinute,
    learner: Learner,
}

/// Why a stored state can't be gone on from. Start a new forecaster and backfill it.
#[derive(Debug, PartialEq, thiserror::Error)]
pub enum StateError {
    /// Another version of this program wrote it.
    #[error(
        "the forecast's state has form {found}, and this program reads form {known}; it must be learned anew"
    )]
    Version {
        /// The form found.
        found: u32,
        /// The form known.
        known: u32,
    },
    /// Its parts don't fit together.
    #[error(
        "the forecast's state is damaged: its parts don't fit together; it must be learned anew"
    )]
    Damaged,
}

impl TryFrom<Stored> for Forecaster {
    type Error = StateError;

    fn try_from(stored: Stored) -> Result<Self, StateError> {
        let Stored { version, settings, open, learner } = stored;
        if version != Self::VERSION {
            return Err(StateError::Version { found: version, known: Self::VERSION });
        }
        if !learner.is_sound() {
            return Err(StateError::Damaged);
        }
        Ok(Self { version, settings, open, learner: learner.restored() })
    }
}
