//! Routes, limits, and the listening socket.

use std::time::Duration;

use axum::Router;
use axum::http::StatusCode;
use axum::routing::{get, post};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use tower::ServiceBuilder;
use tower_http::catch_panic::CatchPanicLayer;
use tower_http::limit::RequestBodyLimitLayer;
use tower_http::timeout::TimeoutLayer;

use super::problem::Problem;
use super::{Sources, discovery, health, pools, reload};

/// No reading takes longer; a stuck one gives its place back.
const ANSWER_WITHIN: Duration = Duration::from_secs(10);

/// No request here needs a body.
const LARGEST_BODY: usize = 64 * 1024;

/// Every route.
pub fn router(sources: Sources) -> Router {
    let pools = Router::new()
        .route("/", get(pools::list))
        .route("/{pool}", get(pools::one))
        .route("/{pool}/decisions", get(pools::decisions))
        .route("/{pool}/explanation", get(pools::explanation))
        .route("/{pool}/why-not", get(pools::why_not))
        .route("/{pool}/journal", get(pools::journal))
        .route("/{pool}/learned", get(pools::learned));
    Router::new()
        .route("/healthz", get(health::healthz))
        .route("/readyz", get(health::readyz))
        .route("/metrics", get(health::metrics))
        .route("/sd/prometheus", get(discovery::targets))
        .nest("/api/v1/pools", pools)
        .route("/api/v1/policies/reload", post(reload::reload))
        .fallback(async || Problem::not_found("no such page; the API begins at /api/v1/pools"))
        .layer(
            ServiceBuilder::new()
                .layer(CatchPanicLayer::new())
                .layer(TimeoutLayer::with_status_code(
                    StatusCode::SERVICE_UNAVAILABLE,
                    ANSWER_WITHIN,
                ))
                .layer(RequestBodyLimitLayer::new(LARGEST_BODY)),
        )
        .with_state(sources)
}

/// Answers until `stop`; requests under way may end.
pub async fn serve(
    listener: TcpListener,
    sources: Sources,
    stop: CancellationToken,
) -> std::io::Result<()> {
    axum::serve(listener, router(sources)).with_graceful_shutdown(stop.cancelled_owned()).await
}
