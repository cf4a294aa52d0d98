//! Looking at the world: the listing, each balancer's view, each playbook run.

use std::collections::{BTreeMap, BTreeSet};
use std::net::{Ipv4Addr, SocketAddrV4};

use futures_util::future::join_all;

use super::inventory::Listing;
use super::look::PoolLoop;
use crate::domain::{
    BackendName, BackendView, BalancerName, Duration, Instance, Node, NodeCount, NodeId, NodeState,
    RunId, RunStatus, Server, ServerName, Timestamp,
};
use crate::planner::{Facts, InstanceFact, Note, Orphan, ServerFact, are_down};
use crate::ports::Fault;

/// While nodes wait for the cloud, its listing is asked for this often; 200 a minute are allowed.
const LISTING_WHILE_WAITING: Duration = Duration::from_millis(1_000);

/// Otherwise the listing only shows what vanished or appeared without our doing.
const LISTING_AT_REST: Duration = Duration::from_secs(10);

/// A listing that lacks at least this many of our instances is not believed where no balancer
/// confirms it: more likely it is the listing that is wrong. A share would let a page of a
/// listing that came short take a page of a large fleet with it.
const SHRUNK_AT_LEAST: u32 = 3;

/// What one look showed.
pub(super) struct World {
    pub facts: BTreeMap<NodeId, Facts>,
    pub notes: Vec<Note>,
    /// Instances with the pool's tag that are no node of it.
    pub orphans: Vec<Orphan>,
    /// Addresses at which some balancer has a server of ours.
    pub occupied: BTreeSet<Ipv4Addr>,
}

type Servers = Vec<(BalancerName, ServerFact)>;
pub(super) type Views = Vec<(BalancerName, Result<BackendView, Fault>)>;

impl PoolLoop {
    /// Asks everyone at once; who does not answer delays only by its own deadline.
    pub(super) async fn see(&self, now: Timestamp) -> Seeing {
        let waiting = self.nodes.values().any(|node| match node.state {
            NodeState::Planned | NodeState::Provisioning { .. } => true,
            NodeState::Deleting { .. } => true,
            NodeState::Configuring { .. } | NodeState::Joining { .. } => false,
            NodeState::InService | NodeState::Unhealthy { .. } => false,
            NodeState::Standby | NodeState::Draining { .. } => false,
            NodeState::Deleted | NodeState::Failed { .. } => false,
        });
        let max_age = if waiting { LISTING_WHILE_WAITING } else { LISTING_AT_REST };
        let others = join_all(
            self.other_backends()
                .into_iter()
                .map(|backend| async move { (backend.clone(), self.views(backend).await) }),
        );
        let (listing, views, others, runs) = tokio::join!(
            self.world.inventory.listing(max_age, now),
            self.views(&self.policy.join.backend),
            others,
            self.run_statuses()
        );
        Seeing { listing, views, others, runs }
    }

    async fn views(&self, backend: &BackendName) -> Views {
        join_all(
            self.world.balancers.iter().map(|balancer| async move {
                (balancer.name().clone(), balancer.view(backend).await)
            }),
        )
        .await
    }

    async fn run_statuses(&self) -> BTreeMap<RunId, RunStatus> {
        let mut runs: Vec<RunId> = self.nodes.values().filter_map(run_of).collect();
        runs.sort();
        runs.dedup();
        let statuses = join_all(
            runs.into_iter()
                .map(|run| async move { (run, self.world.configurator.status(run).await) }),
        )
        .await;
        statuses.into_iter().filter_map(|(run, status)| Some((run, status.ok()?))).collect()
    }

    /// Puts together what each node's facts are.
    pub(super) fn facts(&mut self, seeing: &Seeing, now: Timestamp) -> World {
        let mut notes = Vec::new();
        let mut servers = self.servers(seeing);
        let listed = self.believable(&seeing.listing, &servers, &mut notes);
        for (balancer, view) in &seeing.views {
            if let Err(fault) = view {
                let why = fault.to_string();
                notes.push(Note::BalancerUnreachable { balancer: balancer.clone(), why });
            }
        }
        let orphans =
            listed.map(|instances| self.find_orphans(instances, seeing, now)).unwrap_or_default();
        let sequence = seeing.listing.sequence;
        let is_whole = listed.is_some_and(|instances| self.shows_all_known(instances));
        let mut facts = BTreeMap::new();
        for node in self.nodes.values() {
            let instance = match listed {
                _ if node.state.is_final() => InstanceFact::Unknown,
                None => InstanceFact::Unknown,
                Some(instances) => match instances.iter().find(|one| is_of(one, node)) {
                    Some(instance) => InstanceFact::Present(instance.clone()),
                    // That a create call in doubt made nothing takes a listing that hides nothing.
                    None if 0 < node.doubts && node.instance.is_none() && !is_whole => {
                        InstanceFact::Unknown
                    }
                    None => InstanceFact::Absent {
                        looks: count_look(&mut self.absent_looks, node.id, sequence),
                    },
                },
            };
            if matches!(instance, InstanceFact::Present(_)) {
                self.absent_looks.remove(&node.id);
            }
            let run = run_of(node).and_then(|run| seeing.runs.get(&run).cloned());
            let servers = servers.remove(&node.id).unwrap_or_default();
            facts.insert(node.id, Facts { instance, run, servers });
        }
        World { facts, notes, orphans, occupied: seeing.occupied() }
    }

    /// Whether the listing has every instance that is known and that nobody asked to delete.
    fn shows_all_known(&self, instances: &[Instance]) -> bool {
        let leaves = |node: &Node| matches!(node.state, NodeState::Deleting { .. });
        let stays =
            |node: &&Node| !node.state.is_final() && !leaves(node) && node.instance.is_some();
        let mut known = self.nodes.values().filter(stays);
        known.all(|node| instances.iter().any(|one| is_of(one, node)))
    }

    /// Each node's servers.
    fn servers(&self, seeing: &Seeing) -> BTreeMap<NodeId, Servers> {
        let living = self.nodes.values().filter(|node| !node.state.is_final());
        let held: BTreeSet<Ipv4Addr> = living.map(|node| node.address).collect();
        let servers_of = |node: &Node| {
            let wanted = Wanted {
                name: ServerName::of(&node.label),
                address: SocketAddrV4::new(node.address, self.policy.join.port),
                owns_address: !node.state.is_final() || !held.contains(&node.address),
            };
            let views = seeing.views.iter();
            views.map(|(name, view)| (name.clone(), server_fact(view, &wanted))).collect()
        };
        self.nodes.values().map(|node| (node.id, servers_of(node))).collect()
    }

    /// The listing's instances, unless it failed or lacks too much at once that balancers don't
    /// see dead, too.
    fn believable<'a>(
        &self,
        listing: &'a Listing,
        servers: &BTreeMap<NodeId, Servers>,
        notes: &mut Vec<Note>,
    ) -> Option<&'a Vec<Instance>> {
        let instances = match &listing.instances {
            Ok(instances) => instances,
            Err(fault) => {
                notes.push(Note::InventoryUnknown { why: fault.to_string() });
                return None;
            }
        };
        let settled = |node: &&Node| {
            node.state.is_settled()
                && node.instance.is_some()
                && !servers.get(&node.id).is_some_and(|servers| are_down(servers))
        };
        let known: Vec<&Node> = self.nodes.values().filter(settled).collect();
        let missing = known.iter().filter(|node| !instances.iter().any(|one| is_of(one, node)));
        let (missing, known) = (missing.count() as u32, known.len() as u32);
        if SHRUNK_AT_LEAST <= missing {
            let (missing, known) = (NodeCount(missing), NodeCount(known));
            notes.push(Note::InventoryShrank { missing, known });
            return None;
        }
        Some(instances)
    }
}

/// What everyone answered.
pub(super) struct Seeing {
    pub listing: std::sync::Arc<Listing>,
    /// Each balancer's view of the pool's own backend.
    pub views: Views,
    /// Views of other backends that signals count.
    pub others: Vec<(BackendName, Views)>,
    runs: BTreeMap<RunId, RunStatus>,
}

impl Seeing {
    fn occupied(&self) -> BTreeSet<Ipv4Addr> {
        let views = self.views.iter().filter_map(|(_, view)| view.as_ref().ok());
        let servers = views.flat_map(|view| &view.servers).filter(|server| server.is_ours);
        servers.map(|server| *server.address.ip()).collect()
    }
}

/// Whether this instance is the node's: by the cloud's number once known, else by the label.
pub(super) fn is_of(instance: &Instance, node: &Node) -> bool {
    match node.instance {
        Some(id) => instance.id == id,
        None => instance.label == node.label.as_str(),
    }
}

fn run_of(node: &Node) -> Option<RunId> {
    match node.state {
        NodeState::Configuring { run, .. } => Some(run),
        NodeState::Planned | NodeState::Provisioning { .. } | NodeState::Joining { .. } => None,
        NodeState::InService | NodeState::Unhealthy { .. } | NodeState::Standby => None,
        NodeState::Draining { .. } => None,
        NodeState::Deleting { .. } | NodeState::Deleted | NodeState::Failed { .. } => None,
    }
}

/// Counts listings in a row that lacked the node; the same listing counts once.
fn count_look(looks: &mut BTreeMap<NodeId, (u64, u32)>, node: NodeId, sequence: u64) -> u32 {
    let (last, count) = looks.entry(node).or_insert((0, 0));
    if *last != sequence {
        (*last, *count) = (sequence, *count + 1);
    }
    *count
}

/// What a node's server looks like.
pub(super) struct Wanted {
    pub name: ServerName,
    pub address: SocketAddrV4,
    /// Whether a slot at the address can only be this node's.
    pub owns_address: bool,
}

impl Wanted {
    /// In dynamic mode the name tells whose a server is: one at our address under another
    /// node's name was left behind by that node. In slots mode only the address can tell.
    fn is(&self, server: &Server) -> bool {
        let named_by_us = server.name.as_str().starts_with("as-");
        let whose = if named_by_us { server.name == self.name } else { self.owns_address };
        server.is_ours && server.address == self.address && whose
    }
}

pub(super) fn server_fact(view: &Result<BackendView, Fault>, wanted: &Wanted) -> ServerFact {
    match view {
        Err(fault) => ServerFact::Unreachable { why: fault.to_string() },
        Ok(view) => match view.servers.iter().find(|server| wanted.is(server)) {
            Some(server) => {
                ServerFact::Present { server: server.clone(), old_workers: view.old_workers }
            }
            None => ServerFact::Absent {
                backend_usable: view.has_usable_server(),
                old_workers: view.old_workers,
            },
        },
    }
}
