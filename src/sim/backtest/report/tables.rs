//! The tables: everyone on one trace, everyone on all of them. Each cell carries its exact value,
//! to sort by.

use std::fmt::Write;

use super::super::contest::{Bout, Contest, Scene, Together};
use super::super::score::Score;
use super::label::{Kind, kind, title};
use super::month;
use super::text::{dollars, escaped, grouped, percent};

/// One column: its head, what it means, whether it is there, its value and its text.
struct Column<'a> {
    head: &'static str,
    field: &'static str,
    says: &'static str,
    cell: Cell<'a>,
}

/// A score's value in a column, and its text.
type Cell<'a> = Box<dyn Fn(&Score) -> (f64, String) + 'a>;

/// Everyone on one trace.
pub(super) fn comparison(contest: &Contest<'_>, scene: &Scene, bout: &Bout) -> String {
    let mut out =
        "<div class=\"wide\"><table class=\"sortable\"><thead><tr><th scope=\"col\">Contender</th>"
            .to_owned();
    let columns = columns(scene);
    for Column { head, says, .. } in &columns {
        let _ = write!(out, "<th scope=\"col\" title=\"{says}\">{head}</th>");
    }
    out.push_str("</tr></thead><tbody>\n");
    for (place, score) in bout.scores.iter().enumerate() {
        let _ = write!(out, "<tr{}>{}", class(contest, place), head(contest, place, &score.name));
        for Column { field, cell, .. } in &columns {
            let (value, text) = cell(score);
            let field =
                if field.is_empty() { String::new() } else { format!(" data-field={field}") };
            let _ = write!(out, "<td{field} data-value=\"{value}\">{text}</td>");
        }
        out.push_str("</tr>\n");
    }
    out.push_str("</tbody></table></div>\n");
    out
}

fn columns<'a>(scene: &'a Scene) -> Vec<Column<'a>> {
    fn column<'a>(
        head: &'static str,
        field: &'static str,
        says: &'static str,
        cell: impl Fn(&Score) -> (f64, String) + 'a,
    ) -> Column<'a> {
        Column { head, field, says, cell: Box::new(cell) }
    }
    let mut columns = vec![
        column("Late", "violating_requests_ratio", "requests that waited too long", |score| {
            let late = score.violating_requests_ratio;
            (late, percent(late))
        }),
        column("A month", "", "what such a month would cost", |score| {
            let month = month(scene, score.cost_usd);
            (month, dollars(month))
        }),
        column(
            "× cheapest",
            "billed_vs_oracle",
            "against the cheapest fleet that lets nobody wait",
            |score| (score.billed_vs_oracle, format!("{:.2}", score.billed_vs_oracle)),
        ),
        column("Cost", "cost_usd", "dollars for the scored time", |score| {
            (score.cost_usd, dollars(score.cost_usd))
        }),
        column("Billed hours", "billed_node_hours", "started hours of each node", |score| {
            (score.billed_node_hours as f64, grouped(score.billed_node_hours as f64))
        }),
        column("Time short", "timeshare_under", "time with too few nodes", |score| {
            (score.timeshare_under, percent(score.timeshare_under / 100.0))
        }),
        column("Most nodes", "peak_nodes", "paid for at once", |score| {
            (f64::from(score.peak_nodes), score.peak_nodes.to_string())
        }),
        column("Moves a day", "nodes_moved_per_day", "nodes ordered or sent away", |score| {
            (score.nodes_moved_per_day, format!("{:.0}", score.nodes_moved_per_day))
        }),
    ];
    if !scene.hints.is_empty() {
        let says = "late requests of those within announced campaigns";
        columns.insert(
            1,
            column("Late, announced", "announced_requests_violating_ratio", says, |score| {
                let late = score.announced_requests_violating_ratio.unwrap_or_default();
                (late, percent(late))
            }),
        );
    }
    columns
}

/// Everyone on all traces: late requests at billed hours.
pub(super) fn summary(contest: &Contest<'_>, bouts: &[Bout], all: &[Together]) -> String {
    let mut out = "<p>Each cell: late requests, and below the bill against the cheapest \
                   fleet that lets nobody wait. Columns sort by late requests.</p>\n<div class=\"wide\"><table \
                   class=\"sortable summary\"><thead><tr><th scope=\"col\">Contender</th><th \
                   scope=\"col\">Mean</th><th scope=\"col\">Median</th>"
        .to_owned();
    for (place, scene) in contest.scenes.iter().enumerate() {
        let name = escaped(&scene.trace.name);
        let _ = write!(out, "<th scope=\"col\"><a href=\"#trace-{place}\">{name}</a></th>");
    }
    out.push_str("</tr></thead><tbody>\n");
    let cell = |late: f64, billed: f64| {
        let late_text = percent(late);
        format!("<td data-value=\"{late}\">{late_text}<small>{billed:.2} ×</small></td>")
    };
    for (place, one) in all.iter().enumerate() {
        let _ = write!(out, "<tr{}>{}", class(contest, place), head(contest, place, &one.name));
        let (late, billed) = (one.violating_requests_ratio, one.billed_vs_oracle);
        out.push_str(&cell(late.mean, billed.mean));
        out.push_str(&cell(late.median, billed.median));
        for bout in bouts {
            let score = &bout.scores[place];
            out.push_str(&cell(score.violating_requests_ratio, score.billed_vs_oracle));
        }
        out.push_str("</tr>\n");
    }
    out.push_str("</tbody></table></div>\n");
    out
}

fn class(contest: &Contest<'_>, place: usize) -> &'static str {
    match kind(contest, place) {
        Kind::Policy => " class=\"ours\"",
        Kind::Variant => " class=\"variant\"",
        Kind::Baseline(baseline) if baseline.is_clairvoyant() => " class=\"oracle\"",
        Kind::Baseline(_) => "",
    }
}

/// A row's head: the contender, and who that is.
fn head(contest: &Contest<'_>, place: usize, name: &str) -> String {
    let who = match kind(contest, place) {
        Kind::Policy => "your policy".to_owned(),
        Kind::Variant => "your policy, under other settings".to_owned(),
        Kind::Baseline(baseline) => title(baseline),
    };
    let name = escaped(name);
    format!("<th scope=\"row\">{name}<small>{}</small></th>", escaped(&who))
}
