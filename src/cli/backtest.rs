//! `windlass backtest`: policies and other autoscalers on the same recorded traffic.

mod arguments;
mod delays;
mod print;
mod traffic;

use std::path::Path;

use serde_json::json;

use super::Output;
use super::exit::{Failure, read_policy};
use crate::domain::{Dollars, NodeCount};
use crate::policy::{Control, Policy, Rule, TargetForm};
use crate::sandbox::hourly_price;
use crate::sim::backtest::{
    Bounds, Hint, KNEE, NodeModel, Rehearsal, Rehearse, Score, Settings, Trace, Underivable,
    read_hints, rehearse,
};
pub(super) use arguments::{BacktestArguments, WorldArguments};
use traffic::{Source, mistake};

/// Where no policy says otherwise: the reference experiment's node and bounds, and the price of
/// the plan that the reference policy buys.
const USUAL_WORKER_RATE: f64 = 20.0;
const USUAL_BOUNDS: Bounds = Bounds { min: NodeCount(2), max: NodeCount(60) };
const USUAL_TYPE: (&str, &str) = ("g6-standard-2", "eu-central");

/// Longer traces leave their first two days to those who learn.
const LEARNING_SECONDS: u64 = 2 * 86_400;
const LONG_SECONDS: u64 = 3 * 86_400;

/// All that a rehearsal was made of, for its report.
pub(super) struct Setup {
    pub(super) policies: Vec<(String, Policy)>,
    pub(super) trace: Trace,
    source: Source,
    pub(super) hints: Vec<Hint>,
    pub(super) settings: Settings,
    sources: Sources,
}

/// Where the world's numbers come from, for people.
struct Sources {
    node: String,
    price: String,
    boot: String,
    drain: String,
}

pub(super) async fn backtest(arguments: &BacktestArguments) -> Result<(), Failure> {
    arguments.refuse_contradictions()?;
    let setup = set_up(&arguments.world).await?;
    say_what_is_odd(&setup);
    let rehearsal = rehearse(&Rehearse {
        trace: &setup.trace,
        settings: &setup.settings,
        hints: &setup.hints,
        policies: &setup.policies,
        baselines: &arguments.baselines,
    });
    let rehearsal = rehearsal.map_err(underivable)?;
    match arguments.output {
        Output::Json => anstream::println!("{:#}", document(&arguments.world, &setup, &rehearsal)),
        Output::Text => anstream::print!("{}", print::report(&arguments.world, &setup, &rehearsal)),
    }
    check_limits(arguments, &rehearsal.scores[..setup.policies.len()])
}

pub(super) fn underivable(error: Underivable) -> Failure {
    let help = "rehearse targets on rates and utilisation, and latencies";
    Failure::BadSettings(format!("error: {error}\nhint: {help}"))
}

pub(super) async fn set_up(arguments: &WorldArguments) -> Result<Setup, Failure> {
    let mut policies = Vec::new();
    for file in &arguments.policies {
        let mut policy = read_policy(file)?;
        let bounds = &mut policy.bounds;
        bounds.min = arguments.min.map_or(bounds.min, NodeCount);
        bounds.max = arguments.max.map_or(bounds.max, NodeCount);
        if bounds.max < bounds.min {
            let (min, max) = (bounds.min.0, bounds.max.0);
            let help = "give --min and --max that fit together";
            return Err(unfit(
                file,
                &format!("the largest count is {max}, the smallest {min}"),
                help,
            ));
        }
        bounds.default = bounds.default.max(bounds.min).min(bounds.max);
        policies.push((file.display().to_string(), policy));
    }
    let (node, node_source) = node(arguments, policies.first());
    let (trace, source) = arguments.traffic.read(policies.first()).await?;
    let trace = match arguments.peak_nodes {
        None => trace,
        Some(nodes) => trace.scaled_to_peak(nodes, &node).map_err(|error| source.mistake(error))?,
    };
    let hints = read_hints_at(arguments)?;
    let (hourly_price, price_source) = price(arguments, policies.first())?;
    let bounds = policies.first().map_or(
        Bounds {
            min: arguments.min.map_or(USUAL_BOUNDS.min, NodeCount),
            max: arguments.max.map_or(USUAL_BOUNDS.max, NodeCount),
        },
        |(_, policy)| Bounds { min: policy.bounds.min, max: policy.bounds.max },
    );
    let delays = arguments.delays.read(policies.first()).await?;
    for note in &delays.notes {
        anstream::eprintln!("note: {note}");
    }
    let settings = Settings {
        node,
        bounds,
        boot: delays.boot,
        drain: delays.drain,
        lag: arguments.lag.as_secs(),
        interval: arguments.interval.as_secs(),
        scored_from: scored_from(arguments, &trace, &source)?,
        seed: arguments.seed,
        hourly_price,
    };
    let (boot_source, drain_source) = (delays.boot_source, delays.drain_source);
    let sources =
        Sources { node: node_source, price: price_source, boot: boot_source, drain: drain_source };
    Ok(Setup { policies, trace, source, hints, settings, sources })
}

/// The node model, and where its rate comes from: by default a policy's own claim is believed.
fn node(arguments: &WorldArguments, policy: Option<&(String, Policy)>) -> (NodeModel, String) {
    let workers = arguments.workers;
    let claim = policy.and_then(|(name, policy)| Some((name, per_node(policy)?)));
    let (rate, source) = match (arguments.worker_rate, claim) {
        (Some(rate), _) => (rate, "as told by --worker-rate".to_owned()),
        (None, Some((name, per_node))) => {
            let rate = per_node / (f64::from(workers) * KNEE);
            (rate, format!("so that it carries `per_node` of {name}: {per_node} req/s"))
        }
        (None, None) => (USUAL_WORKER_RATE, "as no policy says otherwise".to_owned()),
    };
    (NodeModel::new(workers, rate, arguments.objective.as_secs_f64()), source)
}

/// What one warm node carries, by the policy's first `target` rule.
fn per_node(policy: &Policy) -> Option<f64> {
    policy.rules.iter().find_map(|rule| match rule {
        Rule::Target(rule) => match rule.form {
            TargetForm::PerNode(per_node) => Some(per_node.get()),
            TargetForm::Value(_) | TargetForm::Average(_) => None,
            TargetForm::UtilisationPercent(_) => None,
        },
        Rule::Latency(_) | Rule::Count(_) | Rule::Fixed(_) => None,
        Rule::Step(_) | Rule::Schedule(_) => None,
        Rule::Forecast(_) | Rule::Surge(_) | Rule::Hint(_) => None,
    })
}

fn read_hints_at(arguments: &WorldArguments) -> Result<Vec<Hint>, Failure> {
    let Some(file) = &arguments.hints else {
        return Ok(Vec::new());
    };
    let text = read(file, "a file of hints")?;
    read_hints(&text).map_err(|error| mistake(file, &error.to_string()))
}

/// What a started hour costs, and how that is known.
fn price(
    arguments: &WorldArguments,
    policy: Option<&(String, Policy)>,
) -> Result<(Dollars, String), Failure> {
    if let Some(price) = arguments.node_price {
        return Ok((price, "as told by --node-price".to_owned()));
    }
    let (kind, region) = policy.map_or(USUAL_TYPE, |(_, policy)| {
        (policy.node.instance_type.as_str(), policy.node.region.as_str())
    });
    let price = hourly_price(kind, region).and_then(Dollars::new);
    price.map(|price| (price, format!("{kind} in {region}"))).ok_or_else(|| {
        let what = format!("error: the price of {kind} in {region} isn't known here");
        Failure::BadSettings(format!("{what}\nhint: give it as --node-price, in dollars an hour"))
    })
}

/// From when on the scores count, in seconds.
fn scored_from(arguments: &WorldArguments, trace: &Trace, source: &Source) -> Result<u64, Failure> {
    let length = trace.seconds();
    let usual = if LONG_SECONDS < length { LEARNING_SECONDS } else { 0 };
    let from = arguments.unscored.map_or(usual, |unscored| unscored.as_secs());
    if from + 120 <= length {
        return Ok(from);
    }
    let what = format!("the trace lasts {}, so nothing would be scored", print::length(length));
    Err(source.mistake(format!("{what}\nhint: give a shorter --unscored")))
}

pub(super) fn say_what_is_odd(setup: &Setup) {
    for (name, policy) in &setup.policies {
        if policy.control == Control::Hold {
            anstream::eprintln!(
                "note: {name} says `control: hold`; the rehearsal decides all the same"
            );
        }
        let (own, first) = (per_node(policy), per_node(&setup.policies[0].1));
        if own != first {
            anstream::eprintln!(
                "note: {name} has another `per_node` than the node that is simulated"
            );
        }
    }
    for note in setup.source.notes(&setup.trace) {
        anstream::eprintln!("note: {note}");
    }
}

/// The JSON document.
fn document(arguments: &WorldArguments, setup: &Setup, rehearsal: &Rehearsal) -> serde_json::Value {
    let Setup { trace, settings, sources, .. } = setup;
    let (node, boot) = (&settings.node, settings.boot.ends());
    json!({
        "trace": {
            "name": trace.name,
            "file": arguments.traffic.trace,
            "recorded": setup.source.recorded(),
            "begins_at_seconds": trace.begins_at,
            "length_seconds": trace.seconds(),
            "sample_seconds": trace.sample_seconds,
            "scale": trace.scale,
            "peak_requests_per_second": trace.peak_minute(),
            "gaps": trace.gaps,
            "held": trace.held,
            "held_seconds": trace.held_seconds(),
            "hints": setup.hints.len(),
            "oracle": rehearsal.yardstick,
        },
        "settings": {
            "peak_nodes": arguments.peak_nodes,
            "min": settings.bounds.min,
            "max": settings.bounds.max,
            "boot_seconds": [boot.0, boot.1],
            "boot_source": sources.boot,
            "drain_seconds": settings.drain.upper(),
            "drain_source": sources.drain,
            "lag_seconds": settings.lag,
            "interval_seconds": settings.interval,
            "unscored_seconds": settings.scored_from,
            "seed": settings.seed,
            "workers": node.workers(),
            "worker_rate": node.worker_rate(),
            "worker_rate_source": sources.node,
            "objective_seconds": node.objective(),
            "node_requests_per_second": node.capacity(),
            "node_requests_per_second_within_objective": node.knee_rate(),
            "hourly_price_usd": settings.hourly_price.get(),
            "hourly_price_source": sources.price,
        },
        "contenders": rehearsal.scores,
    })
}

/// Says which policies pass a stated limit.
fn check_limits(arguments: &BacktestArguments, scores: &[Score]) -> Result<(), Failure> {
    let mut passed = Vec::new();
    for score in scores {
        let (violating, cost) = (score.violating_requests_ratio, score.cost_usd);
        if let Some(limit) = arguments.max_violations.filter(|limit| limit.ratio() < violating) {
            passed.push(format!(
                "{}: {} of its requests violate the objective, over --max-violations {limit}",
                score.name,
                print::percent(violating)
            ));
        }
        if let Some(limit) = arguments.max_cost.filter(|limit| limit.get() < cost) {
            passed.push(format!("{}: it costs ${cost:.2}, over --max-cost {limit}", score.name));
        }
    }
    for line in &passed {
        anstream::eprintln!("problem: {line}");
    }
    if passed.is_empty() { Ok(()) } else { Err(Failure::Found) }
}

fn read(file: &Path, what: &str) -> Result<String, Failure> {
    std::fs::read_to_string(file).map_err(|cause| {
        let file = file.display();
        Failure::failed(anyhow::anyhow!(
            "can't read {file}: {cause}\nhint: name {what} that you may read"
        ))
    })
}

fn unfit(file: &Path, what: &str, help: &str) -> Failure {
    Failure::failed(anyhow::anyhow!("{}: {what}\nhint: {help}", file.display()))
}
