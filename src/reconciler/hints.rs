//! What is known of announced campaigns, and what past ones teach.

use super::look::PoolLoop;
use crate::domain::{Duration, Hint, Sample, SignalName, Timestamp, after, before};
use crate::engine::{Announced, ObservedHint};
use crate::forecast::campaign::{LATE_SAMPLES, around, fit, learned, learned_until};
use crate::policy::Rule;
use crate::store::StoreError;

/// A little more than the minutes before a campaign that are looked at.
const BEFORE: Duration = Duration::from_secs(6 * 60);

impl PoolLoop {
    /// What a decision may know of campaigns; nothing where no rule asks.
    pub(super) async fn announced(&self, now: Timestamp) -> Result<Announced, StoreError> {
        let Some(signal) = self.campaign_signal() else {
            return Ok(Announced::default());
        };
        let pool = &self.policy.pool;
        let mut hints = Vec::new();
        for record in self.store.hints(pool, now).await? {
            let hint = record.announcement.hint;
            if record.cancelled_at.is_some() || !hint.is_known(now) {
                continue;
            }
            let response = learned(&self.store.responses_like(pool, &hint).await?);
            let around = around(&hint, &self.samples_of(signal, &hint, now).await?);
            let (before, peak) = (around.before, around.peak);
            hints.push(ObservedHint { hint, response, before, peak });
        }
        if hints.is_empty() {
            return Ok(Announced::default());
        }
        Ok(Announced { lead_seconds: self.learned_lead().await?, hints })
    }

    /// Keeps what campaigns taught whose tail is measured.
    pub(super) async fn learn_from_campaigns(&self, now: Timestamp) -> Result<(), StoreError> {
        let Some(signal) = self.campaign_signal() else {
            return Ok(());
        };
        for hint in self.store.hints_to_learn_from(&self.policy.pool, now).await? {
            let until = after(learned_until(&hint), LATE_SAMPLES);
            if now < until {
                continue;
            }
            let response = fit(&hint, &self.samples_of(signal, &hint, until).await?);
            self.store.keep_response(hint.id, response.as_ref(), now).await?;
        }
        Ok(())
    }

    /// The load that campaigns come on top of, as the first rule about them has it.
    fn campaign_signal(&self) -> Option<&SignalName> {
        self.policy.rules.iter().find_map(|rule| match rule {
            Rule::Hint(hint) => Some(&hint.signal),
            Rule::Target(_) | Rule::Latency(_) | Rule::Count(_) | Rule::Fixed(_) => None,
            Rule::Step(_) | Rule::Schedule(_) | Rule::Forecast(_) | Rule::Surge(_) => None,
        })
    }

    async fn samples_of(
        &self,
        signal: &SignalName,
        hint: &Hint,
        until: Timestamp,
    ) -> Result<Vec<Sample>, StoreError> {
        let from = before(hint.starts_at, BEFORE);
        if until <= from {
            return Ok(Vec::new());
        }
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
