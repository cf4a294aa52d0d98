//! The minute that is not over yet.
//!
//! In: measured rates, each the mean of the time before it. Out: the demand of a minute, once
//! it is over. Never: counts a measurement twice, or one that came too late.

use serde::{Deserialize, Serialize};

const MINUTE_MS: i64 = 60_000;

/// The open minute, and when anything was last measured.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct OpenMinute {
    /// When the newest measurement was taken, in milliseconds since the epoch.
    newest_ms: Option<i64>,
    /// Nothing between the end of a minute and the first measurement of the next.
    measured: Option<Measured>,
}

/// Measurements of one minute.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Measured {
    minute: i64,
    latest: f64,
    /// Sum and number of the measurements that speak of this minute alone.
    inside: f64,
    count: u32,
}

/// A minute that is over, and its demand.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Closed {
    pub(super) minute: i64,
    pub(super) demand: f64,
}

impl OpenMinute {
    /// Takes in the mean `demand` of the `window_ms` before `at_ms`. What is over because of
    /// it comes back: the minute before, the measurement's own minute, or both.
    ///
    /// A minute's demand is the mean of the measurements that lie wholly inside it or, where
    /// the window is too long for that, the last one.
    pub(super) fn measure(
        &mut self,
        at_ms: i64,
        demand: f64,
        window_ms: i64,
    ) -> [Option<Closed>; 2] {
        if self.newest_ms.is_some_and(|newest| at_ms <= newest) {
            return [None, None];
        }
        self.newest_ms = Some(at_ms);
        // A measurement at the very end of a minute speaks of that minute.
        let minute = (at_ms - 1).div_euclid(MINUTE_MS);
        let before = self.measured.take_if(|open| open.minute != minute).map(Measured::close);
        let open =
            self.measured.get_or_insert(Measured { minute, latest: 0.0, inside: 0.0, count: 0 });
        open.latest = demand;
        if minute * MINUTE_MS <= at_ms - window_ms {
            open.inside += demand;
            open.count += 1;
        }
        let own = self.measured.take_if(|_| (minute + 1) * MINUTE_MS <= at_ms);
        [before, own.map(Measured::close)]
    }

    /// The newest measurement, while its minute is still open.
    pub(super) fn latest(&self) -> Option<f64> {
        self.measured.as_ref().map(|open| open.latest)
    }

    /// When anything was last measured, in milliseconds since the epoch.
    pub(super) fn newest_ms(&self) -> Option<i64> {
        self.newest_ms
    }
}

impl Measured {
    fn close(self) -> Closed {
        let mean = self.inside / f64::from(self.count.max(1));
        Closed { minute: self.minute, demand: if self.count == 0 { self.latest } else { mean } }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(window: i64, looks: &[(i64, f64)]) -> Vec<(i64, f64)> {
        let mut open = OpenMinute::default();
        looks
            .iter()
            .flat_map(|(second, demand)| open.measure(second * 1000, *demand, window * 1000))
            .flatten()
            .map(|closed| (closed.minute, closed.demand))
            .collect()
    }

    #[test]
    fn a_minute_is_what_was_measured_of_it_alone() {
        let looks = [(60, 9.0), (70, 1.0), (80, 2.0), (90, 3.0), (110, 4.0), (120, 5.0)];
        assert_eq!(run(60, &looks), [(0, 9.0), (1, 5.0)], "the last look saw the whole minute");
        assert_eq!(run(20, &looks), [(0, 9.0), (1, 3.5)], "the mean of four");
    }

    #[test]
    fn looks_off_the_minute_close_it_when_the_next_one_comes() {
        assert_eq!(run(60, &[(3, 1.0), (43, 2.0), (63, 3.0), (200, 4.0)]), [(0, 2.0), (1, 3.0)]);
    }

    #[test]
    fn what_comes_late_or_twice_is_no_news() {
        assert_eq!(run(60, &[(60, 1.0), (60, 7.0), (30, 8.0), (120, 2.0)]), [(0, 1.0), (1, 2.0)]);
    }
}
