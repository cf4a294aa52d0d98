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
    let base = api.url.trim_end_matches('/');
    let unreachable = || {
        format!("the daemon does not answer at {base}; is it running? `--url` names another place")
    };
    let client = reqwest::Client::builder()
        .timeout(Duration::from_secs(10))
        .build()
        .context("can't speak HTTP")?;
    let request = client.get(format!("{base}/api/v1{path}")).query(query);
    let response = request.send().await.map_err(reqwest::Error::without_url);
    let response = response.with_context(unreachable)?;
    let good = response.status().is_success();
    let body = response.bytes().await.map_err(reqwest::Error::without_url);
    let body = body.with_context(unreachable)?;
    if !good {
        let problem: Value = serde_json::from_slice(&body).unwrap_or_default();
        let detail = problem["detail"].as_str().unwrap_or("the daemon gave no reason");
        return Err(Failure::failed(anyhow::anyhow!("{detail}")));
    }
    let read = serde_json::from_slice(&body);
    Ok(read.with_context(|| format!("{base} answers, but not as a windlass of this version"))?)
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
