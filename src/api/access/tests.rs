//! The door, tried with every operation that the document names.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::atomic::{AtomicI64, Ordering};

use axum::body::{Body, to_bytes};
use axum::extract::ConnectInfo;
use axum::http::request::Builder;
use axum::http::{HeaderMap, Request, StatusCode, header};
use axum::routing::get;
use axum::{Router, middleware};
use secrecy::ExposeSecret;
use serde_json::Value;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;
use tower::ServiceExt;

use super::*;
use crate::api::{PoolSource, Sources, document, router};
use crate::domain::{Duration, Timestamp};
use crate::policy::{Control, parse};
use crate::ports::SystemChance;
use crate::reconciler::PoolLoop;
use crate::sim::SimWorld;
use crate::store::{NewToken, Store, TokenId};
use crate::telemetry::Metrics;

const POLICY: &str = include_str!("../../../tests/data/web.yaml");

/// A clock that somebody else moves; in seconds.
struct Hand(AtomicI64);

impl Clock for Hand {
    fn now(&self) -> Timestamp {
        Timestamp::from_second(self.0.load(Ordering::Relaxed)).expect("a time in range")
    }
}

/// Two pools, `zebra` and `okapi`, behind the door.
struct House {
    sources: Sources,
    clock: Arc<Hand>,
}

fn pool(name: &str) -> PoolName {
    name.parse().expect("a legal name")
}

async fn source(store: &Arc<Store>, name: &str) -> (PoolName, PoolSource) {
    let text = POLICY.replace("pool: web", &format!("pool: {name}"));
    let policy = Arc::new(parse(&text, Path::new("policy.yaml")).expect("a good policy"));
    let (world, metrics) = (SimWorld::new(1, 2).ports(), Metrics::new());
    let interval = Duration::from_secs(5);
    let (control, store) = (Control::Automatic, store.clone());
    let pool = PoolLoop::start(policy.clone(), world, store, metrics, control, interval).await;
    let (_, in_force) = watch::channel(policy.clone());
    let status = pool.expect("the store works").status();
    (policy.pool.clone(), PoolSource { policy: in_force, status, wake: Arc::default() })
}

impl House {
    async fn new(asks: Asks, rate: Rate) -> Self {
        let store = Arc::new(Store::in_memory().await.expect("a store"));
        let pools = [source(&store, "zebra").await, source(&store, "okapi").await];
        let pools = BTreeMap::from(pools);
        let clock = Arc::new(Hand(AtomicI64::new(1_772_000_000)));
        let access = Access::new(asks, rate, clock.clone());
        // Nobody reads policies here: whoever passes the door is told that the daemon stops.
        let (reload, _) = tokio::sync::mpsc::channel(1);
        let (metrics, world, stop) =
            (Metrics::new(), SimWorld::new(1, 2), CancellationToken::new());
        let sources = Sources::new(store, pools, metrics, reload, world.ports(), stop, access);
        Self { sources, clock }
    }

    async fn with_tokens() -> Self {
        Self::new(Asks::ForTokens, Rate::per_second(100, 500)).await
    }

    async fn open() -> Self {
        Self::new(Asks::NoToken(vec!["windlass.example".into()]), Rate::per_second(100, 500)).await
    }

    /// The text of a new token, and its id.
    async fn token(&self, scope: Scope, pools: &[&str]) -> (String, TokenId) {
        let fresh = FreshToken::make(&SystemChance);
        let now = self.clock.now();
        let new = NewToken {
            id: fresh.id.clone(),
            owner: "alice".into(),
            hash: fresh.hash,
            scope,
            pools: (!pools.is_empty()).then(|| pools.iter().map(|name| pool(name)).collect()),
            expires_at: Some(crate::domain::after(now, Duration::from_secs(3_600))),
        };
        self.sources.store.add_token(&new, "root", now).await.expect("the store works");
        (fresh.text.expose_secret().to_owned(), fresh.id)
    }

    async fn send(&self, request: Builder) -> (StatusCode, HeaderMap, String) {
        let request = request.body(Body::empty()).expect("a request");
        let answer = router(self.sources.clone()).oneshot(request).await.expect("an answer");
        let (status, headers) = (answer.status(), answer.headers().clone());
        let kind = headers.get(header::CONTENT_TYPE).map(|kind| kind.as_bytes());
        if kind == Some(b"text/event-stream") {
            // It goes on for ever.
            return (status, headers, String::new());
        }
        let body = to_bytes(answer.into_body(), 1 << 22).await.expect("a body");
        (status, headers, String::from_utf8(body.to_vec()).expect("text"))
    }

    async fn ask(&self, operation: &Operation, token: Option<&str>) -> (StatusCode, String) {
        let mut request = Request::builder().method(operation.method.as_str()).uri(&operation.path);
        if let Some(token) = token {
            request = request.header(header::AUTHORIZATION, format!("Bearer {token}"));
        }
        let (status, headers, body) = self.send(request).await;
        if status == StatusCode::UNAUTHORIZED {
            assert!(headers.contains_key(header::WWW_AUTHENTICATE), "{operation:?}");
        }
        if status == StatusCode::UNAUTHORIZED || status == StatusCode::FORBIDDEN {
            assert_eq!(headers[header::CONTENT_TYPE], "application/problem+json", "{operation:?}");
            let problem: Value = serde_json::from_str(&body).expect("a problem");
            assert_eq!(problem["status"], status.as_u16(), "{operation:?}");
            let shown = token.is_some_and(|token| 20 < token.len() && body.contains(token));
            assert!(!shown, "{operation:?} shows the token: {body}");
        }
        (status, body)
    }
}

/// An operation of the document, its path filled in for the pool `zebra`.
#[derive(Debug)]
struct Operation {
    method: String,
    path: String,
    /// None: it is open.
    scope: Option<Scope>,
    names_a_pool: bool,
    shows_what_is_seen: bool,
}

fn operations() -> Vec<Operation> {
    let document = serde_json::to_value(document()).expect("a document is JSON");
    let mut operations = Vec::new();
    for (path, methods) in document["paths"].as_object().expect("paths") {
        for (method, operation) in methods.as_object().expect("operations") {
            let filled = path.split('/').map(|part| match part {
                "{pool}" => "zebra",
                part if part.starts_with('{') => "00000000-0000-7000-8000-000000000000",
                part => part,
            });
            let scope = operation["security"][0]["token"][0].as_str();
            operations.push(Operation {
                method: method.to_uppercase(),
                path: filled.collect::<Vec<_>>().join("/"),
                scope: scope.map(|scope| scope.parse().expect("a scope")),
                names_a_pool: path.contains("{pool}"),
                shows_what_is_seen: operation["x-pools"] == "seen",
            });
        }
    }
    assert!(10 < operations.len(), "{operations:?}");
    operations
}

const REFUSED: [StatusCode; 2] = [StatusCode::UNAUTHORIZED, StatusCode::FORBIDDEN];

#[tokio::test]
async fn no_operation_answers_without_a_good_token_of_its_scope_and_pool() {
    let house = House::with_tokens().await;
    let (expired, _) = house.token(Scope::Admin, &[]).await;
    house.clock.0.fetch_add(3_600, Ordering::Relaxed);
    let (revoked, id) = house.token(Scope::Admin, &[]).await;
    let record = house.sources.store.token(&id).await.expect("it works").expect("it is there");
    let now = house.clock.now();
    assert!(house.sources.store.revoke_token(&record, "root", now).await.expect("it works"));
    let (admin, id) = house.token(Scope::Admin, &[]).await;
    let forged = FreshToken::make(&SystemChance).text.expose_secret().to_owned();
    let of_another = format!("windlass_{id}_{}", &forged["windlass_".len() + 13..]);
    let (elsewhere, _) = house.token(Scope::Admin, &["okapi"]).await;
    let (here, _) = house.token(Scope::Admin, &["zebra"]).await;
    let scoped = [house.token(Scope::Read, &[]).await.0, house.token(Scope::Operate, &[]).await.0];

    for operation in &operations() {
        let Some(scope) = operation.scope else {
            let (status, body) = house.ask(operation, None).await;
            assert!(!REFUSED.contains(&status), "{operation:?}: {status} {body}");
            continue;
        };
        let bad = [None, Some(""), Some("x"), Some(forged.as_str()), Some(&of_another)];
        for token in bad.into_iter().chain([Some(expired.as_str()), Some(&revoked)]) {
            let (status, body) = house.ask(operation, token).await;
            assert_eq!(status, StatusCode::UNAUTHORIZED, "{operation:?} {token:?}: {body}");
        }
        for (token, has) in scoped.iter().zip(Scope::ALL) {
            let (status, body) = house.ask(operation, Some(token)).await;
            assert_eq!(status == StatusCode::FORBIDDEN, has < scope, "{operation:?} {has}: {body}");
        }
        let (status, body) = house.ask(operation, Some(&elsewhere)).await;
        match operation.shows_what_is_seen {
            true => assert!(!body.contains("zebra"), "{operation:?}: {body}"),
            false => assert_eq!(status, StatusCode::FORBIDDEN, "{operation:?}: {body}"),
        }
        let (status, body) = house.ask(operation, Some(&here)).await;
        let is_within = operation.names_a_pool || operation.shows_what_is_seen;
        assert_eq!(!REFUSED.contains(&status), is_within, "{operation:?}: {status} {body}");
        let (status, body) = house.ask(operation, Some(&admin)).await;
        assert!(!REFUSED.contains(&status), "{operation:?}: {status} {body}");
    }
    let rows = house.sources.store.audit_rows(&["commanded"], i64::MAX, 10).await.expect("rows");
    assert!(rows.is_empty(), "{rows:?}");
    let used = house.sources.store.token(&id).await.expect("it works").expect("it is there");
    assert_eq!(used.used_at, Some(now));
}

#[tokio::test]
async fn who_holds_a_token_is_told_why_it_is_good_no_more() {
    let house = House::with_tokens().await;
    let (token, id) = house.token(Scope::Read, &[]).await;
    let operation = operations().into_iter().find(|one| one.path == "/api/v1/pools");
    let operation = operation.expect("it is there");
    assert_eq!(house.ask(&operation, Some(&token)).await.0, StatusCode::OK);
    house.clock.0.fetch_add(3_600, Ordering::Relaxed);
    let (_, told) = house.ask(&operation, Some(&token)).await;
    assert!(told.contains("expired at 2026-") && told.contains(id.as_str()), "{told}");
    let (_, told) = house.ask(&operation, Some(&token.replace("windlass_", "windlass_0"))).await;
    assert!(!told.contains("expired"), "{told}");
}

#[tokio::test]
async fn a_route_that_the_document_does_not_name_is_shut() {
    let house = House::open().await;
    let forgotten = Router::new()
        .route("/api/v1/forgotten", get(async || "secret"))
        .layer(middleware::from_fn_with_state(house.sources.clone(), guard));
    let request = Request::get("/api/v1/forgotten").body(Body::empty()).expect("a request");
    let answer = forgotten.oneshot(request).await.expect("an answer");
    assert_eq!(answer.status(), StatusCode::FORBIDDEN);
    let (status, headers, _) = house.send(Request::delete("/api/v1/pools")).await;
    assert_eq!(
        (status, headers[header::ALLOW].as_bytes()),
        (405.try_into().expect("405"), &b"GET"[..])
    );
}

#[tokio::test]
async fn another_sites_page_cannot_use_a_daemon_that_asks_for_no_token() {
    let house = House::open().await;
    let reload = || Request::post("/api/v1/policies/reload").header("host", "127.0.0.1:8377");
    let refused = [
        reload().header("sec-fetch-site", "cross-site"),
        reload().header("sec-fetch-site", "same-site"),
        reload().header("origin", "https://evil.example"),
        reload().header("origin", "null"),
        Request::get("/api/v1/pools").header("host", "evil.example:8377"),
        Request::get("/metrics").header("host", "evil.example:8377"),
    ];
    for request in refused {
        let shown = format!("{request:?}");
        let (status, _, body) = house.send(request).await;
        assert_eq!(status, StatusCode::FORBIDDEN, "{shown}: {body}");
    }
    let good = [
        reload(),
        reload().header("sec-fetch-site", "same-origin"),
        reload().header("origin", "http://127.0.0.1:8377"),
        Request::get("/api/v1/pools").header("host", "windlass.example"),
        Request::get("/api/v1/pools").header("host", "[::1]:8377"),
    ];
    for request in good {
        let shown = format!("{request:?}");
        let (status, _, body) = house.send(request).await;
        assert_ne!(status, StatusCode::FORBIDDEN, "{shown}: {body}");
    }
    // Where a token is shown it must be good, and holds its bearer to its scope.
    let (read, _) = house.token(Scope::Read, &[]).await;
    for (token, wanted) in [("x", StatusCode::UNAUTHORIZED), (&*read, StatusCode::FORBIDDEN)] {
        let request = reload().header(header::AUTHORIZATION, format!("Bearer {token}"));
        assert_eq!(house.send(request).await.0, wanted);
    }
}

#[tokio::test]
async fn a_caller_that_asks_too_fast_is_told_when_to_ask_again() {
    let burst = std::num::NonZeroU32::new(2).expect("2");
    let rate = Rate { every: Duration::from_secs(3_600), burst };
    let house = House::new(Asks::ForTokens, rate).await;
    let from = |address: &str| {
        let address: SocketAddr = address.parse().expect("an address");
        Request::get("/api/v1/pools").extension(ConnectInfo(address))
    };
    for wanted in [401, 401, 429] {
        let (status, headers, _) = house.send(from("192.0.2.1:1")).await;
        assert_eq!(status.as_u16(), wanted, "guesses are counted by where they come from");
        let after = headers.get(header::RETRY_AFTER).and_then(|after| after.to_str().ok());
        let seconds = after.and_then(|after| after.parse::<u64>().ok());
        assert_eq!(seconds.is_some_and(|seconds| (1..=3_600).contains(&seconds)), wanted == 429);
    }
    let (token, _) = house.token(Scope::Read, &[]).await;
    for (address, wanted) in [("192.0.2.1:1", 200), ("192.0.2.2:1", 200), ("192.0.2.3:1", 429)] {
        let request = from(address).header(header::AUTHORIZATION, format!("Bearer {token}"));
        assert_eq!(house.send(request).await.0.as_u16(), wanted, "a token is one caller");
    }
}

#[tokio::test]
async fn every_answer_has_its_own_id_and_tells_browsers_to_be_strict() {
    let house = House::open().await;
    let mut ids = BTreeSet::new();
    for path in ["/healthz", "/api/v1/pools", "/no/such/page", "/metrics", "/api/v1/pools/none"] {
        let (_, headers, _) = house.send(Request::get(path)).await;
        let policy = headers[header::CONTENT_SECURITY_POLICY].to_str().expect("text");
        assert!(policy.starts_with("default-src 'none';"), "{path}: {policy}");
        assert!(policy.contains("frame-ancestors 'none'"), "{path}: {policy}");
        assert_eq!(headers[header::X_CONTENT_TYPE_OPTIONS], "nosniff", "{path}");
        assert_eq!(headers[header::REFERRER_POLICY], "no-referrer", "{path}");
        assert!(!headers.keys().any(|name| name.as_str().starts_with("access-control")), "{path}");
        ids.insert(headers["x-request-id"].clone());
    }
    assert_eq!(ids.len(), 5);
    let asked = Request::get("/healthz").header("x-request-id", "mine");
    assert_ne!(house.send(asked).await.1["x-request-id"], "mine");
    // The paths of a scanner are one series.
    for number in 0..50 {
        house.send(Request::get(format!("/wp-admin/{number}"))).await;
    }
    let (_, _, text) = house.send(Request::get("/metrics")).await;
    let series = text.lines().filter(|line| line.starts_with("windlass_api_requests_total"));
    assert_eq!(series.clone().count(), 5, "{:?}", series.collect::<Vec<_>>());
    let scanned = r#"windlass_api_requests_total{method="GET",route="none",status="4xx"} 51"#;
    assert!(text.contains(scanned), "{text}");
}
