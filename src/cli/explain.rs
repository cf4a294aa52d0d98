//! `windlass explain`

use serde_json::Value;

use super::Output;
use super::client::{ApiArguments, get, pool_or_only};
use super::exit::Failure;
use crate::domain::Timestamp;

/// Arguments of `windlass explain`, and of what else explains a decision.
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
    pub output: Output,
}

impl ExplainArguments {
    /// What the daemon says of the decision under this path of its pool.
    pub async fn ask(&self, path: &str) -> Result<Value, Failure> {
        let pool = pool_or_only(&self.api, self.pool.clone()).await?;
        let query: Vec<_> = self.at.iter().map(|at| ("at", at.to_string())).collect();
        get(&self.api, &format!("/pools/{pool}/{path}"), &query).await
    }
}

pub(super) async fn explain(arguments: ExplainArguments) -> Result<(), Failure> {
    let explanation = arguments.ask("explanation").await?;
    match arguments.output {
        Output::Json => anstream::println!("{explanation:#}"),
        Output::Text => anstream::print!("{}", explanation["text"].as_str().unwrap_or_default()),
    }
    Ok(())
}
