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

impl Opinion {
    /// The count that the rule wants at least, where it names one.
    pub fn count(&self) -> Option<NodeCount> {
        match self {
            Self::Wants { count, .. } | Self::AtLeast { count, .. } => Some(*count),
            Self::None { .. } | Self::Blind { .. } => None,
        }
    }

    /// Whether the rule can't speak, though it should.
    pub fn is_blind(&self) -> bool {
        match self {
            Self::Blind { .. } => true,
            Self::AtLeast { .. } | Self::None { .. } | Self::Wants { .. } => false,
        }
    }
}

impl Recommendation {
    /// The count that the rule wants at least, where it names one.
    pub fn count(&self) -> Option<NodeCount> {
        self.opinion.count()
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
        self.opinion.is_blind()
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
    if highest.is_none() {
        let because = without_opinion(look);
        if !reasons.contains(&because) {
            reasons.push(because);
        }
    }
    // Without a highest count, all that can speak had a part in that.
    let (blind, seeing): (Vec<_>, Vec<_>) = recommendations.iter().partition(|r| r.is_blind());
    let spoke = seeing.into_iter().filter(|r| highest.is_none() || r.count() == highest);
    reasons.extend(spoke.chain(blind).map(|r| r.opinion.because().clone()));
    reasons
}

/// Why the count is as it is where no rule has a say.
fn without_opinion(look: &Look<'_>) -> Reason {
    let (count, default) = (look.from, look.policy.bounds.default);
    match (look.past.blind_since, look.blind_too_long_since()) {
        (_, Some(since)) => Reason::BlindFloor { since, default },
        (Some(since), None) => {
            let until = after(since, look.policy.missing_data.hold_for);
            Reason::BlindHeld { count, since, until, default }
        }
        (None, None) => Reason::NoOpinion { count },
    }
}
