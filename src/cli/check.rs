//! `windlass check`

use std::path::PathBuf;

use serde_json::json;

use super::exit::{Failure, load, read_policy_text};
use super::{ConfigArguments, Output};
use crate::policy::{Policy, Problems, explain_defaults, lint, parse};

/// Arguments of `windlass check`.
#[derive(Debug, clap::Args)]
pub(super) struct CheckArguments {
    /// Policy files; without any, the settings and all their policies.
    policies: Vec<PathBuf>,
    #[command(flatten)]
    config: ConfigArguments,
    /// Print each policy whole, with every default filled in.
    #[arg(long)]
    explain_defaults: bool,
    /// How to print.
    #[arg(long, value_enum, default_value_t)]
    output: Output,
}

pub(super) fn check(arguments: &CheckArguments) -> Result<(), Failure> {
    if arguments.policies.is_empty() {
        let (_, policies) = load(&arguments.config.config)?;
        return report(arguments, policies, Vec::new());
    }
    let (mut good, mut bad) = (Vec::new(), Vec::new());
    for file in &arguments.policies {
        let text = read_policy_text(file)?;
        match parse(&text, file) {
            Ok(policy) => good.push((file.clone(), policy)),
            Err(problems) => bad.push(problems),
        }
    }
    report(arguments, good, bad)
}

fn report(
    arguments: &CheckArguments,
    good: Vec<(PathBuf, Policy)>,
    bad: Vec<Problems>,
) -> Result<(), Failure> {
    match arguments.output {
        Output::Json => print_json(arguments, &good, &bad),
        Output::Text => print_text(arguments, &good, &bad),
    }
    if bad.is_empty() { Ok(()) } else { Err(Failure::Found) }
}

fn print_json(arguments: &CheckArguments, good: &[(PathBuf, Policy)], bad: &[Problems]) {
    let policies: Vec<_> = good
        .iter()
        .map(|(file, policy)| {
            let mut one = json!({"file": file, "pool": policy.pool, "warnings": lint(policy)});
            if arguments.explain_defaults {
                one["policy"] = json!(policy);
            }
            one
        })
        .collect();
    let document = json!({"policies": policies, "problems": bad});
    anstream::println!("{document:#}");
}

fn print_text(arguments: &CheckArguments, good: &[(PathBuf, Policy)], bad: &[Problems]) {
    for problems in bad {
        anstream::eprintln!("{problems}");
    }
    for (file, policy) in good {
        let warnings = lint(policy);
        let state = if warnings.is_empty() { "good" } else { "usable, with warnings" };
        anstream::eprintln!("{}: pool {} is {state}", file.display(), policy.pool);
        for warning in warnings {
            anstream::eprintln!("{warning}");
        }
        if arguments.explain_defaults {
            anstream::print!("{}", explain_defaults(policy));
        }
    }
}
