//! VLANs: named by interfaces, never made by a call.
//!
//! In: calls on `/networking/vlans`.
//! Out: what is attached to each; no addresses, as in the real API.
//! Never: deletes one that is in use.

use serde_json::{Value, json};

use super::call::{Answer, Call, Reply};
use super::errors::Refusal;
use super::events::Entity;
use super::views::time;
use super::world::World;

/// `GET /networking/vlans`
pub fn list(world: &mut World, _call: &Call) -> Answer {
    let view = |vlan: &super::world::Vlan| {
        json!({
            "region": vlan.region,
            "label": vlan.label,
            "linodes": world.attached(&vlan.region, &vlan.label),
            "created": time(vlan.created),
        })
    };
    let all: Vec<Value> = world.vlans.iter().map(view).collect();
    Ok(Reply::list(all, &["label", "region"]))
}

/// `DELETE /networking/vlans/{regionId}/{label}`
pub fn delete(world: &mut World, call: &Call) -> Answer {
    let (region, label) = (call.text(0), call.text(1));
    let at = world.vlans.iter().position(|vlan| vlan.region == region && vlan.label == label);
    let at = at.ok_or_else(Refusal::not_found)?;
    if !world.attached(region, label).is_empty() {
        return Err(Refusal::general("VLAN is in use and cannot be deleted"));
    }
    world.vlans.remove(at);
    let url = format!("/v4/networking/vlans/{region}/{label}");
    let entity = Entity { id: label.into(), kind: "vlan".into(), label: label.into(), url };
    world.notify(call.now, "vlan_delete", entity);
    Ok(Reply::empty())
}
