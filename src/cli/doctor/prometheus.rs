//! Prometheus: that it answers, what its clock says, and how good each signal is.

use std::path::PathBuf;
use std::sync::Arc;

use futures_util::future::join_all;

use super::finding::{Finding, within};
use crate::cli::metrics;
use crate::cli::query::{self, Answer, shown};
use crate::config::Config;
use crate::daemon;
use crate::domain::{Duration, Missing, Reading, Timestamp, elapsed};
use crate::policy::Policy;
use crate::ports::{Balancer, Clock, SystemClock};
use crate::prometheus::{PrometheusSettings, PrometheusSource};

/// What a signal takes besides its queries: balancers are counted for two seconds.
const BESIDES: Duration = Duration::from_secs(10);

/// Ages of samples count to our clock: more than this eats up a good part of `stale_after`.
const CLOCK_MAY_DIFFER: Duration = Duration::from_secs(2);

const SUBJECT: &str = "prometheus";

pub(super) async fn examine(config: &Config, policies: &[(PathBuf, Policy)]) -> Vec<Finding> {
    let timeout = config.prometheus.timeout;
    let asking = PrometheusSettings { read_deadline: timeout, ..PrometheusSettings::default() };
    let token = config.prometheus.token.as_ref();
    let Ok(source) = metrics::source(&config.prometheus.url, token, asking) else {
        let what = "no client can be made for `prometheus.url`";
        let remedy = "write it like http://127.0.0.1:9090, and see that certificates are installed";
        return vec![Finding::failed(SUBJECT, what, remedy)];
    };
    let limit = timeout.saturating_mul(2) + BESIDES;
    let balancers = daemon::balancers(config);
    let signals = join_all(policies.iter().map(|(_, policy)| {
        let (source, balancers) = (&source, &balancers);
        async move {
            let subject = format!("policy {}, signals", policy.pool);
            within(limit, &subject, signals(policy, source, balancers)).await
        }
    }));
    let (server, signals) = tokio::join!(within(limit, SUBJECT, server(&source)), signals);
    server.into_iter().chain(signals.into_iter().flatten()).collect()
}

async fn server(source: &PrometheusSource) -> Vec<Finding> {
    let asked_at = SystemClock.now();
    match source.server_clock().await {
        Ok(theirs) => {
            let answers = Finding::ok(SUBJECT, "answers");
            vec![answers, clock(theirs, asked_at, SystemClock.now())]
        }
        Err(fault) => {
            let remedy = "start it, or correct `prometheus.url`";
            vec![Finding::failed(SUBJECT, fault, remedy)]
        }
    }
}

/// How its clock compares with ours, at the time between question and answer.
fn clock(theirs: Timestamp, asked_at: Timestamp, now: Timestamp) -> Finding {
    const SUBJECT: &str = "prometheus clock";
    let apart = elapsed(theirs, asked_at).max(elapsed(now, theirs));
    match apart <= CLOCK_MAY_DIFFER {
        true => Finding::ok(SUBJECT, "the same as ours"),
        false => Finding::warning(
            SUBJECT,
            format!(
                "{:.1} s from ours: samples look that much older or younger than they are",
                apart.as_secs_f64()
            ),
            "set both machines' clocks: chrony or systemd-timesyncd",
        ),
    }
}

async fn signals(
    policy: &Policy,
    source: &PrometheusSource,
    balancers: &[Arc<dyn Balancer>],
) -> Vec<Finding> {
    query::ask(policy, source, balancers).await.iter().map(signal).collect()
}

fn signal(answer: &Answer) -> Finding {
    let subject = format!("policy {}, signal {}", answer.pool, answer.signal);
    let (value, quality) = shown(&answer.reading);
    let Some(advice) = &answer.advice else {
        let age = answer.age_seconds.map(|age| format!(", {age} s old")).unwrap_or_default();
        return Finding::ok(subject, format!("{value}, {quality}{age}"));
    };
    match &answer.reading {
        Reading::Missing { why } if needs_a_person(why) => {
            Finding::failed(subject, quality, advice)
        }
        _ => Finding::warning(subject, quality, advice),
    }
}

/// Whether the query can never do, or nobody answers. All else may pass once there are nodes and
/// load.
fn needs_a_person(why: &Missing) -> bool {
    matches!(
        why,
        Missing::QueryFailed { .. } | Missing::ManySeries { .. } | Missing::Negative { .. }
    )
}

#[cfg(test)]
mod tests {
    use super::super::finding::Verdict;
    use super::*;

    #[test]
    fn a_clock_may_differ_by_what_a_query_takes_and_two_seconds() {
        let at = |milliseconds| Timestamp::from_millisecond(milliseconds).expect("a moment");
        for (theirs, verdict) in [
            (10_000, Verdict::Ok),
            (8_000, Verdict::Ok),
            (7_999, Verdict::Warning),
            (12_500, Verdict::Ok),
            (12_501, Verdict::Warning),
        ] {
            assert_eq!(clock(at(theirs), at(10_000), at(10_500)).verdict, verdict, "{theirs}");
        }
    }
}
