//! What the time of day says: the same minutes of the days before.
//!
//! In: the history. Out: the usual demand of a minute, and of the minutes ahead.
//! Never: looks at the day that it speaks of.

use std::collections::VecDeque;

use super::minutes::{DAY, Minutes};

/// Days that a profile remembers.
const DAYS: i64 = 7;
/// What a day counts against the day after it. At a half a profile is little more than
/// yesterday; at one it needs a week to see a change.
const FADE: f64 = 0.75;

/// How far to either side of a minute a profile looks.
#[derive(Clone, Copy, Debug)]
pub(super) enum Profile {
    /// A quarter of an hour: little noise, and no step at a fixed time either.
    Smooth,
    /// Three minutes: keeps steps at fixed times where they are.
    Sharp,
}

impl Profile {
    fn reach(self) -> i64 {
        match self {
            Self::Smooth => 7,
            Self::Sharp => 1,
        }
    }

    /// The usual demand of `minute`: the fading mean of the same minute and its neighbours on
    /// the days before. `None` when none of them is known.
    pub(super) fn usual(self, history: &Minutes, minute: i64) -> Option<f64> {
        let (mut sum, mut weight, mut fade) = (0.0, 0.0, 1.0);
        for day in 1..=DAYS {
            let there = minute - day * DAY;
            if history.oldest().is_none_or(|oldest| there + self.reach() < oldest) {
                break;
            }
            if let Some(mean) = history.mean(there - self.reach(), there + self.reach()) {
                sum += fade * mean;
                weight += fade;
            }
            fade *= FADE;
        }
        (0.0 < weight).then(|| sum / weight)
    }
}

/// What a profile says of the minutes around now. The days before stay as they were, so each minute
/// is worked out once, when it first comes into reach.
#[derive(Clone, Debug)]
pub(super) struct Usual {
    profile: Profile,
    /// The minute of the first value.
    first: i64,
    values: VecDeque<Option<f64>>,
}

impl Usual {
    pub(super) fn new(profile: Profile) -> Self {
        Self { profile, first: 0, values: VecDeque::new() }
    }

    /// Knows the minutes from `first` to `last` from here on, which is less than a day ahead of
    /// the newest of `history`.
    pub(super) fn reach(&mut self, history: &Minutes, first: i64, last: i64) {
        if first < self.first || self.first + self.values.len() as i64 <= first {
            self.values.clear();
            self.first = first;
        }
        self.values.drain(..(first - self.first) as usize);
        self.first = first;
        for minute in first + self.values.len() as i64..=last {
            self.values.push_back(self.profile.usual(history, minute));
        }
    }

    /// The usual demand of a minute within reach.
    pub(super) fn at(&self, minute: i64) -> Option<f64> {
        let place = usize::try_from(minute - self.first).ok()?;
        self.values.get(place).copied().flatten()
    }

    /// The largest usual demand of the `horizon` minutes after `minute`.
    pub(super) fn maximum_after(&self, minute: i64, horizon: i64) -> Option<f64> {
        (1..=horizon).filter_map(|ahead| self.at(minute + ahead)).reduce(f64::max)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Days of 10, each with a step to 20 at noon and later.
    fn steps(days: i64) -> Minutes {
        let mut history = Minutes::new(14 * DAY as usize);
        for minute in 0..days * DAY {
            history.push(minute, Some(if minute % DAY < DAY / 2 { 10.0 } else { 20.0 }));
        }
        history
    }

    #[test]
    fn a_sharp_profile_sees_the_step_coming_and_a_smooth_one_blurs_it() {
        let (history, noon) = (steps(3), 3 * DAY + DAY / 2);
        let sharp = |minute| Profile::Sharp.usual(&history, minute).expect("known");
        assert_eq!(sharp(noon - 2), 10.0);
        assert_eq!(sharp(noon + 1), 20.0);
        let smooth = Profile::Smooth.usual(&history, noon).expect("known");
        assert!((14.0..17.0).contains(&smooth), "{smooth}");
        let mut usual = Usual::new(Profile::Sharp);
        usual.reach(&history, noon - 3, noon + 1);
        assert_eq!(usual.maximum_after(noon - 3, 4), Some(20.0));
    }

    #[test]
    fn yesterday_counts_more_than_the_day_before_and_the_unknown_not_at_all() {
        let mut history = Minutes::new(14 * DAY as usize);
        for minute in 0..3 * DAY {
            let day = minute / DAY;
            history.push(minute, (day != 1).then_some(if day == 0 { 10.0 } else { 20.0 }));
        }
        let usual = Profile::Sharp.usual(&history, 3 * DAY + 100).expect("known");
        let expected = (20.0 + 0.5625 * 10.0) / 1.5625;
        assert!((usual - expected).abs() < 1e-9, "{usual}");
        assert_eq!(Profile::Smooth.usual(&history, 100), None, "no day before the first");
    }

    #[test]
    fn what_is_known_of_a_minute_is_what_the_days_before_say_however_one_got_there() {
        let mut history = Minutes::new(14 * DAY as usize);
        let mut usual = Usual::new(Profile::Smooth);
        // Minute by minute, over a silence of an hour, and over one of a month.
        let minutes = (0..3 * DAY).chain(3 * DAY + 60..4 * DAY).chain(34 * DAY..36 * DAY);
        for now in minutes {
            history.push(now, Some((now * now % 97) as f64));
            usual.reach(&history, now - 13, now + 4);
            for minute in [now - 13, now, now + 1, now + 4] {
                assert_eq!(usual.at(minute), Profile::Smooth.usual(&history, minute), "{minute}");
            }
        }
    }
}
