//! The listening socket: plain or TLS, with limits on what a connection may take.
//!
//! In: a bound listener, what to answer from, and when to stop.
//! Out: answers, until then; requests under way may end.
//! Never: waits for ever: not for a request's head, and not for the last answer at the end.

use std::net::SocketAddr;
use std::time::Duration;

use axum_server::{Handle, Server};
use hyper_util::rt::TokioTimer;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use super::certificate::Certificate;
use super::{Sources, events, router};

/// A request's head is here by then, or the connection is closed. The same for a TLS handshake.
const HEAD_WITHIN: Duration = Duration::from_secs(10);

/// The largest head of a request, in bytes, and its number of headers: a token is short.
const LARGEST_HEAD: usize = 16 * 1024;
const MOST_HEADERS: usize = 64;

/// Streams of one HTTP/2 connection at once: a console needs few.
const MOST_STREAMS: u32 = 64;

/// Answers that are not at their end by then are cut: a supervisor would kill us soon after.
const END_WITHIN: Duration = Duration::from_secs(10);

/// Answers until `stop`; requests under way may end.
pub async fn serve(
    listener: TcpListener,
    sources: Sources,
    certificate: Option<&Certificate>,
    stop: CancellationToken,
) -> std::io::Result<()> {
    let handle = Handle::new();
    let following = events::follow(&sources, &stop);
    let routes = router(sources.clone()).into_make_service_with_connect_info::<SocketAddr>();
    let listener = listener.into_std()?;
    let serving = async {
        match certificate {
            None => {
                let server = axum_server::from_tcp(listener)?.handle(handle.clone());
                limited(server).serve(routes).await
            }
            Some(certificate) => {
                let server = axum_server::from_tcp_rustls(listener, certificate.config())?;
                limited(server.handle(handle.clone())).serve(routes).await
            }
        }
    };
    let mut serving = std::pin::pin!(serving);
    tokio::select! {
        ended = &mut serving => return ended,
        _ = async { tokio::join!(following, stop.cancelled()) } => {
            handle.graceful_shutdown(Some(END_WITHIN));
        }
    }
    serving.await
}

fn limited<A>(mut server: Server<SocketAddr, A>) -> Server<SocketAddr, A> {
    let builder = server.http_builder();
    builder
        .http1()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD_WITHIN)
        .max_buf_size(LARGEST_HEAD)
        .max_headers(MOST_HEADERS);
    builder
        .http2()
        .timer(TokioTimer::new())
        .keep_alive_interval(HEAD_WITHIN)
        .max_header_list_size(LARGEST_HEAD as u32)
        .max_concurrent_streams(MOST_STREAMS);
    server
}
