//! Browsers, which send requests that nobody at them asked for.
//!
//! In: a request.
//! Out: whether another site made a browser send it.
//! Never: trusts that what comes from this machine was meant by somebody at it.
//!
//! Two ways lead a web page to a daemon on loopback that asks for no token. It may send a request
//! across sites: tower-http's check of `Sec-Fetch-Site` and `Origin` refuses those that change
//! something. Or its own name may suddenly point to 127.0.0.1 (DNS rebinding): then the page is of
//! the "same site", and only the name in `Host` gives it away.

use std::net::IpAddr;

use axum::http::request::Parts;
use axum::http::uri::Authority;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use tower_http::csrf::{CsrfLayer, ProtectionError};

use crate::api::problem::Problem;

/// Refuses requests that change something and come from a page of another site.
pub(crate) fn same_site() -> CsrfLayer<impl Fn(ProtectionError) -> Response + Clone> {
    CsrfLayer::new().with_rejection_response(|_| {
        let detail = "a page of another site sent this request; only the console's own may";
        Problem::of_status(StatusCode::FORBIDDEN, detail).into_response()
    })
}

/// Refuses a request whose `Host` is a name that is neither this machine's own nor among `known`.
///
/// An address is always good: rebinding takes a name.
pub(super) fn check_host(head: &Parts, known: &[String]) -> Result<(), Problem> {
    let mut hosts = head.headers.get_all(header::HOST).into_iter();
    let (first, second) = (hosts.next(), hosts.next());
    let host = match (head.uri.authority(), first) {
        (Some(authority), _) => Some(authority.clone()),
        (None, Some(host)) => match host.to_str().ok().and_then(|host| host.parse().ok()) {
            Some(authority) => Some(authority),
            None => return Err(Problem::bad_request("`Host` is no host")),
        },
        (None, None) => None,
    };
    if second.is_some() {
        return Err(Problem::bad_request("there is more than one `Host`"));
    }
    // Browsers always name one; whoever doesn't is none.
    let Some(host) = host else { return Ok(()) };
    if is_known(&host, known) {
        return Ok(());
    }
    let detail = "this daemon asks for no token, so it answers only to names of this machine; ask \
                  by 127.0.0.1 or localhost, or list the name in `api.hosts` of the settings";
    Err(Problem::of_status(StatusCode::FORBIDDEN, detail))
}

fn is_known(host: &Authority, known: &[String]) -> bool {
    let host = host.host().trim_matches(['[', ']']).trim_end_matches('.').to_ascii_lowercase();
    host.parse::<IpAddr>().is_ok()
        || host == "localhost"
        || host.ends_with(".localhost")
        || known.contains(&host)
}

#[cfg(test)]
mod tests {
    use axum::http::Request;
    use axum::http::request::Builder;

    use super::*;

    fn head(request: Builder) -> Parts {
        request.body(()).expect("a request").into_parts().0
    }

    #[test]
    fn only_addresses_and_names_of_this_machine_are_hosts() {
        let known = ["windlass.example".to_owned()];
        let asked = |host: &str| {
            check_host(&head(Request::get("/").header(header::HOST, host)), &known)
                .map_err(|problem| problem.status)
        };
        for good in [
            "localhost",
            "LOCALHOST:8377",
            "127.0.0.1:8377",
            "[::1]:8377",
            "10.0.0.1",
            "windlass.example:1",
            "console.localhost",
            "localhost.",
        ] {
            assert_eq!(asked(good), Ok(()), "{good}");
        }
        for bad in [
            "evil.example",
            "localhost.evil.example",
            "127.0.0.1.evil.example:8377",
            "evil-localhost",
            "windlass.example.evil",
        ] {
            assert_eq!(asked(bad), Err(403), "{bad}");
        }
        assert_eq!(asked("a b"), Err(400));
        let two = Request::get("/").header("host", "localhost").header("host", "evil.example");
        assert!(check_host(&head(two), &known).is_err());
        assert!(check_host(&head(Request::get("/")), &known).is_ok());
        let absolute = Request::get("http://evil.example/").header("host", "localhost");
        assert!(check_host(&head(absolute), &known).is_err());
    }
}
