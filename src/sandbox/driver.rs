//! The driver: lets time pass for the account and runs hooks.
//!
//! In: wake-ups by requests, by the clock and by hooks that end.
//! Out: jobs moved on, hooks started and called off.
//! Never: two hooks for one VM at the same time.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::hooks::{self, HookError, VirtualMachine};
use super::jobs::{HookKind, WantedHook};
use super::shared::{Saving, Shared, now};
use crate::domain::elapsed;

// Hundreds of VMs that boot at once change state every millisecond; each change on disk of its own
// would keep the disk busy. A restart makes up for what a moment lost: a job begins again, and a
// hook is safe to repeat.
const SAVE_WITHIN: Duration = Duration::from_millis(100);

/// The operator's commands.
#[derive(Clone, Debug)]
pub struct Hooks {
    pub on_boot: Option<String>,
    pub on_shutdown: Option<String>,
    pub on_delete: Option<String>,
    pub timeout: Duration,
}

impl Hooks {
    fn command(&self, kind: HookKind) -> &str {
        let command = match kind {
            HookKind::Boot => &self.on_boot,
            HookKind::Shutdown => &self.on_shutdown,
            HookKind::Delete => &self.on_delete,
        };
        // `:` does nothing, successfully: a state file may want a hook of an earlier start.
        command.as_deref().unwrap_or(":")
    }
}

struct Running {
    hook: WantedHook,
    call_off: CancellationToken,
}

/// Runs until the sandbox is shut down; then calls off every hook and waits for its end.
pub async fn run(shared: Arc<Shared>, commands: Hooks) {
    let (ended, mut endings) = mpsc::unbounded_channel();
    let mut running: BTreeMap<u64, Running> = BTreeMap::new();
    let mut tasks = JoinSet::new();
    let mut save_at: Option<Instant> = None;
    loop {
        let pace = shared.rules.pace;
        let advance = |world: &mut super::world::World| {
            let advance = world.advance(now(), &pace);
            (advance, world.wanted_hooks())
        };
        let (advance, wanted) = shared
            .with(advance, |(advance, _)| if advance.changed { Saving::Soon } else { Saving::Not })
            .await;
        for one in running.values().filter(|one| !wanted.contains(&one.hook)) {
            one.call_off.cancel();
        }
        for hook in wanted {
            if running.contains_key(&hook.instance) {
                continue;
            }
            let machine = shared.look(|world| {
                let alive = world.instances.get(&hook.instance);
                alive.or(world.ghosts.get(&hook.instance)).map(VirtualMachine::of)
            });
            let Some(machine) = machine else { continue };
            let call_off = shared.shutdown.child_token();
            running
                .insert(hook.instance, Running { hook: hook.clone(), call_off: call_off.clone() });
            tasks.spawn(run_one(hook, commands.clone(), machine, call_off, ended.clone()));
        }
        let wait = advance.next.map_or(Duration::MAX, |due| elapsed(now(), due));
        if shared.is_unsaved() {
            save_at.get_or_insert_with(|| Instant::now() + SAVE_WITHIN);
        }
        let save = async {
            match save_at {
                Some(moment) => tokio::time::sleep_until(moment).await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            () = shared.changed.notified() => {}
            () = tokio::time::sleep(wait) => {}
            () = save => {
                save_at = None;
                shared.save().await;
            }
            () = shared.shutdown.cancelled() => break,
            Some((hook, outcome)) = endings.recv() => {
                running.remove(&hook.instance);
                settle(&shared, &hook, outcome).await;
            }
        }
    }
    while tasks.join_next().await.is_some() {}
    shared.save().await;
}

async fn run_one(
    hook: WantedHook,
    commands: Hooks,
    machine: VirtualMachine,
    call_off: CancellationToken,
    ended: mpsc::UnboundedSender<(WantedHook, Result<(), HookError>)>,
) {
    let command = commands.command(hook.kind);
    let outcome = hooks::run(command, &machine, commands.timeout, call_off).await;
    // Nobody listens any more only when the sandbox stops.
    let _ = ended.send((hook, outcome));
}

async fn settle(shared: &Shared, hook: &WantedHook, outcome: Result<(), HookError>) {
    let (id, kind) = (hook.instance, hook.kind);
    let outcome = match outcome {
        Ok(()) => Ok(()),
        // Its job is gone, or it is wanted again after a restart.
        Err(HookError::CalledOff) => return,
        Err(error) => {
            let cause = std::error::Error::source(&error).map(ToString::to_string);
            tracing::warn!(vm.id = id, cause, "{kind:?} hook of VM {id}: {error}");
            Err(error.to_string())
        }
    };
    shared.with(|world| world.hook_ended(now(), hook, outcome), |()| Saving::Soon).await;
}
