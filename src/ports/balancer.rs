//! A load balancer: servers registered, admitted, drained and removed.

use std::net::SocketAddrV4;

use async_trait::async_trait;

use super::Fault;
use crate::domain::{BackendName, BackendView, BalancerName, Duration, ServerName, Sessions};

/// One HAProxy. Each is asked on its own; one that is down delays no other.
///
/// Every change is verified by reading back, and every call is idempotent.
#[async_trait]
pub trait Balancer: Send + Sync {
    /// Its name in the configuration.
    fn name(&self) -> &BalancerName;

    /// The backend as it is now.
    async fn view(&self, backend: &BackendName) -> Result<BackendView, Fault>;

    /// Makes the member known: checked, but given no requests (drain first). One that is known
    /// at the same address and checked is left as it is, ready or not; one in maintenance is
    /// taken to drain. A server of the same name at another address is left alone, and a
    /// [`Fault::Permanent`].
    async fn register(
        &self,
        backend: &BackendName,
        member: &Member,
        options: &RegisterOptions,
    ) -> Result<(), Fault>;

    /// Gives the member requests, at once: whether it is UP is the caller's to look at first. One
    /// whose checks fail stays DOWN all the same. One in maintenance is only taken to drain, and
    /// that is a [`Fault::Transient`]; so is one that isn't registered.
    async fn make_ready(&self, backend: &BackendName, member: &Member) -> Result<(), Fault>;

    /// Brings back members that served before a restart or reload lost them: registered and
    /// ready, before any check. For a backend that has no usable server left.
    ///
    /// All get their try; the first fault is told.
    async fn restore(
        &self,
        backend: &BackendName,
        members: &[Member],
        options: &RegisterOptions,
    ) -> Result<(), Fault> {
        let mut result = Ok(());
        for member in members {
            let outcome = match self.register(backend, member, options).await {
                Ok(()) => self.make_ready(backend, member).await,
                Err(fault) => Err(fault),
            };
            result = result.and(outcome);
        }
        result
    }

    /// Gives the member no new requests; checks go on. One that isn't there gets none.
    async fn drain(&self, backend: &BackendName, member: &Member) -> Result<(), Fault>;

    /// Takes the member out, a stage at each call, until it answers [`Removal::Gone`].
    async fn remove(
        &self,
        backend: &BackendName,
        member: &Member,
        sessions: Sessions,
    ) -> Result<Removal, Fault>;
}

/// A node as balancers know it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Member {
    /// Its server name in dynamic mode.
    pub server: ServerName,
    /// Where requests go. In slots mode this alone tells which slot is its.
    pub address: SocketAddrV4,
}

/// How a member is registered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RegisterOptions {
    /// Between two checks.
    pub check_interval: Duration,
    /// Passes in a row that make it UP.
    pub rise: u32,
    /// Failures in a row that make it DOWN.
    pub fall: u32,
    /// Requests at once; more wait in the queue. `None`: no limit.
    pub max_connections: Option<u32>,
    /// How long its weight takes to rise to full, from when its checks find it UP. In slots mode
    /// the configuration of the slots decides, over the checks as well.
    pub slow_start: Duration,
}

/// How far a removal has come.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Removal {
    /// Nothing of it is left.
    Gone,
    /// Not yet; ask again.
    Waiting {
        /// For what.
        why: String,
    },
}
