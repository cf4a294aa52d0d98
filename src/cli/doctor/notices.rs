//! Who is told: that Grafana lets us annotate, and that each webhook's URL is one.
//!
//! Never: draws or sends anything: a webhook can't be asked without being told.

use super::finding::{Finding, within};
use crate::config::Config;
use crate::daemon;
use crate::domain::Duration;
use crate::notify::{Grafana, Permission};

const SUBJECT: &str = "grafana";

/// What two requests take besides their own time-outs.
const BESIDES: Duration = Duration::from_secs(5);

pub(super) async fn examine(config: &Config) -> Vec<Finding> {
    let mut findings = match (daemon::grafana(config), &config.grafana) {
        (Ok(Some(grafana)), Some(settings)) => {
            let limit = settings.timeout.saturating_mul(2) + BESIDES;
            within(limit, SUBJECT, async { vec![board(&grafana).await] }).await
        }
        (Ok(_), _) => Vec::new(),
        (Err(error), _) => vec![Finding::failed(SUBJECT, error, "correct `grafana`")],
    };
    // A URL whose file can't be used is empty, and a finding of the settings.
    let readable = config.webhooks.iter().filter(|one| !is_empty(&one.url));
    findings.extend(readable.map(|webhook| {
        let subject = format!("webhook {}", webhook.name);
        Finding::ok(subject, "its URL is one; whether it answers shows with the first notice")
    }));
    findings
}

async fn board(grafana: &Grafana) -> Finding {
    match grafana.permission().await {
        Ok(Permission::Granted) => Finding::ok(SUBJECT, "answers, and its token may annotate"),
        Ok(Permission::ReadOnly) => Finding::warning(
            SUBJECT,
            "the token may read annotations, and as it seems not write them",
            "give its service account the role Editor",
        ),
        Err(fault) => {
            Finding::failed(SUBJECT, fault, "start Grafana, or correct `grafana.url` or the token")
        }
    }
}

fn is_empty(url: &secrecy::SecretString) -> bool {
    secrecy::ExposeSecret::expose_secret(url).is_empty()
}
