//! Budget: the pool costs no more than it may.
//!
//! In: a count, the policy's budget, and what the pool costs.
//! Out: the most nodes that the budget pays for.
//! Never: goes below the smallest count, which the bounds hold anyway; lowers a count because a
//! price is unknown.
//!
//! Nodes in standby are paid first: what a budget pays for is less by as many.
//!
//! An hour's budget pays for `floor(hourly / price)` nodes. What is left of a month's pays for as
//! many as can run to the month's end: `floor((monthly - used) / (price × time left))`, where
//! `used` leaves out what is paid ahead, the rest of the hours that have started: else each new
//! hour of a steady pool would seem to be paid twice, and a node would leave for a while.
//!
//! Without a price nobody knows what one more node costs, and a hard cap may not be guessed at:
//! the count may fall, not rise. The last known price is kept while the cloud does not answer, so
//! that is so only from a start to the first answer.

use super::super::look::Look;
use super::super::{BudgetPeriod, Costs, Reason};
use super::Verdict;
use crate::domain::{Dollars, Duration, NodeCount};
use crate::policy::{Budget, Policy};

const HOUR: Duration = Duration::from_secs(3_600);

/// The most nodes that a budget pays for, and which.
struct Limit {
    period: BudgetPeriod,
    cap: Dollars,
    affordable: NodeCount,
    node_hourly: Dollars,
}

/// The most that the budget pays for, or the same count.
pub(in crate::engine) fn guard(look: &Look<'_>, count: NodeCount) -> Verdict {
    let budget = look.policy.budget.as_ref()?;
    let min = look.bounds.min;
    let Some(price) = look.observation.costs.and_then(|costs| costs.node_hourly) else {
        let kept = look.from.max(min);
        let because = Reason::PriceUnknown { wanted: count, count: kept };
        return (kept < count).then_some((kept, because));
    };
    let Limit { period, cap, affordable, node_hourly } = limit(look, budget, price)?;
    let allowed = affordable.max(min);
    let because = Reason::CutByBudget { wanted: count, affordable, period, cap, node_hourly };
    (allowed < count).then_some((allowed, because))
}

/// What to tell of the budget that changes no count.
pub(in crate::engine) fn warnings(look: &Look<'_>, to: NodeCount) -> Vec<Reason> {
    let Some(budget) = &look.policy.budget else { return Vec::new() };
    let Some(costs) = look.observation.costs else { return Vec::new() };
    let min = look.bounds.min;
    let limit = costs.node_hourly.and_then(|price| limit(look, budget, price));
    let below = limit.filter(|limit| limit.affordable < min).map(|limit| {
        let Limit { affordable, period, .. } = limit;
        Reason::BudgetBelowMin { affordable, period, min }
    });
    let near = shares(budget, &costs, with_standby(look.policy, to));
    let near = near.into_iter().filter_map(|(period, cap, share)| {
        let used_percent = share * 100.0;
        let is_near = used_percent >= budget.soft.get();
        is_near.then_some(Reason::BudgetNear { period, cap, used_percent })
    });
    below.into_iter().chain(near).collect()
}

/// How much of its budget a pool of so many nodes uses: 1 is all of it. The larger share where it
/// has two budgets; `None` without a budget.
pub fn used(policy: &Policy, costs: Option<&Costs>, count: NodeCount) -> Option<f64> {
    let shares = shares(policy.budget.as_ref()?, costs?, with_standby(policy, count));
    shares.into_iter().map(|(_, _, share)| share).reduce(f64::max)
}

/// The share of each budget that is used: of an hour's by so many nodes, of a month's by what was
/// spent in it.
fn shares(budget: &Budget, costs: &Costs, count: NodeCount) -> Vec<(BudgetPeriod, Dollars, f64)> {
    let hourly = budget.hourly.zip(costs.node_hourly).map(|(cap, price)| {
        (BudgetPeriod::Hour, cap, price.times(u64::from(count.0)).share_of(cap))
    });
    let monthly = budget.monthly.map(|cap| (BudgetPeriod::Month, cap, costs.spent.share_of(cap)));
    hourly.into_iter().chain(monthly).collect()
}

/// All that is paid for when so many nodes serve.
fn with_standby(policy: &Policy, count: NodeCount) -> NodeCount {
    count.plus(policy.standby.nodes.0)
}

/// The tighter of both budgets; none where nodes are free.
fn limit(look: &Look<'_>, budget: &Budget, node_hourly: Dollars) -> Option<Limit> {
    let standby = look.policy.standby.nodes.0;
    let hourly = budget.hourly.and_then(|cap| {
        let affordable = NodeCount(cap.pays_for(node_hourly, HOUR)?).minus(standby);
        Some(Limit { period: BudgetPeriod::Hour, cap, affordable, node_hourly })
    });
    let monthly = budget.monthly.zip(look.observation.costs).and_then(|(cap, costs)| {
        let left = cap.plus(costs.paid_ahead).minus(costs.spent);
        let time = Duration::from_secs(costs.month_seconds_left.max(1));
        let affordable = NodeCount(left.pays_for(node_hourly, time)?).minus(standby);
        Some(Limit { period: BudgetPeriod::Month, cap, affordable, node_hourly })
    });
    hourly.into_iter().chain(monthly).min_by_key(|limit| limit.affordable)
}
