//! What the next decision must remember.
//!
//! In: this look, what was recommended, and what the decision came to.
//! Out: the history that is stored with the decision.
//! Never: grows without end: each part forgets what no setting of the policy looks back to.

use super::guard::{cooldown, pace, stabilization};
use super::look::Look;
use super::recommend::{Memory, is_condition_of, remember_rates, remember_step, remember_wishes};
use super::{Effect, History, Recommendation};
use crate::domain::NodeCount;

/// The history after a decision: what was known before it goes on, in place.
pub(super) fn after_decision(
    mut look: Look<'_>,
    recommendations: &[Recommendation],
    memory: Memory,
    effects: Vec<Effect>,
    recommended: NodeCount,
    to: NodeCount,
) -> History {
    let rests = cooldown::remember(&look, to);
    let awaits = rests.awaiting_capacity_since.is_some();
    let Memory { mut conditions, mut steps, wished } = memory;
    if !steps.is_empty() {
        for recommendation in recommendations {
            let key = &*recommendation.rule;
            let Some(memory) = steps.get_mut(key) else { continue };
            if remember_step(&look, recommendation, memory, to, awaits) {
                conditions.retain(|condition, _| !is_condition_of(condition, key));
            }
        }
    }
    stabilization::remember(&mut look, recommended);
    pace::remember(&mut look, to);
    remember_wishes(&mut look, wished);
    remember_rates(&mut look);
    History {
        desired: Some(to),
        awaiting_capacity_since: rests.awaiting_capacity_since,
        scale_out_cooldown_until: rests.scale_out_until,
        scale_in_cooldown_until: rests.scale_in_until,
        looked_at: None,
        conditions,
        effects,
        steps,
        ..look.past
    }
}
