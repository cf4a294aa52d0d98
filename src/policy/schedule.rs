//! When a schedule's windows are open, and what the bounds are meanwhile.
//!
//! In: a policy, and a moment.
//! Out: the bounds that hold then, and when they change next.
//! Never: reads a clock or the machine's own time zones: the rules of all zones are part of the
//! program, so that every machine comes to the same moments.
//!
//! A window is real time: three hours are three hours, also in a night in which clocks change. A
//! start that a spring night leaves out is the first moment after the gap; of one that comes twice
//! it is the first. (A pattern that repeats within the hour, such as `*/15 * * * *`, goes on through
//! both.) The end of a one-off window that comes twice is the second.

use std::fmt;

use croner::parser::{CronParser, Seconds, Year};
use croner::{Cron, Direction};
use jiff::civil::DateTime;
use jiff::tz::{AmbiguousOffset, TimeZone, TimeZoneDatabase};
use serde::{Serialize, Serializer};

use super::settings::{Comes, Policy, Rule, ScheduleRule, When};
use crate::domain::{Duration, NodeCount, Timestamp, after};

/// A time zone by its name in the IANA database.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Zone {
    name: String,
    rules: TimeZone,
}

/// A cron pattern of five fields that comes again and again.
#[derive(Clone, PartialEq)]
pub struct CronPattern {
    written: String,
    // It is much larger than every other rule.
    cron: Box<Cron>,
}

/// A time on the clock of some zone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct WallTime(DateTime);

/// From its beginning up to, but not including, its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Window {
    /// The first moment inside.
    pub opens: Timestamp,
    /// The first moment outside again.
    pub closes: Timestamp,
}

/// The bounds at one moment: those of the policy, moved by the windows that are open.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EffectiveBounds {
    /// Never fewer.
    pub min: NodeCount,
    /// Never more.
    pub max: NodeCount,
    /// When the window closes that raises `min`; none where it is the policy's own.
    pub floor_until: Option<Timestamp>,
    /// When the window closes that lowers `max`; none where it is the policy's own.
    pub ceiling_until: Option<Timestamp>,
}

impl Policy {
    /// The bounds at a moment: of all open windows the highest floor and the lowest ceiling. Where
    /// these cross, the floor holds, because a node too few costs more than one too many; nothing
    /// passes `bounds.max`.
    pub fn bounds_at(&self, at: Timestamp) -> EffectiveBounds {
        let (min, max) = (self.bounds.min, self.bounds.max);
        let mut bounds = EffectiveBounds { min, max, floor_until: None, ceiling_until: None };
        for (rule, window) in self.schedules().filter_map(|rule| Some((rule, rule.open(at)?))) {
            // Of two windows with the same count, the one that closes later speaks.
            let outlasts = |until: Option<Timestamp>| until.is_some_and(|at| at < window.closes);
            let floor = rule.at_least.map(|floor| floor.min(max)).filter(|floor| {
                *floor > bounds.min || (*floor == bounds.min && outlasts(bounds.floor_until))
            });
            if let Some(floor) = floor {
                (bounds.min, bounds.floor_until) = (floor, Some(window.closes));
            }
            let ceiling = rule.at_most.filter(|ceiling| {
                *ceiling < bounds.max || (*ceiling == bounds.max && outlasts(bounds.ceiling_until))
            });
            if let Some(ceiling) = ceiling {
                (bounds.max, bounds.ceiling_until) = (ceiling, Some(window.closes));
            }
        }
        if bounds.max < bounds.min {
            (bounds.max, bounds.ceiling_until) = (bounds.min, bounds.floor_until);
        }
        bounds
    }

    /// The next moment after `at` and up to `horizon` at which a window opens or closes.
    pub fn next_window_edge(&self, at: Timestamp, horizon: Timestamp) -> Option<Timestamp> {
        let edges = self.schedules().flat_map(|rule| {
            let closes = rule.open(at).map(|window| window.closes);
            let opens = rule.next(at).map(|window| window.opens);
            [closes, opens].into_iter().flatten()
        });
        edges.filter(|edge| *edge <= horizon).min()
    }

    fn schedules(&self) -> impl Iterator<Item = &ScheduleRule> {
        self.rules.iter().filter_map(|rule| match rule {
            Rule::Schedule(schedule) => Some(schedule),
            Rule::Target(_) | Rule::Latency(_) | Rule::Count(_) => None,
            Rule::Fixed(_) | Rule::Step(_) | Rule::Forecast(_) | Rule::Surge(_) | Rule::Hint(_) => {
                None
            }
        })
    }
}

/// The keys of schedules and campaigns whose only time is over by `now`: they never do anything
/// again.
pub fn expired(policy: &Policy, now: Timestamp) -> Vec<String> {
    let rules = policy.rules.iter().enumerate();
    let expired_rules = rules.filter(|(_, rule)| match rule {
        Rule::Schedule(rule) => match &rule.when {
            When::Once(window) => window.closes <= now,
            When::Again { .. } => false,
        },
        Rule::Target(_) | Rule::Latency(_) | Rule::Count(_) => false,
        Rule::Fixed(_) | Rule::Step(_) | Rule::Forecast(_) | Rule::Surge(_) | Rule::Hint(_) => {
            false
        }
    });
    let keys = expired_rules.map(|(place, _)| format!("rules[{place}].schedule"));
    let entries = policy.hints.iter().enumerate();
    let expired_entries = entries.filter(|(_, entry)| match entry.comes {
        Comes::Once(at) => after(at, entry.length()) <= now,
        Comes::Again(_) => false,
    });
    keys.chain(expired_entries.map(|(place, _)| format!("hints[{place}]"))).collect()
}

impl ScheduleRule {
    /// The window that is open at a moment; the one that closes last, where several are.
    pub fn open(&self, at: Timestamp) -> Option<Window> {
        let window = match &self.when {
            When::Once(window) => *window,
            When::Again { cron, lasts } => {
                cron.window(&self.timezone, at, *lasts, Direction::Backward)?
            }
        };
        (window.opens <= at && at < window.closes).then_some(window)
    }

    /// The first window that opens after a moment; none where none ever does.
    pub fn next(&self, at: Timestamp) -> Option<Window> {
        let window = match &self.when {
            When::Once(window) => *window,
            When::Again { cron, lasts } => {
                cron.window(&self.timezone, at, *lasts, Direction::Forward)?
            }
        };
        (at < window.opens).then_some(window)
    }
}

impl CronPattern {
    /// Reads minute, hour, day, month and weekday.
    ///
    /// Fails with a sentence where it is no such pattern, or one that never comes.
    pub fn parse(written: &str) -> Result<Self, String> {
        let parser = CronParser::builder().seconds(Seconds::Disallowed).year(Year::Disallowed);
        let cron = parser.build().parse(written).map_err(|error| error.to_string())?;
        let pattern = Self { written: written.to_owned(), cron: Box::new(cron) };
        // Any moment does: a leap day comes within eight years of every one.
        let utc = Zone { name: "UTC".into(), rules: TimeZone::UTC };
        match pattern.window(&utc, Timestamp::UNIX_EPOCH, Duration::ZERO, Direction::Forward) {
            Some(_) => Ok(pattern),
            None => Err("no such day ever comes".into()),
        }
    }

    /// Whether one window begins before the last one ended, again and again.
    pub fn is_always_open(&self, zone: &Zone, lasts: Duration) -> bool {
        // A year of days tells; any year does.
        const MOST: usize = 366;
        let mut at = Timestamp::UNIX_EPOCH;
        for _ in 0..MOST {
            let Some(window) = self.window(zone, at, lasts, Direction::Forward) else {
                return false;
            };
            if at != Timestamp::UNIX_EPOCH && after(at, lasts) < window.opens {
                return false;
            }
            at = window.opens;
        }
        true
    }

    /// As it was written.
    pub fn as_str(&self) -> &str {
        &self.written
    }

    /// The first time from a moment on, that moment included.
    pub fn first_from(&self, zone: &Zone, at: Timestamp) -> Option<Timestamp> {
        let at = at.to_zoned(zone.rules.clone());
        self.cron.find_next_occurrence(&at, true).ok().map(|found| found.timestamp())
    }

    /// The first time after a moment.
    pub fn next_after(&self, zone: &Zone, at: Timestamp) -> Option<Timestamp> {
        let next = self.window(zone, at, Duration::ZERO, Direction::Forward)?.opens;
        // In a night in which the clock goes back, a pattern must not stand still.
        (at < next).then_some(next)
    }

    /// The window that opened last (now included), or that opens next.
    fn window(
        &self,
        zone: &Zone,
        at: Timestamp,
        lasts: Duration,
        direction: Direction,
    ) -> Option<Window> {
        let at = at.to_zoned(zone.rules.clone());
        let found = match direction {
            Direction::Backward => self.cron.find_previous_occurrence(&at, true),
            Direction::Forward => self.cron.find_next_occurrence(&at, false),
        };
        let opens = found.ok()?.timestamp();
        Some(Window { opens, closes: after(opens, lasts) })
    }
}

impl Zone {
    /// The zone of a name, in any case of letters; `None` where there is none.
    pub fn named(name: &str) -> Option<Self> {
        let rules = TimeZoneDatabase::bundled().get(name).ok()?;
        let name = rules.iana_name()?.to_owned();
        Some(Self { name, rules })
    }

    /// The names of all zones.
    pub fn names() -> Vec<String> {
        TimeZoneDatabase::bundled().available().map(|name| name.to_string()).collect()
    }

    /// Its name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// A moment on this zone's clock: `2026-12-24 17:00:00`.
    pub fn written(&self, moment: Timestamp) -> String {
        moment.to_zoned(self.rules.clone()).strftime("%Y-%m-%d %H:%M:%S").to_string()
    }

    /// The moment of a time on this zone's clock that a window begins at; `None` where it is
    /// beyond all time.
    pub fn begin(&self, time: WallTime) -> Option<Timestamp> {
        let ambiguous = self.rules.to_ambiguous_timestamp(time.0);
        match ambiguous.offset() {
            AmbiguousOffset::Gap { .. } => self.end_of_gap(time),
            AmbiguousOffset::Unambiguous { .. } | AmbiguousOffset::Fold { .. } => {
                ambiguous.earlier().ok()
            }
        }
    }

    /// The moment of a time on this zone's clock that a window ends at.
    pub fn end(&self, time: WallTime) -> Option<Timestamp> {
        let ambiguous = self.rules.to_ambiguous_timestamp(time.0);
        match ambiguous.offset() {
            AmbiguousOffset::Gap { .. } => self.end_of_gap(time),
            AmbiguousOffset::Unambiguous { .. } | AmbiguousOffset::Fold { .. } => {
                ambiguous.later().ok()
            }
        }
    }

    /// The first moment after the gap that a time falls into: the moment of the change itself.
    fn end_of_gap(&self, time: WallTime) -> Option<Timestamp> {
        let before_gap = self.rules.to_ambiguous_timestamp(time.0).earlier().ok()?;
        self.rules.following(before_gap).next().map(|change| change.timestamp())
    }
}

impl WallTime {
    /// Reads `2026-12-24 17:00`, with seconds or a `T` between if one likes.
    pub fn parse(written: &str) -> Option<Self> {
        // Other years are a slip of the finger, and time arithmetic stays safe.
        let is_near = |time: &DateTime| (1970..3000).contains(&time.year());
        let forms = ["%Y-%m-%d %H:%M", "%Y-%m-%d %H:%M:%S", "%Y-%m-%dT%H:%M", "%Y-%m-%dT%H:%M:%S"];
        forms
            .iter()
            .find_map(|form| DateTime::strptime(form, written).ok())
            .filter(is_near)
            .map(Self)
    }
}

impl fmt::Debug for CronPattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // All its tables of minutes and days would hide a whole policy.
        f.debug_tuple("CronPattern").field(&self.written).finish()
    }
}

impl fmt::Display for Zone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name)
    }
}

impl Serialize for Zone {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.name)
    }
}

impl Serialize for CronPattern {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.written)
    }
}

impl Serialize for Window {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        [self.opens, self.closes].serialize(serializer)
    }
}
