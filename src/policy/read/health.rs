//! `health`: when nodes in service are replaced for being unhealthy.

use super::super::fields::{self, Fields, Notes, Value};
use super::super::settings::Health;
use crate::domain::{Duration, Percent};

/// Longer than a restart of the application; a node too few for so long is borne.
const UNHEALTHY_FOR: Duration = Duration::from_secs(120);
/// In per cent: a fleet survives the loss of a fifth, and a slip replaces no more than that.
const REPLACE_AT_MOST: f64 = 20.0;

/// What counts where nothing is written.
pub(super) fn default() -> Health {
    let replace_at_most = Percent::new(REPLACE_AT_MOST).expect("our own default is a percentage");
    Health { unhealthy_for: UNHEALTHY_FOR, replace_at_most }
}

/// The terms, where they are not `off`.
pub(super) fn health(value: Value<'_>, notes: &mut Notes) -> Option<Health> {
    let usual = default();
    let mut fields = Fields::of(value, notes)?;
    let unhealthy_for =
        fields.or("unhealthy_for", usual.unhealthy_for, notes, fields::duration_above_zero);
    let replace_at_most =
        fields.or("replace_at_most_percent", usual.replace_at_most, notes, |value, notes| {
            let percent = fields::percent_above_zero(value, notes)?;
            if percent.get() <= 50.0 {
                return Some(percent);
            }
            let name = value.name;
            let what = format!("`{name}` is {}, and never is half a pool replaced", percent.get());
            fields::refuse(notes, value.node.at, what, "write at most 50, such as 20")
        });
    fields.finish(notes);
    Some(Health { unhealthy_for: unhealthy_for?, replace_at_most: replace_at_most? })
}
