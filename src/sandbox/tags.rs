//! Tags: they come into being by use.
//!
//! In: calls on `/tags`.
//! Out: the account's tags, and what carries them.
//! Never: tags anything but Linodes; there is nothing else here that could carry one.

use serde_json::{Value, json};

use super::call::{Answer, Call, Reply};
use super::errors::Refusal;
use super::events::Entity;
use super::labels;
use super::views;
use super::world::World;

/// `GET /tags`
pub fn list(world: &mut World, _call: &Call) -> Answer {
    let all = world.tags.iter().map(|tag| json!({"label": tag})).collect();
    Ok(Reply::list(all, &["label"]))
}

/// `POST /tags`: makes a tag, and puts it on the Linodes named.
pub fn create(world: &mut World, call: &Call) -> Answer {
    let label = call.body.get("label").and_then(Value::as_str);
    let label = label.ok_or_else(|| Refusal::on("label", "label is required"))?;
    labels::check_tag(label).map_err(|reason| Refusal::on("label", reason))?;
    let none = Vec::new();
    let linodes = call.body.get("linodes").and_then(Value::as_array).unwrap_or(&none);
    let known = |value: &Value| value.as_u64().filter(|id| world.instances.contains_key(id));
    let mut ids = Vec::new();
    for (index, value) in linodes.iter().enumerate() {
        let unknown = || Refusal::on(format!("linodes[{index}]"), "Linode not found");
        ids.push(known(value).ok_or_else(unknown)?);
    }
    for instance in world.instances.values_mut().filter(|one| ids.contains(&one.id)) {
        if !instance.tags.iter().any(|tag| tag == label) {
            instance.tags.push(label.to_owned());
        }
    }
    if world.tags.insert(label.to_owned()) {
        let url = format!("/v4/tags/{label}");
        let (id, label) = (label.into(), label.to_owned());
        world.notify(call.now, "tag_create", Entity { id, kind: "tag".into(), label, url });
    }
    Ok(Reply::Object(json!({ "label": label })))
}

/// `GET /tags/{tagLabel}`: what carries the tag.
pub fn tagged(world: &mut World, call: &Call) -> Answer {
    let label = call.text(0);
    if !world.tags.contains(label) {
        return Err(Refusal::not_found());
    }
    let carries = |one: &&super::instance::Instance| one.tags.iter().any(|tag| tag == label);
    let all = world.instances.values().filter(carries);
    let view = |one| json!({"type": "linode", "data": views::linode(world, one)});
    Ok(Reply::list(all.map(view).collect(), &[]))
}

/// `DELETE /tags/{tagLabel}`: also takes it off everything.
pub fn delete(world: &mut World, call: &Call) -> Answer {
    let label = call.text(0);
    if !world.tags.remove(label) {
        return Err(Refusal::not_found());
    }
    for instance in world.instances.values_mut() {
        instance.tags.retain(|tag| tag != label);
    }
    Ok(Reply::empty())
}
