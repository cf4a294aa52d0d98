//! Ridge regression that learns from one example after the other.
//!
//! In: features, and later what came. Out: a prediction from features.
//! Never: keeps an example: the sums of products (the normal equations) say it all.

use nalgebra::{Cholesky, DMatrix, DVector};
use serde::{Deserialize, Serialize};

/// Shrinks the coefficients, per example. Features are logarithms of ratios, of about 0.1; a
/// tenth of this overfits quiet pools, ten times this is no better than persistence.
const PENALTY: f64 = 1e-4;
/// What a day of examples counts against the day after it: about four days count.
const FADE: f64 = 0.75;

/// Sums over examples, and the coefficients of the last fit.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Ridge {
    /// Upper triangle of the sums of products of two features, row by row.
    products: Vec<f64>,
    /// Sums of products of a feature with what came.
    outcomes: Vec<f64>,
    /// Examples in the sums.
    count: f64,
    /// Empty before the first fit.
    coefficients: Vec<f64>,
}

impl Ridge {
    pub(super) fn new(features: usize) -> Self {
        let products = vec![0.0; features * (features + 1) / 2];
        Self { products, outcomes: vec![0.0; features], count: 0.0, coefficients: Vec::new() }
    }

    /// Takes in one example.
    pub(super) fn learn(&mut self, features: &[f64], outcome: f64) {
        let mut products = self.products.iter_mut();
        for (row, x) in features.iter().enumerate() {
            features[row..].iter().zip(&mut products).for_each(|(y, sum)| *sum += x * y);
            self.outcomes[row] += x * outcome;
        }
        self.count += 1.0;
    }

    /// At the end of a day: fits anew, then lets what was learned fade.
    ///
    /// Solves `(X'X + penalty n I) b = X'y` by Cholesky. Should rounding have made that
    /// impossible, the coefficients stay as they were.
    pub(super) fn end_day(&mut self) {
        let size = self.outcomes.len();
        let mut matrix = DMatrix::zeros(size, size);
        let mut products = self.products.iter();
        for row in 0..size {
            for (column, sum) in (row..size).zip(&mut products) {
                matrix[(column, row)] = *sum;
            }
            matrix[(row, row)] += PENALTY * self.count;
        }
        if let Some(factors) = Cholesky::new(matrix) {
            let solved = factors.solve(&DVector::from_column_slice(&self.outcomes));
            if solved.iter().all(|coefficient| coefficient.is_finite()) {
                self.coefficients = solved.iter().copied().collect();
            }
        }
        self.products.iter_mut().chain(&mut self.outcomes).for_each(|sum| *sum *= FADE);
        self.count *= FADE;
    }

    /// `None` before the first fit.
    pub(super) fn predict(&self, features: &[f64]) -> Option<f64> {
        let terms = self.coefficients.iter().zip(features).map(|(b, x)| b * x);
        (!self.coefficients.is_empty()).then(|| terms.sum())
    }

    /// Whether the parts fit together; what comes from a store may not.
    pub(super) fn is_sound(&self, features: usize) -> bool {
        self.outcomes.len() == features
            && self.products.len() == features * (features + 1) / 2
            && (self.coefficients.is_empty() || self.coefficients.len() == features)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_regression_finds_the_law_behind_its_examples() {
        let mut ridge = Ridge::new(3);
        assert_eq!(ridge.predict(&[1.0, 2.0, 3.0]), None);
        for step in 0..2000 {
            let (a, b) = ((f64::from(step) * 0.7).sin(), (f64::from(step) * 1.3).cos());
            ridge.learn(&[a, b, 1.0], 0.8 * a - 0.3 * b + 0.1);
        }
        ridge.end_day();
        let predicted = ridge.predict(&[0.5, -0.5, 1.0]).expect("fitted");
        assert!((predicted - 0.65).abs() < 1e-3, "{predicted}");
    }

    #[test]
    fn the_same_feature_twice_is_no_trouble() {
        let mut ridge = Ridge::new(2);
        (0..100).for_each(|step| ridge.learn(&[f64::from(step % 7), f64::from(step % 7)], 1.0));
        ridge.end_day();
        let predicted = ridge.predict(&[3.0, 3.0]).expect("fitted");
        assert!(predicted.is_finite() && 0.0 < predicted);
    }

    #[test]
    fn old_days_fade() {
        let mut ridge = Ridge::new(1);
        for (days, outcome) in [(3, 0.0), (9, 1.0)] {
            for _ in 0..days {
                (0..100).for_each(|_| ridge.learn(&[1.0], outcome));
                ridge.end_day();
            }
        }
        assert!(0.9 < ridge.predict(&[1.0]).expect("fitted"));
    }
}
