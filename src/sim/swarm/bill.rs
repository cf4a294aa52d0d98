//! Holds the pool's bill against the cloud's own books.
//!
//! The books say since when each instance was; the nodes say when its end was proven, which is
//! what the pool can know. Every started hour counts.

use std::collections::BTreeMap;

use crate::domain::{Duration, Node, NodeState, Timestamp, elapsed};
use crate::engine::Costs;
use crate::sim::Hired;

const HOUR: Duration = Duration::from_secs(3_600);

/// What is wrong with the bill; nothing, if all is well. All of it lies in one month.
pub(super) fn wrong_bill(
    account: &[Hired],
    nodes: &[Node],
    costs: Option<(Timestamp, Costs)>,
) -> Vec<String> {
    let by_label: BTreeMap<&str, &Node> =
        nodes.iter().map(|node| (node.label.as_str(), node)).collect();
    let mut wrong = Vec::new();
    let mut hours = 0;
    for hired in account {
        let node = by_label.get(hired.label.as_str());
        match node.filter(|node| node.instance.is_some()) {
            // Gone by itself before any listing or answer told of it: nobody can know.
            None if hired.vanished => {}
            None => wrong.push(format!("{} is in the books, and on no bill", hired.label)),
            Some(node) => {
                if node.instance_created_at.is_some_and(|born| born != hired.from) {
                    wrong.push(format!("{} is billed from another moment on", hired.label));
                }
                hours += costs.map_or(0, |(at, _)| started_hours(hired.from, node, at));
            }
        }
    }
    for node in nodes.iter().filter(|node| node.instance.is_some()) {
        if !account.iter().any(|hired| hired.label == node.label.as_str()) {
            wrong.push(format!("{} is billed, and in no books", node.label));
        }
    }
    if let Some((_, costs)) = costs
        && let Some(price) = costs.node_hourly
        && price.times(hours) != costs.spent
    {
        let (spent, books) = (costs.spent.get(), price.times(hours).get());
        wrong.push(format!("the bill says ${spent:.3}, the books' {hours} hours are ${books:.3}"));
    }
    wrong
}

/// The hours that began from `from` until the node's end was proven, or until `at`.
fn started_hours(from: Timestamp, node: &Node, at: Timestamp) -> u64 {
    let whole = |end| elapsed(from, end).as_millis();
    let hours = match node.state {
        NodeState::Deleted => whole(node.state_since).div_ceil(HOUR.as_millis()).max(1),
        _ => whole(at) / HOUR.as_millis() + 1,
    };
    u64::try_from(hours).unwrap_or(u64::MAX)
}
