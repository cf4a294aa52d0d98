//! `step`: more or fewer nodes by the band that a value is in.

use super::super::super::fields::{self, Fields, Notes, Value, refuse};
use super::super::super::settings::{Band, BandAction, Samples, StepRounding, StepRule};
use super::{group, signal};
use crate::domain::{Duration, NodeCount, Percent, SignalName};

/// The most samples that a rule may look back on: the history carries them from look to look.
const MOST_SAMPLES: u32 = 100;
/// One sample, as soon as it is there.
const SAMPLES: Samples = Samples { within: 1, of: 1 };

/// The words for [`StepRounding`].
const ROUNDING: &[(&str, StepRounding)] =
    &[("nomad", StepRounding::Nomad), ("aws", StepRounding::Aws)];

pub(super) fn step(
    value: Value<'_>,
    known: Option<&[SignalName]>,
    notes: &mut Notes,
) -> Option<StepRule> {
    let mut fields = Fields::of(value, notes)?;
    let signal = fields.required("signal", "queue", notes, |v, n| signal(v, known, n));
    let bands = fields.required("bands", "[{from: 5000, add: 4}]", notes, bands);
    let samples = fields.or("samples", SAMPLES, notes, samples);
    let rounding = fields.or("rounding", StepRounding::Nomad, notes, fields::word(ROUNDING));
    let group = group(&mut fields, notes);
    fields.finish(notes);
    Some(StepRule {
        signal: signal?,
        bands: bands?,
        samples: samples?,
        rounding: rounding?,
        group: group?,
    })
}

fn samples(value: Value<'_>, notes: &mut Notes) -> Option<Samples> {
    let mut fields = Fields::of(value, notes)?;
    let within = fields.required("within", "3", notes, fields::whole(1, MOST_SAMPLES));
    let of = fields.required("of", "5", notes, fields::whole(1, MOST_SAMPLES));
    let within_at = fields.place("within");
    fields.finish(notes);
    let (within, of) = (within?, of?);
    if within <= of {
        return Some(Samples { within, of });
    }
    let what = format!("`within` is {within}, more than `of`, which is {of}: it never happens");
    refuse(notes, within_at, what, "lower `within` or raise `of`")
}

fn bands(value: Value<'_>, notes: &mut Notes) -> Option<Vec<Band>> {
    let bands = fields::list(value, notes, band)?;
    if bands.is_empty() {
        let what = "`bands` is empty, so the rule would never do anything";
        return refuse(notes, value.node.at, what, "add one, such as `{from: 5000, add: 4}`");
    }
    Some(bands)
}

fn band(value: Value<'_>, notes: &mut Notes) -> Option<Band> {
    let mut fields = Fields::of(value, notes)?;
    let above = "`above` is no key of a band, which begins at its smallest value".to_owned();
    fields.refused("above", above, "write `from`: the value itself is inside");
    let to = "`to` is no key of a band, which ends just before a value".to_owned();
    fields.refused("to", to, "write `below`: the value itself is outside");
    let from = fields.optional("from", notes, fields::number);
    let below = fields.optional("below", notes, fields::number);
    let for_at_least = fields.or("for", Duration::ZERO, notes, fields::duration);
    let actions = [
        fields.optional("add", notes, fields::whole(0, u32::MAX)).map(|v| v.map(BandAction::Add)),
        fields
            .optional("remove", notes, fields::whole(1, u32::MAX))
            .map(|v| v.map(BandAction::Remove)),
        fields
            .optional("add_percent", notes, fields::percent_above_zero)
            .map(|v| v.map(BandAction::AddPercent)),
        fields
            .optional("remove_percent", notes, at_most_all)
            .map(|v| v.map(BandAction::RemovePercent)),
        fields
            .optional("set", notes, fields::whole(0, u32::MAX))
            .map(|v| v.map(|count| BandAction::Set(NodeCount(count)))),
    ];
    let below_at = fields.place("below");
    let misnamed = fields.has("above") || fields.has("to");
    fields.finish(notes);

    let actions: Option<Vec<_>> = actions.into_iter().collect();
    let given: Vec<BandAction> = actions?.into_iter().flatten().collect();
    let action = match given.as_slice() {
        [action] => *action,
        several => {
            let what = match several.len() {
                0 => format!("`{}` does nothing", value.name),
                _ => format!("`{}` does {} things at once", value.name, several.len()),
            };
            let help = "give it one of `add`, `remove`, `add_percent`, `remove_percent`, `set`";
            return refuse(notes, value.node.at, what, help);
        }
    };
    if misnamed {
        return None;
    }
    let (from, below) = (from?, below?);
    if from.is_none() && below.is_none() {
        let what = format!("`{}` has neither `from` nor `below`", value.name);
        return refuse(notes, value.node.at, what, "say which values are inside");
    }
    // A signal is never below zero: such a reading counts as missing.
    let lowest = from.unwrap_or(0.0).max(0.0);
    if let Some(below) = below.filter(|below| *below <= lowest) {
        let what =
            format!("`{}` is empty: no value is {lowest} or more and below {below}", value.name);
        return refuse(notes, below_at, what, "raise `below` or lower `from`");
    }
    Some(Band { from, below, for_at_least: for_at_least?, action })
}

fn at_most_all(value: Value<'_>, notes: &mut Notes) -> Option<Percent> {
    let percent = fields::percent_above_zero(value, notes)?;
    if percent.get() <= 100.0 {
        return Some(percent);
    }
    let what = format!("`{}` is {}, more than all", value.name, percent.get());
    refuse(notes, value.node.at, what, "write a percentage up to 100")
}
