//! When the next node may be created, after nodes that came to nothing.

use crate::domain::{Duration, Node, Timestamp, after, before};
use crate::policy::Backoff;

/// Failures older than this are forgotten.
const MEMORY: Duration = Duration::from_secs(3 * 3600);

/// The moment before which nothing more is created, and how many failures in a row led there.
///
/// - `nodes`: the pool's nodes, the gone ones of the last hours included.
///
/// A failure is followed by another try at once; from the second in a row on, creating rests
/// for `first`, doubling to `longest`. A node that served ends the row, and so do three quiet
/// hours. `None`: create freely.
pub fn create_not_before<'a>(
    nodes: impl IntoIterator<Item = &'a Node>,
    backoff: Backoff,
    now: Timestamp,
) -> Option<(Timestamp, u32)> {
    let (mut failures, mut last_success) = (Vec::new(), before(now, MEMORY));
    for node in nodes {
        failures.extend(node.failed_at.filter(|_| node.served_at.is_none()));
        last_success = last_success.max(node.served_at.unwrap_or(last_success));
    }
    failures.retain(|failed| last_success < *failed);
    let last = *failures.iter().max()?;
    let row = failures.len() as u32;
    let doublings = row.checked_sub(2)?;
    let rest = backoff.first.saturating_mul(1 << doublings.min(16)).min(backoff.longest);
    let until = after(last, rest);
    (now < until).then_some((until, row))
}
