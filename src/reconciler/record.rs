//! Writing a plan down before it is carried out.

use std::collections::BTreeMap;

use secrecy::SecretString;

use super::act::{Act, Asked};
use super::identity::identity;
use super::look::PoolLoop;
use crate::domain::{
    Attempt, BalancerName, Duration, HostResult, Node, NodeId, NodeState, RunId, RunStatus,
    Timestamp, after, elapsed,
};
use crate::planner::{Facts, Move, Plan, Step};
use crate::store::{Change, Entry, Phase, StoreError};

/// A step whose outcome never reached us may be tried again after this.
const NO_OUTCOME: Duration = Duration::from_secs(2);

/// So many host keys a node may show: one for each create call that may have succeeded. A boot
/// timeout of twenty minutes has room for 26 tries; with fewer keys kept, an instance that the
/// first of them made could not be logged in to.
const HOST_KEYS: usize = 32;

impl PoolLoop {
    /// Writes the plan, then carries it out. Whether any node changed its state.
    pub(super) async fn carry_out(
        &mut self,
        plan: &Plan,
        facts: &BTreeMap<NodeId, Facts>,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        if plan.create.is_empty() && plan.moves.is_empty() {
            return Ok(false);
        }
        let mut change = Change::default();
        for node in &plan.create {
            let fills_standby = plan.refills.contains(&node.id);
            let because =
                if fills_standby { "one more shall stand by" } else { "one more is needed" };
            change.entries.push((Some(node.id), new_node(node, because)));
            change.nodes.push(node.clone());
        }
        let mut private = BTreeMap::new();
        for step in &plan.moves {
            let Some(node) = self.nodes.get(&step.node) else { continue };
            let told = facts.get(&step.node).and_then(|facts| told_of_itself(node, step, facts));
            change.entries.extend(told.map(|entry| (Some(node.id), entry)));
            let node = self.moved(node, step, &mut change, &mut private, now);
            change.nodes.push(node);
        }
        self.write(now, change).await?;
        self.tell_written(plan);
        let acts = self.acts(plan, private);
        let ended = self.act(acts).await?;
        let entered = plan.moves.iter().any(|step| step.enter.is_some());
        Ok(ended || entered || !plan.create.is_empty())
    }

    /// The acts of a plan that was written; nodes of the same run share one, and so do nodes
    /// that the same balancers lost.
    fn acts(&self, plan: &Plan, mut private: BTreeMap<NodeId, SecretString>) -> Vec<Act> {
        let mut acts: Vec<Act> = Vec::new();
        let mut runs: BTreeMap<RunId, Vec<NodeId>> = BTreeMap::new();
        let mut lost: BTreeMap<&[BalancerName], Vec<NodeId>> = BTreeMap::new();
        for step in &plan.moves {
            let Some(act) = &step.step else { continue };
            let state = self.nodes.get(&step.node).map(|node| &node.state);
            let asked = match (act, state) {
                (Step::StartRun, Some(NodeState::Configuring { run, .. })) => {
                    runs.entry(*run).or_default().push(step.node);
                    continue;
                }
                (Step::Readmit { balancers }, _) => {
                    lost.entry(balancers).or_default().push(step.node);
                    continue;
                }
                (Step::CreateInstance, _) => match private.remove(&step.node) {
                    Some(user_data) => Asked::Create { user_data },
                    None => continue,
                },
                _ => Asked::Step(act.clone()),
            };
            acts.push(Act { nodes: vec![step.node], asked });
        }
        acts.extend(lost.into_iter().map(|(balancers, nodes)| {
            let step = Step::Readmit { balancers: balancers.to_vec() };
            Act { nodes, asked: Asked::Step(step) }
        }));
        acts.extend(runs.into_iter().map(|(run, nodes)| Act { nodes, asked: Asked::Run(run) }));
        acts
    }

    /// The node as it is from now on, before its act.
    fn moved(
        &self,
        node: &Node,
        step: &Move,
        change: &mut Change,
        private: &mut BTreeMap<NodeId, SecretString>,
        now: Timestamp,
    ) -> Node {
        let mut moved = node.clone();
        if let Some(state) = &step.enter {
            moved = entered(moved, state.clone(), now);
            change.phases.extend(phase_ended(node, state, now));
            let entry = Entry::Entered {
                before: Some(node.state.clone()),
                after: state.clone(),
                because: step.because.clone(),
                failure: step.failure.clone(),
            };
            change.entries.push((Some(node.id), entry));
        }
        if let Some(failure) = &step.failure {
            moved.failure = Some(failure.clone());
            moved.failed_at = Some(now);
        }
        if step.enter == Some(NodeState::Standby) {
            moved.admitting.clear();
        }
        let recovers = matches!(node.state, NodeState::Unhealthy { .. });
        if matches!(step.enter, Some(NodeState::InService)) && !recovers {
            // On every balancer, also on those that don't answer now: one that still has it
            // drained would otherwise be taken for an operator's doing once it is back.
            let balancers = self.world.balancers.iter();
            moved.admitting.extend(balancers.map(|balancer| balancer.name().clone()));
        }
        let Some(act) = &step.step else { return moved };
        let tries = moved.attempt.as_ref().map_or(0, |attempt| attempt.count);
        // A step that only looks again at what it waits for would fill the journal.
        if tries == 0 || !matches!(act, Step::RemoveServer { .. }) {
            let entry = Entry::Intended {
                step: act.name().into(),
                balancers: act.balancers().iter().map(ToString::to_string).collect(),
                because: step.because.clone(),
            };
            change.entries.push((Some(node.id), entry));
        }
        let not_before = after(now, NO_OUTCOME);
        moved.attempt = Some(Attempt { count: tries + 1, at: now, not_before, error: None });
        match act {
            Step::CreateInstance => {
                moved.doubts += 1;
                let mut seed = [0; 32];
                self.world.chance.fill(&mut seed);
                let identity = identity(&node.label, &seed);
                moved.host_keys.push(identity.public_key);
                let surplus = moved.host_keys.len().saturating_sub(HOST_KEYS);
                moved.host_keys.drain(..surplus);
                private.insert(node.id, identity.user_data);
            }
            Step::Register { balancers }
            | Step::MakeReady { balancers }
            | Step::Readmit { balancers } => moved.admitting.extend(balancers.iter().cloned()),
            Step::DrainServer { .. } | Step::RemoveServer { .. } => moved.admitting.clear(),
            Step::BootInstance | Step::StartRun | Step::CancelRun { .. } => {}
            Step::DeleteInstance | Step::ProveAbsence => {}
        }
        moved
    }
}

/// What a node told of itself, when it goes on because its playbook ended well.
fn told_of_itself(node: &Node, step: &Move, facts: &Facts) -> Option<Entry> {
    step.enter.as_ref()?;
    let (NodeState::Configuring { .. }, Some(RunStatus::Ended { hosts })) =
        (&node.state, &facts.run)
    else {
        return None;
    };
    match hosts.get(&node.label)? {
        HostResult::Succeeded { ok, changed, facts } => {
            Some(Entry::Configured { ok: *ok, changed: *changed, facts: facts.clone() })
        }
        HostResult::Failed { .. } | HostResult::Unreachable { .. } => None,
    }
}

/// A node in a new state; tries begin anew.
pub(super) fn entered(mut node: Node, state: NodeState, now: Timestamp) -> Node {
    match state {
        // Out of standby it does not join, it recovers: nothing to learn a time from.
        NodeState::Joining { .. } if node.state != NodeState::Standby => {
            node.joining_since.get_or_insert(now);
        }
        NodeState::Standby => node.joining_since = None,
        _ => {}
    }
    let leaves = matches!(state, NodeState::Draining { .. } | NodeState::Deleting { .. });
    if leaves && node.state.is_settled() {
        node.left_at = Some(now);
    } else if state.is_settled() {
        node.left_at = None;
    }
    node.state = state;
    node.state_since = now;
    node.attempt = None;
    node
}

/// The phase that a node ends by entering `state`, with its length in seconds.
pub(super) fn phase_ended(
    node: &Node,
    state: &NodeState,
    now: Timestamp,
) -> Option<(NodeId, Phase, f64)> {
    let phase = match (&node.state, state) {
        (NodeState::Provisioning { .. }, NodeState::Configuring { .. }) => Phase::Boot,
        (NodeState::Configuring { .. }, NodeState::Joining { .. }) => Phase::Configure,
        (NodeState::Joining { .. }, NodeState::Standby) if node.joining_since.is_some() => {
            Phase::Join
        }
        (NodeState::Draining { .. }, NodeState::Standby) => Phase::Drain,
        (NodeState::Draining { .. }, NodeState::Deleting { .. }) => Phase::Drain,
        (NodeState::Deleting { .. }, NodeState::Deleted) => Phase::Delete,
        _ => return None,
    };
    let began = match phase {
        Phase::Boot => node.attempt.as_ref().map_or(node.state_since, |attempt| attempt.at),
        Phase::Join => node.joining_since.unwrap_or(node.state_since),
        Phase::Create | Phase::Configure | Phase::Drain | Phase::Delete => node.state_since,
    };
    Some((node.id, phase, elapsed(began, now).as_secs_f64()))
}

fn new_node(node: &Node, because: &str) -> Entry {
    Entry::Entered {
        before: None,
        after: NodeState::Planned,
        because: format!("{because}: {} at {}", node.label, node.address),
        failure: None,
    }
}
