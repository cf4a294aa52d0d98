//! `surge`: more nodes while a rate rises fast.

use super::super::super::fields::{self, Fields, Notes, Value, refuse};
use super::super::super::settings::SurgeRule;
use super::{percent, rate_above_zero, signal};
use crate::domain::{Duration, Percent, SignalName};

/// About what a node takes to serve: the rise of as long a time is what may still come.
const OVER: Duration = Duration::from_secs(120);
/// Every look within it is remembered, so it has an end.
const LONGEST_OVER: Duration = Duration::from_secs(900);
/// Rises below this are noise of short windows, in per cent.
const RISE: f64 = 15.0;
/// Half as much again as is measured, in per cent: a burst that doubles at once is over before a
/// node for its second half could serve.
const AT_MOST: f64 = 150.0;
/// A burst's shoulders come back for a few minutes.
const HOLD: Duration = Duration::from_secs(300);

pub(super) fn surge(
    value: Value<'_>,
    known: Option<&[SignalName]>,
    notes: &mut Notes,
) -> Option<SurgeRule> {
    let mut fields = Fields::of(value, notes)?;
    let signal = fields.required("signal", "requests", notes, |v, n| signal(v, known, n));
    let over = fields.or("over", OVER, notes, over);
    let rise = fields.or("rise_percent", percent(RISE), notes, fields::percent_above_zero);
    let per_node = fields.required("per_node", "400", notes, rate_above_zero);
    let at_most = fields.or("at_most_percent", percent(AT_MOST), notes, all_or_more);
    let hold = fields.or("hold", HOLD, notes, fields::duration);
    fields.finish(notes);
    Some(SurgeRule {
        signal: signal?,
        over: over?,
        rise: rise?,
        per_node: per_node?,
        at_most: at_most?,
        hold: hold?,
    })
}

fn over(value: Value<'_>, notes: &mut Notes) -> Option<Duration> {
    let over = fields::duration_from(Duration::from_secs(10))(value, notes)?;
    if over <= LONGEST_OVER {
        return Some(over);
    }
    let what = format!("`{}` is {}, longer than 15m", value.name, fields::written_out(over));
    refuse(notes, value.node.at, what, "write about what a node takes to serve, such as 2m")
}

fn all_or_more(value: Value<'_>, notes: &mut Notes) -> Option<Percent> {
    let percent = fields::percent(value, notes)?;
    if 100.0 <= percent.get() {
        return Some(percent);
    }
    let what = format!("`{}` is {}, less than what is measured", value.name, percent.get());
    refuse(notes, value.node.at, what, "write 100 or more, such as 150")
}
