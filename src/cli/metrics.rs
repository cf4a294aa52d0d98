//! The Prometheus that a command asks, and its token.
//!
//! In: flags.
//! Out: a source to ask.
//! Never: takes a token from the command line, where every user of the machine may read it;
//! sends the settings' token to a server that a flag names.

use std::path::PathBuf;

use secrecy::SecretString;

use super::exit::Failure;
use crate::config::prometheus_token;
use crate::prometheus::{PrometheusSettings, PrometheusSource};

/// The token of a Prometheus that a flag names.
#[derive(Clone, Debug, clap::Args)]
#[group(skip)]
pub(super) struct TokenArguments {
    /// A file that holds nothing but the bearer token of the --prometheus.
    #[arg(long, requires = "prometheus", value_name = "FILE")]
    prometheus_token_file: Option<PathBuf>,
}

impl TokenArguments {
    /// The token, where one is named.
    pub fn read(&self) -> Result<Option<SecretString>, Failure> {
        let Some(file) = &self.prometheus_token_file else {
            return Ok(None);
        };
        let mut warnings = Vec::new();
        let token = prometheus_token(file, &mut warnings)?;
        for warning in warnings {
            anstream::eprintln!("warning: {warning}");
        }
        Ok(Some(token))
    }
}

/// A Prometheus to ask.
pub(super) fn source(
    url: &str,
    token: Option<&SecretString>,
    settings: PrometheusSettings,
) -> Result<PrometheusSource, Failure> {
    let has_user = reqwest::Url::parse(url)
        .is_ok_and(|url| !url.username().is_empty() || url.password().is_some());
    if has_user && token.is_some() {
        let what = "there are a token and a user in the URL, and only one of them can be sent";
        return Err(Failure::Usage(format!("{what}\nhint: take one of them away")));
    }
    PrometheusSource::connections(token)
        .and_then(|http| PrometheusSource::new(http, url, settings))
        .map_err(|cause| Failure::BadSettings(format!("error: {cause}")))
}
