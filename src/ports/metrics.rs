//! Where signals are read.

use async_trait::async_trait;

use super::Fault;
use crate::domain::{Duration, Reading, Sample, Timestamp};

/// A source of signals.
#[async_trait]
pub trait MetricsSource: Send + Sync {
    /// The one value of `query` as of `now`, with its quality. It never fails: whatever is wrong
    /// is a [`Reading::Missing`], and one bad query never blocks another.
    async fn read(&self, query: &str, stale_after: Duration, now: Timestamp) -> Reading;

    /// The values of `query` as of `now`, one of each node, told apart by the label `node_label`
    /// (its value without a port). A [`Reading::PerNode`] with at least one usable value, or a
    /// [`Reading::Missing`]: a series that says nothing usable is a sample without a value, two of
    /// one node spoil all, and so does one without the label. It never fails, as
    /// [`MetricsSource::read`].
    async fn read_nodes(
        &self,
        query: &str,
        node_label: &str,
        stale_after: Duration,
        now: Timestamp,
    ) -> Reading;

    /// The values of `query` from `from` to `to`, one every `step`, gaps left out.
    async fn read_range(
        &self,
        query: &str,
        from: Timestamp,
        to: Timestamp,
        step: Duration,
    ) -> Result<Vec<Sample>, Fault>;
}
