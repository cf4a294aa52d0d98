//! `windlass nodes`, `journal`, `decisions` and `costs`: tables of what the API tells.

use std::time::Duration;

use comfy_table::presets::NOTHING;
use comfy_table::{ContentArrangement, Table};
use serde_json::Value;

use super::Output;
use super::client::{ApiArguments, get, pool_or_only};
use super::exit::Failure;
use crate::domain::Timestamp;

/// Tables fit a terminal of the usual width.
const WIDTH: u16 = 80;

/// How often `--watch` looks again.
const AGAIN: Duration = Duration::from_secs(2);

/// What every reading command has.
#[derive(Debug, clap::Args)]
pub(super) struct ShowArguments {
    /// The pool; may be left out where there is only one.
    pool: Option<String>,
    /// Show it again every two seconds.
    #[arg(long)]
    watch: bool,
    /// How to print.
    #[arg(long, value_enum, default_value_t)]
    output: Output,
    #[command(flatten)]
    api: ApiArguments,
}

/// Arguments of `windlass journal`.
#[derive(Debug, clap::Args)]
pub(super) struct JournalArguments {
    /// Only of this kind, such as decided or commanded.
    #[arg(long)]
    kind: Option<String>,
    /// Only about this node, by its id.
    #[arg(long)]
    node: Option<String>,
    /// Not before this moment, such as 2026-11-24T18:00:00Z.
    #[arg(long)]
    since: Option<Timestamp>,
    /// The newest so many.
    #[arg(long, default_value_t = 20, value_parser = clap::value_parser!(u32).range(1..=500))]
    limit: u32,
    #[command(flatten)]
    show: ShowArguments,
}

/// Arguments of `windlass decisions`.
#[derive(Debug, clap::Args)]
pub(super) struct DecisionArguments {
    /// Only those that changed the count.
    #[arg(long)]
    changes: bool,
    /// The newest so many.
    #[arg(long, default_value_t = 20, value_parser = clap::value_parser!(u32).range(1..=500))]
    limit: u32,
    #[command(flatten)]
    show: ShowArguments,
}

/// `windlass nodes`
pub(super) async fn nodes(arguments: ShowArguments) -> Result<(), Failure> {
    show(&arguments, "nodes", &[("limit", "500".into())], |page| {
        let mut table = table(&["node", "state", "since", "until", "waits for"]);
        for node in page["nodes"].as_array().into_iter().flatten() {
            let parts = ["waits_for", "error", "protected", "sent_away"];
            let waits: Vec<&str> = parts.iter().filter_map(|key| node[key].as_str()).collect();
            let (since, until) = (time_of(&node["since"]), time_of(&node["deadline"]));
            let row = [text(node, "label"), text(node, "state"), since, until, waits.join("; ")];
            table.add_row(row);
        }
        table.to_string()
    })
    .await
}

/// `windlass journal`
pub(super) async fn journal(arguments: JournalArguments) -> Result<(), Failure> {
    let mut query = vec![("limit", arguments.limit.to_string())];
    query.extend(arguments.kind.iter().map(|kind| ("kind", kind.clone())));
    query.extend(arguments.node.iter().map(|node| ("node", node.clone())));
    query.extend(arguments.since.iter().map(|since| ("since", since.to_string())));
    show(&arguments.show, "journal", &query, |page| {
        let mut table = table(&["row", "time", "kind", "what"]);
        let rows = page["entries"].as_array().cloned().unwrap_or_default();
        for row in rows.iter().rev() {
            let entry = &row["entry"];
            let number = row["sequence"].as_i64().unwrap_or_default().to_string();
            let (time, kind) = (time_of(&row["at"]), text(entry, "kind"));
            table.add_row([number, time, kind, what_of(entry)]);
        }
        table.to_string()
    })
    .await
}

/// `windlass decisions`
pub(super) async fn decisions(arguments: DecisionArguments) -> Result<(), Failure> {
    let limit = ("limit", arguments.limit.to_string());
    let query = [limit, ("changes", arguments.changes.to_string())];
    show(&arguments.show, "decisions", &query, |page| {
        let mut table = table(&["time", "from", "to", "because"]);
        let decisions = page["decisions"].as_array().cloned().unwrap_or_default();
        for one in decisions.iter().rev() {
            let because = one["sentences"][0].as_str().unwrap_or_default().to_string();
            let count = |key: &str| one["decision"][key].to_string();
            table.add_row([time_of(&one["at"]), count("from"), count("to"), because]);
        }
        table.to_string()
    })
    .await
}

/// `windlass costs`
pub(super) async fn costs(arguments: ShowArguments) -> Result<(), Failure> {
    show(&arguments, "costs", &[], |bill| {
        let dollars = |key: &str| {
            bill[key].as_f64().map_or("not known".to_string(), |amount| format!("${amount:.2}"))
        };
        let mut table = table(&["instances", "an hour now", "month so far", "at its end"]);
        let instances = bill["instances"].to_string();
        let amounts = [dollars("hourly"), dollars("month_so_far"), dollars("month_projected")];
        let [hourly, so_far, projected] = amounts;
        table.add_row([instances, hourly, so_far, projected]);
        table.to_string()
    })
    .await
}

async fn show(
    arguments: &ShowArguments,
    path: &str,
    query: &[(&str, String)],
    as_text: impl Fn(&Value) -> String,
) -> Result<(), Failure> {
    let pool = pool_or_only(&arguments.api, arguments.pool.clone()).await?;
    loop {
        let answer: Value = get(&arguments.api, &format!("/pools/{pool}/{path}"), query).await?;
        match arguments.output {
            Output::Json => anstream::println!("{answer:#}"),
            Output::Text => anstream::println!("{}", as_text(&answer)),
        }
        if !arguments.watch {
            return Ok(());
        }
        tokio::time::sleep(AGAIN).await;
    }
}

fn table(header: &[&str]) -> Table {
    let mut table = Table::new();
    table.load_style(NOTHING).set_content_arrangement(ContentArrangement::Dynamic);
    table.set_width(WIDTH).set_header(header.to_vec());
    table
}

fn text(value: &Value, key: &str) -> String {
    value[key].as_str().unwrap_or_default().to_string()
}

/// The time of day of a moment, in UTC.
fn time_of(moment: &Value) -> String {
    let time = moment.as_str().and_then(|moment| moment.split('T').nth(1));
    time.map_or_else(String::new, |time| time[..time.len().min(8)].to_string())
}

/// What a journal row says, in a few words.
fn what_of(entry: &Value) -> String {
    let said = |key: &str| entry[key].as_str().map(str::to_owned);
    if let (Some(from), Some(to)) = (entry["from"].as_u64(), entry["to"].as_u64()) {
        let why = entry["reasons"][0]["reason"].as_str().unwrap_or_default();
        return format!("{from} to {to}: {}", why.replace('_', " "));
    }
    let state = entry["after"]["state"].as_str().map(str::to_owned);
    let command = entry["command"]["reason"].as_str().map(str::to_owned);
    let note = entry["note"]["note"].as_str().map(|note| note.replace('_', " "));
    let parts = [state, said("step"), said("outcome"), said("because"), said("detail")];
    let more = [said("what"), said("label"), said("owner"), command, note];
    let parts: Vec<String> = parts.into_iter().chain(more).flatten().collect();
    parts.join(": ")
}
