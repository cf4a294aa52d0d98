//! What a policy's signals would have said of the simulated traffic.
//!
//! In: the signals of a policy, and the past.
//! Out: a reading for each signal.
//! Never: evaluates a query. A rule's kind says what its signal measures: a `target` counts
//! requests that arrive, a `latency` their time to the answer. From the query come only the
//! window (`[30s]`) and the quantile (`histogram_quantile(0.99, …)`).

use std::collections::BTreeMap;

use super::contender::View;
use super::node_model::{NodeModel, PATIENCE_SECONDS};
use super::past::Served;
use crate::domain::{Duration, Reading, Sample, SignalName, Timestamp, before};
use crate::policy::{Policy, Rule, Signal, SignalSource};

/// Where a query names no window: Prometheus' usual rate over a minute.
const USUAL_WINDOW: u64 = 60;

/// Longer windows than anyone scales by would need a longer memory.
const LONGEST_WINDOW: u64 = 3_600;

/// A policy's signals.
pub(super) struct Readings {
    signals: Vec<(SignalName, Measure)>,
}

/// How one signal is derived.
struct Measure {
    quantity: Quantity,
    /// Seconds that it is taken over.
    window: u64,
}

enum Quantity {
    /// Requests per second that arrive at the pool.
    Rate,
    /// Seconds that a share of the requests stays below.
    Latency {
        quantile: f64,
        /// By utilisation; from nothing to full.
        response_times: Vec<f64>,
    },
}

impl Readings {
    /// The signals of `policy`, on nodes like `node`.
    pub fn of(policy: &Policy, node: &NodeModel) -> Self {
        let signals = policy.signals.iter().map(|(name, signal)| {
            let quantity = match is_latency(policy, name) {
                false => Quantity::Rate,
                true => {
                    let quantile = quantile(signal);
                    let response_times = node.response_times(quantile);
                    Quantity::Latency { quantile, response_times }
                }
            };
            (name.clone(), Measure { quantity, window: window(signal) })
        });
        Self { signals: signals.collect() }
    }

    /// Puts what the signals say at `at` into `readings`.
    pub fn read(
        &self,
        view: &View<'_>,
        at: Timestamp,
        readings: &mut BTreeMap<SignalName, Reading>,
    ) {
        let lag = view.settings.lag;
        for (name, measure) in &self.signals {
            let value = match &measure.quantity {
                Quantity::Rate => view.past.rate(measure.window, lag),
                Quantity::Latency { quantile, response_times } => {
                    let steps = view.past.steps(measure.window, lag);
                    latency(steps, *quantile, response_times)
                }
            };
            let sample = Sample { at: before(at, Duration::from_secs(lag)), value };
            let reading = Reading::Fresh { sample };
            match readings.get_mut(name) {
                Some(known) => *known = reading,
                None => drop(readings.insert(name.clone(), reading)),
            }
        }
    }
}

/// Whether a latency rule looks at the signal.
fn is_latency(policy: &Policy, name: &SignalName) -> bool {
    policy.rules.iter().any(|rule| match rule {
        Rule::Latency(rule) => rule.signal == *name,
        Rule::Target(_) | Rule::Count(_) | Rule::Fixed(_) => false,
    })
}

/// Seconds that the signal is taken over.
fn window(signal: &Signal) -> u64 {
    match &signal.source {
        SignalSource::Prometheus { query, .. } => {
            range(query).unwrap_or(USUAL_WINDOW).clamp(1, LONGEST_WINDOW)
        }
    }
}

/// The share of requests whose latency the signal is about.
fn quantile(signal: &Signal) -> f64 {
    match &signal.source {
        SignalSource::Prometheus { query, .. } => {
            let after = query.split_once("histogram_quantile(").map_or("", |(_, after)| after);
            let number = after.split(',').next().and_then(|number| number.trim().parse().ok());
            // Nine requests in ten and half of the tenth, as is usual, where it isn't said.
            number.filter(|share: &f64| (0.01..=0.999).contains(share)).unwrap_or(0.95)
        }
    }
}

/// The seconds of a query's first range, such as `[1m]`; brackets in label values aren't ranges.
fn range(query: &str) -> Option<u64> {
    let mut quote = None;
    for (place, letter) in query.char_indices() {
        match (quote, letter) {
            (Some(open), letter) if letter == open => quote = None,
            (None, '"' | '\'' | '`') => quote = Some(letter),
            (None, '[') => {
                let length = query[place + 1..].split([']', ':']).next()?;
                return humantime::parse_duration(length).ok().map(|range| range.as_secs());
            }
            _ => {}
        }
    }
    None
}

/// Seconds that a share `quantile` of the requests in `steps` stays below.
///
/// Each step stands for all its requests, with its own quantile: its nodes' response time at
/// their utilisation, and the wait behind the queue. The slowest steps that together hold more
/// requests than may be slower set the value.
fn latency<'a>(
    steps: impl Iterator<Item = &'a Served>,
    quantile: f64,
    response_times: &[f64],
) -> f64 {
    let mut taken: Vec<(f64, f64)> = steps
        .map(|step| {
            let place = (step.utilisation * (response_times.len() - 1) as f64) as usize;
            let (low, high) = (step.waits.0.min(step.waits.1), step.waits.0.max(step.waits.1));
            let waiting = low + quantile * (high - low);
            // Nobody waits longer than his patience, whatever the formula's steady state is.
            (step.requests, (response_times[place] + waiting).min(PATIENCE_SECONDS))
        })
        .collect();
    taken.sort_by(|one, other| other.1.total_cmp(&one.1));
    let mut slower = (1.0 - quantile) * taken.iter().map(|(requests, _)| requests).sum::<f64>();
    for (requests, seconds) in taken {
        slower -= requests;
        if slower < 0.0 {
            return seconds;
        }
    }
    // Without requests nobody waits.
    response_times[0]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_window_is_the_querys_range() {
        for (query, seconds) in [
            ("sum(rate(http_requests_total[30s]))", Some(30)),
            (r#"sum(rate(a{path=~"/[a-z]+"}[1m30s]))"#, Some(90)),
            ("max_over_time(rate(a[1m])[5m:10s])", Some(60)),
            ("sum(haproxy_backend_current_queue)", None),
            ("a[$__rate_interval]", None),
        ] {
            assert_eq!(range(query), seconds, "{query}");
        }
    }

    #[test]
    fn the_slowest_requests_make_the_quantile() {
        let node = NodeModel::new(8, 20.0, 0.25);
        let times = node.response_times(0.95);
        let calm = Served { requests: 100.0, utilisation: 0.5, waits: (0.0, 0.0) };
        let late = Served { requests: 100.0, utilisation: 1.0, waits: (1.0, 3.0) };
        let of = |steps: &[Served]| latency(steps.iter(), 0.95, &times);
        assert_eq!(of(&[calm; 6]), times[500]);
        assert_eq!(
            of(&[calm, calm, late, calm, calm, calm]),
            PATIENCE_SECONDS.min(times[1_000] + 2.9)
        );
        // Four requests in a hundred may be slower than the quantile.
        let few = Served { requests: 4.0, ..late };
        assert_eq!(of(&[calm, few]), times[500]);
        assert_eq!(of(&[Served { requests: 0.0, ..calm }]), times[0]);
    }
}
