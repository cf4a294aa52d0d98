//! What has been: the only thing that a contender sees of the traffic.
//!
//! In: each step once it is complete.
//! Out: rates and waits over any recent window, ending at any recent moment.
//! Never: knows a step that isn't over; grows with the trace.

use std::collections::VecDeque;

use super::STEP_SECONDS;

/// How far back anyone looks: a window of an hour, and samples that are late by up to another.
const MEMORY: usize = (2 * 3_600 / STEP_SECONDS) as usize;

/// What an observer could have measured in one step.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Served {
    /// Requests that arrived.
    pub requests: f64,
    /// Their nodes' utilisation, from 0 to 1.
    pub utilisation: f64,
    /// Seconds that a request waited behind the queue, at the step's beginning and at its end.
    pub waits: (f64, f64),
    /// The nodes that served.
    pub nodes: u32,
}

/// The last two hours. Before the trace's beginning its first rate stood, for all that anyone knows.
#[derive(Clone, Debug)]
pub struct Past {
    first: Served,
    /// Complete steps so far.
    steps: usize,
    /// Requests from the beginning until the end of each remembered step, the newest last.
    totals: VecDeque<f64>,
    /// Each remembered step, the newest last.
    served: VecDeque<Served>,
}

impl Past {
    /// The past at the beginning of a trace, whose first rate is `rate` requests per second.
    pub fn before(rate: f64) -> Self {
        let requests = rate * STEP_SECONDS as f64;
        Self {
            first: Served { requests, utilisation: 0.0, waits: (0.0, 0.0), nodes: 0 },
            steps: 0,
            totals: VecDeque::from([0.0]),
            served: VecDeque::new(),
        }
    }

    /// Adds a step that is over.
    pub fn push(&mut self, served: Served) {
        let total = self.totals.back().copied().unwrap_or_default();
        self.totals.push_back(total + served.requests);
        self.served.push_back(served);
        self.steps += 1;
        if MEMORY < self.served.len() {
            self.served.pop_front();
            self.totals.pop_front();
        }
    }

    /// Mean requests per second over `window` seconds, which ended `lag` seconds ago. `window` is
    /// above zero; window and lag are an hour at most.
    pub fn rate(&self, window: u64, lag: u64) -> f64 {
        let now = (self.steps as u64 * STEP_SECONDS) as f64;
        let until = now - lag as f64;
        (self.total_until(until) - self.total_until(until - window as f64)) / window as f64
    }

    /// Requests from the beginning until `moment`; before the beginning they count backwards.
    fn total_until(&self, moment: f64) -> f64 {
        let place = moment / STEP_SECONDS as f64;
        if place <= 0.0 {
            return place * self.first.requests;
        }
        let oldest = self.steps + 1 - self.totals.len();
        let place = (place - oldest as f64).max(0.0);
        let before = place as usize;
        let from = self.totals[before];
        match self.totals.get(before + 1) {
            Some(to) => from + (to - from) * (place - before as f64),
            None => from,
        }
    }

    /// The steps that touch the `window` seconds which ended `lag` seconds ago, newest first.
    pub fn steps(&self, window: u64, lag: u64) -> impl Iterator<Item = &Served> {
        let late = lag.div_ceil(STEP_SECONDS) as usize;
        let taken = window.div_ceil(STEP_SECONDS) as usize;
        let remembered = self.served.iter().rev().chain(std::iter::repeat(&self.first));
        remembered.skip(late).take(taken)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn past(rates: &[f64]) -> Past {
        let mut past = Past::before(rates.first().copied().unwrap_or_default());
        for rate in rates {
            past.push(Served {
                requests: rate * 10.0,
                utilisation: 0.5,
                waits: (0.0, 0.0),
                nodes: 1,
            });
        }
        past
    }

    #[test]
    fn a_rate_is_the_mean_of_its_window() {
        let past = past(&[1.0, 2.0, 3.0, 4.0]);
        for (window, lag, rate) in
            [(10, 0, 4.0), (20, 0, 3.5), (20, 10, 2.5), (20, 15, 2.0), (20, 40, 1.0), (60, 0, 2.0)]
        {
            assert!((past.rate(window, lag) - rate).abs() < 1e-12, "{window} s, {lag} s ago");
        }
        assert_eq!(Past::before(7.0).rate(60, 15), 7.0);
    }

    #[test]
    fn what_is_forgotten_changes_no_rate() {
        let rates: Vec<f64> = (0..3_000).map(f64::from).collect();
        let past = past(&rates);
        assert!(
            (past.rate(3_600, 3_600) - (2_279.0 + 2_640.0) / 2.0).abs() < 1e-6,
            "{}",
            past.rate(3_600, 3_600)
        );
        assert_eq!(past.served.len(), MEMORY);
        assert_eq!(past.steps(35, 15).count(), 4);
    }
}
