//! The table of everything that the sandbox serves.
//!
//! In: a method and a path below `/v4` or `/v4beta`.
//! Out: the operation with its handler, its need of a token, and its placeholders.
//! Never: anything that is not in this table is 404.

use axum::http::Method;

use super::call::{Answer, Call};
use super::errors::Refusal;
use super::world::World;
use super::{
    account, configs, events, firewalls, instances, interfaces, locks, offers, placement, power,
    tags, vlans,
};

/// One operation.
#[derive(Debug)]
pub struct Operation {
    /// The name by which faults and the request journal know it.
    pub name: &'static str,
    /// The HTTP method.
    pub method: Method,
    /// The path with its placeholders in braces; `{…*}` takes the rest, slashes included.
    pub path: &'static str,
    /// Who may call.
    pub access: Access,
    /// What answers.
    pub handler: fn(&mut World, &Call) -> Answer,
}

/// Who may call an operation.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Access {
    /// Everybody, without a token.
    Public,
    /// Whoever has a token.
    AnyToken,
    /// A token with this scope.
    Scope(&'static str),
}

use Access::{AnyToken, Public, Scope};

const LINODES: Access = Scope("linodes:read_only");
const LINODES_WRITE: Access = Scope("linodes:read_write");
const FIREWALL: Access = Scope("firewall:read_only");
const FIREWALL_WRITE: Access = Scope("firewall:read_write");
const ACCOUNT: Access = Scope("account:read_only");
const ACCOUNT_WRITE: Access = Scope("account:read_write");
const EVENTS: Access = Scope("events:read_only");

macro_rules! operations {
    ($($name:literal $method:ident $path:literal $access:expr => $handler:path;)*) => {
        &[$(Operation {
            name: $name,
            method: Method::$method,
            path: $path,
            access: $access,
            handler: $handler,
        }),*]
    };
}

/// Fixed paths stand before those with placeholders that would take them too.
pub static OPERATIONS: &[Operation] = operations! {
    "list_instances" GET "/linode/instances" LINODES => instances::list;
    "create_instance" POST "/linode/instances" LINODES_WRITE => instances::create;
    "get_instance" GET "/linode/instances/{linodeId}" LINODES => instances::get;
    "update_instance" PUT "/linode/instances/{linodeId}" LINODES_WRITE => instances::update;
    "delete_instance" DELETE "/linode/instances/{linodeId}" LINODES_WRITE => instances::delete;
    "boot_instance" POST "/linode/instances/{linodeId}/boot" LINODES_WRITE => power::boot;
    "shutdown_instance" POST "/linode/instances/{linodeId}/shutdown" LINODES_WRITE => power::shutdown;
    "reboot_instance" POST "/linode/instances/{linodeId}/reboot" LINODES_WRITE => power::reboot;
    "rebuild_instance" POST "/linode/instances/{linodeId}/rebuild" LINODES_WRITE => instances::rebuild;
    "list_instance_ips" GET "/linode/instances/{linodeId}/ips" LINODES => instances::ips;
    "list_configs" GET "/linode/instances/{linodeId}/configs" LINODES => configs::list;
    "get_config" GET "/linode/instances/{linodeId}/configs/{configId}" LINODES => configs::get;
    "update_config" PUT "/linode/instances/{linodeId}/configs/{configId}" LINODES_WRITE => configs::update;
    "list_config_interfaces" GET "/linode/instances/{linodeId}/configs/{configId}/interfaces" LINODES => configs::list_interfaces;
    "list_interfaces" GET "/linode/instances/{linodeId}/interfaces" LINODES_WRITE => interfaces::list;
    "get_interface" GET "/linode/instances/{linodeId}/interfaces/{interfaceId}" LINODES_WRITE => interfaces::get;
    "list_interface_firewalls" GET "/linode/instances/{linodeId}/interfaces/{interfaceId}/firewalls" Scope("nodebalancers:read_only") => interfaces::list_firewalls;
    "list_disks" GET "/linode/instances/{linodeId}/disks" LINODES => instances::list_disks;
    "get_disk" GET "/linode/instances/{linodeId}/disks/{diskId}" LINODES => instances::get_disk;
    "list_instance_firewalls" GET "/linode/instances/{linodeId}/firewalls" LINODES => firewalls::list_of_linode;
    "set_instance_firewalls" PUT "/linode/instances/{linodeId}/firewalls" LINODES_WRITE => firewalls::set_of_linode;
    "apply_firewalls" POST "/linode/instances/{linodeId}/firewalls/apply" LINODES_WRITE => firewalls::apply;
    "list_types" GET "/linode/types" Public => offers::list_types;
    "get_type" GET "/linode/types/{typeId}" Public => offers::get_type;
    "list_kernels" GET "/linode/kernels" Public => offers::list_kernels;
    "get_kernel" GET "/linode/kernels/{kernelId*}" Public => offers::get_kernel;
    "list_regions" GET "/regions" Public => offers::list_regions;
    "list_regions_availability" GET "/regions/availability" Public => offers::list_availability;
    "get_region" GET "/regions/{regionId}" Public => offers::get_region;
    "get_region_availability" GET "/regions/{regionId}/availability" Public => offers::region_availability;
    "list_images" GET "/images" Public => offers::list_images;
    "get_image" GET "/images/{imageId*}" Public => offers::get_image;
    "list_vlans" GET "/networking/vlans" LINODES => vlans::list;
    "delete_vlan" DELETE "/networking/vlans/{regionId}/{label}" LINODES_WRITE => vlans::delete;
    "list_firewalls" GET "/networking/firewalls" FIREWALL => firewalls::list;
    "get_firewall" GET "/networking/firewalls/{firewallId}" FIREWALL => firewalls::get;
    "list_firewall_devices" GET "/networking/firewalls/{firewallId}/devices" FIREWALL => firewalls::list_devices;
    "create_firewall_device" POST "/networking/firewalls/{firewallId}/devices" FIREWALL_WRITE => firewalls::add_device;
    "get_firewall_device" GET "/networking/firewalls/{firewallId}/devices/{deviceId}" FIREWALL => firewalls::get_device;
    "delete_firewall_device" DELETE "/networking/firewalls/{firewallId}/devices/{deviceId}" FIREWALL_WRITE => firewalls::remove_device;
    "list_placement_groups" GET "/placement/groups" LINODES => placement::list;
    "create_placement_group" POST "/placement/groups" LINODES_WRITE => placement::create;
    "get_placement_group" GET "/placement/groups/{groupId}" LINODES => placement::get;
    "update_placement_group" PUT "/placement/groups/{groupId}" LINODES_WRITE => placement::update;
    "delete_placement_group" DELETE "/placement/groups/{groupId}" LINODES_WRITE => placement::delete;
    "assign_placement_group" POST "/placement/groups/{groupId}/assign" LINODES_WRITE => placement::assign;
    "unassign_placement_group" POST "/placement/groups/{groupId}/unassign" LINODES_WRITE => placement::unassign;
    "get_account" GET "/account" ACCOUNT => account::get;
    "get_account_settings" GET "/account/settings" ACCOUNT => account::settings;
    "list_account_availability" GET "/account/availability" ACCOUNT => account::list_availability;
    "get_account_availability" GET "/account/availability/{id}" ACCOUNT => account::get_availability;
    "list_events" GET "/account/events" EVENTS => events::list;
    "get_event" GET "/account/events/{eventId}" EVENTS => events::get;
    "mark_event_seen" POST "/account/events/{eventId}/seen" EVENTS => events::seen;
    "list_maintenance" GET "/account/maintenance" AnyToken => account::nothing;
    "list_notifications" GET "/account/notifications" ACCOUNT => account::nothing;
    "get_transfer" GET "/account/transfer" ACCOUNT => account::transfer;
    "get_profile" GET "/profile" AnyToken => account::profile;
    "get_grants" GET "/profile/grants" AnyToken => account::grants;
    "list_tokens" GET "/profile/tokens" ACCOUNT => account::no_keys;
    "list_ssh_keys" GET "/profile/sshkeys" ACCOUNT => account::no_keys;
    "list_tags" GET "/tags" ACCOUNT => tags::list;
    "create_tag" POST "/tags" ACCOUNT_WRITE => tags::create;
    "list_tagged" GET "/tags/{tagLabel}" ACCOUNT => tags::tagged;
    "delete_tag" DELETE "/tags/{tagLabel}" ACCOUNT_WRITE => tags::delete;
    "list_locks" GET "/locks" ACCOUNT => locks::list;
    "create_lock" POST "/locks" ACCOUNT_WRITE => locks::create;
    "get_lock" GET "/locks/{lockId}" ACCOUNT => locks::get;
    "delete_lock" DELETE "/locks/{lockId}" ACCOUNT_WRITE => locks::delete;
    "list_maintenance_policies" GET "/maintenance/policies" ACCOUNT => account::maintenance_policies;
};

/// The operation behind a method and path, and its placeholders' values.
pub fn find(method: &Method, path: &str) -> Result<(&'static Operation, Vec<String>), Refusal> {
    let mut path_exists = false;
    for operation in OPERATIONS {
        let Some(params) = match_path(operation.path, path) else { continue };
        if operation.method == *method {
            return Ok((operation, params));
        }
        path_exists = true;
    }
    Err(if path_exists { Refusal::method_not_allowed() } else { Refusal::not_found() })
}

fn match_path(pattern: &str, path: &str) -> Option<Vec<String>> {
    let mut params = Vec::new();
    let mut rest = path.strip_suffix('/').unwrap_or(path).strip_prefix('/')?;
    let mut parts = pattern.trim_start_matches('/').split('/').peekable();
    while let Some(part) = parts.next() {
        if part.ends_with("*}") {
            params.push(decode(rest));
            return (!rest.is_empty()).then_some(params);
        }
        let (segment, after) = match rest.split_once('/') {
            Some((segment, after)) => (segment, Some(after)),
            None => (rest, None),
        };
        if part.starts_with('{') && !segment.is_empty() {
            params.push(decode(segment));
        } else if part != segment {
            return None;
        }
        match (after, parts.peek()) {
            (Some(after), Some(_)) => rest = after,
            (None, None) => return Some(params),
            _ => return None,
        }
    }
    None
}

/// Undoes percent-encoding; what isn't UTF-8 afterwards can't name anything here anyway.
pub fn decode(text: &str) -> String {
    let bytes = text.as_bytes();
    let mut out = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while at < bytes.len() {
        let hex = text.get(at + 1..at + 3).and_then(|hex| u8::from_str_radix(hex, 16).ok());
        match (bytes[at], hex) {
            (b'%', Some(byte)) => {
                out.push(byte);
                at += 3;
            }
            (byte, _) => {
                out.push(byte);
                at += 1;
            }
        }
    }
    String::from_utf8_lossy(&out).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(method: Method, path: &str) -> Option<(&'static str, Vec<String>)> {
        find(&method, path).ok().map(|(operation, params)| (operation.name, params))
    }

    #[test]
    fn paths_find_their_operation() {
        for (method, path, name, params) in [
            (Method::GET, "/linode/instances", "list_instances", vec![]),
            (Method::GET, "/linode/instances/", "list_instances", vec![]),
            (Method::POST, "/linode/instances/12/boot", "boot_instance", vec!["12"]),
            (Method::GET, "/regions/availability", "list_regions_availability", vec![]),
            (Method::GET, "/regions/eu-west", "get_region", vec!["eu-west"]),
            (Method::GET, "/images/linode/debian12", "get_image", vec!["linode/debian12"]),
            (Method::GET, "/images/linode%2Fdebian12", "get_image", vec!["linode/debian12"]),
            (Method::GET, "/tags/pool%3Aweb", "list_tagged", vec!["pool:web"]),
        ] {
            let params = params.into_iter().map(str::to_owned).collect();
            assert_eq!(found(method, path), Some((name, params)), "{path}");
        }
    }

    #[test]
    fn unknown_paths_and_wrong_methods_differ() {
        let refusal = |method, path| find(&method, path).expect_err(path);
        assert_eq!(refusal(Method::GET, "/nodebalancers"), Refusal::not_found());
        assert_eq!(refusal(Method::GET, "/linode/instances/1/x/y"), Refusal::not_found());
        assert_eq!(refusal(Method::PATCH, "/linode/instances"), Refusal::method_not_allowed());
    }

    #[test]
    fn names_are_unique() {
        for one in OPERATIONS {
            let same = OPERATIONS.iter().filter(|other| other.name == one.name).count();
            assert_eq!(same, 1, "{}", one.name);
        }
    }
}
