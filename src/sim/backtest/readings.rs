//! What a policy's signals would have said of the simulated traffic.
//!
//! In: the rules and signals of a policy, and the past.
//! Out: a reading for each signal that a rule looks at.
//! Never: evaluates a query. The rule that looks at a signal says what it measures, see
//! [`Quantity`]; from the query come only the window and the quantile.

use std::collections::BTreeMap;

use super::STEP_SECONDS;
use super::contender::View;
use super::node_model::{NodeModel, PATIENCE_SECONDS};
use super::past::Served;
use super::query::{quantile, window};
use crate::domain::{Duration, NodeSample, Reading, Sample, SignalName, Timestamp, before};
use crate::engine::{ObservedNode, Readiness};
use crate::policy::{
    BalancerMetric, BalancerSignal, Policy, Rule, Signal, SignalSource, Take, TargetForm,
};

/// A policy's signals.
pub(super) struct Readings {
    measures: Vec<Measure>,
}

/// How one signal is derived.
struct Measure {
    signal: SignalName,
    quantity: Quantity,
    /// Seconds that it is taken over.
    window: u64,
    /// Whether it comes late, as metrics do. Balancers are asked themselves.
    is_late: bool,
}

enum Quantity {
    /// Requests per second that arrive at the pool: a target `per_node`.
    Arrivals,
    /// Seconds that a share of the requests stays below: a `latency`. By utilisation, from
    /// nothing to full.
    Latency { quantile: f64, response_times: Vec<f64> },
    /// How much of the serving nodes is used, times this: a target on one `value`.
    PoolUse(f64),
    /// How much of each serving node is used, times this: targets on each node.
    NodeUse { full: f64, capacity: Option<f64> },
    /// Requests that wait at the balancers.
    Queue { take: Take, node: NodeModel },
    /// Requests that are with the balancers, waiting ones included.
    Sessions { take: Take, node: NodeModel },
}

/// A signal that nothing in a rehearsal can stand for.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("signal {signal} can't be derived from request rates: {why}")]
pub struct Underivable {
    /// The signal.
    pub signal: SignalName,
    /// Why.
    pub why: &'static str,
}

impl Readings {
    /// The signals that the rules of `policy` look at, on nodes like `node`.
    pub fn of(policy: &Policy, node: &NodeModel) -> Result<Self, Underivable> {
        let mut measures: Vec<Measure> = Vec::new();
        // A step takes whatever its signal says, so any other rule tells more about it.
        let is_step = |rule: &&Rule| matches!(rule, Rule::Step(_));
        let (steps, others): (Vec<_>, Vec<_>) = policy.rules.iter().partition(is_step);
        for rule in others.into_iter().chain(steps) {
            let named = rule.signal().and_then(|name| policy.signals.get_key_value(name));
            let Some((name, signal)) = named else {
                continue;
            };
            if measures.iter().all(|measure| measure.signal != *name) {
                let quantity = match &signal.source {
                    SignalSource::Haproxy(counted) => Ok(counted_by_balancers(counted, node)),
                    SignalSource::Prometheus { .. } => quantity(rule, signal, node),
                };
                let quantity = quantity.map_err(|why| Underivable { signal: name.clone(), why })?;
                let is_late = matches!(signal.source, SignalSource::Prometheus { .. });
                let window = window(signal);
                measures.push(Measure { signal: name.clone(), quantity, window, is_late });
            }
        }
        Ok(Self { measures })
    }

    /// Whether any signal has a series of each node.
    pub fn read_each_node(&self) -> bool {
        let each = |measure: &Measure| matches!(measure.quantity, Quantity::NodeUse { .. });
        self.measures.iter().any(each)
    }

    /// Puts what the signals say at `at` into `readings`; `nodes` are those of the view.
    pub fn read(
        &self,
        view: &View<'_>,
        at: Timestamp,
        nodes: &[ObservedNode],
        readings: &mut BTreeMap<SignalName, Reading>,
    ) {
        let now = at;
        for Measure { signal, quantity, window, is_late } in &self.measures {
            let lag = if *is_late { view.settings.lag } else { 0 };
            let at = before(now, Duration::from_secs(lag));
            let steps = || view.past.steps(*window, lag);
            let fresh = |value| Reading::Fresh { sample: Sample { at, value } };
            let reading = match quantity {
                Quantity::Arrivals => fresh(view.past.rate(*window, lag)),
                Quantity::Latency { quantile, response_times } => {
                    fresh(latency(steps(), *quantile, response_times))
                }
                Quantity::Queue { take, node } => {
                    fresh(taken(steps().map(|step| waiting(step, node)), *take))
                }
                Quantity::Sessions { take, node } => {
                    let sessions = |step| waiting(step, node) + in_service(step, node);
                    fresh(taken(steps().map(sessions), *take))
                }
                Quantity::PoolUse(full) => fresh(full * utilisation(steps())),
                Quantity::NodeUse { full, capacity } => {
                    let value = full * utilisation(steps());
                    each_node(nodes, at, value, *capacity)
                }
            };
            match readings.get_mut(signal) {
                Some(known) => *known = reading,
                None => drop(readings.insert(signal.clone(), reading)),
            }
        }
    }
}

/// What a signal measures that `rule` looks at. Rules of kinds to come get their signals here.
fn quantity(rule: &Rule, signal: &Signal, node: &NodeModel) -> Result<Quantity, &'static str> {
    let target = match rule {
        Rule::Target(target) => target,
        Rule::Forecast(_) | Rule::Surge(_) | Rule::Hint(_) => return Ok(Quantity::Arrivals),
        Rule::Latency(_) => {
            let quantile = quantile(signal);
            let response_times = node.response_times(quantile);
            return Ok(Quantity::Latency { quantile, response_times });
        }
        Rule::Count(_) => return Err("it says a number of nodes itself"),
        Rule::Fixed(_) => return Err("a fixed count looks at none"),
        Rule::Schedule(_) => return Err("a schedule looks at none"),
        Rule::Step(_) => return Err("only a rule that says what it measures could tell"),
    };
    let capacity = signal.source.nodes().map(|nodes| nodes.capacity);
    match target.form {
        TargetForm::PerNode(_) => Ok(Quantity::Arrivals),
        TargetForm::Value(0.0) => Err("with a target of 0 it is the factor to scale by"),
        // A share of the nodes, as 0.7 or as 70.
        TargetForm::Value(value) if value <= 1.0 => Ok(Quantity::PoolUse(1.0)),
        TargetForm::Value(value) if value <= 100.0 => Ok(Quantity::PoolUse(100.0)),
        TargetForm::Value(_) => Err("its target is no utilisation, neither as 0.7 nor as 70"),
        // Requests per second that each node serves.
        TargetForm::Average(_) => Ok(Quantity::NodeUse { full: node.capacity(), capacity }),
        TargetForm::UtilisationPercent(_) => {
            Ok(Quantity::NodeUse { full: capacity.unwrap_or(1.0), capacity })
        }
    }
}

/// What balancers count.
fn counted_by_balancers(counted: &BalancerSignal, node: &NodeModel) -> Quantity {
    let (take, node) = (counted.take, node.clone());
    match counted.metric {
        BalancerMetric::RequestRate => Quantity::Arrivals,
        BalancerMetric::Queue => Quantity::Queue { take, node },
        BalancerMetric::Sessions => Quantity::Sessions { take, node },
    }
}

/// Requests that waited in a step: some by chance, or all that the nodes could not carry.
fn waiting(step: &Served, node: &NodeModel) -> f64 {
    if step.utilisation < 1.0 {
        return node.waiting(step.nodes, step.utilisation);
    }
    let per_second = match step.nodes {
        0 => step.requests / STEP_SECONDS as f64,
        nodes => f64::from(nodes) * node.capacity(),
    };
    let [first, last] = [step.waits.0, step.waits.1].map(|wait| wait.min(PATIENCE_SECONDS));
    per_second * f64::midpoint(first, last)
}

/// Requests that were being served in a step: by Little's law, so many a second for so long.
fn in_service(step: &Served, node: &NodeModel) -> f64 {
    let rate = step.requests / STEP_SECONDS as f64;
    rate.min(f64::from(step.nodes) * node.capacity()) / node.worker_rate()
}

/// What of several steps counts; zero of none.
fn taken(numbers: impl Iterator<Item = f64>, take: Take) -> f64 {
    let (sum, most, count) = numbers.fold((0.0, 0.0, 0.0), |(sum, most, count), number| {
        (sum + number, f64::max(most, number), count + 1.0)
    });
    match take {
        Take::Mean => sum / f64::max(count, 1.0),
        Take::Max => most,
    }
}

/// The same value of each node that serves: requests spread evenly.
fn each_node(nodes: &[ObservedNode], at: Timestamp, value: f64, capacity: Option<f64>) -> Reading {
    let serving = nodes.iter().filter(|node| node.readiness == Readiness::Ready);
    let sample = |node: &ObservedNode| NodeSample {
        node: node.label.clone(),
        at,
        value: Some(value),
        capacity: None,
    };
    Reading::PerNode { samples: serving.map(sample).collect(), capacity }
}

/// Mean utilisation over `steps`.
fn utilisation<'a>(steps: impl Iterator<Item = &'a Served>) -> f64 {
    let (sum, count) =
        steps.fold((0.0, 0.0), |(sum, count), step| (sum + step.utilisation, count + 1.0));
    if count > 0.0 { sum / count } else { 0.0 }
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
    fn the_slowest_requests_make_the_quantile() {
        let node = NodeModel::new(8, 20.0, 0.25);
        let times = node.response_times(0.95);
        let calm = Served { requests: 100.0, utilisation: 0.5, waits: (0.0, 0.0), nodes: 2 };
        let late = Served { requests: 100.0, utilisation: 1.0, waits: (1.0, 3.0), nodes: 1 };
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

    #[test]
    fn a_queue_grows_before_its_requests_are_late_and_is_what_the_nodes_cannot_carry() {
        let node = NodeModel::new(8, 20.0, 0.25);
        let at = |utilisation| {
            let requests = utilisation * 2.0 * node.capacity() * STEP_SECONDS as f64;
            Served { requests, utilisation, waits: (0.0, 0.0), nodes: 2 }
        };
        let queue = |utilisation| waiting(&at(utilisation), &node);
        assert!(queue(0.5) < 0.01 && 10.0 < queue(0.95), "{} {}", queue(0.5), queue(0.95));
        // 320 requests per second, and the last one waits for three seconds.
        let late = Served { waits: (1.0, 3.0), ..at(1.0) };
        assert_eq!(waiting(&late, &node), 640.0);
        assert_eq!(in_service(&late, &node), 16.0);
        assert_eq!(taken([1.0, 3.0].into_iter(), Take::Mean), 2.0);
        assert_eq!(taken([1.0, 3.0].into_iter(), Take::Max), 3.0);
    }
}
