//! The one door before every route.
//!
//! In: a request that was matched to a route, or to none.
//! Out: the same with its [`Caller`], or a refusal.
//! Never: opens for a route that the document does not name, for a token that is not known, or
//! for a scope or a pool that is not its own.

use std::net::SocketAddr;
use std::time::Duration;

use axum::extract::rejection::RawPathParamsRejection;
use axum::extract::{ConnectInfo, MatchedPath, RawPathParams, Request, State};
use axum::http::request::Parts;
use axum::http::{HeaderValue, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use tracing::{Span, warn};

use super::browser::check_host;
use super::needs::{Need, Reach, Unnamed, need};
use super::rate::Who;
use super::secret::ShownToken;
use super::{Access, Asks, Caller};
use crate::api::Sources;
use crate::api::problem::Problem;
use crate::domain::PoolName;
use crate::store::{Scope, Store, StoreError, TokenRecord};

/// Why a request does not pass.
enum Refusal {
    /// Something that needs no further header.
    Plain(Problem),
    /// 405: these methods are to be had.
    Method(Vec<&'static str>),
    /// 401: no token, or none that is good; whether one was shown.
    Unknown { detail: String, was_shown: bool },
    /// 403: the token is good for something else.
    Scope { needed: Scope, has: Scope },
    /// 429: after so long.
    Haste(Duration),
}

/// Decides about every request.
pub(crate) async fn guard(
    State(sources): State<Sources>,
    route: Option<MatchedPath>,
    parts: Result<RawPathParams, RawPathParamsRejection>,
    request: Request,
    next: Next,
) -> Response {
    let pool = parts.as_ref().ok().and_then(|parts| parts.iter().find(|(name, _)| *name == "pool"));
    let pool = pool.map(|(_, pool)| pool);
    // A body can't be shared between threads, and nothing here is about it.
    let (mut head, body) = request.into_parts();
    match decide(&sources, &head, route.as_ref().map(MatchedPath::as_str), pool).await {
        Ok(None) => next.run(Request::from_parts(head, body)).await,
        Ok(Some(caller)) => {
            Span::current().record("caller", caller.owner.as_str());
            head.extensions.insert(caller);
            next.run(Request::from_parts(head, body)).await
        }
        Err(refusal) => refusal.into_response(),
    }
}

/// Who asks, where that matters.
async fn decide(
    sources: &Sources,
    head: &Parts,
    route: Option<&str>,
    pool: Option<&str>,
) -> Result<Option<Caller>, Refusal> {
    let access = &sources.access;
    if let Asks::NoToken(known) = &access.asks {
        check_host(head, known).map_err(Refusal::Plain)?;
    }
    // What leads nowhere tells nothing: the answer is "not found", for everybody.
    let needed = route.map_or(Ok(Need::Nothing), |route| need(&head.method, route));
    let needed = needed.map_err(|unnamed| match unnamed {
        Unnamed::Method(methods) => Refusal::Method(methods),
        Unnamed::Path => Refusal::Plain(Problem::of_status(
            StatusCode::FORBIDDEN,
            "the API's document does not name this, so nobody may ask for it",
        )),
    })?;
    let peer = head.extensions.get::<ConnectInfo<SocketAddr>>().map(|peer| Who::at(peer.0.ip()));
    let Need::Token { scope, reach } = needed else {
        count(access, peer.as_ref())?;
        return Ok(None);
    };
    let shown = shown_token(head);
    let caller = match (shown, &access.asks) {
        (Ok(None), Asks::NoToken(_)) => {
            count(access, peer.as_ref())?;
            Caller::default()
        }
        (Ok(Some(shown)), _) => match known_token(&sources.store, access, &shown).await? {
            Ok(token) => {
                count(access, Some(&Who::Token(token.id.clone())))?;
                note_use(sources, &token).await;
                caller_of(token)
            }
            Err(detail) => return Err(unknown(access, peer.as_ref(), detail, true)),
        },
        (Ok(None), Asks::ForTokens) => {
            let detail = "this needs a token: `Authorization: Bearer …`; `windlass token make` \
                          makes one";
            return Err(unknown(access, peer.as_ref(), detail.into(), false));
        }
        (Err(detail), _) => return Err(unknown(access, peer.as_ref(), detail.into(), true)),
    };
    if caller.scope < scope {
        return Err(Refusal::Scope { needed: scope, has: caller.scope });
    }
    check_reach(&caller, reach, pool)?;
    Ok(Some(caller))
}

/// The token of the one `Authorization` header, if there is one.
fn shown_token(head: &Parts) -> Result<Option<ShownToken>, &'static str> {
    const FORM: &str = "`Authorization` must be `Bearer` and one token, as `windlass token make` \
                        showed it";
    let mut headers = head.headers.get_all(header::AUTHORIZATION).into_iter();
    let (first, second) = (headers.next(), headers.next());
    let Some(first) = first else { return Ok(None) };
    if second.is_some() {
        return Err(FORM);
    }
    let (scheme, token) = first.to_str().ok().and_then(|text| text.split_once(' ')).ok_or(FORM)?;
    if !scheme.eq_ignore_ascii_case("bearer") {
        return Err(FORM);
    }
    ShownToken::read(token.trim()).map(Some).ok_or(FORM)
}

/// The record of a shown token; or why it is not good. Only who holds the secret is told more
/// than that it is unknown.
async fn known_token(
    store: &Store,
    access: &Access,
    shown: &ShownToken,
) -> Result<Result<TokenRecord, String>, Refusal> {
    let failed = |cause: StoreError| Refusal::Plain(cause.into());
    let found = store.token(&shown.id).await.map_err(failed)?;
    let Some(token) = found.filter(|token| shown.is(&token.hash)) else {
        return Ok(Err("this token is not known here".into()));
    };
    if token.is_good(access.clock.now()) {
        return Ok(Ok(token));
    }
    let ended = match (token.revoked_at, token.expires_at) {
        (Some(revoked), _) => format!("was revoked at {revoked}"),
        (None, expired) => format!("expired at {}", expired.unwrap_or_default()),
    };
    let id = &token.id;
    Ok(Err(format!("the token {id} {ended}; `windlass token make` makes another one")))
}

/// A use that can't be noted is no reason to refuse it.
async fn note_use(sources: &Sources, token: &TokenRecord) {
    let now = sources.access.clock.now();
    if let Err(cause) = sources.store.note_token_use(token, now).await {
        let cause = anyhow::Error::new(cause);
        warn!(token.id = %token.id, "the use of token {} is not noted: {cause:#}", token.id);
    }
}

fn caller_of(token: TokenRecord) -> Caller {
    Caller { owner: token.owner, scope: token.scope, pools: token.pools.map(Into::into) }
}

fn count(access: &Access, who: Option<&Who>) -> Result<(), Refusal> {
    // Without a connection the request comes from inside this process.
    who.map_or(Ok(()), |who| access.limiter.take(who)).map_err(Refusal::Haste)
}

/// Whoever guesses is slowed down.
fn unknown(access: &Access, peer: Option<&Who>, detail: String, was_shown: bool) -> Refusal {
    match count(access, peer) {
        Err(haste) => haste,
        Ok(()) => Refusal::Unknown { detail, was_shown },
    }
}

/// Holds a token to its pools.
fn check_reach(caller: &Caller, reach: Reach, pool: Option<&str>) -> Result<(), Refusal> {
    if caller.pools.is_none() {
        return Ok(());
    }
    let is_within = match reach {
        Reach::SeenPools => true,
        Reach::Everything => false,
        Reach::OnePool => {
            pool.and_then(|pool| PoolName::new(pool).ok()).is_some_and(|pool| caller.may_see(&pool))
        }
    };
    if is_within {
        return Ok(());
    }
    let detail = match reach {
        Reach::OnePool => "this token is for other pools",
        Reach::SeenPools | Reach::Everything => {
            "this token is for some pools, and this concerns all of them"
        }
    };
    Err(Refusal::Plain(Problem::of_status(StatusCode::FORBIDDEN, detail)))
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let (status, detail, name, value) = match self {
            Self::Plain(problem) => return problem.into_response(),
            Self::Method(methods) => (
                StatusCode::METHOD_NOT_ALLOWED,
                "this page has no such method; see `Allow`".to_owned(),
                header::ALLOW,
                methods.join(", "),
            ),
            Self::Unknown { detail, was_shown } => {
                let why = if was_shown { ", error=\"invalid_token\"" } else { "" };
                let challenge = format!("Bearer realm=\"windlass\"{why}");
                (StatusCode::UNAUTHORIZED, detail, header::WWW_AUTHENTICATE, challenge)
            }
            Self::Scope { needed, has } => (
                StatusCode::FORBIDDEN,
                format!("this needs the scope `{needed}`, and the token has `{has}`"),
                header::WWW_AUTHENTICATE,
                format!(
                    "Bearer realm=\"windlass\", error=\"insufficient_scope\", scope=\"{needed}\""
                ),
            ),
            Self::Haste(wait) => {
                let seconds = wait.as_secs() + u64::from(0 < wait.subsec_nanos());
                let detail = format!("too many requests; ask again in {seconds} s");
                let seconds = seconds.to_string();
                (StatusCode::TOO_MANY_REQUESTS, detail, header::RETRY_AFTER, seconds)
            }
        };
        let mut answer = Problem::of_status(status, detail).into_response();
        let value = HeaderValue::try_from(value).expect("scopes, methods and numbers are ASCII");
        answer.headers_mut().insert(name, value);
        answer
    }
}
