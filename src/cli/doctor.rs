//! `windlass doctor`: everything that a deployment needs, looked at and told, one line each.
//!
//! In: the settings.
//! Out: what is well, unwise and broken, each with its place and remedy.
//! Never: changes anything; stops at the first fault; waits for one thing longer than its time.

mod ansible;
mod finding;
mod haproxy;
mod linode;
mod notices;
mod prometheus;
mod settings;
mod store;

use std::path::Path;

use serde_json::json;

use super::exit::Failure;
use super::{ConfigArguments, Output};
use finding::{Finding, Verdict};

/// Arguments of `windlass doctor`.
#[derive(Debug, clap::Args)]
pub(super) struct DoctorArguments {
    #[command(flatten)]
    config: ConfigArguments,
    /// How to print.
    #[arg(long, value_enum, default_value_t)]
    output: Output,
}

pub(super) async fn doctor(arguments: &DoctorArguments) -> Result<(), Failure> {
    let findings = examine(&arguments.config.config).await;
    match arguments.output {
        Output::Json => {
            let document = json!({"findings": findings});
            anstream::println!("{document:#}");
        }
        Output::Text => print(&findings),
    }
    match findings.iter().any(|finding| finding.verdict == Verdict::Failed) {
        true => Err(Failure::Found),
        false => Ok(()),
    }
}

/// Looks at everything at once; the findings come in the order in which things rest on each other.
async fn examine(file: &Path) -> Vec<Finding> {
    let (mut findings, read) = settings::examine(file);
    let Some((config, policies)) = read else { return findings };
    let (store, linode, prometheus, haproxy, ansible, notices) = tokio::join!(
        store::examine(&config),
        linode::examine(&config, &policies),
        prometheus::examine(&config, &policies),
        haproxy::examine(&config, &policies),
        ansible::examine(&config, &policies),
        notices::examine(&config),
    );
    for found in [store, linode, prometheus, haproxy, ansible, notices] {
        for finding in found {
            // Two pools may meet with the same fault.
            if !findings.contains(&finding) {
                findings.push(finding);
            }
        }
    }
    findings
}

fn print(findings: &[Finding]) {
    for finding in findings {
        anstream::println!("{finding}");
    }
    let count = |verdict| findings.iter().filter(|finding| finding.verdict == verdict).count();
    anstream::eprintln!(
        "{} ok, {} to think about, {} failed",
        count(Verdict::Ok),
        count(Verdict::Warning),
        count(Verdict::Failed)
    );
}
