//! One balancer's runtime API: commands sent one at a time, the state looked at, refusals and
//! broken connections sorted into faults.
//!
//! In: command lines made of checked names and numbers.
//! Out: replies, snapshots of one backend, faults that say what to do.
//! Never: two connections to one balancer at once (`stats maxconn` is 10), nor a look that mixes
//! two processes: a snapshot is one connection, and a connection stays with its process.

use std::error::Error;
use std::io;

use tokio::sync::{Mutex, MutexGuard};
use tokio::time::sleep;

use super::address::RuntimeAddress;
use super::info::Info;
use super::reply::{Refusal, understand};
use super::state::{self, ServerRow};
use super::statistics::Statistics;
use super::transport::{ExchangeError, exchange};
use crate::domain::{BackendName, BalancerName, BalancerProcess, Duration};
use crate::ports::Fault;

/// The way to one balancer.
pub(super) struct Client {
    name: BalancerName,
    address: RuntimeAddress,
    turn: Mutex<()>,
}

/// One backend at one moment, in one process.
pub(super) struct Snapshot {
    pub(super) info: Info,
    pub(super) servers: Vec<ServerRow>,
    /// As far as the [`Depth`] asked for them.
    pub(super) statistics: Statistics,
}

impl Snapshot {
    /// The server with this name.
    pub(super) fn named(&self, name: &str) -> Option<&ServerRow> {
        self.servers.iter().find(|server| server.name == name)
    }
}

/// How much a look takes in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Depth {
    /// Names, addresses, states: 71 bytes a server.
    State,
    /// The algorithm as well: 3 KB.
    WithAlgorithm,
    /// Sessions, queues and the algorithm as well: 2 KB a server.
    WithStatistics,
}

impl Client {
    pub(super) fn new(name: BalancerName, address: RuntimeAddress) -> Self {
        Self { name, address, turn: Mutex::new(()) }
    }

    pub(super) fn name(&self) -> &BalancerName {
        &self.name
    }

    /// Waits until nobody else speaks to this balancer. Held for a whole operation, so that what
    /// was looked at is still so when it is acted upon.
    pub(super) async fn turn(&self) -> MutexGuard<'_, ()> {
        self.turn.lock().await
    }

    /// Sends one line and gives the reply as it is.
    pub(super) async fn ask(&self, line: &str) -> Result<String, Fault> {
        exchange(&self.address, line).await.map_err(|error| self.broken(&error))
    }

    /// Sends a change (or a chain of changes that don't rest on one another), and gives
    /// HAProxy's refusal where there is one.
    pub(super) async fn tell(&self, line: &str) -> Result<Result<(), Refusal>, Fault> {
        self.ask(line).await.map(|reply| understand(&reply))
    }

    /// Sends a change that there is no reason to refuse: every refusal is a fault.
    pub(super) async fn must(&self, line: &str, backend: &BackendName) -> Result<(), Fault> {
        self.tell(line).await?.map_err(|refusal| self.refused(refusal, backend))
    }

    /// Looks at one backend.
    pub(super) async fn look(
        &self,
        backend: &BackendName,
        depth: Depth,
    ) -> Result<Snapshot, Fault> {
        let statistics = match depth {
            Depth::State => String::new(),
            // 2: the backend's own row; 4: its servers'.
            Depth::WithAlgorithm => format!(";show stat {backend} 2 -1"),
            Depth::WithStatistics => format!(";show stat {backend} 6 -1"),
        };
        let line = format!("show info;show cli level;show servers state {backend}{statistics}");
        let reply = self.ask(&line).await?;
        if reply.trim().is_empty() {
            return Err(self.transient("it closed the connection without an answer"));
        }
        // None of these answers holds an empty line, and each ends with one.
        let mut parts = reply.splitn(4, "\n\n");
        let mut part = || parts.next().unwrap_or_default();
        let unclear = |what: String| {
            self.transient(format!("its runtime API gave an answer that can't be read: {what}"))
        };
        let info = Info::parse(part()).map_err(unclear)?;
        if info.is_stopping {
            return Err(self.transient("the process that answered is on its way out"));
        }
        self.check_level(part().trim())?;
        let rows = part();
        if let Err(refusal @ (Refusal::NoBackend | Refusal::NotAllowed)) = understand(rows) {
            return Err(self.refused(refusal, backend));
        }
        let servers = state::parse(rows).map_err(unclear)?;
        let statistics = match depth {
            Depth::State => Statistics::default(),
            Depth::WithAlgorithm | Depth::WithStatistics => {
                Statistics::parse(part()).map_err(unclear)?
            }
        };
        Ok(Snapshot { info, servers, statistics })
    }

    /// Looks again after a change. During a reload the old process still answers for a moment,
    /// and what it was told is lost with it: another process means that nothing is certain.
    pub(super) async fn look_back(
        &self,
        backend: &BackendName,
        process: BalancerProcess,
    ) -> Result<Snapshot, Fault> {
        let after = self.look(backend, Depth::State).await?;
        if after.info.process != process {
            return Err(self.transient("it was reloaded or restarted meanwhile; look again"));
        }
        Ok(after)
    }

    /// Looks again until `is_done`, for a third of a second at most; the last look in any case.
    ///
    /// From 3.0 an address is changed in the background, after the reply: one that is read back
    /// at once can still be the old one.
    pub(super) async fn look_back_until(
        &self,
        backend: &BackendName,
        process: BalancerProcess,
        is_done: impl Fn(&Snapshot) -> bool + Send,
    ) -> Result<Snapshot, Fault> {
        for pause in [5, 10, 20, 40, 80, 160] {
            let after = self.look_back(backend, process).await?;
            if is_done(&after) {
                return Ok(after);
            }
            sleep(Duration::from_millis(pause)).await;
        }
        self.look_back(backend, process).await
    }

    fn check_level(&self, level: &str) -> Result<(), Fault> {
        if level == "admin" {
            return Ok(());
        }
        // Levels are words; anything else is no answer to `show cli level`.
        let level: String = level.chars().filter(char::is_ascii_lowercase).take(20).collect();
        Err(self.denied(format!(
            "its socket gives level `{level}`, and changes need `admin`; in the global section \
             of haproxy.cfg write `stats socket … level admin` and reload"
        )))
    }

    /// What a refusal means to whoever wanted the change.
    pub(super) fn refused(&self, refusal: Refusal, backend: &BackendName) -> Fault {
        match refusal {
            Refusal::NoBackend => self.denied(format!(
                "it has no backend `{backend}`; add one to haproxy.cfg, or correct the policy's \
                 `backend`"
            )),
            Refusal::StaticAlgorithm => self.denied(format!(
                "backend `{backend}` balances by an algorithm that can't take servers at run \
                 time; use `balance roundrobin`, `leastconn` or `random` (hashes only with \
                 `hash-type consistent`), or template slots"
            )),
            Refusal::Unsupported => self.denied(format!(
                "its version can't add servers at run time; give backend `{backend}` template \
                 slots, `server-template slot 40 127.0.0.1:1 disabled`, or use HAProxy 2.6 or \
                 later"
            )),
            Refusal::NotAllowed => self.denied(
                "its socket does not allow changes; in the global section of haproxy.cfg write \
                 `stats socket … level admin` and reload",
            ),
            Refusal::Referenced => self.denied(format!(
                "other parts of its configuration name the server (`track`, `use-server`), so it \
                 can't be deleted; it stays in maintenance until backend `{backend}` no longer \
                 refers to it"
            )),
            Refusal::NoServer => self.transient("the server is gone: it was restarted meanwhile"),
            Refusal::NotInMaintenance => self.transient(
                "something else took the server out of maintenance (an agent check, a person)",
            ),
            Refusal::StillConnected => self.transient("connections still hold on to the server"),
            Refusal::NameTaken => self.transient("a server of this name came up meanwhile"),
            Refusal::IdTaken => self.transient("no free server number was found"),
            Refusal::NoCheck => self.denied(format!(
                "the server has no health check; give the servers of backend `{backend}` one: \
                 `default-server check`"
            )),
            Refusal::Other(text) => self.denied(format!("it refused: {text}")),
        }
    }

    fn broken(&self, error: &ExchangeError) -> Fault {
        if let ExchangeError::Connect(cause) = error
            && cause.kind() == io::ErrorKind::PermissionDenied
        {
            return self.denied(
                "this user may not open its runtime socket; in haproxy.cfg give the socket a \
                 group that this user is in: `stats socket … mode 660 group windlass level admin`",
            );
        }
        let cause = error.source().map(|cause| format!(": {cause}")).unwrap_or_default();
        self.transient(format!("{error}{cause}"))
    }

    /// A fault that may pass by itself.
    pub(super) fn transient(&self, what: impl AsRef<str>) -> Fault {
        Fault::transient(format!("balancer {}: {}", self.name, what.as_ref()))
    }

    /// A fault that needs a person.
    pub(super) fn denied(&self, what: impl AsRef<str>) -> Fault {
        Fault::Denied { message: format!("balancer {}: {}", self.name, what.as_ref()) }
    }
}
