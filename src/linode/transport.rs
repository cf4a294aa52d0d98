//! One request and its answer.
//!
//! In: a call, its class for the rate limits, and how much time is left.
//! Out: a status with its body, or why there is none, and whether the request got out.
//! Never: follows redirects, reads a body without end, repeats anything but a look (GET), shows
//! the token or an address.

use std::time::{Duration, Instant};

use reqwest::header::{AUTHORIZATION, CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue};
use reqwest::{Client, Method, Url};
use secrecy::{ExposeSecret, SecretString};
use serde::de::DeserializeOwned;

use super::LinodeSettings;
use super::limits::{Class, Limits};
use crate::ports::root_cause;

/// Why no client can be made.
#[derive(Debug, thiserror::Error)]
pub enum SetupError {
    /// The API's URL can't be used.
    #[error("the Linode API's URL is unusable ({why}): write it like `https://api.linode.com/v4`")]
    Url {
        /// What is wrong with it.
        why: String,
    },
    /// The token can't be used.
    #[error("the Linode token {why}: store a personal access token, and nothing else, in its file")]
    Token {
        /// What is wrong with it; never the token.
        why: &'static str,
    },
    /// TLS is not to be had on this machine.
    #[error("no HTTPS client can be made: are the system's root certificates installed?")]
    Client(#[source] reqwest::Error),
}

/// The API as one token may use it.
pub(super) struct Api {
    http: Client,
    base: Url,
    authorization: HeaderValue,
    token: SecretString,
    limits: Limits,
    settings: LinodeSettings,
}

/// One request to be made.
#[derive(Clone)]
pub(super) struct Call<'a> {
    pub(super) method: Method,
    pub(super) class: Class,
    pub(super) path: &'a [&'a str],
    pub(super) query: &'a [(&'a str, String)],
    /// The `X-Filter` header, where one is sent.
    pub(super) filter: Option<HeaderValue>,
    pub(super) body: Option<Vec<u8>>,
}

/// What the API, or something before it, answered.
pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) headers: HeaderMap,
    pub(super) body: Vec<u8>,
    /// How long the rate limit asks us to wait, if it does.
    pub(super) pause: Option<Duration>,
}

/// Why there is no answer.
#[derive(Debug)]
pub(super) enum NoAnswer {
    /// The rate limit forbids to ask now; nothing was sent.
    Limited { wait: Duration },
    /// No connection came up; nothing was sent.
    NeverSent { why: String },
    /// The request may have been carried out.
    Lost { why: String },
}

/// When a call of ours must be over.
#[derive(Clone, Copy)]
pub(super) struct Deadline(Instant);

impl Deadline {
    fn left(self) -> Duration {
        self.0.saturating_duration_since(Instant::now())
    }
}

/// Between a look that failed and its one repetition: long enough for a proxy to pick another
/// server, short against every budget.
const BEFORE_REPEATING: Duration = Duration::from_millis(250);

impl Api {
    pub(super) fn new(settings: LinodeSettings, token: SecretString) -> Result<Self, SetupError> {
        // The program installs it first thing; tests and other embedders may not, and without it
        // building a client panics. A second installation is refused and changes nothing.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let http = Client::builder()
            .connect_timeout(settings.connect_timeout)
            .timeout(settings.request_timeout)
            .redirect(reqwest::redirect::Policy::none())
            .user_agent(concat!("windlass/", env!("CARGO_PKG_VERSION")))
            .build()
            .map_err(SetupError::Client)?;
        let token = SecretString::from(token.expose_secret().trim());
        let base = base_url(&settings.base_url)?;
        let authorization = authorization(&token)?;
        Ok(Self { http, base, authorization, token, limits: Limits::new(), settings })
    }

    /// The deadline of a call that begins now.
    pub(super) fn deadline(&self) -> Deadline {
        Deadline(Instant::now() + self.settings.call_budget)
    }

    /// Looks at something; repeats the look once when it failed in a way that passes by itself.
    pub(super) async fn look(&self, call: Call<'_>, until: Deadline) -> Result<Answer, NoAnswer> {
        let first = self.send(call.clone(), until).await;
        let passes = match &first {
            Ok(answer) => matches!(answer.status, 500 | 502 | 504),
            Err(NoAnswer::NeverSent { .. } | NoAnswer::Lost { .. }) => true,
            Err(NoAnswer::Limited { .. }) => false,
        };
        // After a full time-out too little is left, so silence is not waited for twice.
        if !passes || until.left() < self.settings.request_timeout {
            return first;
        }
        tokio::time::sleep(BEFORE_REPEATING).await;
        self.send(call, until).await
    }

    /// Makes one request, once.
    pub(super) async fn send(&self, call: Call<'_>, until: Deadline) -> Result<Answer, NoAnswer> {
        if let Err(wait) = self.limits.admit(call.class) {
            return Err(NoAnswer::Limited { wait });
        }
        let timeout = self.settings.request_timeout.min(until.left());
        let mut request = self
            .http
            .request(call.method, self.url(call.path, call.query))
            .header(AUTHORIZATION, self.authorization.clone())
            .timeout(timeout);
        if let Some(filter) = call.filter {
            request = request.header(HeaderName::from_static("x-filter"), filter);
        }
        if let Some(body) = call.body {
            request = request.header(CONTENT_TYPE, "application/json").body(body);
        }
        let response = request.send().await.map_err(|error| no_answer(&error, timeout))?;
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        let pause = self.limits.learn(call.class, status, &headers);
        let body = self.read(response, timeout).await?;
        Ok(Answer { status, headers, body, pause })
    }

    async fn read(
        &self,
        mut response: reqwest::Response,
        timeout: Duration,
    ) -> Result<Vec<u8>, NoAnswer> {
        let mut body = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(|error| lost(&error, timeout))? {
            if body.len() + chunk.len() > self.settings.body_limit {
                let why = format!("the answer is over {} bytes long", self.settings.body_limit);
                return Err(NoAnswer::Lost { why });
            }
            body.extend_from_slice(&chunk);
        }
        Ok(body)
    }

    /// The API's words, fit to be stored and shown: without the token, cut to a sane length.
    pub(super) fn presentable(&self, text: &str) -> String {
        let hidden = text.replace(self.token.expose_secret(), "[token]");
        let one_line = hidden.split_whitespace().collect::<Vec<_>>().join(" ");
        match one_line.char_indices().nth(LONGEST_REASON) {
            Some((end, _)) => format!("{}…", &one_line[..end]),
            None => one_line,
        }
    }

    fn url(&self, path: &[&str], query: &[(&str, String)]) -> Url {
        let mut url = self.base.clone();
        // Segments are escaped, so a plan named `../x` stays a plan's name.
        url.path_segments_mut()
            .expect("the base URL was checked to have a path")
            .pop_if_empty()
            .extend(path);
        if !query.is_empty() {
            url.query_pairs_mut().extend_pairs(query);
        }
        url
    }
}

/// The longest text of the API that is passed on, in characters: several errors fit.
const LONGEST_REASON: usize = 500;

impl Answer {
    /// Whether the API did what was asked.
    pub(super) fn is_success(&self) -> bool {
        (200..300).contains(&self.status)
    }

    /// The body as JSON of a known shape, or what is wrong with it (nothing of its text).
    pub(super) fn json<T: DeserializeOwned>(&self) -> Result<T, String> {
        serde_json::from_slice(&self.body).map_err(|error| {
            let place = format!("line {}, column {}", error.line(), error.column());
            match error.classify() {
                serde_json::error::Category::Data => {
                    format!("the answer's JSON has an unknown shape at {place}")
                }
                _ => format!("the answer is no JSON, from {place} on"),
            }
        })
    }

    /// A header's text; empty without one.
    pub(super) fn header(&self, name: &str) -> &str {
        self.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
    }
}

fn base_url(text: &str) -> Result<Url, SetupError> {
    let unusable = |why: &str| SetupError::Url { why: why.into() };
    let url = Url::parse(text.trim()).map_err(|error| unusable(&error.to_string()))?;
    if !matches!(url.scheme(), "http" | "https") {
        return Err(unusable("it does not begin with `https://`"));
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err(unusable("it holds a user name or password"));
    }
    if url.query().is_some() || url.fragment().is_some() {
        return Err(unusable("it ends in a query or fragment"));
    }
    Ok(url)
}

fn authorization(token: &SecretString) -> Result<HeaderValue, SetupError> {
    if token.expose_secret().is_empty() {
        return Err(SetupError::Token { why: "is empty" });
    }
    if !token.expose_secret().chars().all(|c| c.is_ascii_graphic()) {
        return Err(SetupError::Token { why: "holds characters that no token has" });
    }
    let mut value = HeaderValue::from_str(&format!("Bearer {}", token.expose_secret()))
        .map_err(|_| SetupError::Token { why: "does not fit into a header" })?;
    value.set_sensitive(true);
    Ok(value)
}

/// Sorts a request that brought no answer by whether it can have arrived.
fn no_answer(error: &reqwest::Error, timeout: Duration) -> NoAnswer {
    if error.is_connect() || error.is_builder() {
        return NoAnswer::NeverSent { why: root_cause(error) };
    }
    lost(error, timeout)
}

fn lost(error: &reqwest::Error, timeout: Duration) -> NoAnswer {
    let why = match error.is_timeout() {
        true => format!("no answer within {:.1} s", timeout.as_secs_f64()),
        false => root_cause(error),
    };
    NoAnswer::Lost { why }
}
