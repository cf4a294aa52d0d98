//! `windlass shadow`

use comfy_table::Table;
use comfy_table::presets::NOTHING;

use super::Output;
use super::client::{ApiArguments, get, pool_or_only};
use super::exit::Failure;
use crate::domain::{Duration, Timestamp, before};
use crate::ports::{Clock, SystemClock};
use crate::reconciler::{Divergence, ShadowComparison, ShadowSide};

/// Arguments of `windlass shadow`.
#[derive(Debug, clap::Args)]
pub(super) struct ShadowArguments {
    /// The pool; needless where there is only one.
    pool: Option<String>,
    /// Only the last so long, such as 24h or 7d.
    #[arg(long, value_parser = humantime::parse_duration)]
    last: Option<Duration>,
    #[command(flatten)]
    api: ApiArguments,
    /// How to print.
    #[arg(long, value_enum, default_value_t)]
    output: Output,
}

pub(super) async fn shadow(arguments: ShadowArguments) -> Result<(), Failure> {
    let pool = pool_or_only(&arguments.api, arguments.pool).await?;
    let since = arguments.last.map(|last| before(SystemClock.now(), last).to_string());
    let query: Vec<(&str, String)> = since.into_iter().map(|since| ("since", since)).collect();
    let path = format!("/pools/{pool}/shadow");
    let compared: Vec<ShadowComparison> = get(&arguments.api, &path, &query).await?;
    if arguments.output == Output::Json {
        let document = serde_json::to_value(&compared).map_err(Failure::failed)?;
        anstream::println!("{document:#}");
        return Ok(());
    }
    if compared.is_empty() {
        anstream::eprintln!(
            "nothing is followed beside {pool}: name a folder as `shadow.policies` in the settings, \
             put a candidate there, and `windlass reload`"
        );
    }
    for (place, one) in compared.iter().enumerate() {
        if 0 < place {
            anstream::println!();
        }
        anstream::print!("{}", text(one));
    }
    Ok(())
}

/// A comparison for people.
pub(super) fn text(one: &ShadowComparison) -> String {
    let digest = one.policy_digest.get(..12).unwrap_or(&one.policy_digest);
    let mut lines = vec![
        format!("{}: the candidate {} ({digest}) beside the live policy", one.pool, one.candidate),
        format!("  from {} to {}; nothing of it was done", moment(one.from), moment(one.until)),
        table(one).to_string(),
        format!("  {:.1} % of the time they wanted different counts", 100.0 * one.apart_ratio),
    ];
    if let Some(largest) = &one.largest {
        let by = largest.live_desired.0.abs_diff(largest.desired.0);
        lines.push(format!("  furthest apart by {by}, {}", apart(largest)));
    }
    if one.judged_seconds == 0 {
        lines.push(
            "  how long nodes were short is not known: no `target` with `per_node` tells".into(),
        );
    }
    if 1 < one.live_policies {
        lines.push(format!(
            "  the live policy was replaced in between: there were {}",
            one.live_policies
        ));
    }
    if !one.rests_on_real_nodes.is_empty() {
        let names: Vec<&str> = one.rests_on_real_nodes.iter().map(|name| name.as_str()).collect();
        lines.push(format!(
            "  note: {} of the real nodes, not of those that the candidate would have",
            match names.as_slice() {
                [only] => format!("{only} speaks"),
                several => format!("{} speak", several.join(", ")),
            }
        ));
    }
    for divergence in &one.divergences {
        lines.push(format!("  apart {}", apart(divergence)));
        let first = |reasons: &[String]| reasons.first().cloned().unwrap_or_default();
        lines.push(format!("    live: {}", first(&divergence.live_reasons)));
        lines.push(format!("    {}: {}", one.candidate, first(&divergence.reasons)));
    }
    lines.join("\n") + "\n"
}

fn table(one: &ShadowComparison) -> Table {
    let mut table = Table::new();
    let candidate = one.candidate.to_string();
    table.load_style(NOTHING).set_header(["  ", "live", candidate.as_str()]);
    let judged = one.judged_seconds;
    type Cell = fn(&ShadowSide, u64) -> String;
    let rows: [(&str, Cell); 6] = [
        ("  nodes wanted now", |side, _| side.desired.0.to_string()),
        ("  nodes that would serve now", |side, _| side.serving.0.to_string()),
        ("  node-hours", |side, _| format!("{:.1}", side.node_hours)),
        ("  billed hours", |side, _| side.billed_hours.to_string()),
        ("  cost", |side, _| side.cost.map_or("unknown".into(), |cost| cost.to_string())),
        ("  time with fewer nodes than the load asked for", short),
    ];
    for (name, cell) in rows {
        table.add_row([name.to_owned(), cell(&one.live, judged), cell(&one.shadow, judged)]);
    }
    table
}

fn short(side: &ShadowSide, judged_seconds: u64) -> String {
    if judged_seconds == 0 {
        return "unknown".into();
    }
    let share = 100.0 * side.short_seconds as f64 / judged_seconds as f64;
    format!("{} s ({share:.2} %)", side.short_seconds)
}

fn apart(one: &Divergence) -> String {
    let (from, until) = (moment(one.from), moment(one.until));
    format!("{from} to {until}: live {}, candidate {}", one.live_desired.0, one.desired.0)
}

fn moment(at: Timestamp) -> String {
    at.strftime("%F %T").to_string()
}
