//! From a plan to the first request: an instance, its playbook, its join.
//!
//! In: a node that does not serve yet, and what this look showed of it.
//! Out: what it does next.
//! Never: serves before the playbook succeeded and every balancer that answers sees it UP.

use super::super::facts::InstanceFact;
use super::super::step::Step;
use super::{DOUBT, Life, Next, Wish, go, stay, wait};
use crate::domain::{
    Failure, HostResult, InstanceStatus, NodeState, RunId, RunStatus, Sessions, Timestamp, after,
};

impl Life<'_> {
    pub fn planned(&self) -> Next {
        if self.wish == Wish::Leave {
            return go(NodeState::Deleted, None, "not needed any more; nothing was asked yet");
        }
        let deadline = after(self.now, self.policy.node.boot_timeout);
        go(
            NodeState::Provisioning { deadline },
            Some(Step::CreateInstance),
            "an instance is needed",
        )
    }

    pub fn provisioning(&self, deadline: Timestamp, run: RunId) -> Next {
        if self.wish == Wish::Leave {
            return self.give_up(None, "not needed any more");
        }
        if deadline <= self.now {
            return self.give_up(Some(Failure::NeverBooted), "the instance never came to run");
        }
        if let Some(next) = self.clear_address() {
            return next;
        }
        match &self.facts.instance {
            InstanceFact::Unknown => wait("the cloud to answer"),
            InstanceFact::Absent { .. } if self.node.instance.is_some() => {
                if self.facts.instance_is_gone() && self.last_try_is_older_than(DOUBT) {
                    return self.give_up(Some(Failure::Vanished), "the instance vanished");
                }
                wait("the cloud to list the instance")
            }
            InstanceFact::Absent { .. } if self.may_try() => {
                stay(Step::CreateInstance, "no instance has its label; the label makes this safe")
            }
            InstanceFact::Absent { .. } => wait("the next try to create the instance"),
            InstanceFact::Present(instance) => match &instance.status {
                InstanceStatus::Running => self.configure(run),
                InstanceStatus::Offline if self.may_try() => {
                    stay(Step::BootInstance, "the instance is offline")
                }
                InstanceStatus::Deleting => {
                    self.give_up(Some(Failure::Vanished), "somebody else deletes the instance")
                }
                _ => wait("the instance to run"),
            },
        }
    }

    /// Takes out what stands at the address of a node that was never registered: a slot that an
    /// earlier node left on a balancer that was down. It would send requests to a bare machine.
    fn clear_address(&self) -> Option<Next> {
        let balancers = self.present();
        if balancers.is_empty() || !self.may_try() {
            return None;
        }
        let step = Step::RemoveServer { balancers, sessions: Sessions::Cut };
        Some(stay(step, "an earlier node's server stands at its address"))
    }

    fn configure(&self, run: RunId) -> Next {
        let deadline = after(self.now, self.policy.configure.timeout);
        go(NodeState::Configuring { run, deadline }, Some(Step::StartRun), "the instance runs")
    }

    pub fn configuring(&self, run: RunId, deadline: Timestamp) -> Next {
        if self.facts.instance_is_gone() {
            return self.cut_run(run, Some(Failure::Vanished), "the instance vanished");
        }
        if self.wish == Wish::Leave {
            return self.cut_run(run, None, "not needed any more");
        }
        if let Some(next) = self.clear_address() {
            return next;
        }
        match &self.facts.run {
            Some(RunStatus::Ended { hosts }) => self.configured(hosts.get(&self.node.label)),
            Some(RunStatus::Lost) => {
                self.give_up(Some(Failure::RunLost), "the playbook run was cut off")
            }
            _ if deadline <= self.now => {
                let failure = Some(Failure::ConfigureTimedOut);
                self.cut_run(run, failure, "the playbook did not end by its deadline")
            }
            Some(RunStatus::NotStarted) if self.may_try() => {
                stay(Step::StartRun, "the run was intended and never started")
            }
            Some(RunStatus::NotStarted) => wait("the next try to start the playbook"),
            Some(RunStatus::Running) => wait("the playbook to end"),
            None => wait("word of the playbook run"),
        }
    }

    fn configured(&self, result: Option<&HostResult>) -> Next {
        let reason = match result {
            Some(HostResult::Succeeded { .. }) => {
                let deadline = after(self.now, self.policy.join.timeout);
                let step = Step::Register { balancers: self.answering() };
                return go(NodeState::Joining { deadline }, Some(step), "the playbook succeeded");
            }
            Some(HostResult::Failed { reason } | HostResult::Unreachable { reason }) => {
                reason.clone()
            }
            None => "the run never reached this node".into(),
        };
        self.give_up(Some(Failure::ConfigureFailed { reason }), "the playbook failed")
    }

    pub fn joining(&self, deadline: Timestamp) -> Next {
        if self.facts.instance_is_gone() {
            return self.give_up(Some(Failure::Vanished), "the instance vanished");
        }
        if self.wish == Wish::Leave {
            return self.give_up(None, "not needed any more");
        }
        if !self.facts.any_balancer_answers() {
            // The deadline does not count here: to delete good nodes because the balancers are
            // down would help nobody. It moves on, so that at least half of it is left when
            // they are back.
            let timeout = self.policy.join.timeout;
            if deadline < after(self.now, timeout / 2) {
                let deadline = after(self.now, timeout);
                return go(NodeState::Joining { deadline }, None, "no balancer answers");
            }
            return wait("any balancer to answer");
        }
        let unknown = self.unregistered();
        if self.facts.is_up_on_all_that_answer() {
            if self.wish == Wish::StandBy {
                let because = "UP on every reachable balancer; kept in standby";
                return go(NodeState::Standby, None, because);
            }
            let step = Step::MakeReady { balancers: self.answering() };
            return go(NodeState::InService, Some(step), "UP on every reachable balancer");
        }
        if deadline <= self.now {
            let failure = Failure::NeverHealthy { reason: self.described() };
            return self.give_up(Some(failure), "never UP on every balancer");
        }
        if !unknown.is_empty() && self.may_try() {
            return stay(Step::Register { balancers: unknown }, "not registered everywhere");
        }
        wait("every balancer to see it UP")
    }
}
