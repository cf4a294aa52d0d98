//! What the API answers before, while and after a pool came up in a rehearsed world.

use std::path::Path;

use axum::body::to_bytes;
use axum::http::{Request, StatusCode};
use serde_json::{Value, json};
use tower::ServiceExt;

use super::*;
use crate::domain::Duration;
use crate::policy::{Control, parse};
use crate::reconciler::PoolLoop;
use crate::sim::{SimWorld, Traffic};

const POLICY: &str = include_str!("../../tests/data/web.yaml");

/// A pool in a rehearsed world, and the API beside it.
struct Rehearsal {
    world: SimWorld,
    pool: PoolLoop,
    sources: Sources,
}

impl Rehearsal {
    async fn new() -> Self {
        let policy = Arc::new(parse(POLICY, Path::new("web.yaml")).expect("a good policy"));
        let world = SimWorld::new(1, 2);
        world.set_traffic(Traffic::steady(150.0));
        let store = Arc::new(Store::in_memory().await.expect("a store"));
        let metrics = Metrics::new();
        let pool = PoolLoop::start(
            policy.clone(),
            world.ports(),
            store.clone(),
            metrics.clone(),
            Control::Automatic,
            Duration::from_secs(5),
        )
        .await
        .expect("the store works");
        let (_, in_force) = watch::channel(policy.clone());
        let wake = Arc::new(tokio::sync::Notify::new());
        let source = PoolSource { policy: in_force, status: pool.status(), wake };
        let pools = BTreeMap::from([(policy.pool.clone(), source)]);
        let (reload, _) = tokio::sync::mpsc::channel(1);
        let stop = CancellationToken::new();
        let sources =
            Sources::new(store, pools, metrics, reload, world.ports(), stop, Default::default());
        Self { world, pool, sources }
    }

    /// Looks until both nodes serve, for at most an hour of the rehearsed world.
    async fn comes_up(&mut self) {
        self.comes_to(2).await;
    }

    /// Looks until so many serve, for as long.
    async fn comes_to(&mut self, count: u32) {
        for _ in 0..3_600 {
            let rest = self.pool.look().await.expect("the store works");
            if self.pool.status().borrow().fleet.serving.0 == count {
                return;
            }
            self.world.pass(rest.max(Duration::from_secs(1)));
        }
        panic!("{count} never served: {:?}", self.pool.status().borrow());
    }

    async fn get(&self, path: &str) -> (StatusCode, String) {
        let request = Request::get(path).body(axum::body::Body::empty()).expect("a request");
        let answer = router(self.sources.clone()).oneshot(request).await.expect("an answer");
        let status = answer.status();
        let body = to_bytes(answer.into_body(), 1 << 20).await.expect("a body");
        (status, String::from_utf8(body.to_vec()).expect("text"))
    }

    async fn json(&self, path: &str) -> Value {
        let (status, body) = self.get(path).await;
        assert_eq!(status, StatusCode::OK, "{path}: {body}");
        serde_json::from_str(&body).expect("JSON")
    }
}

#[tokio::test]
async fn before_the_first_look_nothing_is_ready_and_no_target_list_is_empty() {
    let rehearsal = Rehearsal::new().await;
    assert_eq!(rehearsal.get("/healthz").await.0, StatusCode::OK);
    for path in ["/readyz", "/sd/prometheus"] {
        let (status, body) = rehearsal.get(path).await;
        assert_eq!(status, StatusCode::SERVICE_UNAVAILABLE, "{path}: {body}");
        assert!(body.contains("web"), "{path} names the pool: {body}");
    }
    let (status, body) = rehearsal.get("/api/v1/pools/web/explanation").await;
    assert_eq!(status, StatusCode::NOT_FOUND, "{body}");
}

#[tokio::test]
async fn a_pool_that_came_up_is_shown_with_nodes_targets_decisions_and_reasons() {
    let mut rehearsal = Rehearsal::new().await;
    rehearsal.comes_up().await;
    assert_eq!(rehearsal.get("/readyz").await.0, StatusCode::OK);
    let pools = rehearsal.json("/api/v1/pools").await;
    assert_eq!(pools[0]["pool"], "web");
    assert_eq!((&pools[0]["serving"], &pools[0]["desired"]), (&json!(2), &json!(2)));
    assert_eq!(pools[0]["nodes"].as_array().map(Vec::len), Some(2));
    let targets = rehearsal.json("/sd/prometheus").await;
    for target in targets.as_array().expect("a list") {
        let keys: Vec<&String> = target.as_object().expect("an object").keys().collect();
        assert_eq!(keys, ["labels", "targets"], "Prometheus allows nothing else");
        assert_eq!(target["labels"]["__meta_windlass_pool"], "web");
    }
    let decisions = rehearsal.json("/api/v1/pools/web/decisions?limit=500").await;
    let first = decisions["decisions"].as_array().and_then(|all| all.last()).expect("a decision");
    assert!(!first["sentences"].as_array().expect("sentences").is_empty());
    let explanation = rehearsal.json("/api/v1/pools/web/explanation").await;
    assert!(explanation["text"].as_str().expect("text").starts_with("web at "));
    let why_not = rehearsal.json("/api/v1/pools/web/why-not").await;
    for (way, question) in [("more", "why not more?"), ("fewer", "why not fewer?")] {
        let text = why_not[way]["text"].as_str().expect("text");
        assert!(text.contains(question) && text.contains("  next   "), "{text}");
    }
    let learned = rehearsal.json("/api/v1/pools/web/learned").await;
    let phases: Vec<&str> = learned
        .as_array()
        .expect("phases")
        .iter()
        .filter_map(|one| one["phase"].as_str())
        .collect();
    assert_eq!(phases, ["create", "boot", "configure", "join"]);
    let (_, metrics) = rehearsal.get("/metrics").await;
    assert!(metrics.contains("windlass_nodes{pool=\"web\",state=\"in_service\"} 2"), "{metrics}");
}

#[tokio::test]
async fn a_decision_is_explained_by_the_policy_that_made_it() {
    let mut rehearsal = Rehearsal::new().await;
    rehearsal.comes_up().await;
    let then = rehearsal.json("/api/v1/pools/web/explanation").await;
    let text = POLICY.replace("per_node: 100", "per_node: 7");
    assert_ne!(text, POLICY);
    let later = Arc::new(parse(&text, Path::new("web.yaml")).expect("a good policy"));
    let (_, in_force) = watch::channel(later.clone());
    let wake = Arc::new(tokio::sync::Notify::new());
    let source = PoolSource { policy: in_force, status: rehearsal.pool.status(), wake };
    rehearsal.sources.pools = Arc::new(BTreeMap::from([(later.pool.clone(), source)]));
    let now = rehearsal.json("/api/v1/pools/web/explanation").await;
    assert_eq!(now, then, "another policy has come since, and changes nothing about then");
}

#[tokio::test]
async fn the_journal_is_read_page_by_page_to_its_beginning() {
    let mut rehearsal = Rehearsal::new().await;
    rehearsal.comes_up().await;
    let (mut rows, mut path) = (Vec::new(), "/api/v1/pools/web/journal?limit=7".to_string());
    loop {
        let page = rehearsal.json(&path).await;
        rows.extend(page["entries"].as_array().expect("rows").clone());
        let Some(before) = page["next_before"].as_i64() else { break };
        path = format!("/api/v1/pools/web/journal?limit=7&before={before}");
    }
    let sequences: Vec<i64> = rows.iter().filter_map(|row| row["sequence"].as_i64()).collect();
    let all: Vec<i64> = (1..=sequences[0]).rev().collect();
    assert_eq!(sequences, all, "every row once, newest first");
    assert_eq!(rows.last().map(|row| &row["entry"]["kind"]), Some(&json!("started")));
    let kinds: Vec<&str> = rows.iter().filter_map(|row| row["entry"]["kind"].as_str()).collect();
    assert!(kinds.contains(&"configured"), "what the playbook told is in it: {kinds:?}");
}

#[tokio::test]
async fn a_pool_s_history_shows_how_it_came_up() {
    let mut rehearsal = Rehearsal::new().await;
    rehearsal.comes_up().await;
    // The first decision begins at the policy's least count, which 150 requests leave as it is.
    rehearsal.world.set_traffic(Traffic::steady(250.0));
    rehearsal.comes_to(3).await;
    let history = rehearsal.json("/api/v1/pools/web/history?points=100").await;
    let list = |path: &str| history.pointer(path).and_then(Value::as_array).expect("a list");
    assert_eq!(list("/counts/desired/high").iter().filter_map(Value::as_u64).max(), Some(3));
    assert_eq!(list("/counts/on_the_way/high").iter().filter_map(Value::as_u64).max(), Some(2));
    let values = list("/signals/requests/high").iter().filter_map(Value::as_f64);
    assert!(
        values.clone().count() > 0 && values.clone().all(|value| (150.0..=250.0).contains(&value))
    );
    assert_eq!(history["signals"]["requests"]["per_node"], 100.0);
    let places = list("/counts/serving/low").len();
    assert!((100..=102).contains(&places), "{places} buckets of a hundred that were asked for");
    let change = &list("/changes")[0];
    assert_eq!((&change["from"], &change["to"]), (&json!(2), &json!(3)));
    assert!(!change["reason"].as_str().expect("a sentence").is_empty());
    assert_eq!(list("/freezes").len(), 0);
}

#[tokio::test]
async fn a_question_that_makes_no_sense_is_answered_with_what_would() {
    let rehearsal = Rehearsal::new().await;
    for (path, status, says) in [
        ("/api/v1/pools/wbe", StatusCode::NOT_FOUND, "there are: web"),
        ("/api/v1/pools/WEB/journal", StatusCode::NOT_FOUND, "no pool name"),
        ("/api/v1/pools/web/decisions?limit=0", StatusCode::BAD_REQUEST, "use 1 to 500"),
        ("/api/v1/pools/web/decisions?limt=5", StatusCode::BAD_REQUEST, "limt"),
        ("/api/v1/pools/web/history?points=0", StatusCode::BAD_REQUEST, "use 1 to 2000"),
        (
            "/api/v1/pools/web/history?from=2026-03-02T07:00:00Z&until=2026-03-02T06:00:00Z",
            StatusCode::BAD_REQUEST,
            "`until` comes later",
        ),
        (
            "/api/v1/pools/web/history?from=2025-03-02T07:00:00Z&until=2026-03-02T06:00:00Z",
            StatusCode::BAD_REQUEST,
            "by at most 93 days",
        ),
        ("/api/v1/pools/web/explanation?at=noon", StatusCode::BAD_REQUEST, "at"),
        ("/api/v2", StatusCode::NOT_FOUND, "/api/v1/openapi.json"),
    ] {
        let (found, body) = rehearsal.get(path).await;
        assert_eq!(found, status, "{path}: {body}");
        assert!(body.contains(says), "{path}: {body}");
    }
}

mod orders;

mod whatever_is_asked {
    use proptest::prelude::*;

    use super::*;

    /// Any bytes in a path or a query, escaped where a URI needs it.
    fn escaped() -> impl Strategy<Value = String> {
        let bytes = proptest::collection::vec(any::<u8>(), 0..60);
        bytes.prop_map(|bytes| bytes.iter().map(|byte| format!("%{byte:02x}")).collect())
    }

    fn paths() -> impl Strategy<Value = String> {
        let page = prop_oneof![
            Just("decisions"),
            Just("explanation"),
            Just("why-not"),
            Just("journal"),
            Just("learned"),
            Just("history"),
            Just("nodes"),
            Just("signals"),
            Just("signals/requests"),
            Just("costs"),
            Just("commands"),
            Just("hints"),
            Just(""),
            Just("../..")
        ];
        let key = prop_oneof![
            Just("limit"),
            Just("until"),
            Just("before"),
            Just("from"),
            Just("points"),
            Just("at"),
            Just("decision"),
            Just("x")
        ];
        let value = prop_oneof![
            escaped(),
            Just("99999999999999999999".into()),
            Just("-1".into()),
            Just("1e9".into()),
            Just("4294967295".into()),
            Just("-9223372036854775808".into()),
            Just("9999-12-31T23:59:59Z".into()),
            Just("-009999-01-01T00:00:00Z".into())
        ];
        (prop_oneof![Just("web".to_string()), escaped()], page, key, value).prop_map(
            |(pool, page, key, value)| format!("/api/v1/pools/{pool}/{page}?{key}={value}"),
        )
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(24))]
        #[test]
        fn no_question_is_answered_with_a_fault_of_ours(
            paths in proptest::collection::vec(paths(), 16),
        ) {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
            runtime.expect("a runtime").block_on(async {
                let rehearsal = Rehearsal::new().await;
                for path in &paths {
                    let (status, body) = rehearsal.get(path).await;
                    prop_assert!(!status.is_server_error(), "{path}: {status} {body}");
                }
                Ok(())
            })?;
        }
    }

    #[tokio::test]
    async fn a_body_that_nobody_asked_for_is_not_read_to_its_end() {
        let rehearsal = Rehearsal::new().await;
        for size in [0, 1 << 10, 8 << 20] {
            let body = axum::body::Body::from(vec![b'{'; size]);
            let request = Request::post("/api/v1/policies/reload")
                .header("content-length", size)
                .body(body)
                .expect("a request");
            let answer = router(rehearsal.sources.clone()).oneshot(request).await;
            let status = answer.expect("an answer").status();
            let expected = if size <= 64 << 10 {
                StatusCode::SERVICE_UNAVAILABLE
            } else {
                StatusCode::PAYLOAD_TOO_LARGE
            };
            assert_eq!(status, expected, "{size} bytes");
        }
    }
}

#[tokio::test]
async fn prometheus_finds_nothing_wrong_with_the_metrics_of_a_pool_at_work() {
    use std::io::Write;
    use std::process::{Command, Stdio};

    let mut rehearsal = Rehearsal::new().await;
    rehearsal.comes_up().await;
    rehearsal.get("/api/v1/pools").await;
    let (_, metrics) = rehearsal.get("/metrics").await;
    for name in ["windlass_api_requests_total{", "windlass_decisions_total{", "_seconds_bucket{"] {
        assert!(metrics.contains(name), "{name}: {metrics}");
    }
    let mut promtool = Command::new("promtool")
        .args(["check", "metrics"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the Debian package prometheus is installed");
    let mut input = promtool.stdin.take().expect("it is piped");
    input.write_all(metrics.as_bytes()).expect("promtool reads");
    drop(input);
    let said = promtool.wait_with_output().expect("promtool ends");
    let told = [said.stdout, said.stderr].concat();
    assert!(said.status.success() && told.is_empty(), "{}", String::from_utf8_lossy(&told));
}
