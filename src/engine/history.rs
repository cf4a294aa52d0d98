//! What the next decision must remember.
//!
//! In: this look, what was recommended, and what the decision came to.
//! Out: the history that is stored with the decision.
//! Never: grows without end: each part forgets what no setting of the policy looks back to.

use super::guard::{cooldown, pace, stabilization};
use super::look::Look;
use super::recommend::{Memory, is_condition_of, remember_step};
use super::{Effect, History, Recommendation};
use crate::domain::NodeCount;

/// The history after a decision.
pub(super) fn after_decision(
    look: &Look<'_>,
    recommendations: &[Recommendation],
    memory: Memory,
    effects: Vec<Effect>,
    recommended: NodeCount,
    to: NodeCount,
) -> History {
    let rests = cooldown::remember(look, to);
    let awaits = rests.awaiting_capacity_since.is_some();
    let Memory { mut conditions, mut steps, wishes, rates } = memory;
    for recommendation in recommendations {
        let key = &recommendation.rule;
        let Some(memory) = steps.get_mut(key) else { continue };
        if remember_step(look, recommendation, memory, to, awaits) {
            conditions.retain(|condition, _| !is_condition_of(condition, key));
        }
    }
    History {
        desired: Some(to),
        recommendations: stabilization::remember(look, recommended),
        scale_events: pace::remember(look, to),
        awaiting_capacity_since: rests.awaiting_capacity_since,
        scale_out_cooldown_until: rests.scale_out_until,
        scale_in_cooldown_until: rests.scale_in_until,
        looked_at: None,
        conditions,
        wishes,
        rates,
        blind_since: look.past.blind_since,
        effects,
        steps,
    }
}
