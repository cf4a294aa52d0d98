//! Deciding and planning, without any world: one pool of 40 nodes and 6 rules, and 1,000 pools.
//!
//! Budgets: one pool below 50 µs, 1,000 pools below 100 ms.

use std::collections::BTreeMap;
use std::net::{Ipv4Addr, SocketAddrV4};
use std::path::Path;

use uuid::Uuid;
use windlass::domain::{
    BalancerName, Duration, FleetCounts, Instance, InstanceId, InstanceLabel, InstanceStatus, Node,
    NodeCount, NodeId, NodeSample, NodeState, Reading, Sample, Server, ServerAdmin, ServerHealth,
    Timestamp, after,
};
use windlass::engine::{Observation, ObservedNode, decide};
use windlass::planner::{Facts, InstanceFact, PlanInput, ServerFact, plan};
use windlass::policy::{Policy, parse};

const POLICY: &str = "
pool: web
bounds: {min: 2, max: 60, default: 6}
signals:
  requests: {prometheus: {query: a}}
  surge: {prometheus: {query: b}}
  arrivals: {prometheus: {query: c}}
  p95: {prometheus: {query: d}}
  p99: {prometheus: {query: e}}
  cpu: {prometheus: {query: f, node_label: instance}}
rules:
  - target: {signal: requests, per_node: 400}
  - target: {signal: surge, per_node: 400, scale_in: never}
  - target: {signal: arrivals, per_node: 400}
  - target: {signal: cpu, utilisation_percent: 70}
  - latency: {signal: p95, objective: 300ms}
  - latency: {signal: p99, objective: 900ms}
node: {type: g6-standard-2, region: eu-central, image: linode/debian12, vlan: {label: app, cidr: 10.10.0.0/24}}
configure: {playbook: node.yml}
join: {backend: web, port: 8080}
";

/// How many nodes serve.
const NODES: u8 = 40;

fn main() {
    divan::main();
}

/// A pool that has served for an hour, as the next look finds it.
struct Pool {
    policy: Policy,
    observation: Observation,
    nodes: Vec<Node>,
    facts: BTreeMap<NodeId, Facts>,
}

impl Pool {
    fn new() -> Self {
        let policy = parse(POLICY, Path::new("web.yaml")).expect("a good policy");
        let began = Timestamp::from_second(1_772_000_000).expect("a time in range");
        let nodes: Vec<Node> = (0..NODES).map(|number| node(&policy, number, began)).collect();
        let facts = nodes.iter().map(|node| (node.id, facts(node))).collect();
        let serving = NodeCount(u32::from(NODES));
        let mut observation = Observation {
            at: began,
            fleet: FleetCounts { serving, ..FleetCounts::default() },
            readings: BTreeMap::new(),
            nodes: nodes.iter().filter_map(ObservedNode::of).collect(),
            forecasts: BTreeMap::new(),
            is_held: false,
            overrides: Default::default(),
            costs: None,
            hints: Default::default(),
            history: Default::default(),
        };
        // The load sways, so that the history holds what a real one does.
        for look in 0..720_u32 {
            observation.at = after(began, Duration::from_secs(u64::from(look) * 5));
            read_signals(&mut observation, 13_000.0 + f64::from(look % 50) * 10.0);
            observation.history = decide(&policy, &observation).history;
        }
        Self { policy, observation, nodes, facts }
    }

    /// One decision and its plan.
    fn think(&self) -> usize {
        let decision = decide(&self.policy, &self.observation);
        let input = PlanInput {
            policy: &self.policy,
            desired: Some(decision.to),
            nodes: &self.nodes,
            facts: &self.facts,
            protected: &BTreeMap::new(),
            addresses: &BTreeMap::new(),
            now: self.observation.at,
        };
        plan(&input, &mut Uuid::nil).moves.len()
    }
}

fn node(policy: &Policy, number: u8, at: Timestamp) -> Node {
    let id = NodeId(Uuid::from_u128(u128::from(number) + 1));
    Node {
        id,
        pool: policy.pool.clone(),
        label: InstanceLabel::of(&policy.pool, id),
        address: Ipv4Addr::new(10, 10, 0, 20 + number),
        vlan: policy.node.vlan.label.clone(),
        instance_type: policy.node.instance_type.clone(),
        region: policy.node.region.clone(),
        state: NodeState::InService,
        state_since: at,
        planned_at: at,
        instance: Some(InstanceId(u64::from(number))),
        instance_created_at: Some(at),
        host_keys: vec![],
        doubts: 0,
        attempt: None,
        joining_since: Some(at),
        left_at: None,
        served_at: Some(at),
        admitting: Default::default(),
        failure: None,
        failed_at: None,
    }
}

fn facts(node: &Node) -> Facts {
    let instance = Instance {
        id: node.instance.expect("it has one"),
        label: node.label.to_string(),
        status: InstanceStatus::Running,
        tags: vec![],
        region: node.region.clone(),
        instance_type: node.instance_type.clone(),
        created_at: node.instance_created_at,
    };
    let server = Server {
        name: "web1".parse().expect("a legal name"),
        address: SocketAddrV4::new(node.address, 8080),
        is_ours: true,
        admin: ServerAdmin::Ready,
        health: ServerHealth::Up,
        sessions: 3,
        queued: 0,
    };
    let balancers = ["lb1", "lb2"].map(|name| {
        let name: BalancerName = name.parse().expect("a legal name");
        (name, ServerFact::Present { server: server.clone(), old_workers: false })
    });
    Facts {
        instance: InstanceFact::Present(instance),
        servers: balancers.into_iter().collect(),
        ..Facts::unknown()
    }
}

fn read_signals(observation: &mut Observation, load: f64) {
    let at = observation.at;
    for (signal, value) in
        [("requests", load), ("surge", load), ("arrivals", load), ("p95", 0.1), ("p99", 0.4)]
    {
        let reading = Reading::Fresh { sample: Sample { at, value } };
        observation.readings.insert(signal.parse().expect("a legal name"), reading);
    }
    let samples = observation.nodes.iter().map(|node| NodeSample {
        node: node.label.clone(),
        at,
        value: Some(0.6),
        capacity: None,
    });
    let cpu = Reading::PerNode { samples: samples.collect(), capacity: None };
    observation.readings.insert("cpu".parse().expect("a legal name"), cpu);
}

#[divan::bench]
fn one_pool_of_40_nodes_and_6_rules(bencher: divan::Bencher) {
    let pool = Pool::new();
    bencher.bench(|| pool.think());
}

#[divan::bench(sample_count = 20)]
fn a_thousand_such_pools(bencher: divan::Bencher) {
    let pools: Vec<Pool> = (0..1_000).map(|_| Pool::new()).collect();
    bencher.bench(|| pools.iter().map(Pool::think).sum::<usize>());
}
