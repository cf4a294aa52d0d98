//! The load of a drill, and what a policy's queries say of it.
//!
//! In: a policy.
//! Out: traffic for a calm pool and for a larger one; a meaning of each query.
//! Never: evaluates a query. The rule that looks at a signal says what it measures.

use crate::domain::NodeCount;
use crate::policy::{Policy, Rule, SignalSource, TargetForm};
use crate::sim::metrics::Meaning;
use crate::sim::{SimWorld, Traffic};

/// A surge needs no more nodes than this beside those that serve: a drill is to be read.
const MOST_MORE: u32 = 20;

/// How much of its nodes a load uses before any head-room.
const USE: f64 = 0.7;

/// The load of a drill.
pub(super) struct Load {
    /// What one node carries, in requests per second, or in the unit of the first rule.
    per_node: f64,
    /// Nodes of which the calm load uses a good part.
    calm_nodes: NodeCount,
    /// Nodes of which the surge uses as much.
    surge_nodes: NodeCount,
}

impl Load {
    pub fn of(policy: &Policy) -> Self {
        let (min, max) = (policy.bounds.min.0.max(1), policy.bounds.max.0.max(1));
        let more = ((max.saturating_sub(min)) / 2).clamp(1, MOST_MORE);
        Self {
            per_node: policy.rules.iter().find_map(carries).unwrap_or(100.0),
            calm_nodes: NodeCount(min.min(max)),
            surge_nodes: NodeCount((min + more).min(max)),
        }
    }

    pub fn calm(&self) -> Traffic {
        self.traffic(self.calm_nodes)
    }

    pub fn surge(&self) -> Traffic {
        self.traffic(self.surge_nodes)
    }

    /// How many times as large as the calm load the surge is.
    pub fn surge_times(&self) -> f64 {
        f64::from(self.surge_nodes.0) / f64::from(self.calm_nodes.0)
    }

    fn traffic(&self, nodes: NodeCount) -> Traffic {
        Traffic::steady(f64::from(nodes.0) * self.per_node * USE)
    }

    /// Tells the world what each query of the policy means.
    pub fn explain_to(&self, world: &SimWorld, policy: &Policy) {
        world.set_capacity(self.per_node);
        // A step takes whatever its signal says, so any other rule tells more about it.
        let is_step = |rule: &&Rule| matches!(rule, Rule::Step(_));
        let (steps, others): (Vec<_>, Vec<_>) = policy.rules.iter().partition(is_step);
        for rule in steps.into_iter().chain(others.into_iter().rev()) {
            let signal = rule.signal().and_then(|name| policy.signals.get(name));
            let Some(signal) = signal else { continue };
            if let SignalSource::Prometheus { query, nodes } = &signal.source {
                let capacity = nodes.as_ref().map_or(1.0, |nodes| nodes.capacity);
                world.set_meaning(query, self.meaning(rule, capacity));
            }
        }
        for coverage in policy.signals.values().filter_map(|signal| signal.coverage.as_ref()) {
            world.set_meaning(&coverage.query, Meaning::Serving);
        }
    }

    fn meaning(&self, rule: &Rule, capacity: f64) -> Meaning {
        match rule {
            Rule::Target(target) => match target.form {
                TargetForm::PerNode(_) => Meaning::Rate(1.0),
                // The factor itself: one is as it should be.
                TargetForm::Value(0.0) => Meaning::Use(1.0 / self.per_node),
                TargetForm::Value(value) => Meaning::Use(value / self.per_node),
                TargetForm::Average(value) => Meaning::Rate(value / self.per_node),
                TargetForm::UtilisationPercent(percent) => {
                    Meaning::Rate(capacity * f64::from(percent) / 100.0 / self.per_node)
                }
            },
            Rule::Count(_) => Meaning::Rate(1.0 / self.per_node),
            Rule::Forecast(_) | Rule::Surge(_) | Rule::Hint(_) => Meaning::Rate(1.0),
            // Latencies stay short: a drill is about one fault at a time.
            Rule::Latency(latency) => Meaning::Still(latency.clear_below.as_secs_f64() / 2.0),
            Rule::Step(_) | Rule::Fixed(_) | Rule::Schedule(_) => Meaning::Still(0.0),
        }
    }
}

/// What one node carries by a rule, where it says so.
fn carries(rule: &Rule) -> Option<f64> {
    match rule {
        Rule::Target(target) => match target.form {
            TargetForm::PerNode(rate) => Some(rate.get()),
            TargetForm::Value(_) | TargetForm::Average(_) | TargetForm::UtilisationPercent(_) => {
                None
            }
        },
        Rule::Forecast(rule) => Some(rule.per_node.get()),
        Rule::Surge(rule) => Some(rule.per_node.get()),
        Rule::Hint(rule) => Some(rule.per_node.get()),
        Rule::Latency(_) | Rule::Count(_) | Rule::Fixed(_) | Rule::Step(_) | Rule::Schedule(_) => {
            None
        }
    }
}
