//! Head-room: quantiles of what forecasts fell short by, of several kinds of past.
//!
//! In: point forecasts, and later what came. Out: an upper bound for each point and kind.
//! Never: keeps what it can work out: the windows come back from the two rings of minutes.

use super::minutes::{DAY, Minutes};
use super::window::Window;

/// Points that head-room is added to: the experts' blend, and the present as it is.
pub(super) const POINTS: usize = 2;
/// Bounds: each point with each form and each past.
pub(super) const BOUNDS: usize = POINTS * FORMS.len() * PASTS.len();
/// The longest past, in minutes.
pub(super) const LONGEST: i64 = 7 * DAY;

/// Fewest shortfalls that a quantile is taken of: a day of the same minute of the hour.
const LEAST: usize = 24;
/// Head-room as a share of the point while there are fewer: what a fleet at three quarters of
/// its capacity has anyhow.
const UNKNOWN: f64 = 0.3;
/// Outcomes below this share of the point are no lower. Keeps logarithms finite.
const NOTHING: f64 = 1e-3;

/// How a shortfall grows with the demand.
#[derive(Clone, Copy, Debug)]
enum Form {
    /// In proportion: a busy day's bursts are larger.
    Factor,
    /// Not at all: a campaign is as large by night as by day.
    Sum,
}
const FORMS: [Form; 2] = [Form::Factor, Form::Sum];

/// Which minutes a quantile is taken of.
#[derive(Clone, Copy, Debug)]
enum Past {
    /// Three days: enough for the 98th percentile of anything that is not rare.
    Days,
    /// Six hours: a restless evening.
    Hours,
    /// The same minute of the hour over a week: whatever is started by a clock.
    MinuteOfHour,
}
const PASTS: [Past; 3] = [Past::Days, Past::Hours, Past::MinuteOfHour];

impl Past {
    fn windows(self) -> Vec<Window> {
        match self {
            Self::Days => vec![Window::new(3 * DAY)],
            Self::Hours => vec![Window::new(6 * 60)],
            Self::MinuteOfHour => vec![Window::new(LONGEST); 60],
        }
    }

    /// Which of its windows `minute` belongs to.
    fn place(self, minute: i64) -> usize {
        match self {
            Self::Days | Self::Hours => 0,
            Self::MinuteOfHour => minute.rem_euclid(60) as usize,
        }
    }
}

/// The points of `minute`: the blend, and the present, both above zero.
pub(super) fn points(blend: f64, now: Option<f64>) -> [f64; POINTS] {
    [blend, now.unwrap_or(blend).max(NOTHING * blend)]
}

/// Windows of shortfalls, one set for each bound.
#[derive(Clone, Debug)]
pub(super) struct Headroom {
    sets: Vec<(usize, Form, Past, Vec<Window>)>,
}

impl Headroom {
    pub(super) fn new() -> Self {
        let mut sets = Vec::with_capacity(BOUNDS);
        for point in 0..POINTS {
            for form in FORMS {
                sets.extend(PASTS.map(|past| (point, form, past, past.windows())));
            }
        }
        Self { sets }
    }

    /// Works the windows out anew, up to and with `settled`, the last minute whose outcome was
    /// taken in.
    pub(super) fn rebuilt(history: &Minutes, blends: &Minutes, settled: i64, horizon: i64) -> Self {
        let mut headroom = Self::new();
        for minute in settled - LONGEST..=settled {
            headroom.learn(history, blends, minute, horizon);
        }
        headroom
    }

    /// Takes in what came of the forecast of `minute`, if that is known.
    pub(super) fn learn(&mut self, history: &Minutes, blends: &Minutes, minute: i64, horizon: i64) {
        let Some(blend) = blends.at(minute) else { return };
        let Some(came) = history.maximum_after(minute, horizon) else { return };
        let points = points(blend, history.at(minute));
        for (point, form, past, windows) in &mut self.sets {
            let said = points[*point];
            let short = match form {
                Form::Factor => (came.max(NOTHING * said) / said).ln(),
                Form::Sum => came - said,
            };
            windows[past.place(minute)].add(minute, short as f32);
        }
    }

    /// An upper bound of each kind on the demand after `minute`, at the quantile `level`.
    pub(super) fn bounds(&mut self, points: [f64; POINTS], minute: i64, level: f64) -> Vec<f64> {
        let bound = |(point, form, past, windows): &mut (usize, Form, Past, Vec<Window>)| {
            let said = points[*point];
            let short = windows[past.place(minute)].quantile(minute, level, LEAST);
            let bound = match (form, short) {
                (_, None) => said * (1.0 + UNKNOWN),
                (Form::Factor, Some(short)) => said * short.exp(),
                (Form::Sum, Some(short)) => said + short,
            };
            bound.max(0.0)
        };
        self.sets.iter_mut().map(bound).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Calm, but for a burst of five times the demand in the eighth minute of each hour.
    fn by_the_clock(minutes: i64) -> Minutes {
        let mut history = Minutes::new(14 * DAY as usize);
        for minute in 0..minutes {
            history.push(minute, Some(if minute % 60 == 7 { 500.0 } else { 100.0 }));
        }
        history
    }

    #[test]
    fn the_same_minute_of_the_hour_sees_what_runs_by_the_clock() {
        let history = by_the_clock(3 * DAY);
        let mut headroom = Headroom::rebuilt(&history, &history, 3 * DAY - 3, 2);
        let mut at = |minute: i64| headroom.bounds(points(100.0, Some(100.0)), minute, 0.9);
        let (before, after) = (at(3 * DAY + 5), at(3 * DAY + 20));
        let of = |bounds: &[f64], past: usize| bounds[past];
        assert!((of(&before, 2) - 500.0).abs() < 0.1, "{before:?}");
        assert!((of(&after, 2) - 100.0).abs() < 0.1, "{after:?}");
        assert!((of(&before, 0) - 100.0).abs() < 0.1, "one minute in thirty is under a tenth");
        assert_eq!(before.len(), BOUNDS);
    }

    #[test]
    fn without_history_the_headroom_is_a_plain_share() {
        let bounds = Headroom::new().bounds(points(100.0, Some(50.0)), 7, 0.95);
        assert!(bounds[..6].iter().all(|bound| (bound - 130.0).abs() < 1e-9));
        assert!(bounds[6..].iter().all(|bound| (bound - 65.0).abs() < 1e-9));
    }

    #[test]
    fn every_bound_grows_with_the_level() {
        let mut history = Minutes::new(14 * DAY as usize);
        for minute in 0..2 * DAY {
            history.push(minute, Some(100.0 + (minute * minute % 97) as f64));
        }
        let mut headroom = Headroom::rebuilt(&history, &history, 2 * DAY - 5, 4);
        let mut at = |level| headroom.bounds(points(150.0, None), 2 * DAY, level);
        for (low, high) in [(0.5, 0.9), (0.9, 0.95), (0.95, 0.99)] {
            assert!(at(low).iter().zip(at(high)).all(|(low, high)| *low <= high));
        }
    }
}
