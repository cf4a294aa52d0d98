//! `windlass check`

mod bill;
mod learned;
mod online;

use std::path::PathBuf;

use serde_json::json;

use super::exit::{Failure, load, read_policy_text};
use super::{ConfigArguments, Output};
use crate::config::{Config, read_candidates};
use crate::policy::{Policy, Problems, Warning, expired, explain_defaults, lint, parse};
use crate::ports::{Clock, SystemClock};

/// Arguments of `windlass check`.
#[derive(Debug, clap::Args)]
pub(super) struct CheckArguments {
    /// Policy files; without any, the settings and all their policies and candidates.
    policies: Vec<PathBuf>,
    #[command(flatten)]
    config: ConfigArguments,
    /// Also ask Prometheus for every signal, and Linode for the price, by the settings.
    #[arg(long)]
    online: bool,
    /// Print each policy whole, with every default filled in.
    #[arg(long)]
    explain_defaults: bool,
    /// How to print.
    #[arg(long, value_enum, default_value_t)]
    output: Output,
}

/// A policy that can be used, and what is unwise in it.
struct Good {
    file: PathBuf,
    policy: Policy,
    warnings: Vec<Warning>,
    /// What is worth knowing, and no mistake.
    notes: Vec<String>,
}

pub(super) async fn check(arguments: &CheckArguments) -> Result<(), Failure> {
    if arguments.policies.is_empty() {
        let (config, policies) = load(&arguments.config.config)?;
        let folder = config.candidates.as_deref();
        let candidates = folder.map(|folder| read_candidates(folder, &policies));
        let candidates = candidates.unwrap_or_default();
        let followed = candidates.good.iter();
        let followed = followed.map(|one| (one.file.clone(), Policy::clone(&one.policy)));
        let mut good = linted(policies.into_iter().chain(followed).collect());
        learned::compare_with_learned(&config, &mut good).await?;
        if arguments.online {
            online::ask(&config, &mut good).await?;
        }
        return report(arguments, &good, &candidates.bad);
    }
    let (mut good, mut bad) = (Vec::new(), Vec::new());
    for file in &arguments.policies {
        let text = read_policy_text(file)?;
        match parse(&text, file) {
            Ok(policy) => good.push((file.clone(), policy)),
            Err(problems) => bad.push(problems),
        }
    }
    let mut good = linted(good);
    if arguments.online {
        online::ask(&Config::load(&arguments.config.config)?, &mut good).await?;
    }
    report(arguments, &good, &bad)
}

fn linted(policies: Vec<(PathBuf, Policy)>) -> Vec<Good> {
    let linted = policies.into_iter().map(|(file, policy)| {
        let mut warnings = lint(&policy);
        warnings.extend(expired(&policy, SystemClock.now()).into_iter().map(over));
        Good { file, policy, warnings, notes: Vec::new() }
    });
    linted.collect()
}

/// The warning about a time that was once.
fn over(key: String) -> Warning {
    let what = "its time is over, and does not come again".into();
    Warning { key, what, help: "delete it, or write a new time".into() }
}

fn report(arguments: &CheckArguments, good: &[Good], bad: &[Problems]) -> Result<(), Failure> {
    match arguments.output {
        Output::Json => print_json(arguments, good, bad),
        Output::Text => print_text(arguments, good, bad),
    }
    if bad.is_empty() { Ok(()) } else { Err(Failure::Found) }
}

fn print_json(arguments: &CheckArguments, good: &[Good], bad: &[Problems]) {
    let policies: Vec<_> = good
        .iter()
        .map(|Good { file, policy, warnings, notes }| {
            let mut one =
                json!({"file": file, "pool": policy.pool, "warnings": warnings, "notes": notes});
            if arguments.explain_defaults {
                one["policy"] = json!(policy);
            }
            one
        })
        .collect();
    let document = json!({"policies": policies, "problems": bad});
    anstream::println!("{document:#}");
}

fn print_text(arguments: &CheckArguments, good: &[Good], bad: &[Problems]) {
    for problems in bad {
        anstream::eprintln!("{problems}");
    }
    for Good { file, policy, warnings, notes } in good {
        let state = if warnings.is_empty() { "good" } else { "usable, with warnings" };
        anstream::eprintln!("{}: pool {} is {state}", file.display(), policy.pool);
        for warning in warnings {
            anstream::eprintln!("{warning}");
        }
        for note in notes {
            anstream::eprintln!("note: {note}");
        }
        if arguments.explain_defaults {
            anstream::print!("{}", explain_defaults(policy));
        }
    }
}
