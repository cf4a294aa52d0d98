//! One balancer as a phone sees it: HTTP/1.1 over connections that are kept.

use std::cell::RefCell;
use std::net::SocketAddr;

use anyhow::{Context, bail};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;

const REQUEST: &[u8] = b"GET /notifications HTTP/1.1\r\nHost: notifications\r\n\r\n";

/// A balancer, and the connections to it that wait for their next request.
pub struct Target {
    /// Where it listens.
    pub address: SocketAddr,
    idle: RefCell<Vec<BufReader<TcpStream>>>,
}

impl Target {
    /// No connection is made yet.
    pub fn new(address: SocketAddr) -> Self {
        Self { address, idle: RefCell::default() }
    }

    /// Sends one request and answers which node served it; anything but status 200 is an error.
    ///
    /// A kept connection that the balancer has closed meanwhile is no failure: the next one is
    /// taken, as every HTTP client does. On a new connection there is no second try.
    pub async fn ask(&self) -> anyhow::Result<String> {
        loop {
            let kept = self.idle.borrow_mut().pop();
            let is_kept = kept.is_some();
            let mut connection = match kept {
                Some(connection) => connection,
                None => BufReader::new(TcpStream::connect(self.address).await.context("connect")?),
            };
            let mut status = String::new();
            let sent = connection.get_mut().write_all(REQUEST).await;
            if sent.is_err() || !matches!(connection.read_line(&mut status).await, Ok(1..)) {
                if is_kept {
                    continue;
                }
                bail!("the balancer closed a new connection without an answer");
            }
            let body = read_body(&mut connection).await.with_context(|| status.clone())?;
            self.idle.borrow_mut().push(connection);
            if status.split(' ').nth(1) != Some("200") {
                bail!("{}", status.trim_end());
            }
            let body: serde_json::Value = serde_json::from_slice(&body).context("the body")?;
            return Ok(body["node"].as_str().context("the body names no node")?.to_owned());
        }
    }
}

async fn read_body(connection: &mut BufReader<TcpStream>) -> anyhow::Result<Vec<u8>> {
    let mut length = 0;
    loop {
        let mut line = String::new();
        if connection.read_line(&mut line).await? == 0 {
            bail!("cut off inside the headers");
        }
        if line.trim_end().is_empty() {
            break;
        }
        if let Some(value) = line.to_ascii_lowercase().strip_prefix("content-length:") {
            length = value.trim().parse()?;
        }
    }
    let mut body = vec![0; length];
    connection.read_exact(&mut body).await.context("cut off inside the body")?;
    Ok(body)
}
