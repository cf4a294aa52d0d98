//! The tokens: Linode's from the environment, a file, or a systemd credential; Prometheus' from a
//! file; Grafana's from a file or a credential. And the webhooks' URLs, which may be as secret.
//!
//! In: the files that the settings name, and the environment.
//! Out: a token, and where it was found.
//! Never: shows a token, whole or in part.

use std::fmt;
use std::fs::File;
use std::io::Read;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use secrecy::SecretString;

use super::{ConfigError, Environment};

/// The variable that holds the token, as in Linode's own tools; wins over the settings.
const VARIABLE: &str = "LINODE_TOKEN";
/// The credential's name in a systemd unit: `LoadCredential=linode-token:/etc/…`.
const CREDENTIAL: &str = "linode-token";
/// The same of Grafana's.
const GRAFANA_CREDENTIAL: &str = "grafana-token";
/// Longer than any token, in bytes: servers take no longer headers. What is longer is some other
/// file, and is not read to its end.
const LONGEST: usize = 8192;

/// Whose token it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TokenOwner {
    /// The cloud.
    Linode,
    /// The server of signals.
    Prometheus,
    /// The server of dashboards.
    Grafana,
}

impl fmt::Display for TokenOwner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Linode => "Linode",
            Self::Prometheus => "Prometheus",
            Self::Grafana => "Grafana",
        })
    }
}

/// Where a token was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TokenSource {
    /// The environment variable `LINODE_TOKEN`.
    Variable,
    /// The file that the settings name.
    File(PathBuf),
    /// The credential `linode-token` that systemd handed over.
    Credential(PathBuf),
}

impl fmt::Display for TokenSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Variable => f.write_str("the environment variable LINODE_TOKEN"),
            Self::File(path) => write!(f, "{}", path.display()),
            Self::Credential(path) => write!(f, "the systemd credential {}", path.display()),
        }
    }
}

/// The Prometheus token in `file`; a warning where every user may read it.
pub fn prometheus_token(
    file: &Path,
    warnings: &mut Vec<String>,
) -> Result<SecretString, ConfigError> {
    Ok(from_file(file, TokenOwner::Prometheus, warnings)?.0)
}

/// Finds the Linode token: the variable first, then the settings' file, then the credential.
pub(super) fn find(
    file: Option<&Path>,
    environment: &Environment,
    warnings: &mut Vec<String>,
) -> Result<(SecretString, TokenSource), ConfigError> {
    if let Some(token) = environment.get(VARIABLE) {
        return checked(&token, TokenOwner::Linode, TokenSource::Variable);
    }
    if let Some(file) = file {
        return from_file(file, TokenOwner::Linode, warnings);
    }
    let folder = environment.get("CREDENTIALS_DIRECTORY").ok_or(ConfigError::NoToken)?;
    let credential = Path::new(&folder).join(CREDENTIAL);
    if !credential.exists() {
        return Err(ConfigError::NoToken);
    }
    let token = read(&credential, TokenOwner::Linode)?;
    checked(&token, TokenOwner::Linode, TokenSource::Credential(credential))
}

/// Grafana's token: the settings' file first, then the credential.
pub(super) fn grafana(
    file: Option<&Path>,
    environment: &Environment,
    warnings: &mut Vec<String>,
) -> Result<SecretString, ConfigError> {
    if let Some(file) = file {
        return Ok(from_file(file, TokenOwner::Grafana, warnings)?.0);
    }
    let folder = environment.get("CREDENTIALS_DIRECTORY").ok_or(ConfigError::NoGrafanaToken)?;
    let credential = Path::new(&folder).join(GRAFANA_CREDENTIAL);
    if !credential.exists() {
        return Err(ConfigError::NoGrafanaToken);
    }
    let token = read(&credential, TokenOwner::Grafana)?;
    let found_in = TokenSource::Credential(credential);
    Ok(checked(&token, TokenOwner::Grafana, found_in)?.0)
}

/// The URL of the webhook `name` in `file`; it is never shown.
pub(super) fn webhook_url(
    name: &str,
    file: &Path,
    warnings: &mut Vec<String>,
) -> Result<SecretString, ConfigError> {
    let not_a_url = |what| ConfigError::NotAUrl { name: name.into(), file: file.to_owned(), what };
    let text = text_of(file).map_err(|cause| ConfigError::UrlUnreadable {
        name: name.into(),
        file: file.to_owned(),
        cause,
    })?;
    let text = text.trim();
    let url = reqwest::Url::parse(text).map_err(|_| not_a_url("holds no URL"))?;
    if !matches!(url.scheme(), "http" | "https") || text.contains(char::is_whitespace) {
        return Err(not_a_url("holds something else than one http or https URL"));
    }
    let secret = format!("the URL of the webhook {name}");
    warnings.extend(readable_by_others(file, &secret));
    if url.scheme() == "http" && !super::read::is_local(text) {
        warnings.push(format!("{secret} begins with http:, so all may read what it is told"));
    }
    Ok(SecretString::from(text))
}

fn from_file(
    file: &Path,
    owner: TokenOwner,
    warnings: &mut Vec<String>,
) -> Result<(SecretString, TokenSource), ConfigError> {
    let token = read(file, owner)?;
    warnings.extend(readable_by_others(file, &format!("the {owner} token")));
    checked(&token, owner, TokenSource::File(file.to_owned()))
}

fn read(file: &Path, owner: TokenOwner) -> Result<String, ConfigError> {
    text_of(file).map_err(|cause| ConfigError::TokenUnreadable {
        owner,
        file: file.to_owned(),
        cause,
    })
}

fn text_of(file: &Path) -> std::io::Result<String> {
    let mut text = String::new();
    File::open(file)?.take(LONGEST as u64 + 1).read_to_string(&mut text)?;
    Ok(text)
}

/// A token is one word of visible ASCII: anything else could not travel in a header.
fn checked(
    token: &str,
    owner: TokenOwner,
    found_in: TokenSource,
) -> Result<(SecretString, TokenSource), ConfigError> {
    let is_too_long = LONGEST < token.len();
    let token = token.trim();
    let what = if token.is_empty() {
        "is empty"
    } else if is_too_long {
        "is longer than any token"
    } else if !token.chars().all(|c| c.is_ascii_graphic()) {
        "holds blanks, several lines or other characters that no token has"
    } else {
        return Ok((SecretString::from(token), found_in));
    };
    Err(ConfigError::NotAToken { owner, found_in, what })
}

fn readable_by_others(file: &Path, secret: &str) -> Option<String> {
    let mode = file.metadata().ok()?.permissions().mode();
    let others = mode & 0o007 != 0;
    others.then(|| {
        format!(
            "{} holds {secret}, and every user of this machine may read it (mode {:03o}): \
             chmod 600 it",
            file.display(),
            mode & 0o777
        )
    })
}
