//! Everything that the sandbox remembers: one account.
//!
//! In: changes by handlers, jobs and faults.
//! Out: look-ups; the state file is this struct as JSON.
//! Never: reads a clock; never gives out an id twice.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::net::{Ipv4Addr, Ipv6Addr};
use std::time::Duration;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::errors::Refusal;
use super::events::Event;
use super::firewalls::Firewall;
use super::instance::Instance;
use super::locks::Lock;
use super::placement::PlacementGroup;

// Ids of the live API had this many digits when they were recorded, so programs that keep them
// in 32 bits meet realistic ones.
const FIRST_ID: u64 = 97_900_001;

/// One account.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct World {
    next_id: u64,
    pub instances: BTreeMap<u64, Instance>,
    /// Oldest first.
    pub events: VecDeque<Event>,
    pub vlans: Vec<Vlan>,
    /// Tags in use or made by hand.
    pub tags: BTreeSet<String>,
    pub firewalls: BTreeMap<u64, Firewall>,
    pub placement_groups: BTreeMap<u64, PlacementGroup>,
    pub locks: BTreeMap<u64, Lock>,
    pub counts: Counts,
    /// Instances that vanished, whose bodies the delete hook has yet to take away.
    pub ghosts: BTreeMap<u64, Instance>,
}

/// How many instances there were.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counts {
    /// Made since the account exists.
    pub ever: u64,
    /// Most at the same moment.
    pub at_most: u64,
}

/// A VLAN: it comes with the first interface that names it.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Vlan {
    pub label: String,
    pub region: String,
    pub created: Timestamp,
    /// Since when nothing is attached.
    pub empty_since: Option<Timestamp>,
}

/// How long a VLAN outlives its last interface, in real life: "some time", says the document.
const VLAN_LINGERS: Duration = Duration::from_secs(60);

impl World {
    /// A fresh account with one firewall, number 4711, that a create can name.
    pub fn new(now: Timestamp) -> Self {
        let firewall = Firewall::preset(now);
        Self {
            next_id: FIRST_ID,
            instances: BTreeMap::new(),
            events: VecDeque::new(),
            vlans: Vec::new(),
            tags: BTreeSet::new(),
            firewalls: BTreeMap::from([(firewall.id, firewall)]),
            placement_groups: BTreeMap::new(),
            locks: BTreeMap::new(),
            counts: Counts::default(),
            ghosts: BTreeMap::new(),
        }
    }

    /// An id that nothing ever had.
    pub fn next_id(&mut self) -> u64 {
        let id = self.next_id;
        self.next_id += 1;
        id
    }

    /// The instance, or 404.
    pub fn instance(&self, id: u64) -> Result<&Instance, Refusal> {
        self.instances.get(&id).ok_or_else(Refusal::not_found)
    }

    /// The instance to change, or 404.
    pub fn instance_mut(&mut self, id: u64) -> Result<&mut Instance, Refusal> {
        self.instances.get_mut(&id).ok_or_else(Refusal::not_found)
    }

    /// Takes a new instance in, with its VLANs and tags.
    pub fn admit(&mut self, now: Timestamp, instance: Instance) {
        self.tags.extend(instance.tags.iter().cloned());
        self.instances.insert(instance.id, instance);
        self.counts.ever += 1;
        self.counts.at_most = self.counts.at_most.max(self.instances.len() as u64);
        self.settle_vlans(now);
    }

    /// Forgets an instance and whatever points at it.
    pub fn remove_instance(&mut self, now: Timestamp, id: u64) -> Option<Instance> {
        let gone = self.instances.remove(&id)?;
        self.firewalls.values_mut().for_each(|firewall| firewall.detach_linode(id));
        self.locks.retain(|_, lock| lock.linode != id);
        self.settle_vlans(now);
        Some(gone)
    }

    /// Lets an instance disappear without job or event; only a hook will know of it.
    pub fn vanish(&mut self, now: Timestamp, id: u64, pace: &super::jobs::Pace) -> Option<String> {
        let gone = self.remove_instance(now, id)?;
        let label = gone.label.clone();
        if pace.has_delete_hook {
            self.ghosts.insert(id, gone);
        }
        Some(label)
    }

    /// Ids of the instances attached to a VLAN.
    pub fn attached(&self, region: &str, label: &str) -> Vec<u64> {
        let on_it = |instance: &&Instance| {
            instance.region == region && instance.vlans().any(|(name, _)| name == label)
        };
        self.instances.values().filter(on_it).map(|instance| instance.id).collect()
    }

    /// Lets VLANs appear with interfaces that name them, and notes which are empty.
    pub fn settle_vlans(&mut self, now: Timestamp) {
        let used: BTreeSet<(String, String)> = self
            .instances
            .values()
            .flat_map(|one| one.vlans().map(|(label, _)| (one.region.clone(), label.to_owned())))
            .collect();
        for vlan in &mut self.vlans {
            let in_use = used.contains(&(vlan.region.clone(), vlan.label.clone()));
            vlan.empty_since = if in_use { None } else { Some(vlan.empty_since.unwrap_or(now)) };
        }
        for (region, label) in used {
            if !self.vlans.iter().any(|vlan| vlan.region == region && vlan.label == label) {
                self.vlans.push(Vlan { label, region, created: now, empty_since: None });
            }
        }
    }

    /// Removes VLANs that have been empty long enough; says when to look again.
    pub fn sweep_vlans(&mut self, now: Timestamp, pace: &super::jobs::Pace) -> Option<Timestamp> {
        let ends = |since: Timestamp| {
            let linger = pace.speed.shorten(VLAN_LINGERS);
            crate::domain::after(since, linger)
        };
        self.vlans.retain(|vlan| vlan.empty_since.is_none_or(|since| now < ends(since)));
        self.vlans.iter().filter_map(|vlan| vlan.empty_since.map(ends)).min()
    }

    /// A public address that no instance has, from the range set aside for benchmarks
    /// (RFC 2544), so that none of them leads anywhere.
    pub fn free_public_address(&self) -> Ipv4Addr {
        let base = u32::from(Ipv4Addr::new(198, 18, 0, 0));
        free(base, self.instances.values().map(|one| one.ipv4).collect())
    }

    /// An address of the data centre's private range that no instance has.
    pub fn free_private_address(&self) -> Ipv4Addr {
        let base = u32::from(Ipv4Addr::new(192, 168, 128, 0));
        free(base, self.instances.values().filter_map(|one| one.private_ipv4).collect())
    }

    /// The address that follows from an id, in the documentation range.
    pub fn ipv6_of(id: u64) -> Ipv6Addr {
        let [_, high, low] = [(id >> 32) as u16, (id >> 16) as u16, id as u16];
        Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0xf03c, 0x95ff, high, low)
    }
}

fn free(base: u32, taken: BTreeSet<Ipv4Addr>) -> Ipv4Addr {
    // `.0` and `.255` of each 256 are skipped: tools take them for network and broadcast.
    (1..)
        .filter(|offset| !matches!(offset % 256, 0 | 255))
        .map(|offset| Ipv4Addr::from(base + offset))
        .find(|address| !taken.contains(address))
        .expect("there are fewer instances than addresses")
}
