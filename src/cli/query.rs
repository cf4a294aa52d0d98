//! `windlass query`: what each signal says now, how good that is, and what to do about it.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use comfy_table::Table;
use comfy_table::presets::NOTHING;
use futures_util::future::join_all;
use secrecy::SecretString;
use serde::Serialize;

use super::counted;
use super::exit::{Failure, load, read_policy};
use super::metrics::{TokenArguments, source};
use super::{ConfigArguments, Output};
use crate::config::{Config, Prometheus};
use crate::daemon;
use crate::domain::{Missing, PoolName, Reading, SignalName, Timestamp, elapsed};
use crate::policy::{CoverageNeed, Policy, Signal, SignalSource};
use crate::ports::{Balancer, Clock, MetricsSource, SystemClock};
use crate::prometheus::PrometheusSettings;

/// Arguments of `windlass query`.
#[derive(Debug, clap::Args)]
pub(super) struct QueryArguments {
    /// Policy files; without any, those that the settings name.
    policies: Vec<PathBuf>,
    #[command(flatten)]
    config: ConfigArguments,
    /// The Prometheus to ask, in place of the one in the settings.
    #[arg(long)]
    prometheus: Option<String>,
    #[command(flatten)]
    token: TokenArguments,
    /// How to print.
    #[arg(long, value_enum, default_value_t)]
    output: Output,
}

/// What a signal says now.
#[derive(Debug, Serialize)]
pub(super) struct Answer {
    /// The pool.
    pub pool: PoolName,
    /// The signal.
    pub signal: SignalName,
    /// The query.
    pub query: String,
    /// What came, as a decision would see it; its coverage only where that asks for a number.
    pub reading: Reading,
    /// How old the data is, in seconds.
    pub age_seconds: Option<u64>,
    /// What the coverage query counts.
    pub coverage: Option<f64>,
    /// What to do about it; nothing for a good signal.
    pub advice: Option<String>,
}

pub(super) async fn query(arguments: QueryArguments) -> Result<(), Failure> {
    let Asked { policies, url, token, timeout, balancers } = what_to_ask(&arguments)?;
    let settings = PrometheusSettings { read_deadline: timeout, ..PrometheusSettings::default() };
    let source = source(&url, token.as_ref(), settings)?;
    let asked = policies.iter().map(|policy| ask(policy, &source, &balancers));
    let answers: Vec<Answer> = join_all(asked).await.into_iter().flatten().collect();
    match arguments.output {
        Output::Json => {
            let document = serde_json::to_value(&answers).map_err(Failure::failed)?;
            anstream::println!("{document:#}");
        }
        Output::Text => print(&answers),
    }
    match answers.iter().all(|answer| answer.advice.is_none()) {
        true => Ok(()),
        false => Err(Failure::Found),
    }
}

/// Whom to ask about what.
struct Asked {
    policies: Vec<Policy>,
    /// The Prometheus.
    url: String,
    /// Its token.
    token: Option<SecretString>,
    /// How long it may take.
    timeout: Duration,
    /// Where settings were read.
    balancers: Vec<Arc<dyn Balancer>>,
}

fn what_to_ask(arguments: &QueryArguments) -> Result<Asked, Failure> {
    let usual = PrometheusSettings::default().read_deadline;
    let named = arguments.token.read()?;
    if arguments.policies.is_empty() {
        let (config, policies) = load(&arguments.config.config)?;
        let balancers = daemon::balancers(&config);
        // The settings' token is for the settings' server alone.
        let (url, token) = match &arguments.prometheus {
            Some(url) => (url.clone(), named),
            None => (config.prometheus.url, config.prometheus.token),
        };
        let policies = policies.into_iter().map(|(_, policy)| policy).collect();
        return Ok(Asked { policies, url, token, timeout: config.prometheus.timeout, balancers });
    }
    let policies = arguments.policies.iter().map(|file| read_policy(file));
    let policies = policies.collect::<Result<Vec<Policy>, Failure>>()?;
    match &arguments.prometheus {
        Some(url) => {
            let (url, balancers) = (url.clone(), Vec::new());
            Ok(Asked { policies, url, token: named, timeout: usual, balancers })
        }
        None => {
            let config = Config::load(&arguments.config.config)?;
            let balancers = daemon::balancers(&config);
            let Prometheus { url, timeout, token } = config.prometheus;
            Ok(Asked { policies, url, token, timeout, balancers })
        }
    }
}

/// Asks for every signal of a policy at once.
pub(super) async fn ask(
    policy: &Policy,
    source: &dyn MetricsSource,
    balancers: &[Arc<dyn Balancer>],
) -> Vec<Answer> {
    let (mut answers, counted) =
        tokio::join!(ask_metrics(policy, source), counted::ask(policy, balancers));
    answers.extend(counted);
    answers.sort_by(|one, other| one.signal.cmp(&other.signal));
    answers
}

async fn ask_metrics(policy: &Policy, source: &dyn MetricsSource) -> Vec<Answer> {
    let now = SystemClock.now();
    let queried = policy.signals.iter().filter_map(|(name, signal)| match &signal.source {
        SignalSource::Prometheus { query, nodes } => Some((name, signal, query, nodes)),
        SignalSource::Haproxy(_) => None,
    });
    let asked = queried.map(|(name, signal, query, nodes)| async move {
        let coverage = async {
            let coverage = signal.coverage.as_ref()?;
            Some(source.read(&coverage.query, signal.stale_after, now).await)
        };
        let value = async {
            match nodes {
                Some(nodes) => {
                    source.read_nodes(query, &nodes.label, signal.stale_after, now).await
                }
                None => source.read(query, signal.stale_after, now).await,
            }
        };
        let (reading, counted) = tokio::join!(value, coverage);
        let counted = counted.map(|counted| counted.sample().map_or(0.0, |sample| sample.value));
        let reading = covered(reading, counted, signal);
        Answer {
            pool: policy.pool.clone(),
            signal: name.clone(),
            query: query.clone(),
            age_seconds: newest(&reading).map(|at| elapsed(at, now).as_secs()),
            coverage: counted,
            advice: advice(&reading),
            reading,
        }
    });
    join_all(asked).await
}

/// A reading with too few sources behind it, where the policy names a number. How many nodes
/// serve only the daemon knows.
fn covered(reading: Reading, counted: Option<f64>, signal: &Signal) -> Reading {
    let need = signal.coverage.as_ref().map(|coverage| coverage.at_least);
    match (reading, counted, need) {
        (Reading::Fresh { sample }, Some(counted), Some(CoverageNeed::Count(wanted)))
            if counted < f64::from(wanted) =>
        {
            Reading::Partial { sample, seen: counted.clamp(0.0, 1e9) as u32, wanted }
        }
        (reading, _, _) => reading,
    }
}

fn newest(reading: &Reading) -> Option<Timestamp> {
    match reading {
        Reading::Fresh { sample } | Reading::Partial { sample, .. } => Some(sample.at),
        Reading::PerNode { samples, .. } => samples.iter().map(|sample| sample.at).max(),
        Reading::Missing { .. } => None,
    }
}

/// What to do about a reading that is not good.
pub(super) fn advice(reading: &Reading) -> Option<String> {
    let why = match reading {
        Reading::Fresh { .. } | Reading::PerNode { .. } => return None,
        Reading::Partial { .. } => {
            return Some("see which targets are down, on Prometheus' page of targets, or which balancers don't answer".into());
        }
        Reading::Missing { why } => why,
    };
    Some(
        match why {
            Missing::Empty => {
                "try the query in Prometheus: is the metric's name right, is it scraped?"
            }
            Missing::Stale { .. } => {
                "are the targets up? else raise `stale_after` to three scrapes"
            }
            Missing::NotANumber => {
                "a quantile of nothing is NaN: add `>= 0) or (sum(rate(…_count[1m])) == 0`"
            }
            Missing::Negative { .. } => {
                "take the difference the other way round, or `clamp_min(…, 0)`"
            }
            Missing::ManySeries { .. } => {
                "put `sum(…)` or `max(…)` around it, or give `node_label`"
            }
            Missing::QueryFailed { .. } => {
                "is Prometheus reachable and this legal PromQL, or do the balancers answer?"
            }
            Missing::CountedTooShortly { .. } => "ask again in some seconds",
            _ => "compare the signal's `node_label` with the labels of its series",
        }
        .into(),
    )
}

fn print(answers: &[Answer]) {
    let mut table = Table::new();
    table.load_style(NOTHING).set_header(["pool", "signal", "value", "age", "quality"]);
    for answer in answers {
        let (value, quality) = shown(&answer.reading);
        let age = answer.age_seconds.map_or("-".into(), |age| format!("{age} s"));
        let counted = answer.coverage.map(|counted| format!("; coverage counts {counted}"));
        let quality = format!("{quality}{}", counted.unwrap_or_default());
        let (pool, signal) = (answer.pool.to_string(), answer.signal.to_string());
        table.add_row([pool, signal, value, age, quality]);
    }
    anstream::println!("{table}");
    for answer in answers {
        if let Some(advice) = &answer.advice {
            anstream::eprintln!("hint: {} of {}: {advice}", answer.signal, answer.pool);
        }
    }
}

/// A reading's value and quality for people.
pub(super) fn shown(reading: &Reading) -> (String, String) {
    match reading {
        Reading::Fresh { sample } => (sample.value.to_string(), "good".into()),
        Reading::Partial { sample, seen, wanted } => {
            (sample.value.to_string(), format!("from only {seen} of {wanted} sources"))
        }
        Reading::PerNode { samples, .. } => {
            (format!("{} nodes", samples.len()), "good, a series of each node".into())
        }
        Reading::Missing { why } => ("-".into(), why.to_string()),
    }
}
