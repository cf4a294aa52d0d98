//! The way of one request: faults, token, rate limit, handler, headers, journal.
//!
//! In: an HTTP request on any path.
//! Out: a response as the real API would send it, or a connection closed on purpose.
//! Never: knows what an operation does.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::extract::{ConnectInfo, Request, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode};
use axum::response::{IntoResponse, Response};
use serde_json::{Map, Value};

use super::auth::Caller;
use super::call::{Call, Reply};
use super::control;
use super::effects::{Canned, Curse, Effect};
use super::errors::Refusal;
use super::faults::Target;
use super::filter::Filter;
use super::journal::Entry;
use super::limits::Allowance;
use super::operations::{self, Access, Operation};
use super::paginate::Page;
use super::server::Peer;
use super::shared::{Saving, Shared, lock, now};

// The largest legal body is a create with 16 KiB of user data in base64 and some keys.
const BODY_LIMIT: usize = 1 << 20;

/// Answers every request of the server. A client that hangs up doesn't undo what it asked for:
/// the request is a task of its own, which nobody's leaving cuts short.
pub async fn answer(
    State(shared): State<Arc<Shared>>,
    ConnectInfo(peer): ConnectInfo<Peer>,
    request: Request,
) -> Response {
    let task = tokio::spawn(process(shared, peer, request));
    task.await.unwrap_or_else(|error| {
        tracing::error!(%error, "a request ended early");
        StatusCode::INTERNAL_SERVER_ERROR.into_response()
    })
}

async fn process(shared: Arc<Shared>, peer: Peer, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let Ok(body) = axum::body::to_bytes(body, BODY_LIMIT).await else {
        return StatusCode::PAYLOAD_TOO_LARGE.into_response();
    };
    let path = parts.uri.path();
    if let Some(path) = path.strip_prefix("/sandbox") {
        let query = parts.uri.query().unwrap_or_default();
        return control::answer(&shared, &peer, &parts.method, path, query, &body).await;
    }
    let at = now();
    let below = ["/v4beta", "/v4"].iter().find_map(|prefix| path.strip_prefix(prefix));
    let Some(below) = below.filter(|below| below.starts_with('/')) else {
        return refuse(&Refusal::not_found());
    };
    let request = Incoming {
        method: &parts.method,
        path: below,
        query: parse_query(parts.uri.query().unwrap_or_default()),
        headers: &parts.headers,
        body: &body,
    };
    let found = operations::find(request.method, request.path);
    let operation = found.as_ref().ok().map(|(operation, _)| *operation);
    let effects = strike(&shared, &request, operation).await;
    let response = act(&shared, &request, found, &effects).await;
    let status = response.as_ref().map(|response| response.status().as_u16());
    lock(&shared.journal).add(Entry {
        number: 0,
        at,
        method: parts.method.to_string(),
        path: parts.uri.to_string(),
        operation: operation.map(|one| one.name),
        status,
    });
    response.unwrap_or_else(|| {
        peer.cut();
        StatusCode::IM_A_TEAPOT.into_response()
    })
}

struct Incoming<'a> {
    method: &'a Method,
    path: &'a str,
    query: BTreeMap<String, String>,
    headers: &'a HeaderMap,
    body: &'a [u8],
}

async fn strike(
    shared: &Shared,
    request: &Incoming<'_>,
    operation: Option<&'static Operation>,
) -> Vec<Effect> {
    shared.refresh_faults().await;
    let label = label_of(shared, request);
    let (method, path) = (request.method.as_str(), request.path);
    lock(&shared.faults).strike(Target { operation, method, path, label: label.as_deref() })
}

/// The label of the Linode that a call is about: the one in its path, or in a create's body.
fn label_of(shared: &Shared, request: &Incoming) -> Option<String> {
    let rest = request.path.strip_prefix("/linode/instances")?;
    match rest.trim_start_matches('/').split('/').next() {
        Some("") | None => {
            let body: Value = serde_json::from_slice(request.body).ok()?;
            body["label"].as_str().map(str::to_owned)
        }
        Some(id) => {
            let id: u64 = id.parse().ok()?;
            shared.look(|world| world.instances.get(&id).map(|one| one.label.clone()))
        }
    }
}

/// `None` when the connection is to be closed without an answer.
async fn act(
    shared: &Shared,
    request: &Incoming<'_>,
    found: Result<(&'static Operation, Vec<String>), Refusal>,
    effects: &[Effect],
) -> Option<Response> {
    for effect in effects {
        if let Effect::HangSeconds(seconds) = effect {
            hang(shared, *seconds).await?;
        }
    }
    if effects.contains(&Effect::DropBeforeActing) {
        return None;
    }
    if let Some(canned) = effects.iter().find_map(Effect::canned) {
        return Some(canned_response(&canned));
    }
    let response = serve(shared, request, found, effects).await;
    for effect in effects {
        if let Effect::AnswerAfterSeconds(seconds) = effect {
            hang(shared, *seconds).await?;
        }
    }
    (!effects.contains(&Effect::DropAnswerAfterActing)).then_some(response)
}

/// `None` when the sandbox stops meanwhile.
async fn hang(shared: &Shared, seconds: f64) -> Option<()> {
    let length = Duration::try_from_secs_f64(seconds).unwrap_or(Duration::MAX);
    tokio::select! {
        () = tokio::time::sleep(length) => Some(()),
        () = shared.shutdown.cancelled() => None,
    }
}

async fn serve(
    shared: &Shared,
    request: &Incoming<'_>,
    found: Result<(&'static Operation, Vec<String>), Refusal>,
    effects: &[Effect],
) -> Response {
    let (operation, params) = match found {
        Ok(found) => found,
        Err(refusal) => return refuse(&refusal),
    };
    let caller = identify(shared, operation, request.headers);
    let own = match &caller {
        Ok(Some(caller)) => caller.scopes.header(),
        // Recorded: without a token, or with a bad one, the scopes are `unknown`.
        Ok(None) | Err((None, _)) => "unknown".into(),
        Err((Some(caller), _)) => caller.scopes.header(),
    };
    let mut response = match caller {
        Err((_, refusal)) => refuse(&refusal),
        Ok(caller) => counted(shared, request, operation, params, caller, effects).await,
    };
    let needed = match operation.access {
        Access::Scope(scope) => scope,
        Access::Public | Access::AnyToken => "*",
    };
    let headers = response.headers_mut();
    set(headers, "x-oauth-scopes", &own);
    set(headers, "x-accepted-oauth-scopes", needed);
    set(headers, "cache-control", "max-age=0, no-cache, no-store");
    set(
        headers,
        "access-control-expose-headers",
        "X-OAuth-Scopes, X-Accepted-OAuth-Scopes, X-Status",
    );
    if operation.method == Method::GET {
        set(headers, "vary", "Authorization, X-Filter");
    }
    response
}

type NotAllowed = (Option<Caller>, Refusal);

/// The caller, if there must be one or a token was sent all the same.
fn identify(
    shared: &Shared,
    operation: &Operation,
    headers: &HeaderMap,
) -> Result<Option<Caller>, NotAllowed> {
    let sent = headers.get("authorization").map(|value| value.to_str().unwrap_or_default());
    let Some(sent) = sent else {
        return match operation.access {
            Access::Public => Ok(None),
            Access::AnyToken | Access::Scope(_) => Err((None, Refusal::invalid_token())),
        };
    };
    let caller = shared.keyring.identify(sent).map_err(|refusal| (None, refusal))?;
    match operation.access {
        Access::Scope(scope) if !caller.scopes.allow(scope) => {
            Err((Some(caller), Refusal::missing_scope()))
        }
        Access::Public | Access::AnyToken | Access::Scope(_) => Ok(Some(caller)),
    }
}

async fn counted(
    shared: &Shared,
    request: &Incoming<'_>,
    operation: &'static Operation,
    params: Vec<String>,
    caller: Option<Caller>,
    effects: &[Effect],
) -> Response {
    let at = now();
    // Callers without a token are counted together: they all come from this machine.
    let key = caller.map_or([0; 32], |caller| caller.key);
    let allowance = shared.limits.as_ref().map(|limits| lock(limits).count(at, key, operation));
    let mut response = match allowance {
        Some(allowance) if allowance.exceeded => {
            let mut response = refuse(&Refusal::too_many_requests());
            set(response.headers_mut(), "retry-after", &allowance.retry_after(at).to_string());
            response
        }
        _ => match handle(shared, request, operation, params, effects).await {
            Ok((status, body)) => json_response(status, body.as_ref()),
            Err(refusal) => refuse(&refusal),
        },
    };
    if let Some(Allowance { limit, remaining, reset, .. }) = allowance {
        let headers = response.headers_mut();
        set(headers, "x-ratelimit-limit", &limit.to_string());
        set(headers, "x-ratelimit-remaining", &remaining.to_string());
        set(headers, "x-ratelimit-reset", &reset.as_second().to_string());
    }
    response
}

async fn handle(
    shared: &Shared,
    request: &Incoming<'_>,
    operation: &'static Operation,
    params: Vec<String>,
    effects: &[Effect],
) -> Result<(StatusCode, Option<Value>), Refusal> {
    let mut curse = Curse::default();
    effects.iter().for_each(|effect| effect.add_to(&mut curse));
    let body = parse_body(request)?;
    let call = Call { now: now(), params, body, rules: shared.rules, curse };
    let changes = operation.method != Method::GET;
    let reply = shared
        .with(
            |world| (operation.handler)(world, &call),
            |answer| if changes && answer.is_ok() { Saving::Now } else { Saving::Not },
        )
        .await?;
    if changes {
        shared.changed.notify_one();
    }
    match reply {
        Reply::NoContent => Ok((StatusCode::NO_CONTENT, None)),
        Reply::Object(value) => Ok((StatusCode::OK, Some(value))),
        Reply::List { items, keys } => {
            let page = Page::parse(&request.query)?;
            let items = match request.headers.get("x-filter") {
                Some(header) => {
                    Filter::parse(header.to_str().unwrap_or_default(), keys)?.apply(items)
                }
                None => items,
            };
            Ok((StatusCode::OK, Some(page.of(items))))
        }
    }
}

fn parse_body(request: &Incoming) -> Result<Map<String, Value>, Refusal> {
    // Some clients send a body of `{}` or `null` with every call; GET and DELETE have none.
    if request.body.is_empty() || matches!(*request.method, Method::GET | Method::DELETE) {
        return Ok(Map::new());
    }
    match serde_json::from_slice(request.body) {
        Ok(Value::Object(body)) => Ok(body),
        Ok(Value::Null) => Ok(Map::new()),
        _ => Err(Refusal::general("Invalid JSON")),
    }
}

fn parse_query(query: &str) -> BTreeMap<String, String> {
    query
        .split('&')
        .filter_map(|pair| pair.split_once('='))
        .map(|(key, value)| (operations::decode(key), operations::decode(value)))
        .collect()
}

fn refuse(refusal: &Refusal) -> Response {
    json_response(refusal.status, Some(&refusal.body()))
}

/// A response with a JSON body.
pub fn json_response(status: StatusCode, body: Option<&Value>) -> Response {
    let mut response =
        Response::new(body.map_or_else(Body::empty, |body| Body::from(body.to_string())));
    *response.status_mut() = status;
    if body.is_some() {
        set(response.headers_mut(), "content-type", "application/json");
    }
    response
}

fn canned_response(canned: &Canned) -> Response {
    let status = StatusCode::from_u16(canned.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let usual = || {
        let reason = status.canonical_reason().unwrap_or("Error");
        serde_json::json!({"errors": [{"reason": reason}]}).to_string()
    };
    let mut response = Response::new(Body::from(canned.body.clone().unwrap_or_else(usual)));
    *response.status_mut() = status;
    set(response.headers_mut(), "content-type", "application/json");
    for (name, text) in &canned.headers {
        set(response.headers_mut(), name, text);
    }
    response
}

fn set(headers: &mut HeaderMap, name: &str, text: &str) {
    // Only a faults file can hold a name or text that is no legal header; it is left out.
    if let (Ok(name), Ok(value)) =
        (HeaderName::try_from(name.to_ascii_lowercase()), HeaderValue::from_str(text))
    {
        headers.insert(name, value);
    }
}
