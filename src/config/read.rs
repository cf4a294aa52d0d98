//! The schema of the settings: which keys there are, and what they must hold.
//!
//! In: the text of the file, and the environment.
//! Out: the settings, apart from what lies in further files; or every problem at once.
//! Never: opens a file; quotes lines, which may hold a secret by mistake.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use super::api::api;
use super::policies::{PolicySet, absolute};
use super::telling::{self, GrafanaDraft, WebhookDraft};
use super::{
    Ansible, Api, Balancer, BalancerMode, ConfigError, Encryption, Endpoint, Environment,
    LogFormat, Retention, TokenOwner,
};
use crate::domain::{BalancerName, Duration, PoolName, ServerName};
use crate::policy::document::{self, Kind, Node};
use crate::policy::fields::{self, Fields, Notes, Value, refuse};
use crate::policy::problem::{Place, Problems, Quoting};
use crate::policy::{CONTROL, Control};

const SECOND: Duration = Duration::from_secs(1);
const DAY: Duration = Duration::from_secs(86_400);

const MODE: &[(&str, BalancerMode)] = &[
    ("auto", BalancerMode::Auto),
    ("slots", BalancerMode::Slots),
    ("dynamic", BalancerMode::Dynamic),
];
const LOG_FORMAT: &[(&str, LogFormat)] = &[("text", LogFormat::Text), ("json", LogFormat::Json)];

/// The settings, apart from what lies in further files.
pub(super) struct Draft {
    pub database: PathBuf,
    pub listen: SocketAddr,
    pub api: Api,
    pub prometheus: PrometheusDraft,
    pub linode_url: String,
    pub linode_token_file: Option<PathBuf>,
    pub balancers: Vec<Balancer>,
    pub ansible: Ansible,
    pub policies: PolicySet,
    pub candidates: Option<PathBuf>,
    pub interval: Duration,
    pub control: Control,
    pub pool_control: BTreeMap<PoolName, Control>,
    pub log_format: LogFormat,
    pub retention: Retention,
    pub external_url: Option<String>,
    pub grafana: Option<GrafanaDraft>,
    pub webhooks: Vec<WebhookDraft>,
    pub warnings: Vec<String>,
}

/// Where signals are read, apart from the token.
pub(super) struct PrometheusDraft {
    pub url: String,
    pub timeout: Duration,
    pub token_file: Option<PathBuf>,
}

/// Reads `text`; variables of `environment` win over it.
pub(super) fn settings(
    text: &str,
    file: &Path,
    environment: &Environment,
) -> Result<Draft, ConfigError> {
    let folder = file.parent().unwrap_or(Path::new(""));
    let mut notes = Vec::new();
    let draft = match document::read(text.strip_prefix('\u{feff}').unwrap_or(text)) {
        Ok(document) => draft(&document, folder, &mut notes),
        Err(problem) => {
            notes.push(problem);
            None
        }
    };
    match draft {
        Some(draft) if notes.is_empty() => overridden(draft, environment).map(warned),
        _ => Err(ConfigError::Problems(Problems::new(file, text, notes, Quoting::Nothing))),
    }
}

fn draft(document: &Node, folder: &Path, notes: &mut Notes) -> Option<Draft> {
    let path = |value: Value<'_>, notes: &mut Notes| {
        fields::path(value, notes).map(|path| absolute(folder, &path))
    };
    let mut fields = Fields::of(Value { name: "", node: document }, notes)?;
    let database = fields.or("database", "/var/lib/windlass/windlass.db".into(), notes, path);
    let listen = fields.or("listen", SocketAddr::from(([127, 0, 0, 1], 8377)), notes, listen);
    let api = fields.section("api", notes, |fields, notes| api(fields, folder, notes));
    let prometheus =
        fields.required("prometheus", "{url: 'http://127.0.0.1:9090'}", notes, |value, notes| {
            prometheus(value, folder, notes)
        });
    let linode = fields.section("linode", notes, |mut fields, notes| {
        refuse_token(&mut fields);
        let linode = "https://api.linode.com/v4".to_owned();
        let linode = fields.or("url", linode, notes, url);
        let token_file = fields.optional("token_file", notes, path);
        fields.finish(notes);
        Some((linode?, token_file?))
    });
    let balancers = fields.required(
        "balancers",
        "[{name: lb1, address: 'unix:/run/haproxy/admin.sock'}]",
        notes,
        balancers,
    );
    let ansible = fields.section("ansible", notes, |fields, notes| ansible(fields, folder, notes));
    let policies = PolicySet::Folder(absolute(folder, Path::new("policies")));
    let policies = fields.or("policies", policies, notes, |v, n| policy_set(v, folder, n));
    let candidates = fields.section("shadow", notes, |mut fields, notes| {
        let candidates = fields.optional("policies", notes, path);
        fields.finish(notes);
        candidates
    });
    let interval = fields.or("interval", 5 * SECOND, notes, interval);
    let control = fields.or("control", Control::Automatic, notes, fields::word(CONTROL));
    let pool_control = fields.or("pool_control", BTreeMap::new(), notes, pool_control);
    let log_format = fields.section("log", notes, |mut fields, notes| {
        let format = fields.or("format", LogFormat::Text, notes, fields::word(LOG_FORMAT));
        fields.finish(notes);
        format
    });
    let retention = fields.section("retention", notes, retention);
    let external_url = fields.optional("external_url", notes, url);
    let grafana = fields.optional("grafana", notes, |v, n| telling::grafana(v, folder, n));
    let webhooks = fields.section("notifications", notes, |fields, notes| {
        telling::notifications(fields, folder, notes)
    });
    fields.finish(notes);
    let (linode_url, linode_token_file) = linode?;
    Some(Draft {
        database: database?,
        listen: listen?,
        api: api?,
        prometheus: prometheus?,
        linode_url,
        linode_token_file,
        balancers: balancers?,
        ansible: ansible?,
        policies: policies?,
        candidates: candidates?,
        interval: interval?,
        control: control?,
        pool_control: pool_control?,
        log_format: log_format?,
        retention: retention?,
        external_url: external_url?,
        grafana: grafana?,
        webhooks: webhooks?,
        warnings: Vec::new(),
    })
}

fn pool_control(value: Value<'_>, notes: &mut Notes) -> Option<BTreeMap<PoolName, Control>> {
    let read = fields::entries(value, notes, |key, value, notes| {
        let pool = match PoolName::new(key.name.as_str()) {
            Ok(pool) => pool,
            Err(what) => return refuse(notes, key.at, what, "name a pool, as its policy does"),
        };
        Some((pool, fields::word(CONTROL)(value, notes)?))
    })?;
    Some(read.into_iter().collect())
}

/// The settings that a variable may replace, by the same readers.
fn overridden(mut draft: Draft, environment: &Environment) -> Result<Draft, ConfigError> {
    if let Some(path) = variable(environment, "WINDLASS_DATABASE", fields::path)? {
        draft.database = absolute(Path::new(""), &path);
    }
    if let Some(address) = variable(environment, "WINDLASS_LISTEN", listen)? {
        draft.listen = address;
    }
    if let Some(url) = variable(environment, "WINDLASS_PROMETHEUS_URL", url)? {
        draft.prometheus.url = url;
    }
    if let Some(url) = variable(environment, "WINDLASS_LINODE_URL", url)? {
        draft.linode_url = url;
    }
    if let Some(control) = variable(environment, "WINDLASS_CONTROL", fields::word(CONTROL))? {
        draft.control = control;
    }
    if let Some(interval) = variable(environment, "WINDLASS_INTERVAL", interval)? {
        draft.interval = interval;
    }
    let format = variable(environment, "WINDLASS_LOG_FORMAT", fields::word(LOG_FORMAT))?;
    draft.log_format = format.unwrap_or(draft.log_format);
    Ok(draft)
}

fn variable<T>(
    environment: &Environment,
    name: &'static str,
    read: impl FnOnce(Value<'_>, &mut Notes) -> Option<T>,
) -> Result<Option<T>, ConfigError> {
    let Some(text) = environment.get(name) else {
        return Ok(None);
    };
    let node = Node { at: Place::START, kind: Kind::Text(text) };
    let mut notes = Vec::new();
    let value = read(Value { name, node: &node }, &mut notes);
    match notes.into_iter().next() {
        Some(problem) => {
            Err(ConfigError::Variable { name, what: problem.what, help: problem.help })
        }
        None => Ok(value),
    }
}

fn warned(mut draft: Draft) -> Draft {
    if !draft.listen.ip().is_loopback() && draft.api.encryption == Encryption::Off {
        draft.warnings.push(format!(
            "the API listens on {} without encryption (`api.tls` is off): tokens travel in the \
             open",
            draft.listen
        ));
    }
    let mut bearers = vec![(TokenOwner::Linode, &draft.linode_url)];
    if draft.prometheus.token_file.is_some() {
        bearers.push((TokenOwner::Prometheus, &draft.prometheus.url));
    }
    if let Some(grafana) = &draft.grafana {
        bearers.push((TokenOwner::Grafana, &grafana.url));
    }
    for (owner, url) in bearers {
        if url.starts_with("http:") && !is_local(url) {
            draft
                .warnings
                .push(format!("the {owner} token travels unencrypted to {url}: write https"));
        }
    }
    draft
}

pub(super) fn is_local(url: &str) -> bool {
    reqwest::Url::parse(url).is_ok_and(|url| {
        let host = url.host_str().unwrap_or_default().trim_matches(['[', ']']);
        host == "localhost"
            || host.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback())
    })
}

/// Tells whoever writes a token itself into the settings where it belongs.
pub(super) fn refuse_token(fields: &mut Fields<'_>) {
    fields.refused(
        "token",
        "`token` has no place in a file that others read".into(),
        "write it into a file of its own and name that as `token_file`",
    );
}

fn prometheus(value: Value<'_>, folder: &Path, notes: &mut Notes) -> Option<PrometheusDraft> {
    let mut fields = Fields::of(value, notes)?;
    refuse_token(&mut fields);
    let url = fields.required("url", "'http://127.0.0.1:9090'", notes, url);
    let timeout = fields.or("timeout", 5 * SECOND, notes, fields::duration_above_zero);
    let token_file = fields.optional("token_file", notes, |value, notes| {
        fields::path(value, notes).map(|path| absolute(folder, &path))
    });
    fields.finish(notes);
    Some(PrometheusDraft { url: url?, timeout: timeout?, token_file: token_file? })
}

fn balancers(value: Value<'_>, notes: &mut Notes) -> Option<Vec<Balancer>> {
    let mut seen: Vec<Balancer> = Vec::new();
    let balancers = fields::list(value, notes, |value, notes| {
        let balancer = balancer(value, notes)?;
        let twin = seen
            .iter()
            .find(|known| known.name == balancer.name || known.address == balancer.address);
        if let Some(twin) = twin {
            let what = format!("`{}` has the name or the address of `{}`", value.name, twin.name);
            return refuse(notes, value.node.at, what, "give each balancer its own");
        }
        seen.push(balancer.clone());
        Some(balancer)
    })?;
    if balancers.is_empty() {
        let what = "`balancers` is empty, so no node could ever serve";
        return refuse(notes, value.node.at, what, "name at least one HAProxy");
    }
    Some(balancers)
}

fn balancer(value: Value<'_>, notes: &mut Notes) -> Option<Balancer> {
    const FORM: &str = "write unix:/run/haproxy/admin.sock or tcp:127.0.0.1:9999";
    let mut fields = Fields::of(value, notes)?;
    let name = fields.required("name", "lb1", notes, fields::parsed::<BalancerName>("rename it"));
    let address = fields.required(
        "address",
        "'unix:/run/haproxy/admin.sock'",
        notes,
        fields::parsed::<Endpoint>(FORM),
    );
    let mode = fields.or("mode", BalancerMode::Auto, notes, fields::word(MODE));
    let slot = ServerName::new("slot").expect("a legal server name");
    let slot_prefix =
        fields.or("slot_prefix", slot, notes, fields::parsed::<ServerName>("rename the slots"));
    let master = fields.optional("master", notes, fields::parsed::<Endpoint>(FORM));
    let hard_stop_after = fields.optional("hard_stop_after", notes, fields::duration_above_zero);
    fields.finish(notes);
    Some(Balancer {
        name: name?,
        address: address?,
        mode: mode?,
        slot_prefix: slot_prefix?,
        master: master?,
        hard_stop_after: hard_stop_after?,
    })
}

fn ansible(mut fields: Fields<'_>, folder: &Path, notes: &mut Notes) -> Option<Ansible> {
    let binary = fields.or("playbook_binary", "ansible-playbook".into(), notes, fields::path);
    let forks = fields.or("forks", 20, notes, fields::whole(1, 500));
    let runs = fields.or("runs_directory", "/var/lib/windlass/runs".into(), notes, |v, n| {
        fields::path(v, n).map(|path| absolute(folder, &path))
    });
    fields.finish(notes);
    let binary = binary?;
    // A bare name is looked for in PATH; anything else is a path like all others here.
    let is_name = binary.components().count() == 1 && !binary.is_absolute();
    Some(Ansible {
        playbook_binary: if is_name { binary } else { absolute(folder, &binary) },
        forks: forks?,
        runs_directory: runs?,
    })
}

fn policy_set(value: Value<'_>, folder: &Path, notes: &mut Notes) -> Option<PolicySet> {
    let path = |value: Value<'_>, notes: &mut Notes| {
        fields::path(value, notes).map(|path| absolute(folder, &path))
    };
    let Kind::List(items) = &value.node.kind else {
        return path(value, notes).map(PolicySet::Folder);
    };
    if items.is_empty() {
        let what = "`policies` is empty, so there is no pool";
        return refuse(notes, value.node.at, what, "name a folder, or at least one file");
    }
    fields::list(value, notes, path).map(PolicySet::Files)
}

fn retention(mut fields: Fields<'_>, notes: &mut Notes) -> Option<Retention> {
    // The engine looks back over hours, never days: a day is the least that can't harm it.
    let decisions = fields.or("decisions", 30 * DAY, notes, fields::duration_from(DAY));
    let samples = fields.or("samples", 30 * DAY, notes, fields::duration_from(DAY));
    let nodes = fields.or("nodes", 400 * DAY, notes, fields::duration_from(DAY));
    let hints = fields.or("hints", 400 * DAY, notes, fields::duration_from(DAY));
    let journal = fields.optional("journal", notes, fields::duration_from(DAY));
    fields.finish(notes);
    Some(Retention {
        decisions: decisions?,
        samples: samples?,
        nodes: nodes?,
        hints: hints?,
        journal: journal?,
    })
}

fn interval(value: Value<'_>, notes: &mut Notes) -> Option<Duration> {
    let interval = fields::duration_from(SECOND)(value, notes)?;
    // A guard that holds for minutes must be looked at many times within them.
    if interval <= 60 * SECOND {
        return Some(interval);
    }
    let what = format!("`{}` is longer than a minute", value.name);
    refuse(notes, value.node.at, what, "write one from 1s to 1m; the default is 5s")
}

fn listen(value: Value<'_>, notes: &mut Notes) -> Option<SocketAddr> {
    let text = fields::line(value, notes)?;
    match text.parse() {
        Ok(address) => Some(address),
        Err(_) => {
            let what = format!("`{}` is no address with a port", value.name);
            refuse(notes, value.node.at, what, "write one such as 127.0.0.1:8377 or [::1]:8377")
        }
    }
}

/// An `http` or `https` URL without credentials, query and fragment; slashes at its end are cut.
pub(super) fn url(value: Value<'_>, notes: &mut Notes) -> Option<String> {
    let text = fields::line(value, notes)?;
    let mut refuse = |what: String, help: &str| refuse(notes, value.node.at, what, help);
    let name = value.name;
    // The text is never repeated: it may hold a password.
    let Ok(url) = reqwest::Url::parse(&text) else {
        return refuse(
            format!("`{name}` is no URL"),
            "write one such as https://host.example:9090",
        );
    };
    if !matches!(url.scheme(), "http" | "https") || url.host_str().is_none() {
        return refuse(format!("`{name}` must begin with http:// or https://"), "correct it");
    }
    if !url.username().is_empty() || url.password().is_some() {
        let what = format!("`{name}` holds a user or a password");
        return refuse(what, "take it out: this file is no place for secrets");
    }
    if url.query().is_some() || url.fragment().is_some() {
        return refuse(format!("`{name}` has a query or a fragment"), "end it after its path");
    }
    Some(text.trim_end_matches('/').to_owned())
}
