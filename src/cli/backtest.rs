//! `windlass backtest`: policies and other autoscalers on the same recorded traffic.

mod arguments;
mod delays;
mod document;
mod print;
mod setup;
mod traffic;
mod what_if;

use std::path::Path;

use super::exit::Failure;
use super::progress::Progress;
use crate::policy::Policy;
use crate::sim::backtest::{
    Advice, Bout, Contest, Rehearse, Report, Scene, Underivable, advise, compete, trials_at_most,
};
use arguments::BacktestOutput;
pub(super) use arguments::{BacktestArguments, WorldArguments};
use setup::Setup;
pub(super) use setup::{say_what_is_odd, set_up};

pub(super) async fn backtest(arguments: &BacktestArguments) -> Result<(), Failure> {
    arguments.refuse_contradictions()?;
    let arguments = arguments.clone().completed();
    let setup = set_up(&arguments.world, &arguments.what_ifs).await?;
    say_what_is_odd(&setup);
    let contest = setup.contest(&arguments);
    let bouts = {
        let progress = Progress::new("rehearsing", contest.steps());
        compete(&contest, &|steps| progress.more(steps)).map_err(underivable)?
    };
    let html = match arguments.has_report() {
        true => Some(html(&setup, &contest, &bouts)?),
        false => None,
    };
    match arguments.output {
        BacktestOutput::Json => {
            anstream::println!("{:#}", document::document(&arguments, &setup, &bouts));
        }
        BacktestOutput::Text => {
            anstream::print!("{}", print::report(&arguments, &setup, &bouts));
        }
        BacktestOutput::Html => anstream::print!("{}", html.as_deref().unwrap_or_default()),
    }
    if let (Some(file), Some(html)) = (&arguments.report, &html) {
        write_report(file, html)?;
    }
    check_limits(&arguments, &setup, &bouts)
}

/// A policy looks at something that the traffic doesn't tell.
pub(super) fn underivable(error: Underivable) -> Failure {
    let help = "rehearse targets on rates and utilisation, and latencies";
    Failure::BadSettings(format!("error: {error}\nhint: {help}"))
}

/// What each policy is advised on each trace.
pub(super) type Advised = Vec<(String, Vec<Advice>)>;

/// What `policies` are advised on each of `scenes`.
pub(super) fn advised(
    scenes: &[Scene],
    policies: &[(String, Policy)],
) -> Result<Vec<Advised>, Failure> {
    let trials = trials_at_most(policies) * scenes.len() as u64;
    let progress = Progress::new("trying advice", trials);
    let one = |scene: &Scene| {
        let Scene { trace, settings, hints } = scene;
        let world = Rehearse { trace, settings, hints, policies, baselines: &[] };
        advise(&world, &|trials| progress.more(trials)).map_err(underivable)
    };
    scenes.iter().map(one).collect()
}

/// The report, with advice about the first policy.
fn html(setup: &Setup, contest: &Contest<'_>, bouts: &[Bout]) -> Result<String, Failure> {
    let world = print::world(setup);
    let first = setup.policies.get(..1).unwrap_or_default();
    let advised = advised(&setup.scenes, first)?.into_iter();
    let advice: Vec<Vec<Advice>> =
        advised.map(|of_all| of_all.into_iter().flat_map(|(_, advice)| advice).collect()).collect();
    Ok(Report { contest, bouts, world: &world, advice: &advice }.html())
}

fn write_report(file: &Path, html: &str) -> Result<(), Failure> {
    std::fs::write(file, html).map_err(|cause| {
        let file = file.display();
        Failure::failed(anyhow::anyhow!(
            "can't write {file}: {cause}\nhint: name a file that you may write"
        ))
    })?;
    anstream::eprintln!("note: the report is in {}", file.display());
    Ok(())
}

/// Says which policies pass a stated limit.
fn check_limits(
    arguments: &BacktestArguments,
    setup: &Setup,
    bouts: &[Bout],
) -> Result<(), Failure> {
    let mut passed = Vec::new();
    for (scene, bout) in setup.scenes.iter().zip(bouts) {
        let place = match bouts.len() {
            1 => String::new(),
            _ => format!(" on {}", scene.trace.name),
        };
        for score in &bout.scores[..setup.policies.len()] {
            let (violating, cost) = (score.violating_requests_ratio, score.cost_usd);
            if let Some(limit) = arguments.max_violations.filter(|limit| limit.ratio() < violating)
            {
                passed.push(format!(
                    "{}: {}{place} of its requests violate the objective, over --max-violations \
                     {limit}",
                    score.name,
                    print::percent(violating)
                ));
            }
            if let Some(limit) = arguments.max_cost.filter(|limit| limit.get() < cost) {
                let name = &score.name;
                passed.push(format!("{name}: it costs ${cost:.2}{place}, over --max-cost {limit}"));
            }
        }
    }
    for line in &passed {
        anstream::eprintln!("problem: {line}");
    }
    if passed.is_empty() { Ok(()) } else { Err(Failure::Found) }
}
