//! A schedule: bounds that hold at certain times.

use serde::Serialize;

use super::super::schedule::{CronPattern, Window, Zone};
use crate::domain::{Duration, NodeCount};

/// Bounds that hold while a window is open. At least one of the two is there; each is within the
/// policy's own bounds, and the floor is not above the ceiling.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ScheduleRule {
    /// Whose clock its times are on.
    pub timezone: Zone,
    /// When the window is open.
    pub when: When,
    /// Never fewer meanwhile.
    pub at_least: Option<NodeCount>,
    /// Never more meanwhile.
    pub at_most: Option<NodeCount>,
}

/// When a window is open.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum When {
    /// Again and again.
    Again {
        /// When it opens.
        cron: CronPattern,
        /// For how long; above zero.
        #[serde(with = "humantime_serde")]
        lasts: Duration,
    },
    /// One time; it closes after it opens.
    Once(Window),
}
