//! The way out: drained, taken off every balancer, and only then deleted.
//!
//! In: a node that leaves, and what this look showed of it.
//! Out: what it does next.
//! Never: deletes an instance that a balancer may still send requests to, before its deadline.

use super::super::facts::{InstanceFact, ServerFact};
use super::super::step::Step;
use super::{DELETING_DEADLINE, DOUBT, Life, Next, Wish, go, stay, wait};
use crate::domain::{Node, NodeState, Sessions, Timestamp, after};

impl Life<'_> {
    pub fn draining(&self, deadline: Timestamp) -> Next {
        if self.facts.instance_is_gone() {
            return self.give_up(None, "the instance vanished while draining");
        }
        if self.wish == Wish::Serve {
            return self.serve_again("needed again before it had left");
        }
        let is_kept = self.wish == Wish::StandBy;
        if deadline <= self.now && is_kept {
            let because = "its drain deadline passed; what is left may end while it stands by";
            return go(NodeState::Standby, None, because);
        }
        if deadline <= self.now {
            return self.leave_with(Sessions::Cut, "its drain deadline passed");
        }
        let receiving = self.receiving();
        if !receiving.is_empty() && self.may_try() {
            return stay(Step::DrainServer { balancers: receiving }, "still given requests");
        }
        if !receiving.is_empty() {
            return wait("the next try to drain it");
        }
        if self.has_ended_its_requests() && is_kept {
            return go(NodeState::Standby, None, "no sessions on any balancer; kept in standby");
        }
        if self.has_ended_its_requests() {
            return self.leave_with(Sessions::LetEnd, "no sessions on any balancer");
        }
        wait("its last requests to end")
    }

    fn serve_again(&self, because: &str) -> Next {
        go(NodeState::InService, Some(Step::MakeReady { balancers: self.answering() }), because)
    }

    /// From draining to deleting. A deadline that is due already lets the removal cut sessions.
    pub fn leave_with(&self, sessions: Sessions, because: &str) -> Next {
        let deadline = match sessions {
            Sessions::LetEnd => after(self.now, DELETING_DEADLINE),
            Sessions::Cut => self.now,
        };
        let step = Step::RemoveServer { balancers: self.present(), sessions };
        go(NodeState::Deleting { deadline }, Some(step), because)
    }

    pub fn deleting(&self, deadline: Timestamp) -> Next {
        let overdue = deadline <= self.now;
        let present = self.present();
        if !present.is_empty() && self.may_try() {
            let sessions = match self.node.served_at {
                Some(_) if !overdue => Sessions::LetEnd,
                _ => Sessions::Cut,
            };
            let step = Step::RemoveServer { balancers: present, sessions };
            return stay(step, "balancers first, then the instance");
        }
        if !present.is_empty() {
            return wait("the balancers to let go of it");
        }
        let held_by_old_worker = self.facts.servers.iter().any(|(_, fact)| old_workers(fact));
        let served = self.node.served_at.is_some();
        if served && !overdue && (held_by_old_worker || !self.facts.every_balancer_answers()) {
            return wait("every balancer to say that it holds nothing of it");
        }
        self.delete_instance()
    }

    /// A balancer that was down while the node left may still have its server.
    pub fn over(&self) -> Next {
        let balancers = self.present();
        if balancers.is_empty() || !self.may_try() {
            return wait("nothing: its life is over");
        }
        let step = Step::RemoveServer { balancers, sessions: Sessions::Cut };
        stay(step, "a balancer still has its server")
    }

    fn delete_instance(&self) -> Next {
        match (&self.facts.instance, self.node.instance) {
            (InstanceFact::Present(_), _) if self.may_try() => {
                stay(Step::DeleteInstance, "its servers are gone")
            }
            (InstanceFact::Absent { .. }, Some(_)) if self.may_try() => {
                stay(Step::DeleteInstance, "asked again, a 404 proves that it is gone")
            }
            (InstanceFact::Absent { .. }, None) if self.node.attempt_to_create_is_none() => {
                go(NodeState::Deleted, None, "no instance was ever asked for")
            }
            (InstanceFact::Absent { .. }, None) => {
                let doubt_is_over = after(self.node.state_since, DOUBT) <= self.now;
                if self.facts.instance_is_gone() && doubt_is_over && self.may_try() {
                    return stay(Step::ProveAbsence, "its create call was in doubt");
                }
                wait("listings to show whether the create call in doubt made an instance")
            }
            (InstanceFact::Unknown, Some(_)) if self.may_try() => {
                stay(Step::DeleteInstance, "its servers are gone")
            }
            (InstanceFact::Unknown, _) => wait("the cloud to answer"),
            (InstanceFact::Present(_) | InstanceFact::Absent { .. }, _) => {
                wait("the cloud to delete the instance")
            }
        }
    }
}

impl Node {
    /// Whether no create call was ever begun for it.
    fn attempt_to_create_is_none(&self) -> bool {
        self.instance.is_none() && self.host_keys.is_empty()
    }
}

fn old_workers(fact: &ServerFact) -> bool {
    match fact {
        ServerFact::Present { old_workers, .. } | ServerFact::Absent { old_workers, .. } => {
            *old_workers
        }
        ServerFact::Unreachable { .. } => false,
    }
}
