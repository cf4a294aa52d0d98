//! Load from the public side, and what came of it.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::Deserialize;

use crate::process::Process;

/// A load generator at work.
pub struct Load {
    process: Process,
    logs: PathBuf,
}

/// What it reports at its end.
#[derive(Debug, Deserialize)]
pub struct Summary {
    /// Requests sent.
    pub sent: u64,
    /// Answers with status 200.
    pub ok: u64,
    /// Everything else.
    pub failed: u64,
    /// Each failure.
    pub failures: Vec<Failure>,
    /// By balancer.
    pub balancers: BTreeMap<String, BalancerTally>,
    /// By the node that answered.
    pub nodes: BTreeMap<String, serde_json::Value>,
}

/// A request that failed.
#[derive(Debug, Deserialize)]
pub struct Failure {
    /// When, in seconds since 1970.
    pub at: f64,
    /// Where it was sent.
    pub balancer: String,
    /// What happened.
    pub what: String,
}

/// What one balancer did.
#[derive(Debug, Deserialize)]
pub struct BalancerTally {
    /// Answers with status 200.
    pub ok: u64,
}

impl Load {
    /// Starts the load generator (`tests/lab/phones`) with its own flags.
    pub fn start(logs: &Path, flags: &[&str]) -> Self {
        let phones = generator().to_string_lossy().into_owned();
        let summary = logs.join("load.json");
        let path = summary.to_string_lossy().into_owned();
        let mut command = vec![phones.as_str(), "--to", "203.0.113.3:80,203.0.113.4:80"];
        command.extend(["--summary", &path]);
        command.extend(flags);
        Self {
            process: Process::start(logs, "load", Some("cli"), &command, &[]),
            logs: logs.to_owned(),
        }
    }

    /// What its last progress line says; null before the first one.
    pub fn last_progress(&self) -> serde_json::Value {
        let log = std::fs::read_to_string(self.logs.join("load.log")).unwrap_or_default();
        let whole = log.rsplit_once('\n').map_or("", |(lines, _)| lines);
        let last = whole.lines().last().unwrap_or_default();
        serde_json::from_str(last).unwrap_or_default()
    }

    /// Stops it and reads its report.
    pub fn stop(self) -> Summary {
        let status = self.process.terminate();
        assert!(status.success(), "the load generator ended with {status}; see load.log");
        read(&self.logs)
    }
}

impl Summary {
    /// Panics if any request failed.
    pub fn assert_nothing_failed(&self) {
        assert_eq!(self.failed, 0, "of {} requests: {:?}", self.sent, self.failures);
        assert_eq!(self.ok, self.sent, "every request was answered");
        for (balancer, tally) in &self.balancers {
            assert!(0 < tally.ok, "{balancer} served nothing");
        }
    }
}

fn read(logs: &Path) -> Summary {
    let text = std::fs::read_to_string(logs.join("load.json"))
        .expect("the load generator wrote its report");
    serde_json::from_str(&text).expect("the report is JSON of this form")
}

/// Cargo builds it next to this binary: `target/debug/examples/lab-load`.
fn generator() -> PathBuf {
    let own = std::env::current_exe().expect("a test knows its own binary");
    let profile = own.ancestors().nth(2).expect("it lies in target/PROFILE/deps");
    let path = profile.join("examples/lab-load");
    assert!(path.exists(), "{} is missing: cargo build --example lab-load", path.display());
    path
}
