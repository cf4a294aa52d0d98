//! `windlass reload`

use super::Output;
use super::client::{ApiArguments, post};
use super::exit::Failure;
use crate::api::ReloadReport;

/// Arguments of `windlass reload`.
#[derive(Debug, clap::Args)]
pub(super) struct ReloadArguments {
    #[command(flatten)]
    api: ApiArguments,
    /// How to print.
    #[arg(long, value_enum, default_value_t)]
    output: Output,
}

pub(super) async fn reload(arguments: ReloadArguments) -> Result<(), Failure> {
    let (_, report): (_, ReloadReport) = post(&arguments.api, "/policies/reload").await?;
    match arguments.output {
        Output::Json => {
            let document = serde_json::to_value(&report).map_err(Failure::failed)?;
            anstream::println!("{document:#}");
        }
        Output::Text => print(&report),
    }
    match report.problems.as_slice() {
        [] => Ok(()),
        problems => Err(Failure::BadSettings(problems.join("\n\n"))),
    }
}

fn print(report: &ReloadReport) {
    for one in &report.replaced {
        anstream::println!("{}: goes by another policy from its next look on", one.pool);
        for change in &one.changes {
            anstream::println!("  {change}");
        }
        if one.changes.is_empty() {
            anstream::println!("  with the same settings");
        }
    }
    for pool in &report.unchanged {
        anstream::println!("{pool}: as it was");
    }
    for warning in &report.warnings {
        anstream::eprintln!("warning: {warning}");
    }
}
