//! Which of a policy's signals tells the traffic.
//!
//! In: a policy.
//! Out: the signal that is a rate of requests over the whole pool, and the rule that says so.
//! Never: takes a latency or a share of the nodes for traffic.

use crate::domain::SignalName;
use crate::policy::{Policy, Rule, SignalSource, TargetForm};

/// A policy's demand, in requests per second over the whole pool.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DemandSignal<'a> {
    /// The signal.
    pub signal: &'a SignalName,
    /// Its query.
    pub query: &'a str,
    /// The kind of the rule that looks at it.
    pub rule: &'static str,
}

/// What a policy's rules look at as requests per second: of a `target` with `per_node`, else of a
/// `forecast`, a `surge` or a `hint`; of several of one kind the first in the file. None where
/// nobody looks at a rate of the whole pool that Prometheus knows.
pub fn demand_signal(policy: &Policy) -> Option<DemandSignal<'_>> {
    let looks = policy.rules.iter().filter_map(|rule| {
        let (rank, kind) = rank(rule)?;
        let signal = rule.signal()?;
        match &policy.signals.get(signal)?.source {
            SignalSource::Prometheus { query, nodes: None } => {
                Some((rank, DemandSignal { signal, query, rule: kind }))
            }
            SignalSource::Prometheus { nodes: Some(_), .. } | SignalSource::Haproxy(_) => None,
        }
    });
    looks.min_by_key(|(rank, _)| *rank).map(|(_, demand)| demand)
}

/// Which rules are believed first, and their kind.
fn rank(rule: &Rule) -> Option<(u8, &'static str)> {
    match rule {
        Rule::Target(target) => match target.form {
            TargetForm::PerNode(_) => Some((0, "target")),
            TargetForm::Value(_) | TargetForm::Average(_) => None,
            TargetForm::UtilisationPercent(_) => None,
        },
        Rule::Forecast(_) => Some((1, "forecast")),
        Rule::Surge(_) => Some((2, "surge")),
        Rule::Hint(_) => Some((3, "hint")),
        Rule::Latency(_) | Rule::Count(_) | Rule::Fixed(_) => None,
        Rule::Step(_) | Rule::Schedule(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::policy::parse;

    fn demand(rules: &str) -> Option<(String, &'static str)> {
        const MINIMAL: &str = include_str!("../../../policies/minimal.yaml");
        let begin = MINIMAL.find("signals:").expect("signals");
        let end = begin + MINIMAL[begin..].find("\nnode:").expect("a node");
        let text = format!(
            "{}signals:\n  a: {{prometheus: {{query: 'qa'}}}}\n  b: {{prometheus: {{query: 'qb'}}}}\n\
             rules: [{rules}]{}",
            &MINIMAL[..begin],
            &MINIMAL[end..]
        );
        let policy = parse(&text, Path::new("p.yaml")).expect("a policy");
        demand_signal(&policy).map(|demand| (demand.query.to_owned(), demand.rule))
    }

    #[test]
    fn a_target_per_node_is_believed_before_a_forecast_and_the_first_before_the_second() {
        let forecast = "{forecast: {signal: a, per_node: 100}}";
        let target = |signal: &str| format!("{{target: {{signal: {signal}, per_node: 100}}}}");
        let shared = "{target: {signal: a, value: 0.7}}";
        let latency = "{latency: {signal: a, objective: 200ms}}";
        for (rules, expected) in [
            (format!("{forecast}, {}", target("b")), Some(("qb", "target"))),
            (format!("{}, {}", target("b"), target("a")), Some(("qb", "target"))),
            (format!("{shared}, {forecast}"), Some(("qa", "forecast"))),
            (format!("{shared}, {latency}"), None),
        ] {
            let expected = expected.map(|(query, rule)| (query.to_owned(), rule));
            assert_eq!(demand(&rules), expected, "{rules}");
        }
    }
}
