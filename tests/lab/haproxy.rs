//! What a balancer itself says of its servers, asked over its runtime API.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use crate::wait::Look;

/// A slot that is in use.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Server {
    /// Where it sends requests.
    pub address: String,
    /// Told to take requests, and up.
    pub is_serving: bool,
    /// Told to take no more requests.
    pub is_draining: bool,
}

/// In maintenance by any cause.
const MAINTENANCE: u32 = 0x23;
/// Draining by any cause.
const DRAIN: u32 = 0x18;
/// Up, checks passed.
const RUNNING: &str = "2";

/// The slots in use on `balancer`.
pub fn servers(balancer: &str) -> Look<Vec<Server>> {
    let answer = ask(balancer, "show servers state notifications")?;
    let rows = answer.lines().skip(2).map(|line| line.split(' ').collect::<Vec<_>>());
    let rows = rows.filter(|row| 20 < row.len() && row[4] != "127.0.0.1");
    let server = |row: Vec<&str>| {
        let admin: u32 = row[6].parse().map_err(|_| format!("no admin state: {row:?}"))?;
        Ok(Server {
            address: row[4].to_owned(),
            is_serving: admin & (MAINTENANCE | DRAIN) == 0 && row[5] == RUNNING,
            is_draining: admin & DRAIN != 0,
        })
    };
    rows.map(server).collect()
}

/// The addresses that `balancer` sends requests to, in order.
pub fn serving(balancer: &str) -> Look<Vec<String>> {
    let servers = servers(balancer)?.into_iter().filter(|server| server.is_serving);
    let mut addresses: Vec<_> = servers.map(|server| server.address).collect();
    addresses.sort();
    Ok(addresses)
}

/// The number of the process that answers for `balancer`.
pub fn process(balancer: &str) -> Look<u32> {
    let answer = ask(balancer, "show info")?;
    let pid = answer.lines().find_map(|line| line.strip_prefix("Pid: ")?.trim().parse().ok());
    pid.ok_or_else(|| format!("{balancer} says no process number: {answer}"))
}

fn ask(balancer: &str, command: &str) -> Look<String> {
    let address = if balancer == "lb1" { "10.77.0.3:9999" } else { "10.77.0.4:9999" };
    let talk = || -> std::io::Result<String> {
        let mut stream = TcpStream::connect(address)?;
        stream.set_read_timeout(Some(Duration::from_secs(2)))?;
        writeln!(stream, "{command}")?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer)?;
        Ok(answer)
    };
    talk().map_err(|error| format!("{balancer}: {error}"))
}
