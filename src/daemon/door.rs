//! The API's door: where it listens, whom it asks for a token, and with what it encrypts.
//!
//! In: the settings, and the tokens in the store.
//! Out: a listening socket; or an error that says what to do.
//! Never: listens where others reach it without a token to be asked for, or, unless the settings
//! say that this is known, without TLS; replaces a good certificate by a bad one.

use std::sync::Arc;

use anyhow::Context;
use tokio::net::TcpListener;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use tracing::{error, info, warn};

use super::StartError;
use crate::api::access::{Access, Asks, Rate};
use crate::api::{self, Certificate, Sources, Validity};
use crate::config::{ApiAccess, Config, Encryption};
use crate::ports::{Clock, SystemClock};
use crate::store::Store;
use crate::telemetry::Metrics;

/// What the API needs before it answers.
pub(super) struct Door {
    listener: TcpListener,
    certificate: Option<Certificate>,
    validity: Option<Validity>,
    /// Who may ask.
    pub access: Access,
}

impl Door {
    /// Looks at everything that must be in place, and then listens.
    pub async fn open(config: &Config, store: &Store) -> Result<Self, StartError> {
        let wrong = |what: String, help: &str| StartError::Settings {
            what,
            file: config.file.clone(),
            help: help.into(),
        };
        let (listen, is_local) = (config.listen, config.listen.ip().is_loopback());
        if !is_local && config.api.encryption == Encryption::Unsaid {
            return Err(wrong(
                format!(
                    "the API would listen on {listen} without encryption, and tokens would \
                         travel in the open"
                ),
                "name a certificate in `api.tls`, or write `tls: off` there if something else \
                 encrypts; or let it `listen` on 127.0.0.1",
            ));
        }
        let asks = match config.api.access {
            ApiAccess::Auto if is_local => Asks::NoToken(config.api.hosts.clone()),
            ApiAccess::Auto | ApiAccess::Tokens => Asks::ForTokens,
        };
        let now = SystemClock.now();
        let tokens = store.tokens().await?;
        if !is_local && !tokens.iter().any(|token| token.is_good(now)) {
            return Err(wrong(
                format!("the API would listen on {listen}, and there is no token to ask for"),
                "make one with `windlass token make NAME --scope admin`, as the user that the \
                 daemon runs as; or let it `listen` on 127.0.0.1",
            ));
        }
        let (certificate, validity) = match &config.api.encryption {
            Encryption::Unsaid | Encryption::Off => (None, None),
            Encryption::Tls(files) => {
                let (certificate, key) = (files.certificate.clone(), files.key.clone());
                let (certificate, validity) =
                    Certificate::read(certificate, key).map_err(|cause| {
                        wrong(
                            format!("{:#}", anyhow::Error::new(cause)),
                            "put a certificate and its key there, in PEM, readable for the user \
                             that the daemon runs as",
                        )
                    })?;
                (Some(certificate), validity)
            }
        };
        let listener = TcpListener::bind(listen).await.map_err(|cause| {
            wrong(
                format!("can't listen on {listen}: {cause}"),
                "stop the process that has this address, or change `listen`",
            )
        })?;
        let rate = Rate::per_second(config.api.rate.per_second, config.api.rate.burst);
        let access = Access::new(asks, rate, Arc::new(SystemClock));
        Ok(Self { listener, certificate, validity, access })
    }

    /// Tells of the certificate.
    pub fn tell(&self, metrics: &Metrics) {
        if self.certificate.is_some() {
            tell_validity(self.validity, metrics);
        }
    }

    /// Answers until `stop`, and reads the certificate again on SIGHUP.
    pub fn serve(
        self,
        tasks: &mut JoinSet<anyhow::Result<()>>,
        sources: &Sources,
        stop: &CancellationToken,
    ) -> anyhow::Result<()> {
        let Self { listener, certificate, .. } = self;
        let scheme = if certificate.is_some() { "https" } else { "http" };
        info!("listens on {scheme}://{}", listener.local_addr()?);
        if let Some(certificate) = certificate.clone() {
            let hangups = signal(SignalKind::hangup()).context("can't listen for SIGHUP")?;
            let metrics = sources.metrics.clone();
            tasks.spawn(read_again(certificate, hangups, metrics, stop.clone()));
        }
        let (sources, stop) = (sources.clone(), stop.clone());
        tasks.spawn(async move {
            api::serve(listener, sources, certificate.as_ref(), stop).await.context("the API")
        });
        Ok(())
    }
}

async fn read_again(
    certificate: Certificate,
    mut hangups: Signal,
    metrics: Metrics,
    stop: CancellationToken,
) -> anyhow::Result<()> {
    loop {
        tokio::select! {
            hangup = hangups.recv() => hangup.context("no signals any more")?,
            () = stop.cancelled() => return Ok(()),
        }
        match certificate.read_again(SystemClock.now()) {
            Ok(validity) => {
                info!("the certificate of the API was read again");
                tell_validity(validity, &metrics);
            }
            Err(cause) => {
                let cause = anyhow::Error::new(cause);
                error!("the certificate of the API stays as it was: {cause:#}");
            }
        }
    }
}

fn tell_validity(validity: Option<Validity>, metrics: &Metrics) {
    let Some(Validity { from, until }) = validity else {
        warn!("until when the certificate of the API is good can't be read from it");
        return;
    };
    metrics.certificate_ends.set(until.as_second() as f64);
    let now = SystemClock.now();
    if now < from || until <= now {
        error!("the certificate of the API is good from {from} to {until} only: callers refuse it");
    } else {
        info!("the certificate of the API is good until {until}");
    }
}
