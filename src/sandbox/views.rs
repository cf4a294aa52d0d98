//! Linodes, profiles, disks and interfaces as JSON for clients.
//!
//! In: what the sandbox keeps.
//! Out: the shapes of the API document and of recorded answers.
//! Never: shows user data or keys, which cannot be read back.

use jiff::Timestamp;
use serde_json::{Map, Value, json};

use super::catalogue::{self, TYPES};
use super::instance::{Config, Disk, Generation, Instance, Interface, InterfaceKind};
use super::world::World;

/// A time as the API writes it: UTC without a zone, whole seconds.
pub fn time(at: Timestamp) -> String {
    at.strftime("%Y-%m-%dT%H:%M:%S").to_string()
}

/// A Linode.
pub fn linode(world: &World, instance: &Instance) -> Value {
    let plan = catalogue::find(&TYPES, &instance.plan).unwrap_or(&Value::Null);
    let private = instance.private_ipv4.map(|address| address.to_string());
    let ipv4: Vec<String> = std::iter::once(instance.ipv4.to_string()).chain(private).collect();
    let locks = world.locks.values().filter(|lock| lock.linode == instance.id);
    json!({
        "id": instance.id,
        "label": instance.label,
        "group": instance.group,
        "status": instance.status,
        "created": time(instance.created),
        "updated": time(instance.updated),
        "type": instance.plan,
        "ipv4": ipv4,
        "ipv6": format!("{}/128", instance.ipv6),
        "image": instance.image,
        "region": instance.region,
        "site_type": "core",
        "specs": {
            "disk": plan["disk"], "memory": plan["memory"], "vcpus": plan["vcpus"],
            "gpus": plan["gpus"], "transfer": plan["transfer"], "accelerated_devices": 0,
        },
        "alerts": instance.alerts,
        "backups": {
            "enabled": instance.backups_enabled, "available": false, "last_successful": null,
            "schedule": {"day": null, "window": null},
        },
        "hypervisor": "kvm",
        "watchdog_enabled": instance.watchdog_enabled,
        "tags": instance.tags,
        "host_uuid": instance.host_id,
        "has_user_data": instance.user_data.is_some(),
        "placement_group": placement_group(world, instance),
        "disk_encryption": instance.disk_encryption,
        "lke_cluster_id": null,
        "capabilities": ["Block Storage Encryption", "SMTP Enabled", "Maintenance Policy"],
        "interface_generation": instance.generation,
        "maintenance_policy": instance.maintenance_policy,
        "locks": locks.map(|lock| lock.kind.clone()).collect::<Vec<_>>(),
    })
}

fn placement_group(world: &World, instance: &Instance) -> Value {
    let group = instance.placement_group.and_then(|id| world.placement_groups.get(&id));
    let Some(group) = group else { return Value::Null };
    json!({
        "id": group.id,
        "label": group.label,
        "placement_group_type": "anti_affinity:local",
        "placement_group_policy": group.policy,
        "migrating_to": null,
    })
}

/// A disk.
pub fn disk(instance: &Instance, disk: &Disk) -> Value {
    json!({
        "id": disk.id,
        "label": disk.label,
        "status": "ready",
        "filesystem": disk.filesystem,
        "size": disk.size,
        "created": time(disk.created),
        "updated": time(disk.created),
        "disk_encryption": instance.disk_encryption,
    })
}

/// A configuration profile.
pub fn config(instance: &Instance, config: &Config) -> Value {
    let slots = ["sda", "sdb", "sdc", "sdd", "sde", "sdf", "sdg", "sdh"];
    let devices: Map<String, Value> = slots
        .iter()
        .enumerate()
        .map(|(index, slot)| {
            let disk = instance.disks.get(index);
            let device = disk.map(|disk| json!({"disk_id": disk.id, "volume_id": null}));
            (slot.to_string(), device.unwrap_or(Value::Null))
        })
        .collect();
    json!({
        "id": config.id,
        "label": config.label,
        "helpers": config.helpers,
        "kernel": config.kernel,
        "comments": config.comments,
        "memory_limit": config.memory_limit,
        "created": time(config.created),
        "updated": time(config.updated),
        "root_device": config.root_device,
        "devices": devices,
        "initrd": null,
        "run_level": config.run_level,
        "virt_mode": config.virt_mode,
        "interfaces": config_interfaces(instance),
    })
}

/// The interfaces of a configuration profile; none for Linodes with Linode interfaces.
pub fn config_interfaces(instance: &Instance) -> Vec<Value> {
    if instance.generation == Generation::Linode {
        return Vec::new();
    }
    let view = |interface: &Interface| {
        let (purpose, label, address) = match &interface.kind {
            InterfaceKind::Public => ("public", Value::Null, Value::Null),
            // A VLAN address that was left out comes back as an empty text (recorded).
            InterfaceKind::Vlan { label, address } => {
                ("vlan", label.as_str().into(), address.as_deref().unwrap_or("").into())
            }
        };
        json!({
            "id": interface.id,
            "purpose": purpose,
            "primary": interface.primary,
            "active": instance.status == super::instance::Status::Running,
            "ipam_address": address,
            "label": label,
            "vpc_id": null,
            "subnet_id": null,
            "ipv4": null,
            "ipv6": null,
            "ip_ranges": null,
        })
    };
    instance.interfaces.iter().map(view).collect()
}

/// A Linode interface.
pub fn linode_interface(instance: &Instance, interface: &Interface) -> Value {
    let public = json!({
        "ipv4": {
            "addresses": [{"address": instance.ipv4.to_string(), "primary": true}],
            "shared": [],
        },
        "ipv6": {
            "ranges": [],
            "shared": [],
            "slaac": [{"address": instance.ipv6.to_string(), "prefix": 64}],
        },
    });
    let low = interface.id.to_be_bytes();
    let mut view = json!({
        "id": interface.id,
        "mac_address": format!("22:00:{:02x}:{:02x}:{:02x}:{:02x}", low[4], low[5], low[6], low[7]),
        "created": time(interface.created),
        "updated": time(interface.created),
        "version": 1,
        "public": null,
        "vlan": null,
        "vpc": null,
    });
    match &interface.kind {
        InterfaceKind::Public => {
            view["public"] = public;
            view["default_route"] = json!({"ipv4": true, "ipv6": true});
        }
        // The document's schema has no `default_route` here, though one of its examples does.
        InterfaceKind::Vlan { label, address } => {
            view["vlan"] = json!({"vlan_label": label, "ipam_address": address});
        }
    }
    view
}

/// `GET /linode/instances/{linodeId}/ips`
pub fn ips(instance: &Instance) -> Value {
    let owner = json!({
        "id": instance.id, "type": "linode", "label": instance.label,
        "url": format!("/v4/linode/instances/{}", instance.id),
    });
    let ipv4 = |address: std::net::Ipv4Addr, public: bool, prefix: u8, mask: &str| {
        let [a, b, c, d] = address.octets();
        let gateway = public.then(|| format!("{a}.{b}.{c}.1"));
        let rdns = public.then(|| format!("{a}-{b}-{c}-{d}.ip.linodeusercontent.com"));
        json!({
            "address": address.to_string(), "gateway": gateway, "subnet_mask": mask,
            "prefix": prefix, "type": "ipv4", "public": public, "rdns": rdns,
            "linode_id": instance.id, "interface_id": null, "region": instance.region,
            "vpc_nat_1_1": null, "reserved": false, "assigned_entity": owner,
        })
    };
    let private: Vec<Value> = instance
        .private_ipv4
        .map(|own| ipv4(own, false, 17, "255.255.128.0"))
        .into_iter()
        .collect();
    let ipv6 = |address: String, public: bool| {
        json!({
            "address": address, "gateway": "fe80::1", "subnet_mask": "ffff:ffff:ffff:ffff::",
            "prefix": 64, "type": "ipv6", "rdns": null, "linode_id": instance.id,
            "region": instance.region, "public": public,
        })
    };
    let segments = instance.ipv6.segments();
    let local = std::net::Ipv6Addr::new(
        0xfe80,
        0,
        0,
        0,
        segments[4],
        segments[5],
        segments[6],
        segments[7],
    );
    json!({
        "ipv4": {
            "public": [ipv4(instance.ipv4, true, 24, "255.255.255.0")],
            "private": private,
            "shared": [],
            "reserved": [],
            "vpc": [],
        },
        "ipv6": {
            "slaac": ipv6(instance.ipv6.to_string(), true),
            "link_local": ipv6(local.to_string(), false),
            "global": [],
            "vpc": [],
        },
    })
}
