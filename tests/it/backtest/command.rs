//! The command: what it prints, and how it ends.

use std::process::Output;

use assert_cmd::Command;
use serde_json::Value;
use tempfile::TempDir;

const POLICY: &str = include_str!("../../data/web.yaml");

/// A folder with a policy, a trace of twelve hours, and hints.
pub(super) struct Place {
    pub folder: TempDir,
}

impl Place {
    pub fn new() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let place = Self { folder };
        place.write("web.yaml", &POLICY.replace("{min: 2, max: 5}", "{min: 2, max: 60}"));
        place.write("day.csv", super::SPIKES);
        place.write(
            "hints.csv",
            "announced_at_seconds,expected_start_seconds,expected_extra_requests,\
             expected_fanout_seconds\n7200,9000,5000,60\n",
        );
        place
    }

    pub fn write(&self, name: &str, text: &str) {
        std::fs::write(self.folder.path().join(name), text).expect("a written file");
    }

    pub fn backtest(&self, arguments: &[&str]) -> Output {
        self.windlass("backtest", arguments)
    }

    pub fn advise(&self, arguments: &[&str]) -> Output {
        self.windlass("advise", arguments)
    }

    fn windlass(&self, command: &str, arguments: &[&str]) -> Output {
        Command::new(env!("CARGO_BIN_EXE_windlass"))
            .arg(command)
            .args(arguments)
            .current_dir(self.folder.path())
            .timeout(std::time::Duration::from_secs(120))
            .output()
            .expect("the program ran")
    }

    /// The JSON document of a rehearsal that ends well.
    pub fn json(&self, arguments: &[&str]) -> Value {
        let output = self.backtest(&[arguments, &["--output", "json"]].concat());
        let talk = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{talk}");
        serde_json::from_slice(&output.stdout).expect("a document")
    }

    pub fn fails(&self, arguments: &[&str], code: i32, says: &[&str]) {
        let output = self.backtest(arguments);
        let text = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(code), "{arguments:?} said:\n{text}");
        for words in says {
            assert!(text.contains(words), "`{words}` is missing in:\n{text}");
        }
    }
}

pub(super) const USUAL: [&str; 6] =
    ["--policy", "web.yaml", "--trace", "day.csv", "--peak-nodes", "40"];

#[test]
fn the_document_has_every_field_of_every_contender() {
    let place = Place::new();
    let baselines = ["--baselines", "hpa,oracle", "--hints", "hints.csv"];
    let document = place.json(&[&USUAL[..], &baselines].concat());
    let contenders = document["contenders"].as_array().expect("contenders");
    let names: Vec<_> = contenders.iter().map(|one| one["name"].as_str()).collect();
    assert_eq!(names, [Some("web.yaml"), Some("hpa"), Some("oracle")]);
    for contender in contenders {
        for field in [
            "violating_requests_ratio",
            "node_hours",
            "billed_node_hours",
            "node_hours_vs_oracle",
            "billed_vs_oracle",
            "cost_usd",
            "accuracy_under",
            "accuracy_over",
            "timeshare_under",
            "timeshare_over",
            "instability",
            "jitter",
            "scale_out_events",
            "scale_in_events",
            "reversals",
            "nodes_moved_per_day",
            "peak_nodes",
            "announced_requests_violating_ratio",
        ] {
            assert!(contender[field].is_number(), "{field} in {contender}");
        }
    }
    // A policy's own claim of 100 req/s a node is believed, and its node's price is known.
    let settings = &document["settings"];
    assert_eq!(settings["node_requests_per_second_within_objective"], 100.0);
    assert_eq!(settings["hourly_price_usd"], 0.0075);
    assert_eq!((&settings["lag_seconds"], &settings["unscored_seconds"]), (&15.into(), &0.into()));
    assert_eq!(document["trace"]["length_seconds"], 43_200);
}

#[test]
fn a_policy_keeps_surplus_nodes_for_their_paid_hour_unless_it_says_otherwise() {
    let place = Place::new();
    let early = "\nscale_in: {leave_early: yes, stabilize: 5m}\nnode:\n";
    let policy = std::fs::read_to_string(place.folder.path().join("web.yaml")).expect("a policy");
    place.write("early.yaml", &policy.replace("\nnode:\n", early));
    place.write("late.yaml", &policy.replace("\nnode:\n", &early.replace("yes", "no")));
    let arguments = ["--policy", "early.yaml", "--policy", "late.yaml", "--trace", "day.csv"];
    let document = place.json(&[&arguments[..], &["--peak-nodes", "40"]].concat());
    let of = |place: usize, field: &str| {
        document["contenders"][place][field].as_f64().expect("a number")
    };
    assert!(of(1, "billed_node_hours") < of(0, "billed_node_hours"));
    assert!(of(0, "node_hours") < of(1, "node_hours"));
    assert!(of(1, "violating_requests_ratio") <= of(0, "violating_requests_ratio"));
}

#[test]
fn every_form_of_a_target_is_rehearsed_and_what_nothing_stands_for_is_refused() {
    let place = Place::new();
    let policy = std::fs::read_to_string(place.folder.path().join("web.yaml")).expect("a policy");
    let write = |name: &str, rule: &str, signal: &str| {
        let policy = policy.replace("{target: {signal: requests, per_node: 100}}", rule);
        place.write(name, &policy.replace("{prometheus: {query: '", signal));
    };
    let each = "{prometheus: {node_label: instance, capacity: 8, query: '";
    let pool = "{prometheus: {query: '";
    for (name, rule, signal) in [
        ("use.yaml", "{target: {signal: requests, utilisation_percent: 56}}", each),
        ("average.yaml", "{target: {signal: requests, average: 90}}", each),
        ("value.yaml", "{target: {signal: requests, value: 0.56}}", pool),
        ("count.yaml", "{count: {signal: requests}}", pool),
    ] {
        write(name, rule, signal);
    }
    let world = ["--trace", "day.csv", "--peak-nodes", "40", "--worker-rate", "20"];
    let policies = ["use.yaml", "average.yaml", "value.yaml"].map(|name| ["--policy", name]);
    let document = place.json(&[&policies.concat()[..], &world].concat());
    for contender in document["contenders"].as_array().expect("contenders") {
        // All of them ask for 56 % of what nodes carry at most, by the same nodes.
        let (late, billed) = (
            contender["violating_requests_ratio"].as_f64(),
            contender["billed_vs_oracle"].as_f64(),
        );
        assert!(late.is_some_and(|late| (0.01..0.05).contains(&late)), "{contender}");
        assert!(billed.is_some_and(|billed| (1.1..1.8).contains(&billed)), "{contender}");
    }
    place.fails(&[&["--policy", "count.yaml"][..], &world].concat(), 3, &["requests", "hint: "]);
}

#[test]
fn a_shorter_boot_serves_more_requests_in_time() {
    let place = Place::new();
    let late = |boot: &str| {
        let document = place.json(&[&USUAL[..], &["--boot", boot]].concat());
        document["contenders"][0]["violating_requests_ratio"].as_f64().expect("a ratio")
    };
    let (short, usual, long) = (late("60s"), late("120s"), late("240s"));
    assert!(0.0 < short && short < usual && usual < long, "{short} {usual} {long}");
}

#[test]
fn the_report_keeps_to_a_hundred_columns() {
    let place = Place::new();
    let all = "hpa@50+paid-hour,aws-target-tracking@60+paid-hour,static-peak,oracle-billed";
    let output =
        place.backtest(&[&USUAL[..], &["--hints", "hints.csv", "--baselines", all]].concat());
    let text = String::from_utf8(output.stdout).expect("text");
    for words in ["40 nodes", "`per_node` of web.yaml", "$0.0075", "late %", "hpa@50+paid-hour"] {
        assert!(text.contains(words), "`{words}` is missing in:\n{text}");
    }
    let longest = text.lines().map(|line| line.chars().count()).max();
    assert!(longest <= Some(100), "{longest:?}:\n{text}");
}

#[test]
fn a_limit_that_is_passed_ends_with_four_and_says_by_how_much() {
    let place = Place::new();
    let run = |limit: &[&str], code, says: &[&str]| {
        place.fails(&[&USUAL[..], limit].concat(), code, says);
    };
    run(&["--max-violations", "0.1%"], 4, &["problem: web.yaml: ", "--max-violations 0.1%"]);
    run(&["--max-cost", "0.5"], 4, &["problem: web.yaml: it costs $", "--max-cost"]);
    run(&["--max-violations", "0.5", "--max-cost", "100"], 0, &[]);
}

#[test]
fn mistakes_say_where_they_are_and_what_to_do() {
    let place = Place::new();
    place.write("broken.csv", "timestamp_seconds,requests_per_second\n0,1\n60,?\n");
    place.write("gap.csv", "timestamp_seconds,requests_per_second\n0,1\n60,1\n240,1\n300,1\n");
    place.write("broken.yaml", "pool: web\n");
    for (arguments, code, says) in [
        (&["--trace", "day.csv"][..], 2, &["nobody to rehearse", "hint: "][..]),
        (&["--policy", "web.yaml"], 2, &["--trace"]),
        (&["--trace", "day.csv", "--baselines", "kubernetes"], 2, &["`kubernetes`", "hpa, keda"]),
        (&["--trace", "day.csv", "--baselines", "hpa", "--max-cost", "1"], 2, &["none is named"]),
        (
            &["--trace", "day.csv", "--baselines", "hpa", "--interval", "15s"],
            2,
            &["multiple of 10s"],
        ),
        (&["--trace", "day.csv", "--baselines", "hpa", "--boot", "2m..1m"], 2, &["90s..150s"]),
        (
            &["--trace", "day.csv", "--baselines", "hpa", "--unscored", "12h"],
            1,
            &["12h", "--unscored"],
        ),
        (&["--trace", "none.csv", "--baselines", "hpa"], 1, &["can't read none.csv"]),
        (&["--trace", "broken.csv", "--baselines", "hpa"], 1, &["broken.csv: line 3", "hint: "]),
        (
            &["--trace", "gap.csv", "--baselines", "hpa"],
            0,
            &["2 samples are missing before line 4"],
        ),
        (&["--trace", "day.csv", "--policy", "broken.yaml"], 3, &["broken.yaml", "bounds"]),
        (&["--trace", "day.csv", "--policy", "none.yaml"], 3, &["none.yaml", "hint: "]),
        (&["--trace", "day.csv", "--policy", "web.yaml", "--hints", "day.csv"], 1, &["line 1"]),
    ] {
        place.fails(arguments, code, says);
    }
}
