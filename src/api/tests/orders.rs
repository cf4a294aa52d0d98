//! Commands, hints and what is read beside them, in a rehearsed world.

use axum::body::Body;
use futures_util::StreamExt;

use super::*;

impl Rehearsal {
    /// Status and answer of a request with a JSON body.
    async fn send(&self, method: &str, path: &str, key: &str, body: &Value) -> (u16, Value) {
        let request = Request::builder()
            .method(method)
            .uri(path)
            .header("content-type", "application/json")
            .header("idempotency-key", key)
            .body(Body::from(body.to_string()))
            .expect("a request");
        let answer = router(self.sources.clone()).oneshot(request).await.expect("an answer");
        let status = answer.status().as_u16();
        let body = to_bytes(answer.into_body(), 1 << 20).await.expect("a body");
        (status, serde_json::from_slice(&body).unwrap_or_default())
    }

    async fn commands(&self) -> Vec<Value> {
        let page = self.json(COMMANDS).await;
        page["commands"].as_array().cloned().expect("a list")
    }
}

const COMMANDS: &str = "/api/v1/pools/web/commands";

fn floor(count: u32) -> Value {
    json!({"kind": "floor", "count": count, "reason": "a release", "for": "2h"})
}

#[tokio::test]
async fn the_same_key_gives_a_command_once_and_another_command_under_it_is_refused() {
    let mut rehearsal = Rehearsal::new().await;
    rehearsal.comes_up().await;
    let (status, first) = rehearsal.send("POST", COMMANDS, "k1", &floor(4)).await;
    assert_eq!(status, 201, "{first}");
    assert_eq!(first["owner"], "operator on this machine");
    let again = rehearsal.send("POST", COMMANDS, "k1", &floor(4)).await;
    assert_eq!(again, (201, first.clone()));
    let (status, problem) = rehearsal.send("POST", COMMANDS, "k1", &floor(5)).await;
    assert_eq!(status, 409, "{problem}");
    assert_eq!(rehearsal.commands().await.len(), 1, "one was given");

    rehearsal.pool.look().await.expect("the store works");
    let status = rehearsal.json("/api/v1/pools/web").await;
    assert_eq!(status["desired"], 4, "the very next look keeps to it");
    assert_eq!(status["orders"][0]["what"], "at least 4 nodes");
    let explanation = rehearsal.json("/api/v1/pools/web/explanation").await;
    assert_eq!(explanation["orders"][0]["reason"], "a release");

    let path = format!("{COMMANDS}/{}", first["id"].as_str().expect("an id"));
    let (status, ended) = rehearsal.send("DELETE", &path, "k2", &Value::Null).await;
    assert_eq!((status, &ended["ended_by"]), (200, &json!("operator on this machine")));
    assert_eq!(rehearsal.send("DELETE", &path, "k3", &Value::Null).await.0, 409);
    rehearsal.pool.look().await.expect("the store works");
    let status = rehearsal.json("/api/v1/pools/web").await;
    assert_eq!(status["orders"], json!([]));
}

#[tokio::test]
async fn what_can_not_be_commanded_changes_nothing_and_says_why() {
    let mut rehearsal = Rehearsal::new().await;
    rehearsal.comes_up().await;
    let long = "x".repeat(501);
    for (body, status, says) in [
        (json!({"kind": "floor", "count": 4, "reason": "r"}), 422, "say how long"),
        (
            json!({"kind": "floor", "count": 4, "reason": " ", "for": "1h"}),
            422,
            "`reason` is empty",
        ),
        (json!({"kind": "floor", "count": 4, "reason": long, "for": "1h"}), 422, "500 characters"),
        (json!({"kind": "floor", "reason": "r", "for": "1h"}), 422, "`count` is missing"),
        (json!({"kind": "floor", "count": 99, "reason": "r", "for": "1h"}), 422, "bounds.max"),
        (json!({"kind": "set", "count": 0, "reason": "r", "for": "1h"}), 422, "bounds.min"),
        (json!({"kind": "hold", "count": 4, "reason": "r", "for": "1h"}), 422, "means nothing"),
        (json!({"kind": "hold", "reason": "r", "for": "8d"}), 422, "seven days"),
        (json!({"kind": "hold", "reason": "r", "for": "0s"}), 422, "is past"),
        (json!({"kind": "hold", "reason": "r", "until": "2020-01-01T00:00:00Z"}), 422, "is past"),
        (json!({"kind": "resume", "reason": "r", "for": "1h"}), 422, "happens once"),
        (
            json!({"kind": "drain", "node": "web-0", "reason": "r", "for": "1h"}),
            422,
            "there are: web-",
        ),
        (json!({"kind": "hodl", "reason": "r", "for": "1h"}), 422, "hodl"),
        (json!({"kind": "hold", "reason": "r", "for": "1h", "fro": 1}), 422, "fro"),
        (json!("hold"), 422, "NewCommand"),
    ] {
        let (found, problem) = rehearsal.send("POST", COMMANDS, "k", &body).await;
        assert_eq!(found, status, "{body}: {problem}");
        let detail = problem["detail"].as_str().unwrap_or_default();
        assert!(detail.contains(says), "{body}: {problem}");
    }
    let request = Request::post(COMMANDS)
        .header("content-type", "application/json")
        .body(Body::from(vec![b' '; 65 << 10]))
        .expect("a request");
    let answer = router(rehearsal.sources.clone()).oneshot(request).await.expect("an answer");
    assert_eq!(answer.status(), StatusCode::PAYLOAD_TOO_LARGE);
    assert_eq!(answer.headers()["content-type"], "application/problem+json");
    assert_eq!(rehearsal.commands().await, [] as [Value; 0]);
}

#[tokio::test]
async fn a_command_that_is_only_tried_answers_with_its_plan() {
    let mut rehearsal = Rehearsal::new().await;
    rehearsal.comes_up().await;
    let (status, preview) =
        rehearsal.send("POST", &format!("{COMMANDS}?dry_run=true"), "k", &floor(4)).await;
    assert_eq!(status, 200, "{preview}");
    assert_eq!(preview["explanation"]["to"], 4, "{preview}");
    assert_eq!(preview["acts"][0], "create 2 nodes");
    assert_eq!(rehearsal.commands().await, [] as [Value; 0]);
    rehearsal.pool.look().await.expect("the store works");
    assert_eq!(rehearsal.json("/api/v1/pools/web").await["desired"], 2);
}

#[tokio::test]
async fn what_is_there_is_read_page_by_page() {
    let mut rehearsal = Rehearsal::new().await;
    rehearsal.comes_up().await;
    let nodes = rehearsal.json("/api/v1/pools/web/nodes?limit=1").await;
    let after = nodes["next_after"].as_str().expect("one more");
    let rest = rehearsal.json(&format!("/api/v1/pools/web/nodes?after={after}")).await;
    assert_ne!(nodes["nodes"][0]["id"], rest["nodes"][0]["id"]);
    assert_eq!(rest["next_after"], Value::Null);

    let (mut ids, mut path) = (Vec::new(), "/api/v1/pools/web/decisions?limit=3".to_string());
    loop {
        let page = rehearsal.json(&path).await;
        let decisions = page["decisions"].as_array().expect("a list");
        ids.extend(decisions.iter().map(|one| one["id"].to_string()));
        let Some(before) = page["next_before"].as_str() else { break };
        path = format!("/api/v1/pools/web/decisions?limit=3&before={before}");
    }
    let all = rehearsal.json("/api/v1/pools/web/decisions?limit=500").await;
    let all = all["decisions"].as_array().expect("a list");
    assert_eq!(ids, all.iter().map(|one| one["id"].to_string()).collect::<Vec<_>>());
    let id = all[0]["id"].as_str().expect("an id");
    let one = rehearsal.json(&format!("/api/v1/pools/web/decisions/{id}")).await;
    assert_eq!(one, all[0]);
    let explained = rehearsal.json(&format!("/api/v1/pools/web/explanation?decision={id}")).await;
    assert_eq!(explained["at"], one["at"]);

    let samples = rehearsal.json("/api/v1/pools/web/signals/requests?limit=2").await;
    let from = samples["next_from"].as_str().expect("more");
    let more = rehearsal.json(&format!("/api/v1/pools/web/signals/requests?from={from}")).await;
    assert!(samples["samples"][1]["at"].as_str() < more["samples"][0]["at"].as_str());
    assert!(rehearsal.json("/api/v1/pools/web/signals").await["readings"]["requests"].is_object());

    let decided = rehearsal.json("/api/v1/pools/web/journal?kind=decided").await;
    let entries = decided["entries"].as_array().expect("rows");
    assert!(!entries.is_empty() && entries.iter().all(|row| row["entry"]["kind"] == "decided"));
    let costs = rehearsal.json("/api/v1/pools/web/costs").await;
    assert_eq!(costs["instances"], 2);
    assert!(costs["hourly"].as_f64() > Some(0.0), "{costs}");
    assert!(costs["month_so_far"].as_f64() <= costs["month_projected"].as_f64(), "{costs}");
}

#[tokio::test]
async fn whoever_has_an_answer_already_is_not_sent_it_again() {
    let rehearsal = Rehearsal::new().await;
    let ask = async |known: &str| {
        let request = Request::get("/api/v1/pools").header("if-none-match", known);
        let request = request.body(Body::empty()).expect("a request");
        router(rehearsal.sources.clone()).oneshot(request).await.expect("an answer")
    };
    let first = ask("\"other\"").await;
    assert_eq!(first.status(), StatusCode::OK);
    let tag = first.headers()["etag"].to_str().expect("text").to_owned();
    let again = ask(&tag).await;
    assert_eq!(again.status(), StatusCode::NOT_MODIFIED);
    assert!(to_bytes(again.into_body(), 10).await.expect("a body").is_empty());
}

#[tokio::test]
async fn events_are_taken_up_where_they_were_left_and_end_with_the_daemon() {
    let mut rehearsal = Rehearsal::new().await;
    rehearsal.comes_up().await;
    let listen = async |last: &str| {
        let request = Request::get("/api/v1/events?pool=web").header("last-event-id", last);
        let request = request.body(Body::empty()).expect("a request");
        let answer = router(rehearsal.sources.clone()).oneshot(request).await.expect("an answer");
        assert_eq!(answer.status(), StatusCode::OK);
        answer.into_body().into_data_stream()
    };
    let mut events = listen("2").await;
    let first = events.next().await.expect("an event").expect("bytes");
    let first = String::from_utf8(first.to_vec()).expect("text");
    assert!(first.contains("id: 3") && first.contains("data: {\"sequence\":3"), "{first}");
    // A listener that reads nothing of it holds nothing up, and all end with the daemon.
    let idle = listen("0").await;
    rehearsal.sources.stop.cancel();
    drop(idle);
    while events.next().await.is_some() {}
    let request = Request::get("/api/v1/events").header("last-event-id", "yesterday");
    let request = request.body(Body::empty()).expect("a request");
    let answer = router(rehearsal.sources.clone()).oneshot(request).await.expect("an answer");
    assert_eq!(answer.status(), StatusCode::BAD_REQUEST);
    assert_eq!(answer.headers()["content-type"], "application/problem+json");
}
