//! Flap: no node leaves whom the survivors would call back at once.
//!
//! In: a count below the present one.
//! Out: the fewest nodes, of those and up to the present count, that would want no more.
//! Never: raises beyond the present count; foresees a latency.
//!
//! A policy says what a signal measures. A figure over the pool stays as it is when nodes leave;
//! a figure of one node rises as the load of those who leave comes to those who stay, by the
//! present count over the new one. The rules are asked again, with the survivors and those
//! signals, each within its tolerance. A latency does not rise in proportion, so its rules have
//! no part in this: while one is not clear, it keeps nodes from leaving by itself.

use super::super::combine::combine;
use super::super::look::Look;
use super::super::recommend::ask_all;
use super::super::{Observation, ObservedNode, Opinion, Readiness, Reason};
use super::{Verdict, tolerance};
use crate::domain::{FleetCounts, NodeCount, NodeSample, Reading, SignalName};
use crate::policy::{Measures, Policy, Rule};

/// The fewest survivors that would call nobody back, or the same count.
pub(in crate::engine) fn guard(look: &Look<'_>, count: NodeCount) -> Verdict {
    if look.from <= count || !any_figure_of_one_node(look) {
        return None;
    }
    let rules = callers(look, count);
    if rules.is_empty() {
        return None;
    }
    let allowed = fewest(look, count);
    let not_foreseen = not_foreseen(look);
    Some((allowed, Reason::FlapAhead { wanted: count, allowed, rules, not_foreseen }))
}

/// Whether any signal rises when nodes leave: without one, the survivors see what all see now.
fn any_figure_of_one_node(look: &Look<'_>) -> bool {
    look.observation.readings.keys().any(|signal| is_figure_of_one_node(look, signal))
}

fn is_figure_of_one_node(look: &Look<'_>, signal: &SignalName) -> bool {
    figure(look.policy, signal) == Measures::Node
}

/// Whether a signal is a figure of one node, and so rises when nodes leave, or one over the pool.
pub(in crate::engine) fn figure(policy: &Policy, signal: &SignalName) -> Measures {
    match policy.signals.get(signal) {
        Some(signal) if signal.source.nodes().is_some() => Measures::Node,
        Some(signal) => signal.measures,
        None => Measures::Pool,
    }
}

/// The fewest survivors that call nobody back, above `count`, where some are called back. More
/// survivors carry less each, so halving what is left to search finds it.
fn fewest(look: &Look<'_>, count: NodeCount) -> NodeCount {
    let (mut too_few, mut enough) = (count.0, look.from.0);
    while 1 < enough - too_few {
        let middle = too_few + (enough - too_few) / 2;
        match callers(look, NodeCount(middle)).is_empty() {
            true => enough = middle,
            false => too_few = middle,
        }
    }
    NodeCount(enough)
}

/// The rules that would want more than so many survivors.
fn callers(look: &Look<'_>, survivors: NodeCount) -> Vec<String> {
    let observation = with_survivors(look, survivors);
    let imagined = look.imagined(&observation, survivors);
    let mut recommendations = ask_all(&imagined).recommendations;
    for (recommendation, rule) in recommendations.iter_mut().zip(&look.policy.rules) {
        if !is_foreseen(rule) {
            let because = recommendation.opinion.because().clone();
            recommendation.opinion = Opinion::None { because };
        }
    }
    let Some(wanted) = combine(&imagined, &recommendations) else { return Vec::new() };
    let tolerated = tolerance::guard(&imagined, &recommendations, wanted);
    if tolerated.map_or(wanted, |(count, _)| count) <= survivors {
        return Vec::new();
    }
    let callers = recommendations.into_iter().filter(|r| r.count() > Some(survivors));
    callers.map(|recommendation| recommendation.rule.to_string()).collect()
}

/// What would be seen if only these served.
fn with_survivors(look: &Look<'_>, survivors: NodeCount) -> Observation {
    let mut observation = look.observation.clone();
    observation.fleet = FleetCounts { serving: survivors, ..FleetCounts::default() };
    // Surplus nodes that still serve carry their part, too; nobody at all carries nothing.
    let carrying = f64::from(look.from.max(look.fleet.serving).0);
    let factor = carrying / f64::from(survivors.0.max(1));
    let mut left = survivors.0.max(1);
    for node in &mut observation.nodes {
        if node.readiness != Readiness::Ready || left == 0 {
            node.readiness = Readiness::Ignored;
            continue;
        }
        left -= 1;
    }
    for (signal, reading) in &mut observation.readings {
        if is_figure_of_one_node(look, signal) {
            scale(reading, factor, &look.observation.nodes, &observation.nodes);
        }
    }
    observation
}

/// What each of these nodes carries that speaks.
fn carried(samples: &[NodeSample], nodes: &[ObservedNode]) -> Vec<f64> {
    let counts = |name: &str| {
        let mut ready = nodes.iter().filter(|node| node.readiness == Readiness::Ready);
        ready.any(|node| node.address == name || node.label == name)
    };
    let values = samples.iter().filter(|sample| counts(&sample.node));
    values.filter_map(|sample| sample.value).collect()
}

/// Gives those who stay the part of those who leave.
fn scale(reading: &mut Reading, factor: f64, now: &[ObservedNode], then: &[ObservedNode]) {
    match reading {
        Reading::PerNode { samples, .. } => {
            let (all, stay) = (carried(samples, now), carried(samples, then));
            let [sum, sum_of_stay] = [&all, &stay].map(|values| values.iter().sum::<f64>());
            let (factor, even) = (sum / sum_of_stay, sum / stay.len() as f64);
            for value in samples.iter_mut().filter_map(|sample| sample.value.as_mut()) {
                // Where those who stay carry nothing at all, they take even parts of the rest.
                *value = if sum_of_stay > 0.0 { *value * factor } else { even }.min(f64::MAX);
            }
        }
        Reading::Fresh { sample } | Reading::Partial { sample, .. } => {
            // An infinite value would count as missing, and a missing one calls nobody.
            sample.value = (sample.value * factor).min(f64::MAX);
        }
        Reading::Missing { .. } => {}
    }
}

/// Whether a rule's signal can be foreseen.
fn is_foreseen(rule: &Rule) -> bool {
    match rule {
        Rule::Target(_) | Rule::Count(_) | Rule::Fixed(_) => true,
        Rule::Step(_) | Rule::Schedule(_) => true,
        Rule::Forecast(_) | Rule::Surge(_) | Rule::Hint(_) => true,
        Rule::Latency(_) => false,
    }
}

/// The signals that nobody can foresee, each once.
fn not_foreseen(look: &Look<'_>) -> Vec<SignalName> {
    let rules = look.policy.rules.iter().filter(|rule| !is_foreseen(rule));
    let mut signals: Vec<_> = rules.filter_map(|rule| rule.signal().cloned()).collect();
    signals.sort();
    signals.dedup();
    signals
}
