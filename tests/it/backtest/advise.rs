//! Advice on traffic that was made for it: each where it should be, and not where it shouldn't.

use std::fmt::Write as _;
use std::process::Output;

use assert_cmd::Command;
use serde_json::Value;
use tempfile::TempDir;

const POLICY: &str = include_str!("../../data/web.yaml");

/// Ten seconds each: requests per second at a second of a trace.
fn trace(hours: u64, rate: impl Fn(u64) -> f64) -> String {
    let mut text = String::from("timestamp_seconds,requests_per_second\n");
    for at in (0..hours * 3_600).step_by(10) {
        writeln!(text, "{at},{}", rate(at)).expect("text");
    }
    text
}

/// 250 requests per second, and 1,150 for six minutes of each `period` seconds.
fn bursts(period: u64) -> String {
    trace(12, |at| if at % period < 360 && period <= at { 1_150.0 } else { 250.0 })
}

/// From 250 to 650 requests per second and back within twelve hours.
fn a_calm_day() -> String {
    trace(12, |at| 250.0 + 400.0 * (std::f64::consts::PI * at as f64 / 43_200.0).sin())
}

/// A node of the policy carries 100 requests per second.
fn advise(trace: &str, bounds: &str, flags: &[&str]) -> Output {
    let folder: TempDir = tempfile::tempdir().expect("a folder");
    let write = |name: &str, text: &str| {
        std::fs::write(folder.path().join(name), text).expect("written");
    };
    write("trace.csv", trace);
    write("web.yaml", &POLICY.replace("{min: 2, max: 5}", bounds));
    Command::new(env!("CARGO_BIN_EXE_windlass"))
        .args(["advise", "--policy", "web.yaml", "--trace", "trace.csv"])
        .args(flags)
        .current_dir(folder.path())
        .timeout(std::time::Duration::from_secs(120))
        .output()
        .expect("the program ran")
}

fn text(output: &Output) -> String {
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8_lossy(&output.stdout).into_owned()
}

/// The advice, by kind.
fn advised(trace: &str, bounds: &str, flags: &[&str]) -> Vec<(String, Value)> {
    let output = advise(trace, bounds, &[flags, &["--output", "json"]].concat());
    let document: Value = serde_json::from_str(&text(&output)).expect("a document");
    let advice = document["policies"][0]["advice"].as_array().expect("advice").clone();
    advice.into_iter().map(|one| (one["kind"].as_str().expect("a kind").to_owned(), one)).collect()
}

fn kinds(advised: &[(String, Value)]) -> Vec<&str> {
    advised.iter().map(|(kind, _)| kind.as_str()).collect()
}

fn of<'a>(advised: &'a [(String, Value)], kind: &str) -> &'a Value {
    let found = advised.iter().find(|(name, _)| name == kind);
    &found.unwrap_or_else(|| panic!("no {kind} in {:?}", kinds(advised))).1
}

#[test]
fn bursts_twice_an_hour_pay_for_a_larger_base_and_rare_ones_do_not() {
    let often = advised(&bursts(1_800), "{min: 2, max: 60}", &[]);
    let larger = of(&often, "larger_min");
    let number = |path: &str| larger.pointer(path).and_then(Value::as_f64).expect("a number");
    assert!((1.8..2.1).contains(&number("/bursts_per_hour")), "{larger}");
    assert!(2.0 < number("/to") && number("/to") <= 12.0, "{larger}");
    assert!(number("/then/cost_usd") <= 1.01 * number("/is/cost_usd"), "{larger}");
    assert!(number("/then/late_ratio") < 0.75 * number("/is/late_ratio"), "{larger}");

    // What is promised is what a rehearsal with that `min` gives.
    let min = number("/to").to_string();
    let again = advised(&bursts(1_800), &format!("{{min: {min}, max: 60}}"), &[]);
    let is = &again[0].1["is"];
    assert_eq!(is, &larger["then"]);

    let rare = advised(&bursts(4 * 3_600), "{min: 2, max: 60}", &[]);
    assert!(!kinds(&rare).contains(&"larger_min"), "{rare:?}");
}

#[test]
fn where_nodes_come_too_late_a_faster_boot_is_advised_with_the_part_that_nobody_could_avoid() {
    let bursts = advised(&bursts(4 * 3_600), "{min: 2, max: 60}", &["--boot", "240s"]);
    let faster = of(&bursts, "faster_boot");
    let late = |which: &str| faster[which]["late_ratio"].as_f64().expect("a ratio");
    assert!(late("quartered") < late("halved") && late("halved") < 0.75 * late("is"), "{faster}");
    assert_eq!(faster["seconds"], 240);
    let floor = of(&bursts, "unavoidable");
    let share = floor["share_of_late"].as_f64().expect("a share");
    assert!((0.5..=1.0).contains(&share), "{floor}");
    assert!(floor["late_requests"].as_f64() <= faster["is"]["late_requests"].as_f64());
}

#[test]
fn on_a_calm_day_there_is_nothing_to_advise() {
    let output = advise(&a_calm_day(), "{min: 3, max: 60}", &[]);
    let said = text(&output);
    assert!(said.starts_with("web.yaml\n- nothing to advise: "), "{said}");
    assert_eq!(said.lines().count(), 2, "{said}");
}

#[test]
fn a_min_that_is_never_needed_and_a_max_that_is_too_small_are_told() {
    let idle = advised(&a_calm_day(), "{min: 20, max: 60}", &[]);
    assert_eq!(kinds(&idle), ["min_dominates"]);
    let smaller = of(&idle, "min_dominates");
    assert_eq!(smaller["to"], 10);
    // The first hour had begun before the trace.
    assert_eq!(smaller["share_of_bill"], 12.0 / 13.0);
    assert!(smaller["then"]["late_ratio"].as_f64().expect("a ratio") < 1e-6, "{smaller}");

    let short = advised(&a_calm_day(), "{min: 3, max: 4}", &[]);
    let larger = of(&short, "max_reached");
    assert_eq!((&larger["from"], &larger["to"]), (&4.into(), &8.into()));
    assert!(0.1 < larger["is"]["late_ratio"].as_f64().expect("a ratio"), "{larger}");
    assert!(larger["then"]["late_ratio"].as_f64().expect("a ratio") < 0.01, "{larger}");
}

#[test]
fn old_metrics_are_told_where_they_hurt_and_not_where_they_are_fresh() {
    let slow = ["--boot", "30s", "--lag", "120s"];
    let old = advised(&bursts(4 * 3_600), "{min: 2, max: 60}", &slow);
    let stale = of(&old, "stale_metrics");
    let numbers = ["lag_seconds", "window_seconds", "to_lag_seconds", "to_window_seconds"];
    assert_eq!(numbers.map(|name| stale[name].as_u64()), [120, 60, 40, 20].map(Some));
    let usual = advised(&bursts(4 * 3_600), "{min: 2, max: 60}", &["--boot", "600s"]);
    assert!(!kinds(&usual).contains(&"stale_metrics"), "{usual:?}");
}

#[test]
fn several_traces_are_advised_about_one_by_one() {
    let folder = tempfile::tempdir().expect("a folder");
    let write = |name: &str, text: &str| {
        std::fs::write(folder.path().join(name), text).expect("written");
    };
    write("web.yaml", &POLICY.replace("{min: 2, max: 5}", "{min: 20, max: 60}"));
    write("calm.csv", &a_calm_day());
    write("bursts.csv", &bursts(4 * 3_600));
    let run = |flags: &[&str]| {
        let traces = ["--policy", "web.yaml", "--trace", "calm.csv", "--trace", "bursts.csv"];
        let output = Command::new(env!("CARGO_BIN_EXE_windlass"))
            .arg("advise")
            .args(traces)
            .args(flags)
            .current_dir(folder.path())
            .timeout(std::time::Duration::from_secs(120))
            .output();
        text(&output.expect("the program ran"))
    };
    let document: Value = serde_json::from_str(&run(&["--output", "json"])).expect("a document");
    let traces = document["traces"].as_array().expect("traces");
    let names: Vec<_> = traces.iter().map(|one| one["trace"].as_str()).collect();
    assert_eq!(names, [Some("calm"), Some("bursts")]);
    // Each is what it would be alone.
    let alone = advised(&a_calm_day(), "{min: 20, max: 60}", &[]);
    assert_eq!(traces[0]["policies"][0]["advice"][0], alone[0].1);
    let said = run(&[]);
    assert!(said.starts_with("on calm\nweb.yaml\n- "), "{said}");
    assert!(said.contains("\non bursts\nweb.yaml\n- "), "{said}");
}

#[test]
fn the_same_traffic_gives_the_same_advice_and_without_a_policy_there_is_none() {
    let flags = ["--boot", "60s..240s", "--seed", "7"];
    let once = text(&advise(&bursts(1_800), "{min: 2, max: 60}", &flags));
    assert_eq!(once, text(&advise(&bursts(1_800), "{min: 2, max: 60}", &flags)));
    let nobody = Command::new(env!("CARGO_BIN_EXE_windlass"))
        .args(["advise", "--trace", "trace.csv"])
        .output()
        .expect("the program ran");
    assert_eq!(nobody.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&nobody.stderr).contains("name a --policy"));
}
