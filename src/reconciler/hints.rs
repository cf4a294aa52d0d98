//! What is known of announced campaigns, and what past ones teach.

use super::look::PoolLoop;
use crate::domain::{Duration, Hint, Sample, SignalName, Timestamp, after, before};
use crate::engine::{Announced, ObservedHint};
use crate::forecast::campaign::{LATE_SAMPLES, around, fit, learned, learned_until};
use crate::policy::Policy;
use crate::store::{Announcement, Store, StoreError};

/// A little more than the minutes before a campaign that are looked at.
const BEFORE: Duration = Duration::from_secs(6 * 60);

/// Campaigns as a policy knows them.
pub(super) struct Campaigns<'a> {
    pub policy: &'a Policy,
    pub store: &'a Store,
    pub interval: Duration,
    /// What is stored of the signal that campaigns come on top of; none where nothing is.
    pub measured: Option<&'a SignalName>,
}

impl PoolLoop {
    pub(super) fn campaigns(&self) -> Campaigns<'_> {
        let (policy, store, interval) = (&self.policy, &self.store, self.interval);
        Campaigns { policy, store, interval, measured: policy.campaign_signal() }
    }

    /// What a decision may know of campaigns; nothing where no rule asks.
    pub(super) async fn announced(&self, now: Timestamp) -> Result<Announced, StoreError> {
        self.campaigns().announced(now).await
    }

    /// Stores the calendar's campaigns that have begun, so that they can teach.
    pub(super) async fn store_begun_campaigns(&self, now: Timestamp) -> Result<(), StoreError> {
        if self.policy.campaign_signal().is_none() {
            return Ok(());
        }
        let of_calendar = self.policy.campaigns_at(now).into_iter();
        let begun: Vec<Hint> = of_calendar.filter(|hint| hint.starts_at <= now).collect();
        if begun.is_empty() {
            return Ok(());
        }
        let stored = self.store.hints(&self.policy.pool, now).await?;
        let is_new =
            |hint: &Hint| stored.iter().all(|record| record.announcement.hint.id != hint.id);
        let new = begun.into_iter().filter(is_new);
        let owner = "the policy's calendar";
        let new: Vec<Announcement> =
            new.map(|hint| Announcement { hint, owner: owner.to_owned() }).collect();
        self.store.add_hints(&self.policy.pool, &new).await
    }

    /// Keeps what campaigns taught whose tail is measured.
    pub(super) async fn learn_from_campaigns(&self, now: Timestamp) -> Result<(), StoreError> {
        let Some(signal) = self.policy.campaign_signal() else {
            return Ok(());
        };
        for hint in self.store.hints_to_learn_from(&self.policy.pool, now).await? {
            let until = after(learned_until(&hint), LATE_SAMPLES);
            if now < until {
                continue;
            }
            let response =
                fit(&hint, &self.campaigns().samples_of(Some(signal), &hint, until).await?);
            self.store.keep_response(hint.id, response.as_ref(), now).await?;
        }
        Ok(())
    }
}

impl Campaigns<'_> {
    /// What a decision may know of campaigns; nothing where no rule asks.
    pub(super) async fn announced(&self, now: Timestamp) -> Result<Announced, StoreError> {
        if self.policy.campaign_signal().is_none() {
            return Ok(Announced::default());
        }
        let pool = &self.policy.pool;
        let mut hints = Vec::new();
        for hint in self.known_campaigns(now).await? {
            let response = learned(&self.store.responses_like(pool, &hint).await?);
            let around = around(&hint, &self.samples_of(self.measured, &hint, now).await?);
            let (before, peak) = (around.before, around.peak);
            hints.push(ObservedHint { hint, response, before, peak });
        }
        if hints.is_empty() {
            return Ok(Announced::default());
        }
        Ok(Announced { lead_seconds: self.learned_lead().await?, hints })
    }

    /// Campaigns that were announced and those of the policy's calendar, by their start.
    ///
    /// One of the calendar is stored once it begins, or once it is cancelled. From then on what is
    /// stored of it counts.
    async fn known_campaigns(&self, now: Timestamp) -> Result<Vec<Hint>, StoreError> {
        let stored = self.store.hints(&self.policy.pool, now).await?;
        let of_calendar = self.policy.campaigns_at(now).into_iter();
        let is_stored =
            |hint: &Hint| stored.iter().any(|record| record.announcement.hint.id == hint.id);
        let mut known: Vec<Hint> = of_calendar.filter(|hint| !is_stored(hint)).collect();
        let announced = stored.into_iter().filter(|record| record.cancelled_at.is_none());
        known.extend(announced.map(|record| record.announcement.hint));
        known.retain(|hint| hint.is_known(now));
        known.sort_by_key(|hint| (hint.starts_at, hint.id));
        Ok(known)
    }

    async fn samples_of(
        &self,
        signal: Option<&SignalName>,
        hint: &Hint,
        until: Timestamp,
    ) -> Result<Vec<Sample>, StoreError> {
        let from = before(hint.starts_at, BEFORE);
        let Some(signal) = signal.filter(|_| from < until) else {
            return Ok(Vec::new());
        };
        self.store.samples(&self.policy.pool, signal, from, until).await
    }

    /// How long before they are needed nodes must be asked for: each phase of a node's life as
    /// long as nine in ten took, and one interval until the next decision. None before a node
    /// of this pool has served.
    async fn learned_lead(&self) -> Result<Option<f64>, StoreError> {
        let seconds = self.store.seconds_to_serve(&self.policy.pool).await?;
        Ok(seconds.map(|seconds| seconds + self.interval.as_secs_f64()))
    }
}
