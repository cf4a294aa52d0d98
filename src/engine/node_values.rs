//! Brings a signal's samples of single nodes together with the nodes that there are.
//!
//! In: the nodes of an observation, and one signal's samples.
//! Out: what each serving node says, which of them are silent, and which nodes are on their way;
//! in whole thousandths.
//! Never: takes a silent node for an idle one: that is each rule's to judge.
//!
//! Source: Kubernetes' HPA (`groupPods`). A pod that is pending is *unready*, one without a metric
//! is *missing*, one that ends or failed is *ignored*, with its metric.

use std::collections::BTreeMap;

use super::look::Look;
use super::observation::{ObservedNode, Readiness};
use super::recommend::thousandths;
use crate::domain::{Missing, NodeSample, Reading, SignalName};

/// What the nodes say; each has a say once.
pub(super) struct NodeValues {
    /// The serving nodes that speak; at least one.
    pub heard: Vec<NodeUse>,
    /// What each serving node that is silent has, in thousandths.
    pub missing: Vec<i64>,
    /// What each node on its way will have, in thousandths.
    pub unready: Vec<i64>,
}

/// What one node uses of what it has, in thousandths of the signal's unit.
#[derive(Clone, Copy)]
pub(super) struct NodeUse {
    /// Its value; at least zero.
    pub value: i64,
    /// What it has; above zero.
    pub capacity: i64,
}

impl Look<'_> {
    /// What the nodes say of a signal; what is wrong where no serving node says anything.
    pub fn node_values(&self, signal: &SignalName) -> Result<NodeValues, Missing> {
        let (samples, capacity) = match self.observation.readings.get(signal) {
            None => return Err(Missing::QueryFailed { message: "nobody asked for it".into() }),
            Some(Reading::Missing { why }) => return Err(why.clone()),
            Some(Reading::Fresh { .. } | Reading::Partial { .. }) => {
                return Err(Missing::AnotherKind);
            }
            Some(Reading::PerNode { samples, capacity }) => (samples, *capacity),
        };
        let by_name = by_name(samples)?;
        let usual = usual_capacity(samples, capacity);
        let mut values = NodeValues { heard: vec![], missing: vec![], unready: vec![] };
        for node in &self.observation.nodes {
            let sample = sample_of(node, &by_name)?;
            let capacity = sample.and_then(|sample| usable_capacity(sample.capacity));
            let capacity = capacity.unwrap_or(usual);
            match (node.readiness, sample.and_then(usable_value)) {
                (Readiness::Ignored, _) => {}
                (Readiness::Unready, _) => values.unready.push(capacity),
                (Readiness::Ready, None) => values.missing.push(capacity),
                (Readiness::Ready, Some(value)) => values.heard.push(NodeUse { value, capacity }),
            }
        }
        if values.heard.is_empty() { Err(Missing::NoServingNode) } else { Ok(values) }
    }
}

fn by_name(samples: &[NodeSample]) -> Result<BTreeMap<&str, &NodeSample>, Missing> {
    let mut by_name = BTreeMap::new();
    for sample in samples {
        if by_name.insert(sample.node.as_str(), sample).is_some() {
            return Err(Missing::TwiceOneNode { node: sample.node.clone() });
        }
    }
    Ok(by_name)
}

/// A node's sample, be it under its address or its label, but not under both.
fn sample_of<'s>(
    node: &ObservedNode,
    by_name: &BTreeMap<&str, &'s NodeSample>,
) -> Result<Option<&'s NodeSample>, Missing> {
    let of = |name: &str| by_name.get(name).copied();
    match (of(&node.address), of(&node.label)) {
        (Some(one), Some(other)) if one != other => {
            Err(Missing::TwiceOneNode { node: node.label.clone() })
        }
        (one, other) => Ok(one.or(other)),
    }
}

/// What a node has whose sample does not say: what the signal says, else as much as the largest
/// of the others, which weighs a silent node most; else 1.
fn usual_capacity(samples: &[NodeSample], capacity: Option<f64>) -> i64 {
    let others = samples.iter().filter_map(|sample| usable_capacity(sample.capacity));
    usable_capacity(capacity).or_else(|| others.max()).unwrap_or(thousandths::written(1.0))
}

fn usable_capacity(capacity: Option<f64>) -> Option<i64> {
    capacity.filter(|value| value.is_finite() && *value > 0.0).map(thousandths::written)
}

fn usable_value(sample: &NodeSample) -> Option<i64> {
    sample.value.filter(|value| value.is_finite() && *value >= 0.0).map(thousandths::measured)
}
