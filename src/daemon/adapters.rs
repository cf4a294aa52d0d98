//! Puts the real adapters behind their ports, as the settings say.

use std::sync::Arc;

use tracing::warn;

use super::StartError;
use crate::ansible::{AnsibleConfigurator, AnsibleOptions};
use crate::config::{BalancerMode, Config, Endpoint};
use crate::haproxy::{HaproxyBalancer, HaproxySettings, Mode, OldWorkersSettings, RuntimeAddress};
use crate::linode::{LinodeCloud, LinodeSettings, SetupError};
use crate::notify::{self, Grafana, GrafanaSettings, Links, Webhook, WebhookSettings};
use crate::ports::{Balancer, Notifier, SystemChance, SystemClock};
use crate::prometheus::{PrometheusSettings, PrometheusSource};
use crate::reconciler::{Inventory, Regions, World};

/// The world as the settings describe it. Nothing is asked of it yet.
pub fn world(config: &Config) -> Result<World, StartError> {
    let settings = |help: &str, what: String| StartError::Settings {
        what,
        file: config.file.clone(),
        help: help.into(),
    };
    let cloud = linode(config)
        .map_err(|cause| settings("correct `linode.url` or the token", cause.to_string()))?;
    let prometheus = PrometheusSettings {
        read_deadline: config.prometheus.timeout,
        ..PrometheusSettings::default()
    };
    let metrics = PrometheusSource::connections(config.prometheus.token.as_ref())
        .and_then(|http| PrometheusSource::new(http, &config.prometheus.url, prometheus))
        .map_err(|cause| settings("correct `prometheus.url` or the token", cause.to_string()))?;
    let configurator = AnsibleConfigurator::open(ansible_options(config)).map_err(|cause| {
        settings("make `ansible.runs_directory` writable, or name another", cause.to_string())
    })?;
    Ok(World {
        inventory: Arc::new(Inventory::new(Arc::new(cloud))),
        configurator: Arc::new(configurator),
        balancers: balancers(config),
        metrics: Arc::new(metrics),
        clock: Arc::new(SystemClock),
        chance: Arc::new(SystemChance),
        notifiers: notifiers(config).map_err(|cause| {
            settings("correct `grafana` or the webhook in `notifications`", cause.to_string())
        })?,
    })
}

/// Who is told, as the settings describe them. Nobody is told anything yet.
pub fn notifiers(config: &Config) -> Result<Vec<Arc<dyn Notifier>>, notify::SetupError> {
    let mut notifiers: Vec<Arc<dyn Notifier>> = Vec::new();
    if let (Some(board), Some(settings)) = (grafana(config)?, &config.grafana) {
        notifiers.push(Arc::new(Regions {
            name: "grafana".into(),
            board: Arc::new(board),
            kinds: settings.events.clone(),
            gives_up_after: settings.give_up_after,
        }));
    }
    for webhook in &config.webhooks {
        let settings = WebhookSettings {
            name: webhook.name.clone(),
            kinds: webhook.events.clone(),
            body: webhook.body.clone(),
            limit: webhook.limit,
            gives_up_after: webhook.give_up_after,
            timeout: webhook.timeout,
            links: links(config),
        };
        notifiers.push(Arc::new(Webhook::new(settings, webhook.url.clone())?));
    }
    Ok(notifiers)
}

/// Grafana as the settings describe it; none where they don't. Nothing is asked of it yet.
pub fn grafana(config: &Config) -> Result<Option<Grafana>, notify::SetupError> {
    let Some(grafana) = &config.grafana else { return Ok(None) };
    let settings = GrafanaSettings {
        url: grafana.url.clone(),
        dashboard_uid: grafana.dashboard_uid.clone(),
        panel_id: grafana.panel_id,
        tags: grafana.tags.clone(),
        timeout: grafana.timeout,
        links: links(config),
    };
    Grafana::new(settings, grafana.token.clone()).map(Some)
}

fn links(config: &Config) -> Links {
    Links { external_url: config.external_url.clone() }
}

/// The balancers as the settings describe them. Nothing is asked of them yet.
pub fn balancers(config: &Config) -> Vec<Arc<dyn Balancer>> {
    haproxies(config).into_iter().map(|balancer| Arc::new(balancer) as _).collect()
}

/// The same, as what they are.
pub fn haproxies(config: &Config) -> Vec<HaproxyBalancer> {
    let balancers = config.balancers.iter();
    balancers.map(|balancer| HaproxyBalancer::new(haproxy(balancer))).collect()
}

/// How playbooks are run, as the settings describe it.
pub fn ansible_options(config: &Config) -> AnsibleOptions {
    AnsibleOptions {
        binary: config.ansible.playbook_binary.clone(),
        forks: config.ansible.forks,
        ..AnsibleOptions::new(&config.ansible.runs_directory)
    }
}

/// The cloud as the settings describe it. Nothing is asked of it yet.
pub fn linode(config: &Config) -> Result<LinodeCloud, SetupError> {
    let settings = LinodeSettings { base_url: config.linode.url.clone(), ..Default::default() };
    LinodeCloud::new(settings, config.linode.token.clone())
}

/// A VLAN address that is asked for in the create call takes effect only through Network Helper,
/// a setting of the account: says so when it is off.
pub(super) async fn warn_without_network_helper(config: &Config) {
    let Ok(linode) = linode(config) else { return };
    match linode.network_helper_enabled().await {
        Ok(true) => {}
        Ok(false) => warn!(
            "Network Helper is off in the Linode account, so new instances would not get their \
             VLAN address and never be reached: switch it on in the account's settings"
        ),
        Err(fault) => warn!("whether Network Helper is on can't be told: {fault}"),
    }
}

fn haproxy(balancer: &crate::config::Balancer) -> HaproxySettings {
    HaproxySettings {
        name: balancer.name.clone(),
        address: runtime_address(&balancer.address),
        mode: match balancer.mode {
            BalancerMode::Auto => Mode::Auto,
            BalancerMode::Slots => Mode::Slots,
            BalancerMode::Dynamic => Mode::Dynamic,
        },
        slot_prefix: balancer.slot_prefix.clone(),
        old_workers: OldWorkersSettings {
            master: balancer.master.as_ref().map(runtime_address),
            hard_stop_after: balancer.hard_stop_after,
        },
    }
}

fn runtime_address(endpoint: &Endpoint) -> RuntimeAddress {
    endpoint.to_string().parse().expect("an endpoint that was checked is a runtime address")
}
