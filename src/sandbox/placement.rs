//! Placement groups.
//!
//! In: calls on `/placement/groups`.
//! Out: groups and their members; every group here is compliant.
//! Never: more members than a region allows.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::call::{Answer, Call, Reply};
use super::catalogue::{self, REGIONS};
use super::errors::Refusal;
use super::fields::Fields;
use super::labels;
use super::world::World;

/// `maximum_linodes_per_pg` of every region of the catalogue.
pub const MOST_MEMBERS: usize = 5;
const KEYS: &[&str] = &["label", "region", "placement_group_type"];

/// A placement group. Its members are the instances that name it.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct PlacementGroup {
    pub id: u64,
    pub label: String,
    pub region: String,
    /// `strict` or `flexible`.
    pub policy: String,
}

impl World {
    /// Ids of a group's members.
    pub fn members(&self, group: u64) -> Vec<u64> {
        let in_group = self.instances.values().filter(|one| one.placement_group == Some(group));
        in_group.map(|one| one.id).collect()
    }
}

fn view(world: &World, group: &PlacementGroup) -> Value {
    let member = |id| json!({"linode_id": id, "is_compliant": true});
    let members: Vec<Value> = world.members(group.id).into_iter().map(member).collect();
    json!({
        "id": group.id,
        "label": group.label,
        "region": group.region,
        "placement_group_type": "anti_affinity:local",
        "placement_group_policy": group.policy,
        "is_compliant": true,
        "members": members,
        "migrations": null,
    })
}

fn named<'a>(world: &'a World, call: &Call) -> Result<&'a PlacementGroup, Refusal> {
    world.placement_groups.get(&call.id(0)?).ok_or_else(Refusal::not_found)
}

/// `GET /placement/groups`
pub fn list(world: &mut World, _call: &Call) -> Answer {
    let all = world.placement_groups.values().map(|group| view(world, group)).collect();
    Ok(Reply::list(all, KEYS))
}

/// `GET /placement/groups/{groupId}`
pub fn get(world: &mut World, call: &Call) -> Answer {
    Ok(Reply::Object(view(world, named(world, call)?)))
}

/// `POST /placement/groups`
pub fn create(world: &mut World, call: &Call) -> Answer {
    let mut fields = Fields::new(&call.body);
    let label = read_label(&mut fields, world);
    let region = fields.required_text("region").unwrap_or_default();
    if !region.is_empty() && catalogue::find(&REGIONS, region).is_none() {
        fields.complain("region", "region is not valid");
    }
    let kind = fields.required_text("placement_group_type");
    if kind.is_some_and(|kind| kind != "anti_affinity:local") {
        fields.complain("placement_group_type", "Must be one of anti_affinity:local");
    }
    let policy = fields.required_text("placement_group_policy");
    if policy.is_some_and(|policy| !["strict", "flexible"].contains(&policy)) {
        fields.complain("placement_group_policy", "Must be one of strict, flexible");
    }
    Refusal::unless_empty(fields.complaints)?;
    let (label, region) = (label.unwrap_or_default(), region.to_owned());
    let policy = policy.unwrap_or_default().to_owned();
    let group = PlacementGroup { id: world.next_id(), label, region, policy };
    world.placement_groups.insert(group.id, group.clone());
    Ok(Reply::Object(view(world, &group)))
}

fn read_label(fields: &mut Fields, world: &World) -> Option<String> {
    let label = fields.required_text("label")?;
    if let Err(reason) = labels::check_linode_label(label) {
        fields.complain("label", reason);
    }
    if world.placement_groups.values().any(|group| group.label == label) {
        fields.complain("label", "Label must be unique among your placement groups");
    }
    Some(label.to_owned())
}

/// `PUT /placement/groups/{groupId}`: the label is all that can change.
pub fn update(world: &mut World, call: &Call) -> Answer {
    let mut group = named(world, call)?.clone();
    if call.body.get("label").and_then(Value::as_str) != Some(&group.label) {
        let mut fields = Fields::new(&call.body);
        let label = read_label(&mut fields, world);
        Refusal::unless_empty(fields.complaints)?;
        group.label = label.unwrap_or(group.label);
    }
    world.placement_groups.insert(group.id, group.clone());
    Ok(Reply::Object(view(world, &group)))
}

/// `DELETE /placement/groups/{groupId}`
pub fn delete(world: &mut World, call: &Call) -> Answer {
    let id = named(world, call)?.id;
    if !world.members(id).is_empty() {
        return Err(Refusal::general("Placement group still has Linodes assigned"));
    }
    world.placement_groups.remove(&id);
    Ok(Reply::empty())
}

/// `POST /placement/groups/{groupId}/assign`
pub fn assign(world: &mut World, call: &Call) -> Answer {
    let group = named(world, call)?.clone();
    let linodes = linodes(world, call)?;
    let fits = |id: &u64| world.instances.get(id).is_some_and(|one| one.region == group.region);
    if !linodes.iter().all(fits) {
        return Err(Refusal::on("linodes", "Linodes must be in the placement group's region"));
    }
    let members = world.members(group.id);
    let new = linodes.iter().filter(|id| !members.contains(id)).count();
    if MOST_MEMBERS < members.len() + new {
        return Err(Refusal::on("linodes", "Placement group is full"));
    }
    set_group(world, &linodes, Some(group.id));
    Ok(Reply::Object(view(world, &group)))
}

/// `POST /placement/groups/{groupId}/unassign`
pub fn unassign(world: &mut World, call: &Call) -> Answer {
    let group = named(world, call)?.clone();
    let members = world.members(group.id);
    let mut linodes = linodes(world, call)?;
    linodes.retain(|id| members.contains(id));
    set_group(world, &linodes, None);
    Ok(Reply::Object(view(world, &group)))
}

fn linodes(world: &World, call: &Call) -> Result<Vec<u64>, Refusal> {
    let list = call.body.get("linodes").and_then(Value::as_array);
    let list = list.ok_or_else(|| Refusal::on("linodes", "linodes is required"))?;
    let known = |value: &Value| value.as_u64().filter(|id| world.instances.contains_key(id));
    list.iter()
        .enumerate()
        .map(|(at, value)| {
            let unknown = || Refusal::on(format!("linodes[{at}]"), "Linode not found");
            known(value).ok_or_else(unknown)
        })
        .collect()
}

fn set_group(world: &mut World, linodes: &[u64], group: Option<u64>) {
    for id in linodes {
        if let Some(instance) = world.instances.get_mut(id) {
            instance.placement_group = group;
        }
    }
}
