//! `target`: so many nodes that each carries its share.

use super::super::super::fields::{self, Fields, Notes, Value, refuse};
use super::super::super::settings::{RuleScaleIn, TargetForm, TargetRule};
use super::{percent, signal};
use crate::domain::{RequestsPerSecond, SignalName};

/// Room on top of the measured load, in per cent: what a surge may grow by while a node boots.
const HEADROOM: f64 = 15.0;

/// The words for [`RuleScaleIn`].
const SCALE_IN: &[(&str, RuleScaleIn)] =
    &[("allowed", RuleScaleIn::Allowed), ("never", RuleScaleIn::Never)];

pub(super) fn target(
    value: Value<'_>,
    known: Option<&[SignalName]>,
    notes: &mut Notes,
) -> Option<TargetRule> {
    let mut fields = Fields::of(value, notes)?;
    fields.unsupported("utilisation", "write `per_node`, the requests per second of one node");
    fields.unsupported("utilization", "write `per_node`, the requests per second of one node");
    let signal = fields.required("signal", "requests", notes, |v, n| signal(v, known, n));
    let per_node = fields.required("per_node", "400", notes, rate_above_zero);
    let headroom = fields.or("headroom_percent", percent(HEADROOM), notes, fields::percent);
    let scale_in = fields.or("scale_in", RuleScaleIn::Allowed, notes, fields::word(SCALE_IN));
    fields.finish(notes);
    Some(TargetRule {
        signal: signal?,
        form: TargetForm::PerNode(per_node?),
        headroom: headroom?,
        scale_in: scale_in?,
    })
}

fn rate_above_zero(value: Value<'_>, notes: &mut Notes) -> Option<RequestsPerSecond> {
    let number = fields::number(value, notes)?;
    match RequestsPerSecond::new(number) {
        Some(rate) if 0.0 < rate.get() => Some(rate),
        _ => {
            let what = format!("`{}` is {number}, but a node carries more than that", value.name);
            let help = "write the requests per second that one warm node carries, above zero";
            refuse(notes, value.node.at, what, help)
        }
    }
}
