//! The report for people, in a hundred columns.

mod many;

use std::fmt::Write;

use comfy_table::presets::NOTHING;
use comfy_table::{CellAlignment, Table};

use super::arguments::BacktestArguments;
use super::setup::Setup;
use crate::sim::backtest::{Bout, CurvePoint, Lasts, Score, mean_curve};

/// The whole report.
pub(super) fn report(arguments: &BacktestArguments, setup: &Setup, bouts: &[Bout]) -> String {
    let mut text = String::new();
    match bouts {
        [bout] => {
            text += &head(arguments, setup, Some(bout));
            text += &tables(&bout.scores, !setup.scenes[0].hints.is_empty());
        }
        _ => {
            text += &head(arguments, setup, None);
            let names: Vec<&str> = setup.scenes.iter().map(|scene| &*scene.trace.name).collect();
            text += &many::tables(&names, bouts);
        }
    }
    if arguments.curve.is_some() {
        text += &curve(&mean_curve(bouts), bouts.len());
    }
    text
}

/// All columns of one trace.
fn tables(scores: &[Score], has_hints: bool) -> String {
    let mut text = String::new();
    for (title, table) in [
        ("users and money", money(scores, has_hints)),
        ("supply against demand", supply(scores)),
        ("movement", movement(scores)),
    ] {
        let _ = writeln!(text, "\n{title}");
        push(&mut text, &table);
    }
    text
}

/// What each further spared request costs.
fn curve(points: &[CurvePoint], traces: usize) -> String {
    let mut text = match traces {
        1 => "\ncost curve\n".to_owned(),
        _ => format!("\ncost curve, the mean of {traces} traces\n"),
    };
    let mut table = Table::new();
    table.load_style(NOTHING).set_header(["", "at", "late %", "/oracle", "cost $"]);
    for point in points {
        let knob = match (point.level, point.target) {
            (Some(level), _) => format!("level {level}"),
            (None, Some(target)) => format!("{target:.0} %"),
            (None, None) => String::new(),
        };
        table.add_row([
            format!("  {}", name(&point.name)),
            knob,
            format!("{:.3}", 100.0 * point.violating_requests_ratio),
            format!("{:.2}", point.billed_vs_oracle),
            format!("{:.2}", point.cost_usd),
        ]);
    }
    align(&mut table);
    push(&mut text, &table);
    text
}

/// What was rehearsed, and in which world; of several traces what they share.
fn head(arguments: &BacktestArguments, setup: &Setup, bout: Option<&Bout>) -> String {
    let (trace, settings) = (&setup.scenes[0].trace, &setup.scenes[0].settings);
    let mut text = String::new();
    if bout.is_some() {
        let scaled = match arguments.world.peak_nodes {
            Some(nodes) => format!(", scaled by {} to {nodes} nodes", rounded(trace.scale)),
            None => String::new(),
        };
        let _ = writeln!(
            text,
            "trace   {}: {}, scored from {} on\n        the busiest minute has {:.0} req/s{scaled}",
            trace.name,
            length(trace.seconds()),
            length(settings.scored_from),
            trace.peak_minute(),
        );
    }
    for (title, says) in world(setup) {
        let _ = writeln!(text, "{title:<8}{}", says.replace('\n', "\n        "));
    }
    if let Some(bout) = bout {
        let _ = writeln!(
            text,
            "oracle  {:.0} node hours or {} billed hours would have been enough, all known in advance",
            bout.yardstick.node_hours, bout.yardstick.billed_node_hours,
        );
    }
    text
}

/// The world that everyone shares, in words: a title and a line or two each.
pub(super) fn world(setup: &Setup) -> [(&'static str, String); 2] {
    let settings = &setup.scenes[0].settings;
    let node = &settings.node;
    let sources = &setup.sources;
    let (boot, drain) = (lasts(&settings.boot), lasts(&settings.drain));
    let carries = format!(
        "{:.0} req/s within {} ms of waiting, {:.0} at most: {} workers of {} req/s,\n{}",
        node.knee_rate(),
        node.objective() * 1e3,
        node.capacity(),
        node.workers(),
        rounded(node.worker_rate()),
        sources.node,
    );
    let lives = format!(
        "boot {boot}, {}\ndrain {drain}, {}\nmetrics {} old, {} to {} nodes, ${} a started hour: {}",
        sources.boot,
        sources.drain,
        length(settings.lag),
        settings.bounds.min.0,
        settings.bounds.max.0,
        settings.hourly_price.get(),
        sources.price,
    );
    [("node", carries), ("world", lives)]
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
    align(&mut table);
    table
}

/// Numbers stand at the right.
pub(super) fn align(table: &mut Table) {
    for column in table.column_iter_mut().skip(1) {
        column.set_cell_alignment(CellAlignment::Right);
    }
}

/// Adds a table's lines.
pub(super) fn push(text: &mut String, table: &Table) {
    for line in table.lines() {
        let _ = writeln!(text, "{}", line.trim_end());
    }
}

/// A contender's name; of a long path only the end, so that rows keep to a line.
fn name(name: &str) -> String {
    short(name, 30)
}

/// The end of a name, in so many letters.
pub(super) fn short(name: &str, longest: usize) -> String {
    let letters: Vec<char> = name.chars().collect();
    match letters.len().checked_sub(longest) {
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
