//! A fleet as a stack of levels: level k is up whenever k nodes are needed.
//!
//! With identical nodes the best plan for the whole is the best plan for each level. Source: Lu
//! and Chen, arXiv 1112.0442.

use super::super::STEP_SECONDS;
use super::super::settings::Settings;
use super::super::trace::Trace;

/// The demand of each scored step, in nodes.
pub(super) fn demand<'a>(
    trace: &'a Trace,
    settings: &'a Settings,
) -> impl Iterator<Item = u32> + 'a {
    let first = settings.scored_from.div_ceil(STEP_SECONDS) as usize;
    let min = settings.bounds.min.0;
    (first..trace.steps()).map(move |step| settings.node.demand(trace.rate(step), min))
}

/// Calls `busy(level, from, until)` for each time that a level is needed without a break, in steps;
/// those of one level in order. How many steps there are.
pub(super) fn each_busy_time(
    demand: impl Iterator<Item = u32>,
    mut busy: impl FnMut(usize, u64, u64),
) -> u64 {
    let mut up_since: Vec<u64> = Vec::new();
    let mut steps = 0;
    for needed in demand {
        while needed < up_since.len() as u32 {
            let since = up_since.pop().unwrap_or(steps);
            busy(up_since.len(), since, steps);
        }
        up_since.resize(needed as usize, steps);
        steps += 1;
    }
    for (level, since) in up_since.into_iter().enumerate() {
        busy(level, since, steps);
    }
    steps
}

/// How many serve in each step, from when each begins and ends to serve.
#[derive(Default)]
pub(super) struct Changes(Vec<i32>);

impl Changes {
    /// One node serves from one step until before another.
    pub fn serves(&mut self, from: u64, until: u64) {
        let last = from.max(until) as usize;
        if self.0.len() <= last {
            self.0.resize(last + 1, 0);
        }
        self.0[from as usize] += 1;
        self.0[until as usize] -= 1;
    }

    /// How many serve in each of `steps`.
    pub fn serving(&self, steps: u64) -> Vec<u32> {
        let changes = self.0.iter().copied().chain(std::iter::repeat(0)).take(steps as usize);
        let sums = changes.scan(0i32, |serving, change| {
            *serving += change;
            Some(serving.unsigned_abs())
        });
        sums.collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_level_is_busy_while_so_many_are_needed() {
        let mut times = Vec::new();
        let steps = each_busy_time([2, 3, 1, 1, 2].into_iter(), |level, from, until| {
            times.push((level, from, until));
        });
        assert_eq!(steps, 5);
        assert_eq!(times, [(2, 1, 2), (1, 0, 2), (0, 0, 5), (1, 4, 5)]);
    }
}
