//! The flags of `windlass backtest`.

use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;

use super::super::exit::Failure;
use super::delays::DelayArguments;
use super::traffic::TrafficArguments;
use super::what_if::WhatIf;
use crate::domain::{Dollars, Duration};
use crate::forecast::Level;
use crate::sim::backtest::STEP_SECONDS;
use crate::sim::backtest::baselines::Baseline;

/// Arguments of `windlass backtest`.
#[derive(Clone, Debug, clap::Args)]
pub(in crate::cli) struct BacktestArguments {
    #[command(flatten)]
    pub world: WorldArguments,
    /// Others on the same traffic: hpa, keda, nomad-target-value, nomad-threshold,
    /// aws-target-tracking, aws-predictive, gce, react, adapt, hist, reg, static-peak,
    /// ideal-reactive, oracle, oracle-billed. `hpa@50` aims at 50 % instead of 70 %;
    /// `hpa+paid-hour` keeps surplus nodes until the end of their paid hour.
    #[arg(long, value_delimiter = ',', value_name = "NAMES")]
    pub baselines: Vec<Baseline>,
    /// The policies once more under other settings: `boot=60s`, `min=4,max=20`,
    /// `type=g6-standard-4`; boot, drain, lag, interval, min, max, type, price and per_node can
    /// differ. May be repeated.
    #[arg(long = "what-if", value_name = "SETTINGS")]
    pub what_ifs: Vec<WhatIf>,
    /// Also what each further spared request costs: policies at these levels of their forecast,
    /// baselines at 50, 60, 70, 80 and 90 % utilisation. A report always has it.
    #[arg(long, value_name = "LEVELS", value_delimiter = ',', num_args = 0..=16,
        require_equals = true, default_missing_values = USUAL_LEVELS, value_parser = level)]
    pub curve: Option<Vec<Level>>,
    /// Fail with exit code 4 if a policy lets more requests wait too long: `0.5%`, or `0.005`.
    #[arg(long, value_name = "SHARE")]
    pub max_violations: Option<Share>,
    /// Fail with exit code 4 if a policy costs more dollars over the scored time.
    #[arg(long, value_name = "DOLLARS", value_parser = dollars)]
    pub max_cost: Option<Dollars>,
    /// Also write the report, one HTML file, to this place.
    #[arg(long, value_name = "FILE")]
    pub report: Option<PathBuf>,
    /// How to print.
    #[arg(long, value_enum, default_value_t)]
    pub output: BacktestOutput,
}

/// Policies, traffic, and the world that they meet in.
#[derive(Clone, Debug, clap::Args)]
#[group(skip)]
pub(in crate::cli) struct WorldArguments {
    /// A policy to rehearse; may be repeated.
    #[arg(long = "policy", value_name = "FILE")]
    pub policies: Vec<PathBuf>,
    #[command(flatten)]
    pub traffic: TrafficArguments,
    /// What was announced in advance: CSV with the header `announced_at_seconds,
    /// expected_start_seconds,expected_extra_requests,expected_fanout_seconds`. With several
    /// traces `a.hints.csv` belongs to `a.csv`; may be repeated.
    #[arg(long, value_name = "FILE")]
    pub hints: Vec<PathBuf>,
    /// Scale the traffic so that its busiest minute needs so many nodes.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=100_000))]
    pub peak_nodes: Option<u32>,
    #[command(flatten)]
    pub delays: DelayArguments,
    /// How old the newest metrics are.
    #[arg(long, default_value = "15s", value_name = "TIME", value_parser = time)]
    pub lag: Duration,
    /// Between two decisions of a policy.
    #[arg(long, default_value = "10s", value_name = "TIME", value_parser = interval)]
    pub interval: Duration,
    /// How much of the beginning is not scored, for learners; two days of traces longer than three.
    #[arg(long, value_name = "TIME", value_parser = time)]
    pub unscored: Option<Duration>,
    /// Repeats the same chance: of boots and drains that may differ.
    #[arg(long, default_value_t = 1, value_name = "NUMBER")]
    pub seed: u64,
    /// The smallest count of all contenders; by default the first policy's, and 2 without one.
    #[arg(long, value_name = "N")]
    pub min: Option<u32>,
    /// The largest count of all contenders; by default the first policy's, and 60 without one.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=100_000))]
    pub max: Option<u32>,
    /// Requests that a node serves at the same time.
    #[arg(long, default_value_t = 8, value_name = "N",
        value_parser = clap::value_parser!(u32).range(1..=10_000))]
    pub workers: u32,
    /// Requests per second of each worker; by default so that a node at 80 % carries the first
    /// policy's `per_node`, and 20 without a policy.
    #[arg(long, value_name = "RATE", value_parser = rate)]
    pub worker_rate: Option<f64>,
    /// How long a request may wait before it is served.
    #[arg(long, default_value = "250ms", value_name = "TIME", value_parser = humantime::parse_duration)]
    pub objective: Duration,
    /// A started hour of a node, in dollars; by default the price of the first policy's node.
    #[arg(long, value_name = "DOLLARS", value_parser = dollars)]
    pub node_price: Option<Dollars>,
}

/// How a rehearsal is printed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub(in crate::cli) enum BacktestOutput {
    /// For people.
    #[default]
    Text,
    /// For programs.
    Json,
    /// For people with a browser: one file.
    Html,
}

/// Levels of the cost curve, unless others are named: from where an idle minute is worth as much
/// as a short one to ninety-nine times less.
const USUAL_LEVELS: [&str; 7] = ["0.5", "0.7", "0.8", "0.9", "0.95", "0.98", "0.99"];

/// Who stands beside the policies in a report, unless others are named: what most operators
/// know, and the plans in full knowledge.
const REPORT_BASELINES: [&str; 10] = [
    "hpa",
    "keda",
    "aws-target-tracking",
    "aws-predictive",
    "gce",
    "nomad-target-value",
    "react",
    "static-peak",
    "oracle",
    "oracle-billed",
];

impl BacktestArguments {
    /// Whether a report is to be made.
    pub fn has_report(&self) -> bool {
        self.report.is_some() || self.output == BacktestOutput::Html
    }

    /// Fills in what a report shows unless told otherwise.
    pub fn completed(mut self) -> Self {
        if self.has_report() {
            let levels = || USUAL_LEVELS.iter().filter_map(|text| level(text).ok()).collect();
            self.curve.get_or_insert_with(levels);
            if self.baselines.is_empty() {
                let usual = REPORT_BASELINES.iter().filter_map(|name| name.parse().ok());
                self.baselines = usual.collect();
            }
        }
        self
    }

    /// Refuses what each flag may say, but not together.
    pub fn refuse_contradictions(&self) -> Result<(), Failure> {
        let policies = &self.world.policies;
        let has_limit = self.max_violations.is_some() || self.max_cost.is_some();
        refuse(&[
            (
                policies.is_empty() && self.baselines.is_empty(),
                "there is nobody to rehearse\nhint: name a --policy, or --baselines".to_owned(),
            ),
            (
                policies.is_empty() && has_limit,
                "limits are for policies, and none is named\nhint: name a --policy".to_owned(),
            ),
            (
                policies.is_empty() && !self.what_ifs.is_empty(),
                "--what-if is about policies, and none is named\nhint: name a --policy".to_owned(),
            ),
        ])?;
        self.world.refuse_contradictions()
    }
}

impl WorldArguments {
    /// Refuses what each flag may say, but not together.
    pub fn refuse_contradictions(&self) -> Result<(), Failure> {
        let (min, max) = (self.min.unwrap_or(0), self.max.unwrap_or(u32::MAX));
        refuse(&[
            (max < min, format!("--max is {max}, below --min, which is {min}\nhint: raise --max")),
            (
                self.objective.is_zero(),
                "--objective is 0, which no queue can hold\nhint: give 250ms".to_owned(),
            ),
        ])?;
        self.traffic.refuse_contradictions()
    }
}

/// Refuses the first that is wrong.
pub(super) fn refuse(rules: &[(bool, String)]) -> Result<(), Failure> {
    match rules.iter().find(|(is_wrong, _)| *is_wrong) {
        Some((_, what)) => Err(Failure::Usage(what.clone())),
        None => Ok(()),
    }
}

/// A share of requests.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(in crate::cli) struct Share(f64);

impl Share {
    /// From 0 to 1.
    pub fn ratio(self) -> f64 {
        self.0
    }
}

impl FromStr for Share {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (number, whole) = match text.strip_suffix('%') {
            Some(percent) => (percent, 100.0),
            None => (text, 1.0),
        };
        let share = number.trim().parse::<f64>().ok().map(|number| number / whole);
        let share = share.filter(|share| (0.0..=1.0).contains(share));
        share.map(Self).ok_or_else(|| "give a share such as `0.5%`, or 0.005".to_owned())
    }
}

impl fmt::Display for Share {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}%", super::print::rounded(self.0 * 100.0))
    }
}

/// A time of whole seconds, up to a year.
pub(super) fn time(text: &str) -> Result<Duration, String> {
    let time = humantime::parse_duration(text).map_err(|error| error.to_string())?;
    if time.subsec_nanos() != 0 || 366 * 86_400 < time.as_secs() {
        return Err("give whole seconds, a year at most".to_owned());
    }
    Ok(time)
}

/// Between two decisions: whole steps.
pub(super) fn interval(text: &str) -> Result<Duration, String> {
    let interval = time(text)?;
    let seconds = interval.as_secs();
    if seconds == 0 || !seconds.is_multiple_of(STEP_SECONDS) {
        return Err(format!("a step has {STEP_SECONDS}s; give a multiple of {STEP_SECONDS}s"));
    }
    Ok(interval)
}

fn level(text: &str) -> Result<Level, String> {
    let level = text.trim().parse().ok().and_then(Level::new);
    level.ok_or_else(|| "a level lies between 0.5 and 0.995".to_owned())
}

pub(super) fn rate(text: &str) -> Result<f64, String> {
    let rate = text.parse().ok().filter(|rate: &f64| rate.is_finite() && 0.0 < *rate);
    rate.ok_or_else(|| "give a rate above 0, in requests per second".to_owned())
}

pub(super) fn dollars(text: &str) -> Result<Dollars, String> {
    let amount = text.trim_start_matches('$').parse().ok().and_then(Dollars::new);
    amount.ok_or_else(|| "give an amount of dollars, such as 0.036".to_owned())
}
