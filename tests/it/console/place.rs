//! What the browser looks at: the real API over a pool in a rehearsed world that has lived through
//! three hours and goes on living, over a pool of 500 nodes, and over 49 more.

use std::collections::BTreeMap;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use tokio::net::TcpListener;
use tokio::sync::{mpsc, watch};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;
use windlass::api::{self, PoolSource, Sources};
use windlass::domain::{
    DecisionId, FleetCounts, Hint, HintId, HintSize, HintSource, InstanceId, InstanceLabel,
    NodeCount, NodeId, PoolName, Reading, Sample, SignalName, Timestamp,
};
use windlass::engine::{History, Observation, decide};
use windlass::policy::{Control, Policy, parse};
use windlass::reconciler::{NodeStatus, PoolLoop, PoolStatus};
use windlass::sim::{SimWorld, Traffic};
use windlass::store::{Announcement, NewDecision, Store};
use windlass::telemetry::Metrics;

const POLICY: &str = include_str!("notifications.yaml");
const SMALL: &str = include_str!("../../data/web.yaml");

/// How long the pool has lived when the browser comes.
const LIVED: Duration = Duration::from_secs(3 * 3_600);

/// An API on loopback with everything behind it.
pub struct Place {
    pub address: SocketAddr,
    stop: CancellationToken,
    tasks: Vec<JoinHandle<()>>,
    _statuses: Vec<watch::Sender<Arc<PoolStatus>>>,
    _policies: Vec<watch::Sender<Arc<Policy>>>,
    _asks: mpsc::Receiver<api::DaemonAsk>,
    _folder: tempfile::TempDir,
}

impl Place {
    pub async fn new() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let store = Store::open(&folder.path().join("windlass.db")).await.expect("a store");
        let store = Arc::new(store);
        let metrics = Metrics::new();
        let (mut pools, mut statuses, mut policies) = (BTreeMap::new(), Vec::new(), Vec::new());
        for number in 0..50 {
            let (policy, status) = standing(&store, number).await;
            let (sender, in_force) = watch::channel(policy.clone());
            let (told, status) = watch::channel(Arc::new(status));
            pools.insert(
                policy.pool.clone(),
                PoolSource { policy: in_force, status, wake: Arc::default() },
            );
            policies.push(sender);
            statuses.push(told);
        }
        let policy = Arc::new(parse(POLICY, Path::new("n.yaml")).expect("a good policy"));
        let (world, mut lived) = live(policy.clone(), store.clone(), metrics.clone()).await;
        let (sender, in_force) = watch::channel(policy.clone());
        let source = PoolSource { policy: in_force, status: lived.status(), wake: Arc::default() };
        pools.insert(policy.pool.clone(), source);
        policies.push(sender);
        let (reload, asks) = mpsc::channel(1);
        let stop = CancellationToken::new();
        let (ports, access) = (world.ports(), api::access::Access::default());
        let sources = Sources::new(store, pools, metrics, reload, ports, stop.clone(), access);
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("an address");
        let (ends, served) = (stop.clone(), stop.clone());
        let server = tokio::spawn(async move {
            api::serve(listener, sources, None, served).await.expect("it serves");
        });
        let living = tokio::spawn(async move {
            // The rehearsed world's second is one of ours from here on.
            let mut seconds = tokio::time::interval(Duration::from_secs(1));
            while !ends.is_cancelled() {
                seconds.tick().await;
                world.pass(Duration::from_secs(1));
                lived.look().await.expect("the store works");
            }
        });
        let (_statuses, _policies) = (statuses, policies);
        let tasks = vec![server, living];
        Self { address, stop, tasks, _statuses, _policies, _asks: asks, _folder: folder }
    }

    pub async fn stop(self) {
        self.stop.cancel();
        for task in self.tasks {
            task.await.expect("it ends well");
        }
    }
}

/// A pool that has followed load up and down for three hours until now, with a campaign ahead.
async fn live(policy: Arc<Policy>, store: Arc<Store>, metrics: Metrics) -> (SimWorld, PoolLoop) {
    let world = SimWorld::new(7, 2);
    let ports = world.ports();
    let now = Timestamp::now();
    let began = ports.clock.now();
    let since = Duration::try_from(now.duration_since(began)).expect("the world began long ago");
    let start = since - LIVED;
    world.pass(start);
    let minute = |minutes: u64| start + Duration::from_secs(60 * minutes);
    world.set_traffic(Traffic::through([
        (minute(0), 620.0),
        (minute(40), 980.0),
        (minute(70), 850.0),
        (minute(80), 3_100.0),
        (minute(95), 2_600.0),
        (minute(125), 900.0),
        (minute(165), 1_150.0),
        (minute(175), 1_900.0),
        (minute(240), 2_000.0),
    ]));
    announce(&store, &policy.pool, now).await;
    let interval = Duration::from_secs(15);
    let control = Control::Automatic;
    let mut pool = PoolLoop::start(policy, ports.clone(), store, metrics, control, interval)
        .await
        .expect("the store works");
    while ports.clock.now() < Timestamp::now() {
        let rest = pool.look().await.expect("the store works");
        world.pass(rest.max(Duration::from_secs(2)));
    }
    (world, pool)
}

async fn announce(store: &Store, pool: &PoolName, now: Timestamp) {
    let hint = |number, minutes: i64, reason: &str| Announcement {
        hint: Hint {
            id: HintId(Uuid::from_u128(number)),
            kind: "push".parse().expect("a legal name"),
            announced_at: now - jiff::SignedDuration::from_mins(180),
            starts_at: now + jiff::SignedDuration::from_mins(minutes),
            size: HintSize::Devices(200_000),
            spread: Duration::from_secs(120),
            tail: None,
            reason: reason.into(),
            source: HintSource::Person,
        },
        owner: "marketing".into(),
    };
    let hints = [hint(1, -105, "lunch push to everybody"), hint(2, 45, "evening push")];
    store.add_hints(pool, &hints).await.expect("the store works");
}

/// A pool whose status stands still; the first has 500 nodes, and some of the others want somebody.
async fn standing(store: &Store, number: u32) -> (Arc<Policy>, PoolStatus) {
    let large = number == 0;
    let name = if large { "fleet-500".into() } else { format!("pool-{number:02}") };
    let mut text = SMALL.replace("pool: web", &format!("pool: {name}"));
    if large {
        text = text.replace("max: 5", "max: 600").replace("10.9.0.0/24", "10.9.0.0/20");
    }
    let policy = Arc::new(parse(&text, Path::new("web.yaml")).expect("a good policy"));
    let now = Timestamp::now();
    let nodes: Vec<NodeStatus> = (0..if large { 500 } else { 2 + number % 4 })
        .map(|place| node(&policy.pool, place, large, now))
        .collect();
    let counted = |states: &[&str]| {
        NodeCount(nodes.iter().filter(|node| states.contains(&node.state)).count() as u32)
    };
    let fleet = FleetCounts {
        serving: counted(&["in_service", "unhealthy"]),
        on_the_way: counted(&["planned", "provisioning", "configuring", "joining"]),
        standby: counted(&["standby"]),
        leaving: counted(&["draining", "deleting"]),
    };
    let mut history = History::default();
    let steps = if large { 240 } else { 2 };
    let (mut last, mut reasons, mut desired) = (None, Vec::new(), None);
    for step in 0..steps {
        let at = now - jiff::SignedDuration::from_secs(15 * (steps - step));
        let wave = (step as f64 / 40.0).sin() * 40.0;
        let load = f64::from(fleet.serving.0) * 80.0 + if large { 100.0 * wave } else { 0.0 };
        let sample = Sample { at, value: load };
        let signal: SignalName = "requests".parse().expect("a legal name");
        let observation = Observation {
            at,
            fleet,
            nodes: vec![],
            readings: BTreeMap::from([(signal, Reading::Fresh { sample })]),
            forecasts: BTreeMap::new(),
            is_held: number == 9,
            overrides: Default::default(),
            costs: None,
            hints: Default::default(),
            history: history.clone(),
        };
        let decision = decide(&policy, &observation);
        let id = DecisionId(Uuid::now_v7());
        let new = NewDecision {
            id,
            policy_digest: &policy.digest,
            observation: &observation,
            decision: &decision,
            entry: None,
            news: Default::default(),
        };
        store.write_decision(&policy.pool, &new).await.expect("the store works");
        history = decision.history.clone();
        reasons = decision.reasons.iter().map(ToString::to_string).collect();
        (last, desired) = (Some(id), Some(decision.to));
    }
    store.keep_policy(&policy, now).await.expect("the store works");
    let notes = match number {
        3 => vec!["2 nodes are wanted, and creating rests until 17:00 after 3 failures".into()],
        // Whatever stands in a reason or a note is text.
        5 => vec!["<img src=x onerror=\"document.title='broken in'\"> & <b>bold</b>".into()],
        _ => vec![],
    };
    let bounds = policy.bounds_at(now);
    let status = PoolStatus {
        pool: policy.pool.clone(),
        // It shall not look stuck while the browser walks.
        at: now + jiff::SignedDuration::from_hours(1),
        is_loaded: number != 7,
        control: match number {
            9 => Control::Hold,
            11 | 12 => Control::DryRun,
            _ => Control::Automatic,
        },
        min: bounds.min,
        max: bounds.max,
        desired,
        fleet,
        port: policy.join.port,
        decision: last,
        reasons,
        orders: Vec::new(),
        notes,
        store_failure: None,
        suppressed: Vec::new(),
        nodes,
    };
    (policy, status)
}

/// A node; of a large pool each 23rd moves or ails.
fn node(pool: &PoolName, place: u32, large: bool, now: Timestamp) -> NodeStatus {
    let states =
        ["planned", "provisioning", "configuring", "joining", "draining", "unhealthy", "deleting"];
    let moves = large && place.is_multiple_of(23);
    let state = if moves { states[(place / 23) as usize % states.len()] } else { "in_service" };
    let id = NodeId(Uuid::from_u128(0x0192_0000_0000_7000_8000_0000_0000_0000 + u128::from(place)));
    let ails = state == "unhealthy";
    NodeStatus {
        id,
        label: InstanceLabel::of(pool, id),
        state,
        since: now - jiff::SignedDuration::from_secs(i64::from(20 + place * 7)),
        deadline: moves.then(|| now + jiff::SignedDuration::from_secs(300)),
        waits_for: moves.then(|| match state {
            "joining" => "lb2 to see it UP".into(),
            "draining" => "41 sessions on lb1 to end".into(),
            "configuring" => "the playbook run to end".into(),
            "unhealthy" => "its turn to be replaced".into(),
            _ => "the cloud".to_string(),
        }),
        error: ails.then(|| "DOWN on lb1 and lb2: Layer7 wrong status, code 503".into()),
        address: Ipv4Addr::from(u32::from(Ipv4Addr::new(10, 9, 0, 10)) + place),
        instance: Some(InstanceId(5_000_000 + u64::from(place))),
        instance_created_at: Some(now),
        failure: None,
        protected: None,
        sent_away: None,
    }
}
