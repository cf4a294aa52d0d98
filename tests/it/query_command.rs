//! `windlass query` and `windlass check --online` beside a real Prometheus.

use std::path::Path;
use std::process::Output;

use assert_cmd::Command;

use serde_json::json;
use windlass::domain::Timestamp;
use windlass::sandbox::{Sandbox, SandboxOptions};

use wiremock::matchers::{any, header};
use wiremock::{Mock, MockServer, Request, ResponseTemplate};

use super::prometheus_reads::{Prometheus, every, history};

const MINIMAL: &str = include_str!("../../policies/minimal.yaml");

/// The shortest policy with `query` for its signal.
fn policy(query: &str) -> String {
    let before = r#"'sum(rate(http_requests_total{path="/notifications"}[1m]))'"#;
    assert!(MINIMAL.contains(before), "the policy has another query now");
    MINIMAL.replace(before, &format!("'{query}'"))
}

fn windlass(folder: &Path, arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_windlass"))
        .args(arguments)
        .current_dir(folder)
        .env("WINDLASS_CONFIG", folder.join("windlass.yaml"))
        .env("LINODE_TOKEN", "a-very-secret-token")
        .timeout(std::time::Duration::from_secs(60))
        .output()
        .expect("the program ran")
}

#[tokio::test(flavor = "multi_thread")]
async fn each_signal_is_shown_with_its_quality_and_what_to_do_about_it() {
    let prometheus = Prometheus::start("", None).await;
    let url = prometheus.url.as_str();
    tokio::task::block_in_place(|| {
        let folder = tempfile::tempdir().expect("a folder");
        let settings = format!(
            "prometheus: {{url: '{url}'}}\npolicies: p.yaml\ndatabase: windlass.db\n\
             linode: {{url: 'http://127.0.0.1:9/v4'}}\nbalancers: [{{name: lb1, address: 'unix:/run/haproxy.sock'}}]\n"
        );
        std::fs::write(folder.path().join("windlass.yaml"), settings).expect("written");
        for (query, code, says, hint) in [
            ("vector(3)", 0, "3", ""),
            ("nothing_at_all", 4, "matched no series", "try the query in Prometheus"),
            (
                "vector(1) or label_replace(vector(2), \"a\", \"b\", \"\", \"\")",
                4,
                "2 series",
                "sum(…)",
            ),
            ("vector(0) / 0", 4, "not a finite number", "a quantile of nothing"),
            ("vector(", 4, "could not be read", "legal PromQL"),
        ] {
            std::fs::write(folder.path().join("p.yaml"), policy(query)).expect("written");
            let asked = windlass(folder.path(), &["query", "p.yaml", "--prometheus", url]);
            let (shown, talk) =
                (String::from_utf8_lossy(&asked.stdout), String::from_utf8_lossy(&asked.stderr));
            assert_eq!(asked.status.code(), Some(code), "{query}: {shown}{talk}");
            assert!(shown.contains(says), "{query}: {shown}");
            assert!(talk.contains(hint), "{query}: {talk}");

            let json = windlass(folder.path(), &["query", "--output", "json"]);
            let json: serde_json::Value = serde_json::from_slice(&json.stdout).expect("JSON");
            assert_eq!(json[0]["signal"], "requests", "{json:#}");
            assert_eq!(json[0]["advice"].is_null(), code == 0, "{json:#}");

            let checked = windlass(folder.path(), &["check", "--online", "p.yaml"]);
            let talk = String::from_utf8_lossy(&checked.stderr);
            assert_eq!(checked.status.code(), Some(0), "{query}: {talk}");
            assert_eq!(talk.contains("warning: signals.requests"), code != 0, "{query}: {talk}");
        }
    });
}

/// A Prometheus that answers whoever has the token, and nobody else.
async fn guarded(token: &str) -> MockServer {
    let server = MockServer::start().await;
    let answer = |_: &Request| {
        // Good for the value and for the moment of its newest sample.
        let now = Timestamp::now().as_second();
        let sample = json!([now, now.to_string()]);
        let data = json!({"resultType": "vector", "result": [{"metric": {}, "value": sample}]});
        ResponseTemplate::new(200).set_body_json(json!({"status": "success", "data": data}))
    };
    let bearer = format!("Bearer {token}");
    Mock::given(header("authorization", &*bearer)).respond_with(answer).mount(&server).await;
    let refused = ResponseTemplate::new(401).set_body_string("Unauthorized");
    Mock::given(any()).respond_with(refused).with_priority(9).mount(&server).await;
    server
}

#[tokio::test(flavor = "multi_thread")]
async fn the_settings_token_goes_to_the_settings_server_alone() {
    let (ours, other) = (guarded("hush-hush-7f3a").await, guarded("another").await);
    let folder = tempfile::tempdir().expect("a folder");
    let write = |name: &str, text: &str| {
        std::fs::write(folder.path().join(name), text).expect("written");
    };
    let settings = format!(
        "prometheus: {{url: '{}', token_file: token}}\npolicies: p.yaml\n\
         balancers: [{{name: lb1, address: 'unix:/run/haproxy.sock'}}]\n",
        ours.uri()
    );
    write("windlass.yaml", &settings);
    write("token", "hush-hush-7f3a\n");
    write("other-token", "another");
    write("p.yaml", MINIMAL);
    let other = other.uri();
    for (arguments, code) in [
        (&["query"][..], 0),
        (&["query", "p.yaml"], 0),
        (&["query", "--prometheus", &other], 4),
        (&["query", "--prometheus", &other, "--prometheus-token-file", "other-token"], 0),
        (&["query", "--prometheus-token-file", "other-token"], 2),
    ] {
        let output = windlass(folder.path(), arguments);
        let said = [output.stdout, output.stderr].concat();
        let said = String::from_utf8_lossy(&said);
        assert_eq!(output.status.code(), Some(code), "{arguments:?}: {said}");
        assert!(!said.contains("hush") && !said.contains("another"), "{said}");
    }
    let sent = |request: &Request| request.headers.get("authorization").cloned();
    let ours = ours.received_requests().await.expect("recorded");
    assert!(!ours.is_empty() && ours.iter().all(|request| sent(request).is_some()));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_policy_is_held_against_the_real_scrapes_and_the_real_price() {
    let now = Timestamp::now().as_second();
    let prometheus = Prometheus::start(
        &history([
            ("slow", every(60, now - 900, now, |_| "3".into())),
            ("quick{node=\"a\"}", every(5, now - 900, now, |_| "3".into())),
            ("quick{node=\"b\"}", every(10, now - 900, now, |_| "3".into())),
        ]),
        None,
    )
    .await;
    let sandbox = Sandbox::start(SandboxOptions {
        tokens: vec!["a-very-secret-token".parse().expect("a token")],
        ..SandboxOptions::default()
    });
    let sandbox = sandbox.await.expect("a sandbox");
    tokio::task::block_in_place(|| {
        let folder = tempfile::tempdir().expect("a folder");
        let settings = format!(
            "prometheus: {{url: '{}'}}\nlinode: {{url: '{}'}}\npolicies: p.yaml\n\
             database: windlass.db\nbalancers: [{{name: lb1, address: 'unix:/run/haproxy.sock'}}]\n",
            prometheus.url,
            sandbox.url()
        );
        std::fs::write(folder.path().join("windlass.yaml"), settings).expect("written");
        let checked = |text: &str| {
            std::fs::write(folder.path().join("p.yaml"), text).expect("written");
            let checked = windlass(folder.path(), &["check", "--online", "--output", "json"]);
            let talk = String::from_utf8_lossy(&checked.stderr);
            let json = serde_json::from_slice(&checked.stdout);
            let json: serde_json::Value = json.unwrap_or_else(|why| panic!("{why}: {talk}"));
            let one = &json["policies"][0];
            let warnings = one["warnings"].as_array().expect("warnings").iter();
            let warned = |warning: &serde_json::Value| {
                format!("{}: {}", warning["key"], warning["what"]).replace('"', "")
            };
            (warnings.map(warned).collect::<Vec<_>>(), one["notes"].to_string())
        };
        let signal = |query: &str, stale_after: &str| {
            let patience = format!("}}, stale_after: {stale_after}}}\nrules");
            policy(query).replace("}}\nrules", &patience)
        };
        for (query, stale_after, says) in [
            (
                "max(slow)",
                "50s",
                Some("50s is no longer than the time between two of its samples (1m)"),
            ),
            ("max(slow)", "60s", Some("1m is no longer than")),
            ("max(slow)", "3m", None),
            ("max(slow) + max(quick)", "50s", Some("of its samples (1m)")),
            ("max(quick)", "5s", Some("of its samples (5s)")),
            // Not told to be below what is usual elsewhere: here it is enough.
            ("vector(3) + 0 * max(quick)", "12s", None),
        ] {
            let (warnings, _) = checked(&signal(query, stale_after));
            let mut stale =
                warnings.iter().filter(|it| it.starts_with("signals.requests.stale_after"));
            match (stale.next(), says) {
                (None, None) => {}
                (Some(told), Some(says)) if told.contains(says) => {}
                other => panic!("{query} {stale_after}: {other:?} {warnings:?}"),
            }
            assert_eq!(stale.next(), None, "told once");
        }
        let good = signal("max(quick)", "45s");
        for (budget, warning, note) in [
            ("", None, "2 to 12 nodes of `g6-standard-2` at $0.0360 an hour"),
            (
                "budget: {hourly: 0.5}\n",
                None,
                "$0.0720 to $0.4320 an hour, $52.5600 to $315.3600 in",
            ),
            ("budget: {hourly: 0.2}\n", None, "`budget.hourly` caps the count before, at $0.2000"),
            (
                "budget: {hourly: 0.05}\n",
                Some("budget.hourly: `bounds.min` alone costs $0.0720"),
                "",
            ),
            ("budget: {monthly: 60}\n", None, "`bounds.max` would cost $315.3600 in 730 hours"),
            (
                "budget: {monthly: 52}\n",
                Some("budget.monthly: `bounds.min` alone costs $52.5600"),
                "",
            ),
        ] {
            let (warnings, notes) = checked(&format!("{good}{budget}"));
            assert!(notes.contains(note), "{budget}: {notes}");
            match (warnings.as_slice(), warning) {
                ([], None) => {}
                ([told], Some(says)) if told.starts_with(says) => {}
                other => panic!("{budget}: {other:?}"),
            }
        }
        let (warnings, _) = checked(&good.replace("g6-standard-2", "g9-nothing"));
        assert!(matches!(&warnings[..], [one] if one.starts_with("node.type: ")), "{warnings:?}");
        assert!(!folder.path().join("windlass.db").exists(), "no database is needed or made");
    });
}
