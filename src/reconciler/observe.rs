//! Reading the signals of a policy.

use std::collections::BTreeMap;

use futures_util::future::join_all;

use super::look::PoolLoop;
use crate::domain::{Duration, NodeState, Reading, SignalName, Timestamp};
use crate::policy::{Coverage, CoverageNeed, NodeSeries, Signal, SignalSource};

impl PoolLoop {
    /// Every signal's reading, all asked for at once.
    pub(super) async fn read_signals(&self, now: Timestamp) -> BTreeMap<SignalName, Reading> {
        let readings = join_all(self.policy.signals.iter().map(|(name, signal)| async move {
            (name.clone(), self.read_signal(signal, now).await)
        }));
        readings.await.into_iter().collect()
    }

    async fn read_signal(&self, signal: &Signal, now: Timestamp) -> Reading {
        let SignalSource::Prometheus { query, nodes } = &signal.source;
        if let Some(nodes) = nodes {
            return self.read_nodes(query, nodes, signal.stale_after, now).await;
        }
        let value = self.world.metrics.read(query, signal.stale_after, now);
        let Some(coverage) = &signal.coverage else {
            return value.await;
        };
        let seen = self.world.metrics.read(&coverage.query, signal.stale_after, now);
        let (value, seen) = tokio::join!(value, seen);
        self.with_coverage(value, &seen, coverage)
    }

    async fn read_nodes(
        &self,
        query: &str,
        nodes: &NodeSeries,
        stale_after: Duration,
        now: Timestamp,
    ) -> Reading {
        let read = self.world.metrics.read_nodes(query, &nodes.label, stale_after, now).await;
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
        let serving = self.nodes.values().filter(|node| node.state == NodeState::InService).count();
        let wanted = match coverage.at_least {
            CoverageNeed::Serving => serving as u32,
            CoverageNeed::Count(count) => count,
        };
        // A coverage query that matches nothing counts nobody.
        let seen = seen.sample().map_or(0, |sample| sample.value.clamp(0.0, 1e9) as u32);
        if wanted <= seen { value } else { Reading::Partial { sample, seen, wanted } }
    }
}
