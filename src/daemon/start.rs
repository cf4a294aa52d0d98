//! What is looked at before anything runs, so that a mistake in the settings ends the start and
//! not the night.
//!
//! In: settings, policies, the world.
//! Out: nothing, or an error with the file, the place and the remedy.
//! Never: changes anything.

use std::path::PathBuf;

use futures_util::future::join_all;
use tracing::warn;

use crate::config::Config;
use crate::policy::Policy;
use crate::ports::Fault;
use crate::reconciler::World;
use crate::store::StoreError;

/// Why the daemon could not start: the difference decides the exit code.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The settings name something that can't be used.
    #[error("{what} ({file})\nhint: {help}", file = file.display())]
    Settings {
        /// What can't be used.
        what: String,
        /// The settings file.
        file: PathBuf,
        /// What to do.
        help: String,
    },
    /// The store can't be used.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// A refused token ends the start; a cloud that does not answer may answer later.
pub(super) async fn check_access(config: &Config, world: &World) -> Result<(), StartError> {
    match world.inventory.cloud().verify_access().await {
        Ok(()) => Ok(()),
        Err(Fault::Denied { message }) => Err(StartError::Settings {
            what: format!(
                "Linode refuses the token from {}: {message}",
                config.linode.token_source
            ),
            file: config.file.clone(),
            help: "make a token with the scopes linodes:read_write, events:read_only, \
                   images:read_only and account:read_only, and put it there"
                .into(),
        }),
        Err(fault) => {
            warn!("Linode can't be asked yet: {fault}");
            Ok(())
        }
    }
}

/// Asks every balancer for every pool's backend. What a person must mend ends the start, and so
/// does silence from all of them; one that is only down is a warning, for the others can serve.
pub(super) async fn check_balancers(
    config: &Config,
    world: &World,
    policies: &[(PathBuf, Policy)],
) -> Result<(), StartError> {
    let asked = policies.iter().flat_map(|(_, policy)| {
        world
            .balancers
            .iter()
            .map(|balancer| async { (balancer.name(), balancer.view(&policy.join.backend).await) })
    });
    let (mut silent, mut denied, mut good) = (Vec::new(), Vec::new(), 0);
    for (name, answer) in join_all(asked).await {
        match answer {
            Ok(_) => good += 1,
            Err(fault @ Fault::Denied { .. }) => denied.push(fault.to_string()),
            Err(fault) => {
                warn!("{fault}");
                let known = config.balancers.iter().find(|balancer| balancer.name == *name);
                let address = known.map(|balancer| balancer.address.to_string());
                silent.push(format!("{fault} (`balancers`, {})", address.unwrap_or_default()));
            }
        }
    }
    let refused = |mut faults: Vec<String>, help: &str| {
        faults.dedup();
        let (what, file) = (faults.join("\n       "), config.file.clone());
        Err(StartError::Settings { what, file, help: help.into() })
    };
    if !denied.is_empty() {
        return refused(denied, "mend haproxy.cfg, the policy's `join` or the settings as it says");
    }
    if good == 0 && !silent.is_empty() {
        let help = "start HAProxy, or correct the `address` of each balancer; while none answers, \
                    no node could serve";
        return refused(silent, help);
    }
    Ok(())
}
