//! Where a balancer's runtime API listens.

use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// A socket of HAProxy's runtime API: `unix:/run/haproxy/admin.sock` or `tcp:127.0.0.1:9999`.
///
/// TCP has neither encryption nor a password of its own: keep it on loopback or in a tunnel.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum RuntimeAddress {
    /// A Unix socket, by its absolute path.
    Unix(PathBuf),
    /// A TCP port.
    Tcp {
        /// A host name, an IPv4 address, or an IPv6 address without its brackets.
        host: String,
        /// The port; not 0.
        port: u16,
    },
}

impl FromStr for RuntimeAddress {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text.split_once(':') {
            Some(("unix", path)) => unix(text, path),
            Some(("tcp", rest)) => tcp(text, rest),
            _ => Err(problem(text, "it begins with neither `unix:` nor `tcp:`")),
        }
    }
}

fn unix(text: &str, path: &str) -> Result<RuntimeAddress, String> {
    if path.starts_with('/') && !path.ends_with('/') && !path.contains('\0') {
        return Ok(RuntimeAddress::Unix(PathBuf::from(path)));
    }
    Err(problem(text, "the socket's path must be absolute"))
}

fn tcp(text: &str, rest: &str) -> Result<RuntimeAddress, String> {
    let (host, port) = rest.rsplit_once(':').ok_or_else(|| problem(text, "the port is missing"))?;
    let port = match port.parse() {
        Ok(0) | Err(_) => return Err(problem(text, "the port must lie between 1 and 65535")),
        Ok(port) => port,
    };
    let bracketed = host.strip_prefix('[').and_then(|host| host.strip_suffix(']'));
    let host = bracketed.unwrap_or(host);
    let legal = |c: char| c.is_ascii_alphanumeric() || ".-_".contains(c);
    let is_ipv6 = bracketed.is_some() && host.parse::<std::net::Ipv6Addr>().is_ok();
    if is_ipv6 || (bracketed.is_none() && !host.is_empty() && host.chars().all(legal)) {
        return Ok(RuntimeAddress::Tcp { host: host.to_owned(), port });
    }
    Err(problem(text, "the host is neither a name nor an address (IPv6 in brackets)"))
}

fn problem(text: &str, what: &str) -> String {
    format!(
        "`{text}` is no address of a runtime API: {what}; write `unix:/run/haproxy/admin.sock` \
         or `tcp:127.0.0.1:9999`"
    )
}

impl fmt::Display for RuntimeAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unix(path) => write!(f, "unix:{}", path.display()),
            Self::Tcp { host, port } if host.contains(':') => write!(f, "tcp:[{host}]:{port}"),
            Self::Tcp { host, port } => write!(f, "tcp:{host}:{port}"),
        }
    }
}

impl TryFrom<String> for RuntimeAddress {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        text.parse()
    }
}

impl From<RuntimeAddress> for String {
    fn from(address: RuntimeAddress) -> String {
        address.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_reads_back_as_it_was_written() {
        for text in [
            "unix:/run/haproxy/admin.sock",
            "tcp:127.0.0.1:9999",
            "tcp:lb1.example.net:9999",
            "tcp:[::1]:9999",
        ] {
            assert_eq!(text.parse::<RuntimeAddress>().map(|a| a.to_string()), Ok(text.to_owned()));
        }
    }

    #[test]
    fn an_address_that_is_wrong_says_what_to_write() {
        for (text, what) in [
            ("/run/haproxy/admin.sock", "neither `unix:` nor `tcp:`"),
            ("http://lb1", "neither `unix:` nor `tcp:`"),
            ("unix:admin.sock", "absolute"),
            ("unix:", "absolute"),
            ("tcp:lb1", "port is missing"),
            ("tcp:lb1:0", "between 1 and 65535"),
            ("tcp:lb1:99999", "between 1 and 65535"),
            ("tcp::9999", "the host"),
            ("tcp:::1:9999", "the host"),
            ("tcp:[lb1]:9999", "the host"),
        ] {
            let error = text.parse::<RuntimeAddress>().expect_err(text);
            assert!(error.contains(what), "{text}: {error}");
            assert!(error.contains("write `unix:/run"), "{text}: {error}");
        }
    }

    proptest::proptest! {
        #[test]
        fn no_text_is_too_odd_to_be_refused(text in "(unix:|tcp:|)\\PC{0,40}") {
            if let Ok(address) = text.parse::<RuntimeAddress>() {
                proptest::prop_assert_eq!(address.to_string().parse(), Ok(address));
            }
        }
    }
}
