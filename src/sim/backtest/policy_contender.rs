//! Our own engine as a contender.
//!
//! In: a policy, and what the simulation shows.
//! Out: what `engine::decide` says.
//! Never: a rule or a guard of its own.

use std::collections::BTreeMap;

use super::campaigns::Campaigns;
use super::contender::{Contender, View};
use super::fleet::Machine;
use super::foresight::Foresight;
use super::readings::{Readings, Underivable};
use super::settings::Settings;
use crate::domain::{FleetCounts, Hint, NodeCount, Timestamp};
use crate::engine::{History, Observation, Overrides, Reason, RuleKey, count_after, decide_after};
use crate::policy::{Control, Policy};

/// What a contender tells of its decisions.
#[derive(Clone, Copy)]
enum Telling {
    Nothing,
    Why,
}

/// A policy that decides at each interval, with the history that its decisions leave.
pub struct PolicyContender {
    policy: Policy,
    keys: Vec<RuleKey>,
    readings: Readings,
    foresight: Foresight,
    campaigns: Campaigns,
    observation: Observation,
    telling: Telling,
    reasons: Vec<Reason>,
    begins_at: i64,
    interval: u64,
}

impl PolicyContender {
    /// `policy`, carried out whatever its `control` and `budget` say; the trace begins at `begins_at` in Unix
    /// seconds, and `hints` are announced in its course. Fails where a rule looks at something that
    /// the traffic doesn't tell.
    pub fn new(
        policy: &Policy,
        settings: &Settings,
        hints: Vec<Hint>,
        begins_at: i64,
    ) -> Result<Self, Underivable> {
        let readings = Readings::of(policy, &settings.node)?;
        let mut policy = policy.clone();
        policy.control = Control::Automatic;
        // A rehearsal tells what a policy would cost; a cap would hide it.
        policy.budget = None;
        Ok(Self {
            foresight: Foresight::of(&policy, settings),
            campaigns: Campaigns::of(&policy, hints),
            keys: RuleKey::of_all(&policy.rules),
            policy,
            readings,
            observation: Observation {
                at: Timestamp::UNIX_EPOCH,
                fleet: FleetCounts::default(),
                nodes: Vec::new(),
                readings: BTreeMap::new(),
                forecasts: BTreeMap::new(),
                is_held: false,
                overrides: Overrides::default(),
                costs: None,
                hints: Default::default(),
                history: History::default(),
            },
            telling: Telling::Nothing,
            reasons: Vec::new(),
            begins_at,
            interval: settings.interval,
        })
    }

    /// The same, telling why it decides as it does: that takes time, and few ask.
    pub fn telling_why(self) -> Self {
        Self { telling: Telling::Why, ..self }
    }

    fn decide(&mut self) -> NodeCount {
        let history = std::mem::take(&mut self.observation.history);
        let (policy, keys, observation) = (&self.policy, &self.keys, &self.observation);
        let (to, history) = match self.telling {
            Telling::Nothing => count_after(history, policy, keys, observation),
            Telling::Why => {
                let decision = decide_after(history, policy, keys, observation);
                self.reasons = decision.reasons;
                (decision.to, decision.history)
            }
        };
        self.observation.history = history;
        to
    }
}

impl Contender for PolicyContender {
    fn period(&self) -> u64 {
        self.interval
    }

    /// Decides on what can be seen now. What engines come to look at besides signals and fleet
    /// (hints that have been announced) is observed here, from `view` alone.
    fn want(&mut self, view: &View<'_>) -> NodeCount {
        let seconds = self.begins_at.saturating_add(view.now as i64);
        let at = Timestamp::from_second(seconds).unwrap_or(Timestamp::MAX);
        self.observation.at = at;
        self.observation.fleet = view.fleet;
        if self.readings.read_each_node() {
            self.observation.nodes = view.machines.iter().filter_map(Machine::observed).collect();
        }
        let Observation { nodes, readings, forecasts, .. } = &mut self.observation;
        self.readings.read(view, at, nodes, readings);
        self.foresight.look(at, readings, forecasts);
        self.observation.hints = self.campaigns.observe(view, at);
        self.decide()
    }

    fn reasons(&self) -> &[Reason] {
        &self.reasons
    }
}
