//! The largest of the last counts.

use std::collections::VecDeque;

/// Counts and their moments; what is smaller than a later one can never be the largest again, so
/// it isn't kept.
#[derive(Debug, Default)]
pub(super) struct Highest {
    falling: VecDeque<(u64, u32)>,
}

impl Highest {
    /// Adds `count` at `now`, and gives the largest of the last `window` seconds, both ends
    /// included. Moments never fall.
    pub fn with(&mut self, now: u64, count: u32, window: u64) -> u32 {
        while self.falling.back().is_some_and(|(_, last)| *last <= count) {
            self.falling.pop_back();
        }
        self.falling.push_back((now, count));
        while self.falling.front().is_some_and(|(at, _)| at + window < now) {
            self.falling.pop_front();
        }
        self.falling.front().map_or(count, |(_, highest)| *highest)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_largest_of_the_window_is_kept_and_then_forgotten() {
        let mut highest = Highest::default();
        let counts = [(0, 5), (10, 3), (20, 4), (30, 1), (31, 1), (51, 0), (62, 0)];
        let seen = counts.map(|(now, count)| highest.with(now, count, 30));
        assert_eq!(seen, [5, 5, 5, 5, 4, 1, 0]);
    }
}
