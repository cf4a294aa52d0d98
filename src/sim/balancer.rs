//! The balancers: servers that are checked, given requests, drained, and forgotten at a restart.

use std::collections::BTreeSet;
use std::net::{Ipv4Addr, SocketAddrV4};

use async_trait::async_trait;

use super::model::Model;
use super::tally::Cut;
use super::world::SimWorld;
use crate::domain::{
    BackendName, BackendView, BalancerName, BalancerProcess, Duration, Server, ServerAdmin,
    ServerHealth, ServerName, Sessions, Timestamp, after,
};
use crate::ports::{Balancer, Fault, Member, RegisterOptions, Removal};

/// Requests on a server that is given some.
const BUSY: u32 = 5;

/// One balancer of the simulation.
pub struct SimBalancer {
    pub(super) world: SimWorld,
    pub(super) index: usize,
    pub(super) name: BalancerName,
}

/// One balancer's side of the model.
#[derive(Clone, Debug)]
pub(super) struct SimBalancerState {
    pub name: BalancerName,
    pub started_at: Timestamp,
    /// It answers no call before this; its servers serve on.
    pub unreachable_until: Option<Timestamp>,
    pub servers: Vec<SimServer>,
}

/// One server entry.
#[derive(Clone, Debug)]
pub(super) struct SimServer {
    pub name: ServerName,
    pub address: SocketAddrV4,
    pub admin: ServerAdmin,
    pub checked_since: Timestamp,
    /// UP takes so long once the application answers.
    pub up_after: Duration,
    /// When the last of its requests ends after a drain.
    pub idle_at: Option<Timestamp>,
}

impl Model {
    /// The label of the instance that answers at an address, and since when it does.
    fn application_at(&self, address: Ipv4Addr) -> Option<(&str, Timestamp)> {
        let now = self.now;
        let at = |one: &&super::cloud::SimInstance| one.address == Some(address) && one.runs(now);
        let instance = self.instances.values().find(at)?;
        Some((&instance.label, self.answers_since(&instance.label)?))
    }

    fn health(&self, server: &SimServer) -> ServerHealth {
        match self.application_at(*server.address.ip()) {
            Some((label, _)) if self.is_thrown(self.faults.never_healthy, "health", label) => {
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
        if self.application_at(*server.address.ip()).is_none() {
            return 0;
        }
        let given = server.admin == ServerAdmin::Ready && 0.0 < self.rate(self.now);
        let lingering = server.idle_at.is_some_and(|idle| self.now < idle);
        if given || lingering { BUSY } else { 0 }
    }

    /// Whether the balancer sends requests to a server and they are answered. One that has not
    /// failed a check yet gets its share.
    fn serves(&self, server: &SimServer) -> bool {
        let answers = match self.health(server) {
            ServerHealth::Up | ServerHealth::Rising | ServerHealth::Unchecked => true,
            ServerHealth::Down { .. } => false,
        };
        server.admin == ServerAdmin::Ready && answers
    }

    /// Addresses that some balancer sends requests to and where they are answered.
    pub(super) fn serving_addresses(&self) -> u32 {
        let servers = self.balancers.iter().flat_map(|balancer| &balancer.servers);
        let serving = servers.filter(|server| self.serves(server)).map(|server| server.address);
        serving.collect::<BTreeSet<_>>().len() as u32
    }

    /// The servers of one balancer that take requests and answer them.
    pub(super) fn serving_on(&self, balancer: usize) -> u32 {
        let servers = &self.balancers[balancer].servers;
        servers.iter().filter(|server| self.serves(server)).count() as u32
    }

    /// Notes the requests that end when the machine at an address goes.
    pub(super) fn cut_sessions_at(&mut self, address: Ipv4Addr, label: &str) {
        let mut cuts = Vec::new();
        for balancer in &self.balancers {
            for server in balancer.servers.iter().filter(|one| *one.address.ip() == address) {
                let (at, sessions) = (self.now, self.sessions(server));
                let (label, balancer) = (label.to_string(), balancer.name.clone());
                cuts.push(Cut { at, label, balancer, sessions });
            }
        }
        self.tally.cuts.extend(cuts.into_iter().filter(|cut| 0 < cut.sessions));
    }

    /// Notes balancers that send requests to a machine that is not configured.
    pub(super) fn watch_requests(&mut self) {
        let now = self.now;
        for balancer in &self.balancers {
            for server in balancer.servers.iter().filter(|one| one.admin == ServerAdmin::Ready) {
                let bare = self.instances.values().find(|one| {
                    one.address == Some(*server.address.ip())
                        && one.exists(now)
                        && !self.configured.contains_key(&one.label)
                        && one.gone_at.is_none()
                });
                if let Some(bare) = bare {
                    let (label, balancer) = (&bare.label, &balancer.name);
                    let name = &server.name;
                    let what = format!("{now}: {balancer} has {name} ready at bare {label}");
                    self.tally.sent_to_bare.push(what);
                }
            }
        }
    }

    fn view(&mut self, index: usize) -> BackendView {
        let balancer = &self.balancers[index];
        let started_at_seconds = balancer.started_at.as_second();
        let servers = balancer.servers.iter().map(|server| Server {
            name: server.name.clone(),
            address: server.address,
            is_ours: server.name.as_str().starts_with("as-"),
            admin: server.admin,
            health: self.health(server),
            sessions: self.sessions(server),
            queued: 0,
        });
        BackendView {
            process: BalancerProcess { pid: 7, started_at_seconds },
            version: "3.0.6".into(),
            servers: servers.collect(),
            free_slots: None,
            old_workers: false,
        }
    }

    fn register(
        &mut self,
        index: usize,
        member: &Member,
        options: &RegisterOptions,
    ) -> Result<(), Fault> {
        let checked_since = self.now;
        let servers = &mut self.balancers[index].servers;
        if let Some(known) = servers.iter_mut().find(|one| one.name == member.server) {
            // Not yet, or not any more: registered anew, checked from now on.
            if known.admin == ServerAdmin::Maintenance {
                (known.admin, known.checked_since) = (ServerAdmin::Drain, checked_since);
            }
            return Ok(());
        }
        if let Some(other) = servers.iter().find(|one| one.address == member.address) {
            let message = format!("{} stands at the address of {}", other.name, member.server);
            return Err(Fault::transient(message));
        }
        servers.push(SimServer {
            name: member.server.clone(),
            address: member.address,
            admin: ServerAdmin::Drain,
            checked_since,
            up_after: options.check_interval * options.rise,
            idle_at: None,
        });
        Ok(())
    }

    fn make_ready(&mut self, index: usize, member: &Member) -> Result<(), Fault> {
        let servers = &mut self.balancers[index].servers;
        let Some(server) = servers.iter_mut().find(|one| one.name == member.server) else {
            return Err(Fault::transient(format!("{} is not registered", member.server)));
        };
        if server.admin == ServerAdmin::Maintenance {
            server.admin = ServerAdmin::Drain;
            return Err(Fault::transient(format!("{} was in maintenance", member.server)));
        }
        (server.admin, server.idle_at) = (ServerAdmin::Ready, None);
        Ok(())
    }

    fn drain(&mut self, index: usize, name: &ServerName) {
        let sticky = self.happens(self.faults.sticky_sessions, "sticky", name.as_str());
        let (shortest, longest) = if sticky { (200, 400) } else { (1, 40) };
        let idle_at = after(self.now, self.length("drain", name.as_str(), shortest, longest));
        let mut servers = self.balancers[index].servers.iter_mut();
        let server = servers.find(|one| one.name == *name && one.admin == ServerAdmin::Ready);
        if let Some(server) = server {
            (server.admin, server.idle_at) = (ServerAdmin::Drain, Some(idle_at));
        }
    }

    fn remove(&mut self, index: usize, member: &Member, sessions: Sessions) -> Removal {
        let named = |one: &SimServer| one.name == member.server;
        let Some(at) = self.balancers[index].servers.iter().position(named) else {
            return Removal::Gone;
        };
        self.drain(index, &member.server);
        let left = self.sessions(&self.balancers[index].servers[at]);
        if sessions == Sessions::LetEnd && 0 < left {
            return Removal::Waiting { why: format!("{left} requests are under way") };
        }
        if 0 < left {
            let label = member.server.as_str().trim_start_matches("as-").to_string();
            let balancer = self.balancers[index].name.clone();
            self.tally.cuts.push(Cut { at: self.now, label, balancer, sessions: left });
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
    fn balancer_answers(&mut self, index: usize, call: &str) -> Result<(), Fault> {
        let balancer = &self.balancers[index];
        let name = balancer.name.clone();
        if balancer.unreachable_until.is_some_and(|until| self.now < until) {
            return Err(Fault::transient(format!("{name}: connection refused")));
        }
        if self.happens(self.faults.balancer_error, call, name.as_str()) {
            return Err(Fault::transient(format!("{name}: no answer in time")));
        }
        Ok(())
    }
}

impl SimBalancer {
    async fn call<T>(
        &self,
        verb: &str,
        member: &Member,
        act: impl FnOnce(&mut Model) -> Result<T, Fault>,
    ) -> Result<T, Fault> {
        let call = format!("{verb} {} {}", self.name, member.server);
        self.world.reaches(&call).await;
        let answer = {
            let mut model = self.world.model();
            model.balancer_answers(self.index, &call).and_then(|()| act(&mut model))
        };
        self.world.returns(&call).await;
        answer
    }
}

#[async_trait]
impl Balancer for SimBalancer {
    fn name(&self) -> &BalancerName {
        &self.name
    }

    async fn view(&self, _: &BackendName) -> Result<BackendView, Fault> {
        self.world.lives().await;
        let mut model = self.world.model();
        model.balancer_answers(self.index, "view")?;
        Ok(model.view(self.index))
    }

    async fn register(
        &self,
        _: &BackendName,
        member: &Member,
        options: &RegisterOptions,
    ) -> Result<(), Fault> {
        let register = |model: &mut Model| model.register(self.index, member, options);
        self.call("register", member, register).await
    }

    async fn make_ready(&self, _: &BackendName, member: &Member) -> Result<(), Fault> {
        self.call("ready", member, |model| model.make_ready(self.index, member)).await
    }

    async fn drain(&self, _: &BackendName, member: &Member) -> Result<(), Fault> {
        let drain = |model: &mut Model| {
            model.drain(self.index, &member.server);
            Ok(())
        };
        self.call("drain", member, drain).await
    }

    async fn remove(
        &self,
        _: &BackendName,
        member: &Member,
        sessions: Sessions,
    ) -> Result<Removal, Fault> {
        let remove = |model: &mut Model| Ok(model.remove(self.index, member, sessions));
        self.call("remove", member, remove).await
    }
}
