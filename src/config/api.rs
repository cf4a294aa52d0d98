//! `api:` in the settings: who may use the HTTP API, and how.
//!
//! In: the section, and the folder that paths are seen from.
//! Out: an [`Api`], or what is wrong with it.
//! Never: opens a certificate; that is the daemon's, which reads it again later.

use std::path::{Path, PathBuf};

use super::policies::absolute;
use crate::policy::document::Kind;
use crate::policy::fields::{self, Fields, Notes, Value, refuse};

/// Who may use the HTTP API, and how.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Api {
    /// Whether callers on this machine need a token.
    pub access: ApiAccess,
    /// Whether and with what the connection is encrypted.
    pub encryption: Encryption,
    /// Names by which callers may reach a daemon that asks for no token, beside those of this
    /// machine itself.
    pub hosts: Vec<String>,
    /// How fast one caller may ask.
    pub rate: ApiRate,
}

/// Whether callers on this machine need a token; others always do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ApiAccess {
    /// Not as long as the API listens on loopback.
    Auto,
    /// They do.
    Tokens,
}

/// Whether the API's connections are encrypted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Encryption {
    /// Nothing was said: not, which only loopback allows.
    Unsaid,
    /// Not, and whoever wrote the settings knows it.
    Off,
    /// By TLS.
    Tls(CertificateFiles),
}

/// Where a certificate and its key are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CertificateFiles {
    /// The certificate and those that lead to its issuer, in PEM.
    pub certificate: PathBuf,
    /// Its private key, in PEM.
    pub key: PathBuf,
}

/// How fast one caller may ask.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ApiRate {
    /// Requests per second in the long run; at least one.
    pub per_second: u32,
    /// Requests at once; at least one.
    pub burst: u32,
}

const ACCESS: &[(&str, ApiAccess)] = &[("auto", ApiAccess::Auto), ("tokens", ApiAccess::Tokens)];

pub(super) fn api(mut fields: Fields<'_>, folder: &Path, notes: &mut Notes) -> Option<Api> {
    let access = fields.or("access", ApiAccess::Auto, notes, fields::word(ACCESS));
    let encryption =
        fields.or("tls", Encryption::Unsaid, notes, |value, notes| tls(value, folder, notes));
    let hosts =
        fields.or("hosts", Vec::new(), notes, |value, notes| fields::list(value, notes, host));
    let rate = fields.section("rate", notes, |mut fields, notes| {
        let per_second = fields.or("per_second", 50, notes, fields::whole(1, 100_000));
        let burst = fields.or("burst", 200, notes, fields::whole(1, 100_000));
        fields.finish(notes);
        Some(ApiRate { per_second: per_second?, burst: burst? })
    });
    fields.finish(notes);
    Some(Api { access: access?, encryption: encryption?, hosts: hosts?, rate: rate? })
}

fn tls(value: Value<'_>, folder: &Path, notes: &mut Notes) -> Option<Encryption> {
    if let Kind::Text(_) | Kind::Bool(_) = value.node.kind {
        // `off` is a boolean to some readers of YAML, a word to others.
        let is_off = matches!(&value.node.kind, Kind::Text(text) if text == "off")
            || matches!(value.node.kind, Kind::Bool(false));
        if is_off {
            return Some(Encryption::Off);
        }
        let help = "write {certificate_file: api.pem, key_file: api.key}, or off";
        return refuse(notes, value.node.at, format!("`{}` is neither", value.name), help);
    }
    let path = |value: Value<'_>, notes: &mut Notes| {
        fields::path(value, notes).map(|path| absolute(folder, &path))
    };
    let mut fields = Fields::of(value, notes)?;
    let certificate = fields.required("certificate_file", "/etc/windlass/api.pem", notes, path);
    let key = fields.required("key_file", "/etc/windlass/api.key", notes, path);
    fields.finish(notes);
    Some(Encryption::Tls(CertificateFiles { certificate: certificate?, key: key? }))
}

fn host(value: Value<'_>, notes: &mut Notes) -> Option<String> {
    let text = fields::line(value, notes)?;
    let legal = |c: char| c.is_ascii_alphanumeric() || "._-".contains(c);
    if text.chars().all(legal) {
        return Some(text.to_ascii_lowercase());
    }
    let what = format!("`{}` is no host's name", value.name);
    refuse(notes, value.node.at, what, "write it without a scheme and a port")
}
