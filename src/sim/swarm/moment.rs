//! What one look left behind, and what is left at the end: all that checkers see.

use crate::domain::{DecisionId, Node, NodeCount, Timestamp};
use crate::engine::Costs;
use crate::sim::{Cut, Hired, SimAnnotation};
use crate::store::{DecisionRecord, JournalRecord};

/// What one look left behind.
#[derive(Clone, Debug, Default)]
pub(super) struct Moment {
    /// The moment of the look, by the daemon's clock.
    pub at: Timestamp,
    /// The most instances of ours that ever existed at once.
    pub most_instances: u32,
    /// Labels of the instances of ours that exist.
    pub existing: Vec<String>,
    /// Labels that more than one instance had.
    pub made_twice: Vec<String>,
    /// Machines that were sent requests and are not configured, since the last look.
    pub sent_to_bare: Vec<String>,
    /// Requests that were cut off, since the last look.
    pub cuts: Vec<Cut>,
    /// What of somebody else's was changed.
    pub touched: Vec<String>,
    /// The journal's new rows, oldest first.
    pub entries: Vec<JournalRecord>,
    /// The decision that was made, if one was.
    pub decision: Option<DecisionRecord>,
}

/// What is left once all has been well for long enough.
#[derive(Clone, Debug)]
pub(super) struct End {
    /// When, by the daemon's clock.
    pub at: Timestamp,
    /// How many nodes serve and how many stand by in a pool that has settled, or how it did not.
    pub settled: Result<(NodeCount, NodeCount), String>,
    /// Instances of ours.
    pub instances: u32,
    /// Of each balancer: servers of ours that serve, and all of them.
    pub servers: Vec<(u32, u32)>,
    /// What a look would do.
    pub acts: Vec<String>,
    /// What a look would note.
    pub notes: Vec<String>,
    /// The cloud's own books.
    pub account: Vec<Hired>,
    /// Every node that ever was.
    pub nodes: Vec<Node>,
    /// The costs that the last decision saw, and when.
    pub costs: Option<(Timestamp, Costs)>,
    /// What was annotated.
    pub annotations: Vec<SimAnnotation>,
    /// The decisions that changed the count.
    pub changes: Vec<DecisionId>,
    /// What is wrong with the store.
    pub store: Vec<String>,
}
