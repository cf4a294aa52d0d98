//! `effectiveness`: when scale-outs that help nothing end.

use super::super::fields::{self, Fields, Notes, Value};
use super::super::settings::Effectiveness;
use crate::domain::{Duration, Percent};

/// One scale-out may be too small to show and a second one may meet a growing surge; a third
/// without any effect says that nodes are not what is missing.
const AFTER: u32 = 3;
/// In per cent: less than this is how a latency wanders by itself.
const IMPROVES: f64 = 5.0;
/// Long enough for a person to look at it, short enough for a surge that comes next.
const REST: Duration = Duration::from_secs(30 * 60);

/// What counts where nothing is written.
pub(super) fn default() -> Effectiveness {
    let improves = Percent::new(IMPROVES).expect("our own default is a percentage");
    Effectiveness { after: AFTER, improves, rest: REST }
}

/// The terms, where they are not `off`.
pub(super) fn effectiveness(value: Value<'_>, notes: &mut Notes) -> Option<Effectiveness> {
    let usual = default();
    let mut fields = Fields::of(value, notes)?;
    let after = fields.or("after", usual.after, notes, fields::whole(1, 1_000));
    let improves = fields.or("improves_percent", usual.improves, notes, |value, notes| {
        let percent = fields::percent_above_zero(value, notes)?;
        if percent.get() < 100.0 {
            return Some(percent);
        }
        let what = format!("`{}` is {}, and no signal falls so far", value.name, percent.get());
        fields::refuse(notes, value.node.at, what, "write a percentage below 100, such as 5")
    });
    let rest = fields.or("rest", usual.rest, notes, fields::duration_above_zero);
    fields.finish(notes);
    Some(Effectiveness { after: after?, improves: improves?, rest: rest? })
}
