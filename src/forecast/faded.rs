//! A mean that forgets.
//!
//! In: one value a minute. Out: their mean, the older the less. Never: keeps a value.

use serde::{Deserialize, Serialize};

/// An exponentially fading mean.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Faded {
    /// What each step leaves of the past.
    keep: f64,
    sum: f64,
    weight: f64,
}

impl Faded {
    /// Counts a value half as much after `half_life` more values.
    pub(super) fn new(half_life: f64) -> Self {
        Self { keep: 0.5_f64.powf(1.0 / half_life), sum: 0.0, weight: 0.0 }
    }

    pub(super) fn add(&mut self, value: f64) {
        self.sum = self.sum * self.keep + value;
        self.weight = self.weight * self.keep + 1.0;
    }

    /// `None` before the first value.
    pub(super) fn mean(&self) -> Option<f64> {
        (0.0 < self.weight).then(|| self.sum / self.weight)
    }

    /// How many of the newest values the mean rests on.
    pub(super) fn weight(&self) -> f64 {
        self.weight
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_past_counts_half_after_its_half_life() {
        let mut mean = Faded::new(10.0);
        assert_eq!(mean.mean(), None);
        (0..1000).for_each(|_| mean.add(8.0));
        (0..10).for_each(|_| mean.add(0.0));
        assert!((mean.mean().expect("known") - 4.0).abs() < 1e-9);
    }
}
