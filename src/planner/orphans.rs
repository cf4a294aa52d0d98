//! What becomes of orphans: instances with the pool's tag that are no node of it.
//!
//! In: the orphans with all that is known of them, what the policy says, now.
//! Out: a note for each, and the one that is deleted now, if one is.
//! Never: deletes what may be somebody else's, what may serve, or two at a time.

use serde::{Deserialize, Serialize};

use super::step::Note;
use crate::domain::{Duration, InstanceId, Timestamp, after};
use crate::policy::{OrphanEnd, Orphans};

/// Between two deletions: whoever watches sees the first one before the second happens. Ten
/// times as long would let a leak of a hundred machines cost a day more.
const BETWEEN_SWEEPS: Duration = Duration::from_secs(60);

/// So many listings in a row must show it: one alone proves nothing.
const LISTINGS: u32 = 2;

/// An orphan, and all that is known of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Orphan {
    /// The cloud's number for it.
    pub instance: InstanceId,
    /// Its label.
    pub label: String,
    /// Since when every listing has shown it.
    pub since: Timestamp,
    /// How many listings in a row have, since the daemon started.
    pub listings: u32,
    /// Whether its label has the form of the pool's own.
    pub has_our_label: bool,
    /// Whether the journal says that somebody once took our tag off it.
    pub is_disowned: bool,
    /// Whether a balancer may send it requests, or can't be asked.
    pub may_serve: bool,
    /// Whether the cloud is at deleting it.
    pub is_going: bool,
}

/// Why an orphan is still there.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(tag = "kept", rename_all = "snake_case")]
pub enum OrphanKept {
    /// The policy only has them reported.
    #[default]
    Reported,
    /// Its label is not of our making.
    StrangeLabel,
    /// Somebody took our tag off it once: it is theirs.
    Disowned,
    /// A balancer may send it requests.
    MayServe,
    /// It waits for the end of its quarantine.
    Quarantined {
        /// When that is.
        until: Timestamp,
    },
    /// The end has come; others come first, or the next listing.
    Due,
    /// The cloud is at deleting it.
    Going,
}

/// Notes of all `orphans`, and the one to delete now.
///
/// - `last_sweep`: when one was last asked to be deleted, or the daemon started.
pub fn sweep<'a>(
    orphans: &'a [Orphan],
    policy: Orphans,
    last_sweep: Timestamp,
    now: Timestamp,
) -> (Vec<Note>, Option<&'a Orphan>) {
    let kept = |orphan: &'a Orphan| (orphan, kept(orphan, policy, now));
    let all: Vec<_> = orphans.iter().map(kept).collect();
    let note = |(orphan, kept): &(&Orphan, OrphanKept)| Note::Orphan {
        label: orphan.label.clone(),
        kept: *kept,
    };
    let notes = all.iter().map(note).collect();
    let ripe = |(orphan, kept): &&(&'a Orphan, OrphanKept)| {
        *kept == OrphanKept::Due && LISTINGS <= orphan.listings
    };
    let first = all.iter().filter(ripe).min_by_key(|(orphan, _)| (orphan.since, orphan.instance));
    let rested = after(last_sweep, BETWEEN_SWEEPS) <= now;
    (notes, first.filter(|_| rested).map(|(orphan, _)| *orphan))
}

fn kept(orphan: &Orphan, policy: Orphans, now: Timestamp) -> OrphanKept {
    let until = after(orphan.since, policy.keep_for);
    match policy.then {
        _ if orphan.is_going => OrphanKept::Going,
        _ if !orphan.has_our_label => OrphanKept::StrangeLabel,
        _ if orphan.is_disowned => OrphanKept::Disowned,
        OrphanEnd::Report => OrphanKept::Reported,
        OrphanEnd::Delete if now < until => OrphanKept::Quarantined { until },
        OrphanEnd::Delete if orphan.may_serve => OrphanKept::MayServe,
        OrphanEnd::Delete => OrphanKept::Due,
    }
}

impl std::fmt::Display for OrphanKept {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Reported => write!(f, "left alone"),
            Self::StrangeLabel => write!(f, "left alone, its label is not of our making"),
            Self::Disowned => write!(f, "left alone, somebody took our tag off it once"),
            Self::MayServe => write!(f, "kept while a balancer may send it requests"),
            Self::Quarantined { until } => write!(f, "deleted after {until}"),
            Self::Due => write!(f, "about to be deleted"),
            Self::Going => write!(f, "the cloud is deleting it"),
        }
    }
}
