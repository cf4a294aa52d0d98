//! In service, healthy or not.
//!
//! In: a node that serves, and what this look showed of it.
//! Out: what it does next.
//! Never: gives up a node that a balancer sees UP, or while none answers.

use super::super::step::Step;
use super::{Life, Next, Wish, go, wait};
use crate::domain::{Failure, NodeState, Timestamp, after};

impl Life<'_> {
    pub fn in_service(&self) -> Next {
        if self.facts.instance_is_gone() {
            return self.give_up(Some(Failure::Vanished), "the instance vanished");
        }
        let because = match self.wish {
            Wish::Stay | Wish::Serve => None,
            Wish::Leave => Some("not needed any more"),
            Wish::StandBy => Some("not needed now; it will stand by"),
        };
        if let Some(because) = because {
            let deadline = after(self.now, self.policy.leave.drain_timeout);
            let step = Step::DrainServer { balancers: self.answering() };
            return go(NodeState::Draining { deadline }, Some(step), because);
        }
        if let Some(health) = self.policy.health
            && self.facts.is_down_everywhere()
        {
            let deadline = after(self.now, health.unhealthy_for);
            return go(NodeState::Unhealthy { deadline }, None, &self.described());
        }
        self.repair().unwrap_or_else(|| wait("a reason to leave"))
    }

    /// In service and DOWN. It drains once its replacement serves, and nothing is deleted while
    /// some balancer sees it UP or none answers.
    pub fn unhealthy(&self, deadline: Timestamp) -> Next {
        if self.facts.instance_is_gone() {
            return self.give_up(Some(Failure::Vanished), "the instance vanished");
        }
        if matches!(self.wish, Wish::Leave | Wish::StandBy) {
            let until = after(self.now, self.policy.leave.drain_timeout);
            let reason = self.described();
            return Next::Do {
                enter: Some(NodeState::Draining { deadline: until }),
                step: Some(Step::DrainServer { balancers: self.answering() }),
                failure: Some(Failure::Unhealthy { reason }),
                because: "unhealthy, and not needed any more".into(),
            };
        }
        let Some(health) = self.policy.health else {
            return go(NodeState::InService, None, "nobody is replaced for being unhealthy now");
        };
        if !self.facts.any_balancer_answers() {
            // As with a join: who was DOWN before has half of its time again to be seen UP.
            if deadline < after(self.now, health.unhealthy_for / 2) {
                let deadline = after(self.now, health.unhealthy_for);
                return go(NodeState::Unhealthy { deadline }, None, "no balancer answers");
            }
            return wait("any balancer to answer");
        }
        if self.facts.is_well_somewhere() {
            return go(NodeState::InService, None, "a balancer no longer sees it DOWN");
        }
        self.repair().unwrap_or_else(|| match deadline <= self.now {
            true => wait("its replacement"),
            false => wait("a balancer to see it UP"),
        })
    }
}
