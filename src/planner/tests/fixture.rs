//! Nodes and facts for these tests.

use std::collections::BTreeMap;
use std::net::{Ipv4Addr, SocketAddrV4};
use std::path::Path;

use uuid::Uuid;

use super::super::{Facts, InstanceFact, Next, PlanInput, ServerFact, Wish, next};
use crate::domain::{
    Attempt, BalancerName, Duration, HostResult, Instance, InstanceId, InstanceLabel,
    InstanceStatus, Node, NodeCount, NodeId, NodeState, RunId, RunStatus, Server, ServerAdmin,
    ServerHealth, ServerName, Timestamp, after,
};
use crate::policy::{Policy, parse};

const POLICY: &str = "
pool: web
bounds: {min: 1, max: 10}
signals: {requests: {prometheus: {query: rate}}}
rules: [{target: {signal: requests, per_node: 100}}]
scale_in: {leave_early: yes}
node:
  type: g6-standard-2
  region: eu-central
  image: linode/debian12
  vlan: {label: app, cidr: 10.10.0.0/24, reserve: [10.10.0.1-10.10.0.19]}
  boot_timeout: 5m
  backoff: {first: 5m, longest: 30m}
configure: {playbook: node.yml, timeout: 8m, batch: 3}
join: {backend: web, timeout: 2m}
leave: {drain_timeout: 2m}
";

pub fn policy() -> Policy {
    policy_with("", "")
}

/// The policy with one text in place of another.
pub fn policy_with(from: &str, to: &str) -> Policy {
    parse(&POLICY.replace(from, to), Path::new("web.yaml"))
        .unwrap_or_else(|problems| panic!("{problems}"))
}

/// So many seconds after (or before) the moment that these tests call now.
pub fn at(seconds: i64) -> Timestamp {
    Timestamp::from_second(1_772_000_000 + seconds).expect("a time in range")
}

pub fn now() -> Timestamp {
    at(0)
}

pub fn run(number: u128) -> RunId {
    RunId(Uuid::from_u128(number))
}

/// A node in `state` since ten minutes ago, with an instance once its state may have one.
pub fn node(number: u8, state: NodeState) -> Node {
    let id = NodeId(Uuid::from_u128(u128::from(number)));
    let pool = "web".parse().expect("a legal name");
    let served = matches!(
        state,
        NodeState::InService
            | NodeState::Unhealthy { .. }
            | NodeState::Standby
            | NodeState::Draining { .. }
            | NodeState::Deleting { .. }
    );
    let planned = state == NodeState::Planned;
    Node {
        id,
        label: InstanceLabel::of(&pool, id),
        pool,
        address: Ipv4Addr::new(10, 10, 0, 20 + number),
        vlan: "app".into(),
        instance_type: "g6-standard-2".into(),
        region: "eu-central".into(),
        state,
        state_since: at(-600),
        planned_at: at(-1200 + i64::from(number)),
        instance: (!planned).then(|| InstanceId(u64::from(number))),
        instance_created_at: (!planned).then(|| at(-1100)),
        host_keys: if planned { vec![] } else { vec!["ssh-ed25519 AAAA".into()] },
        doubts: 0,
        attempt: None,
        joining_since: None,
        left_at: None,
        served_at: served.then(|| at(-700)),
        admitting: Default::default(),
        failure: None,
        failed_at: None,
    }
}

/// The node tried its step and may not try again for a minute.
pub fn resting(mut node: Node) -> Node {
    node.attempt = Some(Attempt { count: 1, at: at(-1), not_before: at(60), error: None });
    node
}

pub fn instance(node: &Node, status: InstanceStatus) -> InstanceFact {
    InstanceFact::Present(Instance {
        id: node.instance.unwrap_or(InstanceId(99)),
        label: node.label.to_string(),
        status,
        tags: vec!["windlass-web".into(), "windlass".into()],
        region: "eu-central".into(),
        instance_type: "g6-standard-2".into(),
        created_at: Some(at(-1100)),
    })
}

pub fn balancer(index: usize) -> BalancerName {
    BalancerName::new(format!("lb{}", index + 1)).expect("a legal name")
}

/// What one balancer says of the node, in short.
#[derive(Clone, Copy, Debug)]
pub enum Says {
    Nothing,
    Unknown { usable: bool },
    Has(ServerAdmin, Check),
    Busy(ServerAdmin),
    HeldByOldWorker,
}

#[derive(Clone, Copy, Debug)]
pub enum Check {
    Up,
    Rising,
    Down,
}

pub fn up(admin: ServerAdmin) -> Says {
    Says::Has(admin, Check::Up)
}

pub const ABSENT: Says = Says::Unknown { usable: true };

fn server_fact(node: &Node, says: Says) -> ServerFact {
    let server = |admin, health, sessions| Server {
        name: ServerName::of(&node.label),
        address: SocketAddrV4::new(node.address, 8080),
        is_ours: true,
        admin,
        health,
        sessions,
        queued: 0,
    };
    match says {
        Says::Nothing => ServerFact::Unreachable { why: "connection refused".into() },
        Says::Unknown { usable } => {
            ServerFact::Absent { backend_usable: usable, old_workers: false }
        }
        Says::HeldByOldWorker => ServerFact::Absent { backend_usable: true, old_workers: true },
        Says::Has(admin, check) => {
            let health = match check {
                Check::Up => ServerHealth::Up,
                Check::Rising => ServerHealth::Rising,
                Check::Down => ServerHealth::Down { check: "L4CON".into() },
            };
            ServerFact::Present { server: server(admin, health, 0), old_workers: false }
        }
        Says::Busy(admin) => {
            ServerFact::Present { server: server(admin, ServerHealth::Up, 3), old_workers: false }
        }
    }
}

/// A running instance, and what each balancer says.
pub fn facts(node: &Node, says: &[Says]) -> Facts {
    Facts {
        instance: instance(node, InstanceStatus::Running),
        run: None,
        servers: says
            .iter()
            .enumerate()
            .map(|(index, says)| (balancer(index), server_fact(node, *says)))
            .collect(),
    }
}

/// Two balancers that know nothing of the node, and this instance.
pub fn seen(node: &Node, instance: InstanceFact) -> Facts {
    Facts { instance, ..facts(node, &[ABSENT, ABSENT]) }
}

/// A run that ended with this result on the node.
pub fn ended(node: &Node, result: HostResult) -> Option<RunStatus> {
    Some(RunStatus::Ended { hosts: BTreeMap::from([(node.label.clone(), result)]) })
}

pub fn succeeded() -> HostResult {
    HostResult::Succeeded { ok: 3, changed: 2, facts: BTreeMap::new() }
}

/// What the table says, in short: `waits`, or `becomes joining, register_server lb1 lb2`, or
/// `becomes deleting, after never_booted`.
pub fn told(node: &Node, facts: &Facts, wish: Wish) -> String {
    short(&next(node, facts, wish, &policy(), run(77), now()))
}

pub fn short(next: &Next) -> String {
    let Next::Do { enter, step, failure, .. } = next else { return "waits".into() };
    let mut parts = Vec::new();
    parts.extend(enter.as_ref().map(|state| format!("becomes {}", state.name())));
    parts.extend(step.as_ref().map(|step| {
        let balancers = step.balancers().iter().map(|name| format!(" {name}"));
        let cut = match step {
            super::super::Step::RemoveServer { sessions, .. } => format!(" {sessions:?}"),
            _ => String::new(),
        };
        format!("{}{}{cut}", step.name(), balancers.collect::<String>())
    }));
    parts.extend(failure.as_ref().map(|failure| {
        let document = serde_json::to_value(failure).expect("a failure has string keys");
        format!("after {}", document["failure"].as_str().expect("its tag"))
    }));
    parts.join(", ")
}

/// Nodes, what is seen of them, and how many are wanted.
#[derive(Debug)]
pub struct Case {
    pub policy: Policy,
    pub nodes: Vec<Node>,
    pub facts: BTreeMap<NodeId, Facts>,
    pub desired: Option<NodeCount>,
    pub protected: BTreeMap<NodeId, super::super::Protection>,
    pub orders: super::super::NodeOrders,
    pub addresses: BTreeMap<Ipv4Addr, super::super::AddressUse>,
}

impl Case {
    pub fn new(desired: u32, nodes: Vec<(Node, Facts)>) -> Self {
        let facts = nodes.iter().map(|(node, facts)| (node.id, facts.clone())).collect();
        let nodes: Vec<Node> = nodes.into_iter().map(|(node, _)| node).collect();
        let held = |node: &Node| (node.address, super::super::AddressUse::Held);
        let addresses = nodes.iter().filter(|node| !node.state.is_final()).map(held).collect();
        let (desired, protected) = (Some(NodeCount(desired)), BTreeMap::new());
        let orders = super::super::NodeOrders::default();
        Self { policy: policy(), nodes, facts, desired, protected, orders, addresses }
    }

    pub fn plan(&self) -> super::super::Plan {
        self.plan_at(now())
    }

    pub fn plan_at(&self, now: Timestamp) -> super::super::Plan {
        let input = PlanInput {
            policy: &self.policy,
            desired: self.desired,
            nodes: &self.nodes,
            facts: &self.facts,
            protected: &self.protected,
            orders: &self.orders,
            addresses: &self.addresses,
            now,
        };
        let mut count = 1_000u128;
        super::super::plan(&input, &mut || {
            count += 1;
            Uuid::from_u128(count)
        })
    }
}

/// A node that serves on both balancers.
pub fn serving(number: u8) -> (Node, Facts) {
    let node = node(number, NodeState::InService);
    let facts = facts(&node, &[up(ServerAdmin::Ready), up(ServerAdmin::Ready)]);
    (node, facts)
}

/// A node that stands by on both balancers.
pub fn standing_by(number: u8) -> (Node, Facts) {
    let node = node(number, NodeState::Standby);
    let facts = facts(&node, &[up(ServerAdmin::Drain), up(ServerAdmin::Drain)]);
    (node, facts)
}

/// A node that drains on both balancers, with requests under way.
pub fn draining(number: u8) -> (Node, Facts) {
    let deadline = after(now(), Duration::from_secs(60));
    let node = node(number, NodeState::Draining { deadline });
    let facts = facts(&node, &[Says::Busy(ServerAdmin::Drain), Says::Busy(ServerAdmin::Drain)]);
    (node, facts)
}
