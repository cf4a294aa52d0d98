//! Reading the signals of a policy.

use std::collections::{BTreeMap, BTreeSet};

use futures_util::future::join_all;

use super::facts::Seeing;
use super::look::PoolLoop;
use crate::domain::{BackendName, Duration, NodeState, Reading, SignalName, Timestamp};
use crate::policy::{
    BalancerSignal, Coverage, CoverageNeed, NodeSeries, Policy, Signal, SignalSource,
};
use crate::ports::MetricsSource;

/// Reads a policy's signals.
pub(super) struct Reader<'a> {
    pub metrics: &'a dyn MetricsSource,
    /// How many nodes serve: so many sources should speak where coverage asks for the serving ones.
    pub serving: u32,
    pub now: Timestamp,
}

impl PoolLoop {
    /// The reading of every signal that has a query, all asked for at once.
    pub(super) async fn read_signals(&self, now: Timestamp) -> BTreeMap<SignalName, Reading> {
        let serving = self.nodes.values().filter(|node| node.state == NodeState::InService);
        let (metrics, serving) = (self.world.metrics.as_ref(), serving.count() as u32);
        Reader { metrics, serving, now }.read(&self.policy.signals).await
    }

    /// Counts what balancers showed.
    pub(super) fn count(&mut self, seeing: &Seeing, now: Timestamp) {
        let own = &self.policy.join.backend;
        let mut counted = counted(&self.policy);
        // What only a candidate counts comes from views that are taken anyway.
        let of_candidates = self.candidates.iter().flat_map(|one| self::counted(&one.policy));
        let looked_at = |signal: &&BalancerSignal| {
            let looked_at = |one| one == own || seeing.others.iter().any(|(other, _)| other == one);
            signal.backend.as_ref().is_none_or(looked_at)
        };
        counted.extend(of_candidates.filter(looked_at));
        let backends: Vec<&BackendName> =
            counted.iter().map(|counted| counted.backend.as_ref().unwrap_or(own)).collect();
        self.counting.keep_only(&backends);
        let longest = counted.iter().map(|counted| counted.over).max().unwrap_or_default();
        let others = seeing.others.iter().map(|(backend, views)| (backend, views));
        for (backend, views) in others.chain([(own, &seeing.views)]) {
            if backends.contains(&backend) {
                self.counting.look(backend, views, longest, now);
            }
        }
    }

    /// The reading of every signal of `policy` that balancers count.
    pub(super) fn counted_signals(
        &self,
        policy: &Policy,
        now: Timestamp,
    ) -> BTreeMap<SignalName, Reading> {
        let own = &self.policy.join.backend;
        let counted = policy.signals.iter().filter_map(|(name, signal)| {
            let SignalSource::Haproxy(counted) = &signal.source else { return None };
            let backend = counted.backend.as_ref().unwrap_or(own);
            let reading = self.counting.reading(backend, counted, signal.stale_after, now);
            Some((name.clone(), reading))
        });
        counted.collect()
    }

    /// Backends beside the pool's own that signals count.
    pub(super) fn other_backends(&self) -> BTreeSet<&BackendName> {
        let counted = counted(&self.policy).into_iter();
        let backends = counted.filter_map(|counted| counted.backend.as_ref());
        backends.filter(|backend| **backend != self.policy.join.backend).collect()
    }
}

impl Reader<'_> {
    /// The reading of each of `signals` that has a query, all asked for at once.
    pub(super) async fn read(
        &self,
        signals: impl IntoIterator<Item = (&SignalName, &Signal)>,
    ) -> BTreeMap<SignalName, Reading> {
        let queried = signals.into_iter().filter_map(|(name, signal)| {
            let SignalSource::Prometheus { query, nodes } = &signal.source else { return None };
            Some(async move {
                let reading = self.read_signal(signal, query, nodes.as_ref()).await;
                (name.clone(), reading)
            })
        });
        join_all(queried).await.into_iter().collect()
    }

    async fn read_signal(
        &self,
        signal: &Signal,
        query: &str,
        nodes: Option<&NodeSeries>,
    ) -> Reading {
        if let Some(nodes) = nodes {
            return self.read_nodes(query, nodes, signal.stale_after).await;
        }
        let value = self.metrics.read(query, signal.stale_after, self.now);
        let Some(coverage) = &signal.coverage else {
            return value.await;
        };
        let seen = self.metrics.read(&coverage.query, signal.stale_after, self.now);
        let (value, seen) = tokio::join!(value, seen);
        self.with_coverage(value, &seen, coverage)
    }

    async fn read_nodes(&self, query: &str, nodes: &NodeSeries, stale_after: Duration) -> Reading {
        let read = self.metrics.read_nodes(query, &nodes.label, stale_after, self.now).await;
        match read {
            Reading::PerNode { samples, capacity: None } => {
                Reading::PerNode { samples, capacity: Some(nodes.capacity) }
            }
            other => other,
        }
    }

    /// Downgrades a good reading that fewer sources speak in than should.
    fn with_coverage(&self, value: Reading, seen: &Reading, coverage: &Coverage) -> Reading {
        let Reading::Fresh { sample } = value else {
            return value;
        };
        let wanted = match coverage.at_least {
            CoverageNeed::Serving => self.serving,
            CoverageNeed::Count(count) => count,
        };
        // A coverage query that matches nothing counts nobody.
        let seen = seen.sample().map_or(0, |sample| sample.value.clamp(0.0, 1e9) as u32);
        if wanted <= seen { value } else { Reading::Partial { sample, seen, wanted } }
    }
}

/// The signals that balancers count.
fn counted(policy: &Policy) -> Vec<&BalancerSignal> {
    let counted = policy.signals.values().filter_map(|signal| match &signal.source {
        SignalSource::Prometheus { .. } => None,
        SignalSource::Haproxy(counted) => Some(counted),
    });
    counted.collect()
}
