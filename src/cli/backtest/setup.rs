//! Reading all that a rehearsal is made of.
//!
//! In: the flags.
//! Out: policies, their variants, traces with their worlds; or what can't be used, where, and
//! what to do.
//! Never: rehearses.

use std::fs::File;
use std::path::Path;

use super::super::exit::{Failure, read_policy};
use super::arguments::{BacktestArguments, WorldArguments};
use super::print;
use super::traffic::{Source, mistake};
use super::what_if::WhatIf;
use crate::domain::{Dollars, NodeCount};
use crate::policy::{Control, Policy, Rule, TargetForm};
use crate::sandbox::hourly_price;
use crate::sim::backtest::{
    Bounds, Contest, Detail, Hint, KNEE, NodeModel, Scene, Settings, Trace, Variant, read_hints,
};

/// Where no policy says otherwise: the reference experiment's node and bounds, and the price of
/// the plan that the reference policy buys.
const USUAL_WORKER_RATE: f64 = 20.0;
const USUAL_BOUNDS: Bounds = Bounds { min: NodeCount(2), max: NodeCount(60) };
const USUAL_TYPE: (&str, &str) = ("g6-standard-2", "eu-central");

/// Longer traces leave their first two days to those who learn.
const LEARNING_SECONDS: u64 = 2 * 86_400;
const LONG_SECONDS: u64 = 3 * 86_400;

/// Buckets and changes that a report keeps of all contenders on all traces together: enough to
/// zoom into an hour of a week, and few enough that the file stays below a few megabytes.
const REPORT_BUCKETS: usize = 60_000;
const REPORT_CHANGES: usize = 2_000;

/// All that a rehearsal is made of.
pub(in crate::cli) struct Setup {
    pub policies: Vec<(String, Policy)>,
    pub variants: Vec<Variant>,
    /// At least one.
    pub scenes: Vec<Scene>,
    /// Where each scene's trace comes from.
    pub(super) traffic: Vec<Source>,
    pub(super) sources: Sources,
}

/// Where the world's numbers come from, for people.
pub(super) struct Sources {
    pub node: String,
    pub price: String,
    pub boot: String,
    pub drain: String,
}

impl Setup {
    /// What is to be held.
    pub(super) fn contest<'a>(&'a self, arguments: &'a BacktestArguments) -> Contest<'a> {
        let entrants = self.policies.len() + self.variants.len();
        let contenders = entrants + arguments.baselines.len();
        let share = |all: usize, among: usize, least: usize, most: usize| {
            (all / (among * self.scenes.len()).max(1)).clamp(least, most)
        };
        let detail = arguments.has_report().then(|| Detail {
            buckets: share(REPORT_BUCKETS, contenders, 500, 10_000),
            changes: share(REPORT_CHANGES, entrants, 30, 500),
        });
        Contest {
            scenes: &self.scenes,
            policies: &self.policies,
            variants: &self.variants,
            baselines: &arguments.baselines,
            levels: arguments.curve.as_deref().unwrap_or_default(),
            detail,
        }
    }
}

/// Reads everything that `arguments` and `what_ifs` name.
pub(in crate::cli) async fn set_up(
    arguments: &WorldArguments,
    what_ifs: &[WhatIf],
) -> Result<Setup, Failure> {
    let mut policies = Vec::new();
    for file in &arguments.policies {
        policies.push((file.display().to_string(), policy(arguments, file)?));
    }
    let (node, node_source) = node(arguments, policies.first());
    let traces = arguments.traffic.read(policies.first()).await?;
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
    let world = Settings {
        node,
        bounds,
        boot: delays.boot,
        drain: delays.drain,
        lag: arguments.lag.as_secs(),
        interval: arguments.interval.as_secs(),
        scored_from: 0,
        seed: arguments.seed,
        hourly_price,
    };
    let sources = Sources {
        node: node_source,
        price: price_source,
        boot: delays.boot_source,
        drain: delays.drain_source,
    };
    let variants = variants(what_ifs, &policies, &world)?;
    let mut hints = read_hints_of_all(arguments, traces.len())?.into_iter();
    let (mut scenes, mut traffic) = (Vec::new(), Vec::new());
    for (trace, source) in traces {
        let trace = match arguments.peak_nodes {
            None => trace,
            Some(nodes) => {
                trace.scaled_to_peak(nodes, &world.node).map_err(|error| source.mistake(error))?
            }
        };
        let scored_from = scored_from(arguments, &trace, &source)?;
        let hints = hints.next().unwrap_or_default();
        scenes.push(Scene { trace, settings: Settings { scored_from, ..world.clone() }, hints });
        traffic.push(source);
    }
    Ok(Setup { policies, variants, scenes, traffic, sources })
}

/// The policy at `file`, within the bounds that everyone has.
fn policy(arguments: &WorldArguments, file: &Path) -> Result<Policy, Failure> {
    let mut policy = read_policy(file)?;
    let bounds = &mut policy.bounds;
    bounds.min = arguments.min.map_or(bounds.min, NodeCount);
    bounds.max = arguments.max.map_or(bounds.max, NodeCount);
    if bounds.max < bounds.min {
        let (min, max) = (bounds.min.0, bounds.max.0);
        let what = format!("the largest count is {max}, the smallest {min}");
        return Err(unfit(file, &what, "give --min and --max that fit together"));
    }
    bounds.default = bounds.default.max(bounds.min).min(bounds.max);
    Ok(policy)
}

/// Each policy under each `--what-if`.
fn variants(
    what_ifs: &[WhatIf],
    policies: &[(String, Policy)],
    world: &Settings,
) -> Result<Vec<Variant>, Failure> {
    let mut variants = Vec::new();
    for (name, policy) in policies {
        for what_if in what_ifs {
            let variant = what_if.apply(name, policy, world).map_err(|what| {
                Failure::Usage(format!("--what-if {what_if} with {name}: {what}"))
            })?;
            variants.push(variant);
        }
    }
    Ok(variants)
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

/// What was announced on each trace.
fn read_hints_of_all(arguments: &WorldArguments, traces: usize) -> Result<Vec<Vec<Hint>>, Failure> {
    let mut all = vec![Vec::new(); traces];
    for file in &arguments.hints {
        let place = match traces {
            1 => Some(0),
            _ => arguments.traffic.traces.iter().position(|trace| announces(file, trace)),
        };
        let Some(place) = place else {
            let what = "which trace it belongs to isn't clear";
            return Err(unfit(file, what, "name it after the trace: a.hints.csv for a.csv"));
        };
        let text = read(file, "a file of hints")?;
        let hints = read_hints(&text).map_err(|error| mistake(file, &error.to_string()))?;
        all[place].extend(hints);
    }
    Ok(all)
}

/// Whether hints in `file` are about `trace`, by their names: `a.hints.csv` and `a.csv`.
fn announces(file: &Path, trace: &Path) -> bool {
    let stem = |path: &Path| path.file_stem().map(|stem| stem.to_string_lossy().into_owned());
    stem(trace).is_some_and(|trace| stem(file) == Some(format!("{trace}.hints")))
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
    let price = price_of(kind, region).map_err(|what| {
        let help = "hint: give it as --node-price, in dollars an hour";
        Failure::BadSettings(format!("error: {what}\n{help}"))
    })?;
    Ok((price, format!("{kind} in {region}")))
}

/// What a started hour of a plan costs in a region; or that it isn't known.
pub(super) fn price_of(kind: &str, region: &str) -> Result<Dollars, String> {
    let price = hourly_price(kind, region).and_then(Dollars::new);
    price.ok_or_else(|| format!("the price of {kind} in {region} isn't known here"))
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

/// Says what a reader of the results should know of their sources.
pub(in crate::cli) fn say_what_is_odd(setup: &Setup) {
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
    for (scene, source) in setup.scenes.iter().zip(&setup.traffic) {
        for note in source.notes(&scene.trace) {
            match setup.scenes.len() {
                1 => anstream::eprintln!("note: {note}"),
                _ => anstream::eprintln!("note: {}: {note}", scene.trace.name),
            }
        }
    }
}

fn read(file: &Path, what: &str) -> Result<String, Failure> {
    std::fs::read_to_string(file).map_err(|cause| unopened(file, what, &cause))
}

/// Opens a file to be read; `what` it should be.
pub(super) fn open(file: &Path, what: &str) -> Result<File, Failure> {
    File::open(file).map_err(|cause| unopened(file, what, &cause))
}

fn unopened(file: &Path, what: &str, cause: &std::io::Error) -> Failure {
    let file = file.display();
    Failure::failed(anyhow::anyhow!(
        "can't read {file}: {cause}\nhint: name {what} that you may read"
    ))
}

fn unfit(file: &Path, what: &str, help: &str) -> Failure {
    Failure::failed(anyhow::anyhow!("{}: {what}\nhint: {help}", file.display()))
}
