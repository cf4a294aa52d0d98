//! The sandbox's own endpoints, outside `/v4`, for tests and demonstrations.
//!
//! In: calls from this machine alone.
//! Out: faults, the request journal, counts; and an instance that vanishes.
//! Never: asks for a token; answers another machine.
//!
//! | call | does |
//! | --- | --- |
//! | `GET /sandbox/faults` | the faults in force, how often each was seen and struck |
//! | `PUT /sandbox/faults` | takes faults from the body, YAML or JSON |
//! | `DELETE /sandbox/faults` | no more faults |
//! | `GET /sandbox/requests?since=N` | the calls with a number of at least N |
//! | `GET /sandbox/counts` | instances now, ever and at most at once; calls by operation |
//! | `DELETE /sandbox/instances/ID` | the instance is gone at once, without job or event; its delete hook runs |
//!
//! With `--faults FILE`, PUT and DELETE write that file, so that there is one truth.

use axum::http::{Method, StatusCode};
use axum::response::Response;
use serde_json::{Value, json};

use super::faults::Faults;
use super::gate::json_response;
use super::operations::decode;
use super::server::Peer;
use super::shared::{Saving, Shared, lock, now};

/// Answers a call; `path` is what follows `/sandbox`.
pub async fn answer(
    shared: &Shared,
    peer: &Peer,
    method: &Method,
    path: &str,
    query: &str,
    body: &[u8],
) -> Response {
    if !peer.is_local() {
        return problem(StatusCode::FORBIDDEN, "only this machine may call the sandbox's controls");
    }
    match (method.as_str(), path) {
        ("GET", "/faults") => {
            shared.refresh_faults().await;
            ok(&lock(&shared.faults).view())
        }
        ("PUT", "/faults") => set_faults(shared, &String::from_utf8_lossy(body)).await,
        ("DELETE", "/faults") => set_faults(shared, "").await,
        ("GET", "/requests") => {
            let since = query.strip_prefix("since=").and_then(|text| text.parse().ok());
            ok(&lock(&shared.journal).since(since.unwrap_or(0)))
        }
        ("GET", "/counts") => counts(shared),
        ("DELETE", path) => match path.strip_prefix("/instances/").map(|id| decode(id).parse()) {
            Some(Ok(id)) => vanish(shared, id).await,
            _ => problem(StatusCode::NOT_FOUND, "no such control"),
        },
        _ => problem(StatusCode::NOT_FOUND, "no such control"),
    }
}

async fn set_faults(shared: &Shared, text: &str) -> Response {
    // Tried on the side first: a bad text must not reach the file.
    if let Err(why) = Faults::none(0).update(text) {
        return problem(StatusCode::BAD_REQUEST, &why);
    }
    match &shared.faults_file {
        Some(path) => {
            if let Err(error) = tokio::fs::write(path, text).await {
                let why = format!("cannot write {}: {error}", path.display());
                return problem(StatusCode::INTERNAL_SERVER_ERROR, &why);
            }
            shared.refresh_faults().await;
        }
        None => {
            if let Err(why) = lock(&shared.faults).update(text) {
                return problem(StatusCode::BAD_REQUEST, &why);
            }
        }
    }
    ok(&lock(&shared.faults).view())
}

fn counts(shared: &Shared) -> Response {
    let (now, counts) = shared.look(|world| (world.instances.len(), world.counts));
    ok(&json!({
        "instances": {"now": now, "ever": counts.ever, "at_most": counts.at_most},
        "requests": lock(&shared.journal).counts(),
    }))
}

async fn vanish(shared: &Shared, id: u64) -> Response {
    let pace = shared.rules.pace;
    let gone = shared.with(|world| world.vanish(now(), id, &pace), |_| Saving::Now).await;
    shared.changed.notify_one();
    match gone {
        Some(label) => ok(&json!({ "vanished": label })),
        None => problem(StatusCode::NOT_FOUND, "no such instance"),
    }
}

fn ok(body: &Value) -> Response {
    json_response(StatusCode::OK, Some(body))
}

fn problem(status: StatusCode, why: &str) -> Response {
    json_response(status, Some(&json!({ "problem": why })))
}
