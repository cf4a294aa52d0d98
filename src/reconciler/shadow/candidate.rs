//! What candidates are, and what they are shown.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::Arc;

use crate::domain::{CandidateName, Node, NodeCount, Reading, SignalName};
use crate::engine::{Decision, Observation};
use crate::policy::{BalancerMetric, Measures, Policy, Rule, Signal, SignalSource, TargetForm};

/// A policy that is followed beside the live one of its pool.
#[derive(Clone, Debug, PartialEq)]
pub struct Candidate {
    /// What it is called.
    pub name: CandidateName,
    /// Its file.
    pub file: PathBuf,
    /// The policy.
    pub policy: Arc<Policy>,
}

/// A decision of the live policy, for those who follow it.
#[derive(Clone, Debug)]
pub struct LiveTick {
    /// The live policy.
    pub policy: Arc<Policy>,
    /// What it saw.
    pub observation: Observation,
    /// What it decided.
    pub decision: Decision,
    /// The pool's living nodes.
    pub nodes: Vec<Node>,
    /// Whether an operator, or the settings, hold the pool: a candidate would be held, too.
    pub is_ordered_to_hold: bool,
    /// Who follows.
    pub candidates: Arc<[Candidate]>,
    /// What balancers counted for each of them.
    pub counted: BTreeMap<CandidateName, BTreeMap<SignalName, Reading>>,
}

impl LiveTick {
    /// How many nodes the load asked for, by what the live policy says that one carries, without
    /// head-room; none where no signal tells.
    pub(super) fn asked(&self) -> Option<NodeCount> {
        let asked = self.policy.rules.iter().filter_map(|rule| {
            let Rule::Target(target) = rule else { return None };
            let TargetForm::PerNode(per_node) = target.form else { return None };
            let reading = self.observation.readings.get(&target.signal)?;
            let Reading::Fresh { sample } = reading else { return None };
            Some(NodeCount((sample.value / per_node.get()).ceil().clamp(0.0, 1e9) as u32))
        });
        asked.max()
    }
}

impl Candidate {
    /// Signals of its rules that say what each real node does, or how well the real nodes serve:
    /// they don't know how many nodes the candidate would have.
    pub(super) fn rests_on_real_nodes(&self) -> Vec<SignalName> {
        let mut names: BTreeSet<SignalName> = BTreeSet::new();
        for (name, signal) in &self.policy.signals {
            if speaks_of_nodes(signal) {
                names.insert(name.clone());
            }
        }
        for rule in &self.policy.rules {
            if let Rule::Latency(latency) = rule {
                names.insert(latency.signal.clone());
            }
        }
        names.into_iter().collect()
    }
}

fn speaks_of_nodes(signal: &Signal) -> bool {
    let of_nodes = match &signal.source {
        SignalSource::Prometheus { nodes, .. } => nodes.is_some(),
        SignalSource::Haproxy(counted) => match counted.metric {
            BalancerMetric::RequestRate => false,
            BalancerMetric::Queue | BalancerMetric::Sessions => true,
        },
    };
    of_nodes || signal.measures == Measures::Node
}
