//! What only Prometheus and Linode can tell of a policy.

use std::sync::Arc;
use std::time::Duration;

use futures_util::future::join_all;

use super::{Good, bill};
use crate::cli::exit::Failure;
use crate::cli::metrics::source;
use crate::cli::query::{self, shown};
use crate::config::{Config, Prometheus};
use crate::daemon;
use crate::domain::SignalName;
use crate::linode::{LinodeCloud, LinodeSettings};
use crate::policy::{Policy, SignalSource, Warning};
use crate::ports::{Balancer, Cloud};
use crate::prometheus::{PrometheusSettings, PrometheusSource};

/// Asks both for each policy, and adds what there is to warn of.
pub(super) async fn ask(config: &Config, good: &mut [Good]) -> Result<(), Failure> {
    let Prometheus { url, timeout, token } = &config.prometheus;
    let reads = PrometheusSettings { read_deadline: *timeout, ..PrometheusSettings::default() };
    let source = source(url, token.as_ref(), reads)?;
    let settings = LinodeSettings { base_url: config.linode.url.clone(), ..Default::default() };
    let cloud = LinodeCloud::new(settings, config.linode.token.clone())
        .map_err(|cause| Failure::BadSettings(format!("error: `linode`: {cause}")))?;
    let balancers = daemon::balancers(config);
    for one in good {
        let node = &one.policy.node;
        let (unusable, spacings, price) = tokio::join!(
            unusable_signals(&one.policy, &source, &balancers),
            spacings(&one.policy, &source),
            cloud.hourly_price(&node.instance_type, &node.region),
        );
        one.warnings.extend(unusable);
        for (signal, spacing) in spacings {
            judge_staleness(one, &signal, spacing);
        }
        bill::judge(one, price);
    }
    Ok(())
}

/// Warns of signals that can't be used now.
async fn unusable_signals(
    policy: &Policy,
    source: &PrometheusSource,
    balancers: &[Arc<dyn Balancer>],
) -> Vec<Warning> {
    let answers = query::ask(policy, source, balancers).await;
    let warned = answers.into_iter().filter_map(|answer| {
        let (_, quality) = shown(&answer.reading);
        let key = format!("signals.{}", answer.signal);
        let what = format!("read just now, the signal {quality}");
        answer.advice.map(|help| Warning { key, what, help })
    });
    warned.collect()
}

/// How far apart each signal's samples are, where that can be told.
async fn spacings(policy: &Policy, source: &PrometheusSource) -> Vec<(SignalName, Duration)> {
    let queried = policy.signals.iter().filter_map(|(name, signal)| match &signal.source {
        SignalSource::Prometheus { query, .. } => Some((name, query)),
        SignalSource::Haproxy(_) => None,
    });
    let asked = queried.map(|(name, query)| async move {
        source.sample_spacing(query).await.map(|spacing| (name.clone(), spacing))
    });
    join_all(asked).await.into_iter().flatten().collect()
}

/// Holds `stale_after` against the real spacing, in place of what is usual elsewhere.
fn judge_staleness(one: &mut Good, name: &SignalName, spacing: Duration) {
    let Some(signal) = one.policy.signals.get(name) else { return };
    let key = format!("signals.{name}.stale_after");
    one.warnings.retain(|warning| warning.key != key);
    // Scrapes are never quite on the dot: an age of one interval is the rule.
    let spacing = Duration::from_secs_f64(spacing.as_secs_f64().round().max(1.0));
    if spacing < signal.stale_after {
        return;
    }
    one.warnings.push(Warning {
        key,
        what: format!(
            "{} is no longer than the time between two of its samples ({}), so a healthy signal \
             counts as missing before the next one comes",
            humantime::format_duration(signal.stale_after),
            humantime::format_duration(spacing)
        ),
        help: format!(
            "take three scrape intervals, {}, or scrape more often",
            humantime::format_duration(spacing * 3)
        ),
    });
}
