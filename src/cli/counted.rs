//! What the load balancers say of a policy's signals, asked by hand.
//!
//! In: a policy, and the balancers of the settings.
//! Out: an answer for each signal that balancers count.
//! Never: waits for as long as a daemon counts; the answer says over how long it was taken.

use std::collections::BTreeSet;
use std::sync::Arc;

use futures_util::future::join_all;

use super::query::{Answer, advice};
use crate::domain::{BackendName, Duration, Missing, Reading, SignalName, elapsed};
use crate::policy::{BalancerSignal, Policy, Signal, SignalSource};
use crate::ports::{Balancer, Clock, SystemClock};
use crate::reconciler::Counting;

/// A person waits so long for a rate.
const LONGEST: Duration = Duration::from_secs(2);
/// Between two looks.
const PAUSE: Duration = Duration::from_secs(1);

/// Asks every balancer for every signal of a policy that they count; none where there is none.
pub(super) async fn ask(policy: &Policy, balancers: &[Arc<dyn Balancer>]) -> Vec<Answer> {
    let counted: Vec<_> = policy
        .signals
        .iter()
        .filter_map(|(name, signal)| match &signal.source {
            SignalSource::Prometheus { .. } => None,
            SignalSource::Haproxy(counted) => Some((name, signal, counted)),
        })
        .collect();
    if counted.is_empty() {
        return Vec::new();
    }
    let of = |counted: &BalancerSignal| {
        counted.backend.clone().unwrap_or_else(|| policy.join.backend.clone())
    };
    let backends: BTreeSet<BackendName> = counted.iter().map(|(.., counted)| of(counted)).collect();
    let over = counted.iter().map(|(.., counted)| counted.over).max().unwrap_or_default();
    let counting = count(&backends, balancers, over.min(LONGEST)).await;
    let now = SystemClock.now();
    let answer = |(name, signal, counted): (&SignalName, &Signal, &BalancerSignal)| {
        let shortened = BalancerSignal { over: counted.over.min(LONGEST), ..counted.clone() };
        let backend = of(counted);
        let reading = match balancers.is_empty() {
            true => nobody_to_ask(),
            false => counting.reading(&backend, &shortened, signal.stale_after, now),
        };
        Answer {
            pool: policy.pool.clone(),
            signal: name.clone(),
            query: format!(
                "haproxy {} of {backend}, over {} s",
                counted.metric.word(),
                shortened.over.as_secs_f64()
            ),
            age_seconds: reading.sample().map(|sample| elapsed(sample.at, now).as_secs()),
            coverage: None,
            advice: advice(&reading),
            reading,
        }
    };
    counted.into_iter().map(answer).collect()
}

/// Looks at the backends for so long.
async fn count(
    backends: &BTreeSet<BackendName>,
    balancers: &[Arc<dyn Balancer>],
    over: Duration,
) -> Counting {
    let mut counting = Counting::default();
    let began = SystemClock.now();
    loop {
        let now = SystemClock.now();
        for backend in backends {
            let views = join_all(balancers.iter().map(|balancer| async move {
                (balancer.name().clone(), balancer.view(backend).await)
            }));
            counting.look(backend, &views.await, over, now);
        }
        if over <= elapsed(began, now) {
            return counting;
        }
        tokio::time::sleep(PAUSE).await;
    }
}

fn nobody_to_ask() -> Reading {
    let message = "the settings name the balancers, and none were read".to_owned();
    Reading::Missing { why: Missing::QueryFailed { message } }
}
