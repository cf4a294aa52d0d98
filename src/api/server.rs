//! Routes, and what all of them share: limits, headers, the one door.

use std::time::Duration;

use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use axum::{Router, middleware};
use tower_http::catch_panic::CatchPanicLayer;
use tower_http::limit::RequestBodyLimitLayer;
use tower_http::set_header::SetResponseHeaderLayer;
use tower_http::timeout::TimeoutLayer;
use utoipa::OpenApi;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::document::ApiDoc;
use super::extract::{as_problem, unchanged};
use super::observe::observe;
use super::problem::Problem;
use super::{
    Sources, access, commands, discovery, document, events, health, hints, history, nodes,
    policies, pools, reload, shadow,
};

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
        .routes(routes!(history::history))
        .routes(routes!(pools::learned))
        .routes(routes!(pools::decision))
        .routes(routes!(nodes::nodes))
        .routes(routes!(nodes::signals))
        .routes(routes!(nodes::samples))
        .routes(routes!(nodes::costs))
        .routes(routes!(commands::list, commands::give))
        .routes(routes!(commands::one, commands::end))
        .routes(routes!(hints::list, hints::announce))
        .routes(routes!(hints::take_back))
        .routes(routes!(policies::policy, policies::put_policy))
        .routes(routes!(events::events))
        .routes(routes!(shadow::shadow))
}

/// What browsers are told with every answer: nothing of ours is shown in a frame, sniffed for
/// another type, or told to other sites by `Referer`; the console runs no script but its own.
const SECURITY_HEADERS: [(HeaderName, &str); 5] = [
    (
        header::CONTENT_SECURITY_POLICY,
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; \
         connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    ),
    (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (header::REFERRER_POLICY, "no-referrer"),
    (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
    (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
];

/// The server: every route behind the limits that all share, and behind the one door.
pub fn router(sources: Sources) -> Router {
    let (router, _) = routes().split_for_parts();
    let router = router
        .merge(crate::console::router())
        .fallback(async || Problem::not_found("no such page; /api/v1/openapi.json lists them all"))
        // From the inside out: what is written last sees a request first.
        .layer(RequestBodyLimitLayer::new(LARGEST_BODY))
        .layer(middleware::from_fn_with_state(sources.clone(), access::guard))
        .layer(access::same_site())
        .layer(TimeoutLayer::with_status_code(StatusCode::SERVICE_UNAVAILABLE, ANSWER_WITHIN))
        .layer(CatchPanicLayer::new())
        .layer(middleware::from_fn(unchanged))
        .layer(middleware::map_response(as_problem))
        .layer(middleware::from_fn_with_state(sources.clone(), observe));
    let router = SECURITY_HEADERS.into_iter().fold(router, |router, (name, value)| {
        router.layer(SetResponseHeaderLayer::if_not_present(name, HeaderValue::from_static(value)))
    });
    router.with_state(sources)
}
