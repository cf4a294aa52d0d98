//! Operators' commands: `set`, `floor`, `ceiling`, `hold`, `resume`, `drain`, `replace`,
//! `protect`, `release` and `clear-cooldown`, all over the API.

use clap::ValueEnum;
use reqwest::Method;
use serde_json::Value;

use super::Output;
use super::client::{ApiArguments, pool_of_node, read, send};
use super::exit::Failure;
use crate::api::{CommandName, NewCommand};
use crate::domain::{PoolName, Timestamp};
use crate::ports::{Chance, Clock, SystemChance, SystemClock};
use crate::store::HeldAct;

/// What every command has.
#[derive(Debug, clap::Args)]
struct Common {
    /// Why; shown in every explanation while it lasts.
    #[arg(long)]
    reason: String,
    /// Say what would be decided and done, and change nothing.
    #[arg(long)]
    dry_run: bool,
    /// How to print.
    #[arg(long, value_enum, default_value_t)]
    output: Output,
    #[command(flatten)]
    api: ApiArguments,
}

/// How long a command lasts.
#[derive(Debug, clap::Args)]
#[group(required = true, multiple = false)]
struct Lasts {
    /// How long, such as 30m or 2h; seven days at most.
    #[arg(long = "for", value_name = "LENGTH")]
    length: Option<String>,
    /// Until when instead, such as 2026-11-24T18:00:00Z.
    #[arg(long, value_name = "TIME")]
    until: Option<Timestamp>,
}

/// Arguments of a command about a count.
#[derive(Debug, clap::Args)]
pub(super) struct CountArguments {
    /// The pool.
    pool: PoolName,
    /// How many nodes.
    count: u32,
    #[command(flatten)]
    lasts: Lasts,
    #[command(flatten)]
    common: Common,
}

/// Arguments of `windlass hold`.
#[derive(Debug, clap::Args)]
pub(super) struct HoldArguments {
    /// The pool.
    pool: PoolName,
    /// Forbid only this; every change of the count by default.
    #[arg(long, value_enum)]
    only: Option<Only>,
    #[command(flatten)]
    lasts: Lasts,
    #[command(flatten)]
    common: Common,
}

/// What a hold may forbid alone.
#[derive(Clone, Copy, Debug, ValueEnum)]
enum Only {
    /// The count does not grow.
    ScaleOut,
    /// The count does not fall.
    ScaleIn,
    /// No instance is created.
    Create,
    /// No node is removed.
    Delete,
}

/// Arguments of a command about a pool that happens once.
#[derive(Debug, clap::Args)]
pub(super) struct OnceArguments {
    /// The pool.
    pool: PoolName,
    #[command(flatten)]
    common: Common,
}

/// Arguments of a command about a node.
#[derive(Debug, clap::Args)]
pub(super) struct NodeArguments {
    /// The node's label or id, as `windlass nodes` shows it.
    node: String,
    #[command(flatten)]
    lasts: Lasts,
    #[command(flatten)]
    common: Common,
}

/// Arguments of `windlass release`.
#[derive(Debug, clap::Args)]
pub(super) struct ReleaseArguments {
    /// The node's label or id, as `windlass nodes` shows it.
    node: String,
    #[command(flatten)]
    common: Common,
}

/// `windlass set`, `floor` and `ceiling`.
pub(super) async fn count(kind: CommandName, arguments: CountArguments) -> Result<(), Failure> {
    let CountArguments { pool, count, lasts, common } = arguments;
    let new = NewCommand { count: Some(count), ..new(kind, &common, Some(lasts)) };
    give(pool.as_str(), &new, &common).await
}

/// `windlass hold`
pub(super) async fn hold(arguments: HoldArguments) -> Result<(), Failure> {
    let HoldArguments { pool, only, lasts, common } = arguments;
    let change = only.map(|only| match only {
        Only::ScaleOut => HeldAct::ScaleOut,
        Only::ScaleIn => HeldAct::ScaleIn,
        Only::Create => HeldAct::Create,
        Only::Delete => HeldAct::Delete,
    });
    let new = NewCommand { change, ..new(CommandName::Hold, &common, Some(lasts)) };
    give(pool.as_str(), &new, &common).await
}

/// `windlass resume` and `clear-cooldown`.
pub(super) async fn once(kind: CommandName, arguments: OnceArguments) -> Result<(), Failure> {
    let OnceArguments { pool, common } = arguments;
    give(pool.as_str(), &new(kind, &common, None), &common).await
}

/// `windlass drain`, `replace` and `protect`.
pub(super) async fn node(kind: CommandName, arguments: NodeArguments) -> Result<(), Failure> {
    let NodeArguments { node, lasts, common } = arguments;
    let pool = pool_of_node(&common.api, &node).await?;
    let new = NewCommand { node: Some(node), ..new(kind, &common, Some(lasts)) };
    give(&pool, &new, &common).await
}

/// `windlass release`
pub(super) async fn release(arguments: ReleaseArguments) -> Result<(), Failure> {
    let ReleaseArguments { node, common } = arguments;
    let pool = pool_of_node(&common.api, &node).await?;
    let new = NewCommand { node: Some(node), ..new(CommandName::Release, &common, None) };
    give(&pool, &new, &common).await
}

fn new(kind: CommandName, common: &Common, lasts: Option<Lasts>) -> NewCommand {
    let (length, until) = lasts.map_or((None, None), |lasts| (lasts.length, lasts.until));
    let reason = common.reason.clone();
    NewCommand { kind, count: None, change: None, node: None, reason, lasts: length, until }
}

async fn give(pool: &str, new: &NewCommand, common: &Common) -> Result<(), Failure> {
    let body = serde_json::to_value(new).map_err(Failure::failed)?;
    let query: Vec<_> =
        common.dry_run.then(|| ("dry_run", "true".to_string())).into_iter().collect();
    // Should a proxy send the request twice, the command is given once.
    let key = SystemChance.uuid(SystemClock.now()).to_string();
    let headers = [("Idempotency-Key", key.as_str())];
    let path = format!("/pools/{pool}/commands");
    let (_, answer) = send(&common.api, Method::POST, &path, &query, Some(&body), &headers).await?;
    let answer: Value = read(&common.api, &answer)?;
    match common.output {
        Output::Json => anstream::println!("{answer:#}"),
        Output::Text if common.dry_run => print_preview(&answer),
        Output::Text => anstream::eprintln!("{pool}: {}", said(new, &answer)),
    }
    Ok(())
}

fn said(new: &NewCommand, answer: &Value) -> String {
    let until = answer["expires_at"].as_str().unwrap_or_default();
    let node = new.node.as_deref().unwrap_or_default();
    let count = new.count.unwrap_or_default();
    match new.kind {
        CommandName::Set => format!("{count} nodes until {until}"),
        CommandName::Floor => format!("at least {count} nodes until {until}"),
        CommandName::Ceiling => format!("at most {count} nodes until {until}"),
        CommandName::Hold => format!("held until {until}; `windlass resume` ends it sooner"),
        CommandName::Resume => "held no more".into(),
        CommandName::Drain => format!("{node} drains and leaves"),
        CommandName::Replace => format!("{node} leaves once another serves"),
        CommandName::Protect => format!("{node} is protected until {until}"),
        CommandName::Release => format!("{node} is protected and sent away no more"),
        CommandName::ClearCooldown => "rests no more after the last change".into(),
    }
}

/// What a command would lead to: the explanation's first lines, and the plan.
fn print_preview(preview: &Value) {
    let explanation = &preview["explanation"];
    let number = |key: &str| explanation[key].as_u64().unwrap_or_default();
    anstream::println!("would decide {} nodes (now {})", number("to"), number("from"));
    let lines = |value: &Value| -> Vec<String> {
        let all = value.as_array().into_iter().flatten();
        all.filter_map(Value::as_str).map(str::to_owned).collect()
    };
    for line in lines(&explanation["because"]) {
        anstream::println!("  because {line}");
    }
    anstream::println!("plan");
    let acts = lines(&preview["acts"]);
    for line in &acts {
        anstream::println!("  {line}");
    }
    if acts.is_empty() {
        anstream::println!("  nothing to do now");
    }
    for line in lines(&preview["notes"]) {
        anstream::println!("  note: {line}");
    }
}
