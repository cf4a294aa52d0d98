//! Announced campaigns, as a daemon would come to know and learn from them.
//!
//! In: the hints of a rehearsal, and the past traffic.
//! Out: what is known at a moment: hints that have been announced by then, and nothing of others.
//! Never: looks at what has not been yet.

use super::STEP_SECONDS;
use super::contender::View;
use crate::domain::{Duration, Hint, Sample, Timestamp, after, before, elapsed};
use crate::engine::{Announced, ObservedHint};
use crate::forecast::campaign::{Response, around, fit, learned, learned_until};

/// A little more than the minutes before a campaign that are looked at.
const BEFORE: Duration = Duration::from_secs(360);
/// Nobody remembers the traffic of longer ago.
const MEMORY: Duration = Duration::from_secs(3_600);
/// How long a fleet takes beside booting: the decision's interval, and what is late in the metrics.
const REVIEW_SECONDS: u64 = 30;

/// The campaigns of a rehearsal.
pub(super) struct Campaigns {
    /// Not announced yet; the next one last.
    ahead: Vec<Hint>,
    /// Announced, and neither over nor learned from yet.
    known: Vec<Hint>,
    /// What past ones taught, the newest first.
    taught: Vec<Response>,
}

impl Campaigns {
    /// `hints`, of which nobody knows before they are announced.
    pub fn new(mut hints: Vec<Hint>) -> Self {
        hints.sort_by_key(|hint| std::cmp::Reverse(hint.announced_at));
        Self { ahead: hints, known: Vec::new(), taught: Vec::new() }
    }

    /// What is known `at` the moment of `view`.
    pub fn observe(&mut self, view: &View<'_>, at: Timestamp) -> Announced {
        while let Some(hint) = self.ahead.pop_if(|hint| hint.announced_at <= at) {
            self.known.push(hint);
        }
        self.learn(view, at);
        let response = learned(&self.taught);
        let hints = self.known.iter().filter(|hint| hint.is_known(at)).map(|hint| {
            let around = around(hint, &samples(view, hint, at));
            let (before, peak) = (around.before, around.peak);
            ObservedHint { hint: hint.clone(), response, before, peak }
        });
        let hints: Vec<_> = hints.collect();
        if hints.is_empty() {
            return Announced::default();
        }
        let lead = view.settings.boot.upper() + REVIEW_SECONDS;
        Announced { lead_seconds: Some(lead as f64), hints }
    }

    /// Learns from campaigns whose tail is measured, and forgets them once they are over.
    fn learn(&mut self, view: &View<'_>, at: Timestamp) {
        let late = Duration::from_secs(view.settings.lag + STEP_SECONDS);
        let is_over = |hint: &Hint| hint.ends_at().max(after(learned_until(hint), late)) <= at;
        let (over, known) = std::mem::take(&mut self.known).into_iter().partition(is_over);
        self.known = known;
        for hint in over {
            if let Some(response) = fit(&hint, &samples(view, &hint, at)) {
                self.taught.insert(0, response);
            }
        }
    }
}

/// The rate of each step from some minutes before a campaign until now.
fn samples(view: &View<'_>, hint: &Hint, now: Timestamp) -> Vec<Sample> {
    let lag = view.settings.lag;
    let begin = before(hint.starts_at, BEFORE).max(before(now, MEMORY));
    let steps = elapsed(begin, now).as_secs().saturating_sub(lag) / STEP_SECONDS;
    let sample = |back: u64| {
        let age = lag + back * STEP_SECONDS;
        let value = view.past.rate(STEP_SECONDS, age);
        Sample { at: before(now, Duration::from_secs(age)), value }
    };
    (0..steps).rev().map(sample).collect()
}
