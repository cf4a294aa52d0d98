//! What came of an act, written down: the node's record, the journal, the next try.

use tracing::{info, warn};

use super::act::{Came, Outcome};
use super::look::PoolLoop;
use super::record::{entered, phase_ended};
use crate::domain::{
    BalancerName, Duration, Failure, Instance, Node, NodeId, NodeState, Timestamp, after, elapsed,
};
use crate::ports::{Deletion, Fault, Removal};
use crate::store::{Change, Entry, Phase, StoreError};

/// Waits between tries that fail for a passing reason double from the first to the second.
const TRY_AGAIN: (Duration, Duration) = (Duration::from_secs(2), Duration::from_secs(60));

/// After a lost answer: long enough for a listing to show what came of it.
const IN_DOUBT: Duration = Duration::from_secs(10);

/// A person must help first; asking every minute costs nothing and notices when they have.
const DENIED: Duration = Duration::from_secs(60);

/// A local balancer is asked again soon.
const BALANCER_AGAIN: Duration = Duration::from_millis(200);

/// The cloud is asked again for a deletion that it accepted: its 404 is the proof.
const DELETED_YET: Duration = Duration::from_secs(3);

/// The cloud is asked again to start what is offline.
const BOOT_AGAIN: Duration = Duration::from_secs(15);

impl PoolLoop {
    /// Writes an outcome. Whether the node's life went on by it.
    pub(super) async fn settle(&mut self, outcome: Outcome) -> Result<bool, StoreError> {
        let now = self.now();
        let mut change = Change::default();
        let mut went_on = false;
        let (result, detail) = words(&outcome.came);
        for id in &outcome.nodes {
            let Some(node) = self.nodes.get(id) else { continue };
            let settled = settled(node.clone(), &outcome, now);
            went_on |= settled.state != node.state || settled.served_at != node.served_at;
            change.phases.extend(phases(node, &settled, now));
            if settled.state != node.state {
                change.entries.push((Some(*id), state_entry(node, &settled, &detail)));
            }
            let waits_again = result == "waiting"
                && node.attempt.as_ref().is_some_and(|attempt| 1 < attempt.count);
            if !waits_again {
                let entry = Entry::Came {
                    step: outcome.step.into(),
                    outcome: result.into(),
                    detail: detail.clone(),
                    seconds: outcome.took.as_secs_f64(),
                };
                change.entries.push((Some(*id), entry));
            }
            if let (Came::Deleted(Ok(Deletion::NotOurs)), Some(instance)) =
                (&outcome.came, node.instance)
            {
                let label = node.label.to_string();
                change.entries.push((Some(*id), Entry::Disowned { instance, label }));
                self.orphanage.disown(instance);
            }
            self.tell_outcome(node, &settled, &outcome, result, &detail);
            change.nodes.push(settled);
        }
        self.count_step(outcome.step, result);
        self.write(now, change).await?;
        Ok(went_on)
    }

    fn tell_outcome(
        &self,
        before: &Node,
        after: &Node,
        outcome: &Outcome,
        result: &str,
        detail: &str,
    ) {
        let (pool, id, label, step) = (&before.pool, before.id, &before.label, outcome.step);
        if !matches!(result, "done" | "waiting") {
            warn!(pool = %pool, node.id = %id, "{step} of {label}: {result}: {detail}");
        }
        if before.served_at.is_none() && after.served_at.is_some() {
            info!(pool = %pool, node.id = %id, "{label} serves in {pool}");
        }
        if before.state != after.state {
            let state = after.state.name();
            info!(pool = %pool, node.id = %id, "{label} is {state}: {detail}");
        }
    }
}

/// The node after the outcome.
fn settled(node: Node, outcome: &Outcome, now: Timestamp) -> Node {
    match &outcome.came {
        Came::Created(Ok(instance)) => found(node, instance, now),
        Came::Created(Err(fault)) => create_failed(node, fault, now),
        Came::Done(Ok(())) if outcome.step == "boot_instance" => rest(node, now, BOOT_AGAIN, None),
        Came::Done(Ok(())) => rest(node, now, Duration::ZERO, None),
        Came::Done(Err(fault)) | Came::Deleted(Err(fault)) | Came::Found(Err(fault)) => {
            failed(node, fault, now)
        }
        Came::Deleted(Ok(Deletion::Accepted)) => rest(node, now, DELETED_YET, None),
        Came::Deleted(Ok(Deletion::AlreadyGone | Deletion::NotOurs)) | Came::Found(Ok(None)) => {
            entered(node, NodeState::Deleted, now)
        }
        Came::Found(Ok(Some(instance))) => found(node, instance, now),
        Came::Balancers(answers) => told(node, outcome.step, answers, now),
    }
}

fn found(node: Node, instance: &Instance, now: Timestamp) -> Node {
    let mut node = rest(node, now, Duration::ZERO, None);
    node.instance = Some(instance.id);
    node.instance_created_at = instance.created_at.or(Some(now));
    if let Some(attempt) = &mut node.attempt {
        attempt.at = now;
    }
    node
}

/// A refusal for good proves that no instance came of it; anything else leaves doubt.
fn create_failed(mut node: Node, fault: &Fault, now: Timestamp) -> Node {
    if !matches!(fault, Fault::InDoubt { .. }) {
        node.doubts = node.doubts.saturating_sub(1);
    }
    let reason = fault.to_string();
    let failure = match fault {
        Fault::Permanent { .. } => Failure::CreateRefused { reason },
        Fault::OutOfCapacity { .. } => Failure::OutOfCapacity { reason },
        Fault::Transient { .. } | Fault::InDoubt { .. } | Fault::Denied { .. } => {
            return failed(node, fault, now);
        }
    };
    if 1 < node.host_keys.len() {
        // An earlier call may have made an instance; the listing will tell.
        let mut node = entered(node, NodeState::Deleting { deadline: now }, now);
        node.failure = Some(failure);
        node.failed_at = Some(now);
        return node;
    }
    let mut node = entered(node, NodeState::Failed { why: failure.clone() }, now);
    node.failure = Some(failure);
    node.failed_at = Some(now);
    node
}

fn failed(node: Node, fault: &Fault, now: Timestamp) -> Node {
    let tries = node.attempt.as_ref().map_or(1, |attempt| attempt.count);
    let doubled = TRY_AGAIN.0.saturating_mul(1 << tries.saturating_sub(1).min(8));
    let wait = match fault {
        Fault::Transient { retry_after, .. } => {
            doubled.min(TRY_AGAIN.1).max(retry_after.unwrap_or_default())
        }
        Fault::InDoubt { .. } => IN_DOUBT,
        Fault::Permanent { .. } | Fault::OutOfCapacity { .. } | Fault::Denied { .. } => DENIED,
    };
    rest(node, now, wait, Some(fault.to_string()))
}

/// Balancers' answers. A node serves once one of them sends it requests and none that was asked
/// refused.
fn told(
    mut node: Node,
    step: &str,
    answers: &[(BalancerName, Result<Removal, Fault>)],
    now: Timestamp,
) -> Node {
    let admits = matches!(step, "make_ready" | "readmit_server");
    // In standby it is owed its registration alone.
    let is_owed_no_more = node.state == NodeState::Standby && step == "register_server";
    for (balancer, answer) in answers {
        if (admits || is_owed_no_more) && answer.is_ok() {
            node.admitting.remove(balancer);
        }
    }
    let some_admitted = admits && answers.iter().any(|(_, answer)| answer.is_ok());
    if some_admitted && node.state == NodeState::InService && node.served_at.is_none() {
        node.served_at = Some(now);
    }
    let errors: Vec<String> = answers
        .iter()
        .filter_map(|(name, answer)| Some(format!("{name}: {}", answer.as_ref().err()?)))
        .collect();
    let error = (!errors.is_empty()).then(|| errors.join("; "));
    let waiting = answers.iter().any(|(_, answer)| matches!(answer, Ok(Removal::Waiting { .. })));
    let wait = if error.is_some() || waiting { BALANCER_AGAIN } else { Duration::ZERO };
    rest(node, now, wait, error)
}

/// The node after a try, not to be tried again for `wait`.
fn rest(mut node: Node, now: Timestamp, wait: Duration, error: Option<String>) -> Node {
    if let Some(attempt) = &mut node.attempt {
        attempt.not_before = after(now, wait);
        attempt.error = error;
    }
    node
}

/// The phases that ended between two records of a node.
fn phases(before: &Node, after: &Node, now: Timestamp) -> Vec<(NodeId, Phase, f64)> {
    let mut phases = Vec::new();
    if before.instance.is_none() && after.instance.is_some() && after.state == before.state {
        let seconds = elapsed(before.planned_at, now).as_secs_f64();
        phases.push((before.id, Phase::Create, seconds));
    }
    if let (None, Some(_), Some(since)) = (before.served_at, after.served_at, before.joining_since)
    {
        // In service since the moment that it was seen UP: the join ended with that very step.
        phases.push((before.id, Phase::Join, elapsed(since, now).as_secs_f64()));
    }
    if before.state != after.state {
        phases.extend(phase_ended(before, &after.state, now));
    }
    phases
}

fn state_entry(before: &Node, after: &Node, detail: &str) -> Entry {
    Entry::Entered {
        before: Some(before.state.clone()),
        after: after.state.clone(),
        because: detail.to_string(),
        failure: after.failure.clone(),
    }
}

/// The outcome's name, and what the world said.
fn words(came: &Came) -> (&'static str, String) {
    match came {
        Came::Created(Ok(instance)) => ("done", format!("instance {}", instance.id)),
        Came::Done(Ok(())) => ("done", String::new()),
        Came::Deleted(Ok(Deletion::Accepted)) => ("waiting", "the cloud is deleting it".into()),
        Came::Deleted(Ok(Deletion::AlreadyGone)) => ("done", "the cloud proved it gone".into()),
        Came::Deleted(Ok(Deletion::NotOurs)) => {
            ("done", "somebody took our tag off the instance: it is theirs now".into())
        }
        Came::Found(Ok(None)) => ("done", "no instance has its label".into()),
        Came::Found(Ok(Some(instance))) => ("done", format!("instance {} has it", instance.id)),
        Came::Created(Err(fault))
        | Came::Done(Err(fault))
        | Came::Deleted(Err(fault))
        | Came::Found(Err(fault)) => (fault.kind(), fault.to_string()),
        Came::Balancers(answers) => balancer_words(answers),
    }
}

fn balancer_words(answers: &[(BalancerName, Result<Removal, Fault>)]) -> (&'static str, String) {
    let mut kind = "done";
    let mut said = Vec::new();
    for (name, answer) in answers {
        match answer {
            Ok(Removal::Gone) => {}
            Ok(Removal::Waiting { why }) => {
                kind = if kind == "done" { "waiting" } else { kind };
                said.push(format!("{name}: {why}"));
            }
            Err(fault) => {
                kind = fault.kind();
                said.push(format!("{name}: {fault}"));
            }
        }
    }
    (kind, said.join("; "))
}
