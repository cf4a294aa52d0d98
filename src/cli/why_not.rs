//! `windlass why-not`

use serde_json::Value;

use super::Output;
use super::exit::Failure;
use super::explain::ExplainArguments;

/// Arguments of `windlass why-not`.
#[derive(Debug, clap::Args)]
pub(super) struct WhyNotArguments {
    /// Only: why not more nodes?
    #[arg(long, conflicts_with = "fewer")]
    more: bool,
    /// Only: why not fewer nodes?
    #[arg(long)]
    fewer: bool,
    #[command(flatten)]
    explain: ExplainArguments,
}

pub(super) async fn why_not(arguments: WhyNotArguments) -> Result<(), Failure> {
    let mut answer = arguments.explain.ask("why-not").await?;
    let ways = match (arguments.more, arguments.fewer) {
        (true, _) => &["more"][..],
        (_, true) => &["fewer"][..],
        (false, false) => &["more", "fewer"][..],
    };
    match arguments.explain.output {
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
