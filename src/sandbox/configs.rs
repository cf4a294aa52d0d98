//! Configuration profiles: each Linode with an image has one.
//!
//! In: calls on `/linode/instances/{linodeId}/configs`.
//! Out: the profile, changed if asked.
//! Never: touches a running VM: interface changes show at the next boot.

use serde_json::Value;

use super::call::{Answer, Call, Reply};
use super::catalogue::{self, KERNELS, REGIONS};
use super::errors::Refusal;
use super::events::Entity;
use super::fields::Fields;
use super::instance::{Config, Generation, Instance};
use super::interfaces;
use super::views;
use super::world::World;

fn named<'a>(instance: &'a Instance, call: &Call) -> Result<&'a Config, Refusal> {
    let id = call.id(1)?;
    instance.config.as_ref().filter(|config| config.id == id).ok_or_else(Refusal::not_found)
}

/// `GET /linode/instances/{linodeId}/configs`: can be filtered by `interfaces`, a VLAN's label.
pub fn list(world: &mut World, call: &Call) -> Answer {
    let instance = world.instance(call.id(0)?)?;
    let configs = instance.config.iter().map(|config| views::config(instance, config)).collect();
    Ok(Reply::list(configs, &["label", "interfaces"]))
}

/// `GET /linode/instances/{linodeId}/configs/{configId}`
pub fn get(world: &mut World, call: &Call) -> Answer {
    let instance = world.instance(call.id(0)?)?;
    Ok(Reply::Object(views::config(instance, named(instance, call)?)))
}

/// `GET /linode/instances/{linodeId}/configs/{configId}/interfaces`: a bare list.
pub fn list_interfaces(world: &mut World, call: &Call) -> Answer {
    let instance = world.instance(call.id(0)?)?;
    named(instance, call)?;
    Ok(Reply::Object(views::config_interfaces(instance).into()))
}

/// `PUT /linode/instances/{linodeId}/configs/{configId}`
pub fn update(world: &mut World, call: &Call) -> Answer {
    let id = call.id(0)?;
    let instance = world.instance(id)?;
    let mut config = named(instance, call)?.clone();
    let mut fields = Fields::new(&call.body);
    change(&mut fields, &mut config);
    config.updated = call.now;
    let region = catalogue::find(&REGIONS, &instance.region);
    let wanted = match fields.raw("interfaces") {
        Some(_) if instance.generation == Generation::Linode => {
            fields.complain(
                "interfaces",
                "Option cannot be set on a Linode that is configured to use Linode Interfaces",
            );
            None
        }
        Some(_) => Some(interfaces::read(&mut fields, instance.generation, world, region)),
        None => None,
    };
    Refusal::unless_empty(fields.complaints)?;
    if let Some(wanted) = wanted {
        let made =
            wanted.iter().map(|one| super::instances::interface(world, call.now, one)).collect();
        world.instance_mut(id)?.interfaces = made;
        world.settle_vlans(call.now);
    }
    let entity = Entity::linode(id, &world.instance(id)?.label);
    world.notify(call.now, "linode_config_update", entity);
    world.instance_mut(id)?.config = Some(config.clone());
    Ok(Reply::Object(views::config(world.instance(id)?, &config)))
}

fn change(fields: &mut Fields, config: &mut Config) {
    for (name, target) in [
        ("label", &mut config.label),
        ("comments", &mut config.comments),
        ("kernel", &mut config.kernel),
        ("root_device", &mut config.root_device),
        ("run_level", &mut config.run_level),
        ("virt_mode", &mut config.virt_mode),
    ] {
        if let Some(text) = fields.text(name) {
            *target = text.to_owned();
        }
    }
    if !(1..=48).contains(&config.label.chars().count()) {
        fields.complain("label", "Length must be 1-48 characters");
    }
    if catalogue::find(&KERNELS, &config.kernel).is_none() {
        fields.complain("kernel", "kernel is not valid");
    }
    if !["default", "single", "binbash"].contains(&config.run_level.as_str()) {
        fields.complain("run_level", "Must be one of default, single, binbash");
    }
    if !["paravirt", "fullvirt"].contains(&config.virt_mode.as_str()) {
        fields.complain("virt_mode", "Must be one of paravirt, fullvirt");
    }
    if let Some(limit) = fields.integer("memory_limit") {
        config.memory_limit = limit.try_into().unwrap_or(0);
    }
    for (name, value) in fields.raw("helpers").and_then(Value::as_object).into_iter().flatten() {
        let target = match name.as_str() {
            "updatedb_disabled" => &mut config.helpers.updatedb_disabled,
            "distro" => &mut config.helpers.distro,
            "modules_dep" => &mut config.helpers.modules_dep,
            "network" => &mut config.helpers.network,
            "devtmpfs_automount" => &mut config.helpers.devtmpfs_automount,
            _ => continue,
        };
        match value.as_bool() {
            Some(value) => *target = value,
            None => fields.complain(format!("helpers.{name}"), "Must be a boolean"),
        }
    }
}
