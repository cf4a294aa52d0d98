//! Prometheus, or whatever speaks its API, as our [`MetricsSource`](crate::ports::MetricsSource).
//!
//! In: a PromQL expression, and how old its data may be.
//! Out: one finite value, or one of each node, with the moment that it speaks of; or why there is
//! none.
//! Never: takes silence, a warning or old data for a number; lets one query hold up another;
//! shows the server's address or its credentials.
//!
//! # How old is a value?
//!
//! The time beside an instant query's result is the moment of evaluation, always: it tells nothing
//! of the data. An instant selector reaches back up to five minutes and a range as far as it says,
//! so a Prometheus that scrapes nothing any more still answers `sum(rate(requests_total[5m]))`,
//! with less and less. Hence each read asks twice, at the same time:
//!
//! 1. the expression itself, evaluated at the server's own now. (Not at ours: if our clock were
//!    ahead, the window would miss its newest samples and every rate would look smaller.)
//! 2. the time of the newest raw sample behind each series selector of the expression
//!    (`max(timestamp(selector))`), of which the oldest counts: a quotient is as old as the older
//!    of its halves. Selectors with `offset` or `@` look at the past on purpose and are left out.
//!
//! The second answer becomes the sample's time. So
//!
//! - a target that Prometheus can't scrape any more, or that left service discovery, ends its
//!   series at once; when that goes for all targets, the reading is missing from the next scrape
//!   on, though a rate over their last samples still has a value. Some targets of many: that is
//!   what a policy's `coverage` query is for;
//! - a Prometheus that stopped scraping without a word (blocked, restored from a backup, fed by a
//!   remote write that stopped) shows ages that grow, and the reading turns stale;
//! - answers from a cache, a lagging replica or a wrong clock are too old in the same way, since
//!   the age counts to *our* now. A sample from the future beyond the limit is refused as well:
//!   then the clocks disagree, and no age can be trusted;
//! - `stale_after` must be longer than the scrape interval and the delay of recording rules;
//! - a selector that matches nothing is ignored as long as another one lives, because
//!   `errors / (requests > 0) or vector(0)` is legal before the first error;
//! - where a signal has a series of each node, each is dated by itself: its own series behind each
//!   selector that has the label of nodes, and all series of those that have not. A node whose
//!   series ended is silent, whatever its rate still says; so the label must be one of the raw
//!   series. One that only the query makes up (`label_replace`) is as old as the newest of all;
//! - an expression without any series (`vector(1)`, `time()`) is as old as its evaluation.

mod answer;
mod kept;
mod nodes;
mod recording;
mod selectors;
mod source;
mod spacing;

#[cfg(test)]
mod hostile_tests;

use std::fmt;
use std::time::Duration;

use reqwest::header::{AUTHORIZATION, HeaderMap, HeaderValue};
use secrecy::{ExposeSecret, SecretString};

pub use kept::Kept;
pub use recording::{Recording, Stretch};

/// A Prometheus server. Clones share connections.
#[derive(Clone)]
pub struct PrometheusSource {
    client: prometheus_http_query::Client,
    settings: PrometheusSettings,
}

/// How long Prometheus may take.
#[derive(Clone, Copy, Debug)]
pub struct PrometheusSettings {
    /// For one signal: both of its queries run at the same time.
    pub read_deadline: Duration,
    /// For one piece of a range.
    pub range_deadline: Duration,
    /// The longest answer that is read, in bytes.
    pub body_limit: usize,
}

impl Default for PrometheusSettings {
    fn default() -> Self {
        Self {
            // Below the shortest sensible tick, and far beyond any query worth asking each tick.
            read_deadline: Duration::from_secs(3),
            range_deadline: Duration::from_secs(15),
            // 10,000 points of one series are about half a megabyte.
            body_limit: 8 * 1024 * 1024,
        }
    }
}

/// Why no source can be made.
#[derive(Debug, thiserror::Error)]
pub enum SetupError {
    /// The URL can't be used.
    #[error("the Prometheus URL is unusable ({why}): write it like `http://127.0.0.1:9090`")]
    Url {
        /// What is wrong with it.
        why: String,
    },
    /// The token can't travel in a header; it is not shown.
    #[error("the Prometheus token holds characters that no header may have")]
    Token,
    /// TLS is not to be had on this machine.
    #[error("no HTTPS client can be made: are the system's root certificates installed?")]
    Client(#[source] reqwest::Error),
}

impl PrometheusSource {
    /// A source at `url`, over connections that several sources may share.
    ///
    /// A path in the URL is kept, for servers behind a proxy or under a tenant. User and
    /// password in it become basic authentication and are never shown.
    pub fn new(
        http: reqwest::Client,
        url: &str,
        settings: PrometheusSettings,
    ) -> Result<Self, SetupError> {
        let unusable = |why: String| SetupError::Url { why };
        let parsed =
            reqwest::Url::parse(url.trim()).map_err(|error| unusable(error.to_string()))?;
        if !matches!(parsed.scheme(), "http" | "https") {
            return Err(unusable("it does not begin with `http://` or `https://`".into()));
        }
        let base = parsed.as_str().trim_end_matches('/');
        let client = prometheus_http_query::Client::from(http, base)
            .map_err(|error| unusable(error.to_string()))?;
        Ok(Self { client, settings })
    }

    /// Connections that sources may share: no redirects, a short time to connect. Deadlines are
    /// each source's own. With a `token`, each request carries it as a bearer (RFC 6750, 2.1).
    pub fn connections(token: Option<&SecretString>) -> Result<reqwest::Client, SetupError> {
        let mut headers = HeaderMap::new();
        if let Some(token) = token {
            let bearer = format!("Bearer {}", token.expose_secret());
            let mut bearer = HeaderValue::from_str(&bearer).map_err(|_| SetupError::Token)?;
            bearer.set_sensitive(true);
            headers.insert(AUTHORIZATION, bearer);
        }
        // The program installs it first thing; tests and other embedders may not, and without it
        // building a client panics. A second installation is refused and changes nothing.
        let _ = rustls::crypto::ring::default_provider().install_default();
        reqwest::Client::builder()
            .connect_timeout(Duration::from_secs(2))
            .redirect(reqwest::redirect::Policy::none())
            .default_headers(headers)
            .user_agent(concat!("windlass/", env!("CARGO_PKG_VERSION")))
            .build()
            .map_err(SetupError::Client)
    }
}

impl fmt::Debug for PrometheusSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The client's URL may hold a password.
        f.debug_struct("PrometheusSource").field("settings", &self.settings).finish_non_exhaustive()
    }
}
