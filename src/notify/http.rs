//! One request and its answer, sorted into faults.

use reqwest::header::{DATE, HeaderMap, RETRY_AFTER};
use reqwest::{Client, RequestBuilder};

use crate::domain::{Duration, Timestamp, elapsed};
use crate::ports::{Fault, root_cause};

/// A connection that takes longer comes up never.
const CONNECT: Duration = Duration::from_secs(3);

/// No answer that is of use is longer, in bytes.
const LONGEST_ANSWER: usize = 256 * 1024;

/// Why no client can be made.
#[derive(Debug, thiserror::Error)]
pub enum SetupError {
    /// The URL can't be used; it is not shown, as it may be a secret.
    #[error("the URL of {whose} is unusable: {why}")]
    Url {
        /// Whose.
        whose: String,
        /// What is wrong with it.
        why: String,
    },
    /// The token can't travel in a header; it is not shown.
    #[error("the token of {whose} holds characters that no token has")]
    Token {
        /// Whose.
        whose: String,
    },
    /// TLS is not to be had on this machine.
    #[error("no HTTPS client can be made: are the system's root certificates installed?")]
    Client(#[source] reqwest::Error),
}

/// What was answered.
pub(super) struct Answer {
    pub status: u16,
    pub headers: HeaderMap,
    pub body: Vec<u8>,
}

/// A client that follows nobody and waits `timeout` for an answer.
pub(super) fn client(timeout: Duration) -> Result<Client, SetupError> {
    // The program installs it first thing; tests and other embedders may not, and without it
    // building a client panics. A second installation is refused and changes nothing.
    let _ = rustls::crypto::ring::default_provider().install_default();
    Client::builder()
        .connect_timeout(CONNECT)
        .timeout(timeout)
        .redirect(reqwest::redirect::Policy::none())
        .user_agent(concat!("windlass/", env!("CARGO_PKG_VERSION")))
        .build()
        .map_err(SetupError::Client)
}

/// Sends one request, once. No answer at all is a fault: what can't have arrived is transient,
/// anything else in doubt.
pub(super) async fn send(act: &str, request: RequestBuilder) -> Result<Answer, Fault> {
    let mut response = request.send().await.map_err(|error| silence(act, &error))?;
    let (status, headers) = (response.status().as_u16(), response.headers().clone());
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(|error| silence(act, &error))? {
        if LONGEST_ANSWER < body.len() + chunk.len() {
            let message = format!("{act}: the answer is over {LONGEST_ANSWER} bytes long");
            return Err(Fault::InDoubt { message });
        }
        body.extend_from_slice(&chunk);
    }
    Ok(Answer { status, headers, body })
}

/// The fault of an answer that is no success. `said`: the receiver's own words, fit to be shown.
pub(super) fn fault_of(act: &str, answer: &Answer, said: &str) -> Fault {
    let status = answer.status;
    let words = if said.is_empty() { String::new() } else { format!(": {said}") };
    let message = format!("{act}: answered {status}{words}");
    match status {
        401 | 403 => Fault::Denied {
            message: format!("{message}; it lets us in no more, or not there: see the credentials"),
        },
        300..=399 => {
            Fault::Denied { message: format!("{message}; it sends us elsewhere: correct the URL") }
        }
        404 | 405 | 410 => Fault::Denied {
            message: format!("{message}; nothing of this kind is there: correct the URL"),
        },
        408 | 425 | 429 | 500.. => Fault::Transient { message, retry_after: retry_after(answer) },
        _ => Fault::Permanent { message },
    }
}

/// How long we are asked to wait: in seconds, or until a date, seen from the answer's own.
fn retry_after(answer: &Answer) -> Option<Duration> {
    let header = |name| answer.headers.get(name)?.to_str().ok().map(str::trim);
    let asked = header(RETRY_AFTER)?;
    if let Ok(seconds) = asked.parse() {
        return Some(Duration::from_secs(seconds));
    }
    let date = |text: &str| {
        let parsed = jiff::fmt::rfc2822::parse(text).ok()?;
        Some::<Timestamp>(parsed.timestamp())
    };
    Some(elapsed(date(header(DATE)?)?, date(asked)?))
}

fn silence(act: &str, error: &reqwest::Error) -> Fault {
    let cause = root_cause(error);
    if error.is_connect() || error.is_builder() {
        return Fault::transient(format!("{act}: it can't be reached: {cause}"));
    }
    let why = match error.is_timeout() {
        true => "it took too long".to_owned(),
        false => cause,
    };
    Fault::InDoubt { message: format!("{act}: the answer got lost: {why}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(status: u16, headers: &[(&'static str, &str)]) -> Answer {
        let headers = headers.iter().map(|(name, value)| {
            let value = value.parse().expect("a legal value");
            (reqwest::header::HeaderName::from_static(name), value)
        });
        Answer { status, headers: headers.collect(), body: Vec::new() }
    }

    #[test]
    fn answers_sort_into_few_kinds() {
        for (status, kind) in [
            (302, "denied"),
            (400, "permanent"),
            (401, "denied"),
            (403, "denied"),
            (404, "denied"),
            (408, "transient"),
            (413, "permanent"),
            (422, "permanent"),
            (429, "transient"),
            (500, "transient"),
            (503, "transient"),
        ] {
            assert_eq!(fault_of("it", &answer(status, &[]), "").kind(), kind, "{status}");
        }
    }

    #[test]
    fn a_wish_to_wait_is_seconds_or_a_date() {
        let asked = |headers: &[_]| retry_after(&answer(429, headers)).map(|wait| wait.as_secs());
        assert_eq!(asked(&[("retry-after", "30")]), Some(30));
        let (now, then) = ("Mon, 02 Mar 2026 12:00:00 GMT", "Mon, 02 Mar 2026 12:01:30 GMT");
        assert_eq!(asked(&[("retry-after", then), ("date", now)]), Some(90));
        assert_eq!(asked(&[("retry-after", now), ("date", then)]), Some(0));
        for unusable in [&[("retry-after", "soon")][..], &[("retry-after", then)], &[]] {
            assert_eq!(asked(unusable), None, "{unusable:?}");
        }
    }
}
