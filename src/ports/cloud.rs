//! The cloud: instances listed, created, started and deleted.

use std::net::Ipv4Addr;

use async_trait::async_trait;
use secrecy::SecretString;

use super::Fault;
use crate::domain::{Dollars, Instance, InstanceId, InstanceLabel};

/// Where instances come from.
#[async_trait]
pub trait Cloud: Send + Sync {
    /// Every instance that carries `tag`: all of them or a fault, never a part. The tag is
    /// checked on what comes back, not only asked for.
    async fn instances(&self, tag: &str) -> Result<Vec<Instance>, Fault>;

    /// The one instance with this label, whatever its tags; `None` when the listing proves that
    /// none has it now.
    async fn find(&self, label: &InstanceLabel) -> Result<Option<Instance>, Fault>;

    /// Asks for a new instance, tags and VLAN address in the same call.
    ///
    /// Safe to repeat with the same label: the cloud refuses a second one. When it does, or
    /// when the answer got lost, the label is looked up, and the instance adopted only if its
    /// tags, region and plan are what was asked for; a stranger's is [`Fault::Permanent`].
    /// A lost answer with nothing found is [`Fault::InDoubt`].
    async fn create(&self, request: &CreateRequest) -> Result<Instance, Fault>;

    /// Starts an instance that is offline. Already started is success.
    async fn boot(&self, id: InstanceId) -> Result<(), Fault>;

    /// Deletes an instance, if it still carries `tag`: a person who took the tag off keeps the
    /// machine ([`Deletion::NotOurs`]).
    async fn delete(&self, id: InstanceId, tag: &str) -> Result<Deletion, Fault>;

    /// What one started hour of this plan costs in this region.
    async fn hourly_price(&self, instance_type: &str, region: &str) -> Result<Dollars, Fault>;

    /// Whether we are let in at all; one harmless call, for start-up.
    async fn verify_access(&self) -> Result<(), Fault>;
}

/// A new instance.
#[derive(Clone, Debug)]
pub struct CreateRequest {
    /// Its label, allocated and stored before this call.
    pub label: InstanceLabel,
    /// Its plan.
    pub instance_type: String,
    /// Its region.
    pub region: String,
    /// Its image.
    pub image: String,
    /// Its tags: the first is the pool's.
    pub tags: Vec<String>,
    /// The VLAN's label.
    pub vlan: String,
    /// Its address on the VLAN.
    pub address: Ipv4Addr,
    /// The length of the VLAN's network part, in bits.
    pub prefix: u8,
    /// The Cloud Firewall, where one is named.
    pub firewall: Option<u64>,
    /// Public keys that may log in, in OpenSSH form.
    pub authorized_keys: Vec<String>,
    /// cloud-init user data, at most 16,384 bytes; holds the private SSH host key.
    pub user_data: SecretString,
}

/// What came of asking for a deletion.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Deletion {
    /// The cloud is at it.
    Accepted,
    /// It was gone already.
    AlreadyGone,
    /// It no longer carries our tag: it was left alone.
    NotOurs,
}
