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

    /// The values of `query` from `from` to `to`, one every `step`, gaps left out.
    async fn read_range(
        &self,
        query: &str,
        from: Timestamp,
        to: Timestamp,
        step: Duration,
    ) -> Result<Vec<Sample>, Fault>;
}
