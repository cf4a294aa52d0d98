//! The plot over time: what `report.js` draws, and the decisions as tables.

use std::fmt::Write;

use serde_json::{Value, json};

use super::super::contest::{Bout, Contest, Scene};
use super::super::record::{Bucket, Record};
use super::label::{Kind, kind};
use super::text::{digits, escaped, length};

/// Before this a trace's moments are no dates: they count from its beginning.
const FIRST_DATE: i64 = 100_000_000;

/// The plot of one trace, with everything that it says.
pub(super) fn figure(contest: &Contest<'_>, place: usize, scene: &Scene, bout: &Bout) -> String {
    let mut out = format!("<figure class=\"plot\" id=\"plot-{place}\">\n");
    out.push_str("<div class=\"controls\"><label>Show <select>");
    for (number, score) in bout.scores.iter().enumerate() {
        let _ = write!(out, "<option value=\"{number}\">{}</option>", escaped(&score.name));
    }
    out.push_str(
        "</select></label> <span class=\"buttons\"><button type=\"button\" data-do=\"worst\">Worst \
         moment</button><button type=\"button\" data-do=\"left\" aria-label=\"Earlier\">◀</button>\
         <button type=\"button\" data-do=\"in\" aria-label=\"Zoom in\">+</button><button \
         type=\"button\" data-do=\"out\" aria-label=\"Zoom out\">−</button><button \
         type=\"button\" data-do=\"right\" aria-label=\"Later\">▶</button><button \
         type=\"button\" data-do=\"all\">Whole time</button></span></div>\n",
    );
    out.push_str(
        "<div class=\"canvas\"><p class=\"noscript\">The plot needs JavaScript; the tables don't.\
         </p></div><div class=\"tip\" hidden></div>\n",
    );
    let bucket = bout.records.first().map_or(0, |record| record.bucket_seconds);
    let _ = writeln!(
        out,
        "<figcaption>Nodes over time. <b class=\"k demand\">Demand</b> is what the traffic needs, \
         <b class=\"k serving\">serving</b> answers requests, <b class=\"k paid\">paid for</b> also \
         boots, drains or waits for its hour to end. Below: <b class=\"k decision\">decisions</b> \
         (▲ more, ▼ fewer nodes; point at one, or go there with Tab and the arrow keys, for its \
         reasons) and <b class=\"k late\">late requests</b>. Drag to zoom. Each point holds the \
         least and the most of {}.</figcaption>",
        length(bucket)
    );
    let data = data(scene, contest, bout).to_string().replace('<', "\\u003c");
    let _ = writeln!(out, "<script type=\"application/json\">{data}</script>");
    for (number, record) in bout.records.iter().enumerate() {
        if !matches!(kind(contest, number), Kind::Baseline(_)) {
            out.push_str(&changes(number, &bout.scores[number].name, scene, record));
        }
    }
    out.push_str("</figure>\n");
    out
}

/// The decisions of one policy.
fn changes(number: usize, name: &str, scene: &Scene, record: &Record) -> String {
    let (kept, all) = (record.changes.len(), record.changes_in_all);
    let which = match kept == all {
        true => format!("All {all} decisions"),
        false => format!("The {kept} largest of {all} decisions"),
    };
    let mut out = format!(
        "<details class=\"changes\" data-contender=\"{number}\"><summary>{which} of {} that changed \
         the count, with their reasons</summary>\n<div class=\"tall\"><table><thead><tr><th \
         scope=\"col\">When</th><th scope=\"col\">From</th><th scope=\"col\">To</th><th \
         scope=\"col\">Why</th></tr></thead><tbody>\n",
        escaped(name)
    );
    for change in &record.changes {
        let reasons: Vec<String> = change.reasons.iter().map(|reason| escaped(reason)).collect();
        let _ = writeln!(
            out,
            "<tr data-at=\"{}\"><td>{}</td><td>{}</td><td>{}</td><td>{}</td></tr>",
            change.at,
            moment(scene, change.at),
            change.from,
            change.to,
            reasons.join("; "),
        );
    }
    out.push_str("</tbody></table></div></details>\n");
    out
}

/// A moment: a date where the trace has dates, else its day.
fn moment(scene: &Scene, seconds: u64) -> String {
    let begins_at = scene.trace.begins_at;
    if FIRST_DATE <= begins_at {
        let at = crate::domain::Timestamp::from_second(begins_at.saturating_add(seconds as i64));
        return at
            .map_or_else(|_| String::new(), |at| at.strftime("%Y-%m-%d %H:%M:%S").to_string());
    }
    let (day, rest) = (seconds / 86_400 + 1, seconds % 86_400);
    format!("day {day}, {:02}:{:02}:{:02}", rest / 3_600, rest / 60 % 60, rest % 60)
}

/// What is drawn, in nodes of the scene's kind. Series are run-length coded: value, how often,
/// value, how often.
fn data(scene: &Scene, contest: &Contest<'_>, bout: &Bout) -> Value {
    let Some(first) = bout.records.first() else {
        return Value::Null;
    };
    let series =
        |record: &Record, value: fn(&Bucket) -> f64| runs(record.buckets.iter().map(value));
    let contender = |(place, record): (usize, &Record)| {
        json!({
            "name": bout.scores[place].name,
            "size": size(contest, scene, place),
            "low": series(record, |bucket| f64::from(bucket.serving.0)),
            "high": series(record, |bucket| f64::from(bucket.serving.1)),
            "paid": series(record, |bucket| f64::from(bucket.paid.1)),
            "late": series(record, |bucket| {
                if bucket.arrived > 0.0 { digits(bucket.late / bucket.arrived, 3) } else { 0.0 }
            }),
        })
    };
    let per_second =
        first.buckets.iter().map(|bucket| digits(bucket.arrived / first.bucket_seconds as f64, 3));
    json!({
        "begins": if FIRST_DATE <= scene.trace.begins_at { Some(scene.trace.begins_at) } else { None },
        "from": first.from,
        "bucket": first.bucket_seconds,
        "buckets": first.buckets.len(),
        "low": series(first, |bucket| f64::from(bucket.demand.0)),
        "high": series(first, |bucket| f64::from(bucket.demand.1)),
        "rate": runs(per_second),
        "contenders": bout.records.iter().enumerate().map(contender).collect::<Vec<_>>(),
    })
}

/// How many of everyone's nodes one node of the contender at `place` is.
fn size(contest: &Contest<'_>, scene: &Scene, place: usize) -> f64 {
    let variant = place.checked_sub(contest.policies.len());
    let own = variant.and_then(|place| contest.variants.get(place));
    own.map_or(1.0, |own| own.settings.node.knee_rate() / scene.settings.node.knee_rate())
}

/// Run-length code.
fn runs(values: impl Iterator<Item = f64>) -> Vec<Value> {
    let mut runs: Vec<(f64, u64)> = Vec::new();
    for value in values {
        match runs.last_mut() {
            Some((last, times)) if *last == value => *times += 1,
            _ => runs.push((value, 1)),
        }
    }
    runs.into_iter().flat_map(|(value, times)| [number(value), json!(times)]).collect()
}

/// Whole numbers without a point: shorter.
fn number(value: f64) -> Value {
    if value.fract() == 0.0 { json!(value as i64) } else { json!(value) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_values_are_one_run_and_small_shares_stay_above_zero() {
        let code = Value::Array(runs([2.0, 2.0, 0.5, 2.0].into_iter()));
        assert_eq!(code.to_string(), "[2,2,0.5,1,2,1]");
        assert_eq!(
            [0.0, 0.000_012_345, 1_234.0, 0.9].map(|value| digits(value, 3)),
            [0.0, 0.000_012_3, 1_230.0, 0.9]
        );
    }
}
