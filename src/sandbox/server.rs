//! The socket: accepting connections that can be cut without an answer.
//!
//! In: a bound listener.
//! Out: requests for the gate.
//! Never: speaks TLS or HTTP/2.

use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use axum::Router;
use axum::extract::connect_info::Connected;
use axum::serve::{IncomingStream, Listener};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpStream};

use super::gate;
use super::shared::Shared;

/// The listening socket.
pub struct Doors(pub TcpListener);

/// One connection.
pub struct Line {
    stream: TcpStream,
    cut: Arc<AtomicBool>,
}

/// Who is at the other end, and the means to hang up.
#[derive(Clone, Debug)]
pub struct Peer {
    remote: SocketAddr,
    local: Option<SocketAddr>,
    cut: Arc<AtomicBool>,
}

impl Peer {
    /// Lets the connection end before the answer is written.
    pub fn cut(&self) {
        self.cut.store(true, Ordering::Release);
    }

    /// Whether the other end is on this machine.
    pub fn is_local(&self) -> bool {
        let own = self.local.map(|local| local.ip());
        self.remote.ip().is_loopback() || own == Some(self.remote.ip())
    }
}

impl Connected<IncomingStream<'_, Doors>> for Peer {
    fn connect_info(stream: IncomingStream<'_, Doors>) -> Self {
        let line = stream.io();
        Self {
            remote: *stream.remote_addr(),
            local: line.stream.local_addr().ok(),
            cut: line.cut.clone(),
        }
    }
}

impl Listener for Doors {
    type Io = Line;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (Line, SocketAddr) {
        loop {
            match self.0.accept().await {
                Ok((stream, remote)) => {
                    // Answers are small; waiting to fill a packet only adds to their time.
                    let _ = stream.set_nodelay(true);
                    return (Line { stream, cut: Arc::default() }, remote);
                }
                Err(error) => {
                    tracing::warn!(%error, "cannot accept a connection");
                    // Out of file descriptors, most likely: a hot loop would not free one.
                    tokio::time::sleep(Duration::from_millis(100)).await;
                }
            }
        }
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        self.0.local_addr()
    }
}

impl Line {
    fn check(&self) -> io::Result<()> {
        if self.cut.load(Ordering::Acquire) {
            return Err(io::ErrorKind::ConnectionAborted.into());
        }
        Ok(())
    }
}

impl AsyncRead for Line {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        self.check()?;
        Pin::new(&mut self.stream).poll_read(context, buffer)
    }
}

impl AsyncWrite for Line {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.check()?;
        Pin::new(&mut self.stream).poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.check()?;
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}

/// Serves until the sandbox is shut down.
pub async fn serve(doors: Doors, shared: Arc<Shared>) -> io::Result<()> {
    let shutdown = shared.shutdown.clone();
    let router = Router::new().fallback(gate::answer).with_state(shared);
    axum::serve(doors, router.into_make_service_with_connect_info::<Peer>())
        .with_graceful_shutdown(shutdown.cancelled_owned())
        .await
}
