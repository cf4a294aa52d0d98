//! What a balancer and one of its backends are good for, for whoever examines a deployment.
//!
//! In: a backend's name.
//! Out: its version, how servers come into it, and who else has servers there.
//! Never: changes anything.

use super::balancer::{HaproxyBalancer, LIMIT};
use super::client::Depth;
use super::mode::Way;
use super::state::Kind;
use super::workers::{self, OldWorkers};
use crate::domain::BackendName;
use crate::ports::Fault;

/// What was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Examination {
    /// As HAProxy writes it.
    pub version: String,
    /// How servers come into the backend.
    pub come: ServersCome,
    /// Servers that are not ours, by name.
    pub foreign: Vec<String>,
    /// Whether a master's socket is named and does not tell of old workers.
    pub is_master_silent: bool,
}

/// How servers come into a backend.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ServersCome {
    /// Into template slots.
    IntoSlots {
        /// How many there are, those in use included.
        slots: u32,
    },
    /// They are added.
    ByThemselves,
    /// They are added, though this version can crash when one is deleted.
    AtARisk,
}

impl HaproxyBalancer {
    /// Looks at a backend. Fails where it could not be used at all, with the remedy.
    pub async fn examine(&self, backend: &BackendName) -> Result<Examination, Fault> {
        let look = async {
            let snapshot = self.client.look(backend, Depth::WithAlgorithm).await?;
            let kinds = || snapshot.servers.iter().map(|row| self.kind(row));
            let is_slot = |kind: &Kind| matches!(kind, Kind::Slot | Kind::FreeSlot);
            let come = match self.way(&snapshot, backend)? {
                Way::Slots => ServersCome::IntoSlots {
                    slots: u32::try_from(kinds().filter(is_slot).count()).unwrap_or(u32::MAX),
                },
                Way::Dynamic => ServersCome::ByThemselves,
                Way::DynamicWithRest => ServersCome::AtARisk,
            };
            let foreign = snapshot.servers.iter().filter(|row| self.kind(row) == Kind::Foreign);
            let age = snapshot.info.uptime_seconds;
            let old = workers::find(&self.old_workers, backend, age).await;
            Ok(Examination {
                version: snapshot.info.version_text.clone(),
                come,
                foreign: foreign.map(|row| row.name.clone()).collect(),
                is_master_silent: self.old_workers.master.is_some() && old == OldWorkers::Unknown,
            })
        };
        self.in_turn(LIMIT, look).await
    }
}
