//! The requests that reach the balancers.

use crate::domain::{Duration, Timestamp, elapsed};

/// Requests per second over time.
#[derive(Clone, Debug, PartialEq)]
pub enum Traffic {
    /// Straight lines between `(time since the beginning, requests per second)`, in order of time;
    /// the first rate stood before, the last one stays.
    Lines(Vec<(Duration, f64)>),
    /// The same lines on each day, those before the beginning, too.
    DailyLines(Vec<(Duration, f64)>),
    /// One rate after the other, each for so long; the first one stood before, the last one stays.
    Steps {
        /// The first step's beginning, since the world's.
        from: Duration,
        /// How long each lasts.
        length: Duration,
        /// Requests per second of each.
        rates: Vec<f64>,
    },
}

impl Default for Traffic {
    /// Nobody calls.
    fn default() -> Self {
        Self::Lines(Vec::new())
    }
}

impl Traffic {
    /// The same rate for ever.
    pub fn steady(rate: f64) -> Self {
        Self::Lines(vec![(Duration::ZERO, rate)])
    }

    /// Straight lines between `(time since the beginning, requests per second)`, in order of
    /// time; the last rate stays.
    pub fn through(points: impl IntoIterator<Item = (Duration, f64)>) -> Self {
        Self::Lines(points.into_iter().collect())
    }

    /// The same on each day, those before the beginning, too.
    pub fn daily(points: impl IntoIterator<Item = (Duration, f64)>) -> Self {
        Self::DailyLines(points.into_iter().collect())
    }

    /// The rate at `at` of a world that began at `began`.
    pub(super) fn between(&self, began: Timestamp, at: Timestamp) -> f64 {
        const DAY: i64 = 86_400_000;
        match self {
            Self::Lines(_) | Self::Steps { .. } => self.at(elapsed(began, at)),
            Self::DailyLines(_) => {
                let since = (at.as_millisecond() - began.as_millisecond()).rem_euclid(DAY);
                self.at(Duration::from_millis(since.unsigned_abs()))
            }
        }
    }

    /// The rate at a time since the beginning.
    pub fn at(&self, time: Duration) -> f64 {
        match self {
            Self::Lines(points) | Self::DailyLines(points) => on_lines(points, time),
            Self::Steps { from, length, rates } => {
                let step = time.saturating_sub(*from).as_millis() / length.as_millis().max(1);
                let rate = rates.get(step as usize).or(rates.last());
                rate.copied().unwrap_or_default()
            }
        }
    }
}

fn on_lines(points: &[(Duration, f64)], time: Duration) -> f64 {
    let next = points.iter().position(|(at, _)| time < *at);
    match next {
        None => points.last().map_or(0.0, |(_, rate)| *rate),
        Some(0) => points[0].1,
        Some(next) => {
            let ((from, low), (to, high)) = (points[next - 1], points[next]);
            let share = (time - from).as_secs_f64() / (to - from).as_secs_f64();
            low + (high - low) * share
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn steps_stand_before_and_after_their_time() {
        let seconds = Duration::from_secs;
        let (from, length) = (seconds(100), seconds(10));
        let steps = Traffic::Steps { from, length, rates: vec![1.0, 2.0, 3.0] };
        for (at, rate) in [(0, 1.0), (100, 1.0), (109, 1.0), (110, 2.0), (120, 3.0), (500, 3.0)] {
            assert_eq!(steps.at(seconds(at)), rate, "at {at} s");
        }
        assert_eq!(Traffic::default().at(seconds(7)), 0.0);
    }
}
