//! Drives a pool's loop through virtual time: look, rest, look; die and start again.

use std::future::Future;
use std::sync::Arc;
use std::task::Poll;

use super::tally::Cut;
use super::world::{SimWaits, SimWorld};
use crate::domain::{Duration, NodeCount, NodeId, NodeState, Timestamp, after, elapsed};
use crate::policy::{Control, Policy};
use crate::ports::Clock;
use crate::reconciler::{Candidate, Courier, PoolLoop, PoolStatus, Preview, Shadow, preview};
use crate::store::{Command, CommandKind, Entry, Store, StoreError};
use crate::telemetry::Metrics;

/// Couriers go out at least this often.
const LONGEST_REST: Duration = Duration::from_secs(60);

/// How a simulation runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Settings {
    /// Between two decisions.
    pub interval: Duration,
    /// The loop rests at least this long where nothing went on: real looks while balancers are
    /// waited for come much faster, and show nothing more.
    pub grain: Duration,
    /// Whether the daemon acts.
    pub control: Control,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            interval: Duration::from_secs(5),
            grain: Duration::from_secs(1),
            control: Control::Automatic,
        }
    }
}

/// One pool in one world, with the daemon that looks after it.
pub struct Simulation {
    world: SimWorld,
    policy: Arc<Policy>,
    store: Arc<Store>,
    settings: Settings,
    /// `None` while the daemon is dead.
    pool: Option<PoolLoop>,
    /// None while the daemon is dead.
    couriers: Vec<Courier>,
    /// When the couriers go out next.
    couriers_at: Timestamp,
    metrics: Metrics,
    starts: u64,
    looks: u64,
    candidates: Arc<[Candidate]>,
    /// None while the daemon is dead, or nobody is a candidate.
    shadow: Option<Shadow>,
    /// The last tick that was shown to the candidates.
    shown_at: Option<Timestamp>,
}

impl Simulation {
    /// A daemon that is about to start on `store`.
    pub fn new(world: SimWorld, policy: Policy, store: Store, settings: Settings) -> Self {
        let (policy, store) = (Arc::new(policy), Arc::new(store));
        let couriers_at = world.time();
        Self {
            world,
            policy,
            store,
            settings,
            pool: None,
            metrics: Metrics::new(),
            couriers: Vec::new(),
            couriers_at,
            starts: 0,
            looks: 0,
            candidates: Arc::new([]),
            shadow: None,
            shown_at: None,
        }
    }

    /// The daemon is told to follow these candidates beside its policy.
    pub fn follow(&mut self, candidates: Vec<Candidate>) {
        self.candidates = candidates.into();
    }

    /// The world.
    pub fn world(&self) -> &SimWorld {
        &self.world
    }

    /// The policy.
    pub fn policy(&self) -> &Policy {
        &self.policy
    }

    /// The store.
    pub fn store(&self) -> &Store {
        &self.store
    }

    /// The daemon's metrics in their text format; all its processes count together.
    pub fn metrics(&self) -> String {
        self.metrics.text()
    }

    /// The pool as of its last look.
    pub fn status(&self) -> Option<Arc<PoolStatus>> {
        self.pool.as_ref().map(|pool| pool.status().borrow().clone())
    }

    /// Runs for so long.
    pub async fn run_for(&mut self, length: Duration) -> Result<(), StoreError> {
        let end = after(self.world.time(), length);
        self.run_until(end, |_| false).await.map(|_| ())
    }

    /// Runs until `reached`, looked at after each look, or for so long. Whether it was reached.
    pub async fn run_to(
        &mut self,
        longest: Duration,
        reached: impl Fn(&PoolStatus) -> bool,
    ) -> Result<bool, StoreError> {
        let end = after(self.world.time(), longest);
        self.run_until(end, reached).await
    }

    async fn run_until(
        &mut self,
        end: Timestamp,
        reached: impl Fn(&PoolStatus) -> bool,
    ) -> Result<bool, StoreError> {
        while self.world.time() < end {
            let rest = match self.look().await? {
                Some(rest) => {
                    if self.status().is_some_and(|status| reached(&status)) {
                        return Ok(true);
                    }
                    rest
                }
                None => self.time_dead(),
            };
            self.rest(rest, end);
        }
        Ok(false)
    }

    /// Lets a rest pass, no further than `end`.
    pub(super) fn rest(&self, rest: Duration, end: Timestamp) {
        self.world.pass(rest.min(elapsed(self.world.time(), end)));
    }

    /// One look, and how long to rest after it. `None`: the daemon died in it.
    pub async fn look(&mut self) -> Result<Option<Duration>, StoreError> {
        self.looks += 1;
        let polls = self.world.killed_after_polls(self.looks);
        let Some(rest) = self.look_until_killed(polls).await? else {
            if let (Some(polls), false) = (polls, self.world.is_dead()) {
                self.world.note_kill(polls);
            }
            return Ok(None);
        };
        if !self.deliver().await? {
            return Ok(None);
        }
        let due = self.pool.as_ref().and_then(PoolLoop::decide_at);
        let due = due.map_or(Duration::ZERO, |due| elapsed(self.world.now(), due));
        let went_on = rest < Duration::from_millis(100);
        // No decision waits for the grain.
        Ok(Some(if went_on { rest } else { rest.max(self.settings.grain.min(due)) }))
    }

    /// One look that is given up after so many polls, as if the process was killed right there:
    /// between any two awaits, those on the store included. Whether the look ended before that.
    pub async fn look_for_polls(&mut self, polls: u32) -> Result<bool, StoreError> {
        Ok(self.look_until_killed(Some(polls)).await?.is_some())
    }

    /// One look; `None` where the daemon dies in it, or is killed after so many polls.
    async fn look_until_killed(
        &mut self,
        polls: Option<u32>,
    ) -> Result<Option<Duration>, StoreError> {
        let mut pool = match self.pool.take() {
            Some(pool) => pool,
            None => self.start().await?,
        };
        pool.take_candidates(self.candidates.clone());
        let rest = self.until_death(polls, pool.look()).await;
        match rest {
            Ok(None) => self.kill(),
            // A store that fails does not end the daemon.
            Ok(Some(_)) | Err(_) => {
                if rest.is_ok() {
                    self.show_candidates(&pool).await?;
                }
                self.pool = Some(pool);
            }
        }
        rest
    }

    /// What the candidates make of a tick that they have not seen; in life they are a task.
    async fn show_candidates(&mut self, pool: &PoolLoop) -> Result<(), StoreError> {
        let Some(tick) = pool.ticks().borrow().clone() else { return Ok(()) };
        let at = tick.observation.at;
        if self.shown_at.replace(at) == Some(at) {
            return Ok(());
        }
        let shadow = self.shadow.get_or_insert_with(|| {
            let (name, ports) = (self.policy.pool.clone(), self.world.ports());
            let interval = self.settings.interval;
            Shadow::new(name, ports, self.store.clone(), Metrics::new(), interval)
        });
        shadow.look(&tick).await
    }

    /// The couriers' rounds, if it is time. Whether the daemon lives.
    async fn deliver(&mut self) -> Result<bool, StoreError> {
        if self.world.time() < self.couriers_at {
            return Ok(true);
        }
        let mut couriers = std::mem::take(&mut self.couriers);
        let mut rest = LONGEST_REST;
        for courier in &mut couriers {
            let Some(asked) = self.until_death(None, courier.round()).await? else {
                self.pool = None;
                return Ok(false);
            };
            rest = rest.min(asked);
        }
        self.couriers = couriers;
        self.couriers_at = after(self.world.time(), rest.max(self.settings.grain));
        Ok(true)
    }

    /// What `doing` comes to; none where the daemon dies in it, or is killed after so many polls.
    async fn until_death<T>(
        &self,
        polls: Option<u32>,
        doing: impl Future<Output = Result<T, StoreError>>,
    ) -> Result<Option<T>, StoreError> {
        let mut doing = std::pin::pin!(doing);
        let mut death = std::pin::pin!(self.world.death());
        let mut left = polls;
        std::future::poll_fn(|context| {
            if death.as_mut().poll(context).is_ready() || left == Some(0) {
                return Poll::Ready(Ok(None));
            }
            left = left.map(|left| left - 1);
            doing.as_mut().poll(context).map(|done| done.map(Some))
        })
        .await
    }

    /// The daemon is killed between two looks.
    pub fn kill(&mut self) {
        self.pool = None;
        self.shadow = None;
        self.couriers.clear();
    }

    async fn start(&mut self) -> Result<PoolLoop, StoreError> {
        self.world.revive();
        self.starts += 1;
        let pool = PoolLoop::start(
            self.policy.clone(),
            self.world.ports(),
            self.store.clone(),
            self.metrics.clone(),
            self.settings.control,
            self.settings.interval,
        )
        .await?;
        let courier = |notifier| {
            let clock = Arc::new(self.world.clone());
            let waits = Arc::new(SimWaits(self.world.clone()));
            Courier::new(notifier, self.store.clone(), clock, waits, Metrics::new())
        };
        self.couriers = self.world.ports().notifiers.into_iter().map(courier).collect();
        Ok(pool.after_each_write(self.world.crash_hook()))
    }

    /// How long the daemon stays dead this time.
    pub(super) fn time_dead(&self) -> Duration {
        self.world.model().length("time dead", &self.starts.to_string(), 1, 60)
    }

    /// What a look would do now, without doing it.
    pub async fn preview(&self) -> Result<Preview, StoreError> {
        preview(Policy::clone(&self.policy), &self.world.ports(), self.store.clone()).await
    }

    /// An operator's command, in force for an hour.
    pub async fn command(&self, kind: CommandKind) -> Result<(), StoreError> {
        let now = self.world.now();
        let command = Command {
            id: crate::ports::Chance::uuid(&self.world, now),
            kind,
            reason: "a rehearsal".into(),
            owner: "operator".into(),
            given_at: now,
            expires_at: after(now, Duration::from_secs(3_600)),
        };
        self.store.add_command(&self.policy.pool, &command).await
    }

    /// How many nodes the loop wants.
    pub fn desired(&self) -> Option<NodeCount> {
        self.status().and_then(|status| status.desired)
    }

    /// Requests that were cut off though their node's drain had time left.
    pub async fn cuts_before_the_deadline(&self) -> Result<Vec<Cut>, StoreError> {
        let journal = self.store.journal(&self.policy.pool, i64::MAX, u32::MAX).await?;
        let nodes = self.store.load_pool(&self.policy.pool, Timestamp::MIN).await?.nodes;
        let id_of = |label: &str| nodes.iter().find(|node| node.label.as_str() == label);
        let deadline_passed = |node: NodeId, at: Timestamp| {
            journal.iter().any(|record| {
                let Entry::Entered { after: NodeState::Draining { deadline }, .. } = &record.entry
                else {
                    return false;
                };
                record.node == Some(node) && *deadline <= at
            })
        };
        let cuts = self.world.tally().cuts;
        Ok(cuts
            .into_iter()
            .filter(|cut| id_of(&cut.label).is_none_or(|node| !deadline_passed(node.id, cut.at)))
            .collect())
    }
}
