//! `windlass audit`: whether the journal is what was written, and what people did.

use anyhow::anyhow;
use clap::Subcommand;
use serde_json::json;

use super::exit::Failure;
use super::token::settings;
use super::{ConfigArguments, Output};
use crate::domain::Timestamp;
use crate::store::{AuditRecord, ChainEnd, Entry, Store, StoreError};

/// What is to be done about the journal.
#[derive(Debug, Subcommand)]
pub(super) enum AuditCommand {
    /// Walk the journal's chain, and name the first row that is not as it was written.
    Verify(VerifyArguments),
    /// Show what people did: commands, campaigns, policies, tokens; newest first.
    List(ListArguments),
}

/// Arguments of `windlass audit verify`.
#[derive(Debug, clap::Args)]
pub(super) struct VerifyArguments {
    /// An end of the chain that was noted earlier, as the log or this command told it. Without one,
    /// a chain that somebody wrote anew from its beginning can't be told from ours.
    #[arg(long, value_name = "NUMBER:HASH")]
    noted: Option<ChainEnd>,
    /// How to print.
    #[arg(long, value_enum, default_value_t)]
    output: Output,
    #[command(flatten)]
    config: ConfigArguments,
}

/// Arguments of `windlass audit list`.
#[derive(Debug, clap::Args)]
pub(super) struct ListArguments {
    /// At most so many.
    #[arg(long, default_value_t = 50)]
    limit: u32,
    /// How to print.
    #[arg(long, value_enum, default_value_t)]
    output: Output,
    #[command(flatten)]
    config: ConfigArguments,
}

/// The kinds of journal rows that are about what people did.
const OF_PEOPLE: [&str; 7] = [
    "commanded",
    "announced",
    "hint_cancelled",
    "promoted",
    "policy_changed",
    "token_made",
    "token_revoked",
];

pub(super) async fn audit(command: AuditCommand) -> Result<(), Failure> {
    match command {
        AuditCommand::Verify(arguments) => verify(&arguments).await,
        AuditCommand::List(arguments) => list(&arguments).await,
    }
}

async fn verify(arguments: &VerifyArguments) -> Result<(), Failure> {
    let config = settings(&arguments.config.config)?;
    let store = Store::open_beside(&config.database).await.map_err(Failure::failed)?;
    let found = store.audit_journal(arguments.noted.as_ref()).await;
    store.close().await;
    match (found, arguments.output) {
        (Ok(chain), Output::Json) => {
            let document = json!({"is_whole": true, "chain": chain});
            anstream::println!("{document:#}");
            Ok(())
        }
        (Ok(chain), Output::Text) => {
            anstream::println!(
                "{} rows, each as it was written; the end is {}",
                chain.rows,
                chain.end
            );
            if 0 < chain.anchor.sequence {
                anstream::println!(
                    "rows up to {} were taken off by retention",
                    chain.anchor.sequence
                );
            }
            Ok(())
        }
        (Err(StoreError::Broken { sequence, what }), output) => {
            match output {
                Output::Json => {
                    let broken = json!({"sequence": sequence, "what": what});
                    let document = json!({"is_whole": false, "broken": broken});
                    anstream::println!("{document:#}");
                }
                Output::Text => anstream::println!("journal row {sequence} {what}"),
            }
            anstream::eprintln!(
                "error: {} is not the journal that was written\n\
                 hint: keep a copy of it, and compare it with a backup from before",
                config.database.display()
            );
            Err(Failure::Found)
        }
        (Err(cause), _) => Err(Failure::failed(cause)),
    }
}

async fn list(arguments: &ListArguments) -> Result<(), Failure> {
    if arguments.limit == 0 {
        return Err(Failure::failed(anyhow!("--limit is 0; write one from 1 on")));
    }
    let config = settings(&arguments.config.config)?;
    let store = Store::open_beside(&config.database).await.map_err(Failure::failed)?;
    let rows = store.audit_rows(&OF_PEOPLE, i64::MAX, arguments.limit).await;
    store.close().await;
    let rows = rows.map_err(Failure::failed)?;
    match arguments.output {
        Output::Json => {
            let text = serde_json::to_string_pretty(&rows).expect("records have string keys");
            anstream::println!("{text}");
        }
        Output::Text => rows.iter().for_each(print),
    }
    Ok(())
}

fn print(record: &AuditRecord) {
    let pool = record.pool.as_ref().map_or("-".into(), ToString::to_string);
    let (sequence, at) = (record.sequence, to_the_second(record.at));
    anstream::println!("{sequence:>7}  {at}  {pool}  {}", told(&record.entry));
}

/// A row in words; those that [`OF_PEOPLE`] leaves out are told by their kind.
fn told(entry: &Entry) -> String {
    let text = |value: &serde_json::Value| value.as_str().unwrap_or("?").to_owned();
    match entry {
        Entry::Commanded { command } => {
            let (owner, reason) = (text(&command["owner"]), text(&command["reason"]));
            let kind = match &command["kind"] {
                serde_json::Value::String(kind) => kind.clone(),
                other => other.to_string(),
            };
            format!("{owner}: {kind} ({reason})")
        }
        Entry::Announced { hint, owner } => {
            format!("{owner}: announces {} at {} ({})", hint.kind, hint.starts_at, hint.reason)
        }
        Entry::HintCancelled { id, owner } => format!("{owner}: takes the campaign {id} back"),
        Entry::Promoted { candidate, after, by, .. } => {
            let digest = after.get(..12).unwrap_or(after);
            format!("{by}: puts the candidate {candidate} ({digest}) in the live policy's place")
        }
        Entry::PolicyChanged { after, changes, owner, .. } => {
            let digest = after.get(..12).unwrap_or(after);
            let whose = owner.as_ref().map(|owner| format!("{owner}: ")).unwrap_or_default();
            format!("{whose}the policy {digest} is in force, {} keys changed", changes.len())
        }
        Entry::TokenMade { id, owner, scope, by, .. } => {
            format!("{by}: makes the token {id} for {owner}, which may {scope}")
        }
        Entry::TokenRevoked { id, owner, by } => format!("{by}: revokes the token {id} of {owner}"),
        other => other.kind().to_owned(),
    }
}

fn to_the_second(at: Timestamp) -> String {
    at.strftime("%F %T").to_string()
}
