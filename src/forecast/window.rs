//! A rolling quantile: the values of the last while, sorted.
//!
//! In: values with their minute, oldest first. Out: a quantile of those young enough.
//! Never: depends on anything but what it holds and the minute it is asked at.

use std::collections::VecDeque;

/// The values of the last `span` minutes.
#[derive(Clone, Debug)]
pub(super) struct Window {
    span: i64,
    by_age: VecDeque<(i64, f32)>,
    sorted: Vec<f32>,
}

impl Window {
    pub(super) fn new(span: i64) -> Self {
        Self { span, by_age: VecDeque::new(), sorted: Vec::new() }
    }

    /// Takes in the value of `minute`, the newest so far.
    pub(super) fn add(&mut self, minute: i64, value: f32) {
        self.forget(minute);
        let place = self.sorted.partition_point(|other| *other < value);
        self.sorted.insert(place, value);
        self.by_age.push_back((minute, value));
    }

    /// The `level` quantile at `now`: the value of rank `ceil(level (n + 1))`, so that the
    /// next value exceeds it with at most the chance that is left (split conformal
    /// prediction). `None` with fewer than `least` values.
    pub(super) fn quantile(&mut self, now: i64, level: f64, least: usize) -> Option<f64> {
        self.forget(now);
        let count = self.sorted.len();
        if count < least.max(1) {
            return None;
        }
        let rank = (level * (count as f64 + 1.0)).ceil() as usize;
        Some(f64::from(self.sorted[rank.clamp(1, count) - 1]))
    }

    fn forget(&mut self, now: i64) {
        while let Some(&(then, old)) = self.by_age.front()
            && then <= now - self.span
        {
            self.by_age.pop_front();
            let place = self.sorted.partition_point(|other| *other < old);
            self.sorted.remove(place);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_quantile_is_of_the_young_values_only() {
        let mut window = Window::new(100);
        (0..100).for_each(|minute| window.add(minute, (99 - minute) as f32));
        assert_eq!(window.quantile(99, 0.5, 1), Some(50.0));
        assert_eq!(window.quantile(99, 0.98, 1), Some(98.0));
        assert_eq!(window.quantile(99, 0.9999, 1), Some(99.0), "never past the largest");
        assert_eq!(window.quantile(149, 0.9999, 1), Some(49.0), "the oldest fifty are gone");
        assert_eq!(window.quantile(149, 0.5, 51), None, "too few to tell");
    }

    proptest::proptest! {
        #[test]
        fn a_higher_level_never_gives_less(
            values in proptest::collection::vec(-1e6_f32..1e6, 1..60),
            low in 0.0..1.0_f64,
            more in 0.0..1.0_f64,
        ) {
            let mut window = Window::new(1000);
            values.iter().enumerate().for_each(|(minute, x)| window.add(minute as i64, *x));
            let high = low + more * (1.0 - low);
            proptest::prop_assert!(window.quantile(60, low, 1) <= window.quantile(60, high, 1));
        }
    }
}
