//! `count`: as many nodes as a signal says.

use super::super::super::fields::{self, Fields, Notes, Value};
use super::super::super::settings::{CountRule, RuleScaleIn};
use super::{SCALE_IN, group, signal};
use crate::domain::SignalName;

pub(super) fn count(
    value: Value<'_>,
    known: Option<&[SignalName]>,
    notes: &mut Notes,
) -> Option<CountRule> {
    let mut fields = Fields::of(value, notes)?;
    let signal = fields.required("signal", "wanted", notes, |v, n| signal(v, known, n));
    let scale_in = fields.or("scale_in", RuleScaleIn::Allowed, notes, fields::word(SCALE_IN));
    let group = group(&mut fields, notes);
    fields.finish(notes);
    Some(CountRule { signal: signal?, scale_in: scale_in?, group: group? })
}
