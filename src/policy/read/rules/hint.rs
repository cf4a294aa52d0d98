//! `hint`: as many nodes as announced campaigns need, before they begin.

use super::super::super::fields::{self, Fields, Notes, Value};
use super::super::super::settings::{HintRule, Lead};
use super::forecast::lead;
use super::{percent, rate_above_zero, signal};
use crate::domain::SignalName;

/// What campaigns may bring on top of what was announced, in per cent: people round, lists grow.
/// A node that carries its share well can carry a quarter more for a minute, so that half as much
/// again may come; double paid for more idle nodes than it saved requests on recorded campaigns.
const MARGIN: f64 = 20.0;

pub(super) fn hint(
    value: Value<'_>,
    known: Option<&[SignalName]>,
    notes: &mut Notes,
) -> Option<HintRule> {
    let mut fields = Fields::of(value, notes)?;
    let signal = fields.required("signal", "requests", notes, |v, n| signal(v, known, n));
    let per_node = fields.required("per_node", "400", notes, rate_above_zero);
    let lead = fields.or("lead", Lead::Learned, notes, lead);
    let margin = fields.or("margin_percent", percent(MARGIN), notes, fields::percent);
    fields.finish(notes);
    Some(HintRule { signal: signal?, per_node: per_node?, lead: lead?, margin: margin? })
}
