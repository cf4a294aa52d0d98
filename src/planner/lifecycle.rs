//! The table of a node's life: for each state, what happens next.
//!
//! In: a node, what this look showed of it, what the pool wishes of it, the policy, now.
//! Out: wait, write a state, or write a state and take a step.
//! Never: acts, or trusts a record over a fact.

use super::facts::{Facts, InstanceFact, ServerFact, is_up};
use super::step::Step;
use crate::domain::{
    BalancerName, Duration, Failure, HostResult, InstanceStatus, Node, NodeState, RunId, RunStatus,
    ServerAdmin, ServerHealth, Sessions, Timestamp, after,
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
    fn planned(&self) -> Next {
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

    fn provisioning(&self, deadline: Timestamp, run: RunId) -> Next {
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

    fn configuring(&self, run: RunId, deadline: Timestamp) -> Next {
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

    fn joining(&self, deadline: Timestamp) -> Next {
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

    fn in_service(&self) -> Next {
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
    fn unhealthy(&self, deadline: Timestamp) -> Next {
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

    /// What a serving node is owed by balancers that forgot it, restarted or were down when it
    /// joined.
    fn repair(&self) -> Option<Next> {
        if !self.may_try() {
            return None;
        }
        let serves_elsewhere = self.facts.servers.iter().any(|(_, fact)| serves(fact));
        let lost = self.facts.balancers_where(|fact| match fact {
            ServerFact::Absent { backend_usable, .. } => serves_elsewhere || !backend_usable,
            _ => false,
        });
        if !lost.is_empty() && self.node.served_at.is_some() {
            // It served before, and it serves elsewhere or nothing does: waiting for a health
            // check would only turn requests away.
            let because = "a balancer lost it; it served before";
            return Some(stay(Step::Readmit { balancers: lost }, because));
        }
        let unknown = self.unregistered();
        if !unknown.is_empty() {
            return Some(stay(Step::Register { balancers: unknown }, "a balancer lacks it"));
        }
        let owed: Vec<BalancerName> = self
            .facts
            .servers
            .iter()
            .filter(|(name, fact)| self.node.admitting.contains(name) && is_up(fact))
            .map(|(name, _)| name.clone())
            .collect();
        (!owed.is_empty()).then(|| stay(Step::MakeReady { balancers: owed }, "UP, not yet ready"))
    }

    fn standby(&self) -> Next {
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

    fn draining(&self, deadline: Timestamp) -> Next {
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

    fn serve_again(&self, because: &str) -> Next {
        go(NodeState::InService, Some(Step::MakeReady { balancers: self.answering() }), because)
    }

    /// From draining to deleting. A deadline that is due already lets the removal cut sessions.
    fn leave_with(&self, sessions: Sessions, because: &str) -> Next {
        let deadline = match sessions {
            Sessions::LetEnd => after(self.now, DELETING_DEADLINE),
            Sessions::Cut => self.now,
        };
        let step = Step::RemoveServer { balancers: self.present(), sessions };
        go(NodeState::Deleting { deadline }, Some(step), because)
    }

    fn deleting(&self, deadline: Timestamp) -> Next {
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
    fn over(&self) -> Next {
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

impl Node {
    /// Whether no create call was ever begun for it.
    fn attempt_to_create_is_none(&self) -> bool {
        self.instance.is_none() && self.host_keys.is_empty()
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

/// Given requests, and able to take them.
fn serves(fact: &ServerFact) -> bool {
    match fact {
        ServerFact::Present { server, .. } => {
            let dead = matches!(server.health, ServerHealth::Down { .. });
            server.admin == ServerAdmin::Ready && !dead
        }
        ServerFact::Absent { .. } | ServerFact::Unreachable { .. } => false,
    }
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

fn old_workers(fact: &ServerFact) -> bool {
    match fact {
        ServerFact::Present { old_workers, .. } | ServerFact::Absent { old_workers, .. } => {
            *old_workers
        }
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
