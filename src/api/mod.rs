//! The HTTP face: health, metrics, scrape targets, and what the loops know and remember.
//!
//! In: requests.
//! Out: statuses, decisions, journals; problems as `application/problem+json`.
//! Never: acts, or changes anything by itself: policies are read again by the daemon.

pub mod access;
mod certificate;
#[cfg(test)]
mod contract_tests;
mod discovery;
mod document;
mod extract;
mod health;
mod history;
mod listen;
mod observe;
mod pools;
mod problem;
mod reload;
mod server;
#[cfg(test)]
mod tests;
mod validity;

use std::collections::BTreeMap;
use std::sync::Arc;

use tokio::sync::watch;

use crate::domain::PoolName;
use crate::policy::Policy;
use crate::reconciler::PoolStatus;
use crate::store::Store;
use crate::telemetry::Metrics;

pub use certificate::{Certificate, CertificateError};
pub use document::document;
pub use history::{ChangeDocument, HistoryDocument, SignalHistory};
pub use listen::serve;
pub use pools::{
    DecisionDocument, DecisionPage, ExplanationDocument, JournalPage, WhyNotAnswer, WhyNotDocument,
};
pub use reload::{ReloadAsk, ReloadReport, ReplacedPolicy};
pub use server::router;
pub use validity::Validity;

/// What requests are answered from.
#[derive(Clone)]
pub struct Sources {
    /// The store, to read.
    pub store: Arc<Store>,
    /// Each pool's loop, watched.
    pub pools: Arc<BTreeMap<PoolName, PoolSource>>,
    /// Our own metrics.
    pub metrics: Metrics,
    /// Where the daemon is asked to read its policies again.
    pub reload: ReloadAsk,
    /// Who may ask.
    pub access: access::Access,
}

/// What is known of one pool.
#[derive(Clone)]
pub struct PoolSource {
    /// Its policy in force, watched.
    pub policy: watch::Receiver<Arc<Policy>>,
    /// Its loop's last word.
    pub status: watch::Receiver<Arc<PoolStatus>>,
}

impl PoolSource {
    fn now(&self) -> Arc<PoolStatus> {
        self.status.borrow().clone()
    }
}
