//! What has come of the requests: counted, timed, and told as JSON.

use std::collections::BTreeMap;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use serde::Serialize;

/// The latency on a progress line covers the answers of the last seconds, so many.
const RECENT: Duration = Duration::from_secs(5);

/// What has come of the requests so far.
#[derive(Default)]
pub struct Tally {
    sent: u64,
    answered: Vec<(Instant, Duration)>,
    failures: Vec<Failure>,
    nodes: BTreeMap<String, NodeTally>,
    balancers: BTreeMap<String, BalancerTally>,
}

#[derive(Serialize)]
struct Failure {
    at: f64,
    balancer: String,
    what: String,
}

#[derive(Serialize)]
struct NodeTally {
    first_answer_at: f64,
    last_answer_at: f64,
    answers: u64,
}

#[derive(Default, Serialize)]
struct BalancerTally {
    ok: u64,
    failed: u64,
}

/// A line a second. Times are seconds since 1970, or since the beginning.
#[derive(Serialize)]
pub struct Progress {
    at: f64,
    seconds: f64,
    rate: f64,
    sent: u64,
    ok: usize,
    failed: usize,
    waiting: u64,
    p50_seconds: Option<f64>,
    p95_seconds: Option<f64>,
}

/// The report at the end.
#[derive(Serialize)]
pub struct Summary<'a> {
    sent: u64,
    ok: usize,
    failed: usize,
    p50_seconds: Option<f64>,
    p95_seconds: Option<f64>,
    p99_seconds: Option<f64>,
    longest_seconds: Option<f64>,
    balancers: &'a BTreeMap<String, BalancerTally>,
    nodes: &'a BTreeMap<String, NodeTally>,
    failures: &'a [Failure],
}

impl Tally {
    /// Counts a request that is about to be sent; answers how many there were before it.
    pub fn count_sent(&mut self) -> u64 {
        self.sent += 1;
        self.sent - 1
    }

    /// Notes the answer of a request that began at `began`: the node's name, or what went wrong.
    pub fn record(&mut self, balancer: &str, began: Instant, answer: anyhow::Result<String>) {
        let at = unix_now();
        let tally = self.balancers.entry(balancer.to_owned()).or_default();
        match answer {
            Ok(node) => {
                tally.ok += 1;
                self.answered.push((Instant::now(), began.elapsed()));
                let new = NodeTally { first_answer_at: at, last_answer_at: at, answers: 0 };
                let node = self.nodes.entry(node).or_insert(new);
                node.last_answer_at = at;
                node.answers += 1;
            }
            Err(error) => {
                tally.failed += 1;
                let what = format!("{error:#}");
                self.failures.push(Failure { at, balancer: balancer.to_owned(), what });
            }
        }
    }

    /// How things stand at second `seconds`, when `rate` requests per second are sent.
    pub fn progress(&self, seconds: f64, rate: f64) -> Progress {
        let recent = self.answered.iter().rev().take_while(|(at, _)| at.elapsed() < RECENT);
        let latencies = sorted(recent.map(|(_, latency)| *latency));
        let done = self.answered.len() + self.failures.len();
        Progress {
            at: unix_now(),
            seconds,
            rate,
            sent: self.sent,
            ok: self.answered.len(),
            failed: self.failures.len(),
            waiting: self.sent - done as u64,
            p50_seconds: quantile(&latencies, 0.5),
            p95_seconds: quantile(&latencies, 0.95),
        }
    }

    /// The report at the end.
    pub fn summary(&self) -> Summary<'_> {
        let latencies = sorted(self.answered.iter().map(|(_, latency)| *latency));
        Summary {
            sent: self.sent,
            ok: self.answered.len(),
            failed: self.failures.len(),
            p50_seconds: quantile(&latencies, 0.5),
            p95_seconds: quantile(&latencies, 0.95),
            p99_seconds: quantile(&latencies, 0.99),
            longest_seconds: quantile(&latencies, 1.0),
            balancers: &self.balancers,
            nodes: &self.nodes,
            failures: &self.failures,
        }
    }
}

fn sorted(latencies: impl Iterator<Item = Duration>) -> Vec<Duration> {
    let mut latencies: Vec<_> = latencies.collect();
    latencies.sort_unstable();
    latencies
}

/// The smallest latency that this share of all does not pass, in seconds; `None` of nothing.
fn quantile(sorted: &[Duration], share: f64) -> Option<f64> {
    let rank = (share * sorted.len() as f64).ceil() as usize;
    sorted.get(rank.max(1) - 1).map(Duration::as_secs_f64)
}

fn unix_now() -> f64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs_f64()
}
