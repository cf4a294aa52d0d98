//! Decides how many nodes a pool needs.
//!
//! In: the pool's policy and one observation.
//! Out: one decision: the count, what each rule recommended, what each guard did and why.
//! Never: knows async, clocks, chance, environment, logging, SQL or HTTP.

mod combine;
mod decision;
mod explain;
mod foreseen;
mod guard;
mod history;
mod look;
mod node_values;
mod observation;
mod reason;
mod recommend;
mod text;

#[cfg(test)]
mod fixture;
#[cfg(test)]
mod tests_distances;
#[cfg(test)]
mod tests_effects;
#[cfg(test)]
mod tests_explain;
#[cfg(test)]
mod tests_forecast;
#[cfg(test)]
mod tests_forms;
#[cfg(test)]
mod tests_guards;
#[cfg(test)]
mod tests_hints;
#[cfg(test)]
mod tests_hpa;
#[cfg(test)]
mod tests_nomad;
#[cfg(test)]
mod tests_orders;
#[cfg(test)]
mod tests_pace;
#[cfg(test)]
mod tests_properties;
#[cfg(test)]
mod tests_rules;
#[cfg(test)]
mod tests_schedule;
#[cfg(test)]
mod tests_step;

pub use decision::{Decision, Direction, Guard, Opinion, Recommendation, Stage};
pub use explain::{
    Distance, ExplainedRule, Explanation, Input, Limit, Shift, ShiftWay, Unit, WhyNot, explain,
};
pub use foreseen::{Belief, Foreseen};
pub use observation::{
    Announced, Condition, Costs, Effect, HeldChange, History, KeptSample, Observation,
    ObservedHint, ObservedNode, OrderedCount, OrderedHold, Overrides, Readiness,
    RecommendationSpan, ScaleEvent, StepMemory, Wish,
};
pub use reason::{BudgetPeriod, Reason};

pub use guard::budget::used as budget_used;
pub use recommend::keys as rule_keys;

use guard::{
    Chain, bounds, budget, cooldown, effectiveness, flap, freshness, overrides, pace,
    stabilization, tolerance,
};
use look::Look;
use recommend::Opinions;

use crate::policy::Policy;

/// Decides how many nodes the pool shall have.
///
/// The rules' highest count passes every guard in order; each may change it, with a reason. The
/// same policy and observation always give the same decision, so a stored observation can be
/// decided again and must give the stored decision.
pub fn decide(policy: &Policy, observation: &Observation) -> Decision {
    decide_after(observation.history.clone(), policy, observation)
}

/// The same after what `history` says of earlier decisions, whatever the observation's own says:
/// whoever decides millions of times hands it on instead of copying it.
pub fn decide_after(history: History, policy: &Policy, observation: &Observation) -> Decision {
    let look = Look::new(history, policy, observation);
    let Opinions { recommendations, memory } = recommend::ask_all(&look);

    let mut chain = recommended(&look, &recommendations);
    let recommended = chain.count();
    chain.pass(Guard::Stabilization, |count| stabilization::guard(&look, count));
    let effects = effectiveness::settled(&look, &recommendations);
    chain.pass(Guard::Effectiveness, |count| {
        effectiveness::guard(&look, &recommendations, &effects, count)
    });
    chain.pass(Guard::Pace, |count| pace::guard(&look, count));
    chain.pass(Guard::Cooldown, |count| cooldown::guard(&look, count));
    chain.pass(Guard::Overrides, |count| overrides::guard(&look, count));
    chain.pass(Guard::Budget, |count| budget::guard(&look, count));
    chain.pass(Guard::Bounds, |count| bounds::guard(&look, count));

    let to = chain.count();
    let stages = chain.into_stages();
    let mut reasons = combine::reasons(&look, &recommendations, &stages);
    reasons.extend(budget::warnings(&look, to));
    let effects = effectiveness::remember(&look, &recommendations, effects, to);
    Decision {
        at: look.at,
        from: look.from,
        to,
        reasons,
        history: history::after_decision(&look, &recommendations, memory, effects, recommended, to),
        recommendations,
        stages,
    }
}

/// What the rules come to, passed by the guards that judge what is measured and not how the count
/// may move.
fn recommended(look: &Look<'_>, recommendations: &[Recommendation]) -> Chain {
    let mut chain =
        Chain::starting_at(combine::combine(look, recommendations).unwrap_or(look.from));
    chain.pass(Guard::Freshness, |count| freshness::guard(look, recommendations, count));
    chain.pass(Guard::Flap, |count| flap::guard(look, count));
    chain.pass(Guard::Tolerance, |count| tolerance::guard(look, recommendations, count));
    chain
}
