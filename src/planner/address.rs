//! Which VLAN address a new node gets.
//!
//! There is no address management on Linode's VLANs: the API accepts one address twice. Our
//! store is the truth, and an address is held from the plan until its deletion is proven. A
//! freed one rests: neighbours go on sending to the old machine for up to 40 s (measured: ARP
//! entries stay REACHABLE for 30 s, then are probed).

use std::collections::BTreeMap;
use std::net::Ipv4Addr;

use crate::domain::{Timestamp, after};
use crate::policy::Vlan;

/// What is known of one address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AddressUse {
    /// A node has it.
    Held,
    /// The last node that had it is gone since then.
    FreedAt(Timestamp),
}

/// The address for a new node: one never used, else the one that rests longest, and none that
/// is held, reserved, or freed less than the quarantine ago.
pub fn free_address(
    vlan: &Vlan,
    used: &BTreeMap<Ipv4Addr, AddressUse>,
    now: Timestamp,
) -> Option<Ipv4Addr> {
    let allowed = |address: &Ipv4Addr| !vlan.reserve.iter().any(|range| range.contains(*address));
    let mut oldest: Option<(Timestamp, Ipv4Addr)> = None;
    for address in vlan.cidr.hosts().filter(allowed) {
        match used.get(&address) {
            None => return Some(address),
            Some(AddressUse::Held) => {}
            Some(AddressUse::FreedAt(freed)) => {
                let rested = after(*freed, vlan.quarantine) <= now;
                if rested && oldest.is_none_or(|best| (*freed, address) < best) {
                    oldest = Some((*freed, address));
                }
            }
        }
    }
    oldest.map(|(_, address)| address)
}
