//! One listing of the cloud's instances, shared by all pools and asked for no more often than
//! needed.

use std::sync::Arc;

use tokio::sync::Mutex;

use super::COMMON_TAG;
use crate::domain::{Duration, Instance, Timestamp, elapsed};
use crate::ports::{Cloud, Fault};

/// All instances that carry our common tag, as of one moment.
#[derive(Clone, Debug)]
pub struct Listing {
    /// When it was asked for.
    pub at: Timestamp,
    /// Grows by one with each listing: two looks at the same listing are one reading.
    pub sequence: u64,
    /// The instances, or why there is no listing.
    pub instances: Result<Vec<Instance>, Fault>,
}

/// The shared listing.
pub struct Inventory {
    cloud: Arc<dyn Cloud>,
    last: Mutex<Option<Arc<Listing>>>,
}

impl Inventory {
    /// Nothing listed yet.
    pub fn new(cloud: Arc<dyn Cloud>) -> Self {
        Self { cloud, last: Mutex::new(None) }
    }

    /// The cloud behind it.
    pub fn cloud(&self) -> &dyn Cloud {
        self.cloud.as_ref()
    }

    /// A listing no older than `max_age`. Pools that ask at the same time share one call.
    pub async fn listing(&self, max_age: Duration, now: Timestamp) -> Arc<Listing> {
        let mut last = self.last.lock().await;
        if let Some(listing) = last.as_ref()
            && elapsed(listing.at, now) < max_age
            && listing.at <= now
        {
            return listing.clone();
        }
        let sequence = last.as_ref().map_or(0, |listing| listing.sequence) + 1;
        let instances = self.cloud.instances(COMMON_TAG).await;
        last.insert(Arc::new(Listing { at: now, sequence, instances })).clone()
    }
}
