//! Targets on the samples of single nodes: their average, and their use of what they have.
//!
//! In: what each serving node says, which are silent, and how many nodes are on their way.
//! Out: `ceil(usage ratio × nodes)` nodes.
//! Never: takes a silent node for an idle one where that would let a node leave, nor for a busy
//! one where that would add some.
//!
//! Source: Kubernetes' HPA (`replica_calculator.go`, `calcPlainMetricReplicas` for an average,
//! `GetResourceReplicas` for a utilisation; `metrics/utilization.go` for both ratios). Where the
//! nodes that speak would add nodes, the silent ones and those on their way count as idle; where
//! they would let some leave, the silent ones count at the target, or for a utilisation as wholly
//! used (at the target if that is above 100 %). What turns its direction by that changes nothing.
//!
//! Where surplus nodes stay to the end of their paid hour (`leave_early: no`), nodes and count differ
//! for long, which HPA leaves to chance. There a ratio above 1 never lowers the count, and a ratio is
//! of the nodes that it was measured on, so the tolerance does not take a smaller count for enough.
//! With `leave_early: yes` the numbers are HPA's own.

use super::super::Reason;
use super::super::look::Look;
use super::super::node_values::NodeUse;
use super::target::Need;
use crate::domain::NodeCount;
use crate::policy::{LeaveEarly, TargetRule};

/// How samples of nodes are held against a target.
#[derive(Clone, Copy)]
pub(super) enum Gauge {
    /// Their average against a value, in thousandths.
    Average(i64),
    /// Their sum against what they have together, in whole per cent.
    UtilisationPercent(u32),
}

impl Gauge {
    /// What the nodes come to, its fraction dropped: thousandths, or per cent.
    fn measure(self, nodes: &[NodeUse]) -> i64 {
        let sum =
            |of: fn(&NodeUse) -> i64| nodes.iter().map(|one| i128::from(of(one))).sum::<i128>();
        let used = sum(|one| one.value);
        match self {
            Self::Average(_) => whole(used / (nodes.len() as i128).max(1), i64::MAX),
            // HPA keeps this one in 32 bits.
            Self::UtilisationPercent(_) => {
                whole(used * 100 / sum(|one| one.capacity).max(1), i64::from(i32::MAX))
            }
        }
    }

    /// What it should come to, in the same unit.
    fn target(self) -> i64 {
        match self {
            Self::Average(target) => target,
            Self::UtilisationPercent(target) => i64::from(target),
        }
    }

    /// What a silent node is taken to use where nodes might leave.
    fn full(self, capacity: i64) -> NodeUse {
        let value = match self {
            Self::Average(target) => target,
            Self::UtilisationPercent(target) => {
                whole(i128::from(capacity) * i128::from(target.max(100)) / 100, i64::MAX)
            }
        };
        NodeUse { value, capacity }
    }
}

/// What a rule on single nodes needs.
pub(super) fn need(look: &Look<'_>, rule: &TargetRule, gauge: Gauge) -> Result<Need, Reason> {
    let signal = || rule.signal.clone();
    let values = look
        .node_values(&rule.signal)
        .map_err(|missing| Reason::SignalMissing { signal: signal(), missing })?;
    let from = look.from;
    let (heard, missing, unready) =
        (values.heard.len(), values.missing.len(), values.unready.len());
    let ratio = |nodes: &[NodeUse]| {
        gauge.measure(nodes) as f64 / gauge.target() as f64 * (1.0 + rule.headroom.fraction())
    };

    let told = ratio(&values.heard);
    let mut nodes = values.heard.clone();
    if told < 1.0 {
        nodes.extend(values.missing.iter().map(|capacity| gauge.full(*capacity)));
    }
    if told > 1.0 {
        nodes.extend(values.missing.iter().chain(&values.unready).map(|capacity| idle(*capacity)));
    }
    let guessed = ratio(&nodes);
    let count = NodeCount((guessed * nodes.len() as f64).ceil() as u32);

    let is_guess = nodes.len() > heard;
    let turns = (told < 1.0 && guessed >= 1.0) || (told > 1.0 && guessed < 1.0);
    let turns_count = (guessed < 1.0 && count > from) || (guessed > 1.0 && count < from);
    if is_guess && (turns || turns_count) {
        // Where those who speak have too much to do, no surplus node may leave either.
        let held = match look.policy.scale_in.leave_early {
            LeaveEarly::No if told > 1.0 => from.max(NodeCount((heard + missing) as u32)),
            LeaveEarly::No | LeaveEarly::Yes | LeaveEarly::ToStandby => from,
        };
        let because = Reason::SilentNodesHold {
            signal: signal(),
            missing: NodeCount(missing as u32),
            unready: NodeCount(unready as u32),
            count: held,
        };
        return Ok(Need { count: held, exact: f64::from(held.0), because });
    }
    let (count, measured_on) = match look.policy.scale_in.leave_early {
        LeaveEarly::No if guessed > 1.0 => (count.max(from), from.0.max(nodes.len() as u32)),
        LeaveEarly::No => (count, from.0.max(nodes.len() as u32)),
        // Nothing is within a tolerance of no nodes.
        LeaveEarly::Yes | LeaveEarly::ToStandby if from == NodeCount::ZERO => {
            (count, nodes.len() as u32)
        }
        LeaveEarly::Yes | LeaveEarly::ToStandby => (count, from.0),
    };
    let because = because(rule, gauge, &values.heard, [missing, unready], count);
    Ok(Need { count, exact: (guessed * f64::from(measured_on)).min(f64::MAX), because })
}

/// A node that does nothing.
fn idle(capacity: i64) -> NodeUse {
    NodeUse { value: 0, capacity }
}

/// A sum as far as `most` goes.
fn whole(sum: i128, most: i64) -> i64 {
    i64::try_from(sum).unwrap_or(i64::MAX).min(most)
}

fn because(
    rule: &TargetRule,
    gauge: Gauge,
    heard: &[NodeUse],
    [missing, unready]: [usize; 2],
    needed: NodeCount,
) -> Reason {
    let signal = rule.signal.clone();
    let count = |nodes: usize| NodeCount(nodes as u32);
    let (heard, measured) = (count(heard.len()), gauge.measure(heard));
    let (missing, unready) = (count(missing), count(unready));
    match gauge {
        Gauge::Average(target) => Reason::AverageNeeds {
            signal,
            average: measured as f64 / 1_000.0,
            target: target as f64 / 1_000.0,
            heard,
            missing,
            unready,
            needed,
        },
        Gauge::UtilisationPercent(target_percent) => Reason::UtilisationNeeds {
            signal,
            percent: measured.unsigned_abs() as u32,
            target_percent,
            heard,
            missing,
            unready,
            needed,
        },
    }
}
