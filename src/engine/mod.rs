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
mod rule_key;
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
    ObservedHint, ObservedNode, Order, OrderedCount, OrderedHold, Overrides, Readiness,
    RecommendationSpan, ScaleEvent, StepMemory, Wish,
};
pub use reason::{BudgetPeriod, Reason};
pub use rule_key::RuleKey;

pub use guard::budget::used as budget_used;

use guard::{
    Chain, bounds, budget, cooldown, effectiveness, flap, freshness, overrides, pace,
    stabilization, tolerance,
};
use look::Look;
use recommend::Opinions;

use crate::domain::NodeCount;
use crate::policy::Policy;

/// Decides how many nodes the pool shall have.
///
/// The rules' highest count passes every guard in order; each may change it, with a reason. The
/// same policy and observation always give the same decision, so a stored observation can be
/// decided again and must give the stored decision.
pub fn decide(policy: &Policy, observation: &Observation) -> Decision {
    let keys = RuleKey::of_all(&policy.rules);
    decide_after(observation.history.clone(), policy, &keys, observation)
}

/// The same after what `history` says of earlier decisions, whatever the observation's own says;
/// `keys` are those of the policy's rules. Whoever decides millions of times hands both on instead
/// of copying and making them.
pub fn decide_after(
    history: History,
    policy: &Policy,
    keys: &[RuleKey],
    observation: &Observation,
) -> Decision {
    let look = Look::new(history, policy, keys, observation);
    let (at, from) = (look.at, look.from);
    let weighed = Weighed::of(&look);
    let reasons = weighed.reasons(&look);
    let to = weighed.to;
    let (recommendations, stages, history) = weighed.told(look);
    Decision { at, from, to, recommendations, stages, reasons, history }
}

/// The count alone that [`decide_after`] comes to, and what the next decision must remember: for
/// whoever tells nobody why.
pub fn count_after(
    history: History,
    policy: &Policy,
    keys: &[RuleKey],
    observation: &Observation,
) -> (NodeCount, History) {
    let look = Look::new(history, policy, keys, observation);
    let weighed = Weighed::of(&look);
    let to = weighed.to;
    let (_, _, history) = weighed.told(look);
    (to, history)
}

/// One look, thought through.
struct Weighed {
    opinions: Opinions,
    /// What the rules came to, before any guard that minds how the count moves.
    recommended: NodeCount,
    effects: Vec<Effect>,
    stages: Vec<Stage>,
    to: NodeCount,
}

impl Weighed {
    fn of(look: &Look<'_>) -> Self {
        let opinions = recommend::ask_all(look);
        let recommendations = &opinions.recommendations;
        let mut chain = recommended(look, recommendations);
        let recommended = chain.count();
        chain.pass(Guard::Stabilization, |count| stabilization::guard(look, count));
        let effects = effectiveness::settled(look, recommendations);
        chain.pass(Guard::Effectiveness, |count| {
            effectiveness::guard(look, recommendations, &effects, count)
        });
        chain.pass(Guard::Pace, |count| pace::guard(look, count));
        chain.pass(Guard::Cooldown, |count| cooldown::guard(look, count));
        chain.pass(Guard::Overrides, |count| overrides::guard(look, count));
        chain.pass(Guard::Budget, |count| budget::guard(look, count));
        chain.pass(Guard::Bounds, |count| bounds::guard(look, count));
        let to = chain.count();
        let effects = effectiveness::remember(look, recommendations, effects, to);
        Self { opinions, recommended, effects, stages: chain.into_stages(), to }
    }

    fn reasons(&self, look: &Look<'_>) -> Vec<Reason> {
        let mut reasons = combine::reasons(look, &self.opinions.recommendations, &self.stages);
        reasons.extend(budget::warnings(look, self.to));
        reasons
    }

    /// What led to the count, and what is to be remembered of it.
    fn told(self, look: Look<'_>) -> (Vec<Recommendation>, Vec<Stage>, History) {
        let Self { opinions: Opinions { recommendations, memory }, recommended, .. } = self;
        let history = history::after_decision(
            look,
            &recommendations,
            memory,
            self.effects,
            recommended,
            self.to,
        );
        (recommendations, self.stages, history)
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
