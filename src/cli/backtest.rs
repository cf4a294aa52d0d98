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
use crate::sim::backtest::{Bout, Contest, Report, Underivable, compete};
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
    match arguments.output {
        BacktestOutput::Json => {
            anstream::println!("{:#}", document::document(&arguments, &setup, &bouts));
        }
        BacktestOutput::Text => {
            anstream::print!("{}", print::report(&arguments, &setup, &bouts));
        }
        BacktestOutput::Html => anstream::print!("{}", html(&setup, &contest, &bouts)),
    }
    if let Some(file) = &arguments.report {
        write_report(file, &html(&setup, &contest, &bouts))?;
    }
    check_limits(&arguments, &setup, &bouts)
}

/// A policy looks at something that the traffic doesn't tell.
pub(super) fn underivable(error: Underivable) -> Failure {
    let help = "rehearse targets on rates and utilisation, and latencies";
    Failure::BadSettings(format!("error: {error}\nhint: {help}"))
}

/// The report.
fn html(setup: &Setup, contest: &Contest<'_>, bouts: &[Bout]) -> String {
    let world = print::world(setup);
    Report { contest, bouts, world: &world, advice: &[] }.html()
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
