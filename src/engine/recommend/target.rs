//! Target: so many nodes that a signal comes to what it should be.
//!
//! In: one value over the whole pool, or one of each node.
//! Out: a total against a node's share: `ceil(value × (1 + headroom) / per_node)`. One value
//! against one target: `ceil(serving × value / target)`. Samples of nodes: see `target_nodes`.
//! Never: applies tolerance or bounds; lowers the count on a partial reading.
//!
//! What is needed before rounding up ("exact") divided by the present count is what HPA calls the
//! usage ratio, so the tolerance guard judges by the same number as HPA.
//!
//! Source of the arithmetic: Kubernetes' HPA (`replica_calculator.go`): an external metric with an
//! average value for a node's share (`GetExternalPerPodMetricReplicas`), an object's metric or an
//! external one with a value for one value (`getUsageRatioReplicaCount`). A target of 0 is Nomad
//! Autoscaler's (`target-value`): the value itself is the ratio.

use super::super::look::Look;
use super::super::{Opinion, Reason};
use super::target_nodes::{self, Gauge};
use super::thousandths;
use crate::domain::{NodeCount, RequestsPerSecond};
use crate::policy::{RuleScaleIn, TargetForm, TargetRule};

/// What a rule needs.
pub(super) struct Need {
    /// The count.
    pub count: NodeCount,
    /// The present count times HPA's usage ratio; always finite.
    pub exact: f64,
    /// Why that count.
    pub because: Reason,
}

/// What the rule wants.
pub(super) fn recommend(look: &Look<'_>, rule: &TargetRule) -> Opinion {
    let need = match rule.form {
        TargetForm::PerNode(rate) => of_pool(look, rule, |load| Ok(total(look, rule, rate, load))),
        TargetForm::Value(target) => of_pool(look, rule, |value| one(look, rule, target, value)),
        TargetForm::Average(target) => {
            target_nodes::need(look, rule, Gauge::Average(thousandths::written(target)))
        }
        TargetForm::UtilisationPercent(target) => {
            target_nodes::need(look, rule, Gauge::UtilisationPercent(target))
        }
    };
    match need {
        // A rule that only raises forbids scale-in, too, while it can't see: it might have had
        // reason to raise.
        Err(because) => Opinion::Blind { because },
        Ok(need) => opinion(look, rule, need),
    }
}

fn opinion(look: &Look<'_>, rule: &TargetRule, Need { count, exact, because }: Need) -> Opinion {
    match rule.scale_in {
        RuleScaleIn::Never if count <= look.from => {
            let because = match because {
                Reason::LoadNeeds { signal, load, needed, .. } => {
                    Reason::RaisesOnly { signal, load, needed }
                }
                Reason::SquareRootNeeds { signal, load, needed, .. } => {
                    Reason::RaisesOnly { signal, load, needed }
                }
                Reason::LoadFits { signal, load, count, .. } => {
                    Reason::RaisesOnly { signal, load, needed: count }
                }
                other => other,
            };
            Opinion::AtLeast { count, exact, because }
        }
        RuleScaleIn::Never | RuleScaleIn::Allowed => Opinion::Wants { count, exact, because },
    }
}

/// What one value over the pool needs; one that not all speak in may only raise the count.
fn of_pool(
    look: &Look<'_>,
    rule: &TargetRule,
    need: impl FnOnce(f64) -> Result<Need, Reason>,
) -> Result<Need, Reason> {
    let signal = || rule.signal.clone();
    let value = look
        .value(&rule.signal)
        .map_err(|missing| Reason::SignalMissing { signal: signal(), missing })?;
    let need = need(value.number)?;
    match value.partial {
        Some((seen, wanted)) if need.count <= look.from => {
            Err(Reason::SignalPartial { signal: signal(), seen, wanted })
        }
        Some(_) | None => Ok(need),
    }
}

fn total(look: &Look<'_>, rule: &TargetRule, per_node: RequestsPerSecond, load: f64) -> Need {
    let signal = rule.signal.clone();
    let exact = shares(rule, per_node, load);
    let count = ceil_whole(exact);
    let because = match (count == look.from, rule.square_root) {
        (_, Some(_)) => {
            let work = work(per_node, load);
            Reason::SquareRootNeeds {
                signal,
                load,
                per_node: per_node.get(),
                work,
                spare: exact - work,
                needed: count,
            }
        }
        (true, None) => Reason::LoadFits { signal, load, needs: exact, count },
        (false, None) => Reason::LoadNeeds {
            signal,
            load,
            per_node: per_node.get(),
            headroom_percent: rule.headroom.get(),
            needed: count,
        },
    };
    Need { count, exact, because }
}

/// What one value against one target needs. HPA multiplies the nodes that are ready, and so do
/// we, noise and all. Where none serves, it would go to zero whatever the load; we are blind then.
///
/// More nodes may serve than are wanted (they stay to the end of their paid hour): the ratio is
/// of those that it was measured on, so the tolerance does not take the smaller count for enough.
fn one(look: &Look<'_>, rule: &TargetRule, target: f64, value: f64) -> Result<Need, Reason> {
    let signal = rule.signal.clone();
    let (from, serving) = (look.from, look.fleet.serving);
    let ratio = ratio(value, target) * (1.0 + rule.headroom.fraction());
    let (needed, measured_on) = match (from, serving) {
        // From nothing, the ratio is the count.
        (NodeCount::ZERO, _) => (ratio, 1.0),
        (_, NodeCount::ZERO) => return Err(Reason::NoNodeServes { signal, value, target }),
        _ => (ratio * f64::from(serving.0), f64::from(from.max(serving).0)),
    };
    let needed = NodeCount(needed.ceil() as u32);
    let because = Reason::RatioNeeds { signal, value, target, serving, needed };
    Ok(Need { count: needed, exact: (ratio * measured_on).min(f64::MAX), because })
}

/// A value as a share of its target; of a target of 0, the value itself.
fn ratio(value: f64, target: f64) -> f64 {
    if target == 0.0 {
        return value;
    }
    thousandths::as_it_is(value) / thousandths::as_it_is(target)
}

/// How many nodes a total needs, headroom included, before rounding up; always finite.
///
/// Where the headroom is a square root it is `work + quality × √work`, so that a larger fleet keeps
/// a smaller share of itself free. Source: S. Halfin and W. Whitt, "Heavy-traffic limits for queues
/// with many exponential servers", Operations Research 29 (1981): with that much to spare, the
/// share of requests that must wait is the same at any size.
fn shares(rule: &TargetRule, per_node: RequestsPerSecond, load: f64) -> f64 {
    if let Some(quality) = rule.square_root {
        let work = work(per_node, load);
        return (work + quality * work.sqrt()).min(f64::MAX);
    }
    let (load, per_node) = (thousandths::as_it_is(load), thousandths::as_it_is(per_node.get()));
    // Beyond the largest number there is, the largest: JSON knows no infinity, and bounds come
    // later.
    (load * (1.0 + rule.headroom.fraction()) / per_node).min(f64::MAX)
}

/// How many nodes a total would keep wholly busy.
fn work(per_node: RequestsPerSecond, load: f64) -> f64 {
    let (load, per_node) = (thousandths::as_it_is(load), thousandths::as_it_is(per_node.get()));
    (load / per_node).min(f64::MAX)
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

/// The largest whole count that is not above `exact`, up to noise.
pub(super) fn floor_whole(exact: f64) -> NodeCount {
    let ceiling = ceil_whole(exact);
    // Noise apart, the ceiling is above what has a fraction.
    match f64::from(ceiling.0) > exact + 1e-6 {
        true => ceiling.minus(1),
        false => ceiling,
    }
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
    fn the_count_that_a_signal_says_loses_its_fraction_and_not_to_noise() {
        for (exact, count) in [(0.0, 0), (0.9, 0), (2.999_999_999_999_999_6, 3), (3.0, 3), (3.9, 3)]
        {
            assert_eq!(floor_whole(exact), NodeCount(count), "{exact}");
        }
        assert_eq!(floor_whole(f64::MAX), NodeCount(u32::MAX));
    }

    #[test]
    fn rounding_never_falls_while_the_load_rises() {
        let counts: Vec<_> =
            (0..400_000).map(|step| ceil_whole(2.9999 + f64::from(step) * 1e-9)).collect();
        assert!(counts.is_sorted());
        assert_eq!((counts.first(), counts.last()), (Some(&NodeCount(3)), Some(&NodeCount(4))));
    }
}
