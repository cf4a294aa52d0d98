//! A candidate beside the live policy: how far they were apart, and what each came to.

use serde::{Deserialize, Serialize};

use super::standing::Standing;
use crate::domain::{CandidateName, Dollars, NodeCount, PoolName, SignalName, Timestamp, elapsed};
use crate::store::{KeptShadow, ShadowSpan, ShadowTally, Store, StoreError};

/// The last times apart are told one by one; more of them say nothing new.
const TOLD: usize = 5;

const HOUR_MILLISECONDS: f64 = 3_600_000.0;

/// A candidate beside the live policy of its pool.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct ShadowComparison {
    /// The pool.
    pub pool: PoolName,
    /// The candidate.
    pub candidate: CandidateName,
    /// Its policy's digest.
    pub policy_digest: String,
    /// The beginning of what is compared.
    pub from: Timestamp,
    /// The candidate's last decision.
    pub until: Timestamp,
    /// What the live policy came to.
    pub live: ShadowSide,
    /// What the candidate would have come to.
    pub shadow: ShadowSide,
    /// The share of the time in which they wanted different counts, from 0 to 1.
    pub apart_ratio: f64,
    /// When they were furthest apart, the last such time.
    pub largest: Option<Divergence>,
    /// How long it is known what the load asked for, in seconds.
    pub judged_seconds: u64,
    /// How many live policies it was held against, one after another.
    pub live_policies: usize,
    /// Signals of the candidate that speak of the real nodes and their load: what they would have
    /// said beside the candidate's own nodes is not known.
    pub rests_on_real_nodes: Vec<SignalName>,
    /// The last times at which they wanted different counts, newest first.
    pub divergences: Vec<Divergence>,
}

/// What one policy came to. Both sides are would-be fleets of the same model, which began with the
/// same nodes.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct ShadowSide {
    /// The count that it wants now.
    pub desired: NodeCount,
    /// How many nodes would serve now.
    pub serving: NodeCount,
    /// How long nodes were there, added up, in hours.
    pub node_hours: f64,
    /// Hours that began, each of which is billed whole.
    pub billed_hours: u64,
    /// What an hour costs: the plan's price, or that of its dearest fallback.
    pub hourly: Option<Dollars>,
    /// What those hours cost.
    pub cost: Option<Dollars>,
    /// How long fewer nodes served than the load asked for, without head-room, in seconds.
    pub short_seconds: u64,
}

/// A time in which both wanted different counts.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Divergence {
    /// Its beginning.
    pub from: Timestamp,
    /// Its end, or now.
    pub until: Timestamp,
    /// The count that the live policy wanted.
    pub live_desired: NodeCount,
    /// The count that the candidate wanted.
    pub desired: NodeCount,
    /// Why, in the live policy's words.
    pub live_reasons: Vec<String>,
    /// Why, in the candidate's words.
    pub reasons: Vec<String>,
}

/// Every candidate of `pool` beside the live policy, since a time or as far back as is known.
pub async fn compare_shadows(
    store: &Store,
    pool: &PoolName,
    since: Option<Timestamp>,
) -> Result<Vec<ShadowComparison>, StoreError> {
    let mut compared = Vec::new();
    for kept in store.shadows(pool).await? {
        let damaged = |cause: serde_json::Error| StoreError::Damaged {
            what: format!("where the candidate {} stands: {cause}", kept.candidate),
        };
        let standing: Standing = serde_json::from_str(&kept.state).map_err(damaged)?;
        let since = since.unwrap_or(standing.since).max(standing.since);
        let (candidate, digest) = (&kept.candidate, &kept.policy_digest);
        let spans = store.shadow_spans(pool, candidate, digest, since).await?;
        compared.extend(compare(pool, &kept, &standing, &spans));
    }
    Ok(compared)
}

fn compare(
    pool: &PoolName,
    kept: &KeptShadow,
    standing: &Standing,
    spans: &[ShadowSpan],
) -> Option<ShadowComparison> {
    let (first, last) = (spans.first()?, spans.last()?);
    let length = |span: &ShadowSpan| elapsed(span.from, span.until).as_secs_f64();
    let distance = |span: &ShadowSpan| span.live_desired.0.abs_diff(span.desired.0);
    let all: f64 = spans.iter().map(length).sum();
    let apart: Vec<&ShadowSpan> = spans.iter().filter(|span| distance(span) != 0).collect();
    let time_apart: f64 = apart.iter().map(|span| length(span)).sum();
    let mut policies: Vec<&str> = spans.iter().map(|span| span.live_digest.as_str()).collect();
    policies.dedup();
    let judged: u64 = spans.iter().map(|span| span.judged_milliseconds).sum();
    let live = Sum::of(spans.iter().map(|span| span.live));
    let shadow = Sum::of(spans.iter().map(|span| span.candidate));
    let (live_serving, serving) = (standing.live_counts().serving, standing.counts().serving);
    Some(ShadowComparison {
        pool: pool.clone(),
        candidate: kept.candidate.clone(),
        policy_digest: kept.policy_digest.clone(),
        from: first.from,
        until: kept.at,
        live: live.side(last.live_desired, live_serving, standing.live_price),
        shadow: shadow.side(last.desired, serving, standing.price),
        apart_ratio: if all == 0.0 { 0.0 } else { time_apart / all },
        largest: apart.iter().max_by_key(|span| distance(span)).map(|span| divergence(span)),
        judged_seconds: judged / 1_000,
        live_policies: policies.len(),
        rests_on_real_nodes: standing.rests_on_real_nodes.clone(),
        divergences: apart.iter().rev().take(TOLD).map(|span| divergence(span)).collect(),
    })
}

fn divergence(span: &ShadowSpan) -> Divergence {
    Divergence {
        from: span.from,
        until: span.until,
        live_desired: span.live_desired,
        desired: span.desired,
        live_reasons: span.live_reasons.clone(),
        reasons: span.reasons.clone(),
    }
}

struct Sum(ShadowTally);

impl Sum {
    fn of(tallies: impl Iterator<Item = ShadowTally>) -> Self {
        Self(tallies.fold(ShadowTally::default(), |sum, more| ShadowTally {
            node_milliseconds: sum.node_milliseconds + more.node_milliseconds,
            hours_begun: sum.hours_begun + more.hours_begun,
            short_milliseconds: sum.short_milliseconds + more.short_milliseconds,
        }))
    }

    fn side(self, desired: NodeCount, serving: NodeCount, hourly: Option<Dollars>) -> ShadowSide {
        ShadowSide {
            desired,
            serving,
            node_hours: self.0.node_milliseconds as f64 / HOUR_MILLISECONDS,
            billed_hours: self.0.hours_begun,
            hourly,
            cost: hourly.map(|hourly| hourly.times(self.0.hours_begun)),
            short_seconds: self.0.short_milliseconds / 1_000,
        }
    }
}
