//! One line to the runtime API, and its whole answer.
//!
//! In: an address and a command line.
//! Out: all that HAProxy says until it closes the connection.
//! Never: more than one line on a connection: from version 3.0 the second would be dropped, and
//! end of file is the only frame that every version keeps.

use std::io;
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpStream, UnixStream};
use tokio::time::timeout;

use super::address::RuntimeAddress;

/// How long one exchange may take. A healthy HAProxy answers in well under 100 ms, even with
/// thousands of servers; one that needs two seconds is stuck, and others wait for our turn.
const LIMIT: Duration = Duration::from_secs(2);

/// The largest answer taken. 5,000 servers make 1.5 MB of statistics.
const LARGEST: u64 = 32 * 1024 * 1024;

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub(super) enum ExchangeError {
    /// The socket could not be opened.
    #[error("its runtime API can't be reached")]
    Connect(#[source] io::Error),
    /// The connection broke.
    #[error("the connection to its runtime API broke")]
    Broken(#[source] io::Error),
    /// Nothing, or not all, came in time.
    #[error("its runtime API did not answer within {} s", LIMIT.as_secs())]
    TimedOut,
    /// The answer had no end.
    #[error("its answer is larger than {} MiB", LARGEST >> 20)]
    TooLarge,
}

/// Sends `line` and reads the answer to its end. Bytes that aren't UTF-8 are replaced.
pub(super) async fn exchange(
    address: &RuntimeAddress,
    line: &str,
) -> Result<String, ExchangeError> {
    timeout(LIMIT, exchange_slowly(address, line)).await.map_err(|_| ExchangeError::TimedOut)?
}

async fn exchange_slowly(address: &RuntimeAddress, line: &str) -> Result<String, ExchangeError> {
    match address {
        RuntimeAddress::Unix(path) => {
            let stream = UnixStream::connect(path).await.map_err(ExchangeError::Connect)?;
            converse(stream, line).await
        }
        RuntimeAddress::Tcp { host, port } => {
            let stream = TcpStream::connect((host.as_str(), *port)).await;
            converse(stream.map_err(ExchangeError::Connect)?, line).await
        }
    }
}

pub(super) async fn converse<S>(mut stream: S, line: &str) -> Result<String, ExchangeError>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    debug_assert!(!line.contains('\n'), "one line a connection");
    // In one write, and the sending side stays open: without the line's end nothing runs, and
    // some 3.x drop the rest of a chain when the client closes early.
    stream.write_all(format!("{line}\n").as_bytes()).await.map_err(ExchangeError::Broken)?;
    let mut answer = Vec::new();
    let mut limited = stream.take(LARGEST + 1);
    limited.read_to_end(&mut answer).await.map_err(ExchangeError::Broken)?;
    if LARGEST < answer.len() as u64 {
        return Err(ExchangeError::TooLarge);
    }
    Ok(String::from_utf8_lossy(&answer).into_owned())
}
