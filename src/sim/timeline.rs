//! What happened, as lines that a person can read.

use super::simulation::Simulation;
use crate::domain::{Timestamp, elapsed};
use crate::store::{Entry, JournalRecord, StoreError};

impl Simulation {
    /// Journal and world events together, in order of time, one line each.
    pub async fn timeline(&self) -> Result<String, StoreError> {
        let pool = &self.policy().pool;
        let mut lines: Vec<(Timestamp, u8, i64, String)> = Vec::new();
        for record in self.store().journal(pool, i64::MAX, u32::MAX).await? {
            lines.push((record.at, 1, record.sequence, line_of(&record)));
        }
        for (index, (at, what)) in self.world().events().into_iter().enumerate() {
            lines.push((at, 0, index as i64, format!("world  {what}")));
        }
        lines.sort();
        let began = lines.first().map(|(at, ..)| *at).unwrap_or_default();
        let line = |(at, _, _, what): &(Timestamp, u8, i64, String)| {
            format!("{:>9.1} s  {what}\n", elapsed(began, *at).as_secs_f64())
        };
        Ok(lines.iter().map(line).collect())
    }
}

/// A journal row as a line: the end of the node's label, and what happened to it.
pub(super) fn line_of(record: &JournalRecord) -> String {
    let id = record.node.map(|id| id.0.simple().to_string());
    let node = id.as_ref().map_or("pool", |id| &id[26..]);
    format!("{node:6} {}", say(&record.entry))
}

fn say(entry: &Entry) -> String {
    match entry {
        Entry::Started { .. } => "the daemon starts".into(),
        Entry::PolicyChanged { .. } => "another policy is in force".into(),
        Entry::Promoted { candidate, by, .. } => format!("{by} promotes {candidate}"),
        Entry::Decided { from, to, reasons, .. } => {
            let why = reasons.first().map(ToString::to_string).unwrap_or_default();
            format!("{} -> {}: {why}", from.0, to.0)
        }
        Entry::Entered { after, because, .. } => format!("is {}: {because}", after.name()),
        Entry::Intended { step, balancers, because } => {
            format!("{step} {}: {because}", balancers.join(" "))
        }
        Entry::Came { step, outcome, detail, .. } => format!("{step}: {outcome} {detail}"),
        Entry::Configured { ok, .. } => format!("configured, {ok} tasks"),
        Entry::Noted { note } => format!("note: {note}"),
        Entry::Sweeps { instance, label, .. } => format!("deletes the orphan {label}, {instance}"),
        Entry::Disowned { label, .. } => format!("{label} is somebody else's from here on"),
        Entry::Suppressed { what } => format!("dry run: would {what}"),
        Entry::Commanded { command } => format!("command {command}"),
        Entry::TokenMade { id, owner, by, .. } => format!("{by} makes the token {id} for {owner}"),
        Entry::TokenRevoked { id, owner, by } => format!("{by} revokes the token {id} of {owner}"),
        Entry::StoreFailed { looks, what, .. } => format!("{looks} looks did nothing: {what}"),
        Entry::ClockSetBack { seconds } => format!("the clock was set back by {seconds} s"),
        Entry::CommandEnded { command, owner } => format!("{owner} ends command {command}"),
        Entry::Announced { hint, owner } => {
            format!("{owner} announces {} at {}", hint.kind, hint.starts_at)
        }
        Entry::HintCancelled { id, owner } => format!("{owner} takes {id} back"),
        Entry::NotTold { destination, what, because, .. } => {
            format!("{destination} is not told that {what}: {because}")
        }
    }
}
