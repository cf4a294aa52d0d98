//! Several traces, the cost curve, and what would be under other settings.

use serde_json::Value;

use super::command::{Place, USUAL};

/// A policy that forecasts, so that it has a level.
pub(super) fn with_forecast(place: &Place) {
    let policy = std::fs::read_to_string(place.folder.path().join("web.yaml")).expect("a policy");
    let own = "rules: [{target: {signal: requests, per_node: 100}}]";
    let both = "rules: [{target: {signal: requests, per_node: 100}}, {forecast: {signal: \
                requests, per_node: 100, lead: 2m, level: 0.9}}]";
    assert!(policy.contains(own));
    place.write("ahead.yaml", &policy.replace(own, both));
}

fn number(value: &Value) -> f64 {
    value.as_f64().unwrap_or_else(|| panic!("{value} is no number"))
}

#[test]
fn the_curve_turns_the_level_of_policies_and_the_target_of_baselines() {
    let place = Place::new();
    with_forecast(&place);
    let arguments = ["--policy", "ahead.yaml", "--trace", "day.csv", "--peak-nodes", "40"];
    let swept = ["--baselines", "hpa@50,hpa,react", "--curve=0.5,0.9,0.99"];
    let document = place.json(&[&arguments[..], &swept].concat());
    let curve = document["curve"].as_array().expect("a curve");
    let knobs: Vec<_> = curve
        .iter()
        .map(|point| (point["name"].as_str(), point["level"].as_f64(), point["target"].as_f64()))
        .collect();
    let hpa = |target| (Some("hpa"), None, Some(target));
    assert_eq!(
        knobs,
        [
            (Some("ahead.yaml"), Some(0.5), None),
            (Some("ahead.yaml"), Some(0.9), None),
            (Some("ahead.yaml"), Some(0.99), None),
            hpa(50.0),
            hpa(60.0),
            hpa(70.0),
            hpa(80.0),
            hpa(90.0),
            (Some("react"), None, None),
        ]
    );
    // The points at everyone's own setting are everyone's own scores.
    let fields = ["violating_requests_ratio", "billed_vs_oracle", "cost_usd"];
    for (point, contender) in [(1, 0), (3, 1), (5, 2), (8, 3)] {
        for field in fields {
            assert_eq!(curve[point][field], document["contenders"][contender][field], "{field}");
        }
    }
    // Fewer nodes in reserve are cheaper, and later.
    for pair in curve[3..8].windows(2) {
        assert!(number(&pair[1]["cost_usd"]) < number(&pair[0]["cost_usd"]));
        let late = |point: &Value| number(&point["violating_requests_ratio"]);
        assert!(late(&pair[0]) < late(&pair[1]));
    }
}

#[test]
fn without_a_curve_the_document_is_as_it_was() {
    let place = Place::new();
    let document = place.json(&[&USUAL[..], &["--baselines", "hpa"]].concat());
    let fields: Vec<_> = document.as_object().expect("an object").keys().cloned().collect();
    assert_eq!(fields, ["contenders", "settings", "trace"]);
}

#[test]
fn several_traces_have_their_own_scores_and_means_over_all() {
    let place = Place::new();
    place.write("match.csv", super::MATCH_DAY);
    let both = ["--trace", "match.csv", "--hints", "day.hints.csv", "--baselines", "hpa,gce"];
    std::fs::copy(place.folder.path().join("hints.csv"), place.folder.path().join("day.hints.csv"))
        .expect("a copy");
    let document = place.json(&[&USUAL[..], &both, &["--curve=0.9"]].concat());
    let alone = place.json(
        &[&USUAL[..], &["--hints", "hints.csv", "--baselines", "hpa,gce", "--curve=0.9"]].concat(),
    );
    let traces = document["traces"].as_array().expect("traces");
    assert_eq!(traces.len(), 2);
    assert_eq!(traces[0]["contenders"], alone["contenders"]);
    assert_eq!(traces[0]["curve"], alone["curve"]);
    assert_eq!(
        (&traces[0]["trace"]["hints"], &traces[1]["trace"]["hints"]),
        (&1.into(), &0.into())
    );
    for (place, summary) in document["summary"].as_array().expect("a summary").iter().enumerate() {
        let of = |trace: usize, field: &str| number(&traces[trace]["contenders"][place][field]);
        assert_eq!(summary["name"], traces[0]["contenders"][place]["name"]);
        for field in ["violating_requests_ratio", "billed_vs_oracle", "cost_usd"] {
            let middle = (of(0, field) + of(1, field)) / 2.0;
            let mean = match field {
                "billed_vs_oracle" => (of(0, field) * of(1, field)).sqrt(),
                _ => middle,
            };
            let off = number(&summary[field]["mean"]) / mean - 1.0;
            assert!(off.abs() < 1e-12, "{field} by {off}");
            assert_eq!(number(&summary[field]["median"]), middle, "{field} of two");
        }
    }
    let of = |trace: usize| number(&traces[trace]["curve"][0]["cost_usd"]);
    assert_eq!(number(&document["curve"][0]["cost_usd"]), (of(0) + of(1)) / 2.0);
    place.fails(
        &[&USUAL[..], &["--trace", "match.csv", "--hints", "hints.csv"]].concat(),
        1,
        &["hints.csv: which trace", "hint: name it after the trace"],
    );
}

#[test]
fn what_if_is_one_more_contender_under_other_settings() {
    let place = Place::new();
    let what_ifs = [
        "--what-if",
        "boot=60s",
        "--what-if",
        "min=30,max=60",
        "--what-if",
        "type=g6-standard-4",
        "--what-if",
        "price=0.015",
    ];
    let document = place.json(&[&USUAL[..], &what_ifs, &["--baselines", "hpa"]].concat());
    let contenders = document["contenders"].as_array().expect("contenders");
    let names: Vec<_> = contenders.iter().filter_map(|one| one["name"].as_str()).collect();
    let differs = |what: &str| format!("web.yaml, if {what}");
    let expected = [
        "web.yaml".to_owned(),
        differs("boot=60s"),
        differs("min=30,max=60"),
        differs("type=g6-standard-4"),
        differs("price=0.015"),
        "hpa".to_owned(),
    ];
    assert_eq!(names, expected);
    let of = |place: usize, field: &str| number(&contenders[place][field]);
    // As if everyone's own setting were that.
    let short = place.json(&[&USUAL[..], &["--boot", "60s"]].concat());
    let late = "violating_requests_ratio";
    assert_eq!(contenders[1][late], short["contenders"][0][late]);
    assert!(of(2, late) < of(0, late) && of(0, "cost_usd") < of(2, "cost_usd"));
    // A nanode has one processor, the other four: about a quarter of the nodes do.
    assert!(of(3, "peak_nodes") < 0.4 * of(0, "peak_nodes"));
    let by_price = of(3, "billed_node_hours") * 0.072;
    assert!((of(3, "cost_usd") - by_price).abs() < 1e-6);
    assert_eq!(of(4, "billed_node_hours"), of(0, "billed_node_hours"));
    assert!((of(4, "cost_usd") - 2.0 * of(0, "cost_usd")).abs() < 1e-6);
}

#[test]
fn a_what_if_that_makes_no_sense_is_refused() {
    let place = Place::new();
    for (what_if, says) in [
        ("boots=60s", &["`boots` can't differ", "boot, drain"][..]),
        ("min=70", &["web.yaml", "the largest count is 60, the smallest 70", "hint: "]),
        ("type=g6-standard", &["`type=g6-standard`", "g6-standard-4"]),
    ] {
        place.fails(&[&USUAL[..], &["--what-if", what_if]].concat(), 2, says);
    }
    let nobody = ["--trace", "day.csv", "--baselines", "hpa", "--what-if", "boot=60s"];
    place.fails(&nobody, 2, &["--what-if is about policies", "hint: "]);
}

#[test]
fn the_text_of_many_traces_keeps_to_a_hundred_columns() {
    let place = Place::new();
    place.write("a-match-day-with-a-very-long-name.csv", super::MATCH_DAY);
    let both = [
        "--trace",
        "a-match-day-with-a-very-long-name.csv",
        "--what-if",
        "boot=60s,min=4,max=50",
        "--baselines",
        "hpa@50+paid-hour,aws-target-tracking@60+paid-hour,oracle-billed",
        "--curve",
    ];
    let output = place.backtest(&[&USUAL[..], &both].concat());
    let text = String::from_utf8(output.stdout).expect("text");
    for words in [
        "late % @ billed hours/oracle",
        "-very-long-name",
        "  mean  ",
        "  median  ",
        "boot=60s,min=4,max=50",
        "cost curve, the mean of 2 traces",
        "50 %",
    ] {
        assert!(text.contains(words), "`{words}` is missing in:\n{text}");
    }
    let longest = text.lines().map(|line| line.chars().count()).max();
    assert!(longest <= Some(100), "{longest:?}:\n{text}");
}
