//! In standby: configured and seen UP, and given no requests.
//!
//! In: a node in standby, and what this look showed of it.
//! Out: what it does next.
//! Never: serves before it is needed; leaves while requests that outlived its drain are under way.

use super::super::facts::is_up;
use super::super::step::Step;
use super::{Life, Next, Wish, go, stay, wait};
use crate::domain::{Failure, NodeState, Sessions, after};

impl Life<'_> {
    pub fn standby(&self) -> Next {
        if self.facts.instance_is_gone() {
            return self.give_up(Some(Failure::Vanished), "the instance vanished");
        }
        match self.wish {
            Wish::Serve => {
                let balancers = self.facts.balancers_where(is_up);
                let step = Step::MakeReady { balancers };
                go(NodeState::InService, Some(step), "needed; it stands by")
            }
            Wish::Leave => self.leave_standby(),
            Wish::Stay | Wish::StandBy => self.keep_ready(),
        }
    }

    /// What a node in standby is owed by balancers, so that one command makes it serve.
    fn keep_ready(&self) -> Next {
        if self.facts.is_down_everywhere() {
            let deadline = after(self.now, self.policy.join.timeout);
            let because = format!("no longer UP: {}", self.described());
            return go(NodeState::Joining { deadline }, None, &because);
        }
        let receiving = self.receiving();
        if !receiving.is_empty() && self.may_try() {
            let step = Step::DrainServer { balancers: receiving };
            return stay(step, "given requests, though it stands by");
        }
        let unknown = self.unregistered();
        if !unknown.is_empty() && self.may_try() {
            return stay(Step::Register { balancers: unknown }, "a balancer lacks it");
        }
        wait("a need for it")
    }

    /// Requests that outlived its drain may still be under way.
    fn leave_standby(&self) -> Next {
        let because = "not needed any more";
        if self.node.served_at.is_none() {
            return self.give_up(None, because);
        }
        if self.has_ended_its_requests() {
            return self.leave_with(Sessions::LetEnd, because);
        }
        let deadline = after(self.now, self.policy.leave.drain_timeout);
        let step = Step::DrainServer { balancers: self.answering() };
        go(NodeState::Draining { deadline }, Some(step), because)
    }
}
