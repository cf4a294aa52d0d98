//! `target`: so many nodes that a signal comes to what it should be.

use super::super::super::fields::{self, Fields, Notes, Value, refuse};
use super::super::super::settings::{RuleScaleIn, TargetForm, TargetRule};
use super::super::movement;
use super::{SCALE_IN, group, percent, rate_above_zero, signal};
use crate::domain::{Duration, Percent, SignalName};

/// Room on top of the measured load, in per cent: what a surge may grow by while a node boots.
const HEADROOM: f64 = 15.0;

pub(super) fn target(
    value: Value<'_>,
    known: Option<&[SignalName]>,
    notes: &mut Notes,
) -> Option<TargetRule> {
    let mut fields = Fields::of(value, notes)?;
    for key in UTILISATION {
        let what = format!("`{key}` is no key of `target`");
        fields.refused(key, what, "did you mean `utilisation_percent`, such as 70?");
    }
    let signal = fields.required("signal", "requests", notes, |v, n| signal(v, known, n));
    let form = form(&mut fields, notes);
    let headroom = fields.optional("headroom_percent", notes, fields::percent);
    let square_root = fields.optional("headroom_square_root", notes, fields::number_above_zero);
    let root_at = fields.place("headroom_square_root");
    let has_both = fields.has("headroom_percent") && fields.has("headroom_square_root");
    let scale_in = fields.or("scale_in", RuleScaleIn::Allowed, notes, fields::word(SCALE_IN));
    let tolerance = fields.optional("tolerance", notes, |value, notes| {
        movement::tolerance(Fields::of(value, notes)?, notes)
    });
    let hold = fields.or("hold", Duration::ZERO, notes, fields::duration);
    let group = group(&mut fields, notes);
    fields.finish(notes);
    let (form, square_root) = (form?, square_root?);
    match (square_root, form) {
        (Some(_), _) if has_both => {
            let what = "`headroom_square_root` beside `headroom_percent`";
            return refuse(notes, root_at, what, "keep one of the two");
        }
        (Some(_), TargetForm::Value(_))
        | (Some(_), TargetForm::Average(_))
        | (Some(_), TargetForm::UtilisationPercent(_)) => {
            let what = "`headroom_square_root` without `per_node`: only a total is so many nodes' \
                        worth of work";
            return refuse(notes, root_at, what, "write `headroom_percent`, or use `per_node`");
        }
        (Some(_), TargetForm::PerNode(_)) | (None, _) => {}
    }
    let usual = if square_root.is_some() { percent(0.0) } else { usual_headroom(form) };
    Some(TargetRule {
        signal: signal?,
        form,
        headroom: headroom?.unwrap_or(usual),
        square_root,
        scale_in: scale_in?,
        tolerance: tolerance?,
        hold: hold?,
        group: group?,
    })
}

/// How others spell `utilisation_percent`.
const UTILISATION: [&str; 3] = ["utilisation", "utilization", "utilization_percent"];

/// What the signal is held against: one of four keys.
fn form(fields: &mut Fields<'_>, notes: &mut Notes) -> Option<TargetForm> {
    let per_node = fields
        .optional("per_node", notes, rate_above_zero)
        .map(|rate| rate.map(TargetForm::PerNode));
    let value =
        fields.optional("value", notes, zero_or_more).map(|value| value.map(TargetForm::Value));
    let average = fields
        .optional("average", notes, fields::number_above_zero)
        .map(|average| average.map(TargetForm::Average));
    // HPA keeps it in 32 bits, with a sign.
    let percent = fields
        .optional("utilisation_percent", notes, fields::whole(1, i32::MAX as u32))
        .map(|percent| percent.map(TargetForm::UtilisationPercent));
    let forms = [per_node?, value?, average?, percent?];
    let mut written = forms.into_iter().flatten();
    match (written.next(), written.next()) {
        (Some(form), None) => Some(form),
        (Some(_), Some(_)) => {
            let what = "`target` has more than one of `per_node`, `value`, `average` and \
                        `utilisation_percent`";
            refuse(notes, fields.at, what, "keep one, and write a rule of its own for each other")
        }
        // The wrong word has its own problem.
        (None, _) if UTILISATION.iter().any(|key| fields.has(key)) => None,
        (None, _) => {
            let what = "`per_node` is missing in `target`, or one of `value`, `average` and \
                        `utilisation_percent`";
            refuse(notes, fields.at, what, "add one, such as `per_node: 400`")
        }
    }
}

/// Only a node's share leaves no room by itself: the others say how full a node may be, or are no
/// measure of load at all.
fn usual_headroom(form: TargetForm) -> Percent {
    match form {
        TargetForm::PerNode(_) => percent(HEADROOM),
        TargetForm::Value(_) | TargetForm::Average(_) | TargetForm::UtilisationPercent(_) => {
            percent(0.0)
        }
    }
}

fn zero_or_more(value: Value<'_>, notes: &mut Notes) -> Option<f64> {
    let number = fields::number(value, notes)?;
    if 0.0 <= number {
        return Some(number);
    }
    let what = format!("`{}` is {number}, below zero", value.name);
    refuse(notes, value.node.at, what, "write a number of zero or more")
}
