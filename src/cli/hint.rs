//! `windlass hint`: campaigns announced over the API.

use std::path::{Path, PathBuf};

use anyhow::anyhow;
use jiff::tz::TimeZone;
use reqwest::Method;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::Output;
use super::client::{ApiArguments, get, read, send};
use super::exit::Failure;
use crate::api::{Announced, NewHint, NewHints};
use crate::domain::{CampaignKind, Duration, Hint, HintId, HintSize, PoolName, Timestamp, after};
use crate::ports::{Clock, SystemClock};
use crate::sim::backtest::read_hints;
use crate::store::Announcement;

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
    /// Say what would be announced, and announce nothing.
    #[arg(long)]
    dry_run: bool,
    #[command(flatten)]
    api: ApiArguments,
}

pub(super) async fn hint(arguments: HintArguments) -> Result<(), Failure> {
    let (pool, api) = (&arguments.pool, &arguments.api);
    let path = format!("/pools/{pool}/hints");
    if let Some(id) = arguments.cancel {
        send(api, Method::DELETE, &format!("{path}/{id}"), &[], None, &[]).await?;
        anstream::eprintln!("{id} is cancelled");
        return Ok(());
    }
    if arguments.list {
        let records = listed(api, &path).await?;
        print(arguments.output, &records, &arguments.timezone);
        return Ok(());
    }
    let hints = asked_for(&arguments, SystemClock.now())?;
    let body = serde_json::to_value(NewHints { hints }).map_err(Failure::failed)?;
    let query: Vec<_> =
        arguments.dry_run.then(|| ("dry_run", "true".to_string())).into_iter().collect();
    let (_, answer) = send(api, Method::POST, &path, &query, Some(&body), &[]).await?;
    let announced: Announced = read(api, &answer)?;
    for Hint { id, kind, starts_at, .. } in &announced.hints {
        let when = here(*starts_at, &arguments.timezone);
        match arguments.dry_run {
            true => anstream::eprintln!("{kind} at {when} would be announced to {pool}"),
            false => anstream::eprintln!("{kind} at {when} is announced to {pool}: {id}"),
        }
    }
    if !announced.is_listened_to {
        anstream::eprintln!(
            "warning: no rule of {pool} listens to campaigns\n\
             hint: add `- hint: {{signal: …, per_node: …}}` to its rules"
        );
    }
    Ok(())
}

/// Every campaign that is announced and not over, page by page.
async fn listed(api: &ApiArguments, path: &str) -> Result<Vec<Listed>, Failure> {
    let mut records = Vec::new();
    let mut after: Option<HintId> = None;
    loop {
        let query: Vec<_> = after.iter().map(|id| ("after", id.to_string())).collect();
        let page: Page = get(api, path, &query).await?;
        records.extend(page.hints);
        after = page.next_after;
        if after.is_none() {
            return Ok(records);
        }
    }
}

/// A page of campaigns, as the API lists them.
#[derive(Debug, Deserialize)]
struct Page {
    hints: Vec<Listed>,
    next_after: Option<HintId>,
}

/// A campaign of a list.
#[derive(Debug, Serialize, Deserialize)]
struct Listed {
    #[serde(flatten)]
    announcement: Announcement,
    cancelled_at: Option<Timestamp>,
    response: Option<Value>,
}

/// The campaigns that the arguments announce; none where they ask for something else.
fn asked_for(arguments: &HintArguments, now: Timestamp) -> Result<Vec<NewHint>, Failure> {
    if let Some(file) = &arguments.file {
        return of_file(arguments, file);
    }
    let starts_at = match (&arguments.at, arguments.within) {
        (Some(at), _) => moment(at, now, &arguments.timezone).map_err(|what| failed(&what))?,
        (None, Some(within)) => after(now, within),
        (None, None) => return Ok(Vec::new()),
    };
    if arguments.devices.is_none() && arguments.rps.is_none() {
        return Err(failed("how large is it? Give --devices 2000000 or --rps 9000"));
    }
    let reason = arguments.reason.clone().unwrap_or_default();
    if reason.trim().is_empty() {
        return Err(failed("--reason is missing or empty; say why, such as --reason 'lunch push'"));
    }
    let length = |length: Duration| humantime::format_duration(length).to_string();
    Ok(vec![NewHint {
        kind: Some(arguments.kind.to_string()),
        starts_at,
        announced_at: None,
        devices: arguments.devices,
        requests_per_second: arguments.rps,
        spread: Some(length(arguments.spread)),
        tail: arguments.tail.map(length),
        reason,
    }])
}

fn of_file(arguments: &HintArguments, file: &Path) -> Result<Vec<NewHint>, Failure> {
    let name = file.display();
    let text = std::fs::read_to_string(file)
        .map_err(|cause| failed(&format!("can't read {name}: {cause}\nhint: name a CSV file")))?;
    let rows = read_hints(&text).map_err(|error| failed(&format!("{name}: {error}")))?;
    let at = |seconds: f64| {
        Timestamp::from_millisecond((seconds * 1_000.0) as i64).unwrap_or(Timestamp::MAX)
    };
    let length = |length: Duration| humantime::format_duration(length).to_string();
    let hints = rows.into_iter().map(|row| NewHint {
        kind: Some(arguments.kind.to_string()),
        starts_at: at(row.starts_at),
        announced_at: Some(at(row.announced_at)),
        devices: Some(row.requests.round() as u64),
        requests_per_second: None,
        spread: Some(length(Duration::try_from_secs_f64(row.fan_out).unwrap_or(Duration::MAX))),
        tail: arguments.tail.map(length),
        reason: arguments.reason.clone().unwrap_or_else(|| format!("announced in {name}")),
    });
    Ok(hints.collect())
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

fn print(output: Output, records: &[Listed], zone: &TimeZone) {
    if let Output::Json = output {
        let text = serde_json::to_string_pretty(records).expect("records have string keys");
        return anstream::println!("{text}");
    }
    if records.is_empty() {
        anstream::eprintln!("nothing is announced");
    }
    for Listed { announcement, cancelled_at, .. } in records {
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
