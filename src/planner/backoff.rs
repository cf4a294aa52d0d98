//! When the next node may be created, after nodes that came to nothing, and from which plan.

use crate::domain::{Duration, Failure, Node, NodeState, Timestamp, after, before};
use crate::policy::{Backoff, NodeTemplate};

/// Failures older than this are forgotten.
const MEMORY: Duration = Duration::from_secs(3 * 3600);

/// The moment before which nothing more is created, and how many failures in a row led there.
///
/// - `nodes`: the pool's nodes, the gone ones of the last hours included.
///
/// A failure is followed by another try at once; from the second in a row on, creating rests
/// for `first`, doubling to `longest`. Nodes that were planned before the first of them failed
/// count as one failure: a batch whose playbook is broken is not ten. A node that served or stands
/// by ends the row, and so do three quiet hours. `None`: create freely.
pub fn create_not_before<'a>(
    nodes: impl IntoIterator<Item = &'a Node>,
    backoff: Backoff,
    now: Timestamp,
) -> Option<(Timestamp, u32)> {
    let (last, row) = last_row(nodes, now)?;
    rest(last, row.checked_sub(1)?, backoff, now).map(|until| (until, row))
}

/// The plan that the next node is made from: the first of the template's that does not rest. Or
/// the moment before which nothing more is created, and how many failures in a row led there.
///
/// With fallbacks, a plan that was sold out rests at once, for itself alone: `first`, doubling to
/// `longest`. A node of it that served ends its row, and so do three quiet hours. Other failures
/// keep every plan waiting, as in [`create_not_before`].
pub fn plan_of_next<'a>(
    nodes: &[Node],
    template: &'a NodeTemplate,
    now: Timestamp,
) -> Result<&'a str, (Timestamp, u32)> {
    let alone = template.fallback_types.is_empty();
    let failed_otherwise = nodes.iter().filter(|node| alone || !was_sold_out(node));
    if let Some(rest) = create_not_before(failed_otherwise, template.backoff, now) {
        return Err(rest);
    }
    if alone {
        return Ok(&template.instance_type);
    }
    let mut all_rest: Option<(Timestamp, u32)> = None;
    for plan in std::iter::once(&template.instance_type).chain(&template.fallback_types) {
        let of_it = nodes.iter().filter(|node| node.instance_type == *plan);
        let row =
            last_row(of_it.filter(|node| was_sold_out(node) || node.served_at.is_some()), now);
        let rests = row.and_then(|(last, row)| {
            rest(last, row, template.backoff, now).map(|until| (until, row))
        });
        let Some(rests) = rests else { return Ok(plan) };
        all_rest = Some(all_rest.map_or(rests, |other| other.min(rests)));
    }
    all_rest.map_or(Ok(&template.instance_type), Err)
}

fn was_sold_out(node: &Node) -> bool {
    node.served_at.is_none() && matches!(node.failure, Some(Failure::OutOfCapacity { .. }))
}

/// When the rest after the last failure ends, if it has not; `row` rests in a row double it, and
/// none is none.
fn rest(last: Timestamp, row: u32, backoff: Backoff, now: Timestamp) -> Option<Timestamp> {
    let doublings = row.checked_sub(1)?;
    let rest = backoff.first.saturating_mul(1 << doublings.min(16)).min(backoff.longest);
    let until = after(last, rest);
    (now < until).then_some(until)
}

/// The last failure, and how many in a row led there.
fn last_row<'a>(
    nodes: impl IntoIterator<Item = &'a Node>,
    now: Timestamp,
) -> Option<(Timestamp, u32)> {
    let (mut failures, mut last_success) = (Vec::new(), before(now, MEMORY));
    for node in nodes {
        let failed = node.failed_at.filter(|_| node.served_at.is_none());
        failures.extend(failed.map(|failed| (failed, node.planned_at)));
        let stands_by = (node.state == NodeState::Standby).then_some(node.state_since);
        last_success =
            node.served_at.into_iter().chain(stands_by).fold(last_success, Timestamp::max);
    }
    failures.retain(|(failed, _)| last_success < *failed);
    failures.sort();
    let last = failures.last()?.0;
    let (mut row, mut first_of_batch) = (0u32, None);
    for (failed, planned) in failures {
        if first_of_batch.is_none_or(|first| first < planned) {
            (row, first_of_batch) = (row + 1, Some(failed));
        }
    }
    Some((last, row))
}
