//! `windlass drill`: what the daemon would do while something is broken, by the operator's policy.

use std::path::PathBuf;

use serde_json::json;

use super::exit::{Failure, load, read_policy};
use super::{ConfigArguments, Output};
use crate::policy::Policy;
use crate::sim::drill::{Drill, Minute, Scenario, drill as rehearse};

/// Arguments of `windlass drill`.
#[derive(Debug, clap::Args)]
pub(super) struct DrillArguments {
    /// What goes wrong: prometheus-lost, too-many-requests, playbooks-fail, slow-boots, socket-lost
    /// or sold-out; without any, each in turn.
    scenarios: Vec<Scenario>,
    /// The policy; without it, each that the settings name.
    #[arg(long, value_name = "FILE")]
    policy: Option<PathBuf>,
    /// For how many minutes it goes wrong.
    #[arg(long, value_name = "N", default_value_t = 15, value_parser = clap::value_parser!(u64).range(1..=1440))]
    minutes: u64,
    #[command(flatten)]
    config: ConfigArguments,
    /// How to print.
    #[arg(long, value_enum, default_value_t)]
    output: Output,
}

pub(super) async fn drill(arguments: &DrillArguments) -> Result<(), Failure> {
    let policies: Vec<Policy> = match &arguments.policy {
        Some(file) => vec![read_policy(file)?],
        None => load(&arguments.config.config)?.1.into_iter().map(|(_, policy)| policy).collect(),
    };
    let all = Scenario::ALL.to_vec();
    let scenarios = if arguments.scenarios.is_empty() { &all } else { &arguments.scenarios };
    let mut drills = Vec::new();
    for policy in &policies {
        for scenario in scenarios {
            let drill = rehearse(policy, *scenario, arguments.minutes).await;
            let drill = drill.map_err(Failure::failed)?;
            if arguments.output == Output::Text {
                print(policy, &drill);
            }
            drills.push((policy, drill));
        }
    }
    if arguments.output == Output::Json {
        let each =
            drills.iter().map(|(policy, drill)| json!({"pool": policy.pool, "drill": drill}));
        let document = json!({"drills": each.collect::<Vec<_>>()});
        anstream::println!("{document:#}");
    }
    match drills.iter().all(|(_, drill)| drill.broken.is_empty()) {
        true => Ok(()),
        false => Err(Failure::Found),
    }
}

fn print(policy: &Policy, drill: &Drill) {
    let Drill { served, load_times, lasts_minutes: lasts, .. } = drill;
    anstream::println!("{} of {}: {}", drill.scenario, policy.pool, drill.fault);
    let rises = match *load_times <= 1.0 {
        true => String::new(),
        false => format!("; the load is {load_times:.1} times what it was"),
    };
    anstream::println!("  {} nodes serve; it lasts {lasts} minutes{rises}", served.0);
    let mut is_over = false;
    for minute in &drill.minutes {
        if !is_over && drill.lasts_minutes <= minute.minute {
            is_over = true;
            anstream::println!("  minute {lasts}: the fault ends");
        }
        print_minute(minute);
    }
    if !is_over {
        anstream::println!("  minute {lasts}: the fault ends");
    }
    match drill.recovered_after_minutes {
        Some(minutes) => {
            anstream::println!("  all is well {minutes} minutes after the fault's end")
        }
        None => anstream::println!("  not well three hours after the fault's end"),
    }
    for broken in &drill.broken {
        anstream::println!("  BROKEN: {broken}");
    }
    anstream::println!();
}

fn print_minute(minute: &Minute) {
    let Minute { minute, serving, wanted, lines } = minute;
    anstream::println!("  minute {minute}: {} of {} nodes serve", serving.0, wanted.0);
    for line in lines {
        let times = if line.times == 1 { String::new() } else { format!("{} times: ", line.times) };
        anstream::println!("    {times}{}", line.text);
    }
}
