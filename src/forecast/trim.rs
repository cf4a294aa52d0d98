//! A slow correction of the head-room, so that the bound holds as often as was asked for.
//!
//! In: whether each outcome stayed under its bound. Out: a factor for the head-room.
//! Never: moves fast: bursts are the business of the quantiles.

use serde::{Deserialize, Serialize};

/// A miss raises the head-room by this share; the many hits between let it sink back. Twice
/// this chases single bursts, none at all costs a few percent of the bill.
const STEP: f64 = 0.005;
/// The quantiles are right up to a factor of two, or something else is wrong.
const RANGE: (f64, f64) = (0.5, 2.0);

/// The factor, near one.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub(super) struct Trim(f64);

impl Trim {
    pub(super) fn new() -> Self {
        Self(1.0)
    }

    pub(super) fn factor(&self) -> f64 {
        self.0
    }

    /// Adaptive conformal inference on the head-room itself:
    /// `factor *= exp(step (missed - (1 - level)))`.
    pub(super) fn learn(&mut self, missed: bool, level: f64) {
        let missed = if missed { 1.0 } else { 0.0 };
        let moved = self.0 * (STEP * (missed - (1.0 - level))).exp();
        self.0 = moved.clamp(RANGE.0, RANGE.1);
    }

    pub(super) fn is_sound(&self) -> bool {
        (RANGE.0..=RANGE.1).contains(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_trim_stands_still_where_misses_are_as_rare_as_asked() {
        let mut trim = Trim::new();
        (0..10_000).for_each(|minute| trim.learn(minute % 20 == 0, 0.95));
        assert!((trim.factor() - 1.0).abs() < 0.01);
        (0..1000).for_each(|minute| trim.learn(minute % 5 == 0, 0.95));
        assert!(1.5 < trim.factor());
        (0..100_000).for_each(|_| trim.learn(true, 0.95));
        assert_eq!(trim.factor(), 2.0);
        (0..100_000).for_each(|_| trim.learn(false, 0.95));
        assert_eq!(trim.factor(), 0.5);
    }
}
