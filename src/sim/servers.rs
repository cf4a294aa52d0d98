//! The balancers: servers that are checked, given requests, drained, and forgotten at a restart.

use std::collections::BTreeSet;
use std::net::{Ipv4Addr, SocketAddrV4};

use super::model::Model;
use super::queueing::Carried;
use super::tally::Cut;
use crate::domain::{
    BackendView, BalancerName, BalancerProcess, Duration, Server, ServerAdmin, ServerHealth,
    ServerName, Sessions, Timestamp, after,
};
use crate::ports::{Fault, Member, RegisterOptions, Removal};

/// Requests on a server that is given some.
const BUSY: u32 = 5;

/// One balancer's side of the model.
#[derive(Clone, Debug)]
pub(super) struct SimBalancerState {
    pub name: BalancerName,
    pub started_at: Timestamp,
    /// A worker from before a reload goes on until then.
    pub old_workers_until: Option<Timestamp>,
    /// It answers no call before this; its servers serve on.
    pub unreachable_until: Option<Timestamp>,
    /// Its checks reach nobody before this.
    pub cut_off_until: Option<Timestamp>,
    pub mode: Mode,
    pub servers: Vec<SimServer>,
    /// What it has counted since it started.
    pub carried: Carried,
}

/// How a balancer's servers come to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Mode {
    /// Slots with names of their own: a member is who has the address.
    Slots,
    /// Servers are added under their members' names.
    Dynamic,
}

impl SimBalancerState {
    fn position(&self, member: &Member) -> Option<usize> {
        self.servers.iter().position(|server| match self.mode {
            Mode::Slots => server.address == member.address,
            Mode::Dynamic => server.name == member.server,
        })
    }

    fn find(&mut self, member: &Member) -> Option<&mut SimServer> {
        let at = self.position(member)?;
        self.servers.get_mut(at)
    }

    /// The name of a new server: in slots mode that of the first free slot.
    fn new_name(&self, member: &Member) -> ServerName {
        let free = |name: &ServerName| !self.servers.iter().any(|server| server.name == *name);
        let slot = |number| ServerName::new(format!("slot{number}")).expect("a legal name");
        match self.mode {
            Mode::Slots => (1..).map(slot).find(free).expect("numbers do not end"),
            Mode::Dynamic => member.server.clone(),
        }
    }
}

/// One server entry.
#[derive(Clone, Debug)]
pub(super) struct SimServer {
    pub name: ServerName,
    /// Whether it was made, or is managed, by us.
    pub is_ours: bool,
    pub address: SocketAddrV4,
    pub admin: ServerAdmin,
    pub checked_since: Timestamp,
    /// UP takes so long once the application answers.
    pub up_after: Duration,
    /// When the last of its requests ends after a drain.
    pub idle_at: Option<Timestamp>,
}

impl SimServer {
    /// One from the balancer's own file, which is none of our business.
    pub fn foreign(now: Timestamp) -> Self {
        Self {
            name: ServerName::new("static1").expect("a legal name"),
            is_ours: false,
            address: SocketAddrV4::new(Ipv4Addr::new(192, 0, 2, 7), 80),
            admin: ServerAdmin::Ready,
            checked_since: now,
            up_after: Duration::ZERO,
            idle_at: None,
        }
    }
}

impl Model {
    /// The label of the instance that answers at an address, and since when it does.
    fn application_at(&self, address: Ipv4Addr) -> Option<(&str, Timestamp)> {
        let now = self.now;
        let at = |one: &&super::cloud::SimInstance| one.address == Some(address) && one.runs(now);
        let instance = self.instances.values().find(at)?;
        Some((&instance.label, self.answers_since(&instance.label)?))
    }

    fn health(&self, balancer: &SimBalancerState, server: &SimServer) -> ServerHealth {
        if !server.is_ours {
            return ServerHealth::Up;
        }
        if balancer.cut_off_until.is_some_and(|until| self.now < until) {
            return ServerHealth::Down { check: "L4TOUT".into() };
        }
        match self.application_at(*server.address.ip()) {
            Some((label, _))
                if self.broken.contains(label)
                    || self.is_thrown(self.faults.never_healthy, "health", label) =>
            {
                ServerHealth::Down { check: "L7STS".into() }
            }
            Some((_, since)) => {
                let up_at = after(since.max(server.checked_since), server.up_after);
                if up_at <= self.now { ServerHealth::Up } else { ServerHealth::Rising }
            }
            None => ServerHealth::Down { check: "L4CON".into() },
        }
    }

    fn sessions(&self, server: &SimServer) -> u32 {
        let Some((label, _)) = self.application_at(*server.address.ip()) else { return 0 };
        if self.broken.contains(label) {
            return 0;
        }
        let given = server.admin == ServerAdmin::Ready && 0.0 < self.rate(self.now);
        let lingering = server.idle_at.is_some_and(|idle| self.now < idle);
        if given || lingering { BUSY } else { 0 }
    }

    /// Whether the balancer sends requests to a server of ours and they are answered. One that has
    /// not failed a check yet gets its share.
    fn serves(&self, balancer: &SimBalancerState, server: &SimServer) -> bool {
        let answers = match self.health(balancer, server) {
            ServerHealth::Up | ServerHealth::Rising | ServerHealth::Unchecked => true,
            ServerHealth::Down { .. } => false,
        };
        server.is_ours && server.admin == ServerAdmin::Ready && answers
    }

    /// Addresses that some balancer sends requests to and where they are answered.
    pub(super) fn serving_addresses(&self) -> BTreeSet<Ipv4Addr> {
        let of = |balancer: &'_ SimBalancerState| -> Vec<Ipv4Addr> {
            let serving = balancer.servers.iter().filter(|server| self.serves(balancer, server));
            serving.map(|server| *server.address.ip()).collect()
        };
        self.balancers.iter().flat_map(of).collect()
    }

    /// The servers of one balancer that take requests and answer them.
    pub(super) fn serving_on(&self, balancer: usize) -> u32 {
        let balancer = &self.balancers[balancer];
        balancer.servers.iter().filter(|server| self.serves(balancer, server)).count() as u32
    }

    /// Notes the requests that end when the machine at an address goes.
    pub(super) fn cut_sessions_at(&mut self, address: Ipv4Addr, label: &str) {
        let mut cuts = Vec::new();
        for balancer in &self.balancers {
            for server in balancer.servers.iter().filter(|one| *one.address.ip() == address) {
                let (at, sessions) = (self.clock(), self.sessions(server));
                let (label, balancer) = (label.to_string(), balancer.name.clone());
                cuts.push(Cut { at, label, balancer, sessions });
            }
        }
        self.tally.cuts.extend(cuts.into_iter().filter(|cut| 0 < cut.sessions));
    }

    /// Notes that a balancer is told to send requests to a machine that is not configured.
    fn note_bare(&mut self, index: usize, address: Ipv4Addr) {
        let now = self.now;
        let bare = self.instances.values().find(|one| {
            let is_there = one.address == Some(address) && one.exists(now);
            is_there && one.gone_at.is_none() && self.answers_since(&one.label).is_none()
        });
        if let Some(bare) = bare {
            let what = format!("{now}: {} at {}", bare.label, self.balancers[index].name);
            self.tally.sent_to_bare.push(what);
        }
    }

    pub(super) fn view(&mut self, index: usize) -> BackendView {
        let counts = self.counts(index);
        let balancer = &self.balancers[index];
        let started_at_seconds = balancer.started_at.as_second();
        let servers = balancer.servers.iter().map(|server| Server {
            name: server.name.clone(),
            address: server.address,
            is_ours: server.is_ours,
            admin: server.admin,
            health: self.health(balancer, server),
            sessions: self.sessions(server),
            queued: 0,
        });
        BackendView {
            process: BalancerProcess { pid: 7, started_at_seconds },
            version: "3.0.6".into(),
            servers: servers.collect(),
            counts,
            free_slots: None,
            old_workers: balancer.old_workers_until.is_some_and(|until| self.now < until),
        }
    }

    pub(super) fn register(
        &mut self,
        index: usize,
        member: &Member,
        options: &RegisterOptions,
    ) -> Result<(), Fault> {
        let checked_since = self.now;
        let balancer = &mut self.balancers[index];
        if let Some(known) = balancer.find(member) {
            // Not yet, or not any more: registered anew, checked from now on.
            if known.admin == ServerAdmin::Maintenance {
                (known.admin, known.checked_since) = (ServerAdmin::Drain, checked_since);
            }
            return Ok(());
        }
        if let Some(other) = balancer.servers.iter().find(|one| one.address == member.address) {
            let message = format!("{} stands at the address of {}", other.name, member.server);
            return Err(Fault::transient(message));
        }
        let server = SimServer {
            name: balancer.new_name(member),
            is_ours: true,
            address: member.address,
            admin: ServerAdmin::Drain,
            checked_since,
            up_after: options.check_interval * options.rise,
            idle_at: None,
        };
        balancer.servers.push(server);
        Ok(())
    }

    pub(super) fn make_ready(&mut self, index: usize, member: &Member) -> Result<(), Fault> {
        let Some(server) = self.balancers[index].find(member) else {
            return Err(Fault::transient(format!("{} is not registered", member.server)));
        };
        if server.admin == ServerAdmin::Maintenance {
            server.admin = ServerAdmin::Drain;
            return Err(Fault::transient(format!("{} was in maintenance", member.server)));
        }
        (server.admin, server.idle_at) = (ServerAdmin::Ready, None);
        self.note_bare(index, *member.address.ip());
        Ok(())
    }

    pub(super) fn drain(&mut self, index: usize, member: &Member) {
        let thing = member.server.as_str();
        let sticky = self.strikes("sticky_sessions", self.faults.sticky_sessions, "sticky", thing);
        let (shortest, longest) = if sticky { (200, 400) } else { self.paces.drain };
        let idle_at = after(self.now, self.length("drain", thing, shortest, longest));
        let server = self.balancers[index].find(member);
        if let Some(server) = server.filter(|server| server.admin == ServerAdmin::Ready) {
            (server.admin, server.idle_at) = (ServerAdmin::Drain, Some(idle_at));
        }
    }

    pub(super) fn remove(&mut self, index: usize, member: &Member, sessions: Sessions) -> Removal {
        let Some(at) = self.balancers[index].position(member) else {
            return Removal::Gone;
        };
        self.drain(index, member);
        let left = self.sessions(&self.balancers[index].servers[at]);
        if sessions == Sessions::LetEnd && 0 < left {
            return Removal::Waiting { why: format!("{left} requests are under way") };
        }
        if 0 < left {
            let label = member.server.as_str().trim_start_matches("as-").to_string();
            let balancer = self.balancers[index].name.clone();
            self.tally.cuts.push(Cut { at: self.clock(), label, balancer, sessions: left });
        }
        let server = &mut self.balancers[index].servers[at];
        if server.admin != ServerAdmin::Maintenance {
            (server.admin, server.idle_at) = (ServerAdmin::Maintenance, None);
            return Removal::Waiting { why: "a rest in maintenance".into() };
        }
        self.balancers[index].servers.remove(at);
        Removal::Gone
    }

    /// Whether the balancer answers this call.
    pub(super) fn balancer_answers(&mut self, index: usize, call: &str) -> Result<(), Fault> {
        let balancer = &self.balancers[index];
        let name = balancer.name.clone();
        if balancer.unreachable_until.is_some_and(|until| self.now < until) {
            return Err(Fault::transient(format!("{name}: connection refused")));
        }
        if self.strikes("balancer_error", self.faults.balancer_error, call, name.as_str()) {
            return Err(Fault::transient(format!("{name}: no answer in time")));
        }
        Ok(())
    }
}
