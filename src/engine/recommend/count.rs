//! Count: as many nodes as a signal says.
//!
//! In: a number of nodes.
//! Out: that count, its fraction dropped.
//! Never: lowers the count on a partial reading.
//!
//! Source: Nomad Autoscaler's `pass-through` strategy, which drops the fraction, too, and knows
//! no tolerance.

use super::super::look::Look;
use super::super::{Opinion, Reason};
use super::target::floor_whole;
use crate::policy::{CountRule, RuleScaleIn};

/// What the rule wants.
pub(super) fn recommend(look: &Look<'_>, rule: &CountRule) -> Opinion {
    let signal = rule.signal.clone();
    let value = match look.value(&rule.signal) {
        Ok(value) => value,
        Err(missing) => {
            return Opinion::Blind { because: Reason::SignalMissing { signal, missing } };
        }
    };
    let count = floor_whole(value.number);
    if let Some((seen, wanted)) = value.partial
        && count <= look.from
    {
        return Opinion::Blind { because: Reason::SignalPartial { signal, seen, wanted } };
    }
    let (exact, because) =
        (f64::from(count.0), Reason::SignalSays { signal, value: value.number, count });
    match rule.scale_in {
        RuleScaleIn::Never if count <= look.from => Opinion::AtLeast { count, exact, because },
        RuleScaleIn::Never | RuleScaleIn::Allowed => Opinion::Wants { count, exact, because },
    }
}
