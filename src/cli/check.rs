//! `windlass check`

use std::path::PathBuf;
use std::time::Duration;

use serde_json::json;

use super::exit::{Failure, load, read_policy_text};
use super::query::{ask, shown, source};
use super::{ConfigArguments, Output};
use crate::config::Config;
use crate::policy::{Policy, Problems, Warning, explain_defaults, lint, parse};
use crate::ports::{Clock, SystemClock};
use crate::store::{Phase, PhaseTimes, Store};

/// Arguments of `windlass check`.
#[derive(Debug, clap::Args)]
pub(super) struct CheckArguments {
    /// Policy files; without any, the settings and all their policies.
    policies: Vec<PathBuf>,
    #[command(flatten)]
    config: ConfigArguments,
    /// Also ask Prometheus for every signal, by the settings.
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
}

pub(super) async fn check(arguments: &CheckArguments) -> Result<(), Failure> {
    if arguments.policies.is_empty() {
        let (config, policies) = load(&arguments.config.config)?;
        let mut good = linted(policies);
        compare_with_learned(&config, &mut good).await?;
        if arguments.online {
            ask_signals(&config, &mut good).await?;
        }
        return report(arguments, &good, &[]);
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
        ask_signals(&Config::load(&arguments.config.config)?, &mut good).await?;
    }
    report(arguments, &good, &bad)
}

fn linted(policies: Vec<(PathBuf, Policy)>) -> Vec<Good> {
    let linted = policies.into_iter().map(|(file, policy)| {
        let warnings = lint(&policy);
        Good { file, policy, warnings }
    });
    linted.collect()
}

/// Warns of windows that are shorter than what this pool's own nodes take to serve, where the
/// daemon has learned that.
async fn compare_with_learned(config: &Config, good: &mut [Good]) -> Result<(), Failure> {
    if !config.database.exists() {
        return Ok(());
    }
    let store = Store::open_beside(&config.database).await.map_err(Failure::failed)?;
    for one in good {
        let learned = store.learned(&one.policy.pool).await.map_err(Failure::failed)?;
        one.warnings.extend(shorter_than_learned(&one.policy, &learned));
    }
    store.close().await;
    Ok(())
}

fn shorter_than_learned(policy: &Policy, learned: &[PhaseTimes]) -> Vec<Warning> {
    let to_serve = [Phase::Create, Phase::Boot, Phase::Configure, Phase::Join];
    let known = learned.iter().filter(|times| to_serve.contains(&times.phase));
    let seconds: f64 = known.map(|times| times.p90_seconds).sum();
    let took = Duration::from_secs(seconds.clamp(0.0, 1e6).ceil() as u64);
    let warning = |key: &str, window: Duration, effect: &str| Warning {
        key: key.into(),
        what: format!(
            "{} is shorter than nine in ten of this pool's nodes took to serve ({}), {effect}",
            humantime::format_duration(window),
            humantime::format_duration(took)
        ),
        help: format!("take at least {}", humantime::format_duration(took)),
    };
    let mut warnings = Vec::new();
    let stabilize = policy.scale_in.stabilize;
    if stabilize < took {
        let effect = "so nodes are given away faster than they can be had back";
        warnings.push(warning("scale_in.stabilize", stabilize, effect));
    }
    let boot = learned.iter().find(|times| times.phase == Phase::Boot);
    if let Some(boot) =
        boot.filter(|boot| policy.node.boot_timeout.as_secs_f64() < boot.p90_seconds)
    {
        warnings.push(Warning {
            key: "node.boot_timeout".into(),
            what: format!(
                "one in ten of this pool's instances took longer than {:.0} s to run, and is given \
                 up before",
                boot.p90_seconds
            ),
            help: "take twice of what boots took here".into(),
        });
    }
    warnings
}

/// Warns of signals that can't be used now.
async fn ask_signals(config: &Config, good: &mut [Good]) -> Result<(), Failure> {
    let source = source(&config.prometheus.url, config.prometheus.timeout)?;
    for one in good {
        let answers = ask(&one.policy, &source, SystemClock.now()).await;
        one.warnings.extend(answers.into_iter().filter_map(|answer| {
            let (_, quality) = shown(&answer.reading);
            let key = format!("signals.{}", answer.signal);
            let what = format!("read just now, the signal {quality}");
            answer.advice.map(|help| Warning { key, what, help })
        }));
    }
    Ok(())
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
        .map(|Good { file, policy, warnings }| {
            let mut one = json!({"file": file, "pool": policy.pool, "warnings": warnings});
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
    for Good { file, policy, warnings } in good {
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

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    fn keys(text: &str, learned: &[(Phase, f64)]) -> Vec<String> {
        let policy = parse(text, Path::new("p.yaml")).expect("a good policy");
        let times = learned.iter().map(|(phase, seconds)| PhaseTimes {
            phase: *phase,
            nodes: 20,
            median_seconds: seconds / 2.0,
            p90_seconds: *seconds,
        });
        let warnings = shorter_than_learned(&policy, &times.collect::<Vec<_>>());
        warnings.into_iter().map(|warning| warning.key).collect()
    }

    #[test]
    fn windows_are_held_to_what_the_pool_itself_has_learned() {
        const MINIMAL: &str = include_str!("../../policies/minimal.yaml");
        let usual = [(Phase::Boot, 100.0), (Phase::Configure, 90.0), (Phase::Drain, 9_000.0)];
        assert_eq!(keys(MINIMAL, &[]), [""; 0], "nothing is known yet");
        assert_eq!(keys(MINIMAL, &usual), [""; 0], "ten minutes are longer than three");
        let hasty = format!("{MINIMAL}scale_in: {{stabilize: 3m}}\n");
        assert_eq!(keys(&hasty, &usual), ["scale_in.stabilize"]);
        let slow = [(Phase::Boot, 1_500.0)];
        assert_eq!(keys(MINIMAL, &slow), ["scale_in.stabilize", "node.boot_timeout"]);
    }
}
