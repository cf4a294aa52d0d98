//! A pool's loop: what it owns, and one look.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Instant;

use tokio::sync::watch;
use tracing::{info, warn};

use super::counting::Counting;
use super::facts::World as Seen;
use super::foresight::Foresight;
use super::inventory::Inventory;
use super::orders::Orders;
use super::orphans::Orphanage;
use super::shadow::{Candidate, LiveTick};
use super::spending::Spending;
use super::status::{PoolStatus, is_about_money, is_ineffective};
use super::telling::{Told, held_because};
use super::trouble::Trouble;
use crate::domain::{
    DecisionId, Duration, FleetCounts, Hint, Node, NodeId, NodeState, PoolName, Reading,
    SignalName, Timestamp, after, before,
};
use crate::engine::{
    Announced, Costs, Decision, Direction, Foreseen, History, Observation, ObservedNode, decide,
};
use crate::planner::{AddressUse, Note, Plan, PlanInput, plan, spare_on_the_way, sweep};
use crate::policy::{Control, Policy};
use crate::ports::{Balancer, Chance, Clock, Configurator, MetricsSource, Notifier};
use crate::store::{Change, Command, Entry, NewDecision, News, Store, StoreError};
use crate::telemetry::Metrics;

/// Ended nodes are remembered this long: failures among them slow creating down.
pub(super) const ENDED_MEMORY: Duration = Duration::from_secs(3 * 3600);

/// Everything outside, as ports.
#[derive(Clone)]
pub struct World {
    /// The cloud, with its shared listing.
    pub inventory: Arc<Inventory>,
    /// Runs playbooks.
    pub configurator: Arc<dyn Configurator>,
    /// Every balancer.
    pub balancers: Vec<Arc<dyn Balancer>>,
    /// Where signals are read.
    pub metrics: Arc<dyn MetricsSource>,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Chance.
    pub chance: Arc<dyn Chance>,
    /// Who is told; each has a courier of its own.
    pub notifiers: Vec<Arc<dyn Notifier>>,
}

/// One pool, looked after by one task that owns all of this.
pub struct PoolLoop {
    pub(super) policy: Arc<Policy>,
    pub(super) world: World,
    pub(super) store: Arc<Store>,
    pub(super) telemetry: Metrics,
    pub(super) nodes: BTreeMap<NodeId, Node>,
    pub(super) history: History,
    pub(super) absent_looks: BTreeMap<NodeId, (u64, u32)>,
    pub(super) suppressed: BTreeSet<String>,
    pub(super) notes: Vec<Note>,
    pub(super) spending: Spending,
    pub(super) foresight: Foresight,
    pub(super) counting: Counting,
    pub(super) orphanage: Orphanage,
    pub(super) orders: Orders,
    pub(super) after_write: Option<AfterWrite>,
    pub(super) told: Told,
    pub(super) trouble: Trouble,
    global: Control,
    pub(super) interval: Duration,
    decide_at: Option<Timestamp>,
    pub(super) candidates: Arc<[Candidate]>,
    ticks: watch::Sender<Option<Arc<LiveTick>>>,
    last: Option<(DecisionId, Observation, Decision)>,
    status: watch::Sender<Arc<PoolStatus>>,
}

/// Called after a state was written and before its act: where a simulation crashes.
pub type AfterWrite = Arc<dyn Fn(&NodeState) + Send + Sync>;

impl PoolLoop {
    /// Takes up a pool where the store left it, and writes down that it did.
    pub async fn start(
        policy: Arc<Policy>,
        world: World,
        store: Arc<Store>,
        telemetry: Metrics,
        global: Control,
        interval: Duration,
    ) -> Result<Self, StoreError> {
        let pool = Self::take_up(policy, world, store, telemetry, global, interval).await?;
        let entry = Entry::Started {
            version: env!("CARGO_PKG_VERSION").into(),
            policy_digest: pool.policy.digest.clone(),
        };
        let change = Change { entries: vec![(None, entry)], ..Change::default() };
        pool.store.keep_policy(&pool.policy, pool.now()).await?;
        pool.store.write(&pool.policy.pool, pool.now(), &change).await?;
        Ok(pool)
    }

    /// The same without a written word.
    pub(super) async fn take_up(
        policy: Arc<Policy>,
        world: World,
        store: Arc<Store>,
        telemetry: Metrics,
        global: Control,
        interval: Duration,
    ) -> Result<Self, StoreError> {
        let now = world.clock.now();
        let state = store.load_pool(&policy.pool, before(now, ENDED_MEMORY)).await?;
        let orphanage = Orphanage::load(&store, &policy.pool, now).await?;
        let told = Told::of(store.conditions(&policy.pool).await?, now);
        let newest = store.journal(&policy.pool, i64::MAX, 1).await?;
        let trouble = Trouble::since(newest.first().map(|record| record.at));
        let status = PoolStatus::starting(&policy, now);
        Ok(Self {
            policy,
            world,
            store,
            telemetry,
            nodes: state.nodes.into_iter().map(|node| (node.id, node)).collect(),
            history: state.history,
            absent_looks: BTreeMap::new(),
            suppressed: BTreeSet::new(),
            notes: Vec::new(),
            spending: Spending::default(),
            foresight: Foresight::default(),
            counting: Counting::default(),
            orphanage,
            orders: Orders::default(),
            after_write: None,
            told,
            trouble,
            global,
            interval,
            decide_at: None,
            candidates: Arc::new([]),
            ticks: watch::Sender::new(None),
            last: None,
            status: watch::Sender::new(Arc::new(status)),
        })
    }

    /// Has `hook` called between each written state and its act.
    pub fn after_each_write(mut self, hook: AfterWrite) -> Self {
        self.after_write = Some(hook);
        self
    }

    /// Where the pool's status can be watched.
    pub fn status(&self) -> watch::Receiver<Arc<PoolStatus>> {
        self.status.subscribe()
    }

    /// What is followed beside the live policy from the next decision on.
    pub fn take_candidates(&mut self, candidates: Arc<[Candidate]>) {
        self.candidates = candidates;
    }

    /// Where candidates follow: each decision while there are any. Nobody here waits for them.
    pub fn ticks(&self) -> watch::Receiver<Option<Arc<LiveTick>>> {
        self.ticks.subscribe()
    }

    /// Shows the decision that was just made to whoever follows candidates.
    fn show_candidates(&self, now: Timestamp) {
        let had_some = self.ticks.borrow().as_ref().is_some_and(|t| !t.candidates.is_empty());
        let Some((_, observation, decision)) = &self.last else { return };
        if self.candidates.is_empty() && !had_some {
            return;
        }
        let counted = self.candidates.iter().map(|candidate| {
            (candidate.name.clone(), self.counted_signals(&candidate.policy, now))
        });
        let tick = LiveTick {
            policy: self.policy.clone(),
            observation: observation.clone(),
            decision: decision.clone(),
            nodes: self.nodes.values().filter(|node| !node.state.is_final()).cloned().collect(),
            is_ordered_to_hold: self.orders.is_held || self.global == Control::Hold,
            candidates: self.candidates.clone(),
            counted: counted.collect(),
        };
        self.ticks.send_replace(Some(Arc::new(tick)));
    }

    /// The pool.
    pub fn pool(&self) -> &PoolName {
        &self.policy.pool
    }

    /// One look: observe, decide if it is time, plan, act, write down. How long to rest before
    /// the next one. Only a store that fails ends a look in error: what can't be written may
    /// not be done.
    pub async fn look(&mut self) -> Result<Duration, StoreError> {
        let looked = self.try_look().await;
        if let Err(cause) = &looked {
            self.store_failed(cause);
        }
        looked
    }

    async fn try_look(&mut self) -> Result<Duration, StoreError> {
        let began = Instant::now();
        let now = self.now();
        self.take_up_after_failure(now).await?;
        self.notice_clock(now).await?;
        let commands = self.store.take_commands(&self.policy.pool, now).await?;
        self.obey(&commands);
        let control = self.control();
        let readings = async {
            let due = self.decide_at.is_none_or(|due| due <= now || self.is_set_back(due, now));
            if due { Some(self.read_signals(now).await) } else { None }
        };
        let (seeing, readings, price) = tokio::join!(self.see(now), readings, self.ask_price(now));
        self.count(&seeing, now);
        self.take_back_late(&seeing.listing, now).await?;
        let mut seen = self.facts(&seeing, now);
        self.keep_orphans().await?;
        self.adopt_sightings(&seen, now).await?;
        if let Some(mut readings) = readings {
            readings.extend(self.counted_signals(&self.policy, now));
            let costs = self.costs(price, now).await?;
            self.store_begun_campaigns(now).await?;
            let news = |hint: &Hint, entry: &Entry| self.news_of_hint(hint, entry, now);
            self.store.tell_hints(&self.policy.pool, now, news).await?;
            self.learn_from_campaigns(now).await?;
            let hints = self.announced(now).await?;
            let is_held = control == Control::Hold;
            let forecasts = self.foresee(&readings, now).await?;
            let observation = self.observation(readings, forecasts, costs, hints, is_held, now);
            self.decide(observation, control).await?;
            self.show_candidates(now);
            self.keep_forecasts(now).await?;
            self.decide_at = Some(after(now, self.interval));
        }
        let plan = self.plan(&mut seen, now).await?;
        let held = held_because(control, &commands);
        let news = self.news_of_look(&plan.notes, held, control, now);
        self.note(&plan.notes, news, now).await?;
        let progressed = match control {
            Control::DryRun => {
                self.suppress(&plan, now).await?;
                false
            }
            Control::Automatic | Control::Hold => {
                self.suppressed.clear();
                let progressed = self.carry_out(&plan, &seen.facts, now).await?;
                if let Some(orphan) = &plan.sweep {
                    self.sweep_orphan(orphan).await?;
                }
                progressed
            }
        };
        self.tell_settled(control, now).await?;
        self.forget_ended(now);
        self.publish(control, &plan, now);
        let labels = self.pool_labels();
        self.telemetry.look_seconds.get_or_create(&labels).observe(began.elapsed().as_secs_f64());
        Ok(self.rest(progressed, now))
    }

    /// Now, to the millisecond: what is stored and read back is the same moment.
    pub(super) fn now(&self) -> Timestamp {
        let now = self.world.clock.now().as_millisecond();
        Timestamp::from_millisecond(now).expect("a clock's time is in range")
    }

    /// All that a decision may look at.
    pub(super) fn observation(
        &self,
        readings: BTreeMap<SignalName, Reading>,
        forecasts: BTreeMap<String, Foreseen>,
        costs: Option<Costs>,
        hints: Announced,
        is_held: bool,
        at: Timestamp,
    ) -> Observation {
        let fleet = FleetCounts::of(self.nodes.values());
        let (desired, standby) = (self.history.desired, self.policy.standby.nodes);
        let spare = spare_on_the_way(self.nodes.values(), desired, standby);
        let observed = |node: &Node| match spare.contains(&node.id) {
            true => ObservedNode::of(node).map(ObservedNode::ignored),
            false => ObservedNode::of(node),
        };
        let nodes = self.nodes.values().filter_map(observed).collect();
        let history = self.orders.cleared(&self.history);
        let overrides = self.orders.overrides.clone();
        Observation {
            at,
            fleet,
            nodes,
            readings,
            forecasts,
            is_held,
            overrides,
            costs,
            hints,
            history,
        }
    }

    /// Makes the next decision due now.
    pub(super) fn decide_soon(&mut self) {
        self.decide_at = None;
    }

    /// Whether the clock was set back since: nothing is ever due later than an interval from now,
    /// and the count may not stand still until a wrong time comes round again.
    fn is_set_back(&self, due: Timestamp, now: Timestamp) -> bool {
        after(now, self.interval) < due
    }

    /// When the next decision is due; none: at the next look.
    pub fn decide_at(&self) -> Option<Timestamp> {
        self.decide_at
    }

    /// The strictest of the daemon's setting, the policy's and operators' commands.
    pub(super) fn control(&self) -> Control {
        let ordered = if self.orders.is_held { Control::Hold } else { Control::Automatic };
        self.global.stricter(self.policy.control).stricter(ordered)
    }

    /// Keeps to these commands from here on; what is new among them is decided upon at once.
    fn obey(&mut self, commands: &[Command]) {
        let orders = Orders::of(commands);
        if orders != self.orders {
            self.orders = orders;
            self.decide_soon();
        }
    }

    async fn decide(
        &mut self,
        observation: Observation,
        control: Control,
    ) -> Result<(), StoreError> {
        let policy = self.policy.clone();
        let began = Instant::now();
        let decision = decide(&policy, &observation);
        let thought = began.elapsed();
        let id = DecisionId(self.world.chance.uuid(observation.at));
        let direction = decision.direction();
        let binding = |decision: &Decision| decision.reasons.first().map(std::mem::discriminant);
        let alarms = |decision: &Decision| {
            let reasons = decision.reasons.iter();
            reasons.filter(|r| is_ineffective(r) || is_about_money(r)).count()
        };
        let is_new = direction != Direction::Hold
            || self.last.as_ref().map_or(0, |(_, _, last)| alarms(last)) != alarms(&decision)
            || self.last.as_ref().is_none_or(|(_, _, last)| binding(last) != binding(&decision));
        let entry = is_new.then(|| Entry::Decided {
            decision: id,
            direction,
            from: decision.from,
            to: decision.to,
            reasons: decision.reasons.clone(),
        });
        let new = NewDecision {
            id,
            policy_digest: &policy.digest,
            observation: &observation,
            decision: &decision,
            entry,
            news: self.news_of_decision(id, &decision, control),
        };
        let began = Instant::now();
        self.store.write_decision(&policy.pool, &new).await?;
        self.note_write(began.elapsed());
        self.told.remember(&new.news, observation.at);
        self.tell_decision(&observation, &decision, thought, control);
        self.history = decision.history.clone();
        self.last = Some((id, observation, decision));
        Ok(())
    }

    fn tell_decision(
        &self,
        observation: &Observation,
        decision: &Decision,
        thought: Duration,
        control: Control,
    ) {
        let (pool, from, to) = (&self.policy.pool, decision.from, decision.to);
        let why = decision.reasons.first().map(ToString::to_string).unwrap_or_default();
        let scales = match control {
            Control::DryRun => "dry run: would scale",
            Control::Automatic | Control::Hold => "scales",
        };
        match decision.direction() {
            Direction::Out => info!(pool = %pool, "{pool} {scales} out from {from} to {to}: {why}"),
            Direction::In => info!(pool = %pool, "{pool} {scales} in from {from} to {to}: {why}"),
            Direction::Hold => {}
        }
        for alarming in [is_ineffective, is_about_money] {
            let before = self.last.as_ref().map(|(_, _, last)| &last.reasons);
            let was_told = before.is_some_and(|reasons| reasons.iter().any(alarming));
            if let Some(reason) = decision.reasons.iter().find(|reason| alarming(reason))
                && !was_told
            {
                warn!(pool = %pool, "{pool}: {reason}");
            }
        }
        self.count_decision(observation, decision, thought);
    }

    pub(super) async fn plan(&self, seen: &mut Seen, now: Timestamp) -> Result<Plan, StoreError> {
        let vlan = &self.policy.node.vlan;
        let memory = ENDED_MEMORY.max(vlan.quarantine);
        let mut addresses = self.store.addresses(&vlan.label, before(now, memory)).await?;
        // Whoever's server a balancer still has there: it would be taken for the new node's.
        addresses.extend(seen.occupied.iter().map(|address| (*address, AddressUse::Held)));
        let nodes: Vec<Node> = self.nodes.values().cloned().collect();
        let input = PlanInput {
            policy: &self.policy,
            desired: self.history.desired,
            nodes: &nodes,
            facts: &seen.facts,
            protected: &self.orders.protected,
            orders: &self.orders.nodes,
            addresses: &addresses,
            now,
        };
        let began = Instant::now();
        let mut plan = plan(&input, &mut || self.world.chance.uuid(now));
        let labels = self.pool_labels();
        self.telemetry.think_seconds.get_or_create(&labels).observe(began.elapsed().as_secs_f64());
        plan.notes.append(&mut seen.notes);
        let last_sweep = self.orphanage.last_sweep;
        let (notes, orphan) = sweep(&seen.orphans, self.policy.orphans, last_sweep, now);
        plan.notes.extend(notes);
        plan.sweep = orphan.filter(|_| self.orders.nodes.removals_held.is_none()).cloned();
        Ok(plan)
    }

    /// Writes down notes that are new, and logs them once.
    async fn note(&mut self, notes: &[Note], news: News, now: Timestamp) -> Result<(), StoreError> {
        let new: Vec<&Note> =
            notes.iter().filter(|new| !self.notes.iter().any(|old| old.is_about(new))).collect();
        for note in &new {
            warn!(pool = %self.policy.pool, "{}: {note}", self.policy.pool);
        }
        let entries: Vec<_> =
            new.into_iter().map(|note| (None, Entry::Noted { note: note.clone() })).collect();
        self.write(now, Change { entries, news, ..Change::default() }).await?;
        self.notes = notes.to_vec();
        Ok(())
    }

    fn forget_ended(&mut self, now: Timestamp) {
        let oldest = before(now, ENDED_MEMORY);
        self.nodes.retain(|_, node| !node.state.is_final() || oldest < node.state_since);
        self.absent_looks.retain(|id, _| self.nodes.contains_key(id));
    }

    fn publish(&self, control: Control, plan: &Plan, now: Timestamp) {
        let (nodes, desired) = (self.nodes.values(), self.history.desired);
        let status = PoolStatus {
            orders: self.orders.overrides.orders.clone(),
            suppressed: self.suppressed.iter().cloned().collect(),
            ..PoolStatus::of(&self.policy, control, now, nodes, desired, plan, &self.last)
        };
        self.count_nodes(&status);
        self.status.send_replace(Arc::new(status));
    }

    /// Shows that the store fails, or works again, beside what was last seen of the pool.
    pub(super) fn show_store_failure(&self, what: Option<String>) {
        self.status.send_modify(|status| Arc::make_mut(status).store_failure = what);
    }
}
