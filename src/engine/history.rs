//! What the next decision must remember.
//!
//! In: this look, what was recommended, and what the decision came to.
//! Out: the history that is stored with the decision.
//! Never: grows without end: each part forgets what no setting of the policy looks back to.

use std::collections::BTreeMap;

use super::guard::{cooldown, pace, stabilization};
use super::look::Look;
use super::{Condition, Effect, History};
use crate::domain::NodeCount;

/// The history after a decision.
pub(super) fn after_decision(
    look: &Look<'_>,
    conditions: BTreeMap<String, Condition>,
    effects: Vec<Effect>,
    recommended: NodeCount,
    to: NodeCount,
) -> History {
    let rests = cooldown::remember(look, to);
    History {
        desired: Some(to),
        recommendations: stabilization::remember(look, recommended),
        scale_events: pace::remember(look, to),
        awaiting_capacity_since: rests.awaiting_capacity_since,
        scale_out_cooldown_until: rests.scale_out_until,
        scale_in_cooldown_until: rests.scale_in_until,
        looked_at: None,
        conditions,
        blind_since: look.past.blind_since,
        effects,
    }
}
