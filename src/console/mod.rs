//! The console: pages for a browser, built into the program.
//!
//! In: requests for files.
//! Out: the files under `assets`, which read everything from `/api/v1` and ask nobody else.
//! Never: knows a pool, a token or a secret: the pages are the same for everybody.

#[cfg(test)]
mod tests;

use axum::Router;
use axum::extract::Path;
use axum::http::{HeaderMap, HeaderName, StatusCode, header};
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::get;
use rust_embed::{Embed, EmbeddedFile};
use tower_http::compression::CompressionLayer;

use crate::domain::hex;

/// The pages, scripts and styles. A debug build reads the folder anew for each request.
#[derive(Embed)]
#[folder = "src/console/assets/"]
struct Assets;

/// Nothing but what this program serves, and no script or style inside of a page: text that
/// slipped into a page as markup could run nothing and call nobody.
const CONTENT_POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; \
    img-src 'self' data:; connect-src 'self'; manifest-src 'self'; base-uri 'none'; \
    form-action 'none'; frame-ancestors 'none'";

/// What goes with every file.
const HEADERS: [(HeaderName, &str); 6] = [
    (header::CONTENT_SECURITY_POLICY, CONTENT_POLICY),
    (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (header::REFERRER_POLICY, "no-referrer"),
    (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
    (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
    (HeaderName::from_static("permissions-policy"), "camera=(), geolocation=(), microphone=()"),
];

/// The console's routes: `/` leads to `/console/`, and all of it lies below that.
pub fn router<S: Clone + Send + Sync + 'static>() -> Router<S> {
    Router::new()
        .route("/", get(async || Redirect::to("/console/")))
        .route("/console", get(async || Redirect::to("/console/")))
        .route("/console/", get(async |headers: HeaderMap| file("index.html", &headers)))
        .route(
            "/console/{*path}",
            get(async |Path(path): Path<String>, headers: HeaderMap| file(&path, &headers)),
        )
        .layer(CompressionLayer::new())
}

/// A file, or that the browser has it already.
///
/// Browsers ask each time (`no-cache`), so that a new version of the program is seen at once; the
/// answer is empty while nothing has changed.
fn file(path: &str, asked: &HeaderMap) -> Response {
    let Some(file) = Assets::get(path) else {
        let text = "the console has no such file; it begins at /console/\n";
        return (StatusCode::NOT_FOUND, HEADERS, text).into_response();
    };
    let tag = tag(&file);
    let about = [(header::ETAG, tag.clone()), (header::CACHE_CONTROL, "no-cache".to_string())];
    let known = asked.get(header::IF_NONE_MATCH).and_then(|known| known.to_str().ok());
    if known.is_some_and(|known| known.split(',').any(|one| one.trim() == tag)) {
        return (StatusCode::NOT_MODIFIED, HEADERS, about).into_response();
    }
    let kind = match path.rsplit_once('.').map(|(_, ending)| ending) {
        Some("html") => "text/html; charset=utf-8",
        Some("js") => "text/javascript; charset=utf-8",
        Some("css") => "text/css; charset=utf-8",
        Some("svg") => "image/svg+xml",
        _ => "text/plain; charset=utf-8",
    };
    (HEADERS, about, [(header::CONTENT_TYPE, kind)], file.data.into_owned()).into_response()
}

/// Weak, for the same file goes out with and without compression.
fn tag(file: &EmbeddedFile) -> String {
    format!("W/\"{}\"", hex(&file.metadata.sha256_hash()[..12]))
}
