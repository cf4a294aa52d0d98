//! Makes one count of what the rules want: the highest wins.
//!
//! In: every rule's opinion.
//! Out: the highest count that any of them wants; none where none wants one.
//! Never: weighs quality (that is the freshness guard's part).
//!
//! Rules of one group look at the same thing from several sides, so most of them have nothing to
//! change at a time: there, a rule that would stay counts only while the whole group would. A rule
//! without a group is one by itself. Source: Nomad Autoscaler (`policy/handler.go`,
//! `pickWinnerActionFromGroups`, and `sdk.PreemptScalingAction`, by which out beats stay beats in,
//! and the higher count wins both ways).
//!
//! The highest of all is below the present count only when every rule with an opinion agrees
//! to fewer: so the safest opinion wins both ways. A rule that only raises can't make nodes
//! leave, but none leave that it would call back at once.

use super::look::Look;
use super::{Opinion, Reason, Recommendation, Stage};
use crate::domain::{NodeCount, after};
use crate::policy::Rule;

/// The highest count that a rule wants; none where no rule has a say. (Rules that only raise
/// name counts up to the present one, so where nobody else has a say, it stays.)
pub(super) fn combine(look: &Look<'_>, recommendations: &[Recommendation]) -> Option<NodeCount> {
    recommendations.iter().any(Recommendation::has_a_say).then_some(())?;
    // Few policies have groups, and nobody who decides millions of times pays for them.
    if look.policy.rules.iter().all(|rule| rule.group().is_none()) {
        return recommendations.iter().filter_map(Recommendation::count).max();
    }
    named_in_groups(look, recommendations).into_iter().flatten().max()
}

fn named_in_groups(look: &Look<'_>, recommendations: &[Recommendation]) -> Vec<Option<NodeCount>> {
    let counts: Vec<_> = recommendations.iter().map(Recommendation::count).collect();
    in_groups(look, recommendations, &counts)
}

/// `counts`, one for each rule, without those that would stay while another of their group would
/// not.
pub(super) fn in_groups(
    look: &Look<'_>,
    recommendations: &[Recommendation],
    counts: &[Option<NodeCount>],
) -> Vec<Option<NodeCount>> {
    let from = look.from;
    let groups = || look.policy.rules.iter().map(Rule::group);
    let voices = || groups().zip(recommendations).zip(counts);
    let moves = |group: &str| {
        voices().any(|((of, wants), count)| {
            of == Some(group) && wants.has_a_say() && count.is_some_and(|count| count != from)
        })
    };
    let counted = voices().map(|((group, wants), count)| {
        let stays = wants.has_a_say() && *count == Some(from);
        count.filter(|_| !(stays && group.is_some_and(moves)))
    });
    counted.collect()
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
    let highest = combine(look, recommendations);
    if highest.is_none() {
        let because = without_opinion(look);
        if !reasons.contains(&because) {
            reasons.push(because);
        }
    }
    // Without a highest count, all that can speak had a part in that.
    let counted = recommendations.iter().zip(named_in_groups(look, recommendations));
    let (blind, seeing): (Vec<_>, Vec<_>) = counted.partition(|(wants, _)| wants.is_blind());
    let spoke = seeing.into_iter().filter(|(_, count)| highest.is_none() || *count == highest);
    reasons.extend(spoke.chain(blind).map(|(wants, _)| wants.opinion.because().clone()));
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
