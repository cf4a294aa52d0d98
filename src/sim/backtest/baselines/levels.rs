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

/// When nodes begin and end to serve: as few numbers as the plan has moves, however long it is.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Changes {
    /// Steps before which one more serves; those before which one less does.
    begins: Vec<u32>,
    ends: Vec<u32>,
}

impl Changes {
    /// One node serves from one step until before another. A trace has fewer steps than a `u32`
    /// counts.
    pub fn serves(&mut self, from: u64, until: u64) {
        self.begins.push(from as u32);
        self.ends.push(until as u32);
    }

    /// Puts the changes in order, which [`Changes::serving`] takes for granted.
    pub fn sorted(mut self) -> Self {
        self.begins.sort_unstable();
        self.ends.sort_unstable();
        self
    }

    /// How many serve in each of `steps`.
    pub fn serving(&self, steps: u64) -> impl Iterator<Item = u32> + '_ {
        let (mut begun, mut ended) = (0, 0);
        (0..steps as u32).map(move |step| {
            let until_now = |moments: &[u32], mut count: usize| {
                while moments.get(count).is_some_and(|moment| *moment <= step) {
                    count += 1;
                }
                count
            };
            (begun, ended) = (until_now(&self.begins, begun), until_now(&self.ends, ended));
            begun.saturating_sub(ended) as u32
        })
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

    #[test]
    fn changes_add_up_in_whatever_order_they_come() {
        let mut changes = Changes::default();
        for (from, until) in [(3, 5), (0, 4), (2, 2), (4, 9)] {
            changes.serves(from, until);
        }
        let serving: Vec<u32> = changes.sorted().serving(7).collect();
        assert_eq!(serving, [1, 1, 1, 2, 2, 1, 1]);
    }
}
