//! Freshness: bad data lowers nothing, and a pool that was blind for too long goes to its
//! default.
//!
//! In: every rule's opinion, and since when no signal could be read.
//! Out: at least the present count while any rule is blind; at least `bounds.default` once all
//! were for `missing_data.hold_for`.
//! Never: lowers a count; stops a healthy signal's scale-out.
//!
//! Time that the daemon was down counts as blind where both its ends are: that only ever raises.

use super::super::look::Look;
use super::super::{Reason, Recommendation};
use super::Verdict;
use crate::domain::{NodeCount, SignalName};

/// At least the present count, or the default, where signals are broken.
pub(in crate::engine) fn guard(
    look: &Look<'_>,
    recommendations: &[Recommendation],
    count: NodeCount,
) -> Verdict {
    if let Some(since) = look.blind_too_long_since() {
        let default = look.floor();
        return (count < default).then_some((default, Reason::BlindFloor { since, default }));
    }
    let signals = broken_signals(look, recommendations);
    let lowers = count < look.from && !signals.is_empty();
    lowers.then_some((look.from, Reason::BrokenSignalHolds { wanted: count, signals }))
}

/// The signals of blind rules, each once.
fn broken_signals(look: &Look<'_>, recommendations: &[Recommendation]) -> Vec<SignalName> {
    let rules = recommendations.iter().zip(&look.policy.rules);
    let blind = rules.filter(|(recommendation, _)| recommendation.is_blind());
    let mut signals: Vec<_> = blind.filter_map(|(_, rule)| rule.signal().cloned()).collect();
    signals.sort();
    signals.dedup();
    signals
}
