//! Whom to believe: weights from what each forecast has cost lately.
//!
//! In: what each of several forecasts said and what came. Out: their weights.
//! Never: rules one out for good: whoever turns cheap again is heard again.

use serde::{Deserialize, Serialize};

/// The newsvendor's cost of having provided for `said` when `came` came, at the quantile
/// `level`: a unit too little costs `level`, a unit too much `1 - level`.
pub(super) fn newsvendor_cost(came: f64, said: f64, level: f64) -> f64 {
    let short = came - said;
    if 0.0 < short { level * short } else { (level - 1.0) * short }
}

/// Fading mean costs of several forecasts.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Costs {
    keep: f64,
    weight: f64,
    sums: Vec<f64>,
}

impl Costs {
    /// Of `count` forecasts; a cost counts half after `half_life` minutes.
    pub(super) fn new(count: usize, half_life: f64) -> Self {
        Self { keep: 0.5_f64.powf(1.0 / half_life), weight: 0.0, sums: vec![0.0; count] }
    }

    /// Takes in what one minute has cost each.
    pub(super) fn add(&mut self, costs: impl Iterator<Item = f64>) {
        self.sums.iter_mut().zip(costs).for_each(|(sum, cost)| *sum = *sum * self.keep + cost);
        self.weight = self.weight * self.keep + 1.0;
    }

    /// Weights that add up to one: `exp(-sharpness (cost / lowest - 1))`, after the
    /// exponentially weighted forecaster, with costs relative to the best so that no unit
    /// matters. `least` keeps a lucky zero from silencing the others. Equal weights before
    /// the first cost.
    pub(super) fn weights(&self, sharpness: f64, least: f64) -> Vec<f64> {
        let means: Vec<f64> = self.sums.iter().map(|sum| sum / self.weight.max(1.0)).collect();
        let lowest = means.iter().copied().fold(f64::INFINITY, f64::min);
        let unit = lowest.max(least).max(f64::MIN_POSITIVE);
        let raw: Vec<f64> =
            means.iter().map(|mean| (-sharpness * (mean - lowest) / unit).exp()).collect();
        let all: f64 = raw.iter().sum();
        raw.iter().map(|weight| weight / all).collect()
    }

    /// How many minutes the costs rest on.
    pub(super) fn weight(&self) -> f64 {
        self.weight
    }

    /// Whether the parts fit together; what comes from a store may not.
    pub(super) fn is_sound(&self, count: usize) -> bool {
        self.sums.len() == count && self.sums.iter().all(|sum| 0.0 <= *sum)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn too_little_costs_more_than_too_much() {
        assert!((newsvendor_cost(10.0, 8.0, 0.95) - 1.9).abs() < 1e-12);
        assert!((newsvendor_cost(8.0, 10.0, 0.95) - 0.1).abs() < 1e-12);
    }

    #[test]
    fn the_cheapest_is_believed_most_whatever_the_unit() {
        for unit in [1e-6, 1.0, 1e6] {
            let mut costs = Costs::new(3, 100.0);
            (0..50).for_each(|_| costs.add([1.0 * unit, 1.1 * unit, 3.0 * unit].into_iter()));
            let weights = costs.weights(10.0, 0.0);
            assert!((weights.iter().sum::<f64>() - 1.0).abs() < 1e-12);
            assert!((weights[1] / weights[0] - (-1.0_f64).exp()).abs() < 1e-6, "{weights:?}");
            assert!(weights[2] < 1e-6);
        }
    }

    #[test]
    fn equal_before_anything_is_known_and_whoever_recovers_is_heard_again() {
        let mut costs = Costs::new(2, 10.0);
        assert_eq!(costs.weights(10.0, 0.0), [0.5, 0.5]);
        (0..100).for_each(|_| costs.add([0.0, 5.0].into_iter()));
        (0..100).for_each(|_| costs.add([5.0, 0.0].into_iter()));
        assert!(0.9 < costs.weights(10.0, 0.0)[1]);
    }
}
