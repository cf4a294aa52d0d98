//! The experts: simple forecasts of the largest demand of the next minutes.
//!
//! In: the history up to now. Out: what each expert says, and what the regression looks at.
//! Never: decides which of them is right.

use super::minutes::{DAY, Minutes};
use super::profile::{Profile, Usual};

/// The experts by name, in the order of their opinions; the last one is the regression.
pub(super) const NAMES: [&str; EXPERTS] = [
    "persistence",
    "trend",
    "recent maximum",
    "smooth profile",
    "smooth profile or now",
    "smooth profile and now",
    "sharp profile",
    "last week",
    "regression",
];
/// How many experts there are.
pub(super) const EXPERTS: usize = 9;
/// Inputs of the regression: lags, yesterday, the other experts but persistence, a constant.
pub(super) const FEATURES: usize = LAGS.len() + YESTERDAYS + EXPERTS - 2 + 1;

/// Minutes ago: close together now, wider further back.
const LAGS: [i64; 7] = [1, 2, 3, 5, 8, 13, 21];
/// Points of the same stretch yesterday.
const YESTERDAYS: usize = 4;
/// Minutes over which a smooth profile is fitted to the present level, and a sharp one.
const LEVEL_MINUTES: i64 = 15;
const SHARP_LEVEL_MINUTES: i64 = 3;
/// Most that a profile is scaled by. Beyond five the day is like no day before.
const SCALE: (f64, f64) = (0.2, 5.0);

/// One moment, seen by the experts without the regression.
pub(super) struct View<'a> {
    pub(super) history: &'a Minutes,
    pub(super) minute: i64,
    /// Demand of this minute, at least `floor`.
    pub(super) now: f64,
    /// Below this, demand is nothing; above zero. Keeps logarithms of ratios finite.
    pub(super) floor: f64,
    pub(super) horizon: i64,
    pub(super) profiles: &'a Profiles,
}

/// What the time of day says around now.
#[derive(Clone, Debug)]
pub(super) struct Profiles {
    smooth: Usual,
    sharp: Usual,
}

impl Profiles {
    pub(super) fn new() -> Self {
        Self { smooth: Usual::new(Profile::Smooth), sharp: Usual::new(Profile::Sharp) }
    }

    /// Knows from here on what experts ask about `minute` and `horizon` minutes after it.
    pub(super) fn reach(&mut self, history: &Minutes, minute: i64, horizon: i64) {
        self.smooth.reach(history, minute - LEVEL_MINUTES + 1, minute + horizon);
        self.sharp.reach(history, minute - SHARP_LEVEL_MINUTES + 1, minute + horizon);
    }
}

impl View<'_> {
    /// What the experts say, all but the regression, each at least the floor.
    pub(super) fn opinions(&self) -> [f64; EXPERTS - 1] {
        let now = self.now;
        let smooth = self.smooth().unwrap_or(now);
        let sharp = self.sharp().unwrap_or(now);
        let opinions = [
            now,
            self.trend(),
            (0..5).map(|ago| self.ago(ago)).fold(now, f64::max),
            smooth,
            smooth.max(0.9 * now),
            0.5 * (smooth + now),
            sharp,
            self.last_week().unwrap_or(sharp),
        ];
        opinions.map(|opinion| opinion.max(self.floor))
    }

    /// What the regression looks at: logarithms, relative to now, so that without anything
    /// learned it says "as now".
    pub(super) fn features(&self, opinions: &[f64; EXPERTS - 1]) -> Vec<f64> {
        let relative = |value: f64| (value / self.now).ln();
        let yesterday = (1..=YESTERDAYS as i64).map(|part| {
            let ahead = (part * self.horizon + YESTERDAYS as i64 - 1) / YESTERDAYS as i64;
            self.ago(DAY - ahead)
        });
        let lags = LAGS.iter().map(|ago| self.ago(*ago));
        let values = lags.chain(yesterday).chain(opinions[1..].iter().copied());
        values.map(relative).chain([1.0]).collect()
    }

    /// Demand so many minutes ago; as now where it is unknown.
    fn ago(&self, minutes: i64) -> f64 {
        self.history.at(self.minute - minutes).map_or(self.now, |known| known.max(self.floor))
    }

    /// The rise of the last three minutes goes on; a fall does not. Damped, as rises tire.
    fn trend(&self) -> f64 {
        let rise = (self.now - self.ago(3)).max(0.0) / 3.0;
        self.now + 0.7 * rise * self.horizon as f64
    }

    /// The day as usual, a quarter of an hour blurred, at the level of the last quarter.
    fn smooth(&self) -> Option<f64> {
        let usual = &self.profiles.smooth;
        let ahead = usual.maximum_after(self.minute, self.horizon)?;
        let is = self.history.mean(self.minute - LEVEL_MINUTES + 1, self.minute)?;
        // So smooth a profile is known well enough from every third minute.
        let usual = (1..LEVEL_MINUTES).step_by(3).filter_map(|ago| usual.at(self.minute - ago));
        let (count, usual) = usual.fold((0.0, 0.0), |(count, sum), x| (count + 1.0, sum + x));
        let scale = (0.0 < usual).then(|| is * count / usual.max(count * self.floor))?;
        Some(ahead * scale.clamp(SCALE.0, SCALE.1))
    }

    /// The day as usual, minute by minute, at the level of the last three: what steps up at a
    /// fixed time is seen before it comes.
    fn sharp(&self) -> Option<f64> {
        let ahead = self.profiles.sharp.maximum_after(self.minute, self.horizon)?;
        let (mut sum, mut count) = (0.0, 0.0);
        for minute in self.minute - SHARP_LEVEL_MINUTES + 1..=self.minute {
            if let Some(known) = self.history.at(minute)
                && let Some(usual) = self.profiles.sharp.at(minute)
            {
                sum += (known.max(self.floor) / usual.max(self.floor)).ln();
                count += 1.0;
            }
        }
        let scale = (0.0 < count).then(|| (sum / count).exp())?;
        Some(ahead * scale.clamp(SCALE.0, SCALE.1))
    }

    /// The same minutes a week ago, at the level of the last quarter of an hour.
    fn last_week(&self) -> Option<f64> {
        let then = self.minute - 7 * DAY;
        let ahead = self.history.maximum_after(then, self.horizon)?;
        let was = self.history.mean(then - LEVEL_MINUTES + 1, then)?;
        let is = self.history.mean(self.minute - LEVEL_MINUTES + 1, self.minute)?;
        Some(ahead * (is / was.max(self.floor)).clamp(SCALE.0, SCALE.1))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Eight days of 100, but 300 from noon to one, and on the last day double of it all.
    fn history() -> Minutes {
        let mut history = Minutes::new(14 * DAY as usize);
        for minute in 0..8 * DAY {
            let noon = (720..780).contains(&(minute % DAY));
            let double = if 7 * DAY <= minute { 2.0 } else { 1.0 };
            history.push(minute, Some(if noon { 300.0 } else { 100.0 } * double));
        }
        history
    }

    fn profiles(history: &Minutes, minute: i64) -> Profiles {
        let mut profiles = Profiles::new();
        profiles.reach(history, minute, 4);
        profiles
    }

    fn opinions(history: &Minutes, minute: i64) -> [f64; EXPERTS - 1] {
        let now = history.at(minute).expect("known");
        let profiles = &profiles(history, minute);
        View { history, minute, now, floor: 0.1, horizon: 4, profiles }.opinions()
    }

    #[test]
    fn a_step_at_a_fixed_time_is_seen_coming_at_the_level_of_today() {
        let mut history = history();
        for minute in 8 * DAY..8 * DAY + 718 {
            history.push(minute, Some(200.0));
        }
        let opinions = opinions(&history, 8 * DAY + 717);
        let says = |name| opinions[NAMES.iter().position(|n| *n == name).expect("an expert")];
        assert_eq!(says("persistence"), 200.0);
        assert!((550.0..=650.0).contains(&says("sharp profile")), "{opinions:?}");
        assert!((550.0..=650.0).contains(&says("last week")), "{opinions:?}");
        assert!(says("smooth profile") < says("sharp profile"));
    }

    #[test]
    fn a_rise_goes_on_and_a_fall_is_remembered() {
        let mut history = Minutes::new(100);
        for (minute, demand) in [(0, 10.0), (1, 20.0), (2, 30.0), (3, 40.0)] {
            history.push(minute, Some(demand));
        }
        let said = opinions(&history, 3);
        assert!((said[1] - 68.0).abs() < 1e-9, "40 and 0.7 of 10 a minute: {said:?}");
        history.push(4, Some(5.0));
        let said = opinions(&history, 4);
        assert_eq!((said[1], said[2]), (5.0, 40.0));
    }

    #[test]
    fn features_are_ratios_and_know_no_unit() {
        let (small, mut large) = (history(), Minutes::new(14 * DAY as usize));
        for minute in 0..8 * DAY {
            large.push(minute, small.at(minute).map(|x| x * 1024.0));
        }
        let minute = 8 * DAY - 5;
        let of = |history: &Minutes, floor: f64| {
            let now = history.at(minute).expect("known");
            let profiles = &profiles(history, minute);
            let view = View { history, minute, now, floor, horizon: 4, profiles };
            view.features(&view.opinions())
        };
        let (a, b) = (of(&small, 0.1), of(&large, 102.4));
        assert_eq!(a.len(), FEATURES);
        assert!(a.iter().zip(&b).all(|(a, b)| (a - b).abs() < 1e-9), "{a:?} {b:?}");
    }
}
