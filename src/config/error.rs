//! Why the settings can't be used.

use std::path::PathBuf;

use super::token::{TokenOwner, TokenSource};
use crate::policy::Problems;

/// Why the settings can't be used. Displays what is wrong and where; [`ConfigError::hint`] says
/// what to do.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The file can't be read at all.
    #[error("can't read the settings in {}", file.display())]
    Unreadable {
        /// The file.
        file: PathBuf,
        /// Why.
        #[source]
        cause: std::io::Error,
    },
    /// The file can be read, but not all of it means something. Displays with its hints.
    #[error(transparent)]
    Problems(Problems),
    /// A variable of the environment is set to something that can't be meant.
    #[error("{what} (environment variable {name})")]
    Variable {
        /// The variable.
        name: &'static str,
        /// What is wrong with it.
        what: String,
        /// What to do.
        help: String,
    },
    /// There is no token anywhere.
    #[error("there is no Linode token")]
    NoToken,
    /// Grafana is to be told, and there is no token for it.
    #[error("there is no Grafana token")]
    NoGrafanaToken,
    /// The file with a webhook's URL can't be read.
    #[error("can't read the URL of the webhook {name} in {}", file.display())]
    UrlUnreadable {
        /// The webhook.
        name: String,
        /// The file.
        file: PathBuf,
        /// Why.
        #[source]
        cause: std::io::Error,
    },
    /// What is in it is no URL; it is not shown.
    #[error("the file with the URL of the webhook {name}, {}, {what}", file.display())]
    NotAUrl {
        /// The webhook.
        name: String,
        /// The file.
        file: PathBuf,
        /// What is wrong with it.
        what: &'static str,
    },
    /// A token's file can't be read.
    #[error("can't read the {owner} token in {}", file.display())]
    TokenUnreadable {
        /// Whose token it would be.
        owner: TokenOwner,
        /// The file.
        file: PathBuf,
        /// Why.
        #[source]
        cause: std::io::Error,
    },
    /// What was found is no token; it is not shown.
    #[error("the {owner} token from {found_in} {what}")]
    NotAToken {
        /// Whose token it would be.
        owner: TokenOwner,
        /// Where it was found.
        found_in: TokenSource,
        /// What is wrong with it.
        what: &'static str,
    },
    /// The folder or file of policies can't be read.
    #[error("can't read the policies in {}", path.display())]
    PoliciesUnreadable {
        /// The folder or file.
        path: PathBuf,
        /// Why.
        #[source]
        cause: std::io::Error,
    },
    /// There is no policy.
    #[error("there is no policy in {}", path.display())]
    NoPolicies {
        /// The folder.
        path: PathBuf,
    },
}

impl ConfigError {
    /// What to do about it; `None` where the text itself says it.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Unreadable { file, cause } => Some(match cause.kind() {
                std::io::ErrorKind::NotFound => {
                    "name the file with `--config`, or copy the example in docs/settings.md".into()
                }
                _ => format!("make {} a text file that this user may read", file.display()),
            }),
            Self::Problems(_) => None,
            Self::Variable { help, .. } => Some(help.clone()),
            Self::NoToken => Some(
                "set `linode.token_file`, the variable LINODE_TOKEN, or the systemd credential \
                 `linode-token`"
                    .into(),
            ),
            Self::NoGrafanaToken => {
                Some("set `grafana.token_file`, or the systemd credential `grafana-token`".into())
            }
            Self::UrlUnreadable { file, .. } | Self::NotAUrl { file, .. } => Some(format!(
                "write the URL, and nothing else, into {} and let only this user read it \
                 (chmod 600)",
                file.display()
            )),
            Self::TokenUnreadable { owner, file, .. } => {
                let token = match owner {
                    TokenOwner::Linode => "a personal access token",
                    TokenOwner::Grafana => "a service account's token",
                    TokenOwner::Prometheus => "the server's bearer token",
                };
                let file = file.display();
                Some(format!(
                    "write {token} into {file} and let only this user read it (chmod 600)"
                ))
            }
            Self::NotAToken { .. } => {
                Some("put the token there, on one line, with nothing around it".into())
            }
            Self::PoliciesUnreadable { .. } => Some(
                "let `policies` name a folder, or a list of files, that this user may read".into(),
            ),
            Self::NoPolicies { path } => Some(format!(
                "put one YAML file for each pool into {}; policies/minimal.yaml is the shortest \
                 example",
                path.display()
            )),
        }
    }
}
