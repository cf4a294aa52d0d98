//! What a report plots of one contender.
//!
//! In: each scored step, and each change of the wanted count with its reasons.
//! Out: a bounded number of buckets with the least and the most of each, so that no peak is
//! lost however long the trace is; the largest changes, in order.
//! Never: smooths, or leaves out without saying how much.

use std::cmp::Ordering;

use super::STEP_SECONDS;
use super::score::Step;
use crate::engine::Reason;

/// Buckets are whole parts of an hour or a day, so that their edges can be said: these times the
/// length of a step are 10 s, 20 s, 30 s, 1, 2, 5, 10, 15 and 30 minutes, 1, 2, 6 and 24 hours.
const NICE_STEPS: [usize; 13] = [1, 2, 3, 6, 12, 30, 60, 90, 180, 360, 720, 2_160, 8_640];

/// The binding reason is the first; more than three are read by nobody.
const MOST_REASONS: usize = 3;

/// How much to keep.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Detail {
    /// The most buckets of one contender.
    pub buckets: usize,
    /// The most changes of one contender.
    pub changes: usize,
}

/// One contender's way through the scored time.
#[derive(Clone, Debug, PartialEq)]
pub struct Record {
    /// The beginning of the first bucket, in seconds after the trace's.
    pub from: u64,
    /// The length of each bucket; the last may be shorter.
    pub bucket_seconds: u64,
    /// Without a gap.
    pub buckets: Vec<Bucket>,
    /// The largest changes of the wanted count, in order.
    pub changes: Vec<Change>,
    /// How many changes there were.
    pub changes_in_all: usize,
}

/// What happened in one bucket. Pairs are the least and the most.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Bucket {
    /// Nodes that would have done.
    pub demand: (u32, u32),
    /// Nodes that served.
    pub serving: (u32, u32),
    /// Nodes that were paid for.
    pub paid: (u32, u32),
    /// Requests that arrived.
    pub arrived: f64,
    /// Those that waited too long.
    pub late: f64,
}

/// A decision that changed the wanted count.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// Seconds after the trace's beginning.
    pub at: u64,
    /// The count before.
    pub from: u32,
    /// The count from then on.
    pub to: u32,
    /// Why, the binding reason first; nothing from those who don't say.
    pub reasons: Vec<String>,
}

impl Change {
    fn size(&self) -> u32 {
        self.from.abs_diff(self.to)
    }
}

/// Writes a [`Record`].
pub(super) struct Recorder {
    steps_a_bucket: usize,
    steps: usize,
    most_changes: usize,
    record: Record,
}

impl Recorder {
    /// For `steps` scored steps, the first at `from` seconds.
    pub fn new(detail: Detail, from: u64, steps: usize) -> Self {
        let least = steps.div_ceil(detail.buckets.max(1)).max(1);
        let nice = NICE_STEPS.iter().copied().find(|nice| least <= *nice);
        let steps_a_bucket = nice.unwrap_or(least);
        let record = Record {
            from,
            bucket_seconds: steps_a_bucket as u64 * STEP_SECONDS,
            buckets: Vec::with_capacity(steps.div_ceil(steps_a_bucket)),
            changes: Vec::new(),
            changes_in_all: 0,
        };
        Self { steps_a_bucket, steps: 0, most_changes: detail.changes, record }
    }

    /// Adds a step.
    pub fn add(&mut self, step: &Step) {
        let buckets = &mut self.record.buckets;
        if self.steps.is_multiple_of(self.steps_a_bucket) {
            buckets.push(Bucket {
                demand: (step.demand, step.demand),
                serving: (step.serving, step.serving),
                paid: (step.existing, step.existing),
                arrived: 0.0,
                late: 0.0,
            });
        }
        self.steps += 1;
        if let Some(bucket) = buckets.last_mut() {
            let widen = |pair: &mut (u32, u32), value: u32| {
                *pair = (pair.0.min(value), pair.1.max(value));
            };
            widen(&mut bucket.demand, step.demand);
            widen(&mut bucket.serving, step.serving);
            widen(&mut bucket.paid, step.existing);
            bucket.arrived += step.arrived;
            bucket.late += step.violating;
        }
    }

    /// Adds a change of the wanted count.
    pub fn change(&mut self, at: u64, from: u32, to: u32, reasons: &[Reason]) {
        self.record.changes_in_all += 1;
        let reasons = reasons.iter().take(MOST_REASONS).map(ToString::to_string).collect();
        self.record.changes.push(Change { at, from, to, reasons });
        // Kept short on the way, or a year of changes would fill the memory.
        if 4 * self.most_changes.max(1_000) < self.record.changes.len() {
            self.keep_the_largest();
        }
    }

    /// Of those that are as large as the smallest that is kept, some are left out all along, so
    /// that no part of the trace seems to be without any.
    fn keep_the_largest(&mut self) {
        let (changes, most) = (&mut self.record.changes, self.most_changes);
        let mut sizes: Vec<_> = changes.iter().map(Change::size).collect();
        sizes.sort_unstable_by_key(|size| std::cmp::Reverse(*size));
        let Some(smallest) = sizes.get(most).map(|_| sizes[most.saturating_sub(1)]) else {
            return;
        };
        let larger = sizes.iter().filter(|size| smallest < **size).count();
        let as_large = sizes.iter().filter(|size| **size == smallest).count();
        let (kept, mut seen) = (most - larger.min(most), 0);
        changes.retain(|change| match change.size().cmp(&smallest) {
            Ordering::Greater => true,
            Ordering::Less => false,
            Ordering::Equal => {
                seen += 1;
                (seen - 1) * kept / as_large < seen * kept / as_large
            }
        });
    }

    /// What was written.
    pub fn finish(mut self) -> Record {
        self.keep_the_largest();
        self.record
    }
}

#[cfg(test)]
mod tests {
    use super::super::fleet::Moved;
    use super::*;

    fn step(now: u64, demand: u32, serving: u32) -> Step {
        let moved = Moved::default();
        let existing = serving + 1;
        Step { now, demand, serving, existing, moved, arrived: 100.0, violating: 1.0 }
    }

    #[test]
    fn a_bucket_keeps_the_least_and_the_most_of_its_steps() {
        let detail = Detail { buckets: 2, changes: 9 };
        let mut recorder = Recorder::new(detail, 600, 5);
        for (place, (demand, serving)) in
            [(3, 4), (9, 4), (3, 5), (2, 2), (2, 2)].into_iter().enumerate()
        {
            recorder.add(&step(600 + place as u64 * 10, demand, serving));
        }
        let record = recorder.finish();
        assert_eq!((record.from, record.bucket_seconds), (600, 30));
        assert_eq!(record.buckets.len(), 2);
        let first = record.buckets[0];
        assert_eq!((first.demand, first.serving, first.paid), ((3, 9), (4, 5), (5, 6)));
        assert_eq!((first.arrived, first.late), (300.0, 3.0));
        assert_eq!(record.buckets[1].arrived, 200.0);
    }

    #[test]
    fn however_long_a_trace_is_its_buckets_are_few_and_none_of_its_requests_is_lost() {
        for steps in [1, 7, 100, 1_001, 69_120, 3_153_600] {
            let detail = Detail { buckets: 500, changes: 9 };
            let mut recorder = Recorder::new(detail, 0, steps);
            for place in 0..steps {
                recorder.add(&step(place as u64 * 10, 1, 1));
            }
            let record = recorder.finish();
            assert!(record.buckets.len() <= 500, "{steps} steps");
            let arrived: f64 = record.buckets.iter().map(|bucket| bucket.arrived).sum();
            assert_eq!(arrived, 100.0 * steps as f64);
        }
    }

    #[test]
    fn of_many_changes_the_largest_are_kept_in_order_and_all_are_counted() {
        let mut recorder = Recorder::new(Detail { buckets: 2, changes: 3 }, 0, 5);
        for (at, from, to) in [(0, 2, 3), (10, 3, 9), (20, 9, 8), (30, 8, 2), (40, 2, 5)] {
            recorder.change(at, from, to, &[]);
        }
        let record = recorder.finish();
        let kept: Vec<u64> = record.changes.iter().map(|change| change.at).collect();
        assert_eq!((kept, record.changes_in_all), (vec![10, 30, 40], 5));
    }

    #[test]
    fn of_changes_of_one_size_those_that_are_kept_lie_all_along() {
        let mut recorder = Recorder::new(Detail { buckets: 2, changes: 3 }, 0, 7);
        recorder.change(5, 1, 9, &[]);
        for at in 1..=4 {
            recorder.change(at * 10, 2, 3, &[]);
        }
        let record = recorder.finish();
        let kept: Vec<u64> = record.changes.iter().map(|change| change.at).collect();
        assert_eq!(kept, [5, 20, 40]);
    }
}
