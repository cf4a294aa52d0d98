//! Schedule: bounds that hold at certain times.
//!
//! In: the moment.
//! Out: no opinion, but which window is open, or which one opens next.
//! Never: changes the count. A schedule moves the bounds (see the guard), so that it is no second
//! writer beside the rules that measure.

use super::super::look::Look;
use super::super::{Opinion, Reason};
use crate::policy::ScheduleRule;

/// What the rule has to tell.
pub(super) fn recommend(look: &Look<'_>, rule: &ScheduleRule) -> Opinion {
    let (at_least, at_most) = (rule.at_least, rule.at_most);
    let because = match rule.open(look.at) {
        Some(window) => Reason::ScheduleOpen { at_least, at_most, until: window.closes },
        None => {
            let opens = rule.next(look.at).map(|window| window.opens);
            Reason::ScheduleClosed { at_least, at_most, opens }
        }
    };
    Opinion::None { because }
}
