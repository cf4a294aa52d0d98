//! `GET /api/v1/events`: the journal as it grows, by server-sent events.
//!
//! In: a listener, and the number of the last row that it has.
//! Out: every later row in its order, once each; a comment now and then while nothing happens.
//! Never: keeps rows for a listener: one that is slow reads them from the store when it can take
//! them, and holds up nobody.

use std::collections::VecDeque;
use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::Sse;
use axum::response::sse::{Event, KeepAlive};
use futures_util::future::select_all;
use futures_util::stream::{Stream, StreamExt, unfold};
use serde::Deserialize;
use tokio::sync::{OwnedSemaphorePermit, watch};
use tokio_util::sync::CancellationToken;
use tracing::warn;

use super::Sources;
use super::document::AnyProblem;
use super::extract::Asked;
use super::pools::find;
use super::problem::Problem;
use crate::domain::PoolName;
use crate::store::{JournalRecord, Store};

/// So many may listen at once; each holds a connection and a page of rows at most.
pub(super) const LISTENERS: usize = 256;

/// Rows that are read at a time.
const PAGE: u32 = 100;

/// Proxies give connections up that are silent for a minute.
const COMMENT_EVERY: Duration = Duration::from_secs(15);

/// What is listened to.
#[derive(Clone, Debug, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(super) struct EventQuery {
    /// Only what is about this pool.
    pool: Option<String>,
    /// Begin after this row, as `Last-Event-ID` says it where a connection is taken up again.
    after: Option<i64>,
}

/// The journal as it grows.
///
/// Each event's `id` is the row's number and its `data` the row as JSON. A listener that comes
/// back sends the last `id` as `Last-Event-ID` and misses nothing.
#[utoipa::path(
    get, path = "/api/v1/events", tag = "pools", operation_id = "events",
    params(
        EventQuery,
        ("Last-Event-ID" = Option<String>, Header, description = "The last row that was received"),
    ),
    responses(
        (status = 200, description = "Events", body = str, content_type = "text/event-stream"),
        AnyProblem
    ),
    security(("token" = ["read"]))
)]
pub(super) async fn events(
    State(sources): State<Sources>,
    Asked(query): Asked<EventQuery>,
    headers: HeaderMap,
) -> Result<Sse<impl Stream<Item = Result<Event, Infallible>>>, Problem> {
    let pool = query.pool.as_deref().map(|pool| find(&sources, pool)).transpose()?;
    let pool = pool.map(|(name, _)| name.clone());
    let place = sources.listeners.clone().try_acquire_owned().map_err(|_| {
        Problem::unavailable(format!("{LISTENERS} listen already; end one, or ask again later"))
    })?;
    let received = match headers.get("last-event-id") {
        None => query.after,
        Some(id) => {
            let id = id.to_str().ok().and_then(|id| id.parse().ok());
            let wrong = || Problem::bad_request("`Last-Event-ID` is the number of a journal row");
            Some(id.ok_or_else(wrong)?)
        }
    };
    let after = match received {
        Some(number) => number,
        None => sources.store.journal_head().await?,
    };
    let listener = Listener {
        store: sources.store.clone(),
        head: sources.head.subscribe(),
        pool,
        after,
        waiting: VecDeque::new(),
        _place: place,
    };
    // Without this, a listener would keep the daemon from stopping.
    let rows = unfold(listener, Listener::next).take_until(sources.stop.clone().cancelled_owned());
    Ok(Sse::new(rows.map(Ok)).keep_alive(KeepAlive::new().interval(COMMENT_EVERY)))
}

/// One listener, and how far it has come.
struct Listener {
    store: Arc<Store>,
    head: watch::Receiver<i64>,
    pool: Option<PoolName>,
    after: i64,
    waiting: VecDeque<JournalRecord>,
    _place: OwnedSemaphorePermit,
}

impl Listener {
    /// The next row, whenever there is one; none where the store or the daemon has ended.
    async fn next(mut self) -> Option<(Event, Self)> {
        loop {
            if let Some(row) = self.waiting.pop_front() {
                return Some((event(&row), self));
            }
            self.head.borrow_and_update();
            let rows = match self.store.journal_after(self.after, PAGE).await {
                Ok(rows) => rows,
                Err(cause) => {
                    let cause = anyhow::Error::new(cause);
                    warn!("a listener's events end, since they can't be read: {cause:#}");
                    return None;
                }
            };
            let Some(last) = rows.last() else {
                self.head.changed().await.ok()?;
                continue;
            };
            self.after = last.sequence;
            let is_asked =
                |row: &JournalRecord| self.pool.as_ref().is_none_or(|pool| *pool == row.pool);
            let asked = rows.into_iter().filter(is_asked).collect();
            self.waiting = asked;
        }
    }
}

fn event(row: &JournalRecord) -> Event {
    let data = serde_json::to_string(row).expect("a row has string keys");
    Event::default().id(row.sequence.to_string()).event(row.entry.kind()).data(data)
}

/// Tells listeners how far the journal has come, whenever a pool has been looked at.
pub(super) async fn follow(sources: &Sources, stop: &CancellationToken) {
    let mut statuses: Vec<_> = sources.pools.values().map(|pool| pool.status.clone()).collect();
    while !stop.is_cancelled() {
        let looks = statuses.iter_mut().map(|status| Box::pin(status.changed()));
        let looks: Vec<_> = looks.collect();
        if looks.is_empty() {
            return stop.cancelled().await;
        }
        tokio::select! {
            (looked, _, _) = select_all(looks) => {
                if looked.is_err() {
                    return;
                }
            }
            () = stop.cancelled() => return,
        }
        if let Ok(head) = sources.store.journal_head().await {
            sources.head.send_if_modified(|known| std::mem::replace(known, head) != head);
        }
    }
}
