//! `windlass why-not`

use serde_json::Value;

use super::Output;
use super::client::{ApiArguments, get, pool_or_only};
use super::exit::Failure;
use crate::domain::Timestamp;

/// Arguments of `windlass why-not`.
#[derive(Debug, clap::Args)]
pub(super) struct WhyNotArguments {
    /// The pool; may be left out where there is only one.
    pool: Option<String>,
    /// Only: why not more nodes?
    #[arg(long, conflicts_with = "fewer")]
    more: bool,
    /// Only: why not fewer nodes?
    #[arg(long)]
    fewer: bool,
    /// The last decision up to this moment, such as 2026-11-24T03:10:00Z; now by default.
    #[arg(long)]
    at: Option<Timestamp>,
    #[command(flatten)]
    api: ApiArguments,
    /// How to print.
    #[arg(long, value_enum, default_value_t)]
    output: Output,
}

pub(super) async fn why_not(arguments: WhyNotArguments) -> Result<(), Failure> {
    let pool = pool_or_only(&arguments.api, arguments.pool).await?;
    let query: Vec<_> = arguments.at.iter().map(|at| ("at", at.to_string())).collect();
    let path = format!("/pools/{pool}/why-not");
    let mut answer: Value = get(&arguments.api, &path, &query).await?;
    let ways = match (arguments.more, arguments.fewer) {
        (true, _) => &["more"][..],
        (_, true) => &["fewer"][..],
        (false, false) => &["more", "fewer"][..],
    };
    match arguments.output {
        Output::Json => {
            let ways = ways.iter().map(|way| ((*way).to_owned(), answer[*way].take()));
            anstream::println!("{:#}", Value::Object(ways.collect()));
        }
        Output::Text => {
            for way in ways {
                anstream::print!("{}", answer[*way]["text"].as_str().unwrap_or_default());
            }
        }
    }
    Ok(())
}
