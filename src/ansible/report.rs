//! Reads a run's events, and says what the run came to on each host.
//!
//! In: JSON lines, some of them cut off or broken; the hosts of the run.
//! Out: each host's result.
//! Never: believes an exit code, keeps more than a few lines a host in memory.

use std::collections::BTreeMap;
use std::io::{self, BufRead, Read};

use serde::Deserialize;

use crate::domain::{HostResult, InstanceLabel};

/// A line longer than this is none of ours.
const LINE_BYTES: u64 = 64 * 1024;
/// The longest reason, in characters.
const REASON_CHARACTERS: usize = 2_000;

/// What the events of a run say so far.
#[derive(Debug, Default)]
pub(super) struct Report {
    /// The recap: Ansible's own count of each host's tasks. Once it is there, the run is over.
    stats: Option<BTreeMap<String, Counts>>,
    hosts: BTreeMap<InstanceLabel, Story>,
    last_task: Option<String>,
}

/// What happened to one host.
#[derive(Debug, Default)]
struct Story {
    failure: Option<String>,
    unreachable: Option<String>,
    /// A task of the playbook came to it.
    was_reached: bool,
    /// It got through the whole playbook, and into the last play, which is ours.
    has_finished: bool,
    facts: BTreeMap<String, String>,
}

#[derive(Clone, Copy, Debug, Default, Deserialize)]
struct Counts {
    ok: u32,
    changed: u32,
    failures: u32,
    unreachable: u32,
}

#[derive(Debug, Deserialize)]
struct Event {
    event: String,
    #[serde(default)]
    host: String,
    #[serde(default)]
    task: String,
    #[serde(default)]
    message: String,
    #[serde(default)]
    ignored: bool,
    #[serde(default)]
    facts: BTreeMap<String, String>,
    #[serde(default)]
    hosts: BTreeMap<String, Counts>,
}

impl Report {
    /// Reads all events. What is no event of ours is passed over; errors are the file's own.
    pub fn read(mut lines: impl BufRead, hosts: &[InstanceLabel]) -> io::Result<Self> {
        let mut report = Self {
            hosts: hosts.iter().map(|label| (label.clone(), Story::default())).collect(),
            ..Self::default()
        };
        let mut line = Vec::new();
        loop {
            line.clear();
            if (&mut lines).take(LINE_BYTES).read_until(b'\n', &mut line)? == 0 {
                return Ok(report);
            }
            if let Ok(event) = serde_json::from_slice(&line) {
                report.add(event);
            }
        }
    }

    /// Whether the run came to its own end.
    pub fn is_complete(&self) -> bool {
        self.stats.is_some()
    }

    /// The results of a complete run. A host without an entry was never reached.
    pub fn results(&self, hosts: &[InstanceLabel]) -> BTreeMap<InstanceLabel, HostResult> {
        let stats = self.stats.as_ref();
        let result = |label: &InstanceLabel| {
            let counts = stats?.get(label.as_str())?;
            Some((label.clone(), self.result(self.hosts.get(label)?, counts)?))
        };
        hosts.iter().filter_map(result).collect()
    }

    /// `None` when nothing of the playbook ever came to the host.
    fn result(&self, story: &Story, counts: &Counts) -> Option<HostResult> {
        let told = |reason: &Option<String>, else_this: &str| {
            reason.clone().unwrap_or_else(|| else_this.to_owned())
        };
        if counts.unreachable > 0 {
            let reason = told(&story.unreachable, "SSH did not get through");
            return Some(HostResult::Unreachable { reason });
        }
        if counts.failures > 0 {
            return Some(HostResult::Failed { reason: told(&story.failure, "a task failed") });
        }
        if !story.was_reached {
            return None;
        }
        if !story.has_finished {
            let reason = self.in_task("broken off before its end because other hosts failed");
            return Some(HostResult::Failed { reason });
        }
        // The last task was ours.
        let ok = counts.ok.saturating_sub(1);
        Some(HostResult::Succeeded { ok, changed: counts.changed, facts: story.facts.clone() })
    }

    /// The results of a run that ended without its recap: none can have succeeded. Hosts with
    /// a failure of their own keep it, all others get `why`.
    pub fn results_without_stats(
        &self,
        hosts: &[InstanceLabel],
        why: &str,
    ) -> BTreeMap<InstanceLabel, HostResult> {
        let result = |label: &InstanceLabel| {
            let story = self.hosts.get(label);
            let unreachable = story.and_then(|story| story.unreachable.clone());
            let failure = story.and_then(|story| story.failure.clone());
            let result = match (unreachable, failure) {
                (Some(reason), _) => HostResult::Unreachable { reason },
                (None, Some(reason)) => HostResult::Failed { reason },
                (None, None) => HostResult::Failed { reason: self.in_task(why) },
            };
            (label.clone(), result)
        };
        hosts.iter().map(result).collect()
    }

    fn in_task(&self, why: &str) -> String {
        match &self.last_task {
            Some(task) => first_characters(&format!("{why}, in task «{task}»"), REASON_CHARACTERS),
            None => first_characters(why, REASON_CHARACTERS),
        }
    }

    fn add(&mut self, event: Event) {
        match event.event.as_str() {
            "task_start" => self.last_task = Some(first_characters(&event.task, 200)),
            "stats" => self.stats = Some(event.hosts),
            _ => self.add_to_host(event),
        }
    }

    fn add_to_host(&mut self, event: Event) {
        // The playbook may work on machines that are none of the run's nodes.
        let label = InstanceLabel::new(event.host.as_str());
        let Some(story) = label.ok().and_then(|label| self.hosts.get_mut(&label)) else { return };
        let reason = || {
            let reason = format!("task «{}»: {}", event.task, event.message);
            Some(first_characters(&reason, REASON_CHARACTERS))
        };
        match event.event.as_str() {
            "failed" if !event.ignored => story.failure = reason(),
            "unreachable" => story.unreachable = reason(),
            "facts" => story.facts.extend(event.facts),
            "finished" => return story.has_finished = true,
            "ok" | "failed" | "skipped" => {}
            _ => return,
        }
        story.was_reached = true;
    }
}

fn first_characters(text: &str, most: usize) -> String {
    text.chars().take(most).collect()
}

/// The end of a text, without the blank space around it.
pub(super) fn last_characters(text: &str, most: usize) -> String {
    let text = text.trim();
    let surplus = text.chars().count().saturating_sub(most);
    text.chars().skip(surplus).collect()
}
