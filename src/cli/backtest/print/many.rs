//! Several traces at once: who was late, and at which price, on each of them.

use std::fmt::Write;

use comfy_table::Table;
use comfy_table::presets::NOTHING;

use super::{align, push, short};
use crate::sim::backtest::{Bout, together};

/// Contenders side by side, so that a table keeps to a hundred columns.
const ABREAST: usize = 5;
const LONGEST_TRACE: usize = 24;
const LONGEST_CONTENDER: usize = 90;

/// Contender by trace: late requests in percent, at billed hours against the fewest. Contenders
/// are numbered, as their names are too long to stand above a column.
pub(super) fn tables(traces: &[&str], bouts: &[Bout]) -> String {
    let all = together(bouts);
    let mut text = "\ncontenders\n".to_owned();
    for (place, one) in all.iter().enumerate() {
        let _ = writeln!(text, "  {:>4}  {}", number(place), short(&one.name, LONGEST_CONTENDER));
    }
    for first in (0..all.len()).step_by(ABREAST) {
        let places = first..all.len().min(first + ABREAST);
        let _ = writeln!(text, "\nlate % @ billed hours/oracle");
        let mut table = Table::new();
        let heads = std::iter::once(String::new()).chain(places.clone().map(number));
        table.load_style(NOTHING).set_header(heads);
        for (trace, bout) in traces.iter().zip(bouts) {
            let scores = bout.scores[places.clone()].iter();
            let cells =
                scores.map(|score| cell(score.violating_requests_ratio, score.billed_vs_oracle));
            table.add_row(row(trace, cells));
        }
        let means = all[places.clone()]
            .iter()
            .map(|one| cell(one.violating_requests_ratio.mean, one.billed_vs_oracle.mean));
        table.add_row(row("mean", means));
        let medians = all[places]
            .iter()
            .map(|one| cell(one.violating_requests_ratio.median, one.billed_vs_oracle.median));
        table.add_row(row("median", medians));
        align(&mut table);
        push(&mut text, &table);
    }
    text
}

fn number(place: usize) -> String {
    format!("[{}]", place + 1)
}

fn row(title: &str, cells: impl Iterator<Item = String>) -> Vec<String> {
    let title = format!("  {}", short(title, LONGEST_TRACE));
    std::iter::once(title).chain(cells).collect()
}

fn cell(late: f64, billed: f64) -> String {
    format!("{:.3} @ {billed:.2}", 100.0 * late)
}
