//! What happened last, as lines that a person can read.

use std::collections::VecDeque;

use crate::domain::{Timestamp, elapsed};
use crate::sim::timeline::line_of;
use crate::store::JournalRecord;

/// So many lines are kept: the last few minutes of a life in which much goes wrong.
const KEPT: usize = 400;

enum Line {
    World(String),
    Journal(Box<JournalRecord>),
}

/// The last lines, by the true time at which they were seen; formed only when somebody asks.
pub(super) struct Record {
    began: Timestamp,
    lines: VecDeque<(Timestamp, Line)>,
}

impl Record {
    /// Nothing yet.
    pub fn new(began: Timestamp) -> Self {
        Self { began, lines: VecDeque::new() }
    }

    /// Adds what the world did by itself and what the journal says of a look at `at`.
    pub fn add(
        &mut self,
        at: Timestamp,
        events: Vec<(Timestamp, String)>,
        entries: &[JournalRecord],
    ) {
        let events = events.into_iter().map(|(at, what)| (at, Line::World(what)));
        self.lines.extend(events);
        let entries = entries.iter().map(|one| (at, Line::Journal(Box::new(one.clone()))));
        self.lines.extend(entries);
        let surplus = self.lines.len().saturating_sub(KEPT);
        self.lines.drain(..surplus);
    }

    /// The lines, oldest first, each with the seconds since the beginning.
    pub fn lines(&self) -> Vec<String> {
        let line = |(at, line): &(Timestamp, Line)| {
            let what = match line {
                Line::World(what) => format!("world  {what}"),
                Line::Journal(record) => line_of(record),
            };
            format!("{:>9.1} s  {what}", elapsed(self.began, *at).as_secs_f64())
        };
        self.lines.iter().map(line).collect()
    }
}
