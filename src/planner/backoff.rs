//! When the next node may be created, after nodes that came to nothing.

use crate::domain::{Duration, Node, NodeState, Timestamp, after, before};
use crate::policy::Backoff;

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
    let doublings = row.checked_sub(2)?;
    let rest = backoff.first.saturating_mul(1 << doublings.min(16)).min(backoff.longest);
    let until = after(last, rest);
    (now < until).then_some((until, row))
}
