//! What people say during a test: orders and announced campaigns.
//!
//! In: the `orders` and `hints` of a test.
//! Out: what is in force at an age of the pool, and what was announced.
//! Never: knows the policy.

use crate::decide::hint_size;
use crate::domain::{Duration, Hint, HintId, HintSource, NodeCount, Timestamp, after};
use crate::engine::{HeldChange, OrderedCount, OrderedHold, Overrides};
use crate::policy::fields::{self, Fields, Notes, Value, refuse};

/// One order of an operator.
#[derive(Clone, Debug, PartialEq)]
pub struct Order {
    /// How long after the beginning it is given.
    pub at: Duration,
    /// For how long it counts; none: to the end.
    pub lasts: Option<Duration>,
    /// What is ordered.
    pub what: Ordered,
}

/// What an operator orders.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ordered {
    /// This very count.
    Set(NodeCount),
    /// No fewer nodes.
    Floor(NodeCount),
    /// No more nodes.
    Ceiling(NodeCount),
    /// No change of this kind.
    Hold(HeldChange),
    /// No change at all.
    HoldAll,
}

/// What is ordered at an age of a pool whose test began at `starts`: of each kind the last one given;
/// and whether the pool is held. Orders that have ended stay in: they don't count any more.
pub fn in_force(orders: &[Order], starts: Timestamp, age: Duration) -> (Overrides, bool) {
    let mut overrides = Overrides::default();
    let mut is_held = false;
    for order in orders.iter().filter(|order| order.at <= age) {
        let ends = order.lasts.map(|lasts| order.at.saturating_add(lasts));
        let until = ends.map(|ends| after(starts, ends));
        let ordered = |count| Some(OrderedCount { count, until });
        match order.what {
            Ordered::Set(count) => overrides.set = ordered(count),
            Ordered::Floor(count) => overrides.floor = ordered(count),
            Ordered::Ceiling(count) => overrides.ceiling = ordered(count),
            Ordered::Hold(change) => {
                overrides.holds.retain(|hold| hold.change != change);
                overrides.holds.push(OrderedHold { change, until });
            }
            Ordered::HoldAll => is_held = ends.is_none_or(|ends| age < ends),
        }
    }
    (overrides, is_held)
}

/// `{at, for, floor: 8}`
pub(super) fn order(value: Value<'_>, notes: &mut Notes) -> Option<Order> {
    const HOLDS: &[(&str, Ordered)] = &[
        ("scale_out", Ordered::Hold(HeldChange::ScaleOut)),
        ("scale_in", Ordered::Hold(HeldChange::ScaleIn)),
        ("all", Ordered::HoldAll),
    ];
    let mut fields = Fields::of(value, notes)?;
    let at = fields.required("at", "5m", notes, fields::duration);
    let lasts = fields.optional("for", notes, fields::duration_above_zero);
    let any = fields::whole(0, 100_000);
    let set = fields.optional("set", notes, &any);
    let floor = fields.optional("floor", notes, &any);
    let ceiling = fields.optional("ceiling", notes, &any);
    let hold = fields.optional("hold", notes, fields::word(HOLDS));
    fields.finish(notes);
    let given = [
        set?.map(|count| Ordered::Set(NodeCount(count))),
        floor?.map(|count| Ordered::Floor(NodeCount(count))),
        ceiling?.map(|count| Ordered::Ceiling(NodeCount(count))),
        hold?,
    ];
    let mut given = given.into_iter().flatten();
    match (given.next(), given.next()) {
        (Some(what), None) => Some(Order { at: at?, lasts: lasts?, what }),
        _ => {
            let what = format!("`{}` must order one thing", value.name);
            let help = "write one of `set`, `floor`, `ceiling` and `hold`; give each its own order";
            refuse(notes, value.node.at, what, help)
        }
    }
}

/// `{announced, starts, kind, devices, spread, tail}`: the `number`th campaign of a test that begins at
/// `begins`.
pub(super) fn hint(
    value: Value<'_>,
    begins: Timestamp,
    number: u128,
    notes: &mut Notes,
) -> Option<Hint> {
    let mut fields = Fields::of(value, notes)?;
    let kind = fields.required("kind", "lunch", notes, fields::parsed("name it after its kind"));
    let announced = fields.or("announced", Duration::ZERO, notes, fields::duration);
    let starts = fields.required("starts", "10m", notes, fields::duration);
    let size = hint_size(&mut fields, notes);
    let spread = fields.required("spread", "2m", notes, fields::duration);
    let tail = fields.optional("tail", notes, fields::duration);
    fields.finish(notes);
    Some(Hint {
        id: HintId(uuid::Uuid::from_u128(number)),
        kind: kind?,
        announced_at: after(begins, announced?),
        starts_at: after(begins, starts?),
        size: size?,
        spread: spread?,
        tail: tail?,
        reason: "the test says so".into(),
        source: HintSource::Person,
    })
}
