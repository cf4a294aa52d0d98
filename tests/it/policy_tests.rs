//! `windlass test`: the shipped tests pass, wrong ones fail with a difference, bad files are named.

use std::path::Path;
use std::process::Output;

use assert_cmd::Command;
use tempfile::TempDir;

const DOCS: &str = include_str!("../../docs/policy-tests.md");
const MINIMAL: &str = include_str!("../../policies/minimal.yaml");

fn windlass(folder: &Path, arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_windlass"))
        .args(arguments)
        .current_dir(folder)
        .output()
        .expect("the program ran")
}

fn said(output: &Output) -> String {
    let both = [output.stdout.clone(), output.stderr.clone()].concat();
    String::from_utf8(both).expect("text")
}

/// A folder with the shortest policy, and `tests` beside it.
fn place(tests: &str) -> TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    let write = |name: &str, text: &str| {
        let file = folder.path().join(name);
        std::fs::create_dir_all(file.parent().expect("a folder")).expect("a folder");
        std::fs::write(file, text).expect("a written file");
    };
    write("policies/minimal.yaml", MINIMAL);
    write("policies/tests/it.yaml", tests);
    folder
}

/// The documented example, with `find` replaced.
fn example(find: &str, replace: &str) -> String {
    let example = DOCS.split("```yaml\n").nth(1).and_then(|rest| rest.split("```").next());
    let example = example.expect("there is an example");
    assert!(example.contains(find), "{find:?} is not in the example");
    example.replace(find, replace)
}

#[test]
fn the_shipped_tests_pass() {
    let output = windlass(Path::new(env!("CARGO_MANIFEST_DIR")), &["test"]);
    let said = said(&output);
    assert_eq!(output.status.code(), Some(0), "{said}");
    for (policy, tests) in
        [("notifications", 6), ("smooth-web", 3), ("bursty-api", 3), ("batch-queue", 3)]
    {
        let passed = format!("policies/tests/{policy}.yaml: {tests} passed, 0 failed");
        assert!(said.contains(&passed), "{said}");
    }
}

#[test]
fn the_documented_example_passes() {
    let folder = place(&example("", ""));
    let output = windlass(folder.path(), &["test"]);
    assert_eq!(output.status.code(), Some(0), "{}", said(&output));
}

#[test]
fn an_expectation_that_is_not_met_shows_the_difference_and_the_explanation() {
    let wrong = example("count: 12, reason: limited_by_pace", "count: 11, reason: load_fits");
    let folder = place(&wrong);
    let output = windlass(folder.path(), &["test"]);
    assert_eq!(output.status.code(), Some(4), "{}", said(&output));
    // The explanation has tests of its own: here it is enough that it is there.
    let said = said(&output);
    assert!(said.contains("\n    nodes\n      2 serving"), "{said}");
    let difference = said.lines().filter(|line| !line.starts_with("    "));
    insta::assert_snapshot!(difference.collect::<Vec<_>>().join("\n"));
    let output = windlass(folder.path(), &["test", "--output", "json", "policies/tests/it.yaml"]);
    let document: serde_json::Value = serde_json::from_slice(&output.stdout).expect("JSON");
    let unmet = &document["files"][0]["unmet"][0];
    assert_eq!(unmet["line"], 12, "{document:#}");
    let difference = serde_json::json!({"key": "count", "expected": "11", "got": "12"});
    assert_eq!(unmet["differences"][0], difference, "{document:#}");
}

#[test]
fn every_problem_of_a_file_is_told_with_its_place() {
    let text = "\
policy: ../minimal.yaml
tests:
  - name: a
    fleet: {serving: many, ready_after: 5}
    signals: {requests: 1 two, p95: 1x99999999}
    expect: [{at: 1m}, {at: 9weeks, count: -1}]
  - naem: b
    fleet: {serving: '4x3', ready_after: 1m}
    starts: noon
    expect: []
";
    let folder = place(text);
    let output = windlass(folder.path(), &["test"]);
    assert_eq!(output.status.code(), Some(3), "{}", said(&output));
    insta::assert_snapshot!(said(&output));
    let folder = place(&example("requests: 500", "arrivals: 500"));
    let output = windlass(folder.path(), &["test"]);
    assert_eq!(output.status.code(), Some(3), "{}", said(&output));
    assert!(said(&output).contains("`arrivals` in the test"), "{}", said(&output));
    let output = windlass(folder.path(), &["test", "nowhere.yaml"]);
    assert_eq!(output.status.code(), Some(3), "{}", said(&output));
    assert!(said(&output).contains("can't read nowhere.yaml"), "{}", said(&output));
}

/// The documented orders, campaigns and forecasts, with `find` replaced, and the policy for them.
fn events(find: &str, replace: &str) -> TempDir {
    let example = DOCS.split("```yaml\n").nth(2).and_then(|rest| rest.split("```").next());
    let example = example.expect("there is a second example");
    assert!(example.contains(find), "{find:?} is not in the example");
    let folder = place(&example.replace(find, replace));
    let rule = "{target: {signal: requests, per_node: 400}}";
    assert!(MINIMAL.contains(rule), "the shortest policy has another rule");
    let rules = "{target: {signal: requests, per_node: 400, headroom_percent: 0}}, \
                 {hint: {signal: requests, per_node: 400}}, \
                 {forecast: {signal: requests, per_node: 400}}";
    let policy = MINIMAL.replace(rule, rules);
    std::fs::write(folder.path().join("policies/campaigns.yaml"), policy).expect("a written file");
    folder
}

#[test]
fn the_documented_orders_campaigns_and_forecasts_are_obeyed() {
    let output = windlass(events("", "").path(), &["test"]);
    assert_eq!(output.status.code(), Some(0), "{}", said(&output));
    for (find, replace) in [
        ("for: 3m, floor: 6", "for: 3m, floor: 5"),
        ("set: 9", "ceiling: 9"),
        ("for: 90s, hold: scale_out", "for: 30s, hold: scale_out"),
        ("requests_per_second: 2000", "requests_per_second: 1000"),
        ("4800x8", "_x8"),
    ] {
        let output = windlass(events(find, replace).path(), &["test"]);
        assert_eq!(output.status.code(), Some(4), "{replace}: {}", said(&output));
    }
}

#[test]
fn orders_campaigns_and_forecasts_that_mean_nothing_are_refused() {
    for (find, replace, told) in [
        ("floor: 6", "floor: 6, set: 6", "`orders[0]` must order one thing"),
        ("hold: scale_out", "hold: everything", "hold"),
        ("requests_per_second: 2000, ", "", "a campaign has one size"),
        ("starts: 18m, ", "", "`starts` is missing in `hints[0]`"),
        ("{requests: _x100", "{p95: _x100", "`p95` in the test"),
        ("../campaigns.yaml", "../minimal.yaml", "the policy has no rule `hint`"),
    ] {
        let output = windlass(events(find, replace).path(), &["test"]);
        let said = said(&output);
        assert_eq!(output.status.code(), Some(3), "{replace}: {said}");
        assert!(said.contains(told), "{replace}: {said}");
    }
}

#[test]
fn a_policys_calendar_counts_in_its_tests() {
    let tests = "\
policy: ../minimal.yaml
tests:
  - name: the evening push has its nodes before six, and gives them back
    starts: 2026-03-02T17:30:00Z
    fleet: {serving: 2, ready_after: 2m}
    signals: {requests: 400x120 2400x8 400x300}
    expect:
      - {at: 10m, count: 2}
      - {at: 29m, count: 7, reason: campaign_needs, explains: [\"(from the policy's calendar)\"]}
      - {at: 31m, count: 7}
      - {at: 1h30m, count: 2}
";
    let folder = place(tests);
    let calendar = "\
hints: [{timezone: UTC, cron: '0 18 * * *', rps: 2000, kind: evening}]
rules:
  - target: {signal: requests, per_node: 400}
  - hint: {signal: requests, per_node: 400}
";
    let rules = MINIMAL.find("rules:").expect("it has rules");
    let after = MINIMAL[rules..].find("\nnode:").expect("and a node") + rules;
    let policy = format!("{}{calendar}{}", &MINIMAL[..rules], &MINIMAL[after..]);
    std::fs::write(folder.path().join("policies/minimal.yaml"), policy).expect("a written file");
    let output = windlass(folder.path(), &["test"]);
    assert_eq!(output.status.code(), Some(0), "{}", said(&output));
}
