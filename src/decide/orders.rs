//! What operators had ordered at the look of a case.
//!
//! In: the `orders` of an observation, and the moment of its look.
//! Out: the engine's [`Overrides`].
//! Never: needs an absolute moment: an order ends so many seconds from the look.

use super::history::seconds;
use crate::domain::{NodeCount, Timestamp, after};
use crate::engine::{HeldChange, OrderedCount, OrderedHold, Overrides};
use crate::policy::document::Kind;
use crate::policy::fields::{self, Fields, Notes, Value};

/// Reads `orders`.
pub(super) fn orders(value: Value<'_>, at: Timestamp, notes: &mut Notes) -> Option<Overrides> {
    let mut fields = Fields::of(value, notes)?;
    let count = |value: Value<'_>, notes: &mut Notes| ordered_count(value, at, notes);
    let set = fields.optional("set", notes, count);
    let floor = fields.optional("floor", notes, count);
    let ceiling = fields.optional("ceiling", notes, count);
    let holds = fields.or("holds", Vec::new(), notes, |value, notes| {
        fields::list(value, notes, |value, notes| hold(value, at, notes))
    });
    fields.finish(notes);
    let orders = Vec::new();
    Some(Overrides { set: set?, floor: floor?, ceiling: ceiling?, holds: holds?, orders })
}

/// A count, or `{count, ends_in_seconds}`.
fn ordered_count(value: Value<'_>, at: Timestamp, notes: &mut Notes) -> Option<OrderedCount> {
    let any = fields::whole(0, u32::MAX);
    if !matches!(value.node.kind, Kind::Map(_)) {
        return Some(OrderedCount { count: NodeCount(any(value, notes)?), until: None });
    }
    let mut fields = Fields::of(value, notes)?;
    let count = fields.required("count", "8", notes, any);
    let left = fields.optional("ends_in_seconds", notes, seconds);
    fields.finish(notes);
    let until = left?.map(|left| after(at, left));
    Some(OrderedCount { count: NodeCount(count?), until })
}

/// `{change, ends_in_seconds}`
fn hold(value: Value<'_>, at: Timestamp, notes: &mut Notes) -> Option<OrderedHold> {
    const CHANGES: &[(&str, HeldChange)] =
        &[("scale_out", HeldChange::ScaleOut), ("scale_in", HeldChange::ScaleIn)];
    let mut fields = Fields::of(value, notes)?;
    let change = fields.required("change", "scale_in", notes, fields::word(CHANGES));
    let left = fields.optional("ends_in_seconds", notes, seconds);
    fields.finish(notes);
    let until = left?.map(|left| after(at, left));
    Some(OrderedHold { change: change?, until })
}
