//! Where a socket of HAProxy listens, as written in the settings.

use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;

/// `unix:/run/haproxy/admin.sock` or `tcp:127.0.0.1:9999`; displays as it is written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Endpoint {
    /// A Unix socket, by its absolute path.
    Unix(PathBuf),
    /// `host:port`; IPv6 addresses in brackets.
    Tcp(String),
}

/// The longest path that Linux takes for a socket, in bytes. Source: `unix(7)`, `sun_path`.
const LONGEST_SOCKET_PATH: usize = 107;

impl FromStr for Endpoint {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if let Some(path) = text.strip_prefix("unix:") {
            if !path.starts_with('/') {
                return Err(format!("`{text}`: the socket's path must begin with `/`"));
            }
            if LONGEST_SOCKET_PATH < path.len() {
                return Err(format!(
                    "`{text}`: a socket's path has {LONGEST_SOCKET_PATH} bytes at most"
                ));
            }
            return Ok(Self::Unix(path.into()));
        }
        if let Some(place) = text.strip_prefix("tcp:") {
            let (host, port) =
                place.rsplit_once(':').ok_or_else(|| format!("`{text}`: the port is missing"))?;
            let bracketed = host.strip_prefix('[').and_then(|host| host.strip_suffix(']'));
            let legal = |c: char| c.is_ascii_alphanumeric() || "._-".contains(c);
            let is_host = match bracketed {
                Some(address) => address.parse::<std::net::Ipv6Addr>().is_ok(),
                None => !host.is_empty() && host.chars().all(legal),
            };
            if !is_host {
                return Err(format!("`{text}`: the host is missing or no host's name"));
            }
            if !port.parse::<u16>().is_ok_and(|port| port != 0) {
                return Err(format!("`{text}`: the port must lie between 1 and 65535"));
            }
            return Ok(Self::Tcp(place.to_owned()));
        }
        Err(format!("`{text}` begins with neither `unix:` nor `tcp:`"))
    }
}

impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unix(path) => write!(f, "unix:{}", path.display()),
            Self::Tcp(place) => write!(f, "tcp:{place}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_endpoint_displays_as_it_was_written_and_a_wrong_one_is_refused() {
        for text in ["unix:/run/haproxy/admin.sock", "tcp:lb1:9999", "tcp:[::1]:9999"] {
            assert_eq!(text.parse::<Endpoint>().map(|e| e.to_string()), Ok(text.to_owned()));
        }
        let long = format!("unix:/{}", "x".repeat(200));
        for text in
            ["", "/run/x", "unix:run/x", &long, "tcp:x", "tcp::1", "tcp:x:0", "tcp:::1:99", "x:1"]
        {
            assert!(text.parse::<Endpoint>().is_err(), "{text}");
        }
    }
}
