//! A webhook's body: JSON whose texts hold placeholders.
//!
//! In: a JSON value, a notice.
//! Out: the same value with every `{placeholder}` filled in. As texts are filled in after the JSON
//! was read, nothing in a notice can break out of its string.
//! Never: an unknown placeholder: what is wrong is told when the settings are read.

use serde_json::{Value, json};

use super::link::Links;
use crate::domain::Notice;

/// What a placeholder may be.
const NAMES: [&str; 15] = [
    "id", "kind", "phase", "pool", "title", "reason", "reasons", "outcome", "from", "to",
    "began_at", "ended_at", "dry_run", "link", "text",
];

/// A body that can be filled in.
#[derive(Clone, Debug, PartialEq)]
pub struct Template(Value);

/// What every notice comes to where no body is written.
pub fn default_body() -> Template {
    Template(json!({
        "version": 1,
        "id": "{id}",
        "kind": "{kind}",
        "phase": "{phase}",
        "pool": "{pool}",
        "dry_run": "{dry_run}",
        "title": "{title}",
        "reasons": "{reasons}",
        "outcome": "{outcome}",
        "from": "{from}",
        "to": "{to}",
        "began_at": "{began_at}",
        "ended_at": "{ended_at}",
        "link": "{link}",
    }))
}

/// Whether a text's placeholders are known; what is wrong and what to do, where not.
pub fn check(text: &str) -> Result<(), (String, String)> {
    for part in parts(text)? {
        if let Part::Placeholder(name) = part
            && !NAMES.contains(&name)
        {
            let known = NAMES.map(|name| format!("{{{name}}}")).join(", ");
            let what = format!("there is no placeholder `{{{name}}}`");
            return Err((what, format!("write `{{{{` for a brace; possible here: {known}")));
        }
    }
    Ok(())
}

enum Part<'t> {
    Text(&'t str),
    Placeholder(&'t str),
}

fn parts(text: &str) -> Result<Vec<Part<'_>>, (String, String)> {
    let mut parts = Vec::new();
    let mut rest = text;
    while let Some(at) = rest.find(['{', '}']) {
        let (before, here) = rest.split_at(at);
        parts.push(Part::Text(before));
        if here.starts_with("{{") || here.starts_with("}}") {
            parts.push(Part::Text(&here[..1]));
            rest = &here[2..];
            continue;
        }
        let Some(end) = here.find('}').filter(|end| 0 < *end) else {
            let what = "a brace is open or closed without the other".to_owned();
            return Err((what, "write `{{` and `}}` for braces, and `{title}` for a title".into()));
        };
        parts.push(Part::Placeholder(&here[1..end]));
        rest = &here[end + 1..];
    }
    parts.push(Part::Text(rest));
    parts.retain(|part| !matches!(part, Part::Text("")));
    Ok(parts)
}

impl Template {
    /// A body; the first thing that is wrong with it.
    pub fn new(body: Value) -> Result<Self, (String, String)> {
        match &body {
            Value::String(text) => check(text)?,
            Value::Array(items) => {
                items.iter().try_for_each(|item| Self::new(item.clone()).map(|_| ()))?;
            }
            Value::Object(map) => {
                map.values().try_for_each(|value| Self::new(value.clone()).map(|_| ()))?;
            }
            Value::Null | Value::Bool(_) | Value::Number(_) => {}
        }
        Ok(Self(body))
    }

    /// The body of one notice.
    pub fn fill(&self, notice: &Notice, links: &Links) -> Value {
        filled(&self.0, notice, links)
    }
}

fn filled(body: &Value, notice: &Notice, links: &Links) -> Value {
    let again = |value: &Value| filled(value, notice, links);
    match body {
        Value::String(text) => filled_text(text, notice, links),
        Value::Array(items) => items.iter().map(again).collect(),
        Value::Object(map) => map.iter().map(|(key, value)| (key.clone(), again(value))).collect(),
        Value::Null | Value::Bool(_) | Value::Number(_) => body.clone(),
    }
}

/// A text that is one placeholder becomes its value, be it a number, a list or nothing; any other
/// stays a text.
fn filled_text(text: &str, notice: &Notice, links: &Links) -> Value {
    let parts = parts(text).unwrap_or_default();
    if let [Part::Placeholder(name)] = parts[..] {
        return value_of(name, notice, links);
    }
    let worded = parts.into_iter().map(|part| match part {
        Part::Text(text) => text.to_owned(),
        Part::Placeholder(name) => match value_of(name, notice, links) {
            Value::String(text) => text,
            Value::Null => String::new(),
            Value::Array(_) => notice.reasons.join("\n"),
            other => other.to_string(),
        },
    });
    worded.collect::<String>().into()
}

fn value_of(name: &str, notice: &Notice, links: &Links) -> Value {
    match name {
        "id" => notice.identity().into(),
        "kind" => notice.kind.name().into(),
        "phase" => notice.phase.name().into(),
        "pool" => notice.pool.as_str().into(),
        "title" => notice.to_string().into(),
        "reason" => notice.reasons.first().cloned().into(),
        "reasons" => notice.reasons.clone().into(),
        "outcome" => notice.outcome.clone().into(),
        "from" => notice.from.map(|count| count.0).into(),
        "to" => notice.to.map(|count| count.0).into(),
        "began_at" => notice.began_at.to_string().into(),
        "ended_at" => notice.ended_at.map(|at| at.to_string()).into(),
        "dry_run" => notice.is_dry_run.into(),
        "link" => links.to(notice).into(),
        "text" => {
            let lines = std::iter::once(notice.to_string()).chain(notice.reasons.iter().cloned());
            lines.chain(links.to(notice)).collect::<Vec<_>>().join("\n").into()
        }
        _ => Value::Null,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{NodeCount, NoticeKind, NoticePhase, PoolName};

    fn notice() -> Notice {
        Notice {
            subject: "decision:0196".into(),
            kind: NoticeKind::ScaleOut,
            phase: NoticePhase::Began,
            pool: PoolName::new("web").expect("a name"),
            began_at: "2026-03-02T12:00:00Z".parse().expect("a moment"),
            ended_at: None,
            is_dry_run: true,
            from: Some(NodeCount(4)),
            to: Some(NodeCount(6)),
            title: "web scales out from 4 to 6 nodes".into(),
            reasons: vec!["requests is 900 \"/s\"".into(), "pace".into()],
            outcome: None,
        }
    }

    fn links() -> Links {
        Links { external_url: Some("https://windlass.example".into()) }
    }

    #[test]
    fn the_default_body_says_all_of_a_notice() {
        insta::assert_json_snapshot!(default_body().fill(&notice(), &links()));
    }

    #[test]
    fn every_placeholder_has_a_value_and_the_default_body_is_a_good_one() {
        Template::new(default_body().0).expect("a good one");
        let notice = notice().ended(notice().began_at, "6 serve");
        for name in NAMES {
            assert_ne!(value_of(name, &notice, &links()), Value::Null, "{name}");
        }
    }

    #[test]
    fn texts_stay_texts_whatever_a_notice_holds() {
        let body =
            json!({"text": "{title}: {reason} ({from} to {to}) {{{outcome}}}", "n": [1, "{to}"]});
        let filled = Template::new(body).expect("a good one").fill(&notice(), &links());
        let text = "[dry run] web scales out from 4 to 6 nodes: requests is 900 \"/s\" (4 to 6) {}";
        assert_eq!(filled, json!({"text": text, "n": [1, 6]}));
    }

    #[test]
    fn what_is_no_placeholder_is_told() {
        for (text, what) in [
            ("{titel}", "there is no placeholder `{titel}`"),
            ("{title", "a brace is open or closed without the other"),
            ("title}", "a brace is open or closed without the other"),
            ("{}", "there is no placeholder `{}`"),
        ] {
            assert_eq!(check(text).expect_err("it is wrong").0, what);
            assert!(Template::new(json!({"a": [{"b": text}]})).is_err());
        }
        assert!(check("{{a}} {title}").is_ok());
    }
}
