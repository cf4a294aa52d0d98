//! What a pool has cost this month, and what a node costs.
//!
//! In: the pool's nodes, those that ended this month, and the cloud's price.
//! Out: the costs that a budget is held against.
//! Never: asks for a price where no budget needs one.
//!
//! Every started hour is paid: from the moment that the cloud gives for the instance's making to
//! the one at which it was proven to be gone. All hours count at the price of the plan that the
//! policy names now, or of its dearest fallback: a budget may be kept too well, never passed.

use std::collections::BTreeMap;

use futures_util::future::join_all;
use serde::Serialize;
use tracing::warn;

use super::look::{PoolLoop, World};
use crate::domain::{
    Dollars, Duration, Node, NodeId, NodeState, Timestamp, after, calendar_month, elapsed,
};
use crate::engine::Costs;
use crate::policy::{NodeTemplate, Policy};
use crate::ports::{Cloud, Fault};
use crate::store::{Store, StoreError};

const HOUR: Duration = Duration::from_secs(3_600);
/// Prices change a few times in a decade, and are announced.
const PRICE_AGE: Duration = HOUR;
/// After no answer, asked again so soon.
const PRICE_AGAIN: Duration = Duration::from_secs(60);

/// What is remembered between looks; all of it can be read again.
#[derive(Debug, Default)]
pub(super) struct Spending {
    /// The month that `ended` is about, by its first moment.
    month: Option<Timestamp>,
    /// Hours that started in it, of each node that has ended.
    ended: BTreeMap<NodeId, u64>,
    /// The last known price of a node's hour.
    node_hourly: Option<Dollars>,
    /// When the price is asked for next.
    ask_at: Option<Timestamp>,
}

impl PoolLoop {
    /// The cloud's price, where a budget needs it and it is time to ask.
    pub(super) async fn ask_price(&self, now: Timestamp) -> Option<Result<Dollars, Fault>> {
        self.policy.budget.as_ref()?;
        if self.spending.ask_at.is_some_and(|at| now < at) {
            return None;
        }
        Some(dearest_hour(self.world.inventory.cloud(), &self.policy.node).await)
    }

    /// What the pool costs; none without a budget.
    pub(super) async fn costs(
        &mut self,
        price: Option<Result<Dollars, Fault>>,
        now: Timestamp,
    ) -> Result<Option<Costs>, StoreError> {
        if self.policy.budget.is_none() {
            return Ok(None);
        }
        match price {
            None => {}
            Some(Ok(price)) => {
                self.spending.node_hourly = Some(price);
                self.spending.ask_at = Some(after(now, PRICE_AGE));
            }
            Some(Err(fault)) => {
                let pool = &self.policy.pool;
                let known = match self.spending.node_hourly {
                    Some(_) => "the last known price counts",
                    None => "until it is known the budget allows no further node",
                };
                warn!(pool = %pool, "{pool}: what a node costs was not told: {fault}; {known}");
                self.spending.ask_at = Some(after(now, PRICE_AGAIN));
            }
        }
        let month = calendar_month(now);
        if self.spending.month != Some(month.start) {
            let state = self.store.load_pool(&self.policy.pool, month.start).await?;
            self.spending.ended.clear();
            self.spending.note_ended(state.nodes.iter(), month.start);
            self.spending.month = Some(month.start);
        }
        self.spending.note_ended(self.nodes.values(), month.start);
        let living = self.nodes.values().filter(|node| !node.state.is_final());
        let month_left = elapsed(now, month.end);
        Ok(Some(self.spending.costs(living, month.start, month_left, now)))
    }
}

/// What a pool costs, in dollars.
#[derive(Clone, Debug, PartialEq, Serialize, utoipa::ToSchema)]
pub struct Bill {
    /// When it was reckoned.
    pub at: Timestamp,
    /// What one started hour of one node costs; none where the cloud does not say.
    pub node_hourly: Option<f64>,
    /// Instances that are paid for now.
    pub instances: u32,
    /// What an hour of all of them costs.
    pub hourly: Option<f64>,
    /// The bill of this calendar month (UTC) so far: every hour that has started.
    pub month_so_far: Option<f64>,
    /// What it comes to at the month's end if nothing changes.
    pub month_projected: Option<f64>,
}

/// Reckons what a pool costs now, budget or none.
pub async fn bill(policy: &Policy, world: &World, store: &Store) -> Result<Bill, StoreError> {
    let at = world.clock.now();
    let (cloud, node) = (world.inventory.cloud(), &policy.node);
    let price = cloud.hourly_price(&node.instance_type, &node.region).await.ok();
    let month = calendar_month(at);
    let nodes = store.load_pool(&policy.pool, month.start).await?.nodes;
    let mut spending = Spending { node_hourly: price, ..Spending::default() };
    spending.note_ended(nodes.iter(), month.start);
    let living = nodes.iter().filter(|node| !node.state.is_final());
    let instances = living.clone().filter(|node| node.instance.is_some()).count() as u32;
    let costs = spending.costs(living, month.start, elapsed(at, month.end), at);
    let hourly = price.map(|price| price.times(instances.into()));
    let projected = hourly.map(|hourly| {
        let ahead = hourly.for_time(Duration::from_secs(costs.month_seconds_left));
        costs.spent.plus(ahead.minus(costs.paid_ahead))
    });
    Ok(Bill {
        at,
        node_hourly: price.map(Dollars::get),
        instances,
        hourly: hourly.map(Dollars::get),
        month_so_far: price.map(|_| costs.spent.get()),
        month_projected: projected.map(Dollars::get),
    })
}

impl Spending {
    /// Counts the hours of nodes that have ended; those known are counted no second time.
    fn note_ended<'a>(&mut self, nodes: impl Iterator<Item = &'a Node>, month: Timestamp) {
        for node in nodes.filter(|node| node.state == NodeState::Deleted) {
            let Some(born) = born(node) else { continue };
            let hours = hours_until(born, node.state_since, Hours::Begun).max(1);
            self.ended.insert(node.id, hours.saturating_sub(hours_before(born, month)));
        }
    }

    fn costs<'a>(
        &self,
        living: impl Iterator<Item = &'a Node>,
        month: Timestamp,
        month_left: Duration,
        now: Timestamp,
    ) -> Costs {
        let price = self.node_hourly.unwrap_or_default();
        let mut hours: u64 = self.ended.values().sum();
        let mut paid_ahead = Dollars::default();
        for born in living.filter_map(born) {
            let begun = hours_until(born, now, Hours::Full) + 1;
            hours += begun.saturating_sub(hours_before(born, month));
            let of_this_one = elapsed(born, now).as_millis() % HOUR.as_millis();
            let used = Duration::from_millis(u64::try_from(of_this_one).unwrap_or(0));
            paid_ahead = paid_ahead.plus(price.for_time(HOUR.saturating_sub(used)));
        }
        Costs {
            node_hourly: self.node_hourly,
            spent: price.times(hours),
            paid_ahead,
            month_seconds_left: month_left.as_secs(),
        }
    }
}

/// What an hour of a policy's plan costs, or of its dearest fallback.
pub(super) async fn dearest_hour(cloud: &dyn Cloud, node: &NodeTemplate) -> Result<Dollars, Fault> {
    let plans = std::iter::once(&node.instance_type).chain(&node.fallback_types);
    let prices = join_all(plans.map(|plan| cloud.hourly_price(plan, &node.region))).await;
    let prices: Result<Vec<Dollars>, Fault> = prices.into_iter().collect();
    let dearest = |one: Dollars, other: Dollars| if one < other { other } else { one };
    prices.map(|prices| prices.into_iter().reduce(dearest).unwrap_or_default())
}

/// The hours of `nodes`, which may have ended, that started from `month` on and until `now`.
pub(super) fn hours_since<'a>(
    nodes: impl Iterator<Item = &'a Node>,
    month: Timestamp,
    now: Timestamp,
) -> u64 {
    let mut spending = Spending::default();
    let (ended, living): (Vec<_>, Vec<_>) = nodes.partition(|node| node.state.is_final());
    spending.note_ended(ended.into_iter(), month);
    spending.node_hourly = Dollars::new(1.0);
    let costs = spending.costs(living.into_iter(), month, Duration::ZERO, now);
    costs.spent.get().round() as u64
}

/// When a node's first hour began; none where no instance came of it.
fn born(node: &Node) -> Option<Timestamp> {
    node.instance.map(|_| node.instance_created_at.unwrap_or(node.planned_at))
}

/// How a time is counted in hours.
enum Hours {
    /// Every hour that began.
    Begun,
    /// Every hour that is over.
    Full,
}

/// The hours of a node from its making to `end`.
fn hours_until(born: Timestamp, end: Timestamp, count: Hours) -> u64 {
    let (whole, hour) = (elapsed(born, end).as_millis(), HOUR.as_millis());
    let hours = match count {
        Hours::Begun => whole.div_ceil(hour),
        Hours::Full => whole / hour,
    };
    u64::try_from(hours).unwrap_or(u64::MAX)
}

/// The hours of a node that began before a month did.
fn hours_before(born: Timestamp, month: Timestamp) -> u64 {
    hours_until(born, month, Hours::Begun)
}
