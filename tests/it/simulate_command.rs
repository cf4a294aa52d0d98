//! `windlass simulate` as people use it.

use std::path::Path;
use std::process::Output;

use assert_cmd::Command;
use serde_json::Value;

const POLICY: &str = include_str!("../../src/sim/swarm/quick.yaml");

fn simulate(folder: &Path, arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_windlass"))
        .arg("simulate")
        .args(arguments)
        .current_dir(folder)
        .timeout(std::time::Duration::from_secs(240))
        .output()
        .expect("the program ran")
}

fn document(output: &Output) -> Value {
    serde_json::from_slice(&output.stdout).unwrap_or_else(|error| panic!("{error}: {output:?}"))
}

#[test]
fn lives_in_which_all_goes_wrong_are_told_in_numbers() {
    let folder = tempfile::tempdir().expect("a folder");
    let output = simulate(folder.path(), &["--seeds", "2", "--first", "40", "--output", "json"]);
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    let told = document(&output);
    assert_eq!((&told["seeds"], &told["first"]), (&2.into(), &40.into()));
    assert_eq!(told["failed"], Value::Array(vec![]));
    assert!(2.0 / 24.0 < told["pool_days"].as_f64().expect("a number"), "{told:#}");
    assert!(0.0 < told["bill_dollars"].as_f64().expect("a number"), "{told:#}");
    let faults = told["faults"].as_object().expect("an object");
    assert_eq!(faults.len(), windlass::sim::KINDS.len());
    let struck: u64 = faults.values().filter_map(Value::as_u64).sum();
    assert!(20 < struck, "{told:#}");
    let left = std::fs::read_dir(folder.path()).expect("a folder").count();
    assert_eq!(left, 0, "no file is left");
}

#[test]
fn a_pool_that_never_settles_fails_with_its_timeline_and_the_command_that_repeats_it() {
    let folder = tempfile::tempdir().expect("a folder");
    let text = format!("control: dry_run\n{POLICY}");
    std::fs::write(folder.path().join("web.yaml"), text).expect("a policy");
    let arguments = ["--seeds", "1", "--first", "7", "--policy", "web.yaml"];
    let output = simulate(folder.path(), &arguments);
    let told = String::from_utf8_lossy(&output.stdout);
    assert_eq!(output.status.code(), Some(4), "{output:?}");
    for part in [
        "dry run: would create",
        "seed 7 broke:",
        "the pool settles once all is well",
        "again: windlass simulate --seeds 1 --first 7 --policy web.yaml --hours 1",
        "1 of 1 lives broke an invariant",
    ] {
        assert!(told.contains(part), "no `{part}` in {told}");
    }
    let json = simulate(folder.path(), &[&arguments[..], &["--output", "json"]].concat());
    assert_eq!(json.status.code(), Some(4));
    let failed = document(&json)["failed"][0].clone();
    assert_eq!(
        (&failed["seed"], &failed["broken"][0]["invariant"]),
        (&7.into(), &"settles".into())
    );
    assert!(!failed["timeline"].as_array().expect("lines").is_empty());
}

#[test]
fn a_bad_policy_and_too_many_hours_are_refused() {
    let folder = tempfile::tempdir().expect("a folder");
    let missing = simulate(folder.path(), &["--policy", "nowhere.yaml"]);
    assert_eq!(missing.status.code(), Some(3), "{missing:?}");
    let hours = simulate(folder.path(), &["--hours", "601"]);
    assert_eq!(hours.status.code(), Some(2), "{hours:?}");
}
