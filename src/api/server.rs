//! Routes, limits, and the listening socket.

use std::time::Duration;

use axum::http::StatusCode;
use axum::{Router, middleware};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use tower::ServiceBuilder;
use tower_http::catch_panic::CatchPanicLayer;
use tower_http::limit::RequestBodyLimitLayer;
use tower_http::timeout::TimeoutLayer;
use utoipa::OpenApi;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::document::ApiDoc;
use super::extract::as_problem;
use super::problem::Problem;
use super::{Sources, discovery, document, health, pools, reload};

/// No reading takes longer; a stuck one gives its place back.
const ANSWER_WITHIN: Duration = Duration::from_secs(10);

/// The largest body that is read: policies are the largest that anybody sends.
const LARGEST_BODY: usize = 64 * 1024;

/// Every route, with its part of the document.
pub(super) fn routes() -> OpenApiRouter<Sources> {
    OpenApiRouter::with_openapi(ApiDoc::openapi())
        .routes(routes!(health::healthz))
        .routes(routes!(health::readyz))
        .routes(routes!(health::metrics))
        .routes(routes!(discovery::targets))
        .routes(routes!(document::openapi))
        .routes(routes!(reload::reload))
        .routes(routes!(pools::list))
        .routes(routes!(pools::one))
        .routes(routes!(pools::decisions))
        .routes(routes!(pools::explanation))
        .routes(routes!(pools::why_not))
        .routes(routes!(pools::journal))
        .routes(routes!(pools::learned))
}

/// The server: every route behind the limits that all share.
pub fn router(sources: Sources) -> Router {
    let (router, _) = routes().split_for_parts();
    router
        .fallback(async || Problem::not_found("no such page; /api/v1/openapi.json lists them all"))
        .layer(
            ServiceBuilder::new()
                .layer(CatchPanicLayer::new())
                .layer(TimeoutLayer::with_status_code(
                    StatusCode::SERVICE_UNAVAILABLE,
                    ANSWER_WITHIN,
                ))
                .layer(RequestBodyLimitLayer::new(LARGEST_BODY)),
        )
        .layer(middleware::map_response(as_problem))
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
