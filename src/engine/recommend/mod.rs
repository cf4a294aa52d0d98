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

pub(super) use hold::{Wished, remember_wishes};
pub(super) use step_evidence::{is_condition_of, moments, remember as remember_step};
pub(super) use surge::remember_rates;

use super::look::Look;
use super::{Condition, Opinion, Recommendation, StepMemory};
use crate::policy::Rule;
use step_evidence::Gathered;

/// What the rules came to.
pub(super) struct Opinions {
    /// One for each rule, in the policy's order.
    pub recommendations: Vec<Recommendation>,
    /// What they must remember.
    pub memory: Memory,
}

/// What rules remember from one look to the next.
#[derive(Default)]
pub(super) struct Memory {
    /// Which conditions hold, and since when, by the rules' keys.
    pub conditions: BTreeMap<String, Condition>,
    /// What step rules must remember, by their keys.
    pub steps: BTreeMap<String, StepMemory>,
    /// What each rule wished, in the policy's order.
    pub wished: Vec<Wished>,
}

/// Asks every rule.
pub(super) fn ask_all(look: &Look<'_>) -> Opinions {
    let rules = &look.policy.rules;
    let mut memory = Memory { wished: Vec::with_capacity(rules.len()), ..Memory::default() };
    let recommendations = rules.iter().zip(look.keys).map(|(rule, key)| {
        let opinion = match rule {
            Rule::Target(target) => target::recommend(look, target),
            Rule::Latency(latency) => {
                let condition = latency::condition(look, latency, key);
                let opinion = latency::recommend(look, latency, condition);
                memory.conditions.extend(condition.map(|condition| (key.to_string(), condition)));
                opinion
            }
            Rule::Count(count) => count::recommend(look, count),
            Rule::Fixed(fixed) => fixed::recommend(fixed),
            Rule::Step(step) => {
                let gathered = Gathered::new(look, step, key);
                let opinion = step::recommend(look, step, &gathered);
                memory.conditions.extend(gathered.conditions);
                memory.steps.insert(key.to_string(), gathered.memory);
                opinion
            }
            Rule::Schedule(rule) => schedule::recommend(look, rule),
            Rule::Forecast(forecast) => forecast::recommend(look, forecast, key),
            Rule::Surge(surge) => surge::recommend(look, surge, surge::said(look, surge, key)),
            Rule::Hint(rule) => hint::recommend(look, rule),
        };
        let (opinion, wished) = hold::held(look, rule, key, opinion);
        memory.wished.push(wished);
        Recommendation { rule: key.clone(), opinion }
    });
    let recommendations = recommendations.collect();
    Opinions { recommendations, memory }
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
