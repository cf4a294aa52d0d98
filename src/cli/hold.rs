//! `windlass hold` and `windlass resume`: commands left in the database for the loop.

use anyhow::Context;

use super::ConfigArguments;
use super::exit::{Failure, load};
use crate::config::Config;
use crate::domain::{Duration, PoolName, Timestamp, after};
use crate::policy::Policy;
use crate::ports::{Chance, Clock, SystemChance, SystemClock};
use crate::store::{Command, CommandKind, Store};

/// Arguments of `windlass hold`.
#[derive(Debug, clap::Args)]
pub(super) struct HoldArguments {
    /// The pool.
    pool: PoolName,
    /// Why; shown in every explanation while it lasts.
    #[arg(long)]
    reason: String,
    /// How long, such as 30m or 2h.
    #[arg(long = "for", value_parser = humantime::parse_duration)]
    length: Duration,
    #[command(flatten)]
    config: ConfigArguments,
}

/// Arguments of `windlass resume`.
#[derive(Debug, clap::Args)]
pub(super) struct ResumeArguments {
    /// The pool.
    pool: PoolName,
    /// Why.
    #[arg(long)]
    reason: String,
    #[command(flatten)]
    config: ConfigArguments,
}

/// A resume must outlast every hold that it ends, and a release every protection.
pub(super) const LONGEST_HOLD: Duration = Duration::from_secs(7 * 24 * 3600);

pub(super) async fn hold(arguments: HoldArguments) -> Result<(), Failure> {
    if LONGEST_HOLD < arguments.length || arguments.length.is_zero() {
        let message = "a hold lasts up to seven days, and longer than no time; use --for 2h";
        return Err(Failure::failed(anyhow::anyhow!("{message}")));
    }
    let kind = CommandKind::Hold;
    leave(&arguments.config, &arguments.pool, kind, arguments.reason, arguments.length).await
}

pub(super) async fn resume(arguments: ResumeArguments) -> Result<(), Failure> {
    let kind = CommandKind::Resume;
    leave(&arguments.config, &arguments.pool, kind, arguments.reason, LONGEST_HOLD).await
}

async fn leave(
    config: &ConfigArguments,
    pool: &PoolName,
    kind: CommandKind,
    reason: String,
    length: Duration,
) -> Result<(), Failure> {
    let (config, _) = known_pool(config, pool)?;
    refuse_no_reason(&reason)?;
    let store = Store::open_beside(&config.database).await.map_err(Failure::failed)?;
    let left = leave_in(&store, pool, kind, reason, length).await;
    store.close().await;
    let until = left?;
    match kind {
        CommandKind::Hold => anstream::eprintln!("{pool} is held until {until}"),
        CommandKind::Resume => anstream::eprintln!("{pool} is held no more"),
        CommandKind::Protect { .. } | CommandKind::Release { .. } => {}
    }
    Ok(())
}

/// Everybody who reads an explanation later wants to know why.
pub(super) fn refuse_no_reason(reason: &str) -> Result<(), Failure> {
    if reason.trim().is_empty() {
        return Err(Failure::failed(anyhow::anyhow!("--reason is empty; say why")));
    }
    Ok(())
}

/// Leaves a command for the loop. When it ends by itself.
pub(super) async fn leave_in(
    store: &Store,
    pool: &PoolName,
    kind: CommandKind,
    reason: String,
    length: Duration,
) -> Result<Timestamp, Failure> {
    let now = SystemClock.now();
    let command = Command {
        id: SystemChance.uuid(now),
        kind,
        reason,
        owner: owner(),
        given_at: now,
        expires_at: after(now, length),
    };
    let added = store.add_command(pool, &command).await;
    added.context("the command was not left").map_err(Failure::failed)?;
    Ok(command.expires_at)
}

/// The settings, and the policy of the pool that was named.
pub(super) fn known_pool(
    config: &ConfigArguments,
    pool: &PoolName,
) -> Result<(Config, Policy), Failure> {
    let (config, policies) = load(&config.config)?;
    let known: Vec<String> = policies.iter().map(|(_, one)| one.pool.to_string()).collect();
    match policies.into_iter().find(|(_, policy)| policy.pool == *pool) {
        Some((_, policy)) => Ok((config, policy)),
        None => {
            let known = known.join(", ");
            Err(Failure::failed(anyhow::anyhow!("no pool is named {pool}; there are: {known}")))
        }
    }
}

/// Who gives a command.
pub(super) fn owner() -> String {
    std::env::var("SUDO_USER").or(std::env::var("USER")).unwrap_or("unknown".into())
}
