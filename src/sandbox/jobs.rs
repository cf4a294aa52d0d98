//! Time: jobs begin, take as long as they were recorded to take, and end.
//!
//! In: the clock's reading, and what became of hooks.
//! Out: instances in their next status, events moved on, and when to look again.
//! Never: waits, or starts a hook: it says which hooks are wanted.
//!
//! Durations, recorded with g6-nanode-1: create to running 45 to 105 s, median 61; a later boot
//! 24 to 67 s; shutdown 28 s; create without an image 3 to 8 s.

use std::time::Duration;

use jiff::Timestamp;
use rand::{RngExt, SeedableRng};
use serde::{Deserialize, Serialize};

use super::events::{Entity, Progress};
use super::instance::{Instance, Status};
use super::options::Speed;
use super::world::World;
use crate::domain::{after, elapsed};

/// Something that takes a Linode time.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Job {
    pub kind: JobKind,
    /// The event that tells of it.
    pub event: u64,
    /// Real-life length is multiplied by this (a fault's doing; 1 otherwise).
    pub drag: f64,
    /// It never ends by itself (a fault's doing).
    pub stuck: bool,
    /// It ends in failure (a fault's doing).
    pub doomed: bool,
    /// When it began and is due; `None` while it waits for its turn.
    pub span: Option<(Timestamp, Timestamp)>,
    /// Hooks that must still succeed before it can end, first one first.
    pub hooks: Vec<HookKind>,
}

/// The kinds of jobs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum JobKind {
    /// Make the VM: disks from an image, or nothing much.
    Create,
    /// The boot that follows a create or rebuild by itself.
    FirstBoot,
    /// A boot that was asked for.
    Boot,
    Shutdown,
    Reboot,
    Rebuild,
    Delete,
}

/// Which of the operator's hooks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum HookKind {
    Boot,
    Shutdown,
    Delete,
}

/// How time passes here, and which hooks there are.
#[derive(Clone, Copy, Debug)]
pub struct Pace {
    pub speed: Speed,
    pub seed: u64,
    pub has_boot_hook: bool,
    pub has_shutdown_hook: bool,
    pub has_delete_hook: bool,
}

/// A hook that should be running now.
#[derive(Clone, Debug, PartialEq)]
pub struct WantedHook {
    pub instance: u64,
    /// The job's event; 0 for an instance that vanished.
    pub event: u64,
    pub kind: HookKind,
}

/// What a step through time did.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Advance {
    /// Whether anything changed, so that the state must be saved.
    pub changed: bool,
    /// When the next thing is due.
    pub next: Option<Timestamp>,
}

impl JobKind {
    fn action(self) -> &'static str {
        match self {
            Self::Create => "linode_create",
            Self::FirstBoot | Self::Boot => "linode_boot",
            Self::Shutdown => "linode_shutdown",
            Self::Reboot => "linode_reboot",
            Self::Rebuild => "linode_rebuild",
            Self::Delete => "linode_delete",
        }
    }

    fn status_while_running(self) -> Status {
        match self {
            Self::Create => Status::Provisioning,
            Self::FirstBoot | Self::Boot => Status::Booting,
            Self::Shutdown => Status::ShuttingDown,
            Self::Reboot => Status::Rebooting,
            Self::Rebuild => Status::Rebuilding,
            Self::Delete => Status::Deleting,
        }
    }

    /// Shortest and longest, in seconds of real life, and how strongly short ones prevail
    /// (a power: 1 is even).
    fn seconds(self, has_image: bool) -> (f64, f64, i32) {
        match self {
            Self::Create if has_image => (40.0, 58.0, 1),
            Self::Create => (3.0, 8.0, 1),
            Self::FirstBoot => (5.0, 47.0, 3),
            Self::Boot => (24.0, 67.0, 2),
            Self::Shutdown => (20.0, 34.0, 1),
            Self::Reboot => (35.0, 75.0, 2),
            Self::Rebuild => (40.0, 58.0, 1),
            Self::Delete => (3.0, 10.0, 1),
        }
    }

    fn hooks(self, pace: &Pace) -> Vec<HookKind> {
        let boot = pace.has_boot_hook.then_some(HookKind::Boot);
        let shutdown = pace.has_shutdown_hook.then_some(HookKind::Shutdown);
        let delete = pace.has_delete_hook.then_some(HookKind::Delete);
        match self {
            Self::Create | Self::Rebuild => Vec::new(),
            Self::FirstBoot | Self::Boot => boot.into_iter().collect(),
            Self::Shutdown => shutdown.into_iter().collect(),
            Self::Reboot => shutdown.into_iter().chain(boot).collect(),
            Self::Delete => delete.into_iter().collect(),
        }
    }
}

impl World {
    /// Queues a job and its event. `None` when the instance is unknown.
    pub fn schedule(&mut self, now: Timestamp, id: u64, kind: JobKind) -> Option<&mut Job> {
        let instance = self.instances.get(&id)?;
        let entity = Entity::linode(id, &instance.label);
        let secondary = secondary_entity(instance, kind);
        let event =
            self.record_event(now, kind.action(), Progress::Scheduled, Some(entity), secondary);
        let instance = self.instances.get_mut(&id)?;
        instance.updated = now;
        instance.jobs.push_back(Job {
            kind,
            event,
            drag: 1.0,
            stuck: false,
            doomed: false,
            span: None,
            hooks: Vec::new(),
        });
        instance.jobs.back_mut()
    }

    /// Gives up every job of an instance; their events end as failed.
    pub fn cancel_jobs(&mut self, now: Timestamp, id: u64) {
        let Some(instance) = self.instances.get_mut(&id) else { return };
        let jobs: Vec<Job> = instance.jobs.drain(..).collect();
        for job in jobs {
            let seconds = job.span.map_or(0.0, |(began, _)| elapsed(began, now).as_secs_f64());
            self.set_progress(job.event, Progress::Failed { at: now, seconds });
        }
    }

    /// Brings everything to where it is at `now`.
    pub fn advance(&mut self, now: Timestamp, pace: &Pace) -> Advance {
        let mut advance = Advance::default();
        let ids: Vec<u64> = self.instances.keys().copied().collect();
        for id in ids {
            while self.step(now, id, pace) {
                advance.changed = true;
            }
        }
        let vlans = self.vlans.len();
        let swept = self.sweep_vlans(now, pace);
        advance.changed |= vlans != self.vlans.len();
        let due = self.instances.values().flat_map(|instance| {
            let ends = instance.jobs.front().and_then(|job| match job {
                // Its hook's end wakes us; the clock can't do more for it.
                Job { stuck: true, .. } => None,
                job => job.span.map(|(_, due)| due).filter(|due| now < *due),
            });
            [ends, instance.vanishes].into_iter().flatten()
        });
        advance.next = due.chain(swept).min();
        advance
    }

    /// Hooks that should be running: one at most for each instance.
    pub fn wanted_hooks(&self) -> Vec<WantedHook> {
        let wanted = |instance: &Instance| {
            let job = instance.jobs.front().filter(|job| job.span.is_some())?;
            let kind = *job.hooks.first()?;
            Some(WantedHook { instance: instance.id, event: job.event, kind })
        };
        let ghost = |id: &u64| WantedHook { instance: *id, event: 0, kind: HookKind::Delete };
        self.instances.values().filter_map(wanted).chain(self.ghosts.keys().map(ghost)).collect()
    }

    /// Takes note of how a hook ended. A failed boot hook fails the job; the others' failures
    /// can't keep a VM alive. A hook whose job is no more is ignored.
    pub fn hook_ended(&mut self, now: Timestamp, hook: &WantedHook, outcome: Result<(), String>) {
        if self.ghosts.remove(&hook.instance).is_some() {
            return;
        }
        let Some(instance) = self.instances.get_mut(&hook.instance) else { return };
        let Some(job) = instance.jobs.front_mut().filter(|job| job.event == hook.event) else {
            return;
        };
        if job.hooks.first() != Some(&hook.kind) {
            return;
        }
        job.hooks.remove(0);
        if let (Err(why), HookKind::Boot) = (outcome, hook.kind) {
            job.hooks.clear();
            let event = job.event;
            self.end_job(now, hook.instance, JobEnd::Failed);
            if let Some(event) = self.events.iter_mut().find(|one| one.id == event) {
                event.message = why;
            }
        }
    }

    /// One change of one instance, if one is due.
    fn step(&mut self, now: Timestamp, id: u64, pace: &Pace) -> bool {
        let Some(instance) = self.instances.get_mut(&id) else { return false };
        if instance.vanishes.is_some_and(|moment| moment <= now) {
            self.vanish(now, id, pace);
            return true;
        }
        let has_image = instance.image.is_some();
        let Some(job) = instance.jobs.front_mut() else { return false };
        let Some((_, due)) = job.span else {
            let real = draw(pace.seed, job, has_image).mul_f64(job.drag);
            let due = after(now, pace.speed.shorten(real));
            job.span = Some((now, due));
            // What never comes up gets no body either.
            let hopeless = job.stuck || job.doomed;
            job.hooks = if hopeless { Vec::new() } else { job.kind.hooks(pace) };
            instance.status = job.kind.status_while_running();
            instance.updated = now;
            let event = job.event;
            self.set_progress(event, Progress::Started { at: now, due });
            return true;
        };
        if now < due || job.stuck || !job.hooks.is_empty() {
            return false;
        }
        let end = if job.doomed { JobEnd::Failed } else { JobEnd::Finished };
        self.end_job(now, id, end);
        true
    }

    fn end_job(&mut self, now: Timestamp, id: u64, end: JobEnd) {
        let Some(instance) = self.instances.get_mut(&id) else { return };
        let Some(job) = instance.jobs.pop_front() else { return };
        let seconds = job.span.map_or(0.0, |(began, _)| elapsed(began, now).as_secs_f64());
        instance.updated = now;
        let progress = match end {
            JobEnd::Finished => Progress::Finished { at: now, seconds },
            JobEnd::Failed => Progress::Failed { at: now, seconds },
        };
        instance.status = match (job.kind, end) {
            (JobKind::FirstBoot | JobKind::Boot | JobKind::Reboot, JobEnd::Finished) => {
                Status::Running
            }
            (JobKind::Delete, JobEnd::Finished) => Status::Deleting,
            _ => Status::Offline,
        };
        self.set_progress(job.event, progress);
        if (job.kind, end) == (JobKind::Delete, JobEnd::Finished) {
            self.remove_instance(now, id);
        }
    }
}

#[derive(Clone, Copy, PartialEq)]
enum JobEnd {
    Finished,
    Failed,
}

fn secondary_entity(instance: &Instance, kind: JobKind) -> Option<Entity> {
    match kind {
        JobKind::Create | JobKind::Rebuild => {
            let id = instance.image.as_deref()?;
            let image = super::catalogue::find(&super::catalogue::IMAGES, id)?;
            Some(Entity {
                id: id.into(),
                kind: "image".into(),
                label: image["label"].as_str().unwrap_or_default().into(),
                url: format!("/v4/images/{id}"),
            })
        }
        JobKind::FirstBoot | JobKind::Boot | JobKind::Reboot => {
            let config = instance.config.as_ref()?;
            Some(Entity {
                id: config.id.into(),
                kind: "linode_config".into(),
                label: config.label.clone(),
                url: format!("/v4/linode/instances/{}/configs/{}", instance.id, config.id),
            })
        }
        JobKind::Shutdown | JobKind::Delete => None,
    }
}

/// The real-life length of a job. The same seed and job give the same length, so a restart
/// changes nothing.
fn draw(seed: u64, job: &Job, has_image: bool) -> Duration {
    let mut chance = rand::rngs::StdRng::seed_from_u64(seed.rotate_left(32) ^ job.event);
    let (least, most, power) = job.kind.seconds(has_image);
    let share: f64 = chance.random::<f64>().powi(power);
    Duration::from_secs_f64(least + (most - least) * share)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn job(kind: JobKind, event: u64) -> Job {
        let (drag, stuck, doomed) = (1.0, false, false);
        Job { kind, event, drag, stuck, doomed, span: None, hooks: Vec::new() }
    }

    #[test]
    fn a_create_takes_as_long_as_the_recorded_ones_did() {
        let mut totals: Vec<f64> = (0..1_000)
            .map(|event| {
                let create = draw(7, &job(JobKind::Create, event), true);
                let boot = draw(7, &job(JobKind::FirstBoot, event + 5_000), true);
                (create + boot).as_secs_f64()
            })
            .collect();
        totals.sort_by(f64::total_cmp);
        assert!(45.0 <= totals[0] && totals[999] <= 105.0, "{} to {}", totals[0], totals[999]);
        assert!((56.0..=66.0).contains(&totals[500]), "median {}", totals[500]);
    }

    #[test]
    fn the_same_seed_gives_the_same_times() {
        let length = |seed| draw(seed, &job(JobKind::Boot, 12), true);
        assert_eq!(length(3), length(3));
        assert_ne!(length(3), length(4));
    }
}
