//! Asking the daemon over its API.

use std::error::Error;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::Context;
use reqwest::{Certificate, Method};
use rustls::CertificateError;
use secrecy::{ExposeSecret, SecretString};
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::exit::Failure;

/// Where the daemon answers, and who asks.
#[derive(Clone, Debug, clap::Args)]
pub(super) struct ApiArguments {
    /// The daemon's API.
    #[arg(long, env = "WINDLASS_URL", default_value = "http://127.0.0.1:8377")]
    url: String,
    /// A file with the token to send; without it, the variable WINDLASS_TOKEN.
    #[arg(long, value_name = "FILE", env = "WINDLASS_TOKEN_FILE")]
    token_file: Option<PathBuf>,
    /// A file with certificates in PEM, to be trusted beside the system's: whoever issued the
    /// certificate of the API.
    #[arg(long, value_name = "FILE", env = "WINDLASS_CA_FILE")]
    ca_file: Option<PathBuf>,
}

/// What `path` below `/api/v1` answers.
pub(super) async fn get<T: DeserializeOwned>(
    api: &ApiArguments,
    path: &str,
    query: &[(&str, String)],
) -> Result<T, Failure> {
    let (_, answer) = send(api, Method::GET, path, query, None, &[]).await?;
    read(api, &answer)
}

/// What a request without a body to `path` below `/api/v1` answers, with its status.
pub(super) async fn post<T: DeserializeOwned>(
    api: &ApiArguments,
    path: &str,
) -> Result<(reqwest::StatusCode, T), Failure> {
    let request = client(api)?.post(format!("{}/api/v1{path}", base(api)));
    let (status, body) = answer(api, signed(api, request)?).await?;
    match serde_json::from_slice(&body) {
        Ok(read) => Ok((status, read)),
        Err(_) if !status.is_success() => Err(refused(api, status, &body)),
        Err(cause) => Err(foreign(api, cause)),
    }
}

/// What any request to `path` below `/api/v1` answers, where it is granted.
pub(super) async fn send(
    api: &ApiArguments,
    method: Method,
    path: &str,
    query: &[(&str, String)],
    body: Option<&Value>,
    headers: &[(&str, &str)],
) -> Result<(reqwest::StatusCode, Vec<u8>), Failure> {
    let at = format!("{}/api/v1{path}", base(api));
    let mut request = client(api)?.request(method, at).query(query);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    if let Some(body) = body {
        request = request.json(body);
    }
    let (status, body) = answer(api, signed(api, request)?).await?;
    if !status.is_success() {
        return Err(refused(api, status, &body));
    }
    Ok((status, body))
}

/// An answer as what it should be.
pub(super) fn read<T: DeserializeOwned>(api: &ApiArguments, body: &[u8]) -> Result<T, Failure> {
    serde_json::from_slice(body).map_err(|cause| foreign(api, cause))
}

fn base(api: &ApiArguments) -> &str {
    api.url.trim_end_matches('/')
}

fn client(api: &ApiArguments) -> Result<reqwest::Client, Failure> {
    let mut client = reqwest::Client::builder().timeout(Duration::from_secs(15));
    if let Some(file) = &api.ca_file {
        client = client.tls_certs_merge(certificates(file)?);
    }
    Ok(client.build().context("can't speak HTTP")?)
}

/// The certificates of a file, at least one.
fn certificates(file: &Path) -> Result<Vec<Certificate>, Failure> {
    let shown = file.display();
    let wrong = |what: String| {
        let hint = "name a file with the certificate of whoever issued the API's, in PEM";
        Failure::BadSettings(format!("error: {what}\nhint: {hint}"))
    };
    let text = std::fs::read(file)
        .map_err(|cause| wrong(format!("can't read the certificates in {shown}: {cause}")))?;
    match Certificate::from_pem_bundle(&text) {
        Ok(certificates) if !certificates.is_empty() => Ok(certificates),
        _ => Err(wrong(format!("{shown} holds no certificate in PEM"))),
    }
}

/// The request with the token that was given, if one was.
fn signed(
    api: &ApiArguments,
    request: reqwest::RequestBuilder,
) -> Result<reqwest::RequestBuilder, Failure> {
    Ok(match token(api)? {
        Some(token) => request.bearer_auth(token.expose_secret()),
        None => request,
    })
}

/// The token that was given, if one was. Never from the command line: whoever lists processes
/// would read it.
fn token(api: &ApiArguments) -> Result<Option<SecretString>, Failure> {
    let token = match &api.token_file {
        Some(file) => {
            let shown = file.display();
            let text = std::fs::read_to_string(file).map_err(|cause| {
                let what = format!("can't read the token in {shown}: {cause}");
                Failure::BadSettings(format!("error: {what}\nhint: name a file that you may read"))
            })?;
            Some(SecretString::from(text.trim().to_owned()))
        }
        None => std::env::var("WINDLASS_TOKEN").ok().map(|token| token.trim().to_owned().into()),
    };
    Ok(token.filter(|token| !token.expose_secret().is_empty()))
}

async fn answer(
    api: &ApiArguments,
    request: reqwest::RequestBuilder,
) -> anyhow::Result<(reqwest::StatusCode, Vec<u8>)> {
    let unreachable = || {
        let base = base(api);
        format!("the daemon does not answer at {base}; is it running? `--url` names another place")
    };
    let response = match request.send().await.map_err(reqwest::Error::without_url) {
        Ok(response) => response,
        Err(cause) => {
            return Err(match untrusted(&cause) {
                Some(why) => distrust(api, &why),
                None => anyhow::Error::new(cause).context(unreachable()),
            });
        }
    };
    let status = response.status();
    let body = response.bytes().await.map_err(reqwest::Error::without_url);
    Ok((status, body.with_context(unreachable)?.to_vec()))
}

/// Why the certificate that was shown is not trusted, where that is what failed.
fn untrusted(cause: &reqwest::Error) -> Option<CertificateError> {
    let mut cause: Option<&(dyn Error + 'static)> = Some(cause);
    while let Some(one) = cause {
        // An I/O error gives the source of what it wraps, not what it wraps.
        let wrapped = one.downcast_ref::<std::io::Error>().and_then(std::io::Error::get_ref);
        let wrapped = wrapped.map(|wrapped| wrapped as &(dyn Error + 'static));
        let tls = wrapped.unwrap_or(one).downcast_ref::<rustls::Error>();
        if let Some(rustls::Error::InvalidCertificate(why)) = tls {
            return Some(why.clone());
        }
        cause = wrapped.or(one.source());
    }
    None
}

/// What to do about a certificate that is not trusted. There is no way around it: whoever stands
/// in between would get the token.
fn distrust(api: &ApiArguments, why: &CertificateError) -> anyhow::Error {
    use CertificateError as Why;
    let hint = match why {
        Why::UnknownIssuer => {
            "name the certificate of its issuer with --ca-file, or in WINDLASS_CA_FILE"
        }
        Why::NotValidForName | Why::NotValidForNameContext { .. } => {
            "call the daemon by a name that is in its certificate, with --url"
        }
        Why::Expired
        | Why::ExpiredContext { .. }
        | Why::NotValidYet
        | Why::NotValidYetContext { .. } => {
            "set this machine's clock right, or put a new certificate where `api.tls` names it \
             and send the daemon a SIGHUP"
        }
        _ => {
            "`api.tls` names the certificate; one that is an issuer itself (CA:TRUE) is none for \
              a server"
        }
    };
    anyhow::anyhow!("the certificate of {} is not trusted: {why}\nhint: {hint}", base(api))
}

fn refused(api: &ApiArguments, status: reqwest::StatusCode, body: &[u8]) -> Failure {
    let problem: Value = serde_json::from_slice(body).unwrap_or_default();
    let detail = problem["detail"].as_str().unwrap_or("the daemon gave no reason");
    let hint = match status.as_u16() {
        401 => {
            "\nhint: name a file with a good token with --token-file, or put the token into \
             WINDLASS_TOKEN"
        }
        403 if matches!(token(api), Ok(Some(_))) => {
            "\nhint: use a token whose scope and pools allow this; `windlass token list` shows \
             them, and `windlass token make NAME --scope …` makes another one"
        }
        404 if problem["detail"].is_null() => {
            return Failure::failed(anyhow::anyhow!(
                "{} answers, but not as a windlass of this version",
                base(api)
            ));
        }
        _ => "",
    };
    Failure::failed(anyhow::anyhow!("{detail}{hint}"))
}

fn foreign(api: &ApiArguments, cause: serde_json::Error) -> Failure {
    let base = base(api);
    let what = format!("{base} answers, but not as a windlass of this version");
    Failure::failed(anyhow::Error::new(cause).context(what))
}

/// The one pool's name, where none was given.
pub(super) async fn pool_or_only(
    api: &ApiArguments,
    given: Option<String>,
) -> Result<String, Failure> {
    if let Some(pool) = given {
        return Ok(pool);
    }
    let pools: Vec<Value> = get(api, "/pools", &[]).await?;
    let names: Vec<&str> = pools.iter().filter_map(|pool| pool["pool"].as_str()).collect();
    match names.as_slice() {
        [only] => Ok((*only).to_string()),
        several => {
            Err(Failure::failed(anyhow::anyhow!("name a pool, one of: {}", several.join(", "))))
        }
    }
}

/// The pool that has a living node of this label or id.
pub(super) async fn pool_of_node(api: &ApiArguments, named: &str) -> Result<String, Failure> {
    let pools: Vec<Value> = get(api, "/pools", &[]).await?;
    let mut labels = Vec::new();
    for pool in &pools {
        for node in pool["nodes"].as_array().into_iter().flatten() {
            if node["label"] == named || node["id"] == named {
                return Ok(pool["pool"].as_str().unwrap_or_default().to_string());
            }
            labels.extend(node["label"].as_str());
        }
    }
    let known = if labels.is_empty() { "none".into() } else { labels.join(", ") };
    Err(Failure::failed(anyhow::anyhow!("no living node is named {named}; there are: {known}")))
}
