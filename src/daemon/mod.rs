//! The daemon: adapters put behind ports, a task for each pool, and an orderly end. The only
//! place that sleeps.
//!
//! In: settings and policies.
//! Out: a process that runs until it is told to stop, or until any part of it fails: a task that
//! ends early or panics ends the process, so that nothing is half alive.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use rustix::process::{Signal, getpid, kill_process};
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::{Notify, mpsc, watch};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use tracing::{error, info, warn};

use crate::api::{PoolSource, Sources};
use crate::config::{CandidateFiles, Config, read_candidates};
use crate::policy::{Control, Policy};
use crate::ports::{Clock, SystemChance, SystemClock};
use crate::reconciler::{Courier, LiveTick, PoolLoop, Shadow, World, give_up_for_strangers};
use crate::store::{Retention, Store, StoreError};
use crate::telemetry::Metrics;

mod adapters;
mod door;
mod reload;
mod start;

use adapters::warn_without_network_helper;
pub use adapters::{ansible_options, balancers, grafana, haproxies, linode, world};
use door::Door;
use reload::{InForce, PolicyOrder, Reloader};
pub use start::StartError;
use start::{check_access, check_balancers};

/// A store that fails may work again; until then nothing is done.
const STORE_AGAIN: Duration = Duration::from_secs(2);

/// After so long without a written look the process gives up and lets its supervisor start it
/// anew.
const STORE_GIVES_UP: u32 = 30;

/// Old rows are looked for this often.
const PRUNE_EVERY: Duration = Duration::from_secs(60);

/// The journal's end is told this often: what was written since can be written anew unseen.
const TELL_JOURNAL_END_EVERY: Duration = Duration::from_secs(3_600);

/// Runs until `stop`.
pub async fn run(
    config: Config,
    policies: Vec<(PathBuf, Policy)>,
    control: Control,
    stop: CancellationToken,
) -> anyhow::Result<()> {
    // First of all: whoever sends a SIGHUP wants the policies read, not the daemon gone.
    let hangups = signal(SignalKind::hangup()).context("can't listen for SIGHUP")?;
    let store = Arc::new(Store::open(&config.database).await.map_err(StartError::Store)?);
    let door = Door::open(&config, &store).await?;
    let metrics = Metrics::new();
    door.tell(&metrics);
    let world = world(&config)?;
    check_access(&config, &world).await?;
    warn_without_network_helper(&config).await;
    check_balancers(&config, &world, &policies).await?;
    let mut pools = BTreeMap::new();
    let mut loops = Vec::new();
    let mut shadows = Vec::new();
    let mut reloader = Reloader::new(config.file.clone());
    let candidates = candidates(&config, &policies);
    warn_of_unknown_pools(&config, &policies);
    for (file, policy) in policies {
        let policy = Arc::new(policy);
        let (pool, digest) = (&policy.pool, &policy.digest[..12]);
        info!(pool = %pool, "looks after {pool} by {} ({digest})", file.display());
        let pool = start_loop(&config, policy.clone(), &world, &store, &metrics, control).await?;
        let followed = candidates.of(&policy.pool).into();
        let watched = reloader.put(file, policy, followed);
        let shadow = Shadow::new(
            pool.pool().clone(),
            world.clone(),
            store.clone(),
            metrics.clone(),
            config.interval,
        );
        shadows.push((shadow, pool.ticks()));
        let wake = Arc::new(Notify::new());
        let (status, wake_up) = (pool.status(), wake.clone());
        let source = PoolSource { policy: watched.policy.clone(), status, wake: wake_up };
        pools.insert(pool.pool().clone(), source);
        loops.push((pool, watched, wake));
    }
    let (reload, asks) = mpsc::channel(1);
    let access = door.access.clone();
    let (ports, ended) = (world.clone(), stop.clone());
    let sources = Sources::new(store.clone(), pools, metrics, reload, ports, ended, access);
    let mut tasks = JoinSet::new();
    door.serve(&mut tasks, &sources, &stop)?;
    let mut wakes = Vec::new();
    for (pool, in_force, wake) in loops {
        wakes.push(wake.clone());
        tasks.spawn(look_after(pool, in_force, wake, stop.clone()));
    }
    for (shadow, ticks) in shadows {
        tasks.spawn(follow_candidates(shadow, ticks, stop.clone()));
    }
    give_up_for_strangers(&store, &world.notifiers, world.clock.now())
        .await
        .map_err(StartError::Store)?;
    for notifier in &world.notifiers {
        let courier = Courier::new(
            notifier.clone(),
            store.clone(),
            world.clock.clone(),
            Arc::new(SystemChance),
            sources.metrics.clone(),
        );
        tasks.spawn(deliver(courier, stop.clone()));
    }
    tasks.spawn(reloader.run(hangups, asks, stop.clone()));
    tasks.spawn(tell_run_ends(world.clone(), wakes, stop.clone()));
    tasks.spawn(prune(store.clone(), retention(&config), stop.clone()));
    tasks.spawn(tell_journal_end(store.clone(), stop.clone()));
    tasks.spawn(tell_supervisor(sources, stop.clone()));
    let end = supervise(tasks, stop).await;
    store.close().await;
    end
}

async fn start_loop(
    config: &Config,
    policy: Arc<Policy>,
    world: &World,
    store: &Arc<Store>,
    metrics: &Metrics,
    control: Control,
) -> Result<PoolLoop, StartError> {
    let interval = config.interval;
    let control = control.stricter(config.control_of(&policy.pool));
    let (world, store, metrics) = (world.clone(), store.clone(), metrics.clone());
    let pool = PoolLoop::start(policy, world, store, metrics, control, interval).await?;
    Ok(with_crash_point(pool))
}

/// In debug builds the process can be told to die right after a state was written and before
/// its act, as a power cut would have it: `WINDLASS_TEST_CRASH_AT=<state>`.
fn with_crash_point(pool: PoolLoop) -> PoolLoop {
    if !cfg!(debug_assertions) {
        return pool;
    }
    match std::env::var("WINDLASS_TEST_CRASH_AT") {
        Ok(state) => pool.after_each_write(Arc::new(move |written| {
            if written.name() == state {
                // SIGKILL to ourselves ends the process before this returns.
                let _ = kill_process(getpid(), Signal::KILL);
            }
        })),
        Err(_) => pool,
    }
}

/// One pool's task: look, rest, look; sooner when a playbook run ends or another policy comes
/// into force.
async fn look_after(
    mut pool: PoolLoop,
    mut in_force: InForce,
    wake: Arc<Notify>,
    stop: CancellationToken,
) -> anyhow::Result<()> {
    let mut failures = 0;
    while !stop.is_cancelled() {
        let rest = match look(&mut pool, &mut in_force).await {
            Ok(rest) => {
                failures = 0;
                rest
            }
            Err(cause) if failures < STORE_GIVES_UP => {
                failures += 1;
                let cause = anyhow::Error::new(cause);
                error!(pool = %pool.pool(), "nothing is done while the store fails: {cause:#}");
                STORE_AGAIN
            }
            Err(cause) => return Err(cause).context("the store does not recover"),
        };
        tokio::select! {
            () = tokio::time::sleep(rest) => {}
            () = wake.notified() => {}
            Ok(()) = in_force.order.changed() => {}
            () = stop.cancelled() => {}
        }
    }
    Ok(())
}

/// One look, by the policy that is in force.
async fn look(pool: &mut PoolLoop, in_force: &mut InForce) -> Result<Duration, StoreError> {
    let PolicyOrder { policy, owner } = in_force.order.borrow_and_update().clone();
    pool.take_policy(policy, owner).await?;
    pool.take_candidates(in_force.candidates.borrow_and_update().clone());
    pool.look().await
}

/// The candidates of every pool; a bad one is told, and harms nothing.
fn candidates(config: &Config, policies: &[(PathBuf, Policy)]) -> CandidateFiles {
    let Some(folder) = &config.candidates else { return CandidateFiles::default() };
    let found = read_candidates(folder, policies);
    for candidate in &found.good {
        let pool = &candidate.policy.pool;
        info!(pool = %pool, "follows the candidate {} beside {pool}", candidate.name);
    }
    for problems in &found.bad {
        warn!("a candidate is not followed: {problems}");
    }
    found
}

fn warn_of_unknown_pools(config: &Config, policies: &[(PathBuf, Policy)]) {
    for pool in config.pool_control.keys() {
        if policies.iter().all(|(_, policy)| policy.pool != *pool) {
            warn!("`pool_control` names the pool {pool}, which has no policy");
        }
    }
}

/// Has candidates decide after each decision of the live policy. Whatever becomes of them is no
/// reason to end: no live pool waits for this task, and none falls with it.
async fn follow_candidates(
    shadow: Shadow,
    ticks: watch::Receiver<Option<Arc<LiveTick>>>,
    stop: CancellationToken,
) -> anyhow::Result<()> {
    let following = tokio::spawn(follow(shadow, ticks, stop.clone()));
    if let Err(panic) = following.await {
        error!("candidates are followed no more until the next start: {panic}");
    }
    stop.cancelled().await;
    Ok(())
}

async fn follow(
    mut shadow: Shadow,
    mut ticks: watch::Receiver<Option<Arc<LiveTick>>>,
    stop: CancellationToken,
) {
    loop {
        tokio::select! {
            changed = ticks.changed() => if changed.is_err() { return },
            () = stop.cancelled() => return,
        }
        let tick = ticks.borrow_and_update().clone();
        let Some(tick) = tick else { continue };
        if let Err(cause) = shadow.look(&tick).await {
            let (pool, cause) = (&tick.policy.pool, anyhow::Error::new(cause));
            warn!(pool = %pool, "a candidate's decision was not written: {cause:#}");
        }
    }
}

/// Wakes every pool when a playbook run ends; one that is in the middle of a look looks again.
async fn tell_run_ends(
    world: World,
    wakes: Vec<Arc<Notify>>,
    stop: CancellationToken,
) -> anyhow::Result<()> {
    loop {
        tokio::select! {
            () = world.configurator.run_ended() => {}
            () = stop.cancelled() => return Ok(()),
        }
        wakes.iter().for_each(|wake| wake.notify_one());
    }
}

/// One receiver's task. Whatever becomes of it, nothing waits for it: a store that fails is the
/// pools' to give up on.
async fn deliver(mut courier: Courier, stop: CancellationToken) -> anyhow::Result<()> {
    loop {
        let round = tokio::select! {
            round = courier.round() => round,
            () = stop.cancelled() => return Ok(()),
        };
        let rest = round.unwrap_or_else(|cause| {
            let (name, cause) = (courier.destination(), anyhow::Error::new(cause));
            warn!(destination = %name, "{name} is not told while the store fails: {cause:#}");
            STORE_AGAIN
        });
        tokio::select! {
            () = tokio::time::sleep(rest) => {}
            () = stop.cancelled() => return Ok(()),
        }
    }
}

async fn prune(store: Arc<Store>, keep: Retention, stop: CancellationToken) -> anyhow::Result<()> {
    loop {
        tokio::select! {
            () = tokio::time::sleep(PRUNE_EVERY) => {}
            () = stop.cancelled() => return Ok(()),
        }
        if let Err(cause) = store.prune(SystemClock.now(), keep).await {
            let cause = anyhow::Error::new(cause);
            warn!("old rows stay for now: {cause:#}");
        }
    }
}

/// Notes the journal's end in the log, which others keep: whoever writes the chain anew in our file
/// can't write it anew there.
async fn tell_journal_end(store: Arc<Store>, stop: CancellationToken) -> anyhow::Result<()> {
    loop {
        match store.journal_end().await {
            Ok(end) => info!(journal.end = %end, "the journal ends at {end}"),
            Err(cause) => {
                let cause = anyhow::Error::new(cause);
                warn!("the journal's end can't be told: {cause:#}");
            }
        }
        tokio::select! {
            () = tokio::time::sleep(TELL_JOURNAL_END_EVERY) => {}
            () = stop.cancelled() => return Ok(()),
        }
    }
}

fn retention(config: &Config) -> Retention {
    let day = Duration::from_secs(24 * 3600);
    Retention {
        idle_decisions: config.retention.decisions.min(day),
        decisions: config.retention.decisions,
        samples: config.retention.samples,
        nodes: config.retention.nodes,
        hints: config.retention.hints,
        journal: config.retention.journal,
        messages: 7 * day,
    }
}

/// Tells systemd when every pool has been looked at, and from then on that they still are.
async fn tell_supervisor(sources: Sources, stop: CancellationToken) -> anyhow::Result<()> {
    for pool in sources.pools.values() {
        let mut status = pool.status.clone();
        tokio::select! {
            loaded = status.wait_for(|status| status.is_loaded) => drop(loaded),
            () = stop.cancelled() => return Ok(()),
        }
    }
    // Without systemd there is nobody to tell, and that is fine.
    let _ = sd_notify::notify(&[sd_notify::NotifyState::Ready]);
    let Some(limit) = sd_notify::watchdog_enabled() else {
        stop.cancelled().await;
        return Ok(());
    };
    let mut statuses: Vec<_> = sources.pools.values().map(|pool| pool.status.clone()).collect();
    loop {
        for status in &mut statuses {
            tokio::select! {
                changed = status.changed() => drop(changed),
                () = stop.cancelled() => return Ok(()),
            }
        }
        let _ = sd_notify::notify(&[sd_notify::NotifyState::Watchdog]);
        tokio::select! {
            () = tokio::time::sleep(limit / 4) => {}
            () = stop.cancelled() => return Ok(()),
        }
    }
}

/// Waits for the end of every task; the first that ends badly, or unasked, ends all.
async fn supervise(
    mut tasks: JoinSet<anyhow::Result<()>>,
    stop: CancellationToken,
) -> anyhow::Result<()> {
    let mut end = Ok(());
    while let Some(task) = tasks.join_next().await {
        let result = task.unwrap_or_else(|panic| Err(anyhow::anyhow!("a task died: {panic}")));
        let unasked = !stop.is_cancelled();
        stop.cancel();
        match result {
            Err(cause) if end.is_ok() => end = Err(cause),
            Err(cause) => error!("while stopping: {cause:#}"),
            Ok(()) if unasked && end.is_ok() => end = Err(anyhow::anyhow!("a task ended early")),
            Ok(()) => {}
        }
    }
    end
}
