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
        ("35", "{\"value\": 1, \"samples\": [1]}", "`load` is neither a value", "{\"value\""),
        ("35", "{\"samples\": [1, \"2\"]}", "`samples[1]` must be a number", "\"2\""),
        ("\"count\"", "\"cuont\"", "`count` is missing in `observation`", "{\"cuont\""),
        (
            "\"count\": 3",
            "\"count\": 3, \"orders\": {\"floor\": {\"cuont\": 4}}",
            "`count` is missing in `floor`",
            "{\"cuont\"",
        ),
        (
            "\"count\": 3",
            "\"count\": 3, \"orders\": {\"holds\": [{\"change\": \"both\"}]}",
            "`change` can't be `both`",
            "\"both\"",
        ),
        (
            "\"count\": 3",
            "\"count\": 3, \"hints\": {\"campaigns\": [{\"kind\": \"lunch\", \"spread_seconds\": 9, \
             \"devices\": 4}]}",
            "`campaigns[0]` does not say when it starts",
            "{\"kind\"",
        ),
        (
            "\"count\": 3",
            "\"count\": 3, \"forecasts\": {\"forecast:load\": {\"bound\": -1}}",
            "`bound` is -1, which is no rate",
            "-1",
        ),
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

/// The answer to a step rule with these bands and number of samples, over `samples` of its signal.
fn stepped(bands: &str, (within, of): (u32, u32), samples: &str) -> Value {
    answer(&format!(
        "{{\"policy\": {{\"rules\": [{{\"step\": {{\"signal\": \"load\", \"bands\": {bands}, \
         \"samples\": {{\"within\": {within}, \"of\": {of}}}}}}}]}}, \
         \"observation\": {{\"count\": 3, \"signals\": {{\"load\": {samples}}}}}}}"
    ))
}

#[test]
fn a_step_rule_looks_back_on_the_samples_before_the_reading() {
    let add = r#"[{"from": 5, "below": 20, "add": 1}]"#;
    let remove = r#"[{"below": 20, "remove": 1}]"#;
    for (bands, samples, of, count, because) in [
        (add, r#"{"samples": [10, 0, 10]}"#, (2, 3), 4, "two of three are inside"),
        (add, r#"{"samples": [10, 10, 0]}"#, (2, 3), 4, "the reading need not be inside"),
        (add, r#"{"samples": [10, 0, 10]}"#, (3, 3), 3, "one of three is outside"),
        (add, r#"{"samples": [10, 0, 10]}"#, (2, 2), 3, "the oldest is not looked at"),
        (add, r#"{"samples": [10]}"#, (2, 2), 3, "there is no other"),
        (add, "{\"value\": 10}", (1, 1), 4, "a value is one sample"),
        (remove, r#"{"samples": [10, 10], "age_seconds": 30}"#, (2, 2), 2, "all are older"),
        (remove, r#"{"samples": [-1, 10]}"#, (2, 2), 3, "below zero is no sample"),
        (remove, r#"{"samples": [10, 10], "seen": 1, "wanted": 2}"#, (1, 2), 3, "it is partial"),
    ] {
        assert_eq!(stepped(bands, of, samples)["count"], json!(count), "{because}");
    }
}

#[test]
fn each_step_rule_of_a_signal_looks_back_on_its_samples() {
    let rule = |add: u32| {
        let bands = json!([{"from": 5, "add": add}]);
        json!({"step": {"signal": "load", "bands": bands, "samples": {"within": 2, "of": 2}}})
    };
    let case = json!({
        "policy": {"rules": [rule(1), rule(2)]},
        "observation": {"count": 3, "signals": {"load": {"samples": [10, 10]}}},
    });
    let answer = answer(&case.to_string());
    assert_eq!(answer["recommendations"][0]["opinion"]["count"], 4);
    assert_eq!(answer["recommendations"][1]["opinion"]["count"], 5);
}

#[test]
fn no_samples_are_a_missing_reading_and_another_rule_sees_the_last() {
    let (_, none) = spoiled("35", r#"{"samples": []}"#);
    assert_eq!(none["recommendations"][0]["opinion"]["opinion"], "blind", "{none}");
    let (_, last) = spoiled("35", r#"{"samples": [90, 90, 35]}"#);
    assert_eq!(last["count"], 4);
}

#[test]
fn a_fragment_may_have_a_calendar() {
    let case = concat!(
        r#"{"policy": {"hints": [{"timezone": "Europe/Berlin", "cron": "0 18 * * *", "rps": 900, "#,
        r#""kind": "daily"}], "rules": [{"hint": {"signal": "load", "per_node": 100, "#,
        r#""margin_percent": 0}}]}, "#,
        r#""observation": {"at": "2026-07-01T15:59:00Z", "count": 2, "signals": {"load": 200}}}"#
    );
    let answer = answer(case);
    // Six in the evening in Berlin's summer; 900 req/s come on top of 200.
    assert_eq!(answer["count"], 11, "{answer}");
    assert_eq!(answer["reasons"][0]["reason"], "campaign_needs");
    assert_eq!(answer["reasons"][0]["source"], "calendar");
    assert_eq!(answer["reasons"][0]["starts_at"], "2026-07-01T16:00:00Z");
}
