//! All SQL: what must survive a restart.
//!
//! In: nodes, journal entries, decisions, samples, commands.
//! Out: the same, read back; or a [`StoreError`], after which nobody may act.
//! Never: decides. A state change and its journal row share a transaction.

#[cfg(test)]
mod ailments;
mod chain;
#[cfg(test)]
mod chain_tests;
mod commands;
mod decisions;
mod error;
mod examine;
mod forecasts;
mod hints;
mod journal;
mod learned;
mod lock;
mod nodes;
mod open;
mod orphans;
mod outbox;
mod points;
mod policies;
mod prune;
mod shadow;
mod sql;
#[cfg(test)]
mod tests;
#[cfg(test)]
mod tests_points;
mod tokens;

pub use chain::{AuditRecord, ChainEnd, JournalChain};
pub use commands::{Command, CommandKind, CommandRecord, Given, HeldAct, IdempotencyKey};
pub use decisions::{DecisionRecord, Decisions, NewDecision};
pub use error::StoreError;
pub use examine::StoreExamination;
pub use forecasts::KeptForecast;
pub use hints::{Announcement, HintRecord};
pub use journal::{Entry, JournalFilter, JournalRecord};
pub use learned::{Lives, Phase, PhaseTimes};
pub use nodes::{Change, PoolState};
pub use open::Store;
pub use orphans::OrphanRecord;
pub use outbox::{LeftOut, Message, MessageRecord, News, Settled};
pub use points::{Band, Buckets, CountBands, CountChange, Freeze, FreezeKind};
pub use prune::Retention;
pub use shadow::{KeptShadow, ShadowMove, ShadowSpan, ShadowTally, shadow_rule};
pub use tokens::{NewToken, Scope, TokenId, TokenRecord};

use crate::domain::Timestamp;

/// A time as the tables hold it.
fn milliseconds(at: Timestamp) -> i64 {
    at.as_millisecond()
}

/// A time as the tables hold it, read back; out of range is a damaged table.
fn timestamp(milliseconds: i64) -> Result<Timestamp, StoreError> {
    Timestamp::from_millisecond(milliseconds)
        .map_err(|_| StoreError::Damaged { what: format!("{milliseconds} ms is no time") })
}

/// A document as the tables hold it.
fn document<T: serde::Serialize>(value: &T) -> String {
    serde_json::to_string(value).expect("our documents have string keys and finite numbers")
}

/// A document read back.
fn parse<T: serde::de::DeserializeOwned>(what: &str, text: &str) -> Result<T, StoreError> {
    serde_json::from_str(text)
        .map_err(|cause| StoreError::Damaged { what: format!("{what}: {cause}") })
}
