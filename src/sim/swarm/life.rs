//! One seed's life: trouble, peace, and what came of it.

use std::collections::{BTreeMap, BTreeSet};

use super::Swarm;
use super::invariant::{Broken, Invariant};
use super::judge::Judge;
use super::moment::{End, Moment};
use super::record::Record;
use crate::domain::{DecisionId, Dollars, Duration, NodeCount, Timestamp, after, elapsed};
use crate::policy::{Policy, Rule, TargetForm};
use crate::ports::{Clock, with_causes};
use crate::sim::chance::roll;
use crate::sim::{Faults, Settings, SimWorld, Simulation, Traffic};
use crate::store::{CommandKind, DecisionRecord, HeldAct, JournalRecord, StoreError};

/// Between two decisions, and between two looks at rest.
const INTERVAL: Duration = Duration::from_secs(10);
const GRAIN: Duration = Duration::from_secs(5);

/// How long one load lasts.
const WAVE: Duration = Duration::from_secs(180);

/// A clock that is set right may be an hour back: deadlines are an hour further away then. A paid
/// hour and the longest rest after failures fit in the rest.
const LONGEST_PEACE: Duration = Duration::from_secs(4 * 3_600);

/// Operators command something this often while there is trouble.
const COMMANDED_EVERY: Duration = Duration::from_secs(100);

/// Settled is what stays so for this long.
const STILL: Duration = Duration::from_secs(120);

/// What came of one seed.
#[derive(Clone, Debug)]
pub struct Life {
    /// The seed.
    pub seed: u64,
    /// Which invariants it broke; none, if all is well.
    pub broken: Vec<Broken>,
    /// What happened last, one line each; only of a life that broke something.
    pub timeline: Vec<String>,
    /// The time that it took in the world.
    pub lived: Duration,
    /// How often the loop looked.
    pub looks: u64,
    /// How often it decided.
    pub decisions: u64,
    /// How often the daemon died.
    pub crashes: u32,
    /// Instances that ever were.
    pub instances: u32,
    /// What they cost.
    pub bill: Dollars,
    /// What went wrong, by kind.
    pub faults: BTreeMap<&'static str, u64>,
}

impl Life {
    /// One that ended in a panic.
    pub(super) fn panicked(seed: u64, why: String) -> Self {
        let what = format!("it panicked: {why}");
        let broken = Broken { invariant: Invariant::LooksNeverFail, at: Timestamp::MIN, what };
        Self { broken: vec![broken], ..Self::of(seed) }
    }

    fn of(seed: u64) -> Self {
        Self {
            seed,
            broken: Vec::new(),
            timeline: Vec::new(),
            lived: Duration::ZERO,
            looks: 0,
            decisions: 0,
            crashes: 0,
            instances: 0,
            bill: Dollars::default(),
            faults: BTreeMap::new(),
        }
    }
}

/// Lives the life of one seed.
pub(super) async fn live(swarm: &Swarm, seed: u64) -> Life {
    let which = roll(seed, "policy") * swarm.policies.len() as f64;
    let policy = &swarm.policies[which as usize];
    let mut watch = match Watch::begin(policy, seed, swarm.trouble).await {
        Ok(watch) => watch,
        Err(cause) => return Life::panicked(seed, format!("no store: {cause}")),
    };
    let mut ended = watch.trouble(swarm.trouble).await;
    if ended.is_ok() && watch.judge.broken().is_empty() {
        ended = watch.peace(swarm.settles_at).await;
    }
    if let Err(cause) = ended {
        let (at, what) = (watch.simulation.world().now(), with_causes(&cause));
        watch.judge.accuse(Invariant::LooksNeverFail, at, what);
    }
    watch.into_life(seed)
}

/// A simulation that is watched.
struct Watch<'a> {
    policy: &'a Policy,
    seed: u64,
    /// How often something was commanded.
    commanded: u64,
    simulation: Simulation,
    judge: Judge<'a>,
    record: Record,
    began: Timestamp,
    /// What was seen of the journal and of lists that only grow.
    sequence: i64,
    events: usize,
    cuts: usize,
    bare: usize,
    looks: u64,
    decisions: u64,
    last: Option<DecisionRecord>,
    /// Those that were seen.
    known: BTreeSet<DecisionId>,
    /// Those of them that changed the count.
    changes: Vec<DecisionId>,
}

impl<'a> Watch<'a> {
    async fn begin(policy: &'a Policy, seed: u64, trouble: Duration) -> Result<Self, StoreError> {
        let world = SimWorld::new(seed, 1 + (seed % 3) as usize);
        world.set_traffic(waves(policy, seed, trouble));
        let signals = policy.signals.values();
        world.set_sources(signals.filter_map(|one| one.coverage.as_ref()).map(|c| c.query.clone()));
        world.set_faults(Faults::of(seed));
        world.plant_strangers(&format!("{}-000000000000", policy.pool));
        let began = world.time();
        let store = crate::store::Store::in_memory().await?;
        let settings = Settings { interval: INTERVAL, grain: GRAIN, ..Settings::default() };
        let simulation = Simulation::new(world, policy.clone(), store, settings);
        Ok(Self {
            policy,
            seed,
            commanded: 0,
            simulation,
            judge: Judge::new(policy),
            record: Record::new(began),
            began,
            sequence: 0,
            events: 0,
            cuts: 0,
            bare: 0,
            looks: 0,
            decisions: 0,
            last: None,
            known: BTreeSet::new(),
            changes: Vec::new(),
        })
    }

    /// Runs for so long, or until something is broken.
    async fn trouble(&mut self, length: Duration) -> Result<(), StoreError> {
        let end = after(self.began, length);
        while self.simulation.world().time() < end && self.judge.broken().is_empty() {
            self.command().await?;
            let rest = self.look().await?;
            self.simulation.rest(rest, end);
        }
        Ok(())
    }

    /// An operator commands whatever comes to mind, of any node that is known.
    async fn command(&mut self) -> Result<(), StoreError> {
        let lived = elapsed(self.began, self.simulation.world().time());
        if lived.as_secs() / COMMANDED_EVERY.as_secs() <= self.commanded {
            return Ok(());
        }
        self.commanded += 1;
        let (seed, times) = (self.seed, self.commanded);
        let chance = |what: &str, most: usize| {
            ((roll(seed, &format!("{what} {times}")) * most as f64) as usize).min(most - 1)
        };
        let count = NodeCount(chance("count", self.policy.bounds.max.0 as usize + 1) as u32);
        let nodes = self.simulation.status().map(|status| status.nodes.clone());
        let nodes = nodes.unwrap_or_default();
        let node = nodes.get(chance("node", nodes.len().max(1))).map(|node| node.id);
        let change = [HeldAct::ScaleOut, HeldAct::ScaleIn, HeldAct::Create, HeldAct::Delete];
        let kind = match (chance("command", 12), node) {
            (0, _) => CommandKind::Hold,
            (1, _) => CommandKind::HoldOnly { change: change[chance("change", 4)] },
            (2 | 3, _) => CommandKind::Resume,
            (4, _) => CommandKind::Set { count },
            (5, _) => CommandKind::Floor { count },
            (6, _) => CommandKind::Ceiling { count },
            (7, Some(node)) => CommandKind::Drain { node },
            (8, Some(node)) => CommandKind::Replace { node },
            (9, Some(node)) => CommandKind::Protect { node },
            (10, Some(node)) => CommandKind::Release { node },
            _ => CommandKind::ClearCooldown,
        };
        self.simulation.command(kind).await
    }

    /// Ends whatever is commanded.
    async fn end_commands(&self) -> Result<(), StoreError> {
        let (store, now) = (self.simulation.store(), self.simulation.world().now());
        for record in store.commands(&self.policy.pool, None, u32::MAX).await? {
            store.end_command(&self.policy.pool, record.command.id, "operator", now).await?;
        }
        Ok(())
    }

    /// All is well from now on: runs until the pool has settled, and looks at what is left.
    async fn peace(&mut self, settles_at: Option<NodeCount>) -> Result<(), StoreError> {
        let world = self.simulation.world().clone();
        world.heal();
        self.end_commands().await?;
        world.set_traffic(Traffic::steady(calm(self.policy)));
        let end = after(world.time(), LONGEST_PEACE);
        let mut still_since = None;
        while world.time() < end && self.judge.broken().is_empty() {
            let rest = self.look().await?;
            let is_still = self.is_still(settles_at) && self.is_told().await?;
            still_since = is_still.then(|| still_since.unwrap_or(world.time()));
            if still_since.is_some_and(|since| STILL <= elapsed(since, world.time())) {
                // Before any time passes: planning again at the same moment must be empty.
                break;
            }
            self.simulation.rest(rest, end);
        }
        if self.judge.broken().is_empty() {
            let end = self.end(still_since.is_some()).await?;
            self.judge.see_end(&end);
        }
        Ok(())
    }

    /// One look with its checks, and how long to rest after it.
    async fn look(&mut self) -> Result<Duration, StoreError> {
        let rest = self.simulation.look().await?;
        self.looks += 1;
        self.see().await?;
        Ok(rest.unwrap_or_else(|| self.simulation.time_dead()))
    }

    async fn see(&mut self) -> Result<(), StoreError> {
        let world = self.simulation.world().clone();
        let (at, tally) = (world.now(), world.tally());
        let entries = self.new_entries().await?;
        let decision = self.new_decision(at).await?;
        let existing = world.account().into_iter().filter(|one| one.until.is_none());
        let twice = tally.created_by_label.iter().filter(|(_, made)| 1 < **made);
        let moment = Moment {
            at,
            most_instances: tally.most_instances,
            existing: existing.map(|one| one.label).collect(),
            made_twice: twice.map(|(label, _)| label.clone()).collect(),
            sent_to_bare: tally.sent_to_bare[self.bare..].to_vec(),
            cuts: tally.cuts[self.cuts..].to_vec(),
            touched: world.touched_strangers(),
            entries,
            decision,
        };
        (self.bare, self.cuts) = (tally.sent_to_bare.len(), tally.cuts.len());
        let events = world.events_from(self.events);
        self.events += events.len();
        self.record.add(world.time(), events, &moment.entries);
        self.judge.see(&moment);
        Ok(())
    }

    async fn new_entries(&mut self) -> Result<Vec<JournalRecord>, StoreError> {
        const AT_ONCE: u32 = 40;
        let (mut below, mut new) = (i64::MAX, Vec::new());
        loop {
            let store = self.simulation.store();
            let records = store.journal(&self.policy.pool, below, AT_ONCE).await?;
            let count = records.len();
            new.extend(records.into_iter().filter(|record| self.sequence < record.sequence));
            below = new.last().map_or(0, |record: &JournalRecord| record.sequence);
            if count < AT_ONCE as usize || below <= self.sequence + 1 {
                break;
            }
        }
        new.reverse();
        self.sequence = new.last().map_or(self.sequence, |record| record.sequence);
        Ok(new)
    }

    /// A look's decision has the look's moment; so may another one's, where the clock was set back.
    async fn new_decision(&mut self, at: Timestamp) -> Result<Option<DecisionRecord>, StoreError> {
        const OF_ONE_MOMENT: u32 = 8;
        let store = self.simulation.store();
        let newest = store.decisions(&self.policy.pool, at, OF_ONE_MOMENT).await?;
        let mut of_moment = newest.into_iter().filter(|one| one.at == at);
        let new = of_moment.find(|one| !self.known.contains(&one.id));
        if let Some(new) = &new {
            self.decisions += 1;
            self.known.insert(new.id);
            if new.decision.from != new.decision.to {
                self.changes.push(new.id);
            }
            self.last = Some(new.clone());
        }
        Ok(new)
    }

    /// Whether nothing is on its way, and nothing is left to say.
    fn is_still(&self, settles_at: Option<NodeCount>) -> bool {
        self.simulation.status().is_some_and(|status| {
            let fleet = status.fleet;
            let wanted = settles_at.or(status.desired);
            wanted == Some(fleet.serving)
                && status.desired == wanted
                && (fleet.on_the_way.0, fleet.leaving.0) == (0, 0)
                && status.nodes.len() as u32 == fleet.serving.0 + fleet.standby.0
                && status.notes.is_empty()
        })
    }

    /// Whether everything was told.
    async fn is_told(&self) -> Result<bool, StoreError> {
        Ok(self.simulation.store().waiting_messages().await?.is_empty())
    }

    async fn end(&self, is_still: bool) -> Result<End, StoreError> {
        let (world, store) = (self.simulation.world(), self.simulation.store());
        let preview = self.simulation.preview().await?;
        let status = self.simulation.status();
        let settled = match &status {
            Some(status) if is_still => Ok((status.fleet.serving, status.fleet.standby)),
            _ => Err(format!("after {} s of peace: {status:?}", LONGEST_PEACE.as_secs())),
        };
        let mut wrong = store.wrong_in_file().await?;
        wrong.extend(store.verify_journal().await.err().map(|cause| with_causes(&cause)));
        let last = self.last.as_ref();
        Ok(End {
            at: world.now(),
            settled,
            instances: world.instances(),
            servers: (0..world.balancers())
                .map(|index| (world.serving_on(index), world.servers_on(index)))
                .collect(),
            acts: preview.acts,
            notes: preview.notes,
            account: world.account(),
            nodes: store.load_pool(&self.policy.pool, Timestamp::MIN).await?.nodes,
            costs: last.and_then(|last| Some((last.at, last.observation.costs?))),
            annotations: world.annotations(),
            changes: self.changes.clone(),
            store: wrong,
        })
    }

    fn into_life(self, seed: u64) -> Life {
        let world = self.simulation.world();
        let tally = world.tally();
        let broken = self.judge.into_broken();
        let timeline = if broken.is_empty() { Vec::new() } else { self.record.lines() };
        let costs = self.last.and_then(|last| last.observation.costs);
        Life {
            timeline,
            broken,
            lived: elapsed(self.began, world.time()),
            looks: self.looks,
            decisions: self.decisions,
            crashes: tally.crashes,
            instances: tally.instances_ever,
            bill: costs.map_or_else(Dollars::default, |costs| costs.spent),
            faults: tally.faults,
            ..Life::of(seed)
        }
    }
}

/// Load that rises and falls, up to what `max` can carry.
fn waves(policy: &Policy, seed: u64, trouble: Duration) -> Traffic {
    let most = f64::from(policy.bounds.max.0) * carried_by_one(policy);
    let waves = trouble.as_secs() / WAVE.as_secs() + 1;
    Traffic::through((0..=waves).map(|wave| {
        let load = roll(seed, &format!("wave {wave}")) * most;
        (WAVE * wave as u32, load)
    }))
}

/// The load of peace: less than half of what `max` carries, and not at the edge of a node.
pub(super) fn calm(policy: &Policy) -> f64 {
    let nodes = (policy.bounds.max.0 * 2 / 5).max(policy.bounds.min.0).max(1);
    (f64::from(nodes) - 0.2) * carried_by_one(policy)
}

/// What one node carries, in requests per second, as far as the policy says.
fn carried_by_one(policy: &Policy) -> f64 {
    let says = policy.rules.iter().find_map(|rule| match rule {
        Rule::Target(rule) => match rule.form {
            TargetForm::PerNode(rate) => Some(rate.get()),
            TargetForm::Average(rate) => Some(rate),
            TargetForm::Value(_) | TargetForm::UtilisationPercent(_) => None,
        },
        Rule::Forecast(rule) => Some(rule.per_node.get()),
        _ => None,
    });
    says.unwrap_or(100.0)
}
