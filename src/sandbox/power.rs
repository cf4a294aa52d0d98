//! Boot, shut down, reboot.
//!
//! In: calls on a Linode's power.
//! Out: `{}` at once, and a job.
//! Never: more than a boot queued behind a create; anything else meanwhile is `Linode busy.`

use super::call::{Answer, Call, Reply};
use super::errors::Refusal;
use super::instance::Status;
use super::instances::schedule;
use super::jobs::JobKind;
use super::world::World;

/// `POST /linode/instances/{linodeId}/boot`: while the Linode is still being made it is queued.
pub fn boot(world: &mut World, call: &Call) -> Answer {
    let id = call.id(0)?;
    check_config(world, call, id)?;
    let instance = world.instance(id)?;
    let boots =
        instance.jobs.iter().any(|job| matches!(job.kind, JobKind::FirstBoot | JobKind::Boot));
    if boots && instance.status == Status::Provisioning {
        // Recorded: accepted. The boot that follows the create by itself is the one asked for.
        return Ok(Reply::empty());
    }
    if instance.status == Status::Running || boots {
        return Err(Refusal::general(format!("Linode {id} already booted.")));
    }
    if instance.jobs.iter().any(|job| job.kind != JobKind::Create) {
        return Err(Refusal::busy());
    }
    if instance.config.is_none() {
        return Err(Refusal::general("Linode has no configuration profile to boot"));
    }
    schedule(world, call, id, JobKind::Boot);
    Ok(Reply::empty())
}

/// `POST /linode/instances/{linodeId}/shutdown`
pub fn shutdown(world: &mut World, call: &Call) -> Answer {
    begin(world, call, JobKind::Shutdown, Status::ShuttingDown)
}

/// `POST /linode/instances/{linodeId}/reboot`
pub fn reboot(world: &mut World, call: &Call) -> Answer {
    let id = call.id(0)?;
    check_config(world, call, id)?;
    if world.instance(id)?.config.is_none() {
        return Err(Refusal::general("Linode has no configuration profile to boot"));
    }
    begin(world, call, JobKind::Reboot, Status::Rebooting)
}

fn begin(world: &mut World, call: &Call, kind: JobKind, status: Status) -> Answer {
    let id = call.id(0)?;
    let instance = world.instance_mut(id)?;
    if !instance.jobs.is_empty() {
        return Err(Refusal::busy());
    }
    // The job begins in a moment, but nobody may see the old status after this answer.
    instance.status = status;
    schedule(world, call, id, kind);
    Ok(Reply::empty())
}

fn check_config(world: &World, call: &Call, id: u64) -> Result<(), Refusal> {
    let Some(wanted) = call.body.get("config_id").filter(|value| !value.is_null()) else {
        return Ok(());
    };
    let own = world.instance(id)?.config.as_ref().map(|config| config.id);
    if wanted.as_u64().is_some() && wanted.as_u64() == own {
        return Ok(());
    }
    Err(Refusal::on("config_id", "config_id is not valid"))
}
