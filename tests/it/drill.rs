//! `windlass drill` on the shortest policy: each scenario says what goes wrong and how it ends.

use std::time::Duration;

use assert_cmd::Command;
use serde_json::Value;

fn windlass(arguments: &[&str]) -> (Option<i32>, String) {
    let output = Command::new(env!("CARGO_BIN_EXE_windlass"))
        .args(["drill", "--policy", "policies/minimal.yaml", "--minutes", "10"])
        .args(arguments)
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .timeout(Duration::from_secs(600))
        .output()
        .expect("the program ran");
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    (output.status.code(), text(&output.stdout) + &text(&output.stderr))
}

#[test]
fn each_scenario_tells_its_key_sentence_and_ends_well() {
    for (scenario, says) in [
        ("prometheus-lost", "no answer in time"),
        ("too-many-requests", "429 Too Many Requests"),
        ("playbooks-fail", "the playbook failed"),
        ("slow-boots", "a node is deleting"),
        ("socket-lost", "lb1"),
        ("sold-out", "sold out"),
    ] {
        let (code, said) = windlass(&[scenario]);
        assert_eq!(code, Some(0), "{said}");
        let parts = ["of notifications", says, "minute 10: the fault ends", "all is well"];
        for part in parts {
            assert!(said.contains(part), "{scenario}: `{part}` is missing in:\n{said}");
        }
        assert!(!said.contains("BROKEN"), "{said}");
    }
}

#[test]
fn a_drill_is_there_for_programs_and_a_wrong_name_lists_the_right_ones() {
    let (code, said) = windlass(&["prometheus-lost", "--output", "json"]);
    assert_eq!(code, Some(0), "{said}");
    let document: Value = serde_json::from_str(&said).expect("JSON");
    let drill = &document["drills"][0];
    assert_eq!(
        (&drill["pool"], &drill["drill"]["lasts_minutes"]),
        (&"notifications".into(), &10.into())
    );
    assert!(drill["drill"]["recovered_after_minutes"].is_u64(), "{drill:#}");
    assert_eq!(drill["drill"]["broken"], serde_json::json!([]));
    let (code, said) = windlass(&["plague"]);
    assert_eq!(code, Some(2), "{said}");
    assert!(said.contains("prometheus-lost, too-many-requests"), "{said}");
}
