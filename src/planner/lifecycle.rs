//! The table of a node's life: for each state, what happens next.
//!
//! In: a node, what this look showed of it, what the pool wishes of it, the policy, now.
//! Out: wait, write a state, or write a state and take a step.
//! Never: acts, or trusts a record over a fact.

mod arriving;
mod leaving;
mod repair;
mod serving;
mod standby;

use super::facts::{Facts, ServerFact, is_up};
use super::step::Step;
use crate::domain::{
    BalancerName, Duration, Failure, Node, NodeState, RunId, ServerAdmin, ServerHealth, Timestamp,
    after,
};
use crate::policy::Policy;

/// How long after a create call in doubt the absence of its label proves that nothing came of
/// it: listings lag behind calls, and a call may still be under way.
const DOUBT: Duration = Duration::from_secs(60);

/// How long servers and instance may take to go before somebody is told.
const DELETING_DEADLINE: Duration = Duration::from_secs(300);

/// What the pool wishes of one node.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wish {
    /// Go on as you are.
    Stay,
    /// Not needed: leave.
    Leave,
    /// Needed again: come back, if you are draining or in standby.
    Serve,
    /// Not needed to serve, and kept: stand by.
    StandBy,
}

/// What a node does next.
#[derive(Clone, Debug, PartialEq)]
pub enum Next {
    /// Nothing, until a fact changes or the state's deadline passes.
    Wait {
        /// For what, as the end of "waits for …".
        what: String,
    },
    /// Write a state, take a step, or both in this order.
    Do {
        /// The state to write; `None` stays.
        enter: Option<NodeState>,
        /// The act.
        step: Option<Step>,
        /// The misfortune that led here.
        failure: Option<Failure>,
        /// Why.
        because: String,
    },
}

/// The table. `run` is the id for a playbook run, should this node begin one.
pub fn next(
    node: &Node,
    facts: &Facts,
    wish: Wish,
    policy: &Policy,
    run: RunId,
    now: Timestamp,
) -> Next {
    let life = Life { node, facts, wish, policy, now };
    match &node.state {
        NodeState::Planned => life.planned(),
        NodeState::Provisioning { deadline } => life.provisioning(*deadline, run),
        NodeState::Configuring { run, deadline } => life.configuring(*run, *deadline),
        NodeState::Joining { deadline } => life.joining(*deadline),
        NodeState::InService => life.in_service(),
        NodeState::Unhealthy { deadline } => life.unhealthy(*deadline),
        NodeState::Standby => life.standby(),
        NodeState::Draining { deadline } => life.draining(*deadline),
        NodeState::Deleting { deadline } => life.deleting(*deadline),
        NodeState::Deleted | NodeState::Failed { .. } => life.over(),
    }
}

struct Life<'a> {
    node: &'a Node,
    facts: &'a Facts,
    wish: Wish,
    policy: &'a Policy,
    now: Timestamp,
}

impl Life<'_> {
    /// Balancers that give it requests.
    fn receiving(&self) -> Vec<BalancerName> {
        self.facts.balancers_where(|fact| {
            matches!(fact, ServerFact::Present { server, .. } if server.admin == ServerAdmin::Ready)
        })
    }

    fn has_ended_its_requests(&self) -> bool {
        self.facts.every_balancer_answers() && self.facts.servers.iter().all(|(_, f)| idle(f))
    }

    /// What each balancer says that answers and does not see it UP.
    fn described(&self) -> String {
        let not_up =
            self.facts.servers.iter().filter(|(_, fact)| {
                !is_up(fact) && !matches!(fact, ServerFact::Unreachable { .. })
            });
        not_up.map(|(name, fact)| describe(name, fact)).collect::<Vec<_>>().join("; ")
    }

    fn give_up(&self, failure: Option<Failure>, because: &str) -> Next {
        let deadline = after(self.now, DELETING_DEADLINE);
        Next::Do {
            enter: Some(NodeState::Deleting { deadline }),
            step: None,
            failure,
            because: because.into(),
        }
    }

    fn cut_run(&self, run: RunId, failure: Option<Failure>, because: &str) -> Next {
        let deadline = after(self.now, DELETING_DEADLINE);
        Next::Do {
            enter: Some(NodeState::Deleting { deadline }),
            step: Some(Step::CancelRun { run }),
            failure,
            because: because.into(),
        }
    }

    /// Whether the last try of this state lies far enough back; one that is yet to come was made by
    /// a clock that has been set back since.
    fn may_try(&self) -> bool {
        self.node
            .attempt
            .as_ref()
            .is_none_or(|attempt| attempt.not_before <= self.now || self.now < attempt.at)
    }

    fn last_try_is_older_than(&self, age: Duration) -> bool {
        self.node.attempt.as_ref().is_none_or(|attempt| after(attempt.at, age) <= self.now)
    }

    fn answering(&self) -> Vec<BalancerName> {
        self.facts.balancers_where(|fact| !matches!(fact, ServerFact::Unreachable { .. }))
    }

    fn present(&self) -> Vec<BalancerName> {
        self.facts.balancers_where(|fact| matches!(fact, ServerFact::Present { .. }))
    }

    /// Balancers that answer and lack the server, or have it half registered by us.
    fn unregistered(&self) -> Vec<BalancerName> {
        self.facts
            .servers
            .iter()
            .filter(|(name, fact)| match fact {
                ServerFact::Absent { .. } => true,
                ServerFact::Present { server, .. } => {
                    let joining = matches!(self.node.state, NodeState::Joining { .. });
                    let half = server.admin == ServerAdmin::Maintenance;
                    half && (joining || self.node.admitting.contains(name))
                }
                ServerFact::Unreachable { .. } => false,
            })
            .map(|(name, _)| name.clone())
            .collect()
    }
}

fn wait(what: &str) -> Next {
    Next::Wait { what: what.into() }
}

fn go(enter: NodeState, step: Option<Step>, because: &str) -> Next {
    Next::Do { enter: Some(enter), step, failure: None, because: because.into() }
}

fn stay(step: Step, because: &str) -> Next {
    Next::Do { enter: None, step: Some(step), failure: None, because: because.into() }
}

/// Nothing of the node's is under way there.
fn idle(fact: &ServerFact) -> bool {
    match fact {
        ServerFact::Present { server, old_workers } => {
            server.sessions == 0 && server.queued == 0 && !old_workers
        }
        ServerFact::Absent { old_workers, .. } => !old_workers,
        ServerFact::Unreachable { .. } => false,
    }
}

fn describe(balancer: &BalancerName, fact: &ServerFact) -> String {
    match fact {
        ServerFact::Unreachable { .. } => format!("{balancer} does not answer"),
        ServerFact::Absent { .. } => format!("{balancer} has no such server"),
        ServerFact::Present { server, .. } => match &server.health {
            ServerHealth::Down { check } => format!("{balancer} says DOWN ({check})"),
            ServerHealth::Rising => format!("{balancer} has not seen enough checks pass"),
            ServerHealth::Up | ServerHealth::Unchecked => {
                format!("{balancer} has it in maintenance")
            }
        },
    }
}
