//! Firewalls: one preset, which Linodes and interfaces can be attached to.
//!
//! In: calls on `/networking/firewalls` and on a Linode's firewalls.
//! Out: firewalls with their devices.
//! Never: filters a packet.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::call::{Answer, Call, Reply};
use super::errors::Refusal;
use super::events::Entity;
use super::views::time;
use super::world::World;

/// What `X-Filter` may name for firewalls.
pub const KEYS: &[&str] = &["id", "label", "created", "updated", "tags"];
const DEVICE_KEYS: &[&str] = &["id", "created", "updated"];

/// A firewall.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Firewall {
    pub id: u64,
    pub label: String,
    pub created: Timestamp,
    pub updated: Timestamp,
    pub devices: Vec<Device>,
}

/// Something behind a firewall.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Device {
    pub id: u64,
    pub created: Timestamp,
    pub entity: Entity,
    /// The Linode that the entity is or belongs to.
    pub linode: u64,
}

impl Firewall {
    /// The one firewall of a fresh account.
    pub fn preset(now: Timestamp) -> Self {
        let (created, updated) = (now, now);
        Self { id: 4711, label: "sandbox".into(), created, updated, devices: Vec::new() }
    }

    /// Forgets a Linode and its interfaces.
    pub fn detach_linode(&mut self, linode: u64) {
        self.devices.retain(|device| device.linode != linode);
    }

    /// Whether an interface is behind this firewall.
    pub fn guards_interface(&self, interface: u64) -> bool {
        self.devices.iter().any(|one| one.entity.kind == "interface" && one.entity.id == interface)
    }

    fn guards_linode(&self, linode: u64) -> bool {
        self.devices.iter().any(|one| one.entity.kind == "linode" && one.linode == linode)
    }

    /// As the API shows it.
    pub fn view(&self) -> Value {
        let everybody = json!({"ipv4": ["0.0.0.0/0"], "ipv6": ["::/0"]});
        let rule = json!({
            "action": "ACCEPT", "protocol": "TCP", "ports": "22", "label": "ssh",
            "addresses": everybody,
        });
        let entities: Vec<Value> = self.devices.iter().map(Device::entity_view).collect();
        json!({
            "id": self.id,
            "label": self.label,
            "created": time(self.created),
            "updated": time(self.updated),
            "status": "enabled",
            "rules": {
                "inbound": [rule], "inbound_policy": "DROP",
                "outbound": [], "outbound_policy": "ACCEPT",
                "version": 1, "fingerprint": "7bcc0f03",
            },
            "tags": [],
            "entities": entities,
        })
    }
}

impl Device {
    fn entity_view(&self) -> Value {
        let parent = (self.entity.kind == "interface").then(|| {
            let url = format!("/v4/linode/instances/{}", self.linode);
            json!({
                "id": self.linode, "type": "linode", "label": self.entity.label, "url": url,
                "parent_entity": null,
            })
        });
        json!({
            "id": self.entity.id, "type": self.entity.kind, "label": self.entity.label,
            "url": self.entity.url, "parent_entity": parent,
        })
    }

    fn view(&self) -> Value {
        let at = time(self.created);
        json!({"id": self.id, "created": at, "updated": at, "entity": self.entity_view()})
    }
}

impl World {
    /// Puts a Linode or an interface of it behind a firewall; nothing happens without one.
    pub fn attach_firewall(&mut self, now: Timestamp, firewall: Option<u64>, entity: Entity) {
        let Some(firewall) = firewall.filter(|id| self.firewalls.contains_key(id)) else { return };
        let linode = match (entity.kind.as_str(), entity.id.as_u64()) {
            ("linode", Some(id)) => id,
            (_, id) => self.owner_of_interface(id.unwrap_or(0)),
        };
        let id = self.next_id();
        let device = Device { id, created: now, entity: entity.clone(), linode };
        if let Some(firewall) = self.firewalls.get_mut(&firewall) {
            firewall.devices.push(device);
            firewall.updated = now;
        }
        self.notify(now, "firewall_device_add", entity);
    }

    fn owner_of_interface(&self, interface: u64) -> u64 {
        let owns = |one: &&super::instance::Instance| {
            one.interfaces.iter().any(|other| other.id == interface)
        };
        self.instances.values().find(owns).map_or(0, |instance| instance.id)
    }
}

fn named<'a>(world: &'a World, call: &Call) -> Result<&'a Firewall, Refusal> {
    world.firewalls.get(&call.id(0)?).ok_or_else(Refusal::not_found)
}

fn device<'a>(world: &'a World, call: &Call) -> Result<&'a Device, Refusal> {
    let id = call.id(1)?;
    let firewall = named(world, call)?;
    firewall.devices.iter().find(|device| device.id == id).ok_or_else(Refusal::not_found)
}

/// `GET /networking/firewalls`
pub fn list(world: &mut World, _call: &Call) -> Answer {
    Ok(Reply::list(world.firewalls.values().map(Firewall::view).collect(), KEYS))
}

/// `GET /networking/firewalls/{firewallId}`
pub fn get(world: &mut World, call: &Call) -> Answer {
    Ok(Reply::Object(named(world, call)?.view()))
}

/// `GET /networking/firewalls/{firewallId}/devices`
pub fn list_devices(world: &mut World, call: &Call) -> Answer {
    let devices = named(world, call)?.devices.iter().map(Device::view).collect();
    Ok(Reply::list(devices, DEVICE_KEYS))
}

/// `GET /networking/firewalls/{firewallId}/devices/{deviceId}`
pub fn get_device(world: &mut World, call: &Call) -> Answer {
    Ok(Reply::Object(device(world, call)?.view()))
}

/// `POST /networking/firewalls/{firewallId}/devices`: Linodes only.
pub fn add_device(world: &mut World, call: &Call) -> Answer {
    let firewall = named(world, call)?.id;
    if call.body.get("type").and_then(Value::as_str) != Some("linode") {
        return Err(Refusal::on("type", "Must be linode in this sandbox"));
    }
    let id = call.body.get("id").and_then(Value::as_u64);
    let instance = id.and_then(|id| world.instances.get(&id));
    let instance = instance.ok_or_else(|| Refusal::on("id", "id is not valid"))?;
    let entity = Entity::linode(instance.id, &instance.label);
    if world.firewalls.get(&firewall).is_some_and(|one| one.guards_linode(instance.id)) {
        return Err(Refusal::on("id", "Linode is already attached to this firewall"));
    }
    world.attach_firewall(call.now, Some(firewall), entity);
    let added = world.firewalls.get(&firewall).and_then(|firewall| firewall.devices.last());
    Ok(Reply::Object(added.ok_or_else(Refusal::not_found)?.view()))
}

/// `DELETE /networking/firewalls/{firewallId}/devices/{deviceId}`
pub fn remove_device(world: &mut World, call: &Call) -> Answer {
    let (firewall, id) = (named(world, call)?.id, device(world, call)?.id);
    if let Some(firewall) = world.firewalls.get_mut(&firewall) {
        firewall.devices.retain(|device| device.id != id);
        firewall.updated = call.now;
    }
    Ok(Reply::empty())
}

/// `GET /linode/instances/{linodeId}/firewalls`
pub fn list_of_linode(world: &mut World, call: &Call) -> Answer {
    let id = world.instance(call.id(0)?)?.id;
    let guards = world.firewalls.values().filter(|firewall| firewall.guards_linode(id));
    Ok(Reply::list(guards.map(Firewall::view).collect(), KEYS))
}

/// `PUT /linode/instances/{linodeId}/firewalls`: replaces what the Linode is behind.
pub fn set_of_linode(world: &mut World, call: &Call) -> Answer {
    let instance = world.instance(call.id(0)?)?;
    let entity = Entity::linode(instance.id, &instance.label);
    let id = instance.id;
    let list = call.body.get("firewall_ids").and_then(Value::as_array);
    let list = list.ok_or_else(|| Refusal::on("firewall_ids", "firewall_ids is required"))?;
    let mut wanted = Vec::new();
    for (index, value) in list.iter().enumerate() {
        let known = value.as_u64().filter(|id| world.firewalls.contains_key(id));
        let field = format!("firewall_ids[{index}]");
        wanted.push(known.ok_or_else(|| Refusal::on(field, "Firewall not found"))?);
    }
    for firewall in world.firewalls.values_mut() {
        firewall.devices.retain(|one| !(one.entity.kind == "linode" && one.linode == id));
    }
    for firewall in wanted {
        world.attach_firewall(call.now, Some(firewall), entity.clone());
    }
    list_of_linode(world, call)
}

/// `POST /linode/instances/{linodeId}/firewalls/apply`
pub fn apply(world: &mut World, call: &Call) -> Answer {
    world.instance(call.id(0)?)?;
    Ok(Reply::empty())
}
