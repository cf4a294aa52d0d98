//! `fixed`: always the same count.

use super::super::super::fields::{self, Fields, Notes, Value};
use super::super::super::settings::FixedRule;
use super::group;
use crate::domain::NodeCount;

pub(super) fn fixed(value: Value<'_>, notes: &mut Notes) -> Option<FixedRule> {
    let mut fields = Fields::of(value, notes)?;
    let count = fields.required("count", "4", notes, fields::whole(0, u32::MAX));
    let group = group(&mut fields, notes);
    fields.finish(notes);
    Some(FixedRule { count: NodeCount(count?), group: group? })
}
