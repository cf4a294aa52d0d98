//! `hints`: the calendar of campaigns that come by themselves.

use super::super::fields::{self, Fields, Notes, Value, refuse};
use super::super::settings::{CalendarEntry, Comes};
use super::rules::{cron, rate_above_zero, wall_time, zone};
use crate::domain::{CampaignKind, Duration, Hint, HintSize};

/// The same as `windlass hint` takes where nothing is said.
const SPREAD: Duration = Duration::from_secs(120);
/// The same as there, too.
const KIND: &str = "campaign";
/// Longer sending is no campaign, but the daily load.
const LONGEST: Duration = Duration::from_secs(86_400);

pub(super) fn hints(value: Value<'_>, notes: &mut Notes) -> Option<Vec<CalendarEntry>> {
    fields::list(value, notes, entry)
}

fn entry(value: Value<'_>, notes: &mut Notes) -> Option<CalendarEntry> {
    let mut fields = Fields::of(value, notes)?;
    let timezone = fields.required("timezone", "Europe/Berlin", notes, zone);
    let cron = fields.optional("cron", notes, cron);
    let at = fields.optional("at", notes, wall_time);
    let devices = fields.optional("devices", notes, fields::whole(1, u32::MAX));
    let rps = fields.optional("rps", notes, rate_above_zero);
    let spread = fields.or("spread", SPREAD, notes, up_to_a_day);
    let tail = fields.or("tail", Hint::USUAL_TAIL, notes, up_to_a_day);
    let named = fields::parsed::<CampaignKind>("name the kind, such as daily-push");
    let kind = fields.optional("kind", notes, named);
    let reason = fields.optional("reason", notes, fields::line);
    let here = fields.at;
    fields.finish(notes);

    let (cron, at, devices, rps) = (cron?, at?, devices?, rps?);
    let size = match (devices, rps) {
        (Some(devices), None) => HintSize::Devices(devices.into()),
        (None, Some(rate)) => HintSize::RequestsPerSecond(rate),
        _ => {
            let what = format!("`{}` does not say how large it is, or says it twice", value.name);
            let help = "give it one of both: `devices: 2000000` or `rps: 9000`";
            return refuse(notes, here, what, help);
        }
    };
    let timezone = timezone?;
    let comes = match (cron, at) {
        (Some(cron), None) => Some(Comes::Again(cron)),
        (None, Some(at)) => timezone.begin(at).map(Comes::Once),
        _ => None,
    };
    let Some(comes) = comes else {
        let what = format!("`{}` does not say when it comes, or says it twice", value.name);
        let help = "give it one of both: `cron: '0 18 * * *'` or `at: '2026-12-24 18:00'`";
        return refuse(notes, here, what, help);
    };
    let usual_kind = || CampaignKind::new(KIND).expect("a legal name");
    Some(CalendarEntry {
        kind: kind?.unwrap_or_else(usual_kind),
        timezone,
        comes,
        size,
        spread: spread?,
        tail: tail?,
        reason: reason?.unwrap_or_else(|| "the policy's calendar".to_owned()),
    })
}

fn up_to_a_day(value: Value<'_>, notes: &mut Notes) -> Option<Duration> {
    let length = fields::duration(value, notes)?;
    if length <= LONGEST {
        return Some(length);
    }
    let what = format!("`{}` is {}, longer than a day", value.name, fields::written_out(length));
    refuse(notes, value.node.at, what, "write `24h` or less")
}
