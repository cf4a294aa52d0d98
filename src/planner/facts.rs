//! What this look showed of one node.

use crate::domain::{BalancerName, Instance, RunStatus, Server, ServerAdmin, ServerHealth};

/// The world's side of one node.
#[derive(Clone, Debug, PartialEq)]
pub struct Facts {
    /// The instance.
    pub instance: InstanceFact,
    /// The playbook run, for a node that has one; `None` when it could not be asked.
    pub run: Option<RunStatus>,
    /// Its server on each balancer.
    pub servers: Vec<(BalancerName, ServerFact)>,
}

/// What the cloud's listing said of a node's instance.
#[derive(Clone, Debug, PartialEq)]
pub enum InstanceFact {
    /// The listing failed, or was not to be believed.
    Unknown,
    /// Not in the listing.
    Absent {
        /// In how many listings in a row.
        looks: u32,
    },
    /// Listed.
    Present(Instance),
}

/// What one balancer said of a node's server.
#[derive(Clone, Debug, PartialEq)]
pub enum ServerFact {
    /// The balancer did not answer.
    Unreachable {
        /// What it said, or did not.
        why: String,
    },
    /// It answered and has no such server.
    Absent {
        /// Whether the backend has any other server that could take a request.
        backend_usable: bool,
        /// Whether an older worker may still hold the node.
        old_workers: bool,
    },
    /// It has the server.
    Present {
        /// The server.
        server: Server,
        /// Whether an older worker may still hold the node.
        old_workers: bool,
    },
}

impl Facts {
    /// Nothing could be read: what a node's facts are before the first look.
    pub fn unknown() -> Self {
        Self { instance: InstanceFact::Unknown, run: None, servers: Vec::new() }
    }

    /// Whether at least one balancer answered.
    pub fn any_balancer_answers(&self) -> bool {
        self.servers.iter().any(|(_, fact)| !matches!(fact, ServerFact::Unreachable { .. }))
    }

    /// Whether every balancer answered.
    pub fn every_balancer_answers(&self) -> bool {
        self.servers.iter().all(|(_, fact)| !matches!(fact, ServerFact::Unreachable { .. }))
    }

    /// Whether a balancer answers, and each that does sees the node UP.
    pub fn is_up_on_all_that_answer(&self) -> bool {
        let answers = |fact: &ServerFact| !matches!(fact, ServerFact::Unreachable { .. });
        self.any_balancer_answers()
            && self.servers.iter().all(|(_, fact)| is_up(fact) || !answers(fact))
    }

    /// Whether a balancer has the node and doesn't say that its checks fail or have only begun.
    pub fn is_well_somewhere(&self) -> bool {
        self.servers.iter().any(|(_, fact)| match fact {
            ServerFact::Present { server, .. } => {
                matches!(server.health, ServerHealth::Up | ServerHealth::Unchecked)
            }
            ServerFact::Absent { .. } | ServerFact::Unreachable { .. } => false,
        })
    }

    /// As [`are_down`] says of all of its servers.
    pub fn is_down_everywhere(&self) -> bool {
        are_down(&self.servers)
    }

    /// The balancers whose fact `wanted` accepts.
    pub fn balancers_where(&self, wanted: impl Fn(&ServerFact) -> bool) -> Vec<BalancerName> {
        self.servers
            .iter()
            .filter(|(_, fact)| wanted(fact))
            .map(|(balancer, _)| balancer.clone())
            .collect()
    }

    /// Whether two listings in a row lacked the instance: one alone proves nothing.
    pub fn instance_is_gone(&self) -> bool {
        matches!(self.instance, InstanceFact::Absent { looks } if looks >= 2)
    }
}

/// Checked with a fresh full pass, and not in maintenance.
pub(super) fn is_up(fact: &ServerFact) -> bool {
    match fact {
        ServerFact::Present { server, .. } => {
            let checked = matches!(server.health, ServerHealth::Up | ServerHealth::Unchecked);
            checked && server.admin != ServerAdmin::Maintenance
        }
        ServerFact::Absent { .. } | ServerFact::Unreachable { .. } => false,
    }
}

/// Whether a balancer answers, and each that does says that the node's checks fail: one balancer's
/// word alone may be about the balancer.
pub fn are_down(servers: &[(BalancerName, ServerFact)]) -> bool {
    let is_down = |fact: &ServerFact| match fact {
        ServerFact::Unreachable { .. } => None,
        ServerFact::Absent { .. } => Some(false),
        ServerFact::Present { server, .. } => {
            Some(matches!(server.health, ServerHealth::Down { .. }))
        }
    };
    let mut answers = servers.iter().filter_map(|(_, fact)| is_down(fact)).peekable();
    answers.peek().is_some() && answers.all(|is_down| is_down)
}
