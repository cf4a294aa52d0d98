//! `tolerance`, `scale_out`, `scale_in`, `missing_data`, `standby`: how the count may move, and
//! what is kept ready for when it does.

use super::super::fields::{self, Fields, Notes, Value, refuse};
use super::super::settings::{
    Brake, LeaveEarly, LeaveOrder, MissingData, Pace, PaceLimit, PaceSelect, ScaleIn, ScaleOut,
    Standby, Tolerance,
};
use crate::domain::{Duration, NodeCount, Percent};

const MINUTE: Duration = Duration::from_secs(60);

/// Longer than a boot and a playbook take together: what leaves is really not needed.
const STABILIZE_IN: Duration = Duration::from_secs(600);
/// One look at what the last departure did before the next one.
const COOLDOWN_IN: Duration = Duration::from_secs(300);
/// How long blindness is borne before the count is raised to `bounds.default`.
const HOLD_FOR: Duration = Duration::from_secs(300);

/// The words for [`PaceSelect`].
const SELECT: &[(&str, PaceSelect)] = &[
    ("largest", PaceSelect::Largest),
    ("smallest", PaceSelect::Smallest),
    ("disabled", PaceSelect::Disabled),
];
/// The words for [`LeaveOrder`].
const ORDER: &[(&str, LeaveOrder)] = &[
    ("billing_hour", LeaveOrder::BillingHour),
    ("newest", LeaveOrder::Newest),
    ("oldest", LeaveOrder::Oldest),
];
/// The words for [`LeaveEarly`].
const LEAVE_EARLY: &[(&str, LeaveEarly)] =
    &[("no", LeaveEarly::No), ("yes", LeaveEarly::Yes), ("to_standby", LeaveEarly::ToStandby)];

pub(super) fn tolerance(mut fields: Fields<'_>, notes: &mut Notes) -> Option<Tolerance> {
    let out = fields.or("out_percent", percent(5.0), notes, fields::percent);
    let scale_in = fields.or("in_percent", percent(15.0), notes, |value, notes| {
        let percent = fields::percent(value, notes)?;
        if percent.get() < 100.0 {
            return Some(percent);
        }
        let what = format!("`in_percent` is {}, so no node could ever leave", percent.get());
        refuse(notes, value.node.at, what, "write a percentage below 100, such as 15")
    });
    fields.finish(notes);
    Some(Tolerance { out: out?, scale_in: scale_in? })
}

pub(super) fn scale_out(mut fields: Fields<'_>, notes: &mut Notes) -> Option<ScaleOut> {
    let pace = vec![
        Pace { limit: PaceLimit::Nodes(10), per: MINUTE },
        Pace { limit: PaceLimit::Percent(percent(100.0)), per: MINUTE },
    ];
    let stabilize = fields.or("stabilize", Duration::ZERO, notes, fields::duration);
    let pace = fields.or("pace", pace, notes, paces);
    let pace_select = fields.or("pace_select", PaceSelect::Largest, notes, fields::word(SELECT));
    let cooldown = fields.or("cooldown", Duration::ZERO, notes, fields::duration);
    fields.finish(notes);
    Some(ScaleOut {
        stabilize: stabilize?,
        pace: pace?,
        pace_select: pace_select?,
        cooldown: cooldown?,
    })
}

pub(super) fn scale_in(mut fields: Fields<'_>, notes: &mut Notes) -> Option<ScaleIn> {
    let pace = vec![Pace { limit: PaceLimit::Nodes(2), per: 5 * MINUTE }];
    let stabilize = fields.or("stabilize", STABILIZE_IN, notes, fields::duration);
    let pace = fields.or("pace", pace, notes, paces);
    let pace_select = fields.or("pace_select", PaceSelect::Largest, notes, fields::word(SELECT));
    let cooldown = fields.or("cooldown", COOLDOWN_IN, notes, fields::duration);
    let order = fields.or("order", LeaveOrder::BillingHour, notes, fields::word(ORDER));
    let leave_early = fields.or("leave_early", LeaveEarly::No, notes, fields::word(LEAVE_EARLY));
    fields.finish(notes);
    Some(ScaleIn {
        stabilize: stabilize?,
        pace: pace?,
        pace_select: pace_select?,
        cooldown: cooldown?,
        order: order?,
        leave_early: leave_early?,
    })
}

/// A pool that a push raised to four times its size may fall back at once; a fleet that shall
/// vanish may not. What left longer ago than three hours nobody remembers.
pub(super) fn brake(mut fields: Fields<'_>, notes: &mut Notes) -> Option<Brake> {
    let nodes = fields.or("nodes", 50, notes, fields::whole(1, u32::MAX));
    let share = fields.or("percent", percent(75.0), notes, fields::percent_above_zero);
    let per = fields.or("per", 10 * MINUTE, notes, |value, notes| {
        let per = fields::duration_from(MINUTE)(value, notes)?;
        if per <= 180 * MINUTE {
            return Some(per);
        }
        let what = format!("`per` is {}, longer than 3h", fields::written_out(per));
        refuse(notes, value.node.at, what, "write 3h or less")
    });
    fields.finish(notes);
    Some(Brake { nodes: nodes?, share: share?, per: per? })
}

pub(super) fn missing_data(mut fields: Fields<'_>, notes: &mut Notes) -> Option<MissingData> {
    let hold_for = fields.or("hold_for", HOLD_FOR, notes, fields::duration);
    let then = fields.or("then", (), notes, fields::word(&[("default", ())]));
    fields.finish(notes);
    then?;
    Some(MissingData { hold_for: hold_for? })
}

pub(super) fn standby(mut fields: Fields<'_>, notes: &mut Notes) -> Option<Standby> {
    let nodes = fields.or("nodes", 0, notes, fields::whole(0, u32::MAX));
    fields.finish(notes);
    Some(Standby { nodes: NodeCount(nodes?) })
}

fn paces(value: Value<'_>, notes: &mut Notes) -> Option<Vec<Pace>> {
    fields::list(value, notes, pace)
}

fn pace(value: Value<'_>, notes: &mut Notes) -> Option<Pace> {
    let mut fields = Fields::of(value, notes)?;
    let nodes = fields.optional("nodes", notes, fields::whole(1, u32::MAX));
    let percent = fields.optional("percent", notes, fields::percent_above_zero);
    let per = fields.required("per", "1m", notes, fields::duration_from(Duration::from_secs(1)));
    fields.finish(notes);
    let limit = match (nodes?, percent?) {
        (Some(nodes), None) => PaceLimit::Nodes(nodes),
        (None, Some(percent)) => PaceLimit::Percent(percent),
        (Some(_), Some(_)) => {
            let what = format!("`{}` has both `nodes` and `percent`", value.name);
            let help = "make two entries of it; `pace_select` says which one counts";
            return refuse(notes, value.node.at, what, help);
        }
        (None, None) => {
            let what = format!("`{}` has neither `nodes` nor `percent`", value.name);
            return refuse(notes, value.node.at, what, "add one, such as `{nodes: 2, per: 5m}`");
        }
    };
    Some(Pace { limit, per: per? })
}

fn percent(value: f64) -> Percent {
    Percent::new(value).expect("our own defaults are percentages")
}
