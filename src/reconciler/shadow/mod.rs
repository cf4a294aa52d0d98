//! Candidates: policies that are followed beside the live one, and never acted on.
//!
//! In: each decision of the live policy with what it saw; the candidates.
//! Out: what each candidate would have decided, and what would have come of it, in the store.
//! Never: acts, delays or fails a look of the live policy: it runs after one, in a task of its own.
//!
//! Two fleets that nobody makes are followed for each candidate, one by the counts of the live
//! policy and one by its own, both from the same nodes on and by the same model. So what they
//! differ by is the policies' doing alone, and none of it a slow boot's.

mod candidate;
mod compare;
mod standing;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use tracing::warn;

pub use candidate::{Candidate, LiveTick};
pub use compare::{Divergence, ShadowComparison, ShadowSide, compare_shadows};
use standing::Standing;

use super::foresight::{Foresight, Lessons, Whose, same_signal};
use super::hints::Campaigns;
use super::look::World;
use super::observe::Reader;
use super::spending::dearest_hour;
use crate::domain::{
    CandidateName, Dollars, Duration, Missing, Node, NodeState, PoolName, Reading, SignalName,
    Timestamp, after, elapsed,
};
use crate::engine::{Decision, Observation, decide};
use crate::planner::NodePaces;
use crate::policy::{Control, NodeTemplate, Policy, SignalSource};
use crate::store::{Phase, PhaseTimes, ShadowMove, Store, StoreError};
use crate::telemetry::{CandidateLabels, Metrics};

/// Learned times change slowly: a phase ends a few times in an hour.
const PACES_EVERY: Duration = Duration::from_secs(600);
/// Prices change a few times in a decade.
const PRICE_EVERY: Duration = Duration::from_secs(3_600);
/// After no answer, asked again so soon.
const PRICE_AGAIN: Duration = Duration::from_secs(60);

/// What half of the nodes take where none has shown it: a boot of two minutes and a short
/// playbook, then a short drain, and a deletion that Linode proves within seconds.
const USUAL: NodePaces = NodePaces {
    coming: Duration::from_secs(180),
    drain: Duration::from_secs(15),
    deletion: Duration::from_secs(15),
};

/// Follows the candidates of one pool.
pub struct Shadow {
    pool: PoolName,
    world: World,
    store: Arc<Store>,
    telemetry: Metrics,
    interval: Duration,
    followed: BTreeMap<CandidateName, Followed>,
    /// Whom the store knows; none before the first look.
    known: Option<BTreeSet<CandidateName>>,
    prices: BTreeMap<String, (Timestamp, Option<Dollars>)>,
}

/// One candidate that is followed.
struct Followed {
    digest: String,
    standing: Standing,
    foresight: Foresight,
}

impl Shadow {
    /// Follows nobody yet; where each candidate stands is read from `store` when it is met.
    pub fn new(
        pool: PoolName,
        world: World,
        store: Arc<Store>,
        telemetry: Metrics,
        interval: Duration,
    ) -> Self {
        let (followed, prices) = (BTreeMap::new(), BTreeMap::new());
        Self { pool, world, store, telemetry, interval, followed, known: None, prices }
    }

    /// Has every candidate of a tick decide. One that can't be written down takes up again where
    /// the store has it; the others go on. The first failure is told.
    pub async fn look(&mut self, tick: &LiveTick) -> Result<(), StoreError> {
        let mut end = self.forget_absent(tick).await;
        for candidate in tick.candidates.iter() {
            if let Err(cause) = self.follow(candidate, tick).await {
                end = end.and(Err(cause));
            }
        }
        end
    }

    /// Candidates that are none any more are forgotten: one that comes back begins anew.
    async fn forget_absent(&mut self, tick: &LiveTick) -> Result<(), StoreError> {
        let present: BTreeSet<CandidateName> =
            tick.candidates.iter().map(|one| one.name.clone()).collect();
        let known = match self.known.take() {
            Some(known) => known,
            None => {
                let kept = self.store.shadows(&self.pool).await?;
                kept.into_iter().map(|kept| kept.candidate).collect()
            }
        };
        for gone in known.difference(&present) {
            self.store.forget_shadow(&self.pool, gone).await?;
            self.followed.remove(gone);
            self.telemetry.shadow_desired_nodes.remove(&self.labels(gone));
        }
        self.known = Some(present);
        Ok(())
    }

    fn labels(&self, candidate: &CandidateName) -> CandidateLabels {
        CandidateLabels { pool: self.pool.to_string(), candidate: candidate.to_string() }
    }

    async fn follow(&mut self, candidate: &Candidate, tick: &LiveTick) -> Result<(), StoreError> {
        let known = self.followed.remove(&candidate.name);
        let mut followed = match known.filter(|known| known.digest == candidate.policy.digest) {
            Some(followed) => followed,
            None => self.take_up(candidate, tick).await?,
        };
        let now = tick.observation.at;
        if followed.standing.paces_due(now) {
            let paces = paces(&self.store.learned(&self.pool).await?);
            followed.standing.set_paces(paces, now);
        }
        let live_price = self.price(&tick.policy.node, now).await;
        let price = self.price(&candidate.policy.node, now).await;
        followed.standing.set_prices(live_price, price);
        followed.standing.pass(candidate, tick);
        let observation = self.observe(&mut followed, candidate, tick).await?;
        let decision = decide(&candidate.policy, &observation);
        let spans = followed.standing.take(candidate, tick, &decision);
        let state = serde_json::to_string(&followed.standing).expect("plain data");
        let begins = spans.begins.as_ref().map(|span| (span, &observation, &decision));
        let new = ShadowMove {
            candidate: &candidate.name,
            policy_digest: &candidate.policy.digest,
            state,
            goes_on: spans.goes_on.as_ref(),
            begins,
        };
        self.store.move_shadow(&self.pool, now, &new).await?;
        let lessons = lessons(candidate, tick, &self.world, &self.store);
        followed.foresight.keep(&lessons, now).await?;
        self.show(candidate, &decision);
        self.followed.insert(candidate.name.clone(), followed);
        Ok(())
    }

    fn show(&self, candidate: &Candidate, decision: &Decision) {
        let labels = self.labels(&candidate.name);
        let desired = i64::from(decision.to.0);
        self.telemetry.shadow_desired_nodes.get_or_create(&labels).set(desired);
    }

    /// Where a candidate stands: where the store has it, or else where the live policy does.
    async fn take_up(
        &self,
        candidate: &Candidate,
        tick: &LiveTick,
    ) -> Result<Followed, StoreError> {
        let digest = candidate.policy.digest.clone();
        let kept = self.store.shadows(&self.pool).await?.into_iter();
        let mut kept = kept.filter(|kept| kept.policy_digest == digest);
        let kept = kept.rfind(|kept| kept.candidate == candidate.name);
        let standing = kept.and_then(|kept| match serde_json::from_str(&kept.state) {
            Ok(standing) => Some(standing),
            Err(error) => {
                warn!(pool = %self.pool, %error, "{} is followed anew", candidate.name);
                None
            }
        });
        let standing = match standing {
            Some(standing) => standing,
            None => {
                self.store.forget_shadow(&self.pool, &candidate.name).await?;
                self.store.keep_policy(&candidate.policy, tick.observation.at).await?;
                let paces = paces(&self.store.learned(&self.pool).await?);
                let month = crate::domain::calendar_month(tick.observation.at).start;
                let nodes = self.store.load_pool(&self.pool, month).await?.nodes;
                Standing::begin(candidate, tick, paces, &nodes)
            }
        };
        Ok(Followed { digest, standing, foresight: Foresight::default() })
    }

    /// All that the candidate may look at: the signals and the real nodes behind them as they are,
    /// and its own would-be fleet and history.
    async fn observe(
        &self,
        followed: &mut Followed,
        candidate: &Candidate,
        tick: &LiveTick,
    ) -> Result<Observation, StoreError> {
        let (policy, now) = (&*candidate.policy, tick.observation.at);
        let readings = self.readings(candidate, tick).await;
        let lessons = lessons(candidate, tick, &self.world, &self.store);
        let forecasts = followed.foresight.foresee(&lessons, &readings, now).await?;
        let signal = policy.campaign_signal();
        let measured = signal.and_then(|signal| same_signal(&tick.policy, policy, signal));
        let (store, interval) = (&*self.store, self.interval);
        let hints = Campaigns { policy, store, interval, measured }.announced(now).await?;
        Ok(Observation {
            at: now,
            fleet: followed.standing.counts(),
            nodes: tick.observation.nodes.clone(),
            readings,
            forecasts,
            is_held: tick.is_ordered_to_hold || policy.control == Control::Hold,
            overrides: tick.observation.overrides.clone(),
            costs: followed.standing.costs(policy, now),
            hints,
            history: followed.standing.history().clone(),
        })
    }

    /// What the live policy read of the same signals, and what only the candidate reads.
    async fn readings(
        &self,
        candidate: &Candidate,
        tick: &LiveTick,
    ) -> BTreeMap<SignalName, Reading> {
        let policy = &candidate.policy;
        let mut readings = BTreeMap::new();
        let mut others = Vec::new();
        let counted = tick.counted.get(&candidate.name);
        for (name, signal) in &policy.signals {
            let same = same_signal(&tick.policy, policy, name);
            if let Some(reading) = same.and_then(|same| tick.observation.readings.get(same)) {
                readings.insert(name.clone(), reading.clone());
                continue;
            }
            match &signal.source {
                SignalSource::Prometheus { .. } => others.push((name, signal)),
                SignalSource::Haproxy(_) => {
                    let counted = counted.and_then(|counted| counted.get(name)).cloned();
                    let message = "the live policy does not look at this backend".to_owned();
                    let missing = Reading::Missing { why: Missing::QueryFailed { message } };
                    readings.insert(name.clone(), counted.unwrap_or(missing));
                }
            }
        }
        let serves = |node: &&Node| node.state == NodeState::InService;
        let serving = tick.nodes.iter().filter(serves).count() as u32;
        let (metrics, now) = (self.world.metrics.as_ref(), tick.observation.at);
        readings.extend(Reader { metrics, serving, now }.read(others).await);
        readings
    }

    /// What an hour of a node costs, asked for now and then; none while nobody says.
    async fn price(&mut self, node: &NodeTemplate, now: Timestamp) -> Option<Dollars> {
        let key = format!("{} {:?} {}", node.region, node.fallback_types, node.instance_type);
        if let Some((ask_at, price)) = self.prices.get(&key)
            && now < *ask_at
        {
            return *price;
        }
        let (ask_at, price) = match dearest_hour(self.world.inventory.cloud(), node).await {
            Ok(price) => (after(now, PRICE_EVERY), Some(price)),
            Err(_) => {
                let known = self.prices.get(&key).and_then(|(_, price)| *price);
                (after(now, PRICE_AGAIN), known)
            }
        };
        self.prices.insert(key, (ask_at, price));
        price
    }
}

fn lessons<'a>(
    candidate: &'a Candidate,
    tick: &'a LiveTick,
    world: &'a World,
    store: &'a Store,
) -> Lessons<'a> {
    let live: &Policy = &tick.policy;
    let whose = Whose::Candidate { name: &candidate.name, live };
    Lessons { policy: &candidate.policy, metrics: world.metrics.as_ref(), store, whose }
}

/// What half of the pool's nodes took, where they have shown it.
fn paces(learned: &[PhaseTimes]) -> NodePaces {
    let median = |phase| {
        let known = learned.iter().find(|times: &&PhaseTimes| times.phase == phase)?;
        Duration::try_from_secs_f64(known.median_seconds).ok()
    };
    let coming = [Phase::Create, Phase::Boot, Phase::Configure, Phase::Join];
    let coming = coming.into_iter().map(median).sum::<Option<Duration>>();
    NodePaces {
        coming: coming.unwrap_or(USUAL.coming),
        drain: median(Phase::Drain).unwrap_or(USUAL.drain),
        deletion: median(Phase::Delete).unwrap_or(USUAL.deletion),
    }
}

/// Whether learned times of `asked` are old.
fn is_old(asked: Timestamp, now: Timestamp) -> bool {
    PACES_EVERY <= elapsed(asked, now) || now < asked
}
