//! The report for people, in a hundred columns.

use std::fmt::Write;

use comfy_table::presets::NOTHING;
use comfy_table::{CellAlignment, Table};

use super::super::backtest::{Setup, WorldArguments};
use crate::sim::backtest::{Lasts, Rehearsal, Score};

/// The whole report.
pub(super) fn report(arguments: &WorldArguments, setup: &Setup, rehearsal: &Rehearsal) -> String {
    let mut text = head(arguments, setup, rehearsal);
    let scores = &rehearsal.scores;
    let has_hints = !setup.hints.is_empty();
    for (title, table) in [
        ("users and money", money(scores, has_hints)),
        ("supply against demand", supply(scores)),
        ("movement", movement(scores)),
    ] {
        let _ = writeln!(text, "\n{title}");
        for line in table.lines() {
            let _ = writeln!(text, "{}", line.trim_end());
        }
    }
    text
}

/// What was rehearsed, and in which world.
fn head(arguments: &WorldArguments, setup: &Setup, rehearsal: &Rehearsal) -> String {
    let (trace, settings) = (&setup.trace, &setup.settings);
    let node = &settings.node;
    let scaled = match arguments.peak_nodes {
        Some(nodes) => format!(", scaled by {} to {nodes} nodes", rounded(trace.scale)),
        None => String::new(),
    };
    let sources = &setup.sources;
    let (boot, drain) = (lasts(&settings.boot), lasts(&settings.drain));
    let mut text = String::new();
    let _ = writeln!(
        text,
        "trace   {}: {}, scored from {} on\n        the busiest minute has {:.0} req/s{scaled}",
        trace.name,
        length(trace.seconds()),
        length(settings.scored_from),
        trace.peak_minute(),
    );
    let _ = writeln!(
        text,
        "node    {:.0} req/s within {} ms of waiting, {:.0} at most: {} workers of {} req/s,\n        {}",
        node.knee_rate(),
        node.objective() * 1e3,
        node.capacity(),
        node.workers(),
        rounded(node.worker_rate()),
        sources.node,
    );
    let _ = writeln!(
        text,
        "world   boot {boot}, {}\n        drain {drain}, {}\n        metrics {} old, {} to {} nodes, ${} a started hour: {}",
        sources.boot,
        sources.drain,
        length(settings.lag),
        settings.bounds.min.0,
        settings.bounds.max.0,
        settings.hourly_price.get(),
        sources.price,
    );
    let _ = writeln!(
        text,
        "oracle  {:.0} node hours or {} billed hours would have been enough, all known in advance",
        rehearsal.yardstick.node_hours, rehearsal.yardstick.billed_node_hours,
    );
    text
}

/// How long something lasts.
fn lasts(time: &Lasts) -> String {
    match time.ends() {
        (shortest, longest) if shortest == longest => length(longest),
        (shortest, longest) => format!("{} to {}", length(shortest), length(longest)),
    }
}

/// Who waits, and what it costs.
fn money(scores: &[Score], has_hints: bool) -> Table {
    let mut heads = vec!["", "late %"];
    if has_hints {
        heads.push("announced %");
    }
    heads.extend(["billed h", "/oracle", "cost $", "node h", "/oracle"]);
    table(heads, scores, |score| {
        let mut cells = vec![format!("{:.3}", 100.0 * score.violating_requests_ratio)];
        if has_hints {
            let announced = score.announced_requests_violating_ratio;
            cells.push(announced.map_or("-".into(), |ratio| format!("{:.2}", 100.0 * ratio)));
        }
        cells.extend([
            score.billed_node_hours.to_string(),
            format!("{:.2}", score.billed_vs_oracle),
            format!("{:.2}", score.cost_usd),
            format!("{:.0}", score.node_hours),
            format!("{:.2}", score.node_hours_vs_oracle),
        ]);
        cells
    })
}

/// How well the supply meets the demand.
fn supply(scores: &[Score]) -> Table {
    let heads = vec!["", "missing %", "surplus %", "time short %", "time over %", "most nodes"];
    table(heads, scores, |score| {
        vec![
            format!("{:.2}", score.accuracy_under),
            format!("{:.0}", score.accuracy_over),
            format!("{:.1}", score.timeshare_under),
            format!("{:.0}", score.timeshare_over),
            score.peak_nodes.to_string(),
        ]
    })
}

/// How much it moves.
fn movement(scores: &[Score]) -> Table {
    let heads = vec!["", "nodes/day", "outs", "ins", "reversals", "unstable %", "jitter/h"];
    table(heads, scores, |score| {
        vec![
            format!("{:.0}", score.nodes_moved_per_day),
            score.scale_out_events.to_string(),
            score.scale_in_events.to_string(),
            score.reversals.to_string(),
            format!("{:.0}", score.instability),
            format!("{:.1}", score.jitter),
        ]
    })
}

fn table(heads: Vec<&str>, scores: &[Score], cells: impl Fn(&Score) -> Vec<String>) -> Table {
    let mut table = Table::new();
    table.load_style(NOTHING).set_header(heads);
    for score in scores {
        let mut row = vec![format!("  {}", name(&score.name))];
        row.extend(cells(score));
        table.add_row(row);
    }
    for column in table.column_iter_mut().skip(1) {
        column.set_cell_alignment(CellAlignment::Right);
    }
    table
}

/// A contender's name; of a long path only the end, so that rows keep to a line.
fn name(name: &str) -> String {
    const LONGEST: usize = 30;
    let letters: Vec<char> = name.chars().collect();
    match letters.len().checked_sub(LONGEST) {
        None | Some(0) => name.to_owned(),
        Some(over) => format!("…{}", letters[over + 1..].iter().collect::<String>()),
    }
}

/// Seconds as people say them: `11.5 days`, `1h 30m`.
pub(super) fn length(seconds: u64) -> String {
    const DAY: u64 = 86_400;
    if 2 * DAY <= seconds {
        return format!("{} days", (seconds as f64 / DAY as f64 * 10.0).round() / 10.0);
    }
    humantime::format_duration(std::time::Duration::from_secs(seconds)).to_string()
}

/// A ratio as a percentage.
pub(super) fn percent(ratio: f64) -> String {
    format!("{:.3} %", ratio * 100.0)
}

/// A number without the noise of fractions.
pub(super) fn rounded(number: f64) -> f64 {
    (number * 1e4).round() / 1e4
}
