//! The journal of a drill, told in sentences.

use serde::Serialize;

use crate::domain::{Timestamp, elapsed};
use crate::sim::Simulation;
use crate::store::{Entry, StoreError};

/// One sentence, and how often it was said in its minute.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Line {
    /// The sentence.
    pub text: String,
    /// For so many nodes or tries.
    pub times: u32,
}

/// What was written after entry `since`, by minutes after `began`; what is said several times in a
/// minute is said once.
pub(super) async fn lines(
    simulation: &Simulation,
    since: i64,
    began: Timestamp,
) -> Result<Vec<(u64, Line)>, StoreError> {
    let pool = &simulation.policy().pool;
    let mut records = simulation.store().journal(pool, i64::MAX, u32::MAX).await?;
    records.retain(|record| since < record.sequence);
    records.sort_by_key(|record| record.sequence);
    let mut lines: Vec<(u64, Line)> = Vec::new();
    for record in &records {
        let Some(text) = sentence(&record.entry) else { continue };
        let minute = elapsed(began, record.at).as_secs() / 60;
        let same = |(at, line): &&mut (u64, Line)| *at == minute && line.text == text;
        match lines.iter_mut().find(same) {
            Some((_, line)) => line.times += 1,
            None => lines.push((minute, Line { text, times: 1 })),
        }
    }
    Ok(lines)
}

/// What a person wants to know of an entry; nothing of what only repeats another.
fn sentence(entry: &Entry) -> Option<String> {
    match entry {
        Entry::Decided { from, to, reasons, .. } => {
            let why: Vec<String> = reasons.iter().map(ToString::to_string).collect();
            let what = match from == to {
                true => format!("stays at {} nodes", to.0),
                false => format!("wants {} nodes instead of {}", to.0, from.0),
            };
            Some(format!("{what}: {}", why.join("; ")))
        }
        Entry::Entered { after, because, .. } => {
            Some(format!("a node is {}: {because}", after.name().replace('_', " ")))
        }
        Entry::Came { step, outcome, detail, .. } => match outcome.as_str() {
            "done" | "waiting" => None,
            kind => {
                let (step, kind) = (step.replace('_', " "), kind.replace('_', " "));
                Some(format!("{step} came to nothing ({kind}): {detail}"))
            }
        },
        Entry::Noted { note } => Some(format!("note: {note}")),
        Entry::Sweeps { label, .. } => Some(format!("the orphan {label} is deleted")),
        Entry::Disowned { label, .. } => Some(format!("{label} is somebody else's from here on")),
        // The state that a node enters says the same; nobody commands or announces in a drill.
        Entry::Intended { .. } | Entry::Configured { .. } | Entry::Suppressed { .. } => None,
        Entry::Started { .. } | Entry::PolicyChanged { .. } => None,
        Entry::Commanded { .. } | Entry::CommandEnded { .. } => None,
        Entry::StoreFailed { looks, what, .. } => {
            Some(format!("{looks} looks did nothing: {what}"))
        }
        Entry::ClockSetBack { seconds } => Some(format!("the clock was set back by {seconds} s")),
        Entry::Promoted { .. } => None,
        Entry::Announced { .. } | Entry::HintCancelled { .. } | Entry::NotTold { .. } => None,
        Entry::TokenMade { .. } | Entry::TokenRevoked { .. } => None,
    }
}

impl Simulation {
    /// The number of the journal's last entry.
    pub(super) async fn last_entry(&self) -> Result<i64, StoreError> {
        let last = self.store().journal(&self.policy().pool, i64::MAX, 1).await?;
        Ok(last.first().map_or(0, |record| record.sequence))
    }
}
