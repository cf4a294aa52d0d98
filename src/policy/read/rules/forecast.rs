//! `forecast`: nodes for the largest demand until a node could serve.

use super::super::super::document::Kind;
use super::super::super::fields::{self, Fields, Notes, Value, refuse};
use super::super::super::settings::{ForecastRule, Lead};
use super::{rate_above_zero, signal};
use crate::domain::{Duration, SignalName};
use crate::forecast::{Level, Mode};

/// A bound is one minute's; the next one may be lower. Replayed traces were billed more with
/// twice this, and failed more with none.
const HOLD: Duration = Duration::from_secs(60);
/// The forecaster looks no further than an hour.
const LONGEST_LEAD: Duration = Duration::from_secs(3600);

/// The words for [`Lead`].
const LEAD: &[(&str, Lead)] = &[("learned", Lead::Learned)];
/// The words for [`Mode`].
const MODE: &[(&str, Mode)] = &[("raise", Mode::Raise), ("forecast_only", Mode::ForecastOnly)];

pub(super) fn forecast(
    value: Value<'_>,
    known: Option<&[SignalName]>,
    notes: &mut Notes,
) -> Option<ForecastRule> {
    let mut fields = Fields::of(value, notes)?;
    let signal = fields.required("signal", "requests", notes, |v, n| signal(v, known, n));
    let lead = fields.or("lead", Lead::Learned, notes, lead);
    let level = fields.or("level", Level::default(), notes, level);
    let per_node = fields.required("per_node", "400", notes, rate_above_zero);
    let mode = fields.or("mode", Mode::Raise, notes, fields::word(MODE));
    let hold = fields.or("hold", HOLD, notes, fields::duration);
    fields.finish(notes);
    Some(ForecastRule {
        signal: signal?,
        lead: lead?,
        level: level?,
        per_node: per_node?,
        mode: mode?,
        hold: hold?,
    })
}

/// A word or a length of time: only a text that begins with a digit is one.
pub(super) fn lead(value: Value<'_>, notes: &mut Notes) -> Option<Lead> {
    let is_word = match &value.node.kind {
        Kind::Text(text) => !text.starts_with(|first: char| first.is_ascii_digit()),
        Kind::Question(question) => {
            let form = question.form().node();
            fields::word(LEAD)(Value { name: value.name, node: &form }, notes);
            let form = question.form().node();
            return fixed(Value { name: value.name, node: &form }, notes);
        }
        _ => false,
    };
    if is_word { fields::word(LEAD)(value, notes) } else { fixed(value, notes) }
}

fn fixed(value: Value<'_>, notes: &mut Notes) -> Option<Lead> {
    let lead = fields::duration_above_zero(value, notes)?;
    if lead <= LONGEST_LEAD {
        return Some(Lead::Fixed(lead));
    }
    let what = format!("`{}` is {}, longer than an hour", value.name, fields::written_out(lead));
    refuse(notes, value.node.at, what, "no node takes so long to serve: write `learned`")
}

fn level(value: Value<'_>, notes: &mut Notes) -> Option<Level> {
    let number = fields::number(value, notes)?;
    let Some(level) = Level::new(number) else {
        let what = format!("`{}` is {number}, but must be from 0.5 to 0.995", value.name);
        let help = "0.95 says that a short minute of a node costs nineteen idle ones";
        return refuse(notes, value.node.at, what, help);
    };
    Some(level)
}
