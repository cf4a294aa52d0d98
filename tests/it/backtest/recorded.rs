//! Traffic that Prometheus recorded: in chunks, from disk the second time, with gaps told.

use std::path::Path;
use std::process::Output;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use assert_cmd::Command;
use serde_json::{Value, json};
use tempfile::TempDir;
use windlass::domain::Timestamp;
use windlass::ports::Fault;
use windlass::prometheus::{Kept, PrometheusSettings, PrometheusSource, Recording, Stretch};
use wiremock::matchers::{header, path};
use wiremock::{Mock, MockServer, Request, Respond, ResponseTemplate};

const DAY: i64 = 86_400;
/// Noon of a day long ago.
const NOON: i64 = 20_000 * DAY + DAY / 2;

type Say = Arc<dyn Fn(i64) -> Option<&'static str> + Send + Sync>;
type Refuse = fn(i64) -> Option<ResponseTemplate>;

/// A Prometheus that has one series, and notes the ranges that it was asked for.
#[derive(Clone)]
struct StandIn {
    /// The value at a moment; none: no sample.
    says: Say,
    /// How many points are refused, and how.
    refuses: Refuse,
    asked: Arc<Mutex<Vec<(i64, i64)>>>,
}

impl Respond for StandIn {
    fn respond(&self, request: &Request) -> ResponseTemplate {
        let number = |name: &str| {
            let pair = request.url.query_pairs().find(|(key, _)| key == name);
            let (_, value) = pair.unwrap_or_else(|| panic!("no {name} in {}", request.url));
            value.parse::<f64>().expect("a number") as i64
        };
        let (start, end, step) = (number("start"), number("end"), number("step"));
        self.asked.lock().unwrap().push((start, end));
        let points = (end - start) / step + 1;
        if 11_000 < points {
            return refusal(400, "bad_data", "exceeded maximum resolution of 11,000 points");
        }
        if let Some(refusal) = (self.refuses)(points) {
            return refusal;
        }
        let moments = (start..=end).step_by(step as usize);
        let values: Vec<_> = moments.filter_map(|at| Some(json!([at, (self.says)(at)?]))).collect();
        let series = match values.is_empty() {
            true => json!([]),
            false => json!([{"metric": {}, "values": values}]),
        };
        matrix(series)
    }
}

fn refusal(status: u16, kind: &str, error: &str) -> ResponseTemplate {
    let body = json!({"status": "error", "errorType": kind, "error": error});
    ResponseTemplate::new(status).set_body_json(body)
}

fn matrix(series: Value) -> ResponseTemplate {
    let data = json!({"resultType": "matrix", "result": series});
    ResponseTemplate::new(200).set_body_json(json!({"status": "success", "data": data}))
}

/// The server, and a folder to keep chunks in.
struct Place {
    server: MockServer,
    stand_in: StandIn,
    folder: TempDir,
}

impl Place {
    async fn new(
        says: impl Fn(i64) -> Option<&'static str> + Send + Sync + 'static,
        refuses: Refuse,
    ) -> Self {
        let stand_in = StandIn { says: Arc::new(says), refuses, asked: Arc::default() };
        let server = MockServer::start().await;
        let range = Mock::given(path("/api/v1/query_range"));
        range.respond_with(stand_in.clone()).mount(&server).await;
        Self { server, stand_in, folder: tempfile::tempdir().expect("a folder") }
    }

    /// The ranges asked for since the last look.
    fn asked(&self) -> Vec<(i64, i64)> {
        std::mem::take(&mut *self.stand_in.asked.lock().unwrap())
    }

    /// Reads the three days before `now`.
    async fn read(&self, now: i64) -> Result<Recording, Fault> {
        let connections = PrometheusSource::connections(None).expect("connections");
        let url = self.server.uri();
        let source = PrometheusSource::new(connections, &url, PrometheusSettings::default());
        let stretch = Stretch { query: "load", from: now - 3 * DAY, to: now, step: 15 };
        let kept = Kept::new(self.folder.path(), &url, "load", 15);
        let now = Timestamp::from_second(now).expect("a moment");
        let told = AtomicU64::new(0);
        let tell = |chunks| {
            told.fetch_add(chunks, Ordering::Relaxed);
        };
        let source = source.expect("a source");
        let recording = source.recording(&stretch, Some(&kept), now, &tell).await?;
        assert_eq!(told.into_inner(), stretch.chunks(), "a bar would be full");
        Ok(recording)
    }

    /// The files in which chunks are kept.
    fn files(&self) -> Vec<std::path::PathBuf> {
        let list = |folder: &Path| -> Vec<_> {
            let entries = std::fs::read_dir(folder).expect("a folder");
            entries.map(|entry| entry.expect("an entry").path()).collect()
        };
        let mut files: Vec<_> = list(self.folder.path()).iter().flat_map(|key| list(key)).collect();
        files.sort();
        files
    }
}

fn whole(recording: &Recording, now: i64) {
    let moments: Vec<i64> = recording.points.iter().map(|(at, _)| *at).collect();
    let expected: Vec<i64> = (now - 3 * DAY..=now).step_by(15).collect();
    assert!(moments == expected, "{} points of {}", moments.len(), expected.len());
}

#[tokio::test]
async fn days_that_were_read_once_are_not_asked_for_again() {
    let place = Place::new(|_| Some("5"), |_| None).await;
    let first = place.read(NOON).await.expect("a recording");
    whole(&first, NOON);
    let midnight = NOON - DAY / 2;
    let days: Vec<_> = (-3..=0).map(|day| midnight + day * DAY).collect();
    let asked: Vec<_> = days.iter().map(|from| (*from, (from + DAY - 15).min(NOON))).collect();
    assert_eq!(place.asked(), asked);
    assert_eq!((first.requests, first.chunks_kept, place.files().len()), (4, 0, 3));

    let second = place.read(NOON).await.expect("a recording");
    assert_eq!((second.requests, second.chunks_kept), (1, 3));
    assert_eq!((second.points, place.asked()), (first.points, vec![(midnight, NOON)]));

    let later = NOON + DAY;
    let third = place.read(later).await.expect("a recording");
    whole(&third, later);
    assert_eq!(place.asked(), [(midnight, midnight + DAY - 15), (midnight + DAY, later)]);
    assert_eq!(third.chunks_kept, 2);
}

#[tokio::test]
async fn a_day_that_is_hardly_over_is_not_kept() {
    let place = Place::new(|_| Some("5"), |_| None).await;
    let just_after_midnight = NOON - DAY / 2 + 600;
    whole(&place.read(just_after_midnight).await.expect("a recording"), just_after_midnight);
    assert_eq!(place.files().len(), 2, "late samples may still come to yesterday");
}

#[tokio::test]
async fn a_file_that_is_not_whole_is_read_anew() {
    let place =
        Place::new(|at| Some(if at % 60 == 0 { "NaN" } else { "0.30000000000000004" }), |_| None)
            .await;
    let first = place.read(NOON).await.expect("a recording");
    place.asked();
    let files = place.files();
    let text = std::fs::read_to_string(&files[1]).expect("a chunk");
    std::fs::write(&files[1], text.replacen("0.3", "0.4", 1)).expect("written");
    let second = place.read(NOON).await.expect("a recording");
    assert_eq!((second.requests, second.chunks_kept), (2, 2));
    assert_eq!(format!("{:?}", second.points), format!("{:?}", first.points));
    assert_eq!(std::fs::read_to_string(&files[1]).expect("a chunk"), text);
}

#[tokio::test]
async fn what_is_too_much_at_once_is_asked_for_in_halves() {
    let refusals: [Refuse; 3] = [
        |points| (2_000 < points).then(|| refusal(503, "timeout", "query timed out")),
        |points| (2_000 < points).then(|| refusal(422, "execution", "would load too many samples")),
        |points| (2_000 < points).then(|| ResponseTemplate::new(504).set_body_string("<html>")),
    ];
    for refuses in refusals {
        let place = Place::new(|_| Some("5"), refuses).await;
        whole(&place.read(NOON).await.expect("a recording"), NOON);
        let tries = place.asked().into_iter().map(|(from, to)| (to - from) / 15 + 1);
        let tries: Vec<_> = tries.collect();
        assert_eq!(tries[..6], [5_760, 2_880, 1_440, 1_440, 1_440, 1_440], "{tries:?}");
        assert_eq!(tries.iter().filter(|points| 2_000 < **points).count(), 2, "learned once");
        assert_eq!(place.files().len(), 3, "pieces make whole chunks");
    }
}

#[tokio::test]
async fn whoever_can_answer_nothing_is_not_asked_for_ever() {
    for (refuses, requests, kind, says) in [
        (
            (|_| Some(refusal(503, "timeout", "query timed out"))) as Refuse,
            8,
            "transient",
            "timed out",
        ),
        (|_| Some(refusal(503, "unavailable", "too many queries")), 1, "transient", "too many"),
        (|_| Some(refusal(400, "bad_data", "1:3: parse error")), 1, "permanent", "parse error"),
    ] {
        let place = Place::new(|_| Some("5"), refuses).await;
        let fault = place.read(NOON).await.expect_err("a fault");
        assert_eq!((fault.kind(), place.asked().len()), (kind, requests), "{fault}");
        assert!(fault.to_string().contains(says), "{fault}");
    }
}

#[tokio::test]
async fn what_was_read_before_a_failure_is_kept() {
    let place = Place::new(
        |_| Some("5"),
        |points| (points < 5_000).then(|| refusal(503, "unavailable", "starting")),
    )
    .await;
    place.read(NOON).await.expect_err("the half day fails");
    assert_eq!(place.files().len(), 3);
}

#[tokio::test]
async fn a_day_without_a_sample_is_asked_for_again() {
    let place = Place::new(|at| (NOON - DAY / 2 <= at).then_some("5"), |_| None).await;
    let recording = place.read(NOON).await.expect("a recording");
    assert_eq!(recording.points.len() as i64, DAY / 2 / 15 + 1);
    assert!(std::fs::read_dir(place.folder.path()).expect("a folder").next().is_none());
}

const POLICY: &str = include_str!("../../data/web.yaml");

/// What `windlass backtest` does in `place`.
fn backtest(place: &Path, arguments: &[&str]) -> Output {
    std::fs::write(place.join("web.yaml"), POLICY.replace("max: 5", "max: 60")).expect("written");
    Command::new(env!("CARGO_BIN_EXE_windlass"))
        .arg("backtest")
        .args(arguments)
        .current_dir(place)
        .env("XDG_CACHE_HOME", place.join("cache"))
        .timeout(Duration::from_secs(120))
        .output()
        .expect("the program ran")
}

fn talk(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// A rate with a gap of 25 minutes and ten minutes of NaN in each day before `now`, neither near it.
fn with_gaps(now: i64, at: i64) -> Option<&'static str> {
    match (now - at).rem_euclid(DAY) / 300 {
        100..105 => None,
        200..202 => Some("NaN"),
        _ => Some(if at.rem_euclid(3_600) < 600 { "900" } else { "300" }),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_policy_is_rehearsed_on_what_its_own_signal_recorded() {
    let now = Timestamp::now().as_second();
    let place = Place::new(move |at| with_gaps(now, at), |_| None).await;
    let url = place.server.uri().replace("http://", "http://me:hush-hush@");
    let arguments =
        ["--policy", "web.yaml", "--prometheus", &url, "--from", "4d", "--output", "json"];
    let first = backtest(place.folder.path(), &arguments);
    let said = talk(&first);
    assert!(first.status.success(), "{said}");
    let document: Value = serde_json::from_slice(&first.stdout).expect("a document");
    let (trace, recorded) = (&document["trace"], &document["trace"]["recorded"]);
    assert_eq!(recorded["query"], "sum(rate(http_requests_total[1m]))");
    assert_eq!((&recorded["step_seconds"], &recorded["requests"]), (&15.into(), &5.into()));
    assert_eq!(trace["held_seconds"], 4 * 35 * 60);
    assert_eq!(trace["held"].as_array().map(Vec::len), Some(8));
    for words in [
        "`sum(rate(http_requests_total[1m]))`: signal `requests` of web.yaml, of its `target`",
        "5 requests to Prometheus, 0 chunks from disk",
        "8400 s have no sample (160 samples are no number), 2.43 % of the trace, in 8 stretches, \
         the longest 25m from ",
        "a gap is no time without requests",
        "averages over 1m",
    ] {
        assert!(said.contains(words), "`{words}` is missing in:\n{said}");
    }

    place.asked();
    let second = backtest(place.folder.path(), &arguments);
    let again: Value = serde_json::from_slice(&second.stdout).expect("a document");
    let (asked, recorded) = (place.asked().len(), &again["trace"]["recorded"]);
    assert_eq!(recorded["requests"], asked);
    // Today is asked for, and yesterday where that is hardly over.
    assert!((1..=3).contains(&asked) && 3 <= recorded["chunks_kept"].as_u64().unwrap_or(0));
    let late = |document: &Value| document["contenders"][0]["violating_requests_ratio"].as_f64();
    let (first_late, again_late) = (late(&document).expect("late"), late(&again).expect("late"));
    // The window has moved on by seconds.
    assert!((first_late - again_late).abs() < 0.1 * first_late, "{first_late} {again_late}");

    let mut written = format!("{said}{document}");
    let cache = place.folder.path().join("cache/windlass");
    for key in std::fs::read_dir(cache).expect("the usual cache") {
        for chunk in std::fs::read_dir(key.expect("a key").path()).expect("chunks") {
            let file = chunk.expect("a chunk").path();
            written += &file.display().to_string();
            written += &std::fs::read_to_string(file).expect("text");
        }
    }
    assert!(!written.contains("hush"), "a password was written");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_comes_out_of_a_file_and_shows_nowhere() {
    const TOKEN: &str = "hush-hush-7f3a";
    let place = Place::new(|_| Some("300"), |_| None).await;
    // A server that answers nobody else.
    let guarded = MockServer::start().await;
    let bearer = format!("Bearer {TOKEN}");
    let range = Mock::given(path("/api/v1/query_range")).and(header("authorization", &*bearer));
    range.respond_with(place.stand_in.clone()).mount(&guarded).await;
    let refused = ResponseTemplate::new(401).set_body_string("Unauthorized");
    Mock::given(path("/api/v1/query_range"))
        .respond_with(refused)
        .with_priority(9)
        .mount(&guarded)
        .await;
    let file = |name: &str, text: &str| {
        std::fs::write(place.folder.path().join(name), text).expect("written");
    };
    file("token", &format!("{TOKEN}\n"));
    file("wrong", "something-else");
    file("empty", "\n");
    let url = guarded.uri();
    let usual = ["--policy", "web.yaml", "--from", "2h", "--prometheus"];
    let run = |url: &str, token: &[&str]| {
        backtest(place.folder.path(), &[&usual[..], &[url], token].concat())
    };
    let named = ["--prometheus-token-file", "token"];
    let good = run(&url, &named);
    let said = talk(&good);
    assert!(good.status.success(), "{said}");
    let shown = String::from_utf8_lossy(&good.stdout).into_owned();
    assert!(!format!("{said}{shown}").contains(TOKEN), "{said}{shown}");

    let with_user = url.replace("http://", "http://me:pass@");
    for (url, token, code, says) in [
        (&url, &[][..], 1, "--prometheus-token-file"),
        (&url, &["--prometheus-token-file", "wrong"], 1, "401"),
        (
            &url,
            &["--prometheus-token-file", "empty"],
            3,
            "the Prometheus token from empty is empty",
        ),
        (&url, &["--prometheus-token-file", "none"], 3, "can't read the Prometheus token in none"),
        (&with_user, &named, 2, "a token and a user"),
    ] {
        let output = run(url, token);
        let said = talk(&output);
        assert_eq!(output.status.code(), Some(code), "{token:?} said:\n{said}");
        assert!(said.contains(says), "`{says}` is missing in:\n{said}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_traffic_says_why_and_what_to_do() {
    let place = Place::new(|_| None, |_| None).await;
    let many = MockServer::start().await;
    let one = |name| json!({"metric": {"instance": name}, "values": [[NOON, "1"]]});
    let both = matrix(json!([one("a"), one("b")]));
    Mock::given(path("/api/v1/query_range")).respond_with(both).mount(&many).await;
    let (nothing, many) = (place.server.uri(), many.uri());
    let web = ["--policy", "web.yaml"];
    for (arguments, code, says) in [
        (&[&web[..], &["--prometheus", &nothing]].concat(), 1, &["no sample in all", "hint: "][..]),
        (&[&web[..], &["--prometheus", &many]].concat(), 1, &["matched 2 series", "sum(rate("]),
        (
            &[&web[..], &["--prometheus", "http://127.0.0.1:9"]].concat(),
            1,
            &["can't be reached", "hint: "],
        ),
        (&[&web[..], &["--prometheus", "ftp://x"]].concat(), 3, &["begin with `http://`"]),
        (
            &[&web[..], &["--prometheus", &nothing, "--from", "1h", "--to", "2h"]].concat(),
            2,
            &["--from"],
        ),
        (&[&web[..], &["--prometheus", &nothing, "--step", "7s"]].concat(), 2, &["1s, 2s, 5s"]),
        (&[&web[..], &["--prometheus", &nothing, "--trace", "x"]].concat(), 2, &["--trace"]),
        (&[&web[..], &["--trace", "x", "--step", "10s"]].concat(), 2, &["--prometheus"]),
        (&vec!["--baselines", "hpa", "--prometheus", &nothing], 2, &["give a --query"]),
    ] {
        let output = backtest(place.folder.path(), arguments);
        let said = talk(&output);
        assert_eq!(output.status.code(), Some(code), "{arguments:?} said:\n{said}");
        for words in says {
            assert!(said.contains(words), "`{words}` is missing in:\n{said}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_real_prometheus_gives_the_traffic_that_it_was_filled_with() {
    let end = Timestamp::now().as_second() / 60 * 60 - 7_200;
    let start = end - 7_200;
    // A counter whose rate is 300 a second, with a surge to 900, and an hour without a scrape.
    let mut total = 0;
    let mut points = Vec::new();
    for at in (start..=end).step_by(15) {
        total += if (start + 600..start + 1_200).contains(&at) { 13_500 } else { 4_500 };
        let is_down = (start + 2_400..start + 6_000).contains(&at);
        points.extend((!is_down).then(|| format!("http_requests_total {total} {at}\n")));
    }
    let text = format!("# TYPE http_requests counter\n{}# EOF\n", points.concat());
    let prometheus = crate::prometheus_reads::Prometheus::start(&text, None).await;
    let folder = tempfile::tempdir().expect("a folder");
    let url = &prometheus.url;
    let arguments = ["--policy", "web.yaml", "--prometheus", url, "--from", "5h", "--to", "1h"];
    let output = backtest(folder.path(), &[&arguments[..], &["--output", "json"]].concat());
    let said = talk(&output);
    assert!(output.status.success(), "{said}");
    let document: Value = serde_json::from_slice(&output.stdout).expect("a document");
    let trace = &document["trace"];
    let peak = trace["peak_requests_per_second"].as_f64().expect("a peak");
    assert!((890.0..910.0).contains(&peak), "{peak}");
    let held = trace["held_seconds"].as_i64().expect("held");
    // The rate over a minute has no value until it holds two samples.
    assert!((3_480..3_700).contains(&held), "{held}");
    for words in ["there is nothing before", "there is nothing after", "the last rate is held"] {
        assert!(said.contains(words), "`{words}` is missing in:\n{said}");
    }
}
