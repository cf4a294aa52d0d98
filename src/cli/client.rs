//! Asking the daemon over its API.

use std::time::Duration;

use anyhow::Context;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::exit::Failure;

/// Where the daemon answers.
#[derive(Clone, Debug, clap::Args)]
pub(super) struct ApiArguments {
    /// The daemon's API.
    #[arg(long, env = "WINDLASS_URL", default_value = "http://127.0.0.1:8377")]
    url: String,
}

/// What `path` below `/api/v1` answers.
pub(super) async fn get<T: DeserializeOwned>(
    api: &ApiArguments,
    path: &str,
    query: &[(&str, String)],
) -> Result<T, Failure> {
    let request = client()?.get(format!("{}/api/v1{path}", base(api))).query(query);
    let (status, body) = answer(api, request).await?;
    if !status.is_success() {
        return Err(refused(&body));
    }
    serde_json::from_slice(&body).map_err(|cause| foreign(api, cause))
}

fn base(api: &ApiArguments) -> &str {
    api.url.trim_end_matches('/')
}

fn client() -> anyhow::Result<reqwest::Client> {
    let client = reqwest::Client::builder().timeout(Duration::from_secs(10));
    client.build().context("can't speak HTTP")
}

async fn answer(
    api: &ApiArguments,
    request: reqwest::RequestBuilder,
) -> anyhow::Result<(reqwest::StatusCode, Vec<u8>)> {
    let unreachable = || {
        let base = base(api);
        format!("the daemon does not answer at {base}; is it running? `--url` names another place")
    };
    let response = request.send().await.map_err(reqwest::Error::without_url);
    let response = response.with_context(unreachable)?;
    let status = response.status();
    let body = response.bytes().await.map_err(reqwest::Error::without_url);
    Ok((status, body.with_context(unreachable)?.to_vec()))
}

fn refused(body: &[u8]) -> Failure {
    let problem: Value = serde_json::from_slice(body).unwrap_or_default();
    let detail = problem["detail"].as_str().unwrap_or("the daemon gave no reason");
    Failure::failed(anyhow::anyhow!("{detail}"))
}

fn foreign(api: &ApiArguments, cause: serde_json::Error) -> Failure {
    let base = base(api);
    let what = format!("{base} answers, but not as a windlass of this version");
    Failure::failed(anyhow::Error::new(cause).context(what))
}

/// What a request without a body to `path` below `/api/v1` answers, with its status.
pub(super) async fn post<T: DeserializeOwned>(
    api: &ApiArguments,
    path: &str,
) -> Result<(reqwest::StatusCode, T), Failure> {
    let request = client()?.post(format!("{}/api/v1{path}", base(api)));
    let (status, body) = answer(api, request).await?;
    match serde_json::from_slice(&body) {
        Ok(read) => Ok((status, read)),
        Err(_) if !status.is_success() => Err(refused(&body)),
        Err(cause) => Err(foreign(api, cause)),
    }
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
