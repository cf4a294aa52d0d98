//! The report: one file that asks for nothing, says what the JSON says, and trusts no name.

use serde_json::Value;

use super::command::Place;
use super::contest::with_forecast;

/// Elements without an end.
const VOID: [&str; 4] = ["meta", "!doctype", "br", "input"];

/// A place with a policy and a trace that are named as an attacker would name them.
fn hostile() -> Place {
    let place = Place::new();
    with_forecast(&place);
    let file = |name: &str| place.folder.path().join(name);
    std::fs::rename(file("ahead.yaml"), file("<b>&'\"mine.yaml")).expect("renamed");
    std::fs::rename(file("day.csv"), file("<script><i>day.csv")).expect("renamed");
    place
}

const NAMES: [&str; 4] = ["--policy", "<b>&'\"mine.yaml", "--trace", "<script><i>day.csv"];
const OTHERS: [&str; 8] = [
    "--peak-nodes",
    "40",
    "--baselines",
    "hpa,gce,oracle-billed",
    "--curve=0.5,0.9",
    "--what-if",
    "boot=60s",
    "--report",
];

/// The report and the JSON document of the same rehearsal.
fn both() -> (String, Value) {
    let place = hostile();
    let document = place.json(&[&NAMES[..], &OTHERS, &["report.html"]].concat());
    let report = std::fs::read_to_string(place.folder.path().join("report.html"));
    (report.expect("a report"), document)
}

/// What stands between each `before` and the next `after`.
fn between<'a>(text: &'a str, before: &str, after: &str) -> Vec<&'a str> {
    let pieces = text.split(before).skip(1);
    pieces.map(|piece| piece.split(after).next().unwrap_or_default()).collect()
}

/// Every element is closed, in order. Scripts and styles hold text alone.
fn assert_well_formed(html: &str) {
    let (mut open, mut rest) = (Vec::new(), html);
    while let Some((_, from)) = rest.split_once('<') {
        let (tag, after) = from.split_once('>').expect("a tag ends");
        assert!(!tag.contains('<'), "a tag within a tag: {tag}");
        rest = after;
        let name = tag.split_whitespace().next().unwrap_or_default().to_lowercase();
        if let Some(name) = name.strip_prefix('/') {
            assert_eq!(open.pop().as_deref(), Some(name), "near {:.80}", after);
        } else if name == "script" || name == "style" {
            let end = format!("</{name}>");
            rest = after.split_once(&end).expect("a script ends").1;
        } else if !tag.ends_with('/') && !VOID.contains(&&*name) {
            open.push(name);
        }
    }
    assert_eq!(open, Vec::<String>::new());
}

#[test]
fn it_is_well_formed_asks_for_nothing_and_has_every_section() {
    let (report, _) = both();
    assert!(report.starts_with("<!doctype html>"));
    assert_well_formed(&report);
    for load in ["http://", "https://", "src=", "@import", "url(", "<link", "fetch(", "import("] {
        assert!(!report.contains(load), "{load}");
    }
    for link in between(&report, "href=\"", "\"") {
        assert!(link.starts_with('#'), "{link}");
    }
    for section in [
        "<section id=\"short\">",
        "<h3>What to do</h3>",
        "How to read this",
        "<figure class=\"plot\"",
        "<figure class=\"curve\">",
        "The points as a table",
        "Everyone on this trace",
        "decisions of",
        "<section id=\"settings\">",
    ] {
        assert!(report.contains(section), "{section}");
    }
    assert!(report.len() < 2_000_000, "{} bytes", report.len());
}

#[test]
fn names_are_escaped_everywhere() {
    let (report, _) = both();
    assert!(report.contains("&lt;b&gt;&amp;&#39;&quot;mine.yaml"));
    assert!(report.contains("&lt;script&gt;&lt;i&gt;day"));
    for raw in ["<b>&'", "<i>", "mine.yaml\">"] {
        let (before, _) = report.split_once("<script>\n\"use strict\"").expect("our own script");
        assert!(!before.contains(raw), "{raw}");
    }
}

#[test]
fn its_numbers_are_those_of_the_document() {
    let (report, document) = both();
    let cells = between(&report, "data-field=", ">");
    let mut cells = cells.iter().map(|cell| {
        let (field, value) = cell.split_once(" data-value=\"").expect("a value");
        let value: f64 = value.trim_end_matches('"').parse().expect("a number");
        (field, value)
    });
    let mut follows = |row: &Value, fields: &[&str]| {
        for field in fields {
            assert_eq!(cells.next(), row[field].as_f64().map(|value| (*field, value)), "{row}");
        }
    };
    let curve = document["curve"].as_array().expect("a curve");
    // Two levels, five targets of two, and a plan.
    assert_eq!(curve.len(), 2 + 5 + 5 + 1);
    for point in curve {
        follows(point, &["violating_requests_ratio", "billed_vs_oracle", "cost_usd"]);
    }
    let contenders = document["contenders"].as_array().expect("contenders");
    assert_eq!(contenders.len(), 5);
    for contender in contenders {
        follows(
            contender,
            &[
                "violating_requests_ratio",
                "billed_vs_oracle",
                "cost_usd",
                "billed_node_hours",
                "timeshare_under",
                "peak_nodes",
                "nodes_moved_per_day",
            ],
        );
    }
    assert_eq!(cells.next(), None);
}

#[test]
fn the_plot_has_every_bucket_of_everyone_and_decisions_have_reasons() {
    let (report, document) = both();
    let data = between(&report, "<script type=\"application/json\">", "</script>");
    let data: Value = serde_json::from_str(data.first().expect("data")).expect("JSON");
    let (buckets, bucket) = (data["buckets"].as_u64(), data["bucket"].as_u64());
    // Twelve hours are short enough for every step.
    assert_eq!((buckets, bucket), (Some(4_320), Some(10)));
    let length = |runs: &Value| {
        let runs = runs.as_array().expect("runs");
        runs.chunks(2).map(|run| run[1].as_u64().expect("a count")).sum::<u64>()
    };
    let contenders = data["contenders"].as_array().expect("contenders");
    assert_eq!(contenders.len(), document["contenders"].as_array().expect("contenders").len());
    for (contender, score) in contenders.iter().zip(document["contenders"].as_array().expect("c")) {
        for series in ["low", "high", "paid", "late"] {
            assert_eq!(length(&contender[series]), 4_320, "{series}");
        }
        assert_eq!(contender["name"], score["name"]);
        let paid = contender["paid"].as_array().expect("runs").iter().step_by(2);
        let most = paid.filter_map(Value::as_u64).max();
        assert_eq!(most, score["peak_nodes"].as_u64(), "{}", score["name"]);
    }
    let rows = between(&report, "<tr data-at=", "</tr>");
    assert!(20 < rows.len(), "{} decisions", rows.len());
    for row in &rows {
        assert!(row.contains("req/s") || row.contains("nodes"), "{row}");
    }
}

#[test]
fn its_advice_is_what_advise_says() {
    let place = hostile();
    let world = ["--peak-nodes", "40", "--boot", "240s"];
    let output = [&NAMES[..], &world, &["--baselines", "hpa", "--curve=0.9", "--output", "html"]];
    let report = place.backtest(&output.concat()).stdout;
    let report = String::from_utf8(report).expect("text");
    let advice = place.advise(&[&NAMES[..], &world].concat()).stdout;
    let advice = String::from_utf8(advice).expect("text");
    let said: Vec<&str> = advice.lines().filter_map(|line| line.strip_prefix("- ")).collect();
    assert!(said.iter().any(|line| line.contains("waits 240 s for each node")), "{advice}");
    let (_, list) = report.split_once("<ul class=\"advice\">").expect("advice");
    let (list, _) = list.split_once("</ul>").expect("its end");
    let plain = list.replace("<code>", "`").replace("</code>", "`");
    assert_eq!(between(&plain, "<li>", "</li>"), said);
}

#[test]
fn where_nobody_looks_at_a_terminal_there_is_no_bar() {
    let place = hostile();
    let rehearsed = place.backtest(&[&NAMES[..], &["--report", "report.html"]].concat());
    let said = String::from_utf8(rehearsed.stderr).expect("text");
    assert_eq!(said, "note: the report is in report.html\n");
    let advised = place.advise(&NAMES);
    assert!(advised.status.success());
    assert_eq!(String::from_utf8(advised.stderr).expect("text"), "");
}

#[test]
fn of_several_traces_there_is_one_report_with_all_of_them() {
    let place = hostile();
    place.write("match.csv", super::MATCH_DAY);
    let more = ["--trace", "match.csv", "--baselines", "hpa", "--curve=0.9", "--output", "html"];
    let output = place.backtest(&[&NAMES[..], &["--peak-nodes", "40"], &more].concat());
    let report = String::from_utf8(output.stdout).expect("text");
    assert_well_formed(&report);
    for section in [
        "<section id=\"all\">",
        "on the mean of all traces",
        "<a href=\"#trace-1\">match</a>",
        "<section id=\"trace-1\"><h2>match</h2>",
        "Over 2 traces",
        "<h3>What to do</h3>",
    ] {
        assert!(report.contains(section), "{section}");
    }
    assert_eq!(report.matches("<figure class=\"plot\"").count(), 2);
    assert_eq!(report.matches("<figure class=\"curve\"").count(), 1);
    assert_eq!(report.matches("<ul class=\"advice\">").count(), 2);
}
