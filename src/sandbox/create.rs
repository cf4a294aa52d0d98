//! Reading a request for a new Linode: every rule of the API that the sandbox knows.
//!
//! In: the body of `POST /linode/instances` and the account as it is.
//! Out: an [`Order`] that can be carried out, or every complaint at once.
//! Never: changes the account.

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use serde_json::Value;

use super::call::Call;
use super::catalogue::{self, IMAGES, KERNELS, REGIONS, TYPES};
use super::errors::Refusal;
use super::fields::Fields;
use super::instance::{Generation, InterfaceKind};
use super::interfaces::{self, Wanted};
use super::labels;
use super::world::World;

// The document says 65535 bytes in one place and about 16 KB in another; Linode's own controller
// stops at 16384 raw bytes, so a client that sends more can't count on it.
const USER_DATA_LIMIT: usize = 16_384;

/// What is to be made.
#[derive(Debug)]
pub struct Order {
    pub label: Option<String>,
    pub group: String,
    pub region: String,
    pub plan: String,
    pub image: Option<String>,
    pub tags: Vec<String>,
    pub user_data: Option<String>,
    pub authorized_keys: Vec<String>,
    pub booted: bool,
    pub private_ip: bool,
    pub backups_enabled: bool,
    pub disk_encryption: String,
    pub maintenance_policy: String,
    pub kernel: String,
    pub swap_size: u64,
    pub generation: Generation,
    pub interfaces: Vec<Wanted>,
    pub firewall: Option<u64>,
    pub placement_group: Option<u64>,
}

/// Reads and checks the body of a create.
pub fn read(world: &World, call: &Call) -> Result<Order, Refusal> {
    let mut fields = Fields::new(&call.body);
    let plan = entry(&mut fields, "type", &TYPES);
    let region = entry(&mut fields, "region", &REGIONS);
    let image = read_image(&mut fields);
    let label = read_label(&mut fields, world, None);
    let tags = read_tags(&mut fields).unwrap_or_default();
    let generation = read_generation(&mut fields);
    let interfaces = interfaces::read(&mut fields, generation, world, region);
    let firewall = read_firewall(&mut fields, world, generation, &interfaces);
    let order = Order {
        label,
        group: fields.text("group").unwrap_or_default().to_owned(),
        region: id_of(region),
        plan: id_of(plan),
        image: image.map(|image| id_of(Some(image))),
        tags,
        user_data: read_user_data(&mut fields, image, region),
        authorized_keys: read_keys(&mut fields),
        booted: fields.flag("booted").unwrap_or(true) && image.is_some(),
        private_ip: read_private_ip(&mut fields, generation),
        backups_enabled: fields.flag("backups_enabled").unwrap_or(false),
        disk_encryption: choice(&mut fields, "disk_encryption", &["enabled", "disabled"]),
        maintenance_policy: read_maintenance_policy(&mut fields)
            .unwrap_or_else(|| "linode/migrate".into()),
        kernel: read_kernel(&mut fields),
        swap_size: fields.integer("swap_size").and_then(|size| size.try_into().ok()).unwrap_or(512),
        generation,
        interfaces,
        firewall,
        placement_group: read_placement_group(&mut fields, world, region),
    };
    if image.is_some() {
        check_credentials(&mut fields)?;
    }
    Refusal::unless_empty(fields.complaints)?;
    if call.rules.quota_instances.is_some_and(|most| most <= world.instances.len()) {
        return Err(Refusal::general("Account Limit reached. Please open a support ticket."));
    }
    Ok(order)
}

fn entry<'a>(fields: &mut Fields, name: &str, list: &'a [Value]) -> Option<&'a Value> {
    let id = fields.required_text(name)?;
    let found = catalogue::find(list, id);
    if found.is_none() {
        fields.complain(name, format!("{name} is not valid"));
    }
    found
}

fn id_of(entry: Option<&Value>) -> String {
    entry.and_then(|entry| entry["id"].as_str()).unwrap_or_default().to_owned()
}

fn read_image(fields: &mut Fields) -> Option<&'static Value> {
    let id = fields.text("image")?;
    let found = catalogue::find(&IMAGES, id);
    if found.is_none() {
        fields.complain("image", "image is not valid");
    }
    found
}

/// Reads a label that is to be new or, on an update, may stay with `owner`.
pub fn read_label(fields: &mut Fields, world: &World, owner: Option<u64>) -> Option<String> {
    let label = fields.text("label")?;
    if let Err(reason) = labels::check_linode_label(label) {
        fields.complain("label", reason);
    }
    let taken = |one: &super::instance::Instance| one.label == label && Some(one.id) != owner;
    if world.instances.values().any(taken) {
        fields.complain("label", "Label must be unique among your linodes");
    }
    Some(label.to_owned())
}

/// Reads tags; doubles are dropped, the order stays.
pub fn read_tags(fields: &mut Fields) -> Option<Vec<String>> {
    let mut tags = Vec::new();
    for (index, tag) in fields.texts("tags")?.into_iter().enumerate() {
        if let Err(reason) = labels::check_tag(&tag) {
            fields.complain(format!("tags[{index}]"), reason);
        }
        if !tags.contains(&tag) {
            tags.push(tag);
        }
    }
    Some(tags)
}

fn read_generation(fields: &mut Fields) -> Generation {
    match fields.text("interface_generation") {
        None | Some("legacy_config") => Generation::LegacyConfig,
        Some("linode") => Generation::Linode,
        Some(_) => {
            fields.complain("interface_generation", "Must be one of legacy_config, linode");
            Generation::LegacyConfig
        }
    }
}

fn read_firewall(
    fields: &mut Fields,
    world: &World,
    generation: Generation,
    interfaces: &[Wanted],
) -> Option<u64> {
    let id = fields.integer("firewall_id").filter(|id| *id != -1)?;
    let only_vlans = interfaces.iter().all(|one| one.kind != InterfaceKind::Public);
    if generation == Generation::Linode && !(only_vlans && !interfaces.is_empty()) {
        fields.complain("firewall_id", "Must be set on each interface for Linode Interfaces");
        return None;
    }
    let known = u64::try_from(id).ok().filter(|id| world.firewalls.contains_key(id));
    if known.is_none() {
        fields.complain("firewall_id", "firewall_id is not valid");
    }
    known
}

/// Checks user data: standard base64, small enough, and of use to image and region.
pub fn read_user_data(
    fields: &mut Fields,
    image: Option<&Value>,
    region: Option<&Value>,
) -> Option<String> {
    const FIELD: &str = "metadata.user_data";
    let metadata = fields.raw("metadata")?;
    let encoded = match &metadata["user_data"] {
        Value::Null => return None,
        Value::String(text) if text.is_empty() => return None,
        Value::String(text) => text,
        _ => {
            fields.complain(FIELD, "user_data must be a string");
            return None;
        }
    };
    match BASE64_STANDARD.decode(encoded) {
        Err(_) => fields.complain(FIELD, "user_data must be base64-encoded"),
        Ok(raw) if USER_DATA_LIMIT < raw.len() => {
            let reason = format!("user_data must not exceed {USER_DATA_LIMIT} bytes");
            fields.complain(FIELD, reason);
        }
        Ok(_) => {}
    }
    if image.is_some_and(|image| !catalogue::can(image, "cloud-init")) {
        fields.complain(FIELD, "The image does not support cloud-init");
    }
    if region.is_some_and(|region| !catalogue::can(region, "Metadata")) {
        fields.complain(FIELD, "The region does not support Metadata");
    }
    Some(encoded.clone())
}

/// Reads SSH keys for root.
pub fn read_keys(fields: &mut Fields) -> Vec<String> {
    let keys = fields.texts("authorized_keys").unwrap_or_default();
    for (index, key) in keys.iter().enumerate() {
        let kind = key.split_whitespace().next().unwrap_or_default();
        let known = ["ssh-", "ecdsa-", "sk-"].iter().any(|start| kind.starts_with(start));
        if !known || key.split_whitespace().count() < 2 {
            fields.complain(format!("authorized_keys[{index}]"), "SSH Key is not valid");
        }
    }
    keys
}

fn read_private_ip(fields: &mut Fields, generation: Generation) -> bool {
    let wanted = fields.flag("private_ip").unwrap_or(false);
    if wanted && generation == Generation::Linode {
        fields.complain("private_ip", "Cannot be used with Linode Interfaces");
    }
    wanted
}

fn choice(fields: &mut Fields, name: &str, choices: &[&str]) -> String {
    let chosen = fields.text(name).unwrap_or(choices[0]);
    if !choices.contains(&chosen) {
        fields.complain(name, format!("Must be one of {}", choices.join(", ")));
    }
    chosen.to_owned()
}

/// Reads a maintenance policy.
pub fn read_maintenance_policy(fields: &mut Fields) -> Option<String> {
    let policy = fields.text("maintenance_policy")?;
    if !matches!(policy, "linode/migrate" | "linode/power_off_on") {
        fields.complain("maintenance_policy", "Unsupported maintenance policy slug format.");
    }
    Some(policy.to_owned())
}

fn read_kernel(fields: &mut Fields) -> String {
    let kernel = fields.text("kernel").unwrap_or("linode/grub2");
    if catalogue::find(&KERNELS, kernel).is_none() {
        fields.complain("kernel", "kernel is not valid");
    }
    kernel.to_owned()
}

fn read_placement_group(fields: &mut Fields, world: &World, region: Option<&Value>) -> Option<u64> {
    let id = fields.raw("placement_group")?["id"].as_u64();
    let group = id.and_then(|id| world.placement_groups.get(&id));
    match group {
        None => fields.complain("placement_group.id", "placement_group.id is not valid"),
        Some(group) if Some(group.region.as_str()) != region.and_then(|r| r["id"].as_str()) => {
            fields.complain("placement_group.id", "Placement group is in another region");
        }
        Some(group) if world.members(group.id).len() >= super::placement::MOST_MEMBERS => {
            fields.complain("placement_group.id", "Placement group is full");
        }
        Some(_) => {}
    }
    id
}

/// An image needs at least one way in.
pub fn check_credentials(fields: &mut Fields) -> Result<(), Refusal> {
    let password = fields.text("root_pass");
    if let Some(password) = password {
        if !(11..=128).contains(&password.chars().count()) {
            fields.complain("root_pass", "Length must be 11-128 characters");
        } else if kinds_of_characters(password) < 2 {
            fields.complain("root_pass", "Password does not meet strength requirement");
        }
    }
    let has = |name: &str| {
        fields.raw(name).and_then(Value::as_array).is_some_and(|list| !list.is_empty())
    };
    if password.is_some() || has("authorized_keys") || has("authorized_users") {
        return Ok(());
    }
    // Recorded: this complaint names no field, and comes alone.
    Err(Refusal::general("Must provide valid root_pass, authorized_keys, or authorized_users"))
}

fn kinds_of_characters(password: &str) -> usize {
    let kinds: [fn(char) -> bool; 4] = [
        |c| c.is_lowercase(),
        |c| c.is_uppercase(),
        |c| c.is_ascii_digit(),
        |c| !c.is_alphanumeric(),
    ];
    kinds.iter().filter(|kind| password.chars().any(**kind)).count()
}
