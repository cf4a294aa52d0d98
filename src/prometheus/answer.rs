//! What Prometheus answers, read without losing its warnings.
//!
//! In: a status and a body.
//! Out: a result, or a failure of one of two kinds with a text fit to be shown.
//! Never: takes an answer with a warning for a whole one.

use prometheus_http_query::response::{Data, PromqlResult};
use serde::Deserialize;
use serde_json::Value;

use crate::ports::Fault;

/// Why a query brought no result.
#[derive(Debug)]
pub(super) enum Failure {
    /// It may work later: the way to the server, its load, a source behind it.
    Passing(String),
    /// It never will, asked like this.
    Refused(String),
    /// As passing; a shorter range may also do at once.
    Late(String),
    /// As refused; a shorter range would do.
    TooLarge(String),
}

impl Failure {
    /// What happened, in a few words.
    pub(super) fn message(self) -> String {
        match self {
            Self::Passing(message) | Self::Late(message) => message,
            Self::Refused(message) | Self::TooLarge(message) => message,
        }
    }

    /// Whether a shorter range may be answered.
    pub(super) fn is_too_much(&self) -> bool {
        match self {
            Self::Late(_) | Self::TooLarge(_) => true,
            Self::Passing(_) | Self::Refused(_) => false,
        }
    }
}

impl From<Failure> for Fault {
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::Passing(message) | Failure::Late(message) => Self::transient(message),
            Failure::Refused(message) | Failure::TooLarge(message) => Self::permanent(message),
        }
    }
}

/// The envelope of every answer. The client library's own drops the warnings.
#[derive(Deserialize)]
struct Envelope {
    status: String,
    data: Option<Value>,
    #[serde(default, rename = "errorType")]
    error_type: String,
    #[serde(default)]
    error: String,
    warnings: Option<Vec<String>>,
}

/// The result of a query, out of an answer's status and body.
pub(super) fn result(status: u16, body: &[u8]) -> Result<Data, Failure> {
    let envelope: Envelope = serde_json::from_slice(body).map_err(|_| {
        let message = format!("answered {status} with something that is not Prometheus's JSON");
        // A proxy's "Gateway Timeout".
        if status == 504 { Failure::Late(message) } else { Failure::Passing(message) }
    })?;
    if envelope.status != "success" || !(200..300).contains(&status) {
        let message = match envelope.error.as_str() {
            "" => format!("answered {status} without a reason"),
            error => format!("{}: {}", envelope.error_type, presentable(error)),
        };
        // Two kinds blame the query; all others blame the moment.
        return Err(match envelope.error_type.as_str() {
            "bad_data" | "execution" if is_over_a_limit(&envelope.error) => {
                Failure::TooLarge(message)
            }
            "bad_data" | "execution" => Failure::Refused(message),
            "timeout" | "canceled" => Failure::Late(message),
            _ => Failure::Passing(message),
        });
    }
    // Some versions sort mere advice ("name does not end in _total") under warnings.
    let mut warnings = envelope.warnings.iter().flatten();
    if let Some(warning) = warnings.find(|warning| !warning.starts_with("PromQL info:")) {
        return Err(Failure::Passing(format!("incomplete: {}", presentable(warning))));
    }
    let data = envelope.data.unwrap_or_default();
    if data["resultType"] == "string" {
        return Err(Failure::Refused("the query gives a text and not a number".into()));
    }
    let result: PromqlResult = serde_json::from_value(data).map_err(|_| {
        Failure::Passing("the result has a shape that no number can be read from".into())
    })?;
    Ok(result.into_inner().0)
}

/// Whether a server's text tells of a limit that a shorter range keeps: points a series and samples
/// in memory (Prometheus, "exceeded maximum resolution of 11,000 points", "would load too many
/// samples"), length of a range (Mimir, Thanos, "range exceeds the limit").
fn is_over_a_limit(error: &str) -> bool {
    let error = error.to_ascii_lowercase();
    ["too many samples", "exceeded maximum", "exceeded the maximum", "exceeds the limit"]
        .iter()
        .any(|words| error.contains(words))
}

/// The longest text of the server that is passed on, in characters.
const LONGEST: usize = 300;

/// The server's words on one line, cut to a sane length, without the addresses of machines (a
/// query front end names those of its stores).
pub(super) fn presentable(text: &str) -> String {
    let words: Vec<_> = text.split_whitespace().map(without_address).collect();
    let line = words.join(" ");
    match line.char_indices().nth(LONGEST) {
        Some((end, _)) => format!("{}…", &line[..end]),
        None => line,
    }
}

fn without_address(word: &str) -> String {
    let is_part = |c: char| c.is_ascii_hexdigit() || ".:[]".contains(c);
    if word.contains("://") {
        return "[address]".into();
    }
    let mut out = String::new();
    let mut rest = word;
    while let Some(first) = rest.chars().next() {
        let belongs = is_part(first);
        let length = rest.find(|c| is_part(c) != belongs).unwrap_or(rest.len());
        let (run, after) = rest.split_at(length);
        out.push_str(if belongs && is_address(run) { "[address]" } else { run });
        rest = after;
    }
    out
}

/// Whether text is an IP address, with or without a port, be it followed by a colon.
fn is_address(text: &str) -> bool {
    let text = text.trim_end_matches([':', '.']);
    let host = text.rsplit_once(':').map_or(text, |(host, _)| host);
    text.parse::<std::net::IpAddr>().is_ok()
        || text.parse::<std::net::SocketAddr>().is_ok()
        || host.parse::<std::net::Ipv4Addr>().is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_hidden_and_all_else_is_kept() {
        for (text, expected) in [
            ("1:3: parse error: unexpected \"}\"", "1:3: parse error: unexpected \"}\""),
            ("dial tcp 10.0.0.7:9090: refused", "dial tcp [address] refused"),
            ("store (addr=10.0.0.7) is down", "store (addr=[address]) is down"),
            ("dial [fd00::1]:9090", "dial [address]"),
            ("Get \"http://me:pw@host/x\": EOF", "Get [address] EOF"),
            ("bad 0.95 by 5m at 12:30", "bad 0.95 by 5m at 12:30"),
        ] {
            assert_eq!(presentable(text), expected);
        }
    }
}
