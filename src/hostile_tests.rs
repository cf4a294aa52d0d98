//! Whatever comes in from outside: no reader panics, hangs or fills the memory.
//!
//! Texts are arbitrary bytes, or real samples of which something was cut, repeated, overwritten or
//! made huge. Readers that the crate keeps to itself are tried beside them, in files of this name.

use std::path::Path;

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::{Index, select};

use crate::decide::{LONGEST_LINE, decide_line};
use crate::policy::parse;
use crate::policytest::read_suite;
use crate::sim::backtest::{Trace, read_hints};

/// Values and marks that readers trip over.
const TRAPS: [&str; 24] = [
    "99999999999999999999",
    "18446744073709551615",
    "9223372036854775807",
    "4294967296",
    "2147483648",
    "1e999",
    "-1e999",
    "1e15",
    "1e-300",
    "-1",
    "-0",
    "0",
    "NaN",
    "null",
    "\"",
    "'",
    "[[[[[[[[",
    "{{{{{{{{",
    "\u{feff}",
    "\n\n",
    ",",
    "\0",
    "\u{202e}é",
    "::",
];

/// What is done to a sample at one place.
#[derive(Clone, Debug)]
enum Change {
    /// So many bytes are missing.
    Cut(usize),
    /// These come in between.
    Put(Vec<u8>),
    /// These stand instead of the next number.
    Number(&'static str),
    /// The next so many bytes come a few times more.
    Repeat(usize),
}

impl Change {
    fn make(&self, at: usize, bytes: &mut Vec<u8>) {
        let end = |length: usize| (at + length).min(bytes.len());
        match self {
            Self::Cut(length) => drop(bytes.drain(at..end(*length))),
            Self::Put(noise) => drop(bytes.splice(at..at, noise.iter().copied())),
            Self::Number(trap) => {
                let is_part = |byte: &u8| byte.is_ascii_digit();
                let Some(begin) = bytes[at..].iter().position(is_part) else { return };
                let begin = at + begin;
                let rest = bytes[begin..].iter().take_while(|byte| is_part(byte)).count();
                bytes.splice(begin..begin + rest, trap.bytes());
            }
            Self::Repeat(length) => {
                let part = bytes[at..end(*length)].repeat(3);
                bytes.splice(at..at, part);
            }
        }
    }
}

fn change() -> impl Strategy<Value = Change> {
    prop_oneof![
        1 => (0..300_usize).prop_map(Change::Cut),
        1 => vec(any::<u8>(), 0..40).prop_map(Change::Put),
        1 => select(&TRAPS[..]).prop_map(|trap| Change::Put(trap.into())),
        3 => select(&TRAPS[..]).prop_map(Change::Number),
        1 => (1..120_usize).prop_map(Change::Repeat),
    ]
}

/// One of the samples with up to eight changes; arbitrary bytes every ninth time.
pub(crate) fn hostile(samples: &'static [&'static str]) -> impl Strategy<Value = Vec<u8>> {
    let changed = (select(samples), vec((any::<Index>(), change()), 1..8));
    let changed = changed.prop_map(|(sample, changes)| {
        let mut bytes = sample.as_bytes().to_vec();
        for (at, change) in changes {
            change.make(at.index(bytes.len() + 1), &mut bytes);
        }
        bytes
    });
    prop_oneof![8 => changed, 1 => vec(any::<u8>(), 0..2_000)]
}

/// The same as text: bytes that aren't UTF-8 are replaced, as the edges do.
pub(crate) fn hostile_text(samples: &'static [&'static str]) -> impl Strategy<Value = String> {
    hostile(samples).prop_map(|bytes| String::from_utf8_lossy(&bytes).into_owned())
}

/// So deep that a reader without a limit would overflow its stack.
pub(crate) fn nested(open: &str, close: &str) -> String {
    const DEEP: usize = 60_000;
    format!("{}{}", open.repeat(DEEP), close.repeat(DEEP))
}

const POLICIES: [&str; 3] = [
    include_str!("../policies/notifications.yaml"),
    include_str!("../policies/bursty-api.yaml"),
    include_str!("../policies/batch-queue.yaml"),
];

const SUITES: [&str; 2] = [
    include_str!("../policies/tests/notifications.yaml"),
    include_str!("../policies/tests/bursty-api.yaml"),
];

const CASES: [&str; 4] = [
    r#"{"id": "a", "policy": {"rules": [{"target": {"signal": "load", "per_node": 10, "headroom_percent": 50}}], "bounds": {"min": 2, "max": 6}}, "observation": {"count": 3, "signals": {"load": 60}}}"#,
    r#"{"id": "b", "policy": {"rules": [{"target": {"signal": "queue", "value": 15}}], "tolerance": {"out_percent": 10, "in_percent": 10}}, "observation": {"count": 3, "signals": {"queue": 20}}}"#,
    r#"{"id": "c", "policy": {"rules": [{"latency": {"signal": "p95", "objective": "300ms", "for": "30s", "step_percent": 10}}]}, "observation": {"count": 7, "signals": {"p95": 0.9}}}"#,
    r#"{"id": "d", "policy": {"rules": [{"surge": {"signal": "load", "over": "2m", "rise_percent": 15, "per_node": 128, "at_most_percent": 150, "hold": "5m"}}]}, "observation": {"count": 4, "signals": {"load": 900}}}"#,
];

const TRACES: [&str; 2] = [
    "timestamp_seconds,requests_per_second\n0,10\n60,20\n120,30\n180,20\n240,10\n",
    "timestamp_seconds,requests_per_second\n1700000000,1.5\n1700000010,2.5\n1700000030,9\n",
];

const HINTS: [&str; 1] = [
    "announced_at_seconds,expected_start_seconds,expected_extra_requests,expected_fanout_seconds\n\
     0,900,120000,30\n600,1800.5,9000,60\n",
];

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    #[test]
    fn no_policy_makes_the_reader_panic(text in hostile_text(&POLICIES)) {
        if let Err(told) = parse(&text, Path::new("p.yaml")) {
            prop_assert!(!told.problems.is_empty());
        }
    }

    #[test]
    fn no_suite_of_tests_makes_the_reader_panic(text in hostile_text(&SUITES)) {
        if let Err(told) = read_suite(&text, Path::new("t.yaml")) {
            prop_assert!(!told.problems.is_empty());
        }
    }

    #[test]
    fn no_case_makes_the_engine_panic(line in hostile(&CASES)) {
        let answer = decide_line(&line, 1);
        prop_assert!(serde_json::to_string(&answer).is_ok());
    }

    #[test]
    fn no_trace_makes_the_reader_panic_or_fill_the_memory(text in hostile_text(&TRACES)) {
        if let Ok(trace) = Trace::read("t", &text) {
            // What is read can be walked through within a test's time.
            prop_assert!(trace.steps() < 50_000_000);
            prop_assert!(trace.rate(trace.steps() - 1).is_finite());
        }
    }

    #[test]
    fn no_file_of_hints_makes_the_reader_panic(text in hostile_text(&HINTS)) {
        if let Ok(hints) = read_hints(&text) {
            prop_assert!(hints.len() < text.lines().count());
        }
    }
}

#[test]
fn deep_nesting_is_refused_and_overflows_no_stack() {
    for (open, close) in [("[", "]"), ("{a: ", "}"), ("- ", ""), ("? ", ""), ("{\"a\":", "}")] {
        let text = nested(open, close);
        let refused = parse(&text, Path::new("p.yaml")).expect_err("nested too deeply");
        assert!(!refused.problems.is_empty(), "{open}");
        assert!(read_suite(&text, Path::new("t.yaml")).is_err(), "{open}");
        let answer = serde_json::to_string(&decide_line(text.as_bytes(), 1)).expect("JSON");
        assert!(answer.contains("\"error\""), "{answer}");
    }
}

#[test]
fn aliases_that_multiply_are_refused_before_they_fill_the_memory() {
    let mut text = String::from("a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n");
    for level in 1..12 {
        let below = vec![format!("*a{}", level - 1); 10].join(", ");
        text.push_str(&format!("a{level}: &a{level} [{below}]\n"));
    }
    let refused = parse(&text, Path::new("p.yaml")).expect_err("10^12 values").to_string();
    assert!(refused.contains("beyond all bounds"), "{refused}");
}

#[test]
fn texts_larger_than_any_sensible_one_are_refused_unread() {
    let text = format!("pool: {}\n", "x".repeat(LONGEST_LINE));
    let refused = parse(&text, Path::new("p.yaml")).expect_err("too large").to_string();
    assert!(refused.contains("KiB at most"), "{refused}");
}
