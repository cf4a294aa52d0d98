//! The last calls, for tests that want to know who asked for what.
//!
//! In: each call when it is answered.
//! Out: the calls since a number, and counts by operation.
//! Never: keeps a body, a header or a token.

use std::collections::{BTreeMap, VecDeque};

use jiff::Timestamp;
use serde::Serialize;
use serde_json::{Value, json};

// A test asks soon; a sandbox that runs for a week should not grow by it.
const KEPT: usize = 10_000;

/// Calls as they came.
#[derive(Debug, Default)]
pub struct Journal {
    next: u64,
    entries: VecDeque<Entry>,
    counts: BTreeMap<&'static str, u64>,
}

/// One call.
#[derive(Clone, Debug, Serialize)]
pub struct Entry {
    /// Counted from 0; given by [`Journal::add`].
    pub number: u64,
    /// When it came.
    pub at: Timestamp,
    /// The HTTP method.
    pub method: String,
    /// With prefix and query.
    pub path: String,
    /// Its name, if it is one that the sandbox serves.
    pub operation: Option<&'static str>,
    /// The status answered; absent when the connection was closed instead.
    pub status: Option<u16>,
}

impl Journal {
    /// Takes a call in.
    pub fn add(&mut self, mut entry: Entry) {
        entry.number = self.next;
        self.next += 1;
        *self.counts.entry(entry.operation.unwrap_or("unknown")).or_default() += 1;
        self.entries.push_back(entry);
        if KEPT < self.entries.len() {
            self.entries.pop_front();
        }
    }

    /// Calls with a number of at least `since`, oldest first.
    pub fn since(&self, since: u64) -> Value {
        let entries: Vec<&Entry> =
            self.entries.iter().filter(|entry| since <= entry.number).collect();
        json!({"requests": entries, "next": self.next})
    }

    /// How often each operation was called.
    pub fn counts(&self) -> &BTreeMap<&'static str, u64> {
        &self.counts
    }
}
