//! Requests: origins that answer them, and clients that send them and note every failure.

use std::collections::BTreeMap;
use std::net::SocketAddrV4;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpSocket, TcpStream, UnixStream};
use tokio::task::{AbortHandle, JoinSet};
use tokio_util::sync::CancellationToken;

/// How long an origin takes for a request: long enough that some are always under way.
const WORK: Duration = Duration::from_millis(8);

/// An address that is held but refuses connections: a machine that is still booting.
pub struct Booting {
    socket: TcpSocket,
    pub address: SocketAddrV4,
}

impl Booting {
    pub fn new() -> Self {
        let socket = TcpSocket::new_v4().expect("a socket");
        socket.bind("127.0.0.1:0".parse().expect("an address")).expect("a free port");
        let std::net::SocketAddr::V4(address) = socket.local_addr().expect("it is bound") else {
            unreachable!("it was bound to IPv4")
        };
        Self { socket, address }
    }

    /// From now on it serves.
    pub fn finish(self) -> Origin {
        let listener = self.socket.listen(1024).expect("it listens");
        let served = Arc::new(AtomicU64::new(0));
        let hanging = Arc::new(AtomicU64::new(0));
        let task = tokio::spawn(serve(listener, served.clone(), hanging.clone()));
        Origin { address: self.address, served, hanging, task: task.abort_handle() }
    }
}

/// A small application: `/healthz` at once, `/hang` never, all else after a moment.
pub struct Origin {
    pub address: SocketAddrV4,
    served: Arc<AtomicU64>,
    hanging: Arc<AtomicU64>,
    task: AbortHandle,
}

impl Origin {
    pub fn start() -> Self {
        Booting::new().finish()
    }

    /// Requests answered, health checks not counted.
    pub fn served(&self) -> u64 {
        self.served.load(Ordering::SeqCst)
    }

    /// Requests that hang.
    pub fn hanging(&self) -> u64 {
        self.hanging.load(Ordering::SeqCst)
    }
}

impl Drop for Origin {
    /// As a deleted machine goes: at once, with all its connections.
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn serve(listener: TcpListener, served: Arc<AtomicU64>, hanging: Arc<AtomicU64>) {
    let mut connections = JoinSet::new();
    while let Ok((stream, _)) = listener.accept().await {
        connections.spawn(converse(stream, served.clone(), hanging.clone()));
        while connections.try_join_next().is_some() {}
    }
}

async fn converse(mut stream: TcpStream, served: Arc<AtomicU64>, hanging: Arc<AtomicU64>) {
    let _ = stream.set_nodelay(true);
    let mut head = Vec::new();
    loop {
        match stream.read_buf(&mut head).await {
            Ok(0) | Err(_) => return,
            Ok(_) => {}
        }
        while let Some(end) = head.windows(4).position(|bytes| bytes == b"\r\n\r\n") {
            let request: Vec<u8> = head.drain(..end + 4).collect();
            if request.starts_with(b"GET /hang") {
                hanging.fetch_add(1, Ordering::SeqCst);
                return std::future::pending().await;
            }
            if !request.starts_with(b"GET /healthz") && !request.starts_with(b"OPTIONS") {
                tokio::time::sleep(WORK).await;
                served.fetch_add(1, Ordering::SeqCst);
            }
            let answer = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok";
            if stream.write_all(answer).await.is_err() {
                return;
            }
        }
    }
}

/// Clients that send one request after another until they are told to stop.
pub struct Load {
    stop: CancellationToken,
    answered: Arc<AtomicU64>,
    clients: JoinSet<Vec<String>>,
}

impl Load {
    /// Begins. Half of the clients keep their connections.
    pub fn start(front: PathBuf) -> Self {
        let stop = CancellationToken::new();
        let answered = Arc::new(AtomicU64::new(0));
        let mut clients = JoinSet::new();
        for index in 0..8 {
            let (stop, answered, front) = (stop.clone(), answered.clone(), front.clone());
            let keep = if index % 2 == 0 { Keep::Connection } else { Keep::Nothing };
            clients.spawn(async move { client(front, keep, stop, answered).await });
        }
        Self { stop, answered, clients }
    }

    /// Requests answered with 200 up to now.
    pub fn answered(&self) -> u64 {
        self.answered.load(Ordering::SeqCst)
    }

    /// Ends, and tells how often each kind of failure was met.
    pub async fn finish(self) -> BTreeMap<String, u32> {
        self.stop.cancel();
        let mut failures = BTreeMap::new();
        for failure in self.clients.join_all().await.concat() {
            *failures.entry(failure).or_default() += 1;
        }
        failures
    }
}

#[derive(Clone, Copy, PartialEq)]
enum Keep {
    Connection,
    Nothing,
}

async fn client(
    front: PathBuf,
    keep: Keep,
    stop: CancellationToken,
    answered: Arc<AtomicU64>,
) -> Vec<String> {
    let mut failures = Vec::new();
    let mut kept: Option<UnixStream> = None;
    // Bounded: a test that forgets to stop it ends all the same.
    for _ in 0..20_000 {
        if stop.is_cancelled() {
            break;
        }
        let outcome = match kept.take() {
            // A server may close a kept connection at any time; then a client asks again.
            Some(stream) => match request(stream, "/work").await {
                Err(failure) if failure.contains("before any answer") => fresh(&front).await,
                outcome => outcome,
            },
            None => fresh(&front).await,
        };
        match outcome {
            Ok((200, stream)) => {
                answered.fetch_add(1, Ordering::SeqCst);
                kept = (keep == Keep::Connection).then_some(stream);
            }
            Ok((status, _)) => failures.push(format!("status {status}")),
            Err(failure) => failures.push(failure),
        }
    }
    failures
}

async fn fresh(front: &PathBuf) -> Result<(u16, UnixStream), String> {
    let stream = UnixStream::connect(front).await.map_err(|error| format!("connect: {error}"))?;
    request(stream, "/work").await
}

/// One request on a connection of its own; its status.
pub async fn ask(front: PathBuf, path: &str) -> Result<u16, String> {
    let stream = UnixStream::connect(front).await.map_err(|error| format!("connect: {error}"))?;
    request(stream, path).await.map(|(status, _)| status)
}

async fn request(mut stream: UnixStream, path: &str) -> Result<(u16, UnixStream), String> {
    let head = format!("GET {path} HTTP/1.1\r\nhost: lab\r\n\r\n");
    let lost = |error: std::io::Error| format!("closed before any answer: {error}");
    stream.write_all(head.as_bytes()).await.map_err(lost)?;
    let mut answer = Vec::new();
    // Each of our answers ends in an empty line and two letters; HAProxy's own in a tag.
    while !answer.ends_with(b"\r\n\r\nok") && !answer.ends_with(b"</html>\n") {
        match stream.read_buf(&mut answer).await {
            Ok(0) if answer.is_empty() => return Err("closed before any answer".into()),
            Ok(0) => return Err("closed within an answer".into()),
            Err(error) if answer.is_empty() => return Err(lost(error)),
            Err(error) => return Err(format!("broke within an answer: {error}")),
            Ok(_) => {}
        }
    }
    let status = answer.get(9..12).and_then(|digits| std::str::from_utf8(digits).ok());
    let status = status.and_then(|digits| digits.parse().ok());
    status.map(|status| (status, stream)).ok_or_else(|| "no status".into())
}
