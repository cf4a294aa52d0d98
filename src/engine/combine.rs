//! Makes one count of what the rules want: the highest wins.
//!
//! In: every rule's opinion.
//! Out: the highest count that any of them wants; none where none wants one.
//! Never: weighs quality (that is the freshness guard's part).
//!
//! The highest of all is below the present count only when every rule with an opinion agrees
//! to fewer: so the safest opinion wins both ways. A rule that only raises can't make nodes
//! leave, but none leave that it would call back at once.

use super::look::Look;
use super::{Opinion, Reason, Recommendation, Stage};
use crate::domain::{NodeCount, after};

/// The highest count that a rule wants; none where no rule has a say. (Rules that only raise
/// name counts up to the present one, so where nobody else has a say, it stays.)
pub(super) fn combine(recommendations: &[Recommendation]) -> Option<NodeCount> {
    recommendations.iter().any(Recommendation::has_a_say).then_some(())?;
    recommendations.iter().filter_map(Recommendation::count).max()
}

impl Recommendation {
    /// The count that the rule wants at least, where it names one.
    pub fn count(&self) -> Option<NodeCount> {
        match self.opinion {
            Opinion::Wants { count, .. } | Opinion::AtLeast { count, .. } => Some(count),
            Opinion::None { .. } | Opinion::Blind { .. } => None,
        }
    }

    /// Whether the rule says where the count should go, be it down.
    fn has_a_say(&self) -> bool {
        match self.opinion {
            Opinion::Wants { .. } => true,
            Opinion::AtLeast { .. } | Opinion::None { .. } | Opinion::Blind { .. } => false,
        }
    }

    /// Whether the rule can't speak, though it should.
    pub fn is_blind(&self) -> bool {
        match self.opinion {
            Opinion::Blind { .. } => true,
            Opinion::AtLeast { .. } | Opinion::None { .. } | Opinion::Wants { .. } => false,
        }
    }
}

/// Every reason behind the count, the binding one first: the guards that changed it from the
/// last to the first, then the rules that it began with, then what is broken.
pub(super) fn reasons(
    look: &Look<'_>,
    recommendations: &[Recommendation],
    stages: &[Stage],
) -> Vec<Reason> {
    let mut reasons: Vec<_> =
        stages.iter().rev().filter_map(|stage| stage.reason.clone()).collect();
    let highest = combine(recommendations);
    if highest.is_none() && look.blind_too_long_since().is_none() {
        reasons.push(without_opinion(look));
    }
    let winners =
        recommendations.iter().filter(|wants| highest.is_some() && wants.count() == highest);
    let blind = recommendations.iter().filter(|wants| wants.is_blind());
    reasons.extend(winners.chain(blind).map(|wants| wants.opinion.because().clone()));
    reasons
}

/// Why the count stays where no rule has an opinion.
fn without_opinion(look: &Look<'_>) -> Reason {
    let count = look.from;
    match look.past.blind_since {
        Some(since) => Reason::BlindHeld {
            count,
            since,
            until: after(since, look.policy.missing_data.hold_for),
            default: look.policy.bounds.default,
        },
        None => Reason::NoOpinion { count },
    }
}
