//! Resource locks: a locked Linode cannot be deleted.
//!
//! In: calls on `/locks`.
//! Out: locks on Linodes.
//! Never: two locks on one Linode.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::call::{Answer, Call, Reply};
use super::errors::Refusal;
use super::fields::Fields;
use super::world::World;

const KINDS: [&str; 2] = ["cannot_delete", "cannot_delete_with_subresources"];
const KEYS: &[&str] = &["id", "lock_type", "entity.id", "entity.type"];

/// A lock.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Lock {
    pub id: u64,
    /// `cannot_delete` or `cannot_delete_with_subresources`.
    pub kind: String,
    pub linode: u64,
}

fn view(world: &World, lock: &Lock) -> Value {
    let label = world.instances.get(&lock.linode).map_or("", |one| one.label.as_str());
    let url = format!("/v4/linode/instances/{}", lock.linode);
    json!({
        "id": lock.id,
        "lock_type": lock.kind,
        "entity": {"id": lock.linode, "type": "linode", "label": label, "url": url},
    })
}

/// `GET /locks`
pub fn list(world: &mut World, _call: &Call) -> Answer {
    Ok(Reply::list(world.locks.values().map(|lock| view(world, lock)).collect(), KEYS))
}

/// `GET /locks/{lockId}`
pub fn get(world: &mut World, call: &Call) -> Answer {
    let lock = world.locks.get(&call.id(0)?).ok_or_else(Refusal::not_found)?;
    Ok(Reply::Object(view(world, lock)))
}

/// `POST /locks`
pub fn create(world: &mut World, call: &Call) -> Answer {
    let mut fields = Fields::new(&call.body);
    let kind = fields.required_text("lock_type").unwrap_or_default();
    if !kind.is_empty() && !KINDS.contains(&kind) {
        fields.complain("lock_type", format!("Must be one of {}", KINDS.join(", ")));
    }
    if fields.required_text("entity_type").is_some_and(|entity| entity != "linode") {
        fields.complain("entity_type", "Must be linode in this sandbox");
    }
    let linode = fields.integer("entity_id").and_then(|id| u64::try_from(id).ok());
    let linode = linode.filter(|id| world.instances.contains_key(id));
    if linode.is_none() {
        fields.complain("entity_id", "entity_id is not valid");
    }
    if let Some(other) = world.locks.values().find(|lock| Some(lock.linode) == linode) {
        let Lock { id, kind: own, .. } = other;
        fields.complain(
            "lock_type",
            format!(
                "The {own} lock (Lock ID: {id}) needs to be removed to add {kind} lock. \
                 Can only have one of: cannot_delete, cannot_delete_with_subresources locks"
            ),
        );
    }
    Refusal::unless_empty(fields.complaints)?;
    let lock =
        Lock { id: world.next_id(), kind: kind.to_owned(), linode: linode.unwrap_or_default() };
    world.locks.insert(lock.id, lock.clone());
    Ok(Reply::Object(view(world, &lock)))
}

/// `DELETE /locks/{lockId}`
pub fn delete(world: &mut World, call: &Call) -> Answer {
    world.locks.remove(&call.id(0)?).map(|_| Reply::empty()).ok_or_else(Refusal::not_found)
}
