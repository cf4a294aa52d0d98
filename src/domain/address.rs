//! Addresses on the VLAN: blocks and ranges, nothing handed out here.

use std::fmt;
use std::net::Ipv4Addr;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// An IPv4 block such as `10.10.0.0/24`; the address is the block's first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct CidrBlock {
    network: Ipv4Addr,
    prefix: u8,
}

impl CidrBlock {
    /// The length of the network part, in bits.
    pub fn prefix(self) -> u8 {
        self.prefix
    }

    /// Every address a host may have, in order: without the network's and the broadcast address.
    pub fn hosts(self) -> impl Iterator<Item = Ipv4Addr> {
        let first = u32::from(self.network);
        let size = 1u64 << (32 - self.prefix);
        (1..size.saturating_sub(1)).map(move |offset| Ipv4Addr::from(first + offset as u32))
    }

    /// The first address a host may have.
    pub fn first_host(self) -> Ipv4Addr {
        Ipv4Addr::from(u32::from(self.network) + 1)
    }

    /// The last address a host may have, the one before the broadcast address.
    pub fn last_host(self) -> Ipv4Addr {
        Ipv4Addr::from(u32::from(self.network) + (u32::MAX >> self.prefix) - 1)
    }

    /// Whether `address` lies in this block.
    pub fn contains(self, address: Ipv4Addr) -> bool {
        let mask = u32::MAX << (32 - self.prefix);
        u32::from(address) & mask == u32::from(self.network)
    }
}

impl FromStr for CidrBlock {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let problem = || format!("`{text}` is no block of IPv4 addresses such as 10.10.0.0/24");
        let (network, prefix) = text.split_once('/').ok_or_else(problem)?;
        let network: Ipv4Addr = network.parse().map_err(|_| problem())?;
        let prefix: u8 = prefix.parse().map_err(|_| problem())?;
        if !(8..=30).contains(&prefix) {
            return Err(format!("`{text}`: the prefix must lie between /8 and /30"));
        }
        let block = Self { network, prefix };
        if !block.contains(network) {
            let first = Ipv4Addr::from(u32::from(network) & (u32::MAX << (32 - prefix)));
            return Err(format!("`{text}` begins inside a block; write {first}/{prefix}"));
        }
        Ok(block)
    }
}

impl TryFrom<String> for CidrBlock {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        text.parse()
    }
}

impl From<CidrBlock> for String {
    fn from(block: CidrBlock) -> String {
        block.to_string()
    }
}

impl fmt::Display for CidrBlock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.network, self.prefix)
    }
}

/// One address, or `first-last`, both included.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct AddressRange {
    first: Ipv4Addr,
    last: Ipv4Addr,
}

impl AddressRange {
    /// The first address.
    pub fn first(self) -> Ipv4Addr {
        self.first
    }

    /// The last address, itself included.
    pub fn last(self) -> Ipv4Addr {
        self.last
    }

    /// Whether `address` lies in this range.
    pub fn contains(self, address: Ipv4Addr) -> bool {
        (self.first..=self.last).contains(&address)
    }
}

impl FromStr for AddressRange {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (first, last) = text.split_once('-').unwrap_or((text, text));
        let parse = |part: &str| {
            part.trim().parse::<Ipv4Addr>().map_err(|_| {
                format!("`{text}` is no IPv4 address or range such as 10.10.0.1-10.10.0.19")
            })
        };
        let (first, last) = (parse(first)?, parse(last)?);
        if last < first {
            return Err(format!("`{text}` ends before it begins"));
        }
        Ok(Self { first, last })
    }
}

impl TryFrom<String> for AddressRange {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        text.parse()
    }
}

impl From<AddressRange> for String {
    fn from(range: AddressRange) -> String {
        if range.first == range.last {
            return range.first.to_string();
        }
        format!("{}-{}", range.first, range.last)
    }
}
