//! Units that can't be mixed up, built once at the edge and trusted after.

use std::fmt;

use serde::{Deserialize, Serialize};

/// A number of nodes.
#[derive(
    Clone,
    Copy,
    Debug,
    Default,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    Serialize,
    Deserialize,
    utoipa::ToSchema,
)]
#[serde(transparent)]
pub struct NodeCount(pub u32);

impl NodeCount {
    /// No nodes.
    pub const ZERO: Self = Self(0);

    /// `self + more`, held at the largest count instead of overflowing.
    pub fn plus(self, more: u32) -> Self {
        Self(self.0.saturating_add(more))
    }

    /// `self - fewer`, and zero instead of less.
    pub fn minus(self, fewer: u32) -> Self {
        Self(self.0.saturating_sub(fewer))
    }
}

impl fmt::Display for NodeCount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            1 => write!(f, "1 node"),
            n => write!(f, "{n} nodes"),
        }
    }
}

/// A finite rate of zero or more, in requests per second.
#[derive(Clone, Copy, Debug, PartialEq, PartialOrd, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(try_from = "f64", into = "f64")]
#[schema(value_type = f64, minimum = 0)]
pub struct RequestsPerSecond(f64);

impl RequestsPerSecond {
    /// `None` for a negative, infinite or absent (NaN) value.
    pub fn new(value: f64) -> Option<Self> {
        (value.is_finite() && 0.0 <= value).then_some(Self(value))
    }

    /// The rate as a number, in requests per second.
    pub fn get(self) -> f64 {
        self.0
    }
}

impl TryFrom<f64> for RequestsPerSecond {
    type Error = String;

    fn try_from(value: f64) -> Result<Self, String> {
        Self::new(value)
            .ok_or_else(|| format!("{value} is no rate: it must be finite and at least 0"))
    }
}

impl From<RequestsPerSecond> for f64 {
    fn from(rate: RequestsPerSecond) -> f64 {
        rate.0
    }
}

/// A finite percentage of zero or more; above 100 is legal ("at most 200 % more").
#[derive(
    Clone, Copy, Debug, Default, PartialEq, PartialOrd, Serialize, Deserialize, utoipa::ToSchema,
)]
#[serde(try_from = "f64", into = "f64")]
#[schema(value_type = f64, minimum = 0)]
pub struct Percent(f64);

impl Percent {
    /// `None` for a negative, infinite or absent (NaN) value.
    pub fn new(value: f64) -> Option<Self> {
        (value.is_finite() && 0.0 <= value).then_some(Self(value))
    }

    /// The percentage as written: 15 for "15 %".
    pub fn get(self) -> f64 {
        self.0
    }

    /// The percentage as a share of one: 0.15 for "15 %".
    pub fn fraction(self) -> f64 {
        self.0 / 100.0
    }
}

impl TryFrom<f64> for Percent {
    type Error = String;

    fn try_from(value: f64) -> Result<Self, String> {
        Self::new(value)
            .ok_or_else(|| format!("{value} is no percentage: it must be finite and at least 0"))
    }
}

impl From<Percent> for f64 {
    fn from(percent: Percent) -> f64 {
        percent.0
    }
}

impl fmt::Display for Percent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} %", self.0)
    }
}
