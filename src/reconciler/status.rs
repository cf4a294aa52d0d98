//! What the loop last knew of a pool, for whoever asks.

use std::net::Ipv4Addr;

use serde::Serialize;
use tracing::info;

use super::look::PoolLoop;
use crate::domain::{
    DecisionId, Duration, Failure, FleetCounts, InstanceId, InstanceLabel, Node, NodeCount, NodeId,
    NodeState, PoolName, Reading, Timestamp,
};
use crate::engine::{Decision, Observation, Order, Reason, budget_used};
use crate::planner::{Note, Plan};
use crate::policy::{Control, Policy};
use crate::store::{Change, Entry, Phase, StoreError};
use crate::telemetry::StepLabels;
use crate::telemetry::{DirectionLabels, PhaseLabels, PoolLabels, SignalLabels, StateLabels};

/// A pool as of its last look.
#[derive(Clone, Debug, PartialEq, Serialize, utoipa::ToSchema)]
pub struct PoolStatus {
    /// The pool.
    pub pool: PoolName,
    /// When it was last looked at.
    pub at: Timestamp,
    /// Whether a look has ended since the start.
    pub is_loaded: bool,
    /// Whether decisions are carried out.
    pub control: Control,
    /// The smallest count then, open windows considered.
    pub min: NodeCount,
    /// The largest count then, open windows considered.
    pub max: NodeCount,
    /// The count that the pool shall have; none before the first decision.
    pub desired: Option<NodeCount>,
    /// Its nodes, counted.
    #[serde(flatten)]
    pub fleet: FleetCounts,
    /// The application's port on each node.
    pub port: u16,
    /// The last decision's id.
    pub decision: Option<DecisionId>,
    /// Why the count is what it is; the first reason binds.
    pub reasons: Vec<String>,
    /// What operators have ordered.
    pub orders: Vec<Order>,
    /// What would have been done and was not.
    pub notes: Vec<String>,
    /// What the store failed to do, since when nothing is done; none while it works.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub store_failure: Option<String>,
    /// What a dry run would do now.
    pub suppressed: Vec<String>,
    /// Its living nodes.
    pub nodes: Vec<NodeStatus>,
}

/// A node as of the last look.
#[derive(Clone, Debug, PartialEq, Serialize, utoipa::ToSchema)]
pub struct NodeStatus {
    /// Its id.
    pub id: NodeId,
    /// Its label.
    pub label: InstanceLabel,
    /// Its state's name.
    pub state: &'static str,
    /// When that state began.
    pub since: Timestamp,
    /// When it is given up.
    pub deadline: Option<Timestamp>,
    /// What it waits for.
    pub waits_for: Option<String>,
    /// What last went wrong in this state.
    pub error: Option<String>,
    /// Its VLAN address.
    #[schema(value_type = String, format = Ipv4)]
    pub address: Ipv4Addr,
    /// The cloud's number for it.
    pub instance: Option<InstanceId>,
    /// When its paid hours began.
    pub instance_created_at: Option<Timestamp>,
    /// Why it is on its way out, if by misfortune.
    pub failure: Option<Failure>,
    /// Until when, by whom and why it is protected from removal.
    pub protected: Option<String>,
    /// By whom and why it is sent away.
    pub sent_away: Option<String>,
}

impl PoolStatus {
    /// Before the first look.
    pub(super) fn starting(policy: &Policy, now: Timestamp) -> Self {
        Self {
            is_loaded: false,
            ..Self::of(
                policy,
                policy.control,
                now,
                std::iter::empty(),
                None,
                &Plan::default(),
                &None,
            )
        }
    }

    /// What a look saw; nobody has ordered anything yet.
    pub(super) fn of<'a>(
        policy: &Policy,
        control: Control,
        at: Timestamp,
        nodes: impl Iterator<Item = &'a Node> + Clone,
        desired: Option<NodeCount>,
        plan: &Plan,
        last: &Option<(DecisionId, Observation, Decision)>,
    ) -> Self {
        let bounds = policy.bounds_at(at);
        let reasons = last.iter().flat_map(|(_, _, decision)| &decision.reasons);
        Self {
            pool: policy.pool.clone(),
            at,
            is_loaded: true,
            control,
            min: bounds.min,
            max: bounds.max,
            desired,
            fleet: FleetCounts::of(nodes.clone()),
            port: policy.join.port,
            decision: last.as_ref().map(|(id, _, _)| *id),
            reasons: reasons.map(ToString::to_string).collect(),
            orders: Vec::new(),
            notes: plan.notes.iter().map(ToString::to_string).collect(),
            store_failure: None,
            suppressed: Vec::new(),
            nodes: nodes
                .filter(|node| !node.state.is_final())
                .map(|node| NodeStatus::of(node, plan))
                .collect(),
        }
    }
}

impl NodeStatus {
    fn of(node: &Node, plan: &Plan) -> Self {
        Self {
            id: node.id,
            label: node.label.clone(),
            state: node.state.name(),
            since: node.state_since,
            deadline: node.state.deadline(),
            waits_for: plan.waits.get(&node.id).cloned(),
            error: node.attempt.as_ref().and_then(|attempt| attempt.error.clone()),
            address: node.address,
            instance: node.instance,
            instance_created_at: node.instance_created_at,
            failure: node.failure.clone(),
            protected: plan.protected.get(&node.id).map(ToString::to_string),
            sent_away: plan.departures.get(&node.id).map(ToString::to_string),
        }
    }
}

/// Whether a person should look: nodes came, and what asked for them did not get better.
pub(super) fn is_ineffective(reason: &Reason) -> bool {
    matches!(reason, Reason::Ineffective { .. })
}

/// Whether a person should look: soon, no further node may be bought.
pub(super) fn is_about_money(reason: &Reason) -> bool {
    matches!(reason, Reason::BudgetNear { .. } | Reason::BudgetBelowMin { .. })
}

impl PoolLoop {
    pub(super) fn pool_labels(&self) -> PoolLabels {
        PoolLabels { pool: self.policy.pool.to_string() }
    }

    pub(super) fn count_nodes(&self, status: &PoolStatus) {
        let pool = self.policy.pool.to_string();
        for state in NodeState::NAMES {
            let labels = StateLabels { pool: pool.clone(), state: state.into() };
            let count = status.nodes.iter().filter(|node| node.state == state).count();
            self.telemetry.nodes.get_or_create(&labels).set(count as i64);
        }
        let labels = self.pool_labels();
        let desired = status.desired.map_or(0, |count| i64::from(count.0));
        self.telemetry.desired_nodes.get_or_create(&labels).set(desired);
        let dry_run = i64::from(status.control == Control::DryRun);
        self.telemetry.dry_run.get_or_create(&labels).set(dry_run);
        let orphans = self.notes.iter().filter(|note| matches!(note, Note::Orphan { .. })).count();
        self.telemetry.orphans.get_or_create(&labels).set(orphans as i64);
        let frozen = self.notes.iter().any(|note| matches!(note, Note::HealingFrozen { .. }));
        self.telemetry.healing_frozen.get_or_create(&labels).set(i64::from(frozen));
        let protected = status.nodes.iter().filter(|node| node.protected.is_some()).count();
        self.telemetry.protected_nodes.get_or_create(&labels).set(protected as i64);
        let first = &self.policy.node.instance_type;
        let living = self.nodes.values().filter(|node| !node.state.is_final());
        let fallback = living.filter(|node| node.instance_type != *first).count();
        self.telemetry.fallback_nodes.get_or_create(&labels).set(fallback as i64);
        let (mut rests, mut in_doubt, mut braked) = (0, 0, 0);
        for note in &self.notes {
            match note {
                Note::CreatingRests { .. } => rests = 1,
                Note::CreatesInDoubt { count, .. } => in_doubt = i64::from(count.0),
                Note::RemovalsBraked { kept, .. } => braked = i64::from(kept.0),
                _ => {}
            }
        }
        self.telemetry.creating_rests.get_or_create(&labels).set(rests);
        self.telemetry.creates_in_doubt.get_or_create(&labels).set(in_doubt);
        self.telemetry.removals_braked.get_or_create(&labels).set(braked);
        self.telemetry.notes.get_or_create(&labels).set(self.notes.len() as i64);
    }

    pub(super) fn count_decision(
        &self,
        observation: &Observation,
        decision: &Decision,
        thought: Duration,
    ) {
        let pool = self.policy.pool.to_string();
        let direction = decision.direction().name().to_string();
        let labels = DirectionLabels { pool: pool.clone(), direction };
        self.telemetry.decisions.get_or_create(&labels).inc();
        let labels = self.pool_labels();
        self.telemetry.think_seconds.get_or_create(&labels).observe(thought.as_secs_f64());
        let ineffective = decision.reasons.iter().any(is_ineffective);
        self.telemetry.ineffective.get_or_create(&labels).set(i64::from(ineffective));
        let costs = observation.costs.as_ref();
        if let Some(used) = budget_used(&self.policy, costs, decision.to) {
            self.telemetry.budget_used.get_or_create(&labels).set(used);
        }
        for (signal, reading) in &observation.readings {
            let labels = SignalLabels { pool: pool.clone(), signal: signal.to_string() };
            let usable = !matches!(reading, Reading::Missing { .. });
            self.telemetry.signal_usable.get_or_create(&labels).set(i64::from(usable));
            if let Some(sample) = reading.sample() {
                self.telemetry.signal_value.get_or_create(&labels).set(sample.value);
            }
        }
    }

    pub(super) fn count_step(&self, step: &str, outcome: &str) {
        let labels = StepLabels { step: step.into(), outcome: outcome.into() };
        self.telemetry.steps.get_or_create(&labels).inc();
    }

    pub(super) fn tell_phase(&self, phase: Phase, seconds: f64) {
        let pool = self.policy.pool.to_string();
        let labels = PhaseLabels { pool, phase: phase.name().into() };
        self.telemetry.phase_seconds.get_or_create(&labels).set(seconds);
    }

    /// Says what was written, and lets whoever listens crash here.
    pub(super) fn tell_written(&self, plan: &Plan) {
        let pool = &self.policy.pool;
        let planned = plan.create.iter().map(|node| (node.id, &NodeState::Planned, "needed"));
        let entered = plan
            .moves
            .iter()
            .filter_map(|step| Some((step.node, step.enter.as_ref()?, step.because.as_str())));
        for (id, state, because) in planned.chain(entered) {
            let label = self.nodes.get(&id).map(|node| node.label.to_string());
            let (label, name) = (label.unwrap_or_default(), state.name());
            info!(pool = %pool, node.id = %id, "{label} is {name}: {because}");
            if let Some(hook) = &self.after_write {
                hook(state);
            }
        }
    }

    /// Writes what a dry run would have done, once.
    pub(super) async fn suppress(&mut self, plan: &Plan, now: Timestamp) -> Result<(), StoreError> {
        let mut would: std::collections::BTreeSet<String> = plan
            .moves
            .iter()
            .map(|step| {
                let act = step.step.as_ref().map_or("write a state", |step| step.name());
                format!("{act} for node {}: {}", step.node, step.because)
            })
            .collect();
        if !plan.create.is_empty() {
            would.insert(format!("create {}", NodeCount(plan.create.len() as u32)));
        }
        would.extend(plan.sweep.iter().map(|orphan| format!("delete the orphan {}", orphan.label)));
        let news = would.difference(&self.suppressed);
        let entries: Vec<_> =
            news.map(|what| (None, Entry::Suppressed { what: what.clone() })).collect();
        for (_, entry) in &entries {
            if let Entry::Suppressed { what } = entry {
                info!(pool = %self.policy.pool, "dry run: would {what}");
            }
        }
        self.telemetry
            .suppressed_acts
            .get_or_create(&self.pool_labels())
            .inc_by(entries.len() as u64);
        self.suppressed = would;
        self.write(now, Change { entries, ..Change::default() }).await
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::policy::parse;

    #[test]
    fn the_bounds_are_those_of_open_windows() {
        const MINIMAL: &str = include_str!("../../policies/minimal.yaml");
        let window = "rules: [{schedule: {timezone: UTC, cron: '0 12 * * *', lasts: 1h, \
                      at_least: 5, at_most: 9}}, ";
        let text = MINIMAL.replace("rules: [", window);
        let policy = parse(&text, Path::new("p.yaml")).expect("a good policy");
        for (at, bounds) in [("11:59", (2, 12)), ("12:00", (5, 9)), ("13:00", (2, 12))] {
            let at = format!("2026-03-02T{at}:00Z").parse().expect("a legal moment");
            let status = PoolStatus::starting(&policy, at);
            assert_eq!((status.min.0, status.max.0), bounds, "{at}");
        }
    }
}
