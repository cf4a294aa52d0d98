//! When the surplus nodes of others leave.
//!
//! In: whether the bill is heeded.
//! Out: what the planner's choice of leavers goes by.
//! Never: chooses itself.

use crate::domain::Duration;
use crate::planner::Leaving;
use crate::policy::{LeaveEarly, LeaveOrder};

/// As soon as it is not needed, the newest first: best where seconds are billed, and what
/// autoscalers do that know no bill.
pub(super) fn leaving_at_once() -> Leaving {
    Leaving { order: LeaveOrder::Newest, early: LeaveEarly::Yes, drain_timeout: Duration::ZERO }
}

/// Only in the last five minutes of the paid hour, whose ends soonest first.
pub(super) fn leaving_at_hours_end() -> Leaving {
    Leaving {
        order: LeaveOrder::BillingHour,
        early: LeaveEarly::No,
        // The planner leaves three minutes for the deletion on top.
        drain_timeout: Duration::from_secs(120),
    }
}
