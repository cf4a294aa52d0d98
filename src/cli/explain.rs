//! `windlass explain`

use serde_json::Value;

use super::Output;
use super::client::{ApiArguments, get, pool_or_only};
use super::exit::Failure;
use crate::domain::Timestamp;

/// Arguments of `windlass explain`.
#[derive(Debug, clap::Args)]
pub(super) struct ExplainArguments {
    /// The pool; may be left out where there is only one.
    pool: Option<String>,
    /// The last decision up to this moment, such as 2026-11-24T03:10:00Z; now by default.
    #[arg(long)]
    at: Option<Timestamp>,
    #[command(flatten)]
    api: ApiArguments,
    /// How to print.
    #[arg(long, value_enum, default_value_t)]
    output: Output,
}

pub(super) async fn explain(arguments: ExplainArguments) -> Result<(), Failure> {
    let pool = pool_or_only(&arguments.api, arguments.pool).await?;
    let query: Vec<_> = arguments.at.iter().map(|at| ("at", at.to_string())).collect();
    let path = format!("/pools/{pool}/explanation");
    let explanation: Value = get(&arguments.api, &path, &query).await?;
    match arguments.output {
        Output::Json => anstream::println!("{explanation:#}"),
        Output::Text => anstream::print!("{}", explanation["text"].as_str().unwrap_or_default()),
    }
    Ok(())
}
