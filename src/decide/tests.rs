//! Cases with mistakes, and what is said about them.

use serde_json::{Value, json};

use super::*;

/// The answer to a case.
fn answer(case: &str) -> Value {
    serde_json::to_value(decide_line(case.as_bytes(), 7)).expect("an answer is JSON")
}

/// The smallest case with all three parts.
const GOOD: &str = concat!(
    r#"{"id": "good", "policy": {"rules": [{"target": {"signal": "load", "per_node": 10}}]}, "#,
    r#""observation": {"count": 3, "signals": {"load": 35}}, "history": {"scale_events": []}}"#
);

/// The good case with `find` replaced, and the answer to it.
fn spoiled(find: &str, replace: &str) -> (String, Value) {
    assert!(GOOD.contains(find), "{find} is not in the case");
    let case = GOOD.replacen(find, replace, 1);
    let answer = answer(&case);
    (case, answer)
}

#[test]
fn a_good_case_is_decided() {
    let (_, answer) = spoiled("good", "fine");
    assert_eq!(answer["id"], "fine");
    assert_eq!((&answer["from"], &answer["count"]), (&json!(3), &json!(4)));
    assert_eq!(answer["direction"], "out");
    assert_eq!(answer["recommendations"][0]["rule"], "target:load");
    let stages = answer["stages"].as_array().expect("a list");
    assert_eq!(stages[0], json!({"guard": "freshness", "before": 4, "after": 4, "reason": null}));
    assert_eq!(stages[stages.len() - 1]["guard"], "bounds");
    assert_eq!(answer["reasons"][0]["reason"], "load_needs");
}

#[test]
fn every_mistake_has_a_kind_a_sentence_and_a_column() {
    for (find, replace, what, at) in [
        ("\"policy\"", "\"plicy\"", "`policy` is missing in `case`", "{\"id\""),
        ("35", "\"35\"", "`load` must be a number or a mapping", "\"35\""),
        ("\"count\"", "\"cuont\"", "`count` is missing in `observation`", "{\"cuont\""),
        ("\"per_node\"", "\"per_nod\"", "`per_nod` is no key of `target`", "\"per_nod\""),
        ("\"scale_events\"", "\"events\"", "`events` is no key of `history`", "\"events\""),
        ("[]}", "[{\"change\": 0.5, \"age_seconds\": 1}]}", "`change` is 0.5", "0.5"),
        ("[]}", "[{\"change\": 1, \"age_seconds\": -1}]}", "`age_seconds` is -1", "-1"),
    ] {
        let (case, answer) = spoiled(find, replace);
        let error = &answer["error"];
        assert_eq!(error["kind"], "bad_case", "{replace}: {answer}");
        let problems = error["problems"].as_array().expect("a list");
        let column = case.find(at).map(|index| index + 1);
        let found = problems.iter().any(|problem| {
            let said = problem["what"].as_str().unwrap_or_default();
            let there = problem["column"].as_u64().map(|column| column as usize);
            said.starts_with(what) && there == column
        });
        assert!(found, "{replace}: {what} at {column:?}: {answer:#}");
        assert_eq!(error["at"], problems[0]["column"]);
        assert_eq!(error["message"], problems[0]["what"]);
    }
}

#[test]
fn what_is_no_json_is_said_to_be_none() {
    for case in ["id: good", "{\"id\": \"good\",}", "{} {}", "\"\u{1}\""] {
        assert_eq!(answer(case)["error"]["kind"], "not_json", "{case}");
    }
    let answer = serde_json::to_value(decide_line(b"\xff", 1)).expect("an answer is JSON");
    assert_eq!(answer["error"]["kind"], "not_json");
}

#[test]
fn a_case_that_is_nested_too_deeply_is_refused_as_too_large() {
    let case = format!("{}{}", "[".repeat(40), "]".repeat(40));
    assert_eq!(answer(&case)["error"]["kind"], "too_large");
}

#[test]
fn a_case_with_mistakes_keeps_its_id_and_one_without_an_id_has_its_line() {
    assert_eq!(spoiled("\"policy\"", "\"plicy\"").1["id"], "good");
    assert_eq!(spoiled("\"id\": \"good\", ", "").1["id"], "7");
    assert_eq!(answer("[]")["id"], "7");
}

#[test]
fn every_mistake_of_a_case_is_told_at_once() {
    let answer = answer(r#"{"policy": {"tolerance": {"out": 1}}, "observation": {"cuont": 1}}"#);
    let problems = answer["error"]["problems"].as_array().map(Vec::len).unwrap_or_default();
    assert!(3 <= problems, "{answer}");
}
