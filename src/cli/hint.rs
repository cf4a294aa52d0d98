//! `windlass hint`: campaigns left in the database for the loop.

use std::path::{Path, PathBuf};

use anyhow::{Context, anyhow};
use jiff::tz::TimeZone;

use super::exit::Failure;
use super::hold::{known_pool, owner};
use super::{ConfigArguments, Output};
use crate::domain::{
    CampaignKind, Duration, Hint, HintId, HintSize, HintSource, PoolName, RequestsPerSecond,
    Timestamp, after,
};
use crate::policy::{Policy, Rule};
use crate::ports::{Chance, Clock, SystemChance, SystemClock};
use crate::sim::backtest::read_hints;
use crate::store::{Announcement, HintRecord, Store};

/// Arguments of `windlass hint`.
#[derive(Debug, clap::Args)]
#[group(id = "what", required = true, multiple = false, args = ["at", "within", "file", "list", "cancel"])]
pub(super) struct HintArguments {
    /// The pool.
    pool: PoolName,
    /// When the first message is sent: `18:00` (the next one), or `2026-11-24T18:00:00Z`.
    #[arg(long, value_name = "TIME")]
    at: Option<String>,
    /// Whose clock shows `18:00`, and prints moments: a name such as Europe/Berlin.
    #[arg(long, value_name = "NAME", default_value = "UTC", value_parser = zone)]
    timezone: TimeZone,
    /// The same from now on, such as 15m.
    #[arg(long = "in", value_name = "LENGTH", value_parser = humantime::parse_duration)]
    within: Option<Duration>,
    /// How many devices are sent a message.
    #[arg(long, value_name = "N", conflicts_with_all = ["rps", "file", "list", "cancel"])]
    devices: Option<u64>,
    /// How many requests per second come on top, at most.
    #[arg(long, value_name = "RATE", conflicts_with_all = ["file", "list", "cancel"])]
    rps: Option<f64>,
    /// Over how long the messages are sent.
    #[arg(long, value_name = "LENGTH", default_value = "2m", value_parser = humantime::parse_duration)]
    spread: Duration,
    /// How long after that it still counts; ten minutes by default.
    #[arg(long, value_name = "LENGTH", value_parser = humantime::parse_duration)]
    tail: Option<Duration>,
    /// What kind of campaign it is; those of one kind teach what the next one brings.
    #[arg(long, value_name = "NAME", default_value = "campaign")]
    kind: CampaignKind,
    /// Why; kept in the journal.
    #[arg(long)]
    reason: Option<String>,
    /// Many at once: CSV with the header `announced_at_seconds,expected_start_seconds,
    /// expected_extra_requests,expected_fanout_seconds`, times in Unix seconds.
    #[arg(long, value_name = "FILE")]
    file: Option<PathBuf>,
    /// Show what is announced and not over.
    #[arg(long)]
    list: bool,
    /// Take one back.
    #[arg(long, value_name = "ID")]
    cancel: Option<HintId>,
    /// How to print.
    #[arg(long, value_enum, default_value_t)]
    output: Output,
    #[command(flatten)]
    config: ConfigArguments,
}

/// No campaign is planned longer ahead, and a typing mistake in a year would wait as long.
const LONGEST_AHEAD: Duration = Duration::from_secs(366 * 86_400);
/// Longer sending is no campaign, but the daily load.
const LONGEST: Duration = Duration::from_secs(86_400);

pub(super) async fn hint(arguments: HintArguments) -> Result<(), Failure> {
    let pool = &arguments.pool;
    let (config, policy) = known_pool(&arguments.config, pool)?;
    let now = SystemClock.now();
    let hints = asked_for(&arguments, now)?;
    let store = Store::open_beside(&config.database).await.map_err(Failure::failed)?;
    let result = talk_to(&store, &policy, &arguments, &hints, now).await;
    store.close().await;
    result?;
    if !hints.is_empty() {
        say_if_nobody_listens(&policy);
    }
    Ok(())
}

async fn talk_to(
    store: &Store,
    policy: &Policy,
    arguments: &HintArguments,
    hints: &[Hint],
    now: Timestamp,
) -> Result<(), Failure> {
    let pool = &arguments.pool;
    if let Some(id) = arguments.cancel {
        store_of_calendar(store, policy, id, now).await?;
        let known = store.cancel_hint(pool, id, &owner(), now).await;
        if known.context("the campaign was not cancelled").map_err(Failure::failed)? {
            anstream::eprintln!("{id} is cancelled");
            return Ok(());
        }
        return Err(failed(&format!(
            "no campaign {id} of {pool} is ahead or under way\n\
             hint: `windlass hint --list {pool}` shows them"
        )));
    }
    if arguments.list {
        let records = store.hints(pool, now).await;
        let records = records.context("can't read the campaigns").map_err(Failure::failed)?;
        let records = with_calendar(records, policy, now);
        print(arguments.output, &records, &arguments.timezone);
        return Ok(());
    }
    let by = |hint: &Hint| Announcement { hint: hint.clone(), owner: owner() };
    let announcements: Vec<Announcement> = hints.iter().map(by).collect();
    let added = store.add_hints(pool, &announcements).await;
    added.context("nothing was announced").map_err(Failure::failed)?;
    for hint in hints {
        let Hint { id, kind, starts_at, .. } = hint;
        let when = here(*starts_at, &arguments.timezone);
        anstream::eprintln!("{kind} at {when} is announced to {pool}: {id}");
    }
    Ok(())
}

/// A campaign of the policy's calendar can be taken back once it is stored.
async fn store_of_calendar(
    store: &Store,
    policy: &Policy,
    id: HintId,
    now: Timestamp,
) -> Result<(), Failure> {
    let Some(hint) = policy.campaigns_at(now).into_iter().find(|hint| hint.id == id) else {
        return Ok(());
    };
    let announcement = Announcement { hint, owner: CALENDAR.to_owned() };
    let stored = store.add_hints(&policy.pool, &[announcement]).await;
    stored.context("the campaign was not cancelled").map_err(Failure::failed)
}

/// Who announces what stands in a policy.
const CALENDAR: &str = "the policy's calendar";

/// The records, and what the policy's calendar announces beside them, by their start.
fn with_calendar(mut records: Vec<HintRecord>, policy: &Policy, now: Timestamp) -> Vec<HintRecord> {
    for hint in policy.campaigns_at(now) {
        if records.iter().all(|record| record.announcement.hint.id != hint.id) {
            let announcement = Announcement { hint, owner: CALENDAR.to_owned() };
            records.push(HintRecord { announcement, cancelled_at: None, response: None });
        }
    }
    records.sort_by_key(|record| record.announcement.hint.starts_at);
    records
}

/// The campaigns that the arguments announce; none where they ask for something else.
fn asked_for(arguments: &HintArguments, now: Timestamp) -> Result<Vec<Hint>, Failure> {
    if let Some(file) = &arguments.file {
        return of_file(arguments, file, now);
    }
    let starts_at = match (&arguments.at, arguments.within) {
        (Some(at), _) => moment(at, now, &arguments.timezone).map_err(|what| failed(&what))?,
        (None, Some(within)) => after(now, within),
        (None, None) => return Ok(Vec::new()),
    };
    let size = match (arguments.devices, arguments.rps) {
        (Some(devices), None) => HintSize::Devices(devices),
        (None, Some(rate)) => {
            let rate = RequestsPerSecond::new(rate);
            let rate = rate.ok_or_else(|| failed("--rps is no rate; give one such as 9000"))?;
            HintSize::RequestsPerSecond(rate)
        }
        _ => return Err(failed("how large is it? Give --devices 2000000 or --rps 9000")),
    };
    let reason = arguments.reason.clone().unwrap_or_default();
    if reason.trim().is_empty() {
        return Err(failed("--reason is missing or empty; say why, such as --reason 'lunch push'"));
    }
    let (spread, tail) = (arguments.spread, arguments.tail);
    let hint = Hint {
        id: HintId(SystemChance.uuid(now)),
        kind: arguments.kind.clone(),
        announced_at: now,
        starts_at,
        size,
        spread,
        tail,
        reason,
        source: HintSource::Person,
    };
    legal(hint, now).map(|hint| vec![hint]).map_err(|what| failed(&what))
}

fn of_file(arguments: &HintArguments, file: &Path, now: Timestamp) -> Result<Vec<Hint>, Failure> {
    let name = file.display();
    let text = std::fs::read_to_string(file)
        .map_err(|cause| failed(&format!("can't read {name}: {cause}\nhint: name a CSV file")))?;
    let rows = read_hints(&text).map_err(|error| failed(&format!("{name}: {error}")))?;
    let at = |seconds: f64| {
        Timestamp::from_millisecond((seconds * 1_000.0) as i64).unwrap_or(Timestamp::MAX)
    };
    let hints = rows.into_iter().map(|row| {
        let hint = Hint {
            id: HintId(SystemChance.uuid(now)),
            kind: arguments.kind.clone(),
            announced_at: at(row.announced_at),
            starts_at: at(row.starts_at),
            size: HintSize::Devices(row.requests.round() as u64),
            spread: Duration::try_from_secs_f64(row.fan_out).unwrap_or(Duration::MAX),
            tail: arguments.tail,
            reason: arguments.reason.clone().unwrap_or_else(|| format!("announced in {name}")),
            source: HintSource::Person,
        };
        legal(hint, now).map_err(|what| failed(&format!("{name}: {what}")))
    });
    hints.collect()
}

/// A campaign that can come, or what is wrong with it.
fn legal(hint: Hint, now: Timestamp) -> Result<Hint, String> {
    let starts_at = hint.starts_at;
    if hint.ends_at() <= now {
        return Err(format!("{starts_at} is past; give a moment that is ahead"));
    }
    if after(now, LONGEST_AHEAD) < hint.starts_at {
        return Err(format!("{starts_at} is more than a year ahead; announce it later"));
    }
    if LONGEST < hint.spread || hint.tail.is_some_and(|tail| LONGEST < tail) {
        return Err("spread and tail last a day at most; give shorter ones".into());
    }
    Ok(hint)
}

/// `18:00`, the next one on the clock of `zone`, or a moment in full.
fn moment(text: &str, now: Timestamp, zone: &TimeZone) -> Result<Timestamp, String> {
    if let Ok(moment) = text.parse() {
        return Ok(moment);
    }
    let wrong = || format!("`{text}` is no time; give 18:00, or 2026-11-24T18:00:00Z");
    let is_time_of_day = text.contains(':') && text.len() <= "18:00:00".len();
    let time = text.parse::<jiff::civil::Time>().ok().filter(|_| is_time_of_day);
    let time = time.ok_or_else(wrong)?;
    let today = now.to_zoned(zone.clone()).date();
    let tomorrow = today.tomorrow().map_err(|_| wrong())?;
    let days = [today, tomorrow].into_iter();
    let moments = days.filter_map(|day| day.to_datetime(time).to_zoned(zone.clone()).ok());
    moments.map(|moment| moment.timestamp()).find(|moment| now <= *moment).ok_or_else(wrong)
}

/// A moment as it reads on the clock of `zone`.
fn here(moment: Timestamp, zone: &TimeZone) -> String {
    moment.to_zoned(zone.clone()).strftime("%Y-%m-%d %H:%M:%S %Z").to_string()
}

fn zone(name: &str) -> Result<TimeZone, String> {
    TimeZone::get(name)
        .map_err(|_| "give a name of the IANA database, such as Europe/Berlin".into())
}

fn print(output: Output, records: &[HintRecord], zone: &TimeZone) {
    if let Output::Json = output {
        let text = serde_json::to_string_pretty(records).expect("records have string keys");
        return anstream::println!("{text}");
    }
    if records.is_empty() {
        anstream::eprintln!("nothing is announced");
    }
    for HintRecord { announcement, cancelled_at, .. } in records {
        let Hint { id, kind, starts_at, size, spread, reason, .. } = &announcement.hint;
        let size = match size {
            HintSize::Devices(devices) => format!("{devices} devices"),
            HintSize::RequestsPerSecond(rate) => format!("{} req/s", rate.get()),
        };
        let spread = humantime::format_duration(*spread);
        let cancelled = if cancelled_at.is_some() { ", cancelled" } else { "" };
        let (when, owner) = (here(*starts_at, zone), &announcement.owner);
        anstream::println!(
            "{id}  {when}  {kind}: {size} over {spread}, {owner}: {reason}{cancelled}"
        );
    }
}

fn say_if_nobody_listens(policy: &Policy) {
    if !policy.rules.iter().any(|rule| matches!(rule, Rule::Hint(_))) {
        anstream::eprintln!(
            "warning: no rule of {} listens to campaigns\n\
             hint: add `- hint: {{signal: …, per_node: …}}` to its rules",
            policy.pool
        );
    }
}

fn failed(what: &str) -> Failure {
    Failure::failed(anyhow!("{what}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_of_day_is_the_next_one_and_a_moment_is_itself() {
        let now: Timestamp = "2026-11-24T12:00:00Z".parse().expect("a moment");
        let berlin = zone("Europe/Berlin").expect("a name of the database");
        for (text, comes) in [
            ("18:00", "2026-11-24T17:00:00Z"),
            ("13:00", "2026-11-24T12:00:00Z"),
            ("06:30", "2026-11-25T05:30:00Z"),
            ("00:00:05", "2026-11-24T23:00:05Z"),
            ("2026-11-24T18:00:00Z", "2026-11-24T18:00:00Z"),
        ] {
            let comes: Timestamp = comes.parse().expect("a moment");
            assert_eq!(moment(text, now, &berlin), Ok(comes), "{text}");
        }
        assert!(zone("Berlin").is_err());
        for wrong in ["", "six", "25:00", "18", "tomorrow"] {
            assert!(moment(wrong, now, &berlin).is_err(), "{wrong}");
        }
    }
}
