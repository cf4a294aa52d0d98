//! What a browser is given, and what it must never find in it.

use axum::body::{Body, to_bytes};
use axum::http::Request;
use sha2::{Digest, Sha256};
use tower::ServiceExt;

use super::*;

async fn ask(path: &str, headers: &[(HeaderName, &str)]) -> (StatusCode, HeaderMap, Vec<u8>) {
    let mut request = Request::get(path);
    for (name, value) in headers {
        request = request.header(name, *value);
    }
    let request = request.body(Body::empty()).expect("a request");
    let answer = router::<()>().oneshot(request).await.expect("an answer");
    let (parts, body) = answer.into_parts();
    let body = to_bytes(body, 1 << 20).await.expect("a body").to_vec();
    (parts.status, parts.headers, body)
}

fn text(path: &str) -> String {
    let file = Assets::get(path).unwrap_or_else(|| panic!("{path} is there"));
    String::from_utf8(file.data.into_owned()).expect("text")
}

#[tokio::test]
async fn the_front_door_leads_to_the_console() {
    for path in ["/", "/console"] {
        let (status, headers, _) = ask(path, &[]).await;
        assert_eq!(status, StatusCode::SEE_OTHER, "{path}");
        assert_eq!(headers[header::LOCATION], "/console/", "{path}");
    }
    let (status, headers, body) = ask("/console/", &[]).await;
    assert_eq!(status, StatusCode::OK);
    assert_eq!(headers[header::CONTENT_TYPE], "text/html; charset=utf-8");
    assert!(String::from_utf8_lossy(&body).contains("<title>Windlass</title>"));
}

#[tokio::test]
async fn every_file_comes_with_a_strict_policy_and_a_type() {
    for path in Assets::iter() {
        let (status, headers, body) = ask(&format!("/console/{path}"), &[]).await;
        assert_eq!(status, StatusCode::OK, "{path}");
        assert!(!body.is_empty(), "{path}");
        let policy = headers[header::CONTENT_SECURITY_POLICY].to_str().expect("text");
        assert!(policy.starts_with("default-src 'none'"), "{path}: {policy}");
        assert!(!policy.contains("unsafe"), "{path}: {policy}");
        assert_eq!(headers[header::X_CONTENT_TYPE_OPTIONS], "nosniff", "{path}");
        let kind = headers[header::CONTENT_TYPE].to_str().expect("text");
        let ending = path.rsplit('.').next().unwrap_or_default();
        let expected = if ending == "js" { "javascript" } else { ending };
        assert!(kind.contains(if ending == "txt" { "plain" } else { expected }), "{path}: {kind}");
    }
}

#[tokio::test]
async fn a_file_that_the_browser_has_is_not_sent_again() {
    let (_, headers, _) = ask("/console/app.js", &[]).await;
    let tag = headers[header::ETAG].to_str().expect("text").to_string();
    let known = [(header::IF_NONE_MATCH, tag.as_str())];
    let (status, headers, body) = ask("/console/app.js", &known).await;
    assert_eq!((status, body.len()), (StatusCode::NOT_MODIFIED, 0));
    assert_eq!(headers[header::CACHE_CONTROL], "no-cache");
    let (status, _, _) = ask("/console/app.js", &[(header::IF_NONE_MATCH, "W/\"other\"")]).await;
    assert_eq!(status, StatusCode::OK);
}

#[tokio::test]
async fn large_files_come_compressed_to_who_can_read_that() {
    let path = "/console/vendor/uPlot.iife.min.js";
    let (_, plain, whole) = ask(path, &[]).await;
    assert!(!plain.contains_key(header::CONTENT_ENCODING));
    let (_, headers, packed) = ask(path, &[(header::ACCEPT_ENCODING, "gzip")]).await;
    assert_eq!(headers[header::CONTENT_ENCODING], "gzip");
    assert!(packed.len() < whole.len() / 2, "{} of {}", packed.len(), whole.len());
}

#[tokio::test]
async fn what_is_not_there_is_refused_whatever_the_path_says() {
    for path in [
        "/console/missing.js",
        "/console/../mod.rs",
        "/console/..%2fmod.rs",
        "/console/%2e%2e%2fmod.rs",
        "/console//etc/passwd",
        "/console/vendor",
    ] {
        let (status, headers, _) = ask(path, &[]).await;
        assert_eq!(status, StatusCode::NOT_FOUND, "{path}");
        assert!(headers.contains_key(header::CONTENT_SECURITY_POLICY), "{path}");
    }
}

#[test]
fn the_vendored_chart_library_is_the_one_that_was_published() {
    for (path, sum) in [
        ("vendor/uPlot.iife.min.js", include_str!("uplot.sha256").lines().next()),
        ("vendor/uPlot.min.css", include_str!("uplot.sha256").lines().nth(1)),
    ] {
        let hash = Sha256::digest(text(path).as_bytes());
        let hex: String = hash.iter().map(|byte| format!("{byte:02x}")).collect();
        let name = path.trim_start_matches("vendor/");
        assert_eq!(sum, Some(format!("{hex}  {name}").as_str()), "{path}");
    }
    assert!(text("vendor/uPlot-LICENSE.txt").contains("MIT License"));
    assert!(text("vendor/uPlot.iife.min.js").contains("1.6.32"));
}

#[test]
fn no_page_or_script_of_ours_asks_anybody_else_or_makes_markup_of_data() {
    for path in Assets::iter().filter(|path| !path.starts_with("vendor/")) {
        let text = text(&path);
        for word in [
            "http://",
            "https://",
            "innerHTML",
            "outerHTML",
            "insertAdjacentHTML",
            "document.write",
            "eval(",
            "new Function",
            "style=",
            "onclick=",
            "localStorage",
        ] {
            let allowed = text.replace("http://www.w3.org/2000/svg", "");
            assert!(!allowed.contains(word), "{path} has {word}");
        }
    }
    let page = text("index.html");
    assert!(!page.contains("<style") && !page.contains("<script>"), "nothing is inline");
}

#[test]
fn every_script_that_is_named_is_there() {
    for path in Assets::iter().filter(|path| path.ends_with(".js") && !path.contains("vendor/")) {
        for line in text(&path).lines().filter(|line| line.contains(" from \"./")) {
            let name = line.rsplit(" from \"./").next().and_then(|rest| rest.split('"').next());
            let name = name.expect("a quoted name");
            assert!(Assets::get(name).is_some(), "{path} names {name}");
        }
    }
}
