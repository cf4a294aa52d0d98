//! Learns from one minute after the other, and bounds the demand of the next ones.
//!
//! In: the demand of each minute. Out: the bound as of the newest one.
//! Never: knows of looks, clocks and time zones; a day is 1440 minutes.

use std::collections::VecDeque;

use serde::{Deserialize, Serialize};

use super::experts::{EXPERTS, FEATURES, Profiles, View};
use super::headroom::{BOUNDS, Headroom, LONGEST, points};
use super::minutes::{DAY, Minutes};
use super::ridge::Ridge;
use super::trim::Trim;
use super::trust::{Outcome, Track};
use super::weigh::{Costs, newsvendor_cost};

/// History kept: two weeks, for a new horizon is learned from it. Profiles need one.
const HISTORY: i64 = 14 * DAY;
/// Demand below this share of the usual is nothing.
const FLOOR: f64 = 1e-3;
/// Half-lives of the costs, in minutes. Experts change with the hour, head-room with the day.
const EXPERT_HALF_LIFE: f64 = 360.0;
const BOUND_HALF_LIFE: f64 = 2160.0;
/// How sharply the cheapest is preferred. Twice this follows luck; half of it lets bounds that
/// don't see the burst dilute the one that does.
const EXPERT_SHARPNESS: f64 = 8.0;
const BOUND_SHARPNESS: f64 = 25.0;
/// Experts that cost less than this (as a logarithm) are equally good.
const EXPERT_LEAST: f64 = 0.006;
/// Experts are judged with too little nine times as costly as too much. They are to be near
/// the top of what may come; how near is the head-room's business.
const EXPERT_LEVEL: f64 = 0.9;
/// The regression may move the present by this much, as a logarithm: 4.5 times.
const REGRESSION_RANGE: f64 = 1.5;
/// An expert is not blamed for more than this, as a logarithm: one outage isn't everything.
const BLAME: f64 = 3.0;
/// Bounds count by their cost after an hour of outcomes; before that, all alike.
const BOUND_PATIENCE: f64 = 60.0;
/// No bound exceeds this multiple of the largest demand that is remembered.
const CEILING: f64 = 2.0;
/// Half-life of the remembered largest demand, in minutes: two weeks.
const LARGEST_HALF_LIFE: f64 = 20160.0;

/// All that was learned.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Learner {
    horizon: i64,
    level: f64,
    history: Minutes,
    /// What the experts together said of each minute.
    blends: Minutes,
    /// Mean and largest demand, both fading.
    typical: f64,
    largest: f64,
    ridge: Ridge,
    expert_costs: Costs,
    bound_costs: Costs,
    trim: Trim,
    track: Track,
    /// Forecasts whose outcome isn't known, oldest first.
    pending: VecDeque<Pending>,
    settled: i64,
    newest: Newest,
    #[serde(skip, default = "Headroom::new")]
    headroom: Headroom,
    #[serde(skip, default = "Profiles::new")]
    profiles: Profiles,
}

/// A forecast that waits for its outcome.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Pending {
    minute: i64,
    now: f64,
    features: Vec<f64>,
    opinions: Vec<f64>,
    blend: f64,
    bounds: Vec<f64>,
    bound: f64,
}

/// The newest forecast.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Newest {
    /// What the experts together expect as the largest demand ahead.
    pub(super) blend: f64,
    /// What the largest demand ahead should stay under.
    pub(super) bound: f64,
    /// Demand of the minute that it was made after.
    pub(super) now: f64,
}

impl Learner {
    pub(super) fn new(horizon: i64, level: f64) -> Self {
        Self {
            horizon,
            level,
            history: Minutes::new(HISTORY as usize),
            blends: Minutes::new((LONGEST + 2 * 61) as usize),
            typical: 0.0,
            largest: 0.0,
            ridge: Ridge::new(FEATURES),
            expert_costs: Costs::new(EXPERTS, EXPERT_HALF_LIFE),
            bound_costs: Costs::new(BOUNDS, BOUND_HALF_LIFE),
            trim: Trim::new(),
            track: Track::new(),
            pending: VecDeque::new(),
            settled: 0,
            newest: Newest::default(),
            headroom: Headroom::new(),
            profiles: Profiles::new(),
        }
    }

    /// Learns this one's history anew for another horizon or level.
    pub(super) fn relearned(&self, horizon: i64, level: f64) -> Self {
        let mut learner = Self::new(horizon, level);
        if let (Some(oldest), Some(newest)) = (self.history.oldest(), self.history.newest()) {
            for minute in oldest..=newest {
                if let Some(demand) = self.history.at(minute) {
                    learner.learn(minute, demand);
                }
            }
        }
        learner
    }

    /// Works out anew what is not stored.
    pub(super) fn restored(mut self) -> Self {
        self.headroom = Headroom::rebuilt(&self.history, &self.blends, self.settled, self.horizon);
        self
    }

    /// Takes in the demand of `minute` and forecasts; passes over what is not the newest.
    pub(super) fn learn(&mut self, minute: i64, demand: f64) {
        if self.history.newest().is_some_and(|newest| minute <= newest) {
            return;
        }
        let yesterday = self.history.newest().map(|newest| newest.div_euclid(DAY));
        self.history.push(minute, Some(demand));
        // From here on demand is what the ring kept of it, so that a restored one sees the same.
        let demand = self.history.at(minute).unwrap_or(demand);
        let known = self.history.known().max(1) as f64;
        self.typical += (demand - self.typical) / known.min(7.0 * DAY as f64);
        self.largest = demand.max(self.largest * 0.5_f64.powf(1.0 / LARGEST_HALF_LIFE));
        self.settle(minute);
        if yesterday.is_some_and(|day| day < minute.div_euclid(DAY)) {
            self.ridge.end_day();
        }
        self.forecast(minute, demand);
    }

    fn forecast(&mut self, minute: i64, demand: f64) {
        let floor = (FLOOR * self.typical).max(1e-9);
        let now = demand.max(floor);
        let (history, horizon) = (&self.history, self.horizon);
        self.profiles.reach(history, minute, horizon);
        let profiles = &self.profiles;
        let view = View { history, minute, now, floor, horizon, profiles };
        let opinions = view.opinions();
        let features = view.features(&opinions);
        let regression = self.ridge.predict(&features).unwrap_or(0.0);
        let regression = now * regression.clamp(-REGRESSION_RANGE, REGRESSION_RANGE).exp();
        let opinions: Vec<f64> = opinions.into_iter().chain([regression]).collect();

        let shares = self.shares();
        let logs = shares.iter().zip(&opinions).map(|(share, said)| share * said.ln());
        self.blends.push(minute, Some(logs.sum::<f64>().exp()));
        let blend = self.blends.at(minute).unwrap_or(now);

        let points = points(blend, Some(demand));
        let bounds = self.headroom.bounds(points, minute, self.level);
        let raw = self.weighed(&bounds);
        let trimmed = if blend < raw { blend + self.trim.factor() * (raw - blend) } else { raw };
        let bound = trimmed.min(CEILING * self.largest).max(0.0);
        self.newest = Newest { blend, bound, now: demand };
        self.pending.push_back(Pending { minute, now, features, opinions, blend, bounds, bound });
    }

    fn weighed(&self, bounds: &[f64]) -> f64 {
        let sharpness =
            if self.bound_costs.weight() < BOUND_PATIENCE { 0.0 } else { BOUND_SHARPNESS };
        let weights = self.bound_costs.weights(sharpness, 0.0);
        weights.iter().zip(bounds).map(|(weight, bound)| weight * bound).sum()
    }

    /// Learns from forecasts whose time has come. Where too much of it is unknown, nothing is
    /// learned.
    fn settle(&mut self, minute: i64) {
        while let Some(past) =
            self.pending.pop_front_if(|past| past.minute + self.horizon <= minute)
        {
            self.settled = past.minute;
            let Some(came) = self.history.maximum_after(past.minute, self.horizon) else {
                continue;
            };
            self.headroom.learn(&self.history, &self.blends, past.minute, self.horizon);
            let least = 1e-3 * past.blend;
            let log = came.max(least).ln();
            self.expert_costs.add(past.opinions.iter().map(|said| {
                let short = (log - said.ln()).clamp(-BLAME, BLAME);
                newsvendor_cost(short, 0.0, EXPERT_LEVEL)
            }));
            self.ridge.learn(&past.features, (log - past.now.ln()).clamp(-BLAME, BLAME));
            let level = self.level;
            self.bound_costs
                .add(past.bounds.iter().map(|said| newsvendor_cost(came, *said, level)));
            self.trim.learn(past.bound < came, level);
            let Pending { blend, bound, now, .. } = past;
            self.track.learn(Outcome { came, blend, bound, now }, level);
        }
    }

    /// How much each expert is believed; together one.
    pub(super) fn shares(&self) -> Vec<f64> {
        self.expert_costs.weights(EXPERT_SHARPNESS, EXPERT_LEAST)
    }

    pub(super) fn newest(&self) -> Newest {
        self.newest
    }

    pub(super) fn track(&self) -> &Track {
        &self.track
    }

    pub(super) fn trim(&self) -> f64 {
        self.trim.factor()
    }

    /// Minutes of demand that are known.
    pub(super) fn known_minutes(&self) -> u64 {
        self.history.known() as u64
    }

    pub(super) fn horizon(&self) -> i64 {
        self.horizon
    }

    pub(super) fn level(&self) -> f64 {
        self.level
    }

    /// Whether the parts fit together; what comes from a store may not.
    pub(super) fn is_sound(&self) -> bool {
        let pending = |past: &Pending| {
            past.features.len() == FEATURES
                && past.opinions.len() == EXPERTS
                && past.bounds.len() == BOUNDS
                && past.opinions.iter().chain([&past.blend, &past.now]).all(|x| 0.0 < *x)
        };
        (2..=61).contains(&self.horizon)
            && (0.5..1.0).contains(&self.level)
            && self.history.is_sound()
            && self.blends.is_sound()
            && self.ridge.is_sound(FEATURES)
            && self.expert_costs.is_sound(EXPERTS)
            && self.bound_costs.is_sound(BOUNDS)
            && self.trim.is_sound()
            && self.pending.iter().all(pending)
    }
}
