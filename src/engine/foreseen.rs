//! What a forecast said, as far as a decision goes: it is stored with each observation, so that a
//! decision can be made again without the forecaster.
//!
//! In: a forecast.
//! Out: its bound, how good such bounds have been, and whether to believe it.
//! Never: asks a forecaster.

use serde::{Deserialize, Serialize};

use crate::domain::Duration;
use crate::forecast::{Doubt, Forecast, Level, Verdict};

/// What is expected of one signal.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Foreseen {
    /// What the largest demand within the horizon should stay under, in requests per second.
    pub bound: f64,
    /// What is expected as the largest demand within the horizon, in requests per second.
    pub expected: f64,
    /// What a short node-minute is worth, of that and an idle one together.
    pub level: Level,
    /// How far ahead it looks.
    pub horizon_seconds: u64,
    /// Mean distance of what was expected from what came over about a day, as a share of what came.
    pub error: Option<f64>,
    /// Share of outcomes over about a day that stayed under their bound.
    pub coverage: Option<f64>,
    /// How much measured demand it knows.
    pub history_seconds: u64,
    /// Whether to believe it.
    pub belief: Belief,
}

/// Whether to believe a forecast.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(tag = "belief", rename_all = "snake_case")]
pub enum Belief {
    /// It may raise the count.
    Trusted,
    /// It knows too little yet.
    NotEnoughHistory {
        /// How much it knows.
        have_seconds: u64,
        /// How much it takes.
        need_seconds: u64,
    },
    /// Nothing was measured for too long.
    Silent {
        /// How long.
        seconds: u64,
    },
    /// Its bounds have cost more than merely reacting would have.
    CostlierThanReacting {
        /// What they cost, as a multiple of the cost of reacting.
        times: f64,
    },
}

impl From<&Forecast> for Foreseen {
    fn from(forecast: &Forecast) -> Self {
        Self {
            bound: forecast.bound,
            expected: forecast.expected,
            level: forecast.level,
            horizon_seconds: forecast.horizon.as_secs(),
            error: forecast.error,
            coverage: forecast.coverage,
            history_seconds: forecast.history.as_secs(),
            belief: Belief::from(&forecast.verdict),
        }
    }
}

impl From<&Verdict> for Belief {
    fn from(verdict: &Verdict) -> Self {
        let seconds = |length: &Duration| length.as_secs();
        match verdict {
            Verdict::Trusted => Self::Trusted,
            Verdict::NotEnoughHistory { have, need } => {
                let (have_seconds, need_seconds) = (seconds(have), seconds(need));
                Self::NotEnoughHistory { have_seconds, need_seconds }
            }
            Verdict::Distrusted { why: Doubt::Silent { lasting } } => {
                Self::Silent { seconds: seconds(lasting) }
            }
            Verdict::Distrusted { why: Doubt::CostlierThanReacting { times } } => {
                // JSON knows no infinity.
                Self::CostlierThanReacting { times: times.min(f64::MAX) }
            }
        }
    }
}
