//! `schedule`: bounds that hold at certain times.

use super::super::super::fields::{self, Fields, Notes, Value, refuse};
use super::super::super::nearest::nearest;
use super::super::super::schedule::{CronPattern, WallTime, Window, Zone};
use super::super::super::settings::{Bounds, ScheduleRule, When};
use crate::domain::{Duration, NodeCount, after};

/// The shortest window: cron knows no shorter time, and no node comes sooner.
const SHORTEST: Duration = Duration::from_secs(60);

/// Reads one; `bounds` are the policy's own, or `None` where they could not be read.
pub(super) fn schedule(
    value: Value<'_>,
    bounds: Option<Bounds>,
    notes: &mut Notes,
) -> Option<ScheduleRule> {
    let mut fields = Fields::of(value, notes)?;
    let timezone = fields.required("timezone", "Europe/Berlin", notes, zone);
    let cron = fields.optional("cron", notes, cron);
    let from = fields.optional("from", notes, wall_time);
    let until = fields.optional("until", notes, wall_time);
    let lasts = fields.optional("lasts", notes, fields::duration_from(SHORTEST));
    let within = |value: Value<'_>, notes: &mut Notes| within_bounds(value, bounds, notes);
    let at_least = fields.optional("at_least", notes, within);
    let at_most = fields.optional("at_most", notes, within);
    let (until_at, most_at) = (fields.place("until"), fields.place("at_most"));
    fields.finish(notes);

    let (cron, from, until, lasts) = (cron?, from?, until?, lasts?);
    let times = match (cron, from, until, lasts) {
        (Some(cron), None, None, Some(lasts)) => Times::Again { cron, lasts },
        (None, Some(from), Some(until), None) => Times::Until { from, until },
        (None, Some(from), None, Some(lasts)) => Times::Lasting { from, lasts },
        _ => {
            let what = "`schedule` does not say when it begins and ends";
            let help = "give it `cron` and `lasts`, or `from` and `until`, or `from` and `lasts`";
            return refuse(notes, value.node.at, what, help);
        }
    };
    let (at_least, at_most) = (at_least?, at_most?);
    match (at_least, at_most) {
        (None, None) => {
            let what = "`schedule` has neither `at_least` nor `at_most`, so it changes nothing";
            return refuse(notes, value.node.at, what, "add one, such as `at_least: 8`");
        }
        (Some(floor), Some(ceiling)) if ceiling < floor => {
            let (floor, ceiling) = (floor.0, ceiling.0);
            let what = format!("`at_most` is {ceiling}, below `at_least`, which is {floor}");
            return refuse(notes, most_at, what, "raise `at_most` or lower `at_least`");
        }
        _ => {}
    }
    let timezone = timezone?;
    let when = match times {
        Times::Again { cron, lasts } => Some(When::Again { cron, lasts }),
        Times::Until { from, until } => {
            let window = timezone.begin(from).zip(timezone.end(until));
            let window = window.map(|(opens, closes)| Window { opens, closes });
            let is_sane = |window: &Window| {
                after(window.opens, SHORTEST) <= window.closes
                    && window.closes <= after(window.opens, fields::LONGEST)
            };
            window.filter(is_sane).map(When::Once)
        }
        Times::Lasting { from, lasts } => timezone
            .begin(from)
            .map(|opens| When::Once(Window { opens, closes: after(opens, lasts) })),
    };
    match when {
        Some(when) => Some(ScheduleRule { timezone, when, at_least, at_most }),
        None => {
            let what = "`until` is not a minute to ten years after `from`";
            refuse(notes, until_at, what, "write a later time, or give `lasts` instead")
        }
    }
}

/// The times as they were written.
enum Times {
    Again { cron: CronPattern, lasts: Duration },
    Until { from: WallTime, until: WallTime },
    Lasting { from: WallTime, lasts: Duration },
}

pub(in crate::policy::read) fn zone(value: Value<'_>, notes: &mut Notes) -> Option<Zone> {
    let name = fields::line(value, notes)?;
    if let Some(zone) = Zone::named(&name) {
        return Some(zone);
    }
    let shown: String = name.chars().take(60).collect();
    let what = format!("`{shown}` is no time zone");
    let names = Zone::names();
    let help = match nearest_zone(&name, &names) {
        Some(near) => format!("did you mean `{near}`?"),
        None => "write a name of the IANA database, such as Europe/Berlin or UTC".to_owned(),
    };
    refuse(notes, value.node.at, what, help)
}

/// The zone that was probably meant: with a slip in it, or a city without its continent or with
/// another one.
fn nearest_zone<'n>(written: &str, names: &'n [String]) -> Option<&'n str> {
    // The words are compared in small letters, with `_` for `-`.
    let plain: Vec<String> =
        names.iter().map(|name| name.to_lowercase().replace('-', "_")).collect();
    let written = written.to_lowercase().replace([' ', '-'], "_");
    let city = |name: &str| name.rsplit('/').next().unwrap_or_default().to_owned();
    let cities: Vec<String> = plain.iter().map(|name| city(name)).collect();
    let place_of = |words: &[String], word: &str| words.iter().position(|known| known == word);
    let place_near = |words: &[String], word: &str| {
        place_of(words, nearest(word, words.iter().map(String::as_str))?)
    };
    let place = place_of(&cities, &city(&written))
        .or_else(|| place_near(&plain, &written))
        .or_else(|| place_near(&cities, &city(&written)))?;
    Some(&names[place])
}

pub(in crate::policy::read) fn cron(value: Value<'_>, notes: &mut Notes) -> Option<CronPattern> {
    let written = fields::line(value, notes)?;
    match CronPattern::parse(&written) {
        Ok(cron) => Some(cron),
        Err(error) => {
            let shown: String = written.chars().take(60).collect();
            let what = format!("`{}` is no cron pattern: `{shown}`: {error}", value.name);
            let help = "write minute, hour, day, month and weekday, such as '0 17 * * 1-5'";
            refuse(notes, value.node.at, what.trim_end_matches('.'), help)
        }
    }
}

pub(in crate::policy::read) fn wall_time(value: Value<'_>, notes: &mut Notes) -> Option<WallTime> {
    let written = fields::line(value, notes)?;
    match WallTime::parse(&written) {
        Some(time) => Some(time),
        None => {
            let shown: String = written.chars().take(60).collect();
            let what = format!("`{}` is no day and time: `{shown}`", value.name);
            let help = "write one such as '2026-12-24 17:00', on the clock of `timezone`";
            refuse(notes, value.node.at, what, help)
        }
    }
}

fn within_bounds(value: Value<'_>, bounds: Option<Bounds>, notes: &mut Notes) -> Option<NodeCount> {
    let count = NodeCount(fields::whole(0, u32::MAX)(value, notes)?);
    match bounds {
        Some(Bounds { min, max, .. }) if !(min..=max).contains(&count) => {
            let what = format!(
                "`{}` is {}, outside of `bounds`, which are {} to {}",
                value.name, count.0, min.0, max.0
            );
            refuse(notes, value.node.at, what, "choose a count between them, or widen `bounds`")
        }
        _ => Some(count),
    }
}
