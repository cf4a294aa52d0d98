//! What a policy's bounds cost, beside its budget.

use super::Good;
use crate::domain::{Dollars, NodeCount};
use crate::policy::Warning;
use crate::ports::Fault;

/// A month, in hours: a twelfth of a year of 365 days.
const MONTH_HOURS: u64 = 730;

/// Adds the bill to a policy's notes, and a warning where the least of it is above its budget.
pub(super) fn judge(one: &mut Good, price: Result<Dollars, Fault>) {
    let node = &one.policy.node;
    let price = match price {
        Ok(price) => price,
        Err(fault) => {
            one.warnings.push(Warning {
                key: "node.type".into(),
                what: format!("what it costs can't be told: {fault}"),
                help: "is the type sold in `node.region`, and is `linode.url` right?".into(),
            });
            return;
        }
    };
    let bounds = one.policy.bounds;
    let hourly = |count: NodeCount| price.times(u64::from(count.0));
    let monthly = |count: NodeCount| hourly(count).times(MONTH_HOURS);
    one.notes.push(format!(
        "{} to {} nodes of `{}` at {price} an hour in {} cost {} to {} an hour, {} to {} in \
         {MONTH_HOURS} hours",
        bounds.min.0,
        bounds.max.0,
        node.instance_type,
        node.region,
        hourly(bounds.min),
        hourly(bounds.max),
        monthly(bounds.min),
        monthly(bounds.max),
    ));
    let Some(budget) = one.policy.budget else { return };
    let bills = [
        ("hourly", budget.hourly, hourly(bounds.min), hourly(bounds.max), "an hour"),
        ("monthly", budget.monthly, monthly(bounds.min), monthly(bounds.max), "in 730 hours"),
    ];
    for (key, budget, least, most, time) in bills {
        let Some(budget) = budget else { continue };
        if budget < least {
            one.warnings.push(Warning {
                key: format!("budget.{key}"),
                what: format!(
                    "`bounds.min` alone costs {least} {time}, more than {budget}, and the count \
                     never falls below it: the budget does not hold"
                ),
                help: "raise it, lower `bounds.min`, or take a smaller `node.type`".into(),
            });
        } else if budget < most {
            one.notes.push(format!(
                "`bounds.max` would cost {most} {time}; `budget.{key}` caps the count before, at \
                 {budget}"
            ));
        }
    }
}
