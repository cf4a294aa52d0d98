//! The adapter itself: each call waits for its turn, has a deadline, and looks before it acts.

use std::future::Future;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration as Limit;

use async_trait::async_trait;

use super::address::RuntimeAddress;
use super::client::{Client, Depth, Snapshot};
use super::mode::{HasSlots, Mode, NoWay, Way, choose};
use super::state::{Kind, ServerRow};
use super::view;
use super::workers::{self, OldWorkersSettings};
use crate::domain::{BackendName, BackendView, BalancerName, ServerName};
use crate::ports::{Balancer, Fault, Member, RegisterOptions, Removal, Sessions};

/// How long a call may take, waiting for its turn included. Longer than one exchange, so that a
/// stuck one is reported as what it is.
pub(super) const LIMIT: Limit = Limit::from_secs(3);

/// What a bulk repair may take more, for each member: ten times what it was measured to take.
const LIMIT_PER_MEMBER: Limit = Limit::from_millis(10);

/// How one HAProxy is reached and used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HaproxySettings {
    /// Its name in our configuration.
    pub name: BalancerName,
    /// Its runtime API, of level `admin`.
    pub address: RuntimeAddress,
    /// How members get into a backend.
    pub mode: Mode,
    /// Template slots are the servers named this and a number. Usually `slot`.
    pub slot_prefix: ServerName,
    /// How workers of earlier configurations are found out about.
    pub old_workers: OldWorkersSettings,
}

/// One HAProxy, through its runtime API.
pub struct HaproxyBalancer {
    pub(super) client: Client,
    mode: Mode,
    slot_prefix: ServerName,
    pub(super) old_workers: OldWorkersSettings,
    /// The process that the last warning was about: one warning a process is enough.
    warned_process: AtomicU32,
}

impl HaproxyBalancer {
    /// Connects to nothing yet.
    pub fn new(settings: HaproxySettings) -> Self {
        Self {
            client: Client::new(settings.name, settings.address),
            mode: settings.mode,
            slot_prefix: settings.slot_prefix,
            old_workers: settings.old_workers,
            warned_process: AtomicU32::new(0),
        }
    }

    /// What a server is to us.
    pub(super) fn kind(&self, row: &ServerRow) -> Kind {
        row.kind(self.slot_prefix.as_str())
    }

    /// The server that is this member: by name if it is dynamic, else the slot at its address.
    pub(super) fn find<'a>(
        &self,
        snapshot: &'a Snapshot,
        member: &Member,
    ) -> Option<&'a ServerRow> {
        let dynamic = snapshot.named(member.server.as_str());
        dynamic.filter(|row| self.kind(row) == Kind::Dynamic).or_else(|| {
            let mut rows = snapshot.servers.iter();
            rows.find(|row| self.kind(row) == Kind::Slot && row.address == Some(member.address))
        })
    }

    /// The way by which a member gets into this backend. Needs [`Depth::WithAlgorithm`].
    pub(super) fn way(&self, snapshot: &Snapshot, backend: &BackendName) -> Result<Way, Fault> {
        let algorithm = &snapshot.statistics.algorithm;
        let is_slot = |row| matches!(self.kind(row), Kind::Slot | Kind::FreeSlot);
        let has_slots =
            if snapshot.servers.iter().any(is_slot) { HasSlots::Yes } else { HasSlots::No };
        let dynamic = snapshot.info.version.dynamic_servers(algorithm);
        let way = choose(self.mode, dynamic, has_slots).map_err(|no_way| match no_way {
            NoWay::NoSlots => self.no_free_slot(backend, "has no template slots"),
            NoWay::TooOld => self.client.denied(format!(
                "HAProxy {} with `balance {algorithm}` can't take servers at run time; give \
                 backend `{backend}` template slots, `server-template {} 40 127.0.0.1:1 \
                 disabled`, or use HAProxy 2.6 or later with another algorithm",
                snapshot.info.version_text, self.slot_prefix
            )),
        })?;
        if way == Way::DynamicWithRest {
            self.warn_of_fragility(snapshot, backend);
        }
        Ok(way)
    }

    /// The fault for want of a slot.
    pub(super) fn no_free_slot(&self, backend: &BackendName, what: &str) -> Fault {
        self.client.denied(format!(
            "backend `{backend}` {what}; in haproxy.cfg write `server-template {} N 127.0.0.1:1 \
             disabled` with N above the pool's `max`, and reload",
            self.slot_prefix
        ))
    }

    fn warn_of_fragility(&self, snapshot: &Snapshot, backend: &BackendName) {
        let pid = snapshot.info.process.pid;
        if self.warned_process.swap(pid, Ordering::Relaxed) == pid {
            return;
        }
        tracing::warn!(
            balancer.name = %self.client.name(),
            "HAProxy {} can crash when a server is deleted; servers of backend {backend} rest in \
             maintenance first. Safer: template slots, or a version from 2.6.18, 2.8.10 or 3.0.6",
            snapshot.info.version_text
        );
    }

    /// Waits for its turn and runs `operation`, both within `limit`.
    pub(super) async fn in_turn<T>(
        &self,
        limit: Limit,
        operation: impl Future<Output = Result<T, Fault>> + Send,
    ) -> Result<T, Fault> {
        let operation = async {
            let _turn = self.client.turn().await;
            operation.await
        };
        // Given up half-way is no worse than a lost answer: the next call looks first.
        tokio::time::timeout(limit, operation).await.unwrap_or_else(|_| {
            Err(self.client.transient(format!("no result within {} s", limit.as_secs())))
        })
    }

    async fn look_and_tell(&self, backend: &BackendName) -> Result<BackendView, Fault> {
        let snapshot = self.client.look(backend, Depth::WithStatistics).await?;
        let info = &snapshot.info;
        let old = workers::find(&self.old_workers, backend, info.uptime_seconds).await;
        let slot_prefix = self.slot_prefix.as_str();
        let free_slots = match self.way(&snapshot, backend) {
            Ok(Way::Slots) | Err(_) => Some(view::free_slots(&snapshot, slot_prefix)),
            Ok(Way::Dynamic | Way::DynamicWithRest) => None,
        };
        Ok(BackendView {
            process: info.process,
            version: info.version_text.clone(),
            servers: view::servers(&snapshot, slot_prefix, &old),
            counts: view::counts(&snapshot.statistics, &old),
            free_slots,
            old_workers: old.may_exist(),
        })
    }
}

#[async_trait]
impl Balancer for HaproxyBalancer {
    fn name(&self) -> &BalancerName {
        self.client.name()
    }

    async fn view(&self, backend: &BackendName) -> Result<BackendView, Fault> {
        self.in_turn(LIMIT, self.look_and_tell(backend)).await
    }

    async fn register(
        &self,
        backend: &BackendName,
        member: &Member,
        options: &RegisterOptions,
    ) -> Result<(), Fault> {
        self.in_turn(LIMIT, self.admit(backend, member, options)).await
    }

    async fn make_ready(&self, backend: &BackendName, member: &Member) -> Result<(), Fault> {
        self.in_turn(LIMIT, self.give_requests(backend, member)).await
    }

    async fn restore(
        &self,
        backend: &BackendName,
        members: &[Member],
        options: &RegisterOptions,
    ) -> Result<(), Fault> {
        let count = u32::try_from(members.len()).unwrap_or(u32::MAX);
        let limit = LIMIT.saturating_add(LIMIT_PER_MEMBER.saturating_mul(count));
        self.in_turn(limit, self.bring_back(backend, members, options)).await
    }

    async fn drain(&self, backend: &BackendName, member: &Member) -> Result<(), Fault> {
        self.in_turn(LIMIT, self.give_no_more_requests(backend, member)).await
    }

    async fn remove(
        &self,
        backend: &BackendName,
        member: &Member,
        sessions: Sessions,
    ) -> Result<Removal, Fault> {
        self.in_turn(LIMIT, self.take_out(backend, member, sessions)).await
    }
}
