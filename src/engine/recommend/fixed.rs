//! Fixed: always the same count.
//!
//! In: nothing.
//! Out: the rule's count.
//! Never: is blind; what it wants still passes every guard.
//!
//! Source: Nomad Autoscaler's `fixed-value` strategy.

use super::super::{Opinion, Reason};
use crate::policy::FixedRule;

/// What the rule wants.
pub(super) fn recommend(rule: &FixedRule) -> Opinion {
    let count = rule.count;
    Opinion::Wants { count, exact: f64::from(count.0), because: Reason::FixedCount { count } }
}
