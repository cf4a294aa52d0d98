//! Demand ahead of now: an upper bound on the **largest** demand until a node that is ordered
//! now can serve, learned from the pool's own history.
//!
//! In: the measured demand, look by look, and the price of a short minute against an idle one.
//! Out: a [`Forecast`]: the bound, how it came about, how good it has been, and whether to
//! believe it. Never: reads a clock, draws chance, lowers a count, knows the world.
//!
//! How the bound comes about, at the end of each minute:
//!
//! 1. `minutes`: demand on a grid of one minute. What was not measured stays unknown.
//! 2. `experts`: simple forecasts of the largest demand of the next minutes: the present, its
//!    trend, the recent maximum, the same time on days before (smooth, sharp, blended, a week
//!    ago) and `ridge`, a regression on nineteen features, refitted daily.
//! 3. `weigh`: the experts are averaged by how little they have cost lately. The cost is the
//!    newsvendor's, which punishes too little more than too much; weighting by the plain
//!    error trusts persistence too much where load comes in bursts.
//! 4. `headroom`: quantiles of what the forecasts were short by, over three days, six hours,
//!    and the same minute of the hour on seven days (which finds whatever runs by the clock);
//!    as factors and as sums; again averaged by realised newsvendor cost.
//! 5. `trim`: a slow correction that makes the bound hold as often as was asked for.
//! 6. `trust`: what all this has cost against merely reacting. If more, it says so and the
//!    bound must not be used.
//!
//! Everything is a ratio of measured demand, so that no unit and no size of pool matters.
//!
//! **The level.** The operator says what a short node-minute is worth against an idle one:
//! `level = short / (short + idle)`, so 0.95 means nineteen to one. A short minute however
//! fails more than the missing share: the queue makes everyone wait. [`Level::quantile`]
//! accounts for that.
//!
//! **The horizon** is rounded up to whole minutes. It may change at any time: the history is
//! kept, and [`Forecaster::follow`] learns it anew for the other horizon, a fraction of a
//! second for two weeks.
//!
//! **The state** is the [`Forecaster`] itself, by serde: about 170 kB as JSON after two weeks,
//! versioned, and a restored one goes on bit for bit as if nothing had happened.
//!
//! What was announced is no part of all this, see [`campaign`].
//!
//! No forecasting crate: seasonal decomposition with exponential smoothing, refitted daily, was
//! measured on the same traces and is no better than the regression at two to six minutes.
//!
//! Sources: newsvendor quantile: Arrow, Harris and Marschak 1951; exponentially weighted
//! experts: Cesa-Bianchi and Lugosi, Prediction, Learning, and Games, 2006, chapter 2; the
//! quantile's rank and the trim: split conformal prediction, and adaptive conformal inference,
//! Gibbs and Candès 2021 (arXiv 2106.00170). What each part is worth was measured by replaying
//! recorded request rates of web sites, APIs and message streams through a fleet of nodes that
//! take two minutes to boot and are billed by the started hour.

pub mod campaign;
mod experts;
mod faded;
mod forecaster;
mod headroom;
mod learner;
mod minutes;
mod open;
mod packed;
mod profile;
mod ridge;
mod settings;
mod trim;
mod trust;
mod weigh;
mod window;

#[cfg(test)]
mod tests;

pub use forecaster::{Forecast, Forecaster, Share, StateError};
pub use settings::{ForecastSettings, Level, Mode};
pub use trust::{Doubt, Verdict};
