//! The world that every port is a door to, and what a scenario may do to it.

use std::future::pending;
use std::net::Ipv4Addr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};

use rand::Rng;
use rand::rngs::StdRng;
use tokio::sync::Notify;

use super::balancer::SimBalancer;
use super::board::SimAnnotation;
use super::chance;
use super::cloud::{CloudMood, SimInstance};
use super::faults::Faults;
use super::metrics::{Meaning, MetricsMood};
use super::model::Model;
use super::paces::Paces;
use super::queueing::{self, Carried};
use super::servers::{Mode, SimBalancerState};
use super::tally::{Hired, Tally};
use super::traffic::Traffic;
use crate::domain::{BalancerName, Duration, NodeState, NoticeKind, ServerAdmin, Timestamp, after};
use crate::ports::{Balancer, Chance, Clock};
use crate::reconciler::{AfterWrite, Inventory, Regions, World};

/// When every simulation begins.
const BEGINNING: &str = "2026-03-02T06:00:00Z";

/// Longer than any life here lasts: whatever was to be told is, once all is well.
const BOARD_GIVES_UP: Duration = Duration::from_secs(24 * 3_600);

/// A simulated world. Clones are the same world.
#[derive(Clone)]
pub struct SimWorld {
    shared: Arc<Shared>,
}

struct Shared {
    model: Mutex<Model>,
    ids: Mutex<StdRng>,
    /// Spreads couriers' tries; apart from ids, which must not depend on who is told.
    waits: Mutex<StdRng>,
    /// The daemon is dead: no call comes back until it is started again.
    dead: AtomicBool,
    died: Notify,
}

impl SimWorld {
    /// A world with so many balancers, where nothing goes wrong and nobody calls. The first has
    /// slots, the second dynamic servers, and so on in turn.
    pub fn new(seed: u64, balancers: usize) -> Self {
        let began = BEGINNING.parse().expect("a legal time");
        let balancers = (0..balancers).map(|index| SimBalancerState {
            name: BalancerName::new(format!("lb{}", index + 1)).expect("a legal name"),
            started_at: began,
            old_workers_until: None,
            unreachable_until: None,
            cut_off_until: None,
            mode: if index % 2 == 0 { Mode::Slots } else { Mode::Dynamic },
            servers: Vec::new(),
            carried: Carried::nothing(began),
        });
        let shared = Shared {
            model: Mutex::new(Model::new(seed, began, balancers.collect())),
            ids: Mutex::new(chance::stream(seed, "ids")),
            waits: Mutex::new(chance::stream(seed, "couriers")),
            dead: AtomicBool::new(false),
            died: Notify::new(),
        };
        Self { shared: Arc::new(shared) }
    }

    /// The ports of a daemon that starts now.
    pub fn ports(&self) -> World {
        let names: Vec<BalancerName> =
            self.model().balancers.iter().map(|balancer| balancer.name.clone()).collect();
        let balancers = names.into_iter().enumerate().map(|(index, name)| {
            Arc::new(SimBalancer { world: self.clone(), index, name }) as Arc<dyn Balancer>
        });
        let world = Arc::new(self.clone());
        let regions = Regions {
            name: "board".into(),
            board: world.clone(),
            kinds: NoticeKind::CHOICES.into(),
            gives_up_after: BOARD_GIVES_UP,
        };
        World {
            inventory: Arc::new(Inventory::new(world.clone())),
            configurator: world.clone(),
            balancers: balancers.collect(),
            metrics: world.clone(),
            clock: world.clone(),
            chance: world.clone(),
            notifiers: vec![Arc::new(regions)],
        }
    }

    /// Lets time pass.
    pub fn pass(&self, length: Duration) {
        let mut model = self.model();
        let before = model.now;
        model.now = after(before, length);
        model.weather(before);
    }

    /// How often things go wrong from now on.
    pub fn set_faults(&self, faults: Faults) {
        self.model().faults = faults;
    }

    /// How long things take from now on.
    pub fn set_paces(&self, paces: Paces) {
        self.model().paces = paces;
    }

    /// All faults end: the cloud, the metrics and every balancer answer, the clock is right.
    pub fn heal(&self) {
        let mut model = self.model();
        model.faults = Faults::none();
        model.clock_is_off = 0;
        (model.metrics, model.metrics_until) = (MetricsMood::Well, None);
        (model.cloud_mood, model.cloud_until) = (CloudMood::Well, None);
        for balancer in &mut model.balancers {
            (balancer.unreachable_until, balancer.cut_off_until) = (None, None);
            balancer.old_workers_until = None;
        }
        model.board_down_until = None;
        model.broken.clear();
        model.tell("healed".into());
    }

    /// What requests come, by time since the beginning.
    pub fn set_traffic(&self, traffic: Traffic) {
        self.model().traffic = traffic;
    }

    /// The daemon's clock is so many seconds ahead of the true time from now on.
    pub fn set_clock_ahead(&self, seconds: u64) {
        self.model().clock_is_off = Duration::from_secs(seconds).as_millis() as i64;
    }

    /// What a query says.
    pub(super) fn set_meaning(&self, query: &str, meaning: Meaning) {
        self.model().meanings.insert(query.into(), meaning);
    }

    /// What one node carries, in requests per second.
    pub(super) fn set_capacity(&self, rate: f64) {
        self.model().node = queueing::node_for(rate);
    }

    /// What the metrics source is like from now on.
    pub fn set_metrics(&self, mood: MetricsMood) {
        self.model().metrics = mood;
    }

    /// What the cloud is like from now on.
    pub fn set_cloud(&self, mood: CloudMood) {
        let mut model = self.model();
        if model.cloud_mood == CloudMood::LosesCreates {
            // What listings held back comes all at once, in the order of its making.
            let now = model.now;
            let held_back = model.instances.values_mut();
            held_back.for_each(|one| one.listed_at = one.listed_at.min(now));
        }
        model.cloud_mood = mood;
    }

    /// The oldest running instance is gone, as if somebody had deleted it.
    pub fn vanish(&self) {
        self.model().vanish_one();
    }

    /// Somebody makes an instance that is no node of ours.
    pub fn plant(&self, label: &str, tags: &[&str]) {
        self.model().plant(label, tags);
    }

    /// Somebody changes the tags of an instance.
    pub fn retag(&self, label: &str, tags: &[&str]) {
        let mut model = self.model();
        let mut all = model.instances.values_mut();
        let instance = all.find(|one| one.label == label).expect("an instance of this label");
        instance.tags = tags.iter().map(ToString::to_string).collect();
    }

    /// Whether an instance of this label exists and nobody deletes it.
    pub fn has_instance(&self, label: &str) -> bool {
        self.model().instances.values().any(|one| one.label == label && one.gone_at.is_none())
    }

    /// A balancer restarts and has forgotten every server.
    pub fn restart_balancer(&self, index: usize) {
        self.model().restart_balancer(index);
    }

    /// A balancer answers no call for so long; its servers serve on.
    pub fn lose_balancer(&self, index: usize, length: Duration) {
        let mut model = self.model();
        let until = after(model.now, length);
        model.balancers[index].unreachable_until = Some(until);
    }

    /// A balancer answers, but for so long its checks reach no node.
    pub fn cut_off_balancer(&self, index: usize, length: Duration) {
        let mut model = self.model();
        let until = after(model.now, length);
        model.balancers[index].cut_off_until = Some(until);
    }

    /// From now on the application on the instance with this label fails its checks.
    pub fn break_application(&self, label: &str) {
        let mut model = self.model();
        model.broken.insert(label.to_owned());
        model.tell(format!("the application of {label} breaks"));
    }

    /// It passes them again.
    pub fn mend_application(&self, label: &str) {
        self.model().broken.remove(label);
    }

    /// An operator takes a server out of one balancer by hand. The server's name.
    pub fn take_out_by_hand(&self, index: usize) -> Option<String> {
        let mut model = self.model();
        let server = model.balancers[index].servers.first_mut()?;
        server.admin = ServerAdmin::Maintenance;
        Some(server.name.to_string())
    }

    /// The daemon dies the next time that it has written this state, before the act.
    pub fn die_after_writing(&self, state: &'static str) {
        self.model().die_after_writing = Some(state);
    }

    /// What happened so far.
    pub fn tally(&self) -> Tally {
        self.model().tally.clone()
    }

    /// Instances of ours that exist, those on their way out included.
    pub fn instances(&self) -> u32 {
        self.model().our_instances()
    }

    /// The addresses of the instances of ours that exist.
    pub fn addresses(&self) -> Vec<Ipv4Addr> {
        let model = self.model();
        let now = model.now;
        let ours = model.instances.values().filter(|one| one.is_ours() && one.exists(now));
        ours.filter_map(|one| one.address).collect()
    }

    /// The servers of one balancer that take requests and answer them.
    pub fn serving_on(&self, balancer: usize) -> u32 {
        self.model().serving_on(balancer)
    }

    /// Every server entry of ours on one balancer.
    pub fn servers_on(&self, balancer: usize) -> u32 {
        let servers = &self.model().balancers[balancer].servers;
        servers.iter().filter(|server| server.is_ours).count() as u32
    }

    /// How many balancers there are.
    pub fn balancers(&self) -> usize {
        self.model().balancers.len()
    }

    /// What the world did by itself, and when.
    pub fn events(&self) -> Vec<(Timestamp, String)> {
        self.events_from(0)
    }

    /// The same without the first so many.
    pub(super) fn events_from(&self, first: usize) -> Vec<(Timestamp, String)> {
        self.model().events[first..].to_vec()
    }

    /// Every annotation on the board, in the order in which they were drawn.
    pub fn annotations(&self) -> Vec<SimAnnotation> {
        self.model().annotations.clone()
    }

    /// The board of annotations answers nobody for so long.
    pub fn lose_board(&self, length: Duration) {
        let mut model = self.model();
        model.board_down_until = Some(after(model.now, length));
    }

    /// The true time; the daemon's clock may be off.
    pub fn time(&self) -> Timestamp {
        self.model().now
    }

    /// Which queries count the nodes that serve, beside `sources`.
    pub fn set_sources(&self, queries: impl IntoIterator<Item = String>) {
        self.model().sources.extend(queries);
    }

    /// Two machines of somebody else's, one with a label such as ours are named, and on each
    /// balancer a server from its own file.
    pub fn plant_strangers(&self, like_ours: &str) {
        self.model().plant_strangers(like_ours);
    }

    /// What of somebody else's was changed.
    pub fn touched_strangers(&self) -> Vec<String> {
        self.model().touched_strangers()
    }

    /// Every instance of ours that ever was: what the cloud puts on the bill.
    pub fn account(&self) -> Vec<Hired> {
        let model = self.model();
        let ours = model.instances.values().filter(|one| one.is_ours());
        let hired = |one: &SimInstance| Hired {
            label: one.label.clone(),
            from: one.created_at,
            until: one.gone_at.filter(|gone| *gone <= model.now),
            vanished: one.vanished,
        };
        ours.map(hired).collect()
    }

    pub(super) fn model(&self) -> MutexGuard<'_, Model> {
        self.shared.model.lock().expect("nobody panics while holding the world")
    }

    /// Where the daemon may die between a written state and its act.
    pub(super) fn crash_hook(&self) -> AfterWrite {
        let world = self.clone();
        Arc::new(move |state: &NodeState| {
            let dies = {
                let mut model = world.model();
                let told = model.die_after_writing.take_if(|name| *name == state.name()).is_some();
                let rate = model.faults.crash_after_write;
                told || model.strikes(
                    "crash_after_write",
                    rate,
                    "crash after writing",
                    state.name(),
                )
            };
            if dies {
                world.die(&format!("after writing {}", state.name()));
            }
        })
    }

    /// A call that changes something is about to reach the world.
    pub(super) async fn reaches(&self, call: &str) {
        self.may_die(&format!("before {call}")).await;
    }

    /// Its answer is about to return.
    pub(super) async fn returns(&self, call: &str) {
        self.may_die(&format!("after {call}")).await;
    }

    /// The dead get no answer.
    pub(super) async fn lives(&self) {
        if self.shared.dead.load(Ordering::SeqCst) {
            pending::<()>().await;
        }
    }

    /// Whether the daemon is dead.
    pub(super) fn is_dead(&self) -> bool {
        self.shared.dead.load(Ordering::SeqCst)
    }

    async fn may_die(&self, point: &str) {
        let dies = {
            let mut model = self.model();
            let rate = model.faults.crash_at_call;
            model.strikes("crash_at_call", rate, "crash", point)
        };
        if dies {
            self.die(point);
        }
        self.lives().await;
    }

    fn die(&self, point: &str) {
        if !self.shared.dead.swap(true, Ordering::SeqCst) {
            let mut model = self.model();
            model.tally.crashes += 1;
            model.tell(format!("the daemon dies {point}"));
            self.shared.died.notify_one();
        }
    }

    /// After how many polls the daemon is killed within this look, if it is. `look` is the number
    /// of the look.
    pub(super) fn killed_after_polls(&self, look: u64) -> Option<u32> {
        let mut model = self.model();
        let (rate, look) = (model.faults.crash_between_awaits, look.to_string());
        if !model.strikes("crash_between_awaits", rate, "crash between awaits", &look) {
            return None;
        }
        Some(model.length("polls", &look, 1, 60).as_secs() as u32)
    }

    /// The daemon was killed within a look.
    pub(super) fn note_kill(&self, polls: u32) {
        let mut model = self.model();
        model.tally.crashes += 1;
        model.tell(format!("the daemon is killed after {polls} polls"));
    }

    /// Waits for the daemon's death.
    pub(super) async fn death(&self) {
        self.shared.died.notified().await;
    }

    /// The daemon starts again.
    pub(super) fn revive(&self) {
        self.shared.dead.store(false, Ordering::SeqCst);
    }
}

impl Clock for SimWorld {
    fn now(&self) -> Timestamp {
        self.model().clock()
    }
}

impl Chance for SimWorld {
    fn fill(&self, bytes: &mut [u8]) {
        self.shared.ids.lock().expect("nobody panics while drawing").fill_bytes(bytes);
    }
}

/// Chance for couriers.
pub(super) struct SimWaits(pub SimWorld);

impl Chance for SimWaits {
    fn fill(&self, bytes: &mut [u8]) {
        self.0.shared.waits.lock().expect("nobody panics while drawing").fill_bytes(bytes);
    }
}
