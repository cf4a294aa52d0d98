//! What the operator may say about forecasts.
//!
//! In: numbers of a policy. Out: values that can only be right. Never: decides anything.

use std::time::Duration;

use serde::{Deserialize, Serialize};

/// How to forecast one pool's demand.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct ForecastSettings {
    /// How far ahead the bound must hold: until a node that is ordered now serves (learned
    /// from boots) and the pool has been looked at once more. Rounded up to whole minutes.
    pub horizon: Duration,
    /// The price of a short node-minute against an idle one.
    pub level: Level,
    /// Over how long a measured rate is a mean: `[60s]` in its query is a minute.
    pub window: Duration,
    /// History to wait for before the first bound may be used.
    pub need: Duration,
    /// Whether the bound counts or is only shown.
    pub mode: Mode,
}

impl ForecastSettings {
    /// Forecasts over `horizon` with everything else as it is by default.
    pub fn new(horizon: Duration) -> Self {
        Self {
            horizon,
            level: Level::default(),
            window: Duration::from_secs(60),
            // One day shows each minute of the hour 24 times, the fewest that say something
            // about bursts by the clock. A second day would help the daily profile only.
            need: Duration::from_secs(24 * 3600),
            mode: Mode::Raise,
        }
    }

    /// The horizon in minutes of the grid. One more than asked for, because the newest closed
    /// minute is up to one minute old.
    pub(super) fn minutes(&self) -> i64 {
        let asked = self.horizon.as_secs_f64() / 60.0;
        // Beyond an hour a node is no answer to a burst, and the grid is too fine.
        asked.ceil().clamp(1.0, 60.0) as i64 + 1
    }
}

/// Whether a forecast counts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Mode {
    /// The bound may raise the count.
    #[default]
    Raise,
    /// The bound is worked out and published, and changes nothing.
    ForecastOnly,
}

/// The newsvendor level `short / (short + idle)`: what a short node-minute is worth, of both
/// prices together. 0.95 is nineteen to one.
#[derive(Clone, Copy, Debug, PartialEq, PartialOrd, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(try_from = "f64", into = "f64")]
#[schema(value_type = f64, minimum = 0, maximum = 1)]
pub struct Level(f64);

impl Level {
    /// How many times over a missing node is felt. Ten percent too few nodes do not fail ten
    /// percent of the requests: the queue grows for everyone until the load falls. Bursts in
    /// replayed traces failed one and a half to three times the share that was missing.
    const REACH: f64 = 2.5;

    /// `None` unless between 0.5 and 0.995. Below, idling would be worth more than serving;
    /// above, a week of minutes holds too few examples to learn the quantile from.
    pub fn new(value: f64) -> Option<Self> {
        (0.5..=0.995).contains(&value).then_some(Self(value))
    }

    /// The level as a number.
    pub fn get(self) -> f64 {
        self.0
    }

    /// The share of minutes that the bound should cover: the newsvendor's quantile with the
    /// price of a short minute raised by its reach, `reach s / (reach s + i)`. 0.95 → 0.979.
    pub fn quantile(self) -> f64 {
        let short = Self::REACH * self.0;
        short / (short + 1.0 - self.0)
    }
}

impl Default for Level {
    fn default() -> Self {
        Self(0.95)
    }
}

impl TryFrom<f64> for Level {
    type Error = String;

    fn try_from(value: f64) -> Result<Self, String> {
        Self::new(value).ok_or_else(|| {
            format!("{value} is no newsvendor level: it must be from 0.5 to 0.995, such as 0.95")
        })
    }
}

impl From<Level> for f64 {
    fn from(level: Level) -> f64 {
        level.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_level_is_a_share_that_history_can_show() {
        for wrong in [0.0, 0.49, 0.996, 1.0, f64::NAN, f64::INFINITY] {
            assert_eq!(Level::new(wrong), None, "{wrong}");
        }
        assert!((Level::default().quantile() - 0.979).abs() < 0.001);
        let levels = [0.5, 0.8, 0.95, 0.98, 0.995].map(|x| Level::new(x).expect("a level"));
        assert!(levels.is_sorted_by(|a, b| a.quantile() < b.quantile()));
        assert!(levels.iter().all(|level| level.get() < level.quantile()));
    }

    #[test]
    fn a_horizon_is_whole_minutes_and_one_for_the_open_minute() {
        for (seconds, minutes) in [(0, 2), (60, 2), (61, 3), (180, 4), (86_400, 61)] {
            let settings = ForecastSettings::new(Duration::from_secs(seconds));
            assert_eq!(settings.minutes(), minutes, "{seconds} s");
        }
    }
}
