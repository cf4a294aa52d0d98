//! Reads a run's events, and says what the run came to on each host.
//!
//! In: JSON lines, some of them cut off or broken; the hosts of the run.
//! Out: each host's result.
//! Never: believes an exit code, keeps more than a few lines a host in memory.

use std::collections::BTreeMap;
use std::io::{self, BufRead, Read};

use serde::Deserialize;

use crate::domain::{HostResult, InstanceLabel};

/// A line longer than this is none of ours: the longest, the recap, takes some 120 bytes a host.
const LINE_BYTES: u64 = 1024 * 1024;
/// The most facts of a host, and the longest name and value of one, in characters; the callback sends
/// a handful, each cut already.
const MOST_FACTS: usize = 40;
const FACT_CHARACTERS: usize = 200;
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

impl Story {
    fn learn(&mut self, facts: BTreeMap<String, String>) {
        for (name, value) in facts {
            let name = first_characters(&name, FACT_CHARACTERS);
            if self.facts.len() < MOST_FACTS || self.facts.contains_key(&name) {
                self.facts.insert(name, first_characters(&value, FACT_CHARACTERS));
            }
        }
    }
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
            "facts" => story.learn(event.facts),
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

#[cfg(test)]
mod tests {
    use super::*;

    const STATS: &str = r#"{"event":"stats","hosts":{"web-1":{"ok":3,"changed":1,"failures":0,"unreachable":0},"localhost":{"ok":1,"changed":0,"failures":1,"unreachable":0}}}"#;
    const OK: &str = r#"{"event":"ok","host":"web-1","task":"install"}"#;
    const FINISHED: &str = r#"{"event":"finished","host":"web-1"}"#;

    fn hosts() -> Vec<InstanceLabel> {
        ["web-1", "web-2"].map(|label| InstanceLabel::new(label).expect("a label")).to_vec()
    }

    fn read(lines: &[&str]) -> Report {
        let text = lines.join("\n");
        Report::read(io::BufReader::with_capacity(16, text.as_bytes()), &hosts()).expect("reads")
    }

    #[test]
    fn broken_and_cut_off_lines_are_passed_over() {
        let noise = "x".repeat(3 * LINE_BYTES as usize);
        let report =
            read(&["", "nonsense", OK, &noise, "{\"event\":3}", FINISHED, STATS, "{\"eve"]);
        let results = report.results(&hosts());
        assert_eq!(results.len(), 1, "web-2 was not reached, localhost is none of ours");
        let succeeded = HostResult::Succeeded { ok: 2, changed: 1, facts: BTreeMap::new() };
        assert_eq!(results[&hosts()[0]], succeeded, "the last task was ours");
    }

    #[test]
    fn a_recap_without_failures_is_no_success_yet() {
        for (lines, expected) in [
            (&[STATS][..], None),
            (&[FINISHED, STATS], None),
            (&[OK, STATS], Some("broken off before its end because other hosts failed")),
        ] {
            let results = read(lines).results(&hosts());
            let reason = results.get(&hosts()[0]).map(|result| match result {
                HostResult::Failed { reason } => reason.as_str(),
                other => panic!("{other:?}"),
            });
            assert_eq!(reason, expected, "{lines:?}");
        }
    }

    #[test]
    fn a_run_without_its_recap_fails_everyone_and_keeps_their_own_reasons() {
        let report = read(&[
            r#"{"event":"task_start","task":"install"}"#,
            r#"{"event":"failed","host":"web-1","task":"install","message":"ignored","ignored":true}"#,
            r#"{"event":"unreachable","host":"web-2","task":"install","message":"timed out"}"#,
            FINISHED,
        ]);
        assert!(!report.is_complete());
        let results = report.results_without_stats(&hosts(), "cut off");
        let (first, second) = (&results[&hosts()[0]], &results[&hosts()[1]]);
        let cut_off = "cut off, in task «install»".to_owned();
        assert_eq!(*first, HostResult::Failed { reason: cut_off });
        let timed_out = "task «install»: timed out".to_owned();
        assert_eq!(*second, HostResult::Unreachable { reason: timed_out });
    }

    #[test]
    fn reasons_are_bounded_in_characters() {
        let long = "ä".repeat(5_000);
        let event = format!(r#"{{"event":"failed","host":"web-1","task":"t","message":"{long}"}}"#);
        let results = read(&[&event]).results_without_stats(&hosts(), &long);
        for result in results.values() {
            let HostResult::Failed { reason } = result else { panic!("{result:?}") };
            assert_eq!(reason.chars().count(), REASON_CHARACTERS);
        }
        assert_eq!(last_characters(" abcä \n", 2), "cä");
    }
}
