//! Announced campaigns, as a daemon would come to know and learn from them.
//!
//! In: a policy, the hints of a rehearsal, and the past traffic.
//! Out: what is known at a moment: hints that have been announced by then, and nothing of others.
//! Never: looks at what has not been yet; measures otherwise than the daemon, whose samples are
//! those of its earlier decisions.

use super::contender::View;
use super::query::window;
use crate::domain::{Duration, Hint, Sample, Timestamp, after, before};
use crate::engine::{Announced, ObservedHint};
use crate::forecast::campaign::{LATE_SAMPLES, Response, around, fit, learned, learned_until};
use crate::policy::{Policy, Rule};

/// A little more than the minutes before a campaign that are looked at.
const BEFORE: Duration = Duration::from_secs(360);
/// Nobody remembers the traffic of longer ago, in seconds.
const MEMORY: u64 = 3_600;

/// The campaigns of a rehearsal.
pub(super) struct Campaigns {
    /// Over how many seconds the load is measured that campaigns come on top of; none where no
    /// rule asks for campaigns.
    window: Option<u64>,
    /// Not announced yet; the next one last.
    ahead: Vec<Hint>,
    /// Announced, and neither over nor learned from yet.
    known: Vec<Hint>,
    /// What past ones taught, the newest first.
    taught: Vec<Response>,
}

impl Campaigns {
    /// `hints`, of which nobody knows before they are announced, for the rules of `policy`.
    pub fn of(policy: &Policy, mut hints: Vec<Hint>) -> Self {
        let signal = policy.rules.iter().find_map(|rule| match rule {
            Rule::Hint(rule) => policy.signals.get(&rule.signal),
            _ => None,
        });
        hints.sort_by_key(|hint| std::cmp::Reverse(hint.announced_at));
        Self { window: signal.map(window), ahead: hints, known: Vec::new(), taught: Vec::new() }
    }

    /// What is known `at` the moment of `view`.
    pub fn observe(&mut self, view: &View<'_>, at: Timestamp) -> Announced {
        let Some(window) = self.window else {
            return Announced::default();
        };
        while let Some(hint) = self.ahead.pop_if(|hint| hint.announced_at <= at) {
            self.known.push(hint);
        }
        if self.known.is_empty() {
            return Announced::default();
        }
        self.learn(view, window, at);
        let response = learned(&self.taught);
        let hints = self.known.iter().filter(|hint| hint.is_known(at)).map(|hint| {
            let around = around(hint, &samples(view, window, hint, at));
            let (before, peak) = (around.before, around.peak);
            ObservedHint { hint: hint.clone(), response, before, peak }
        });
        let hints: Vec<_> = hints.collect();
        if hints.is_empty() {
            return Announced::default();
        }
        let lead = view.settings.boot.upper() + view.settings.interval;
        Announced { lead_seconds: Some(lead as f64), hints }
    }

    /// Learns from campaigns whose tail is measured, and forgets them once they are over.
    fn learn(&mut self, view: &View<'_>, window: u64, at: Timestamp) {
        let is_over =
            |hint: &Hint| hint.ends_at().max(after(learned_until(hint), LATE_SAMPLES)) <= at;
        let (over, known) = std::mem::take(&mut self.known).into_iter().partition(is_over);
        self.known = known;
        for hint in over {
            if let Some(response) = fit(&hint, &samples(view, window, &hint, at)) {
                self.taught.insert(0, response);
            }
        }
    }
}

/// What each decision before `now` has measured, from some minutes before a campaign on.
fn samples(view: &View<'_>, window: u64, hint: &Hint, now: Timestamp) -> Vec<Sample> {
    let begin = before(hint.starts_at, BEFORE);
    let (lag, interval) = (view.settings.lag, view.settings.interval);
    let decisions = (1..=MEMORY / interval).map(|back| {
        let age = lag + back * interval;
        (age, before(now, Duration::from_secs(age)))
    });
    let samples = decisions.take_while(|(_, at)| begin <= *at);
    let samples = samples.map(|(age, at)| Sample { at, value: view.past.rate(window, age) });
    let mut samples: Vec<Sample> = samples.collect();
    samples.reverse();
    samples
}
