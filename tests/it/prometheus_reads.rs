//! The Prometheus adapter against a real server, and against answers that no real one gives often.

use std::collections::HashMap;
use std::fmt::Write as _;
use std::net::TcpListener;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use rstest::rstest;
use serde_json::{Value, json};
use tempfile::TempDir;
use windlass::domain::{Missing, NodeSample, Reading, Sample, Timestamp, before};
use windlass::ports::{Fault, MetricsSource};
use windlass::prometheus::{PrometheusSettings, PrometheusSource};
use wiremock::matchers::{any, path, query_param};
use wiremock::{Mock, MockServer, Request, Respond, ResponseTemplate};

const LIMIT: Duration = Duration::from_secs(60);

fn source(url: &str) -> PrometheusSource {
    let settings = PrometheusSettings {
        read_deadline: Duration::from_secs(10),
        ..PrometheusSettings::default()
    };
    source_with(url, settings)
}

fn source_with(url: &str, settings: PrometheusSettings) -> PrometheusSource {
    let connections = PrometheusSource::connections(None).expect("HTTPS is to be had here");
    PrometheusSource::new(connections, url, settings).expect("the URL is usable")
}

/// A real Prometheus on loopback; it ends with this value.
pub(super) struct Prometheus {
    process: Child,
    pub(super) url: String,
    _folder: TempDir,
}

impl Drop for Prometheus {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

impl Prometheus {
    /// Starts one that scrapes `target` every second, with the history `openmetrics`.
    pub(super) async fn start(openmetrics: &str, target: Option<&str>) -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder can be made");
        let at = folder.path();
        if !openmetrics.is_empty() {
            backfill(at, openmetrics);
        }
        let targets: Vec<_> = target.into_iter().collect();
        let config = json!({
            "global": {"scrape_interval": "1s", "scrape_timeout": "1s"},
            "scrape_configs": [{"job_name": "app", "static_configs": [{"targets": targets}]}],
        });
        std::fs::write(at.join("prometheus.yml"), config.to_string()).unwrap();
        // Between our look for a free port and its use another process may take it.
        for _ in 0..3 {
            let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
            let url = format!("http://127.0.0.1:{port}");
            let process = run(at, port);
            let mut server = Self { process, url, _folder: tempfile::tempdir().unwrap() };
            if server.is_ready().await {
                server._folder = folder;
                return server;
            }
        }
        panic!("Prometheus did not start: {}", read(&at.join("log")));
    }

    async fn is_ready(&mut self) -> bool {
        let ready = format!("{}/-/ready", self.url);
        let http = PrometheusSource::connections(None).unwrap();
        let give_up = Instant::now() + Duration::from_secs(30);
        while Instant::now() < give_up && self.process.try_wait().unwrap().is_none() {
            if http.get(&ready).send().await.is_ok_and(|answer| answer.status().is_success()) {
                return true;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        false
    }
}

fn run(folder: &Path, port: u16) -> Child {
    let log = std::fs::File::create(folder.join("log")).unwrap();
    let started = Command::new("prometheus")
        .arg(format!("--config.file={}", folder.join("prometheus.yml").display()))
        .arg(format!("--storage.tsdb.path={}", folder.join("data").display()))
        .arg(format!("--web.listen-address=127.0.0.1:{port}"))
        .stdout(Stdio::null())
        .stderr(log)
        .spawn();
    started.unwrap_or_else(|error| panic!("`prometheus` can't be run ({error}): {INSTALL}"))
}

fn backfill(folder: &Path, openmetrics: &str) {
    let input = folder.join("history.om");
    std::fs::write(&input, openmetrics).unwrap();
    let ended = Command::new("promtool")
        .args(["tsdb", "create-blocks-from", "openmetrics"])
        .args([&input, &folder.join("data")])
        .output()
        .unwrap_or_else(|error| panic!("`promtool` can't be run ({error}): {INSTALL}"));
    assert!(ended.status.success(), "{}", String::from_utf8_lossy(&ended.stderr));
}

const INSTALL: &str = "these tests need the Debian package: apt-get install prometheus";

fn read(file: &Path) -> String {
    std::fs::read_to_string(file).unwrap_or_default()
}

/// Series as OpenMetrics text: `series` maps a name with labels to points.
pub(super) fn history<'a>(
    series: impl IntoIterator<Item = (&'a str, Vec<(i64, String)>)>,
) -> String {
    let mut text = String::new();
    for (name, points) in series {
        let family = name.split('{').next().unwrap_or_default();
        let (family, kind) = match family.strip_suffix("_total") {
            Some(counter) => (counter, "counter"),
            None => (family, "gauge"),
        };
        if !text.contains(&format!("# TYPE {family} ")) {
            writeln!(text, "# TYPE {family} {kind}").unwrap();
        }
        for (second, value) in points {
            writeln!(text, "{name} {value} {second}").unwrap();
        }
    }
    text + "# EOF\n"
}

/// One point every five seconds from `from` to `to`, both in seconds since 1970 and
/// a multiple of five apart.
fn every_five(from: i64, to: i64, value: impl Fn(i64) -> String) -> Vec<(i64, String)> {
    every(5, from, to, value)
}

/// One point every `step` seconds from `from` to `to`, both in seconds since 1970.
pub(super) fn every(
    step: usize,
    from: i64,
    to: i64,
    value: impl Fn(i64) -> String,
) -> Vec<(i64, String)> {
    (from..=to).step_by(step).map(|second| (second, value(second))).collect()
}

fn constant(value: &str) -> impl Fn(i64) -> String {
    move |_| value.to_owned()
}

#[tokio::test]
async fn a_reading_has_the_age_of_its_data_and_one_quality() {
    let now = Timestamp::now();
    let second = now.as_second();
    let start = second - 600;
    let live = |value: &'static str| every_five(start, second, constant(value));
    let prometheus = Prometheus::start(
        &history([
            ("load", live("42.5")),
            ("requests_total", every_five(start, second, |at| ((at - start) * 20).to_string())),
            ("old", every_five(start, second - 120, constant("7"))),
            ("dead_total", every_five(start, second - 100, |at| ((at - start) * 20).to_string())),
            ("ancient_total", every_five(start, second - 400, |at| (at - start).to_string())),
            ("undefined", live("NaN")),
            ("infinite", live("+Inf")),
            ("minus_inf", live("-Inf")),
            ("minus", live("-3")),
            ("up_by{node=\"a\"}", live("1")),
            ("up_by{node=\"b\"}", live("1")),
            ("up_by{node=\"c\"}", live("1")),
            ("up_by{node=\"d\"}", live("1")),
        ]),
        None,
    )
    .await;
    let source = source(&prometheus.url);
    let read = async |query: &str| source.read(query, LIMIT, now).await;

    let newest = Timestamp::from_second(second).unwrap();
    for (query, value) in [
        ("load", 42.5),
        ("sum(rate(requests_total[1m]))", 20.0),
        ("scalar(load)", 42.5),
        ("sum by (node) (up_by{node=\"a\"})", 1.0),
        ("count(up_by == 1)", 4.0),
        ("load - load", 0.0),
        ("load + (absent_metric or vector(0))", 42.5),
        ("load / (old offset 2m)", 42.5 / 7.0),
    ] {
        let Reading::Fresh { sample } = read(query).await else {
            panic!("{query}: {:?}", read(query).await)
        };
        assert!((sample.value - value).abs() < 0.5, "{query}: {sample:?}");
        assert_eq!(sample.at, newest, "{query} is as old as its newest sample");
    }

    for query in ["old", "rate(dead_total[5m])", "load / old", "count(old)"] {
        let why = missing(read(query).await);
        let Missing::Stale { age_seconds: 100..=125, limit_seconds: 60 } = why else {
            panic!("{query}: {why:?}")
        };
    }
    for query in ["absent_metric", "load > 100", "rate(requests_total[1s])"] {
        assert_eq!(missing(read(query).await), Missing::Empty, "{query}");
    }
    for query in ["undefined", "infinite", "minus_inf", "nan", "load / 0", "scalar(up_by)"] {
        assert_eq!(missing(read(query).await), Missing::NotANumber, "{query}");
    }
    assert_eq!(missing(read("minus").await), Missing::Negative { value: -3.0 });

    let Missing::ManySeries { count: 4, labels } = missing(read("up_by").await) else {
        panic!("four series are many")
    };
    assert_eq!(labels.len(), 3);
    assert!(labels[0].starts_with("{__name__=\"up_by\", node="), "{labels:?}");

    for (query, says) in [
        ("load[1m]", "put a function such as `rate`"),
        ("\"text\"", "a text and not a number"),
        ("sum(load", "parse error"),
        ("nonsense(load)", "unknown function"),
        ("rate(ancient_total[9m])", "none of its series is alive"),
    ] {
        let why = missing(read(query).await);
        let Missing::QueryFailed { message } = &why else { panic!("{query}: {why:?}") };
        assert!(message.contains(says), "{query}: {message}");
    }

    let Reading::Fresh { sample } = read("vector(3)").await else { panic!("3 is a number") };
    assert!(sample.at >= now && sample.value == 3.0, "without series it is as old as its asking");
    let long_ago = before(now, Duration::from_secs(3_600));
    let why = missing(source.read("load", LIMIT, long_ago).await);
    assert!(why.to_string().contains("ahead of our clock"), "{why}");
}

#[tokio::test]
async fn each_node_speaks_for_itself() {
    let now = Timestamp::now();
    let second = now.as_second();
    let start = second - 600;
    let live = |value: &'static str| every_five(start, second, constant(value));
    let rising = |until: i64| every_five(start, until, |at| ((at - start) * 20).to_string());
    let prometheus = Prometheus::start(
        &history([
            ("busy{instance=\"10.10.0.21:9100\"}", live("0.5")),
            ("busy{instance=\"10.10.0.22:9100\"}", live("NaN")),
            ("busy{instance=\"10.10.0.23:9100\"}", live("-1")),
            ("busy{instance=\"web-24\"}", live("0.25")),
            ("hits_total{instance=\"10.10.0.21:9100\"}", rising(second)),
            ("hits_total{instance=\"10.10.0.22:9100\"}", rising(second - 120)),
            ("hits_total{instance=\"10.10.0.23:9100\"}", rising(second - 320)),
            ("twice{instance=\"10.10.0.21:9100\"}", live("1")),
            ("twice{instance=\"10.10.0.21:9200\"}", live("2")),
            ("total", live("7")),
        ]),
        None,
    )
    .await;
    let source = source(&prometheus.url);
    let read = async |query: &str| source.read_nodes(query, "instance", LIMIT, now).await;
    let values = async |query: &str| match read(query).await {
        Reading::PerNode { samples, capacity: None } => {
            let pair = |sample: NodeSample| {
                let is_new = sample.at == Timestamp::from_second(second).unwrap();
                assert!(is_new || sample.value.is_none(), "{query}: {sample:?}");
                (sample.node, sample.value.map(|value| (value * 100.0).round() / 100.0))
            };
            samples.into_iter().map(pair).collect::<Vec<_>>()
        }
        other => panic!("{query}: {other:?}"),
    };
    let node = |name: &str, value: Option<f64>| (name.to_owned(), value);

    let busy = [
        node("10.10.0.21", Some(0.5)),
        node("10.10.0.22", None),
        node("10.10.0.23", None),
        node("web-24", Some(0.25)),
    ];
    assert_eq!(values("busy").await, busy, "no number and less than none are silence");
    assert_eq!(
        values("sum by (instance) (rate(hits_total[9m]))").await,
        [node("10.10.0.21", Some(20.0)), node("10.10.0.22", None), node("10.10.0.23", None)],
        "one is stale, and one has ended, though both rates live on"
    );
    assert_eq!(values("busy / on () group_left () total * 14").await[0].1, Some(1.0));
    let both = values("rate(hits_total[9m]) * 0 + on (instance) busy").await;
    assert_eq!(both[0], node("10.10.0.21", Some(0.5)), "as old as its own older half");
    assert_eq!(both[1].1, None, "though it is busy, its hits are old");
    let renamed = r#"label_replace(vector(3), "instance", "10.10.0.9:80", "", "")"#;
    let Reading::PerNode { samples, .. } = read(renamed).await else { panic!("one node speaks") };
    assert_eq!((samples[0].node.as_str(), samples[0].value), ("10.10.0.9", Some(3.0)));

    assert_eq!(
        missing(read("twice").await),
        Missing::TwiceOneNode { node: "10.10.0.21".into() },
        "two ports of one node are two values of it"
    );
    assert_eq!(missing(read("absent_metric").await), Missing::Empty);
    assert_eq!(missing(read("busy{instance=~\".*22.*\"}").await), Missing::NotANumber);
    for (query, says) in [
        ("total", "a series has no label `instance`: {__name__=\"total\"}"),
        ("scalar(total)", "one number and no series of each node"),
        ("busy[1m]", "put a function such as `rate`"),
        ("sum(busy", "parse error"),
        ("rate(hits_total{instance=~\".*23.*\"}[9m])", "none of its series is alive"),
    ] {
        let why = missing(read(query).await);
        assert!(why.to_string().contains(says), "{query}: {why}");
    }
}

fn missing(reading: Reading) -> Missing {
    match reading {
        Reading::Missing { why } => why,
        good => panic!("not missing: {good:?}"),
    }
}

/// A target whose counter rises by ten each scrape.
struct Counting(AtomicU64);

impl Respond for Counting {
    fn respond(&self, _: &Request) -> ResponseTemplate {
        let value = self.0.fetch_add(10, Ordering::SeqCst);
        ResponseTemplate::new(200).set_body_raw(
            format!("# TYPE requests_total counter\nrequests_total {value}\n"),
            "text/plain; version=0.0.4",
        )
    }
}

#[tokio::test]
async fn a_target_that_dies_is_missing_at_once_though_its_rate_lives_on() {
    let target = MockServer::builder().start().await;
    Mock::given(path("/metrics")).respond_with(Counting(AtomicU64::new(0))).mount(&target).await;
    let address = target.address().to_string();
    let prometheus = Prometheus::start("", Some(&address)).await;
    let source = source(&prometheus.url);
    let query = "sum(rate(requests_total[5m]))";
    let read = async || source.read(query, LIMIT, Timestamp::now()).await;

    let alive = until(async || match read().await {
        Reading::Fresh { sample } if sample.value > 0.0 => Ok(sample),
        other => Err(format!("{other:?}")),
    });
    let sample = alive.await;
    assert!(Timestamp::now().duration_since(sample.at).as_secs() < 10, "{sample:?}");

    drop(target);

    let message = until(async || match read().await {
        Reading::Missing { why: Missing::QueryFailed { message } } => Ok(message),
        other => Err(format!("{other:?}")),
    })
    .await;
    assert!(message.contains("none of its series is alive"), "{message}");
    let raw = PrometheusSource::connections(None).unwrap();
    let raw = raw.get(format!("{}/api/v1/query", prometheus.url)).query(&[("query", query)]);
    let raw: Value = raw.send().await.unwrap().json().await.unwrap();
    assert!(raw["data"]["result"][0]["value"][1].is_string(), "Prometheus alone would say {raw}");
}

/// Asks again until the answer is good; what it was last when that takes too long.
async fn until<T>(look: impl AsyncFn() -> Result<T, String>) -> T {
    let give_up = Instant::now() + Duration::from_secs(30);
    loop {
        match look().await {
            Ok(good) => return good,
            Err(last) if Instant::now() > give_up => panic!("still {last}"),
            Err(_) => tokio::time::sleep(Duration::from_millis(100)).await,
        }
    }
}

#[tokio::test]
async fn a_range_leaves_out_gaps_and_what_is_no_number() {
    let end = Timestamp::now().as_second() / 60 * 60 - 3_600;
    let start = end - 7_200;
    let minutes = |from: i64, to: i64, value: &'static str| {
        (from..=to).step_by(60).map(move |second| (second, value.to_owned())).collect::<Vec<_>>()
    };
    let gap = [minutes(start, start + 1_800, "5"), minutes(end - 1_800, end, "6")].concat();
    let nan = [minutes(start, start + 600, "NaN"), minutes(start + 660, end, "1")].concat();
    let prometheus = Prometheus::start(
        &history([
            ("gap", gap),
            ("undefined", nan),
            ("many{a=\"1\"}", minutes(start, end, "1")),
            ("many{a=\"2\"}", minutes(start, end, "1")),
        ]),
        None,
    )
    .await;
    let source = source(&prometheus.url);
    let at = |second| Timestamp::from_second(second).unwrap();
    let read = async |query: &str, step: u64| {
        source.read_range(query, at(start), at(end), Duration::from_secs(step)).await
    };

    let samples = read("last_over_time(gap[1m])", 60).await.unwrap();
    // Both ends of a minute count as inside it, in Prometheus 2.
    assert!((62..=64).contains(&samples.len()), "{}", samples.len());
    assert_eq!(samples.first(), Some(&Sample { at: at(start), value: 5.0 }));
    assert_eq!(samples.last(), Some(&Sample { at: at(end), value: 6.0 }));
    let longest = samples.windows(2).map(|pair| pair[1].at.duration_since(pair[0].at).as_secs());
    assert!(longest.max() > Some(3_400), "the gap was filled in");

    assert_eq!(read("undefined", 60).await.unwrap().first().unwrap().at, at(start + 660));
    assert_eq!(read("absent_metric", 60).await, Ok(vec![]));
    let long = source.read_range("vector(1)", at(start - 14_400), at(end), Duration::from_secs(1));
    let long = long.await.unwrap();
    assert_eq!(long.len(), 21_601, "more points than Prometheus gives at once");
    assert!(long.windows(2).all(|pair| pair[1].at.duration_since(pair[0].at).as_secs() == 1));

    for (query, step, says) in [
        ("many", 60, "matched 2 series"),
        ("sum(gap", 60, "parse error"),
        ("gap", 0, "whole seconds"),
    ] {
        let fault = read(query, step).await.unwrap_err();
        assert_eq!(fault.kind(), "permanent", "{query}: {fault}");
        assert!(fault.to_string().contains(says), "{query}: {fault}");
    }
}

/// A server that gives `value` for a constant expression, as JSON.
async fn server_that_says(answer: ResponseTemplate) -> MockServer {
    let server = MockServer::start().await;
    Mock::given(any()).respond_with(answer).mount(&server).await;
    server
}

fn ok(extra: Value) -> ResponseTemplate {
    let at = Timestamp::now().as_second();
    let mut body = json!({
        "status": "success", "data": {"resultType": "scalar", "result": [at, "12"]},
    });
    for (key, value) in extra.as_object().into_iter().flatten() {
        body[key] = value.clone();
    }
    ResponseTemplate::new(200).set_body_json(body)
}

fn refusal(status: u16, kind: &str, error: &str) -> ResponseTemplate {
    let body = json!({"status": "error", "errorType": kind, "error": error});
    ResponseTemplate::new(status).set_body_json(body)
}

#[rstest]
#[case::warning(ok(json!({"warnings": ["no response from store 10.0.0.7:10901"]})),
    "incomplete: no response from store [address]", "transient")]
#[case::page(ResponseTemplate::new(502).set_body_raw("<html>", "text/html"), "answered 502",
    "transient")]
#[case::empty(ResponseTemplate::new(200), "answered 200", "transient")]
#[case::redirect(ResponseTemplate::new(302).insert_header("location", "/login"), "answered 302",
    "transient")]
#[case::forbidden(ResponseTemplate::new(401).set_body_string("Unauthorized"), "answered 401",
    "transient")]
#[case::overload(
    refusal(503, "unavailable", "too many queries"),
    "unavailable: too many queries",
    "transient"
)]
#[case::too_slow(
    refusal(503, "timeout", "query timed out in query execution"),
    "timeout: query",
    "transient"
)]
#[case::too_much(
    refusal(422, "execution", "too many samples"),
    "execution: too many samples",
    "permanent"
)]
#[case::no_result(ok(json!({"data": null})), "a shape that no number", "transient")]
#[case::no_value(ok(json!({"data": {"resultType": "scalar", "result": [1]}})), "a shape",
    "transient")]
#[case::no_number(ok(json!({"data": {"resultType": "scalar", "result": [1, "x"]}})), "a shape",
    "transient")]
#[case::another_kind(ok(json!({"data": {"resultType": "cube", "result": []}})), "a shape",
    "transient")]
#[case::too_long(ResponseTemplate::new(200).set_body_bytes(vec![b' '; 20_000]), "bytes long",
    "permanent")]
#[case::silence(ok(json!({})).set_delay(Duration::from_secs(30)), "no answer within 1.0 s",
    "transient")]
#[tokio::test]
async fn an_answer_that_is_not_whole_is_no_value(
    #[case] answer: ResponseTemplate,
    #[case] says: &str,
    #[case] kind: &str,
) {
    let server = server_that_says(answer).await;
    let deadline = Duration::from_secs(1);
    let settings = PrometheusSettings {
        read_deadline: deadline,
        range_deadline: deadline,
        body_limit: 10_000,
    };
    let source = source_with(&server.uri(), settings);
    let now = Timestamp::now();
    let Missing::QueryFailed { message } = missing(source.read("vector(1)", LIMIT, now).await)
    else {
        panic!("not a failure")
    };
    assert!(message.contains(says), "{message}");
    let range = source.read_range("vector(1)", now, now, LIMIT).await;
    assert_eq!(range.as_ref().map_err(Fault::kind), Err(kind), "{range:?}");
}

#[rstest]
#[case::infos(ok(json!({"infos": ["PromQL info: metric might not be a counter"]})))]
#[case::infos_as_warnings(ok(json!({"warnings": ["PromQL info: might not be a counter"]})))]
#[case::nulls(ok(json!({"warnings": null, "infos": null, "a_field_of_tomorrow": 1})))]
#[tokio::test]
async fn advice_is_no_warning(#[case] answer: ResponseTemplate) {
    let server = server_that_says(answer).await;
    let reading = source(&server.uri()).read("vector(1)", LIMIT, Timestamp::now()).await;
    assert_eq!(reading.sample().map(|sample| sample.value), Some(12.0), "{reading:?}");
}

#[tokio::test]
async fn an_answer_from_a_cache_is_as_old_as_it_is() {
    let now = Timestamp::now();
    let at = |age: i64| json!([now.as_second() - age, "12"]);
    let scalar = |result: Value| ok(json!({"data": {"resultType": "scalar", "result": result}}));
    let server = server_that_says(scalar(at(300))).await;
    let why = missing(source(&server.uri()).read("vector(1)", LIMIT, now).await);
    assert!(matches!(why, Missing::Stale { age_seconds: 300..=301, limit_seconds: 60 }), "{why:?}");

    // The value is an old one, though the date of its data is new.
    let server = MockServer::start().await;
    Mock::given(query_param("query", "load")).respond_with(scalar(at(300))).mount(&server).await;
    let date = scalar(json!([now.as_second(), now.as_second().to_string()]));
    Mock::given(any()).respond_with(date).mount(&server).await;
    let why = missing(source(&server.uri()).read("load", LIMIT, now).await);
    assert!(matches!(why, Missing::Stale { age_seconds: 300..=301, .. }), "{why:?}");
}

#[tokio::test]
async fn a_value_whose_age_cannot_be_read_is_no_value() {
    let now = Timestamp::now();
    for (date, says) in [
        (refusal(400, "bad_data", "unknown function timestamp"), "unknown function timestamp"),
        (ok(json!({"data": {"resultType": "scalar", "result": [1, "NaN"]}})), "no moment in time"),
        (ok(json!({"data": {"resultType": "matrix", "result": []}})), "no number"),
    ] {
        let server = MockServer::start().await;
        Mock::given(query_param("query", "load")).respond_with(ok(json!({}))).mount(&server).await;
        Mock::given(any()).respond_with(date).mount(&server).await;
        let why = missing(source(&server.uri()).read("load", LIMIT, now).await);
        assert!(why.to_string().contains("age of its samples"), "{why}");
        assert!(why.to_string().contains(says), "{why}");
    }
}

#[tokio::test]
async fn one_slow_query_holds_up_no_other() {
    let server = MockServer::start().await;
    let slow = ok(json!({})).set_delay(Duration::from_secs(30));
    Mock::given(query_param("query", "vector(1)")).respond_with(slow).mount(&server).await;
    Mock::given(any()).respond_with(ok(json!({}))).mount(&server).await;
    let settings = PrometheusSettings {
        read_deadline: Duration::from_secs(2),
        ..PrometheusSettings::default()
    };
    let source = source_with(&server.uri(), settings);
    let now = Timestamp::now();
    let timed = async |query| {
        let reading = source.read(query, LIMIT, now).await;
        (Instant::now(), reading)
    };
    let ((slow_end, slow), (quick_end, quick)) =
        tokio::join!(timed("vector(1)"), timed("vector(2)"));
    assert!(quick_end < slow_end);
    assert_eq!(quick.sample().map(|sample| sample.value), Some(12.0), "{quick:?}");
    assert!(missing(slow).to_string().contains("no answer within 2.0 s"));
}

#[tokio::test]
async fn neither_address_nor_password_shows_up() {
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let url = format!("http://me:hush-hush@127.0.0.1:{port}/tenant");
    let source = source(&url);
    let now = Timestamp::now();
    let why = missing(source.read("load", LIMIT, now).await);
    let fault = source.read_range("load", now, now, LIMIT).await.unwrap_err();
    assert!(why.to_string().contains("can't be reached: Connection refused"), "{why}");
    assert_eq!(fault.kind(), "transient");
    for text in [format!("{why:?}"), format!("{fault:?}"), format!("{source:?}")] {
        assert!(!text.contains("hush") && !text.contains("127.0.0.1"), "{text}");
    }
    for url in ["", "127.0.0.1:9090", "ftp://127.0.0.1"] {
        let connections = PrometheusSource::connections(None).unwrap();
        let refused = PrometheusSource::new(connections, url, PrometheusSettings::default());
        let refused = refused.unwrap_err().to_string();
        assert!(refused.contains("http://127.0.0.1:9090"), "{refused}");
    }
}

#[tokio::test]
async fn credentials_and_path_of_the_url_are_used() {
    let server = MockServer::start().await;
    Mock::given(path("/tenant/api/v1/query"))
        .and(wiremock::matchers::basic_auth("me", "hush"))
        .respond_with(ok(json!({})))
        .mount(&server)
        .await;
    let url = server.uri().replace("http://", "http://me:hush@") + "/tenant/";
    let reading = source(&url).read("vector(1)", LIMIT, Timestamp::now()).await;
    assert!(reading.may_lower(), "{reading:?}");
    let requests = server.received_requests().await.unwrap();
    let asked: HashMap<_, _> = requests[0].url.query_pairs().collect();
    assert_eq!(asked["timeout"], "10000ms", "Prometheus stops working when we stop waiting");
    assert!(!asked.contains_key("time"), "the server's clock decides");
}
