//! Checks the invariants after each look.
//!
//! In: moments, in the order in which they came.
//! Out: which invariants were broken, when, and by what.
//! Never: asks the world or the store; believes the loop's own memory.

use std::collections::BTreeMap;

use super::invariant::{Broken, Invariant};
use super::moment::Moment;
use crate::domain::{InstanceLabel, NodeCount, NodeId, NodeState, Timestamp};
use crate::engine::decide;
use crate::policy::{Policy, Rule, RuleScaleIn};
use crate::sim::Cut;
use crate::store::{DecisionRecord, Entry, JournalRecord};

/// As many are kept: what follows from the first is of no use to anybody.
const ENOUGH: usize = 12;

/// One pool's judge.
pub(super) struct Judge<'a> {
    policy: &'a Policy,
    /// What the journal last said of each node.
    states: BTreeMap<NodeId, NodeState>,
    labels: BTreeMap<String, NodeId>,
    /// When each node's requests may be cut off: the deadlines of its ways out.
    drains: BTreeMap<NodeId, Vec<Timestamp>>,
    /// What the last decision came to.
    count: Option<NodeCount>,
    broken: Vec<Broken>,
}

impl<'a> Judge<'a> {
    /// Before the first look.
    pub fn new(policy: &'a Policy) -> Self {
        Self {
            policy,
            states: BTreeMap::new(),
            labels: BTreeMap::new(),
            drains: BTreeMap::new(),
            count: None,
            broken: Vec::new(),
        }
    }

    /// What was broken so far.
    pub fn broken(&self) -> &[Broken] {
        &self.broken
    }

    /// The same, for good.
    pub fn into_broken(self) -> Vec<Broken> {
        self.broken
    }

    /// Notes that an invariant was broken.
    pub fn accuse(&mut self, invariant: Invariant, at: Timestamp, what: String) {
        let known = |one: &Broken| one.invariant == invariant && one.what == what;
        if self.broken.len() < ENOUGH && !self.broken.iter().any(known) {
            self.broken.push(Broken { invariant, at, what });
        }
    }

    /// Checks one moment.
    pub fn see(&mut self, moment: &Moment) {
        let at = moment.at;
        for record in &moment.entries {
            self.see_entry(record);
        }
        let max = self.policy.bounds.max;
        if max.0 < moment.most_instances {
            let what = format!("{} existed at once, {} are allowed", moment.most_instances, max.0);
            self.accuse(Invariant::AtMostMax, at, what);
        }
        for label in &moment.existing {
            self.see_instance(label, at);
        }
        for cut in &moment.cuts {
            self.see_cut(cut, at);
        }
        for label in &moment.made_twice {
            self.accuse(Invariant::NoDouble, at, format!("{label} was made twice"));
        }
        for what in &moment.sent_to_bare {
            self.accuse(Invariant::OnlyConfigured, at, what.clone());
        }
        for what in &moment.touched {
            self.accuse(Invariant::OthersUntouched, at, what.clone());
        }
        if let Some(record) = &moment.decision {
            self.see_decision(record, &moment.entries);
        }
    }

    fn see_entry(&mut self, record: &JournalRecord) {
        let (Some(node), Entry::Entered { before, after, failure, .. }) =
            (record.node, &record.entry)
        else {
            return;
        };
        let label = InstanceLabel::of(&self.policy.pool, node).to_string();
        let known = self.states.get(&node);
        if known != before.as_ref() {
            let name = |state: Option<&NodeState>| state.map_or("nothing", NodeState::name);
            let (was, says) = (name(known), name(before.as_ref()));
            let what = format!("{label} was {was}, and goes from {says} to {}", after.name());
            self.accuse(Invariant::NoGapInALife, record.at, what);
        }
        if matches!(before, Some(NodeState::InService))
            && matches!(after, NodeState::Deleting { .. } | NodeState::Deleted)
            && failure.is_none()
        {
            let what = format!("{label} goes from in_service to {} without a drain", after.name());
            self.accuse(Invariant::DrainedFirst, record.at, what);
        }
        match after {
            NodeState::Draining { deadline } => self.allow_cuts(node, *deadline),
            // Believed to be gone, it gets no drain; its requests may still end until then.
            NodeState::Deleting { deadline } if failure.is_some() => {
                self.allow_cuts(node, *deadline);
            }
            _ => {}
        }
        self.states.insert(node, after.clone());
        self.labels.insert(label, node);
    }

    fn allow_cuts(&mut self, node: NodeId, deadline: Timestamp) {
        self.drains.entry(node).or_default().push(deadline);
    }

    fn see_instance(&mut self, label: &str, at: Timestamp) {
        let state = self.labels.get(label).and_then(|node| self.states.get(node));
        match state {
            None => {
                let what = format!("{label} exists, and no row says why");
                self.accuse(Invariant::WrittenFirst, at, what);
            }
            Some(state) if state.is_final() => {
                let what = format!("{label} exists, and its node is {}", state.name());
                self.accuse(Invariant::GoneBeforeOver, at, what);
            }
            Some(_) => {}
        }
    }

    fn see_cut(&mut self, cut: &Cut, at: Timestamp) {
        let drains = self.labels.get(&cut.label).and_then(|node| self.drains.get(node));
        let passed = drains.is_some_and(|all| all.iter().any(|deadline| *deadline <= cut.at));
        if !passed {
            let (sessions, label, balancer) = (cut.sessions, &cut.label, &cut.balancer);
            let what = format!(
                "{sessions} requests to {label} through {balancer} were cut off, and no drain's \
                 deadline had passed"
            );
            self.accuse(Invariant::DrainedFirst, at, what);
        }
    }

    fn see_decision(&mut self, record: &DecisionRecord, entries: &[JournalRecord]) {
        let (at, from, to) = (record.at, record.decision.from, record.decision.to);
        if let Some(count) = self.count
            && count != from
        {
            let what = format!("the last decision came to {count}, this one starts from {from}");
            self.accuse(Invariant::EveryChangeHasAReason, at, what);
        }
        self.count = Some(to);
        let told = entries.iter().any(|one| {
            matches!(&one.entry, Entry::Decided { decision, reasons, .. }
                if *decision == record.id && !reasons.is_empty())
        });
        if from != to && (record.decision.reasons.is_empty() || !told) {
            let what = format!("{from} became {to}, and nothing says why");
            self.accuse(Invariant::EveryChangeHasAReason, at, what);
        }
        if self.policy.bounds.max < to {
            let what = format!("{to} are wanted, {} are allowed", self.policy.bounds.max);
            self.accuse(Invariant::AtMostMax, at, what);
        }
        self.see_lowering(record);
        if decide(self.policy, &record.observation) != record.decision {
            let what = format!("{from} became {to}, and becomes something else when made again");
            self.accuse(Invariant::DecidesTheSame, at, what);
        }
    }

    /// A count falls only while every `target` that has a say in it can read its signal whole;
    /// but down to `max`, and to what an operator ordered, it falls without.
    fn see_lowering(&mut self, record: &DecisionRecord) {
        let observation = &record.observation;
        let (from, to) = (record.decision.from, record.decision.to);
        let max = self.policy.bounds_at(observation.at).max;
        let orders = [observation.overrides.set, observation.overrides.ceiling];
        let is_ordered = orders.iter().flatten().any(|order| order.count <= to);
        if from.min(max) <= to || is_ordered {
            return;
        }
        for rule in &self.policy.rules {
            let Rule::Target(rule) = rule else { continue };
            let reading = observation.readings.get(&rule.signal);
            let whole = reading.is_some_and(|reading| reading.may_lower());
            if rule.scale_in == RuleScaleIn::Allowed && !whole {
                let what = format!("{from} became {to} on {}: {reading:?}", rule.signal);
                self.accuse(Invariant::MissingNeverLowers, record.at, what);
            }
        }
    }
}
