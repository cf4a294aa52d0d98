//! Where regions are drawn on charts.

use async_trait::async_trait;

use super::Fault;
use crate::domain::Notice;

/// A board of annotations, such as Grafana's. Nothing here is idempotent by itself but closing: who
/// calls looks first.
#[async_trait]
pub trait Annotations: Send + Sync {
    /// What the annotation of this subject is called, the oldest of several; none where there is
    /// none.
    async fn find(&self, subject: &str) -> Result<Option<String>, Fault>;

    /// Draws a new one and answers what it is called. Without an end it is a point in time until
    /// it is closed.
    async fn post(&self, notice: &Notice) -> Result<String, Fault>;

    /// Makes it reach until the notice's end.
    async fn close(&self, name: &str, notice: &Notice) -> Result<Closing, Fault>;
}

/// What came of closing an annotation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Closing {
    /// It reaches until its end.
    Closed,
    /// There is none of this name: somebody deleted it.
    Gone,
}
