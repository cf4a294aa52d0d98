//! The daemon's own settings: where things are, and how often it looks.
//!
//! In: one YAML file, and the environment, which wins over it.
//! Out: a [`Config`] with every default filled in, paths resolved and the token read; or an
//! error that names the file, the place and the remedy.
//! Never: shows a secret; quotes lines of the file, which may hold one by mistake; acts.

mod api;
mod candidates;
mod endpoint;
mod environment;
mod error;
mod policies;
mod read;
mod telling;
#[cfg(test)]
mod tests;
mod token;

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use secrecy::SecretString;

use crate::domain::{BalancerName, Duration, NoticeKind, PoolName, ServerName};
use crate::notify::Template;
use crate::policy::Control;
use crate::ports::RateLimit;

use telling::UrlDraft;

pub use api::{Api, ApiAccess, ApiRate, CertificateFiles, Encryption};
pub use candidates::{CandidateFiles, read_candidate, read_candidates};
pub use endpoint::Endpoint;
pub use environment::Environment;
pub use error::ConfigError;
pub use policies::{PolicyFiles, load_policies, parse_policy, read_policies};
pub use token::{TokenOwner, TokenSource, prometheus_token};

/// The daemon's settings.
#[derive(Clone, Debug)]
pub struct Config {
    /// The file that they were read from.
    pub file: PathBuf,
    /// The SQLite file.
    pub database: PathBuf,
    /// Where the HTTP API listens.
    pub listen: SocketAddr,
    /// Who may use the HTTP API, and how.
    pub api: Api,
    /// Where signals are read.
    pub prometheus: Prometheus,
    /// Where instances come from.
    pub linode: Linode,
    /// The load balancers, at least one, each with a name and an address of its own.
    pub balancers: Vec<Balancer>,
    /// How playbooks are run.
    pub ansible: Ansible,
    /// The policy files, one for each pool, sorted by path; at least one.
    pub policies: Vec<PathBuf>,
    /// The folder of candidates; none: nothing is followed beside the live policies.
    pub candidates: Option<PathBuf>,
    /// The time between two ticks of a pool; at least a second.
    pub interval: Duration,
    /// For all pools: the more cautious of this and the policy's own counts.
    pub control: Control,
    /// The same for single pools.
    pub pool_control: BTreeMap<PoolName, Control>,
    /// How log lines look.
    pub log_format: LogFormat,
    /// How long history is kept.
    pub retention: Retention,
    /// Where a browser finds the console, without a slash at the end.
    pub external_url: Option<String>,
    /// Where changes of the count are annotated.
    pub grafana: Option<Grafana>,
    /// Who else is told; each with a name of its own, none of them `grafana`.
    pub webhooks: Vec<Webhook>,
    /// What is legal here but unwise, each a sentence for the log.
    pub warnings: Vec<String>,
}

/// Where signals are read.
#[derive(Clone, Debug)]
pub struct Prometheus {
    /// The server's URL, without `/api/v1`.
    pub url: String,
    /// How long a query may take.
    pub timeout: Duration,
    /// The bearer token, where the server wants one.
    pub token: Option<SecretString>,
}

/// Where instances come from.
#[derive(Clone, Debug)]
pub struct Linode {
    /// The API's URL with its version, without a slash at the end.
    pub url: String,
    /// The personal access token.
    pub token: SecretString,
    /// Where the token was found.
    pub token_source: TokenSource,
}

/// Where changes of the count are annotated.
#[derive(Clone, Debug)]
pub struct Grafana {
    /// Its URL, without `/api`.
    pub url: String,
    /// The service account's token.
    pub token: SecretString,
    /// The dashboard that shows the regions; none: any that asks for the tags.
    pub dashboard_uid: Option<String>,
    /// The panel of that dashboard; none: all of them.
    pub panel_id: Option<u32>,
    /// Tags beside ours.
    pub tags: Vec<String>,
    /// What is annotated.
    pub events: BTreeSet<NoticeKind>,
    /// How long an answer may take.
    pub timeout: Duration,
    /// How long a notice is tried.
    pub give_up_after: Duration,
}

/// Somebody who is told by a POST.
#[derive(Clone, Debug)]
pub struct Webhook {
    /// Its name.
    pub name: String,
    /// Its URL, which may be a secret; empty where its file can't be used.
    pub url: SecretString,
    /// What it is told.
    pub events: BTreeSet<NoticeKind>,
    /// How a notice looks.
    pub body: Template,
    /// How many it is told.
    pub limit: RateLimit,
    /// How long an answer may take.
    pub timeout: Duration,
    /// How long a notice is tried.
    pub give_up_after: Duration,
}

/// A load balancer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Balancer {
    /// What we call it.
    pub name: BalancerName,
    /// Its runtime API.
    pub address: Endpoint,
    /// How servers are put into it.
    pub mode: BalancerMode,
    /// The name of its `server-template`: slots are the servers named this and a number.
    pub slot_prefix: ServerName,
    /// The master process' socket, where there is one.
    pub master: Option<Endpoint>,
    /// Its `hard-stop-after`: how long an old process may live on after a reload.
    pub hard_stop_after: Option<Duration>,
}

/// How servers are put into a balancer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BalancerMode {
    /// Whichever its version does safely.
    Auto,
    /// By filling the slots of a `server-template`.
    Slots,
    /// By `add server` and `del server`.
    Dynamic,
}

/// How playbooks are run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ansible {
    /// `ansible-playbook`: a path, or a name to be found through `PATH`.
    pub playbook_binary: PathBuf,
    /// How many hosts one run works on at once.
    pub forks: u32,
    /// Where each run keeps its inventory, variables and output.
    pub runs_directory: PathBuf,
}

/// How log lines look.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LogFormat {
    /// For people.
    Text,
    /// For programs: one JSON object a line.
    Json,
}

/// How long history is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Retention {
    /// Decisions with what they saw.
    pub decisions: Duration,
    /// Samples of signals.
    pub samples: Duration,
    /// Nodes that are gone.
    pub nodes: Duration,
    /// Campaigns that are over.
    pub hints: Duration,
    /// The journal; none: for ever.
    pub journal: Option<Duration>,
}

impl Config {
    /// What the settings say of one pool: the more cautious of what they say of all and of it.
    pub fn control_of(&self, pool: &PoolName) -> Control {
        let own = self.pool_control.get(pool).copied().unwrap_or(Control::Automatic);
        self.control.stricter(own)
    }

    /// Reads the settings at `path`, the environment of this process, and the token.
    pub fn load(path: &Path) -> Result<Self, ConfigError> {
        Self::load_with(path, &Environment::of_this_process())
    }

    /// As [`Config::load`], with another environment.
    pub fn load_with(path: &Path, environment: &Environment) -> Result<Self, ConfigError> {
        let (config, lacks) = Self::load_partly(path, environment)?;
        match lacks.into_iter().next() {
            Some(lack) => Err(lack),
            None => Ok(config),
        }
    }

    /// As [`Config::load_with`], for whoever wants to know all that is wrong: without a usable
    /// token it is empty, and without readable policies there are none; why is told beside.
    pub fn load_partly(
        path: &Path,
        environment: &Environment,
    ) -> Result<(Self, Vec<ConfigError>), ConfigError> {
        let text = policies::read_text(path)
            .map_err(|cause| ConfigError::Unreadable { file: path.to_owned(), cause })?;
        let draft = read::settings(&text, path, environment)?;
        let mut warnings = draft.warnings;
        let mut lacks = Vec::new();
        let (token, token_source) =
            token::find(draft.linode_token_file.as_deref(), environment, &mut warnings)
                .unwrap_or_else(|lack| {
                    lacks.push(lack);
                    (SecretString::default(), TokenSource::Variable)
                });
        let prometheus_token = match &draft.prometheus.token_file {
            Some(file) => prometheus_token(file, &mut warnings).map(Some).unwrap_or_else(|lack| {
                lacks.push(lack);
                None
            }),
            None => None,
        };
        let mut lacking = |lack| {
            lacks.push(lack);
            SecretString::default()
        };
        let grafana = draft.grafana.map(|draft| {
            let token = token::grafana(draft.token_file.as_deref(), environment, &mut warnings);
            Grafana {
                url: draft.url,
                token: token.unwrap_or_else(&mut lacking),
                dashboard_uid: draft.dashboard_uid,
                panel_id: draft.panel_id,
                tags: draft.tags,
                events: draft.events,
                timeout: draft.timeout,
                give_up_after: draft.give_up_after,
            }
        });
        let webhooks = draft.webhooks.into_iter().map(|draft| {
            let url = match draft.url {
                UrlDraft::Here(url) => Ok(SecretString::from(url)),
                UrlDraft::File(file) => token::webhook_url(&draft.name, &file, &mut warnings),
            };
            Webhook {
                url: url.unwrap_or_else(&mut lacking),
                name: draft.name,
                events: draft.events,
                body: draft.body,
                limit: draft.limit,
                timeout: draft.timeout,
                give_up_after: draft.give_up_after,
            }
        });
        let webhooks = webhooks.collect();
        let policies = policies::files(&draft.policies).unwrap_or_else(|lack| {
            lacks.push(lack);
            Vec::new()
        });
        let config = Self {
            file: path.to_owned(),
            database: draft.database,
            listen: draft.listen,
            api: draft.api,
            prometheus: Prometheus {
                url: draft.prometheus.url,
                timeout: draft.prometheus.timeout,
                token: prometheus_token,
            },
            linode: Linode { url: draft.linode_url, token, token_source },
            balancers: draft.balancers,
            ansible: draft.ansible,
            policies,
            candidates: draft.candidates,
            interval: draft.interval,
            control: draft.control,
            pool_control: draft.pool_control,
            log_format: draft.log_format,
            retention: draft.retention,
            external_url: draft.external_url,
            grafana,
            webhooks,
            warnings,
        };
        Ok((config, lacks))
    }
}
