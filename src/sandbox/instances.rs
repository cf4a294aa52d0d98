//! Making, showing, changing and deleting Linodes.
//!
//! In: calls on `/linode/instances`.
//! Out: the account changed, jobs queued, and the Linode as it is.
//! Never: waits for a job: everything answers at once.

use jiff::Timestamp;
use rand::{RngExt, SeedableRng};
use serde_json::{Value, json};

use super::call::{Answer, Call, Reply};
use super::catalogue::{self, IMAGES, TYPES};
use super::create::{self, Order};
use super::effects::Curse;
use super::errors::Refusal;
use super::events::Entity;
use super::fields::Fields;
use super::instance::{Config, Disk, Helpers, Instance, Interface, Status};
use super::interfaces::Wanted;
use super::jobs::JobKind;
use super::options::NetworkHelper;
use super::views;
use super::world::World;
use crate::domain::after;

/// What `X-Filter` may name for Linodes. Not `status`, `type` or `created`.
pub const KEYS: &[&str] = &[
    "id",
    "label",
    "tags",
    "region",
    "image",
    "ipv4",
    "group",
    "interface_generation",
    "placement_group.label",
    "placement_group.placement_group_type",
];

/// `GET /linode/instances`
pub fn list(world: &mut World, call: &Call) -> Answer {
    let listed = |one: &&Instance| one.unlisted_until.is_none_or(|until| until <= call.now);
    let all = world.instances.values().filter(listed).map(|one| views::linode(world, one));
    Ok(Reply::list(all.collect(), KEYS))
}

/// `GET /linode/instances/{linodeId}`
pub fn get(world: &mut World, call: &Call) -> Answer {
    Ok(Reply::Object(views::linode(world, world.instance(call.id(0)?)?)))
}

/// `POST /linode/instances`: always `provisioning`, whatever was asked for.
pub fn create(world: &mut World, call: &Call) -> Answer {
    let order = create::read(world, call)?;
    let id = world.next_id();
    let instance = build(world, call, id, &order);
    let label = instance.label.clone();
    let interfaces: Vec<u64> = instance.interfaces.iter().map(|one| one.id).collect();
    world.admit(call.now, instance);
    world.attach_firewall(call.now, order.firewall, Entity::linode(id, &label));
    for (wanted, interface) in order.interfaces.iter().zip(interfaces) {
        let url = format!("/v4/linode/instances/{id}/interfaces/{interface}");
        let entity =
            Entity { id: interface.into(), kind: "interface".into(), label: label.clone(), url };
        world.attach_firewall(call.now, wanted.firewall, entity);
    }
    schedule(world, call, id, JobKind::Create);
    if order.booted {
        schedule(world, call, id, JobKind::FirstBoot);
    }
    Ok(Reply::Object(views::linode(world, world.instance(id)?)))
}

fn build(world: &mut World, call: &Call, id: u64, order: &Order) -> Instance {
    let now = call.now;
    let mut chance =
        rand::rngs::StdRng::seed_from_u64(call.rules.pace.seed.wrapping_add(id.rotate_left(20)));
    let interfaces = order.interfaces.iter().map(|wanted| interface(world, now, wanted)).collect();
    let disks = disks(world, now, order);
    let config = order.image.as_deref().map(|image| config(world, call, image, &order.kernel));
    Instance {
        id,
        label: order.label.clone().unwrap_or_else(|| format!("linode{id}")),
        group: order.group.clone(),
        region: order.region.clone(),
        plan: order.plan.clone(),
        image: order.image.clone(),
        status: Status::Provisioning,
        created: now,
        updated: now,
        ipv4: world.free_public_address(),
        private_ipv4: order.private_ip.then(|| world.free_private_address()),
        ipv6: World::ipv6_of(id),
        tags: order.tags.clone(),
        user_data: order.user_data.clone(),
        authorized_keys: order.authorized_keys.clone(),
        placement_group: order.placement_group,
        disk_encryption: order.disk_encryption.clone(),
        generation: order.generation,
        maintenance_policy: order.maintenance_policy.clone(),
        watchdog_enabled: true,
        alerts: json!({
            "cpu": 90, "network_in": 10, "network_out": 10, "transfer_quota": 80, "io": 10000,
            "system_alerts": [], "user_alerts": [],
        }),
        backups_enabled: order.backups_enabled,
        // 40 hexadecimal digits, as recorded.
        host_id: (0..5).map(|_| format!("{:08x}", chance.random::<u32>())).collect(),
        disks,
        config,
        interfaces,
        jobs: Default::default(),
        vanishes: call.curse.vanish_after.map(|wait| after(now, wait)),
        unlisted_until: call.curse.listed_after.map(|wait| after(now, wait)),
    }
}

/// A new interface.
pub fn interface(world: &mut World, now: Timestamp, wanted: &Wanted) -> Interface {
    let Wanted { kind, primary, .. } = wanted.clone();
    Interface { id: world.next_id(), kind, primary, created: now }
}

fn disks(world: &mut World, now: Timestamp, order: &Order) -> Vec<Disk> {
    let Some(image) = order.image.as_deref() else { return Vec::new() };
    let whole = catalogue::find(&TYPES, &order.plan).and_then(|plan| plan["disk"].as_u64());
    let root = whole.unwrap_or(0).saturating_sub(order.swap_size);
    let mut disk = |label: String, filesystem: &str, size| {
        let filesystem = filesystem.to_owned();
        Disk { id: world.next_id(), label, filesystem, size, created: now }
    };
    vec![
        disk(format!("{} Disk", image_label(image)), "ext4", root),
        disk(format!("{} MB Swap Image", order.swap_size), "swap", order.swap_size),
    ]
}

fn image_label(image: &str) -> &'static str {
    catalogue::find(&IMAGES, image).and_then(|image| image["label"].as_str()).unwrap_or("Image")
}

fn config(world: &mut World, call: &Call, image: &str, kernel: &str) -> Config {
    let network = call.rules.network_helper == NetworkHelper::On;
    Config {
        id: world.next_id(),
        label: format!("My {} Disk Profile", image_label(image)),
        comments: String::new(),
        kernel: kernel.into(),
        memory_limit: 0,
        root_device: "/dev/sda".into(),
        run_level: "default".into(),
        virt_mode: "paravirt".into(),
        helpers: Helpers { network, ..Helpers::default() },
        created: call.now,
        updated: call.now,
    }
}

/// `PUT /linode/instances/{linodeId}`
pub fn update(world: &mut World, call: &Call) -> Answer {
    let id = call.id(0)?;
    world.instance(id)?;
    let mut fields = Fields::new(&call.body);
    let label = create::read_label(&mut fields, world, Some(id));
    let tags = create::read_tags(&mut fields);
    let group = fields.text("group");
    let watchdog = fields.flag("watchdog_enabled");
    let policy = create::read_maintenance_policy(&mut fields);
    let alerts = read_alerts(&mut fields);
    Refusal::unless_empty(fields.complaints)?;
    world.tags.extend(tags.iter().flatten().cloned());
    let instance = world.instance_mut(id)?;
    instance.updated = call.now;
    instance.label = label.unwrap_or_else(|| instance.label.clone());
    instance.tags = tags.unwrap_or_else(|| instance.tags.clone());
    instance.group = group.map_or_else(|| instance.group.clone(), str::to_owned);
    instance.watchdog_enabled = watchdog.unwrap_or(instance.watchdog_enabled);
    instance.maintenance_policy = policy.unwrap_or_else(|| instance.maintenance_policy.clone());
    for (name, value) in alerts {
        instance.alerts[name] = value.into();
    }
    let entity = Entity::linode(id, &instance.label);
    world.notify(call.now, "linode_update", entity);
    Ok(Reply::Object(views::linode(world, world.instance(id)?)))
}

fn read_alerts(fields: &mut Fields) -> Vec<(&'static str, u64)> {
    let Some(alerts) = fields.raw("alerts") else { return Vec::new() };
    let mut read = Vec::new();
    for name in ["cpu", "network_in", "network_out", "transfer_quota", "io"] {
        match (&alerts[name], alerts[name].as_u64()) {
            (Value::Null, _) => {}
            (_, Some(number)) => read.push((name, number)),
            (_, None) => fields.complain(format!("alerts.{name}"), "Must be an integer"),
        }
    }
    read
}

/// `DELETE /linode/instances/{linodeId}`: accepted in every status; while the job runs the Linode
/// shows as `deleting` and a repetition changes nothing.
pub fn delete(world: &mut World, call: &Call) -> Answer {
    let id = call.id(0)?;
    let instance = world.instance(id)?;
    if world.locks.values().any(|lock| lock.linode == id) {
        return Err(Refusal::general("Linode is locked and cannot be deleted."));
    }
    if instance.jobs.iter().any(|job| job.kind == JobKind::Delete) {
        return Ok(Reply::empty());
    }
    world.cancel_jobs(call.now, id);
    schedule(world, call, id, JobKind::Delete);
    // The job begins in a moment, but nobody may see the old status after this answer.
    world.instance_mut(id)?.status = Status::Deleting;
    Ok(Reply::empty())
}

/// `POST /linode/instances/{linodeId}/rebuild`
pub fn rebuild(world: &mut World, call: &Call) -> Answer {
    let id = call.id(0)?;
    let instance = world.instance(id)?;
    if !instance.jobs.is_empty() {
        return Err(Refusal::busy());
    }
    let mut fields = Fields::new(&call.body);
    let image = fields.required_text("image");
    let known = image.and_then(|image| catalogue::find(&IMAGES, image));
    if image.is_some() && known.is_none() {
        fields.complain("image", "image is not valid");
    }
    let keys = create::read_keys(&mut fields);
    let user_data = create::read_user_data(&mut fields, known, None);
    let booted = fields.flag("booted").unwrap_or(true);
    create::check_credentials(&mut fields)?;
    Refusal::unless_empty(fields.complaints)?;
    let image = image.unwrap_or_default();
    let kernel = instance.config.as_ref().map_or("linode/grub2", |config| &config.kernel);
    let (kernel, plan) = (kernel.to_owned(), instance.plan.clone());
    let config = config(world, call, image, &kernel);
    let disks = rebuilt_disks(world, call.now, image, &plan);
    let instance = world.instance_mut(id)?;
    instance.image = Some(image.to_owned());
    instance.authorized_keys = keys;
    instance.user_data = user_data.or(instance.user_data.take());
    instance.config = Some(config);
    instance.disks = disks;
    instance.status = Status::Rebuilding;
    schedule(world, call, id, JobKind::Rebuild);
    if booted {
        schedule(world, call, id, JobKind::FirstBoot);
    }
    Ok(Reply::Object(views::linode(world, world.instance(id)?)))
}

fn rebuilt_disks(world: &mut World, now: Timestamp, image: &str, plan: &str) -> Vec<Disk> {
    let size = catalogue::find(&TYPES, plan).and_then(|plan| plan["disk"].as_u64()).unwrap_or(0);
    let label = format!("{} Disk", image_label(image));
    vec![Disk { id: world.next_id(), label, filesystem: "ext4".into(), size, created: now }]
}

/// Queues a job under whatever curse lies on this call.
pub fn schedule(world: &mut World, call: &Call, id: u64, kind: JobKind) {
    let Curse { drag, never_provisions, never_boots, boot_fails, .. } = call.curse;
    let boots = matches!(kind, JobKind::FirstBoot | JobKind::Boot | JobKind::Reboot);
    if let Some(job) = world.schedule(call.now, id, kind) {
        job.drag = drag.filter(|_| kind != JobKind::Delete).unwrap_or(1.0);
        job.stuck = (boots && never_boots) || (kind == JobKind::Create && never_provisions);
        job.doomed = boots && boot_fails;
    }
}

/// `GET /linode/instances/{linodeId}/ips`
pub fn ips(world: &mut World, call: &Call) -> Answer {
    Ok(Reply::Object(views::ips(world.instance(call.id(0)?)?)))
}

/// `GET /linode/instances/{linodeId}/disks`
pub fn list_disks(world: &mut World, call: &Call) -> Answer {
    let instance = world.instance(call.id(0)?)?;
    let disks = instance.disks.iter().map(|disk| views::disk(instance, disk)).collect();
    Ok(Reply::list(disks, &["label", "size"]))
}

/// `GET /linode/instances/{linodeId}/disks/{diskId}`
pub fn get_disk(world: &mut World, call: &Call) -> Answer {
    let instance = world.instance(call.id(0)?)?;
    let id = call.id(1)?;
    let disk = instance.disks.iter().find(|disk| disk.id == id).ok_or_else(Refusal::not_found)?;
    Ok(Reply::Object(views::disk(instance, disk)))
}
