//! The engine as a filter: published cases of other autoscalers, and every example of the document.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::Value;

const DOCUMENT: &str = include_str!("../../docs/decide.md");

/// What `windlass decide` answers to `cases`, one each; its exit code is 0.
fn answers(cases: &[Value]) -> Vec<Value> {
    let mut child = Command::new(env!("CARGO_BIN_EXE_windlass"))
        .arg("decide")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the binary is built");
    let mut input = child.stdin.take().expect("it is piped");
    let lines: String = cases.iter().map(|case| format!("{case}\n")).collect();
    let writer = std::thread::spawn(move || input.write_all(lines.as_bytes()));
    let output = child.wait_with_output().expect("it ends");
    writer.join().expect("it ends").expect("all cases are read");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let text = String::from_utf8(output.stdout).expect("JSON is UTF-8");
    text.lines().map(|line| serde_json::from_str(line).expect("each line is JSON")).collect()
}

/// Whether `answer` holds all that `expected` names.
fn holds(answer: &Value, expected: &Value) -> bool {
    match (answer, expected) {
        (Value::Object(answer), Value::Object(expected)) => {
            expected.iter().all(|(key, expected)| match (answer.get(key), expected) {
                (Some(Value::Array(stages)), Value::Array(expected)) if key == "stages" => {
                    holds_in_order(stages, expected)
                }
                (value, expected) => value.is_some_and(|value| holds(value, expected)),
            })
        }
        (Value::Array(answer), Value::Array(expected)) => {
            answer.len() == expected.len()
                && answer.iter().zip(expected).all(|(value, expected)| holds(value, expected))
        }
        // 35 and 35.0 are one number.
        (Value::Number(answer), Value::Number(expected)) => answer.as_f64() == expected.as_f64(),
        (answer, expected) => answer == expected,
    }
}

/// Whether `stages` holds the expected ones in their order, be it with others between them.
fn holds_in_order(stages: &[Value], expected: &[Value]) -> bool {
    let mut stages = stages.iter();
    expected.iter().all(|expected| stages.any(|stage| holds(stage, expected)))
}

/// Every case whose answer lacks something that was expected.
fn differences(cases: &[Value], expected: &[Value]) -> Vec<String> {
    let answers = answers(cases);
    assert_eq!(answers.len(), cases.len(), "one answer for each case");
    let all = cases.iter().zip(expected).zip(&answers);
    let wrong = all.filter(|((_, expected), answer)| !holds(answer, expected));
    wrong
        .map(|((case, expected), answer)| {
            format!("{case}\n  expected {expected}\n  answered {answer}")
        })
        .collect()
}

fn files() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/decide");
    let entries = folder.read_dir().expect("the folder is part of the repository");
    let mut files: Vec<_> =
        entries.map(|entry| entry.expect("its entries can be read").path()).collect();
    files.sort();
    files
}

#[test]
fn published_cases_of_other_autoscalers_are_decided_as_published() {
    let (mut wrong, mut count) = (Vec::new(), 0);
    for file in files() {
        let text = fs::read_to_string(&file).expect("it is a text");
        let lines: Vec<Value> = text
            .lines()
            .map(|line| serde_json::from_str(line).expect("each line is JSON"))
            .collect();
        let part = |name: &str| lines.iter().map(|line| line[name].clone()).collect::<Vec<_>>();
        let (cases, expected) = (part("case"), part("expect"));
        assert!(cases.iter().all(|case| case["source"].is_string()), "{}", file.display());
        assert!(expected.iter().all(Value::is_object), "{}", file.display());
        count += cases.len();
        wrong.extend(differences(&cases, &expected));
    }
    assert!(wrong.is_empty(), "{} of {count}:\n{}", wrong.len(), wrong.join("\n"));
    assert!(250 <= count, "only {count} cases were found");
}

/// The JSON blocks of the document, in their order, each with the words after "```json".
fn blocks() -> Vec<(&'static str, Value)> {
    let mut blocks = Vec::new();
    for block in DOCUMENT.split("```json").skip(1) {
        let (title, rest) = block.split_once('\n').expect("a block has lines");
        let (text, _) = rest.split_once("```").expect("a block ends");
        let value = serde_json::from_str(text).unwrap_or_else(|error| panic!("{error} in\n{text}"));
        blocks.push((title.trim(), value));
    }
    blocks
}

#[test]
fn every_example_of_the_document_is_true() {
    let blocks = blocks();
    let part = |title: &str| {
        let found = blocks.iter().filter(|(found, _)| *found == title);
        found.map(|(_, value)| value.clone()).collect::<Vec<_>>()
    };
    let (cases, expected) = (part("case"), part("answer"));
    assert_eq!(blocks.len(), cases.len() + expected.len(), "a block is a case or an answer");
    assert!(blocks.chunks(2).all(|pair| pair[0].0 == "case" && pair[1].0 == "answer"));
    assert!(12 <= cases.len(), "only {} examples", cases.len());
    let wrong = differences(&cases, &expected);
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}

#[test]
fn the_document_names_every_guard_in_its_order() {
    let case = &blocks()[0].1;
    let answer = &answers(std::slice::from_ref(case))[0];
    let guards = answer["stages"].as_array().expect("there are stages");
    let mut rest = DOCUMENT.split_once("## How the count comes about").expect("its chapter").1;
    for guard in guards {
        let name = format!("`{}`", guard["guard"].as_str().expect("a name"));
        rest = rest.split_once(&name).unwrap_or_else(|| panic!("{name} is not in its place")).1;
    }
}
