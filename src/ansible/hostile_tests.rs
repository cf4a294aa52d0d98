//! Event files that another program, or a full disk, has had its hands in.

use proptest::prelude::*;

use super::report::Report;
use crate::domain::{HostResult, InstanceLabel};
use crate::hostile_tests::{hostile, nested};

const EVENTS: [&str; 1] = [concat!(
    r#"{"event":"task_start","task":"install"}"#,
    "\n",
    r#"{"event":"ok","host":"web-1","task":"install"}"#,
    "\n",
    r#"{"event":"failed","host":"web-1","task":"install","message":"no mirror","ignored":false}"#,
    "\n",
    r#"{"event":"facts","host":"web-1","facts":{"hostname":"web-1","kernel":"6.1"}}"#,
    "\n",
    r#"{"event":"finished","host":"web-1"}"#,
    "\n",
    r#"{"event":"stats","hosts":{"web-1":{"ok":3,"changed":1,"failures":0,"unreachable":0}}}"#,
    "\n",
)];

fn hosts() -> Vec<InstanceLabel> {
    vec![InstanceLabel::new("web-1").expect("a label")]
}

fn read(bytes: &[u8]) -> Report {
    Report::read(bytes, &hosts()).expect("memory can be read")
}

proptest! {
    #[test]
    fn no_event_makes_the_reader_panic_or_a_reason_endless(bytes in hostile(&EVENTS)) {
        let report = read(&bytes);
        let whole = report.results(&hosts());
        let broken = report.results_without_stats(&hosts(), "it was cut off");
        for result in whole.values().chain(broken.values()) {
            match result {
                HostResult::Failed { reason } | HostResult::Unreachable { reason } => {
                    prop_assert!(reason.chars().count() <= 2_000);
                }
                HostResult::Succeeded { .. } => {}
            }
        }
    }
}

#[test]
fn a_line_nested_or_long_without_end_is_passed_over() {
    let mut bytes = nested("{\"event\":", "}").into_bytes();
    bytes.push(b'\n');
    bytes.extend(vec![b'x'; 5 << 20]);
    bytes.push(b'\n');
    bytes.extend(EVENTS[0].bytes());
    let report = read(&bytes);
    assert!(report.is_complete(), "what came after it counts");
}

#[test]
fn facts_without_end_are_cut_to_a_handful() {
    let mut text = String::from("{\"event\":\"ok\",\"host\":\"web-1\"}\n");
    for number in 0..5_000 {
        let value = "x".repeat(1_000);
        text.push_str(&format!(
            "{{\"event\":\"facts\",\"host\":\"web-1\",\"facts\":{{\"fact {number}\":\"{value}\"}}}}\n"
        ));
    }
    text.push_str(EVENTS[0].lines().last().expect("the recap"));
    text.push_str("\n{\"event\":\"finished\",\"host\":\"web-1\"}\n");
    let results = read(text.as_bytes()).results(&hosts());
    let Some(HostResult::Succeeded { facts, .. }) = results.values().next() else {
        panic!("{results:?}");
    };
    assert_eq!(facts.len(), 40);
    assert!(facts.values().all(|value| value.len() == 200));
}
