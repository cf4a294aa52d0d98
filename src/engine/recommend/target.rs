//! Target: so many nodes that each carries at most its share of a rate.
//!
//! In: a rate over the whole pool, in requests per second.
//! Out: `ceil(load × (1 + headroom) / per_node)` nodes.
//! Never: applies tolerance or bounds; lowers the count on a partial reading.
//!
//! Source of the arithmetic: Kubernetes' HPA with an external metric and an average value,
//! `ceil(total / target)`.

use super::super::look::Look;
use super::super::{Opinion, Reason};
use crate::domain::NodeCount;
use crate::policy::{RuleScaleIn, TargetForm, TargetRule};

/// What the rule wants.
pub(super) fn recommend(look: &Look<'_>, rule: &TargetRule) -> Opinion {
    let signal = rule.signal.clone();
    let value = match look.value(&rule.signal) {
        Ok(value) => value,
        // A rule that only raises forbids scale-in, too, while it can't see: it might have had
        // reason to raise.
        Err(missing) => {
            return Opinion::Blind { because: Reason::SignalMissing { signal, missing } };
        }
    };
    let load = value.number;
    let exact = needs(rule, load);
    let count = ceil_whole(exact);
    if let Some((seen, wanted)) = value.partial
        && count <= look.from
    {
        return Opinion::Blind { because: Reason::SignalPartial { signal, seen, wanted } };
    }
    match rule.scale_in {
        RuleScaleIn::Never if count <= look.from => {
            let because = Reason::RaisesOnly { signal, load, needed: count };
            Opinion::AtLeast { count, exact, because }
        }
        RuleScaleIn::Never | RuleScaleIn::Allowed => {
            Opinion::Wants { count, exact, because: because(look, rule, load, exact, count) }
        }
    }
}

fn because(look: &Look<'_>, rule: &TargetRule, load: f64, exact: f64, count: NodeCount) -> Reason {
    let signal = rule.signal.clone();
    if count == look.from {
        return Reason::LoadFits { signal, load, needs: exact, count };
    }
    Reason::LoadNeeds {
        signal,
        load,
        per_node: per_node(rule),
        headroom_percent: rule.headroom.get(),
        needed: count,
    }
}

/// Nodes that a load needs, headroom included, before rounding up; always finite.
pub(in crate::engine) fn needs(rule: &TargetRule, load: f64) -> f64 {
    // Beyond the largest number there is, the largest: JSON knows no infinity, and bounds come
    // later.
    (load * (1.0 + rule.headroom.fraction()) / per_node(rule)).min(f64::MAX)
}

/// What one warm node carries, in requests per second.
fn per_node(rule: &TargetRule) -> f64 {
    match rule.form {
        TargetForm::PerNode(rate) => rate.get(),
    }
}

/// The smallest whole count that is not below `exact`, up to noise; the largest count where
/// `exact` is beyond it.
///
/// Sums of decimal fractions miss whole numbers by a few units in the last place: 1,200 req/s
/// arrives as 1,200.0000000000002, and three nodes' worth must not cost a fourth. A billionth
/// of a node's load is far above that noise and far below anything a node would notice.
pub(in crate::engine) fn ceil_whole(exact: f64) -> NodeCount {
    const NOISE: f64 = 1e-9;
    let nearest = exact.round();
    let noise = (exact * NOISE).min(1e-6);
    let whole = if (exact - nearest).abs() <= noise { nearest } else { exact.ceil() };
    // `as` holds at the ends of the range.
    NodeCount(whole as u32)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whole_counts_survive_the_noise_of_fractions() {
        for (exact, count, because) in [
            (0.0, 0, "no load needs no nodes"),
            (1e-7, 1, "a little load needs a node"),
            (2.999_999_999_999_999_6, 3, "noise below a whole count"),
            (3.000_000_000_000_000_4, 3, "noise above a whole count"),
            (3.0 * 1.1 / 1.1, 3, "three nodes' worth through a multiplication and back"),
            (3.000_001, 4, "a millionth of a node is load"),
            (10.1, 11, "a fraction of a node is a node"),
            (4_294_967_295.0, u32::MAX, "the largest count"),
            (1e300, u32::MAX, "beyond the largest count"),
            (f64::MAX, u32::MAX, "the largest number"),
        ] {
            assert_eq!(ceil_whole(exact), NodeCount(count), "{exact}: {because}");
        }
    }

    #[test]
    fn rounding_never_falls_while_the_load_rises() {
        let counts: Vec<_> =
            (0..400_000).map(|step| ceil_whole(2.9999 + f64::from(step) * 1e-9)).collect();
        assert!(counts.is_sorted());
        assert_eq!((counts.first(), counts.last()), (Some(&NodeCount(3)), Some(&NodeCount(4))));
    }
}
