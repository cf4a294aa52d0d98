//! The HTTP face: health, metrics, scrape targets, and what the loops know and remember.
//!
//! In: requests.
//! Out: statuses, decisions, journals; problems as `application/problem+json`.
//! Never: acts, or changes anything by itself: policies are read again by the daemon.

pub mod access;
mod certificate;
mod commands;
#[cfg(test)]
mod contract_tests;
mod discovery;
mod document;
mod events;
mod extract;
mod health;
mod hints;
mod history;
mod listen;
mod nodes;
mod observe;
mod policies;
mod pools;
mod problem;
mod reload;
mod server;
mod shadow;
#[cfg(test)]
mod tests;
mod validity;

use std::collections::BTreeMap;
use std::sync::Arc;

use tokio::sync::{Notify, Semaphore, watch};
use tokio_util::sync::CancellationToken;

use crate::domain::PoolName;
use crate::policy::Policy;
use crate::reconciler::{PoolStatus, World};
use crate::store::Store;
use crate::telemetry::Metrics;

pub use certificate::{Certificate, CertificateError};
pub use commands::{CommandDocument, CommandName, CommandPage, NewCommand};
pub use document::document;
pub use hints::{Announced, HintPage, NewHint, NewHints};
pub use history::{ChangeDocument, HistoryDocument, SignalHistory};
pub use listen::serve;
pub use nodes::{NodePage, SamplePage, SignalsDocument};
pub use pools::{
    DecisionDocument, DecisionPage, ExplanationDocument, JournalPage, WhyNotAnswer, WhyNotDocument,
};
pub use reload::{DaemonAsk, PolicyUpload, ReloadAsk, ReloadReport, ReplacedPolicy};
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
    /// The outside, to look at for what a command would lead to; the API never acts.
    pub world: World,
    /// The number of the journal's newest row, told to those who listen.
    pub head: Arc<watch::Sender<i64>>,
    /// Places for those who listen.
    pub listeners: Arc<Semaphore>,
    /// Ends what would go on for ever.
    pub stop: CancellationToken,
}

impl Sources {
    /// Nobody listens yet.
    pub fn new(
        store: Arc<Store>,
        pools: BTreeMap<PoolName, PoolSource>,
        metrics: Metrics,
        reload: ReloadAsk,
        world: World,
        stop: CancellationToken,
        access: access::Access,
    ) -> Self {
        Self {
            store,
            pools: Arc::new(pools),
            metrics,
            reload,
            world,
            head: Arc::new(watch::Sender::new(0)),
            listeners: Arc::new(Semaphore::new(events::LISTENERS)),
            stop,
            access,
        }
    }
}

/// What is known of one pool.
#[derive(Clone)]
pub struct PoolSource {
    /// Its policy in force, watched.
    pub policy: watch::Receiver<Arc<Policy>>,
    /// Its loop's last word.
    pub status: watch::Receiver<Arc<PoolStatus>>,
    /// Has its loop look at once.
    pub wake: Arc<Notify>,
}

impl PoolSource {
    fn now(&self) -> Arc<PoolStatus> {
        self.status.borrow().clone()
    }
}
