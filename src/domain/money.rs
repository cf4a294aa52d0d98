//! Money, exact to a millionth of a dollar.

use std::fmt;

use serde::{Deserialize, Serialize};

/// An amount of United States dollars, in millionths: prices such as $0.0075 an hour stay exact.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Dollars {
    millionths: u64,
}

impl Dollars {
    /// `None` for a negative, infinite, absent (NaN) or absurd (over $10^12) amount.
    pub fn new(dollars: f64) -> Option<Self> {
        let sane = dollars.is_finite() && (0.0..=1e12).contains(&dollars);
        sane.then(|| Self { millionths: (dollars * 1e6).round() as u64 })
    }

    /// The amount in dollars.
    pub fn get(self) -> f64 {
        self.millionths as f64 / 1e6
    }

    /// This amount `times` over.
    pub fn times(self, times: u64) -> Self {
        Self { millionths: self.millionths.saturating_mul(times) }
    }
}

impl fmt::Display for Dollars {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "${:.4}", self.get())
    }
}
