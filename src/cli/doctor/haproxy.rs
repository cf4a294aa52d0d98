//! Every balancer, and every pool's backend in it.

use std::path::PathBuf;

use futures_util::future::join_all;

use super::finding::{Finding, within};
use crate::config::Config;
use crate::daemon;
use crate::domain::Duration;
use crate::haproxy::{Examination, HaproxyBalancer, ServersCome};
use crate::policy::Policy;
use crate::ports::{Balancer, Fault};

/// Pools take turns at one balancer, three seconds each at most.
const LIMIT: Duration = Duration::from_secs(30);

/// Names that a line holds.
const NAMED: usize = 5;

pub(super) async fn examine(config: &Config, policies: &[(PathBuf, Policy)]) -> Vec<Finding> {
    let balancers = daemon::haproxies(config);
    let looked = balancers.iter().zip(&config.balancers).map(|(balancer, settings)| async move {
        let subject = format!("haproxy {}", balancer.name());
        let address = settings.address.to_string();
        let backends = policies.iter().map(|(_, policy)| backend(balancer, &address, policy));
        let backends = async { join_all(backends).await.into_iter().flatten().collect() };
        within(LIMIT, &subject, backends).await
    });
    join_all(looked).await.into_iter().flatten().collect()
}

async fn backend(balancer: &HaproxyBalancer, address: &str, policy: &Policy) -> Vec<Finding> {
    let subject = format!("haproxy {}", balancer.name());
    match balancer.examine(&policy.join.backend).await {
        Ok(found) => {
            vec![process(subject.clone(), address, &found), servers(&subject, policy, &found)]
                .into_iter()
                .chain(found.is_master_silent.then(|| master(subject)))
                .collect()
        }
        Err(fault) => {
            let remedy = match fault {
                Fault::Denied { .. } => "do as it says in haproxy.cfg, and reload",
                _ => "start HAProxy, or correct the balancer's `address`",
            };
            vec![Finding::failed(subject, format!("{address}: {fault}"), remedy)]
        }
    }
}

fn process(subject: String, address: &str, found: &Examination) -> Finding {
    let version = &found.version;
    match found.come {
        ServersCome::AtARisk => Finding::warning(
            subject,
            format!("{address}: HAProxy {version} can crash when a server is deleted"),
            "take 2.6.18, 2.8.10, 3.0.6 or later, or give the backend a `server-template`",
        ),
        ServersCome::IntoSlots { .. } | ServersCome::ByThemselves => {
            Finding::ok(subject, format!("{address}: HAProxy {version}, level admin"))
        }
    }
}

fn servers(balancer: &str, policy: &Policy, found: &Examination) -> Finding {
    let subject = format!("{balancer}, backend {}", policy.join.backend);
    let most = policy.bounds.max.0;
    let come = match found.come {
        ServersCome::IntoSlots { slots } if slots < most => {
            let what = format!("it has {slots} slots, and `bounds.max` is {most}");
            let remedy = "raise the number of its `server-template`, and reload";
            return Finding::failed(subject, what, remedy);
        }
        ServersCome::IntoSlots { slots } => format!("{slots} slots for up to {most} nodes"),
        ServersCome::ByThemselves | ServersCome::AtARisk => "servers are added by name".into(),
    };
    Finding::ok(subject, format!("{come}{}", strangers(&found.foreign)))
}

fn strangers(names: &[String]) -> String {
    let named = names.iter().take(NAMED).map(String::as_str).collect::<Vec<_>>().join(", ");
    match names.len() {
        0 => String::new(),
        1 => format!("; {named} is not ours and stays as it is"),
        count if NAMED < count => {
            format!("; {named} and {} more are not ours and stay as they are", count - NAMED)
        }
        _ => format!("; {named} are not ours and stay as they are"),
    }
}

fn master(subject: String) -> Finding {
    Finding::warning(
        subject,
        "its master's socket does not tell of old workers, so no node leaves before its drain's \
         deadline",
        "correct `master`, or start HAProxy with `-W -S PATH`",
    )
}
