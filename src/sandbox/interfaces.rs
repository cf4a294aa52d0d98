//! Interfaces of both generations: what may be asked for, and the calls that show them.
//!
//! In: `interfaces` of a create or a configuration profile.
//! Out: attachments to the internet or to a VLAN, in order.
//! Never: checks whether a VLAN address is free: the real API doesn't either.

use serde_json::{Map, Value};

use super::call::{Answer, Call, Reply};
use super::catalogue;
use super::errors::Refusal;
use super::fields::Fields;
use super::instance::{Generation, Instance, Interface, InterfaceKind};
use super::labels;
use super::views;
use super::world::World;

const MOST_INTERFACES: usize = 3;
const MOST_VLANS_IN_REGION: usize = 10;

/// An interface to make.
#[derive(Clone, Debug, PartialEq)]
pub struct Wanted {
    pub kind: InterfaceKind,
    pub primary: bool,
    /// Only public Linode interfaces have one of their own.
    pub firewall: Option<u64>,
}

/// Reads `interfaces`. Without any, a Linode of the new generation gets a public one.
pub fn read(
    fields: &mut Fields,
    generation: Generation,
    world: &World,
    region: Option<&Value>,
) -> Vec<Wanted> {
    let list = match fields.raw("interfaces") {
        Some(Value::Array(list)) => list.as_slice(),
        Some(_) => {
            fields.complain("interfaces", "interfaces must be a list");
            return Vec::new();
        }
        None => &[],
    };
    if MOST_INTERFACES < list.len() {
        fields.complain("interfaces", "A Linode can have at most 3 interfaces");
    }
    let mut wanted = Vec::new();
    for (index, value) in list.iter().enumerate() {
        let at = format!("interfaces[{index}]");
        let Some(object) = value.as_object() else {
            fields.complain(at, "Must be an object");
            continue;
        };
        wanted.extend(match generation {
            Generation::LegacyConfig => read_legacy(fields, &at, object),
            Generation::Linode => read_linode(fields, &at, object, world),
        });
    }
    if generation == Generation::Linode && list.is_empty() {
        // This account has no default firewall, which a public interface would need.
        fields.complain("interfaces[0].firewall_id", "firewall_id is required");
    }
    check_together(fields, &wanted, world, region);
    wanted
}

fn read_legacy(fields: &mut Fields, at: &str, object: &Map<String, Value>) -> Option<Wanted> {
    let kind = match object.get("purpose").and_then(Value::as_str) {
        Some("public") => InterfaceKind::Public,
        Some("vlan") => read_vlan(fields, at, object, "label")?,
        Some("vpc") => {
            fields.complain(format!("{at}.subnet_id"), "subnet_id is not valid");
            return None;
        }
        _ => {
            fields.complain(format!("{at}.purpose"), "Must be one of public, vlan, vpc");
            return None;
        }
    };
    let primary = object.get("primary").and_then(Value::as_bool).unwrap_or(false);
    Some(Wanted { kind, primary, firewall: None })
}

fn read_linode(
    fields: &mut Fields,
    at: &str,
    object: &Map<String, Value>,
    world: &World,
) -> Option<Wanted> {
    let given = |name: &str| object.get(name).filter(|value| !value.is_null());
    let firewall = given("firewall_id").and_then(Value::as_i64);
    match (given("public"), given("vlan"), given("vpc")) {
        (Some(_), None, None) => {
            let known = firewall.and_then(|id| u64::try_from(id).ok());
            let known = known.filter(|id| world.firewalls.contains_key(id));
            match firewall {
                None => fields.complain(format!("{at}.firewall_id"), "firewall_id is required"),
                Some(-1) => {}
                Some(_) if known.is_none() => {
                    fields.complain(format!("{at}.firewall_id"), "firewall_id is not valid");
                }
                Some(_) => {}
            }
            Some(Wanted { kind: InterfaceKind::Public, primary: true, firewall: known })
        }
        (None, Some(Value::Object(vlan)), None) => {
            if firewall.is_some_and(|id| id != -1) {
                let reason = "Firewalls cannot be assigned to VLAN interfaces";
                fields.complain(format!("{at}.firewall_id"), reason);
            }
            let kind = read_vlan(fields, &format!("{at}.vlan"), vlan, "vlan_label")?;
            Some(Wanted { kind, primary: false, firewall: None })
        }
        (None, None, Some(_)) => {
            fields.complain(format!("{at}.vpc.subnet_id"), "subnet_id is not valid");
            None
        }
        _ => {
            fields.complain(at, "Must have exactly one of public, vlan, vpc");
            None
        }
    }
}

fn read_vlan(
    fields: &mut Fields,
    at: &str,
    object: &Map<String, Value>,
    name: &str,
) -> Option<InterfaceKind> {
    let label = object.get(name).and_then(Value::as_str).unwrap_or_default();
    if let Err(reason) = labels::check_vlan_label(label) {
        fields.complain(format!("{at}.{name}"), reason);
        return None;
    }
    let address = object.get("ipam_address").and_then(Value::as_str).filter(|a| !a.is_empty());
    if let Some(Err(reason)) = address.map(labels::check_cidr) {
        fields.complain(format!("{at}.ipam_address"), reason);
    }
    Some(InterfaceKind::Vlan { label: label.into(), address: address.map(str::to_owned) })
}

fn check_together(fields: &mut Fields, wanted: &[Wanted], world: &World, region: Option<&Value>) {
    let mut labels: Vec<&str> = Vec::new();
    for (index, one) in wanted.iter().enumerate() {
        match &one.kind {
            InterfaceKind::Vlan { label, .. } if labels.contains(&label.as_str()) => {
                let reason = "A VLAN can be attached to a Linode only once";
                fields.complain(format!("interfaces[{index}].label"), reason);
            }
            InterfaceKind::Vlan { label, .. } => labels.push(label),
            InterfaceKind::Public => {}
        }
    }
    let publics = wanted.iter().filter(|one| one.kind == InterfaceKind::Public).count();
    if 1 < publics {
        fields.complain("interfaces", "A Linode can have only one public interface");
    }
    let Some(region) = region.filter(|_| !labels.is_empty()) else { return };
    if !catalogue::can(region, "Vlans") {
        fields.complain("interfaces", "VLANs are not available in this region");
    }
    let here = world.vlans.iter().filter(|vlan| region["id"] == vlan.region.as_str());
    let known: Vec<&str> = here.map(|vlan| vlan.label.as_str()).collect();
    let new = labels.iter().filter(|label| !known.contains(label)).count();
    if MOST_VLANS_IN_REGION < known.len() + new {
        fields.complain("interfaces", "You have reached the limit of VLANs in this region");
    }
}

fn new_generation<'a>(world: &'a World, call: &Call) -> Result<&'a Instance, Refusal> {
    let instance = world.instance(call.id(0)?)?;
    match instance.generation {
        Generation::Linode => Ok(instance),
        Generation::LegacyConfig => {
            Err(Refusal::general("Linode is not configured to use Linode Interfaces"))
        }
    }
}

fn named<'a>(instance: &'a Instance, call: &Call) -> Result<&'a Interface, Refusal> {
    let id = call.id(1)?;
    instance.interfaces.iter().find(|one| one.id == id).ok_or_else(Refusal::not_found)
}

/// `GET /linode/instances/{linodeId}/interfaces`: an envelope of its own, without pages.
pub fn list(world: &mut World, call: &Call) -> Answer {
    let instance = new_generation(world, call)?;
    let all: Vec<Value> =
        instance.interfaces.iter().map(|one| views::linode_interface(instance, one)).collect();
    Ok(Reply::Object(serde_json::json!({ "interfaces": all })))
}

/// `GET /linode/instances/{linodeId}/interfaces/{interfaceId}`
pub fn get(world: &mut World, call: &Call) -> Answer {
    let instance = new_generation(world, call)?;
    Ok(Reply::Object(views::linode_interface(instance, named(instance, call)?)))
}

/// `GET /linode/instances/{linodeId}/interfaces/{interfaceId}/firewalls`
pub fn list_firewalls(world: &mut World, call: &Call) -> Answer {
    let interface = named(new_generation(world, call)?, call)?.id;
    let attached = world.firewalls.values().filter(|firewall| firewall.guards_interface(interface));
    Ok(Reply::list(attached.map(|firewall| firewall.view()).collect(), super::firewalls::KEYS))
}
