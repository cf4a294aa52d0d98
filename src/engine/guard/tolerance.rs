//! Tolerance: a load near to what the present count carries changes nothing.
//!
//! In: every rule's opinion.
//! Out: the count as it would be if each measured rule within its tolerance had wanted the
//! present one.
//! Never: turns a scale-in into a scale-out; lets a node leave while a rule is blind.
//!
//! Source: Kubernetes' HPA (`Tolerances.isWithin`) leaves the count when `1 - in <= usage ratio <=
//! 1 + out`, both ends included, for each metric by itself, before the largest one wins. What a
//! rule needs divided by the present count is that very ratio, with silent nodes and those on
//! their way counted as HPA counts them. In a group, a rule within its tolerance would stay, so
//! another one of the group may still let nodes leave.

use super::super::combine::in_groups;
use super::super::look::Look;
use super::super::{Opinion, Reason, Recommendation};
use super::Verdict;
use crate::domain::{NodeCount, Percent};
use crate::policy::{Rule, Tolerance};

/// A fraction of a percent may be lost to rounding; both ends must still count as inside.
const NOISE: f64 = 1e-9;

/// The present count for rules within tolerance.
pub(in crate::engine) fn guard(
    look: &Look<'_>,
    recommendations: &[Recommendation],
    count: NodeCount,
) -> Verdict {
    if count == look.from {
        return None;
    }
    let rules = recommendations.iter().zip(&look.policy.rules);
    let settled = rules.map(|(wants, rule)| settle(look, wants, rule).unzip());
    let (counts, because): (Vec<_>, Vec<_>) = settled.unzip();
    let highest = in_groups(look, recommendations, &counts).into_iter().flatten().max()?;
    let because = because.into_iter().flatten().flatten().next()?;
    let is_blind = recommendations.iter().any(Recommendation::is_blind);
    Some((if is_blind { highest.max(look.from) } else { highest }, because))
}

/// What a rule wants, the present count where it is within its tolerance, and why then.
fn settle(
    look: &Look<'_>,
    recommendation: &Recommendation,
    rule: &Rule,
) -> Option<(NodeCount, Option<Reason>)> {
    let (count, exact) = match recommendation.opinion {
        Opinion::Wants { count, exact, .. } | Opinion::AtLeast { count, exact, .. } => {
            (count, exact)
        }
        Opinion::None { .. } | Opinion::Blind { .. } => return None,
    };
    let from = look.from;
    let tolerance = rule.tolerance().unwrap_or(look.policy.tolerance);
    if !rule.is_measured() || count == from || !is_within(exact, from, tolerance) {
        return Some((count, None));
    }
    let tolerance = tolerance_towards(count, from, tolerance);
    let because = Reason::WithinTolerance {
        rule: recommendation.rule.clone(),
        wanted: count,
        needs: exact,
        count: from,
        tolerance_percent: tolerance.get(),
    };
    Some((from, Some(because)))
}

fn is_within(exact: f64, from: NodeCount, tolerance: Tolerance) -> bool {
    let from = f64::from(from.0);
    let highest = from * (1.0 + tolerance.out.fraction() + NOISE);
    let lowest = from * (1.0 - tolerance.scale_in.fraction() - NOISE);
    (lowest..=highest).contains(&exact)
}

fn tolerance_towards(count: NodeCount, from: NodeCount, tolerance: Tolerance) -> Percent {
    if count > from { tolerance.out } else { tolerance.scale_in }
}
