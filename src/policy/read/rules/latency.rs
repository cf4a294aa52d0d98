//! `latency`: more nodes while a latency is too long.

use super::super::super::fields::{self, Fields, Notes, Value, refuse};
use super::super::super::settings::LatencyRule;
use super::{percent, signal};
use crate::domain::{Duration, SignalName};

/// How long a latency must be too long: two scrapes, so that one slow sample adds no node.
const FOR: Duration = Duration::from_secs(30);
/// Nodes that a latency adds, in per cent of the serving ones.
const STEP: f64 = 25.0;

pub(super) fn latency(
    value: Value<'_>,
    known: Option<&[SignalName]>,
    notes: &mut Notes,
) -> Option<LatencyRule> {
    let mut fields = Fields::of(value, notes)?;
    let signal = fields.required("signal", "p95", notes, |v, n| signal(v, known, n));
    let objective = fields.required("objective", "300ms", notes, fields::duration_above_zero);
    let clear_below = fields.optional("clear_below", notes, fields::duration_above_zero);
    let for_at_least = fields.or("for", FOR, notes, fields::duration);
    let step = fields.or("step_percent", percent(STEP), notes, fields::percent_above_zero);
    let clear_below_at = fields.place("clear_below");
    fields.finish(notes);

    let (objective, clear_below) = (objective?, clear_below?);
    let clear_below = clear_below.unwrap_or_else(|| two_thirds(objective));
    if objective < clear_below {
        let (clear, objective) = (fields::written_out(clear_below), fields::written_out(objective));
        let what = format!("`clear_below` is {clear}, above `objective`, which is {objective}");
        let help = "lower it: nodes may leave only well below the latency that adds some";
        return refuse(notes, clear_below_at, what, help);
    }
    Some(LatencyRule {
        signal: signal?,
        objective,
        clear_below,
        for_at_least: for_at_least?,
        step: step?,
    })
}

/// Two thirds of `objective`, in whole milliseconds where that leaves any.
fn two_thirds(objective: Duration) -> Duration {
    let exact = objective * 2 / 3;
    match u64::try_from(exact.as_millis()) {
        Ok(milliseconds) if 0 < milliseconds => Duration::from_millis(milliseconds),
        _ => exact,
    }
}
