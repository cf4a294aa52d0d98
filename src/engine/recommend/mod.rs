//! What each rule wants: one file for each kind of rule.
//!
//! In: one look at the pool.
//! Out: one recommendation for each rule, in the policy's order, and the conditions that hold.
//! Never: compares rules; guards anything.

mod count;
mod fixed;
mod forecast;
mod hint;
mod hold;
mod latency;
mod schedule;
mod step;
mod step_evidence;
pub(super) mod surge;
mod target;
mod target_nodes;
pub(super) mod thousandths;

use std::collections::BTreeMap;

pub(super) use step_evidence::{is_condition_of, moments, remember as remember_step};

use super::look::Look;
use super::{Condition, Opinion, Recommendation, StepMemory, Wish};
use crate::domain::{Sample, SignalName};
use crate::policy::Rule;
use step_evidence::Gathered;

/// What the rules came to.
pub(super) struct Opinions {
    /// One for each rule, in the policy's order.
    pub recommendations: Vec<Recommendation>,
    /// What they must remember.
    pub memory: Memory,
}

/// What rules remember from one look to the next, by their keys.
#[derive(Default)]
pub(super) struct Memory {
    /// Which conditions hold, and since when.
    pub conditions: BTreeMap<String, Condition>,
    /// What step rules must remember, by their key.
    pub steps: BTreeMap<String, StepMemory>,
    /// What those that hold their wishes wanted.
    pub wishes: BTreeMap<String, Vec<Wish>>,
    /// What the signals of surges said.
    pub rates: BTreeMap<String, Vec<Sample>>,
}

/// Asks every rule.
pub(super) fn ask_all(look: &Look<'_>) -> Opinions {
    let mut memory = Memory::default();
    let rules = look.policy.rules.iter().zip(keys(&look.policy.rules));
    let recommendations = rules.map(|(rule, key)| {
        let opinion = match rule {
            Rule::Target(target) => target::recommend(look, target),
            Rule::Latency(latency) => {
                let condition = latency::condition(look, latency, &key);
                let opinion = latency::recommend(look, latency, condition);
                memory.conditions.extend(condition.map(|condition| (key.clone(), condition)));
                opinion
            }
            Rule::Count(count) => count::recommend(look, count),
            Rule::Fixed(fixed) => fixed::recommend(fixed),
            Rule::Step(step) => {
                let gathered = Gathered::new(look, step, &key);
                let opinion = step::recommend(look, step, &gathered);
                memory.conditions.extend(gathered.conditions);
                memory.steps.insert(key.clone(), gathered.memory);
                opinion
            }
            Rule::Schedule(rule) => schedule::recommend(look, rule),
            Rule::Forecast(forecast) => forecast::recommend(look, forecast, &key),
            Rule::Surge(surge) => {
                let said = surge::said(look, surge, &key);
                let opinion = surge::recommend(look, surge, &said);
                memory.rates.insert(key.clone(), said);
                opinion
            }
            Rule::Hint(rule) => hint::recommend(look, rule),
        };
        let (opinion, wanted) = hold::held(look, rule, &key, opinion);
        if !wanted.is_empty() {
            memory.wishes.insert(key.clone(), wanted);
        }
        Recommendation { rule: key, opinion }
    });
    let recommendations = recommendations.collect();
    Opinions { recommendations, memory }
}

/// Each rule's name in decisions: its kind and signal, such as `target:requests`; a further one
/// of the same kind and signal is `target:requests#2`.
pub fn keys(rules: &[Rule]) -> Vec<String> {
    let mut seen: BTreeMap<(&str, Option<&SignalName>), u32> = BTreeMap::new();
    let keys = rules.iter().map(|rule| {
        let (kind, signal) = (rule.kind(), rule.signal());
        let count = seen.entry((kind, signal)).or_default();
        *count += 1;
        let name = match signal {
            Some(signal) => [kind, ":", signal.as_str()].concat(),
            None => kind.to_owned(),
        };
        match count {
            1 => name,
            count => format!("{name}#{count}"),
        }
    });
    keys.collect()
}

impl Rule {
    /// Whether its exact count measures load against capacity, so that a tolerance around it
    /// means something. A latency has its own band between `clear_below` and the objective, and a
    /// step has nothing but bands.
    pub(super) fn is_measured(&self) -> bool {
        match self {
            Self::Target(_) => true,
            Self::Latency(_) | Self::Count(_) | Self::Fixed(_) => false,
            Self::Step(_) | Self::Schedule(_) => false,
            Self::Forecast(_) | Self::Surge(_) | Self::Hint(_) => false,
        }
    }
}

impl Opinion {
    /// Why the rule wants that, or nothing.
    pub fn because(&self) -> &super::Reason {
        match self {
            Self::None { because }
            | Self::Blind { because }
            | Self::AtLeast { because, .. }
            | Self::Wants { because, .. } => because,
        }
    }
}
