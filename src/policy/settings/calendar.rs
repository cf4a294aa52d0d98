//! The calendar: campaigns that come by themselves.

use serde::Serialize;

use super::super::schedule::{CronPattern, Zone};
use crate::domain::{CampaignKind, Duration, HintSize, Timestamp};

/// A campaign of the calendar, once or again and again.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct CalendarEntry {
    /// What kind of campaign it is: those of one kind teach what the next one brings.
    pub kind: CampaignKind,
    /// Whose clock its times are on.
    pub timezone: Zone,
    /// When the first message is sent.
    pub comes: Comes,
    /// How large it is.
    pub size: HintSize,
    /// Over how long the messages are sent; a day at most.
    #[serde(with = "humantime_serde")]
    pub spread: Duration,
    /// How long after that it still counts; a day at most.
    #[serde(with = "humantime_serde")]
    pub tail: Duration,
    /// Why, in the words of who wrote it; never empty.
    pub reason: String,
}

/// When a campaign of the calendar comes.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Comes {
    /// Again and again.
    Again(CronPattern),
    /// One time.
    Once(Timestamp),
}
