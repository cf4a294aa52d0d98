//! Demand on a grid of one minute: what was measured, and where nothing was.
//!
//! In: the demand of one minute after the other. Out: demand by minute.
//! Never: takes a minute without a measurement for a quiet one.

use serde::{Deserialize, Serialize};

/// Minutes of a day.
pub(super) const DAY: i64 = 1440;

/// A ring of the newest minutes, counted from the Unix epoch.
///
/// Values are kept as `f32`: seven digits are more than any measurement has, at half the size.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Minutes {
    /// How many minutes to keep.
    keep: usize,
    /// The minute after the newest one.
    end: i64,
    /// Where the oldest value stands, once the ring is full.
    head: usize,
    /// How many of the values are known.
    known: usize,
    /// Values from `head` on, oldest first; NaN where nothing is known.
    #[serde(with = "super::packed")]
    values: Vec<f32>,
}

impl Minutes {
    pub(super) fn new(keep: usize) -> Self {
        Self { keep, end: 0, head: 0, known: 0, values: Vec::new() }
    }

    /// The newest minute, known or not.
    pub(super) fn newest(&self) -> Option<i64> {
        (!self.values.is_empty()).then(|| self.end - 1)
    }

    /// The oldest minute that is kept.
    pub(super) fn oldest(&self) -> Option<i64> {
        (!self.values.is_empty()).then(|| self.end - self.values.len() as i64)
    }

    /// How many of the minutes kept are known.
    pub(super) fn known(&self) -> usize {
        self.known
    }

    /// What is known of `minute`.
    pub(super) fn at(&self, minute: i64) -> Option<f64> {
        let place = minute - self.oldest()?;
        if place < 0 || self.end <= minute {
            return None;
        }
        let wrapped = self.head + place as usize;
        let wrapped =
            if wrapped < self.values.len() { wrapped } else { wrapped - self.values.len() };
        let value = self.values[wrapped];
        (!value.is_nan()).then_some(f64::from(value))
    }

    /// Appends `minute`. Minutes between it and the newest one become unknown; a minute that
    /// is not after the newest one is ignored.
    pub(super) fn push(&mut self, minute: i64, value: Option<f64>) {
        match self.newest() {
            Some(newest) if minute <= newest => return,
            // So long a silence leaves nothing to remember.
            Some(newest) if self.keep as i64 <= minute - newest => *self = Self::new(self.keep),
            Some(newest) => (newest + 1..minute).for_each(|_| self.append(f32::NAN)),
            None => {}
        }
        self.end = minute;
        self.append(value.map_or(f32::NAN, |known| known as f32));
    }

    fn append(&mut self, value: f32) {
        self.end += 1;
        self.known += usize::from(!value.is_nan());
        if self.values.len() < self.keep {
            self.values.push(value);
        } else {
            self.known -= usize::from(!self.values[self.head].is_nan());
            self.values[self.head] = value;
            self.head = (self.head + 1) % self.keep;
        }
    }

    /// The mean of what is known from `first` to `last`.
    pub(super) fn mean(&self, first: i64, last: i64) -> Option<f64> {
        let oldest = self.oldest()?;
        let from = self.head + usize::try_from(first - oldest).unwrap_or(0);
        let to = self.head + usize::try_from(last.min(self.end - 1) + 1 - oldest).unwrap_or(0);
        let (mut count, mut sum) = (0, 0.0);
        // Around the end of the ring at most once: no division for what is read most.
        let length = self.values.len();
        let straight = from.min(length)..to.min(length);
        let wrapped = from.saturating_sub(length)..to.saturating_sub(length);
        for place in [straight, wrapped] {
            for value in self.values.get(place).unwrap_or_default() {
                if !value.is_nan() {
                    count += 1;
                    sum += f64::from(*value);
                }
            }
        }
        (0 < count).then(|| sum / f64::from(count))
    }

    /// The largest of the `horizon` minutes after `minute`; `None` while half of them or more
    /// are unknown, for the peak may hide there.
    pub(super) fn maximum_after(&self, minute: i64, horizon: i64) -> Option<f64> {
        let known = (1..=horizon).filter_map(|ahead| self.at(minute + ahead));
        let (count, largest) = known.fold((0, 0.0_f64), |(n, max), x| (n + 1, max.max(x)));
        (horizon < 2 * count).then_some(largest)
    }

    /// Whether the parts fit together; what comes from a store may not.
    pub(super) fn is_sound(&self) -> bool {
        let full = self.values.len() == self.keep;
        let finite = self.values.iter().all(|x| x.is_nan() || (x.is_finite() && 0.0 <= *x));
        let known = self.values.iter().filter(|x| !x.is_nan()).count();
        0 < self.keep
            && self.known == known
            && self.values.len() <= self.keep
            && finite
            && (self.head == 0 || (full && self.head < self.keep))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_ring_keeps_the_newest_and_knows_where_nothing_is_known() {
        let mut ring = Minutes::new(5);
        for minute in [100, 101, 104, 105, 106] {
            ring.push(minute, Some(minute as f64));
        }
        ring.push(103, Some(1.0));
        let seen: Vec<_> = (100..=107).map(|minute| ring.at(minute)).collect();
        let known = |x: f64| Some(x);
        assert_eq!(seen, [None, None, None, None, known(104.0), known(105.0), known(106.0), None],);
        assert_eq!((ring.oldest(), ring.newest(), ring.known()), (Some(102), Some(106), 3));
        ring.push(5_000_000, None);
        assert_eq!((ring.oldest(), ring.at(5_000_000), ring.known()), (Some(5_000_000), None, 0));
        assert!(ring.is_sound());
    }

    #[test]
    fn a_mean_is_of_what_is_known_wherever_it_stands_in_the_ring() {
        for pushed in [5, 10, 13, 17, 20, 25] {
            let mut ring = Minutes::new(10);
            (0..pushed).for_each(|m| ring.push(m, (m % 3 != 0).then_some(m as f64)));
            for (first, last) in (-2..pushed + 3).flat_map(|a| (a..a + 12).map(move |b| (a, b))) {
                let known: Vec<f64> = (first..=last).filter_map(|m| ring.at(m)).collect();
                let mean = known.iter().sum::<f64>() / known.len() as f64;
                let expected = (!known.is_empty()).then_some(mean);
                assert_eq!(ring.mean(first, last), expected, "{pushed} {first} {last}");
            }
        }
    }

    #[test]
    fn a_peak_may_hide_in_unknown_minutes() {
        let mut ring = Minutes::new(10);
        for (minute, value) in
            [(0, Some(9.0)), (1, Some(1.0)), (2, None), (3, Some(3.0)), (4, None)]
        {
            ring.push(minute, value);
        }
        assert_eq!(ring.maximum_after(0, 3), Some(3.0));
        assert_eq!(ring.maximum_after(0, 4), None);
        assert_eq!(ring.maximum_after(4, 2), None);
        assert_eq!(ring.mean(1, 4), Some(2.0));
    }

    #[test]
    fn a_stored_ring_comes_back_bit_for_bit() {
        let mut ring = Minutes::new(3);
        for (minute, value) in [(7, Some(0.1)), (8, None), (9, Some(1e-30)), (10, Some(1e30))] {
            ring.push(minute, value);
        }
        let text = serde_json::to_string(&ring).expect("JSON");
        let back: Minutes = serde_json::from_str(&text).expect("a ring");
        assert!(back.is_sound());
        assert_eq!(
            (7..12).map(|m| back.at(m)).collect::<Vec<_>>(),
            (7..12).map(|m| ring.at(m)).collect::<Vec<_>>()
        );
        assert!(
            serde_json::from_str::<Minutes>(&text.replace("\"values\":\"", "\"values\":\"AA"))
                .is_err()
        );
    }
}
