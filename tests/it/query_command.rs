//! `windlass query` and `windlass check --online` beside a real Prometheus.

use std::path::Path;
use std::process::Output;

use assert_cmd::Command;

use super::prometheus_reads::Prometheus;

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
             balancers: [{{name: lb1, address: 'unix:/run/haproxy.sock'}}]\n"
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
