//! Reads a file of tests; every problem at once, each with its place.

use std::collections::BTreeMap;
use std::path::Path;

use super::series::Series;
use super::{Expectation, Fleet, PolicyTest, Suite, events};
use crate::domain::{Dollars, Duration, Hint, NodeCount, SignalName, Timestamp};
use crate::policy::Problems;
use crate::policy::document::{self, Kind};
use crate::policy::fields::{self, Fields, Notes, Value, refuse, wrong_kind};
use crate::policy::problem::{Problem, Quoting};

/// Prometheus' usual scrape interval.
const INTERVAL: Duration = Duration::from_secs(15);
/// The daemon's usual one.
const DECIDES_EVERY: Duration = Duration::from_secs(5);
/// A boot, a short playbook and the first checks.
const READY_AFTER: Duration = Duration::from_secs(180);
/// The longest test: a week.
const LONGEST: Duration = Duration::from_secs(7 * 86_400);
/// A quiet Monday noon, in winter and in UTC.
const STARTS: &str = "2026-03-02T12:00:00Z";

/// Reads the text of one file of tests; `file` is only its name in messages.
pub fn read_suite(text: &str, file: &Path) -> Result<Suite, Problems> {
    let mut notes = Vec::new();
    let suite = match document::read(text) {
        Ok(document) => suite(Value { name: "", node: &document }, &mut notes),
        Err(problem) => {
            notes.push(problem);
            None
        }
    };
    match suite {
        Some(suite) if notes.is_empty() => Ok(suite),
        _ => Err(Problems::new(file, text, notes, Quoting::Lines)),
    }
}

fn suite(value: Value<'_>, notes: &mut Notes) -> Option<Suite> {
    let mut fields = Fields::of(value, notes)?;
    let policy = fields.required("policy", "../notifications.yaml", notes, fields::path);
    let node_price = fields.optional("node_price", notes, dollars);
    let tests =
        fields.required("tests", "[{name: …, signals: {…}, expect: […]}]", notes, |v, n| {
            fields::list(v, n, test)
        });
    fields.finish(notes);
    let (policy, node_price, tests) = (policy?, node_price?, tests?);
    if tests.is_empty() {
        return refuse(notes, value.node.at, "`tests` is empty", "write at least one test");
    }
    Some(Suite { policy, node_price, tests })
}

fn test(value: Value<'_>, notes: &mut Notes) -> Option<PolicyTest> {
    let mut fields = Fields::of(value, notes)?;
    let name = fields.required("name", "a push campaign", notes, fields::line);
    let starts = STARTS.parse().expect("our own moment is legal");
    let starts = fields.or("starts", starts, notes, moment);
    let second = Duration::from_secs(1);
    let interval = fields.or("interval", INTERVAL, notes, fields::duration_from(second));
    let every = fields.or("decides_every", DECIDES_EVERY, notes, fields::duration_from(second));
    let fleet = fields.required("fleet", "{serving: 4, ready_after: 3m}", notes, fleet);
    let signals = fields.required("signals", "{requests: '1600x40'}", notes, all_series);
    let coverage = fields.or("coverage", BTreeMap::new(), notes, all_series);
    let orders = fields.or("orders", vec![], notes, |v, n| fields::list(v, n, events::order));
    let hints = fields.or("hints", vec![], notes, |value, notes| hints(value, starts?, notes));
    let forecasts = fields.or("forecasts", BTreeMap::new(), notes, all_series);
    let spent = fields.or("spent", Dollars::default(), notes, dollars);
    let expect = fields.required("expect", "[{at: 5m, count: 4}]", notes, |value, notes| {
        fields::list(value, notes, expectation)
    });
    fields.finish(notes);
    let mut expect = expect?;
    if expect.is_empty() {
        let what = "`expect` is empty, so this test could never fail";
        return refuse(notes, value.node.at, what, "add one such as `- {at: 5m, count: 4}`");
    }
    expect.sort_by_key(|one| one.at);
    let mut orders = orders?;
    orders.sort_by_key(|order| order.at);
    Some(PolicyTest {
        name: name?,
        starts: starts?,
        interval: interval?,
        decides_every: every?,
        fleet: fleet?,
        signals: signals?,
        coverage: coverage?,
        orders,
        hints: hints?,
        forecasts: forecasts?,
        spent: spent?,
        expect,
    })
}

fn hints(value: Value<'_>, begins: Timestamp, notes: &mut Notes) -> Option<Vec<Hint>> {
    let mut number = 0;
    fields::list(value, notes, |value, notes| {
        number += 1;
        events::hint(value, begins, number, notes)
    })
}

fn dollars(value: Value<'_>, notes: &mut Notes) -> Option<Dollars> {
    let number = fields::number(value, notes)?;
    let amount = Dollars::new(number);
    if amount.is_none() {
        let what = format!("`{}` is {number}, which is no amount of dollars", value.name);
        return refuse(notes, value.node.at, what, "write dollars, such as 0.036");
    }
    amount
}

fn moment(value: Value<'_>, notes: &mut Notes) -> Option<Timestamp> {
    let text = fields::line(value, notes)?;
    match text.parse() {
        Ok(moment) => Some(moment),
        Err(_) => {
            let what = format!("`{}` is no moment", value.name);
            refuse(notes, value.node.at, what, format!("write one such as {STARTS}"))
        }
    }
}

fn fleet(value: Value<'_>, notes: &mut Notes) -> Option<Fleet> {
    let mut fields = Fields::of(value, notes)?;
    let serving = fields.required("serving", "4", notes, |value, notes| match &value.node.kind {
        Kind::Integer(..) => fields::whole(0, 100_000)(value, notes).map(Ok),
        Kind::Text(_) => series(value, notes).map(Err),
        _ => wrong_kind(value, "a number of nodes, or a series such as '4x10 8x20'", notes),
    });
    let ready_after = fields.optional("ready_after", notes, fields::duration);
    let ready_at = fields.place("ready_after");
    fields.finish(notes);
    match (serving?, ready_after?) {
        (Ok(serving), ready_after) => Some(Fleet::Follows {
            serving: NodeCount(serving),
            ready_after: ready_after.unwrap_or(READY_AFTER),
        }),
        (Err(series), None) => Some(Fleet::Given(series)),
        (Err(_), Some(_)) => {
            let what = "`ready_after` beside a series, which says itself who serves";
            refuse(notes, ready_at, what, "delete it, or give `serving` one number")
        }
    }
}

fn all_series(value: Value<'_>, notes: &mut Notes) -> Option<BTreeMap<SignalName, Series>> {
    let all = fields::entries(value, notes, |key, value, notes| {
        let series = series(value, notes);
        match SignalName::new(key.name.as_str()) {
            Ok(name) => Some((name, series?)),
            Err(what) => refuse(notes, key.at, what, "write a signal's name as in the policy"),
        }
    })?;
    Some(all.into_iter().collect())
}

/// A series in Prometheus' notation; a bare number is one that never changes.
fn series(value: Value<'_>, notes: &mut Notes) -> Option<Series> {
    let text = fields::scalar(value, notes)?;
    let read = Series::parse(&text);
    read.map_err(|what| {
        let help = "docs/policy-tests.md tells the notation".into();
        notes.push(Problem { at: value.node.at, what, help });
    })
    .ok()
}

fn expectation(value: Value<'_>, notes: &mut Notes) -> Option<Expectation> {
    let mut fields = Fields::of(value, notes)?;
    let at = fields.required("at", "5m", notes, |value, notes| {
        let at = fields::duration(value, notes)?;
        if at <= LONGEST {
            return Some(at);
        }
        refuse(notes, value.node.at, "a test lasts a week at most", "write an earlier time")
    });
    let count = fields.optional("count", notes, fields::whole(0, u32::MAX));
    let reason = fields.optional("reason", notes, fields::line);
    let reasons = fields.or("reasons", vec![], notes, |v, n| fields::list(v, n, fields::line));
    let explains = fields.or("explains", vec![], notes, |v, n| fields::list(v, n, fields::text));
    fields.finish(notes);
    let (at, count, reason) = (at?, count?, reason?);
    let (reasons, explains) = (reasons?, explains?);
    if count.is_none() && reason.is_none() && reasons.is_empty() && explains.is_empty() {
        let what = format!("`{}` expects nothing", value.name);
        return refuse(
            notes,
            value.node.at,
            what,
            "add `count`, `reason`, `reasons` or `explains`",
        );
    }
    Some(Expectation { at, place: value.node.at, count, reason, reasons, explains })
}
