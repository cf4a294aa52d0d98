//! The plan with the fewest started hours: each level's busy times are covered by whole hours.
//!
//! Source: the greedy cover of points by unit intervals, a level at a time (see the reference
//! experiment): a node is ordered a boot before the first second that isn't covered, and stays for
//! whole hours. No step is over the knee. It is the best for each level; that none is better
//! across levels is not proven. The end of a drain is not charged.

use super::super::STEP_SECONDS;
use super::super::settings::Settings;
use super::super::trace::Trace;
use super::Plan;
use super::levels::{Changes, demand, each_busy_time};

const HOUR: i64 = 3_600;

/// One level's node, in seconds.
#[derive(Clone, Copy)]
struct Run {
    serves_from: i64,
    paid_until: i64,
}

/// The plan for the scored time.
pub(super) fn plan(trace: &Trace, settings: &Settings) -> Plan {
    of_demand(demand(trace, settings), settings.boot.upper())
}

/// The plan for a demand in each step; `boot` in seconds.
fn of_demand(demand: impl Iterator<Item = u32>, boot: u64) -> Plan {
    let boot = boot as i64;
    let mut levels: Vec<Option<Run>> = Vec::new();
    let (mut changes, mut hours) = (Changes::default(), 0);
    let step = |second: i64| (second.max(0) as u64).div_ceil(STEP_SECONDS);
    let steps = each_busy_time(demand, |level, from, until| {
        if levels.len() <= level {
            levels.resize(level + 1, None);
        }
        let (from, until) = ((from * STEP_SECONDS) as i64, (until * STEP_SECONDS) as i64);
        let run = &mut levels[level];
        // A node whose paid time ends during the boot of the next is kept instead.
        if run.is_none_or(|run| run.paid_until <= from - boot)
            && let Some(ended) = run.replace(Run { serves_from: from, paid_until: from - boot })
        {
            changes.serves(step(ended.serves_from), step(ended.paid_until));
        }
        if let Some(run) = run
            && run.paid_until < until
        {
            let more = (until - run.paid_until + HOUR - 1) / HOUR;
            hours += more;
            run.paid_until += more * HOUR;
        }
    });
    for run in levels.into_iter().flatten() {
        changes.serves(step(run.serves_from).min(steps), step(run.paid_until).min(steps));
    }
    let billed_hours = hours as u64;
    let node_seconds = billed_hours * 3_600;
    Plan { changes: changes.sorted(), steps, node_seconds, billed_hours }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn busy_times_are_covered_by_whole_hours() {
        // Level 1 is ordered 120 s before the beginning and needed for 13,000 s: 4 hours. Level 2
        // is needed at 1,000 to 2,000 (ordered at 880, paid until 4,480), again at 4,400 to 4,600
        // (kept: an hour more, until 8,080) and at 9,000 to 10,000 (a new node).
        let demand =
            [(1, 1_000), (2, 1_000), (1, 2_400), (2, 200), (1, 4_400), (2, 1_000), (1, 3_000)];
        let steps = demand.iter().flat_map(|(nodes, seconds)| vec![*nodes; seconds / 10]);
        let plan = of_demand(steps, 120);
        assert_eq!(plan.billed_hours, 4 + 3);
        let all: Vec<u32> = plan.serving().collect();
        let serving = |second: usize| all[second / 10];
        let seen = [990, 1_000, 3_000, 4_480, 8_070, 8_080, 9_000, 12_470, 12_480].map(serving);
        assert_eq!(seen, [1, 2, 2, 2, 2, 1, 2, 2, 1]);
    }
}
