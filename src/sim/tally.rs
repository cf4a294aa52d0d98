//! What was seen to happen, counted as it happened.

use std::collections::BTreeMap;

use crate::domain::{BalancerName, Timestamp};

/// Counts over a whole simulation.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Tally {
    /// Instances of ours that ever came to be.
    pub instances_ever: u32,
    /// Most instances of ours that existed at one moment.
    pub most_instances: u32,
    /// How many instances each label ever had; more than one is a machine made twice.
    pub created_by_label: BTreeMap<String, u32>,
    /// Deletions of instances that we did not make.
    pub deleted_strangers: u32,
    /// Instances of ours that were deleted by us.
    pub deleted: u32,
    /// Requests that were under way and cut off by a removal or a deletion of ours.
    pub cuts: Vec<Cut>,
    /// Times that a balancer was told to send requests to a machine that was not configured.
    pub sent_to_bare: Vec<String>,
    /// Times that the daemon died.
    pub crashes: u32,
    /// What went wrong, by kind, and how often.
    pub faults: BTreeMap<&'static str, u64>,
    /// Playbook runs started, with how many hosts each.
    pub run_sizes: Vec<u32>,
}

/// Requests that were cut off.
#[derive(Clone, Debug, PartialEq)]
pub struct Cut {
    /// When, by the daemon's clock.
    pub at: Timestamp,
    /// The node's label.
    pub label: String,
    /// The balancer that they came through.
    pub balancer: BalancerName,
    /// How many.
    pub sessions: u32,
}

/// An instance of ours, as the cloud's own books have it.
#[derive(Clone, Debug, PartialEq)]
pub struct Hired {
    /// Its label.
    pub label: String,
    /// Since when it exists.
    pub from: Timestamp,
    /// When it was gone; none: it is there.
    pub until: Option<Timestamp>,
    /// Whether it went without our doing.
    pub vanished: bool,
}
