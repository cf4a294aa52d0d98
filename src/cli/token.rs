//! `windlass token`: who may use the API. Works on the database, beside a daemon that may run.

use std::collections::BTreeSet;
use std::fs::OpenOptions;
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use anyhow::{Context, anyhow};
use clap::Subcommand;
use comfy_table::Table;
use comfy_table::presets::NOTHING;
use secrecy::{ExposeSecret, SecretString};

use super::exit::Failure;
use super::{ConfigArguments, Output};
use crate::api::access::FreshToken;
use crate::config::{Config, Environment, load_policies};
use crate::domain::{Duration, PoolName, Timestamp, after};
use crate::ports::{Clock, SystemChance, SystemClock};
use crate::store::{NewToken, Scope, Store, StoreError, TokenRecord};

/// What is to be done about tokens.
#[derive(Debug, Subcommand)]
pub(super) enum TokenCommand {
    /// Make a token. It is shown once, and can't be read anywhere later.
    Make(MakeArguments),
    /// Show every token: whose it is, what it may do, when it was used. Never the token itself.
    List(ListArguments),
    /// Revoke a token; it is refused from the next request on.
    Revoke(RevokeArguments),
}

/// Arguments of `windlass token make`.
#[derive(Debug, clap::Args)]
pub(super) struct MakeArguments {
    /// Whose it is: a person or a program. Commands that are given with it carry this name.
    owner: String,
    /// What it may do: `read` looks, `operate` gives commands, too, `admin` everything.
    #[arg(long, default_value = "read")]
    scope: Scope,
    /// Only in this pool; may be repeated. In every pool by default.
    #[arg(long = "pool", value_name = "POOL")]
    pools: Vec<PoolName>,
    /// How long it is good for, such as 30d; `never` ends never.
    #[arg(long = "for", default_value = "90d", value_parser = lifetime)]
    lifetime: Lifetime,
    /// Write it into this new file, which only you may read, instead of showing it.
    #[arg(long, value_name = "FILE")]
    to: Option<PathBuf>,
    #[command(flatten)]
    config: ConfigArguments,
}

/// Arguments of `windlass token list`.
#[derive(Debug, clap::Args)]
pub(super) struct ListArguments {
    /// How to print.
    #[arg(long, value_enum, default_value_t)]
    output: Output,
    #[command(flatten)]
    config: ConfigArguments,
}

/// Arguments of `windlass token revoke`.
#[derive(Debug, clap::Args)]
pub(super) struct RevokeArguments {
    /// The token's id, or an owner, all of whose tokens are revoked.
    which: String,
    #[command(flatten)]
    config: ConfigArguments,
}

/// How long a token is good for.
#[derive(Clone, Copy, Debug)]
enum Lifetime {
    Ends(Duration),
    Never,
}

/// Longer is no end that anybody will see: `never` says so.
const LONGEST: Duration = Duration::from_secs(10 * 366 * 86_400);

fn lifetime(text: &str) -> Result<Lifetime, String> {
    if text == "never" {
        return Ok(Lifetime::Never);
    }
    let length = humantime::parse_duration(text).map_err(|cause| cause.to_string())?;
    if length.is_zero() || LONGEST < length {
        return Err("write one above 0s and up to ten years, or never".into());
    }
    Ok(Lifetime::Ends(length))
}

pub(super) async fn token(command: TokenCommand) -> Result<(), Failure> {
    match command {
        TokenCommand::Make(arguments) => make(arguments).await,
        TokenCommand::List(arguments) => list(&arguments).await,
        TokenCommand::Revoke(arguments) => revoke(&arguments).await,
    }
}

/// The settings, of which only the database matters: whoever makes tokens need not be able to
/// read the cloud's.
pub(super) fn settings(file: &Path) -> Result<Config, Failure> {
    Ok(Config::load_partly(file, &Environment::of_this_process())?.0)
}

/// The database, made where it is missing: a daemon that others may reach wants a token before
/// its first start.
async fn open(database: &Path) -> Result<Store, Failure> {
    match Store::open(database).await {
        Err(StoreError::InUse { .. }) => Store::open_beside(database).await,
        opened => opened,
    }
    .map_err(Failure::failed)
}

async fn make(arguments: MakeArguments) -> Result<(), Failure> {
    let owner_of_it = arguments.owner.trim().to_owned();
    if owner_of_it.is_empty() || owner_of_it.chars().any(char::is_control) {
        return Err(failed("the owner is empty or no line of text; name a person or a program"));
    }
    let config = settings(&arguments.config.config)?;
    refuse_unknown(&config, &arguments.pools)?;
    let store = open(&config.database).await?;
    let made = make_in(&store, owner_of_it, arguments).await;
    store.close().await;
    made
}

async fn make_in(
    store: &Store,
    owner_of_it: String,
    arguments: MakeArguments,
) -> Result<(), Failure> {
    let now = SystemClock.now();
    let fresh = FreshToken::make(&SystemChance);
    let pools: BTreeSet<PoolName> = arguments.pools.into_iter().collect();
    let new = NewToken {
        id: fresh.id,
        owner: owner_of_it,
        hash: fresh.hash,
        scope: arguments.scope,
        pools: Some(pools).filter(|pools| !pools.is_empty()),
        expires_at: match arguments.lifetime {
            Lifetime::Ends(length) => Some(after(now, length)),
            Lifetime::Never => None,
        },
    };
    if let Some(file) = &arguments.to {
        write(file, &fresh.text).map_err(Failure::Failed)?;
    }
    if let Err(cause) = store.add_token(&new, &owner(), now).await {
        if let Some(file) = &arguments.to {
            // What it holds was never good for anything.
            let _ = std::fs::remove_file(file);
        }
        return Err(Failure::failed(anyhow::Error::new(cause).context("no token was made")));
    }
    let until = new.expires_at.map_or("until it is revoked".into(), |end| format!("until {end}"));
    let (id, of, scope) = (&new.id, &new.owner, new.scope);
    anstream::eprintln!("token {id} of {of} may {scope} in {}, {until}", shown(&new.pools));
    match &arguments.to {
        Some(file) => anstream::eprintln!("it is in {}", file.display()),
        None => {
            anstream::eprintln!("it is shown this once; keep it where only its owner reads:");
            anstream::println!("{}", fresh.text.expose_secret());
        }
    }
    Ok(())
}

/// A typing mistake in a pool's name would make a token that is good for nothing.
fn refuse_unknown(config: &Config, pools: &[PoolName]) -> Result<(), Failure> {
    // Policies that can't be read now are another command's matter.
    let Ok(policies) = load_policies(config) else { return Ok(()) };
    let known: Vec<&PoolName> = policies.iter().map(|(_, policy)| &policy.pool).collect();
    let Some(unknown) = pools.iter().find(|pool| !known.contains(pool)) else { return Ok(()) };
    let known: Vec<String> = known.into_iter().map(ToString::to_string).collect();
    Err(failed(&format!("no pool is named {unknown}; there are: {}", known.join(", "))))
}

/// Puts a token into a file that is new and that nobody else may read.
fn write(file: &Path, text: &SecretString) -> anyhow::Result<()> {
    let mut options = OpenOptions::new();
    let opened = options.write(true).create_new(true).mode(0o600).open(file);
    opened.and_then(|mut file| writeln!(file, "{}", text.expose_secret())).with_context(|| {
        format!(
            "can't write {}; name a file that is not there yet, in a folder of yours",
            file.display()
        )
    })
}

async fn list(arguments: &ListArguments) -> Result<(), Failure> {
    let config = settings(&arguments.config.config)?;
    let store = Store::open_beside(&config.database).await.map_err(Failure::failed)?;
    let tokens = store.tokens().await.map_err(Failure::failed);
    store.close().await;
    let (tokens, now) = (tokens?, SystemClock.now());
    match arguments.output {
        Output::Json => {
            let text = serde_json::to_string_pretty(&tokens).expect("records have string keys");
            anstream::println!("{text}");
        }
        Output::Text if tokens.is_empty() => anstream::eprintln!("there is no token"),
        Output::Text => anstream::println!("{}", table(&tokens, now)),
    }
    Ok(())
}

fn table(tokens: &[TokenRecord], now: Timestamp) -> Table {
    let mut table = Table::new();
    table.load_style(NOTHING).set_header(["id", "owner", "may", "pools", "is good", "last used"]);
    for token in tokens {
        let ends = match (token.revoked_at, token.expires_at) {
            (Some(revoked), _) => format!("revoked {}", day(revoked)),
            (None, Some(end)) if end <= now => format!("expired {}", day(end)),
            (None, Some(end)) => format!("until {}", day(end)),
            (None, None) => "for ever".into(),
        };
        let used =
            token.used_at.map_or("never".into(), |used| used.strftime("%F %H:%M").to_string());
        let (id, scope, pools) =
            (token.id.to_string(), token.scope.to_string(), shown(&token.pools));
        table.add_row([id, token.owner.clone(), scope, pools, ends, used]);
    }
    table
}

async fn revoke(arguments: &RevokeArguments) -> Result<(), Failure> {
    let config = settings(&arguments.config.config)?;
    let store = Store::open_beside(&config.database).await.map_err(Failure::failed)?;
    let revoked = revoke_in(&store, &arguments.which).await;
    store.close().await;
    for token in revoked? {
        anstream::eprintln!("token {} of {} is revoked", token.id, token.owner);
    }
    Ok(())
}

async fn revoke_in(store: &Store, which: &str) -> Result<Vec<TokenRecord>, Failure> {
    let tokens = store.tokens().await.map_err(Failure::failed)?;
    let named = |token: &TokenRecord| token.id.as_str() == which || token.owner == which;
    let mut revoked = Vec::new();
    for token in tokens.into_iter().filter(named) {
        let done = store.revoke_token(&token, &owner(), SystemClock.now()).await;
        if done.context("not every token was revoked").map_err(Failure::failed)? {
            revoked.push(token);
        }
    }
    if revoked.is_empty() {
        return Err(failed(&format!(
            "no token that is not revoked has the id or the owner {which}\n\
             hint: `windlass token list` shows them"
        )));
    }
    Ok(revoked)
}

fn day(at: Timestamp) -> String {
    at.strftime("%F").to_string()
}

fn shown(pools: &Option<BTreeSet<PoolName>>) -> String {
    match pools {
        None => "every pool".into(),
        Some(pools) => pools.iter().map(ToString::to_string).collect::<Vec<_>>().join(", "),
    }
}

fn failed(what: &str) -> Failure {
    Failure::failed(anyhow!("{what}"))
}

/// Who asks, as far as this machine knows.
pub(super) fn owner() -> String {
    std::env::var("SUDO_USER").or(std::env::var("USER")).unwrap_or("unknown".into())
}
