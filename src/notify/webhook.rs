//! Webhooks: a notice as the body of a POST.

use std::collections::BTreeSet;

use async_trait::async_trait;
use reqwest::{Client, Url};
use secrecy::{ExposeSecret, SecretString};

use super::http::{SetupError, client, fault_of, send};
use super::link::Links;
use super::template::Template;
use crate::domain::{Duration, NoticeKind};
use crate::ports::{Errand, Fault, Notifier, RateLimit};

/// The header that tells a notice from all others: the same at each try, so whoever receives it may
/// leave out what has come before.
const IDENTITY: &str = "windlass-notice";

/// How a webhook is told.
#[derive(Clone, Debug)]
pub struct WebhookSettings {
    /// Its name.
    pub name: String,
    /// What it is told.
    pub kinds: BTreeSet<NoticeKind>,
    /// How a notice looks.
    pub body: Template,
    /// How many it is told.
    pub limit: RateLimit,
    /// How long a notice is tried.
    pub gives_up_after: Duration,
    /// How long an answer may take.
    pub timeout: Duration,
    /// Where notices lead.
    pub links: Links,
}

/// One webhook.
#[derive(Clone, Debug)]
pub struct Webhook {
    http: Client,
    url: SecretString,
    settings: WebhookSettings,
}

impl Webhook {
    /// Asks nothing yet. The URL may be a secret, and is never shown.
    pub fn new(settings: WebhookSettings, url: SecretString) -> Result<Self, SetupError> {
        let unusable = |why: &str| SetupError::Url {
            whose: format!("the webhook {}", settings.name),
            why: why.to_owned(),
        };
        let parsed =
            Url::parse(url.expose_secret()).map_err(|error| unusable(&error.to_string()))?;
        if !matches!(parsed.scheme(), "http" | "https") {
            return Err(unusable("it does not begin with https://"));
        }
        Ok(Self { http: client(settings.timeout)?, url, settings })
    }
}

#[async_trait]
impl Notifier for Webhook {
    fn name(&self) -> &str {
        &self.settings.name
    }

    fn wants(&self, kind: NoticeKind) -> bool {
        self.settings.kinds.contains(&kind)
    }

    fn limit(&self) -> Option<RateLimit> {
        Some(self.settings.limit)
    }

    fn gives_up_after(&self) -> Duration {
        self.settings.gives_up_after
    }

    async fn deliver(&self, errand: &Errand) -> Result<Option<String>, Fault> {
        let notice = &errand.notice;
        let act = format!("telling the webhook {}", self.settings.name);
        let request = self
            .http
            .post(self.url.expose_secret())
            .header(IDENTITY, notice.identity())
            .json(&self.settings.body.fill(notice, &self.settings.links));
        let answer = send(&act, request).await?;
        match answer.status {
            200..300 => Ok(None),
            // What it says beside is not passed on: it may repeat its URL.
            _ => Err(fault_of(&act, &answer, "")),
        }
    }
}
