//! The plan with the fewest node hours: the load is known in advance, boots and drains are paid,
//! and no step is over the knee.
//!
//! Source: Lu and Chen, arXiv 1112.0442 (so does dynamic right-sizing, Lin et al. 2011): in each
//! gap of a level, the node is kept iff the gap is shorter than a boot and a drain. It is exact for
//! node hours; its started hours are billed like everyone's.

use super::super::STEP_SECONDS;
use super::super::bill::started_hours;
use super::super::settings::Settings;
use super::super::trace::Trace;
use super::Plan;
use super::levels::{Changes, demand, each_busy_time};

/// One level's node: when it began to serve and until when it is needed, in steps.
#[derive(Clone, Copy)]
struct Run {
    from: u64,
    until: u64,
}

/// The plan for the scored time.
pub(super) fn plan(trace: &Trace, settings: &Settings) -> Plan {
    // A plan in full knowledge knows the boots, too, but must hold for the longest.
    of_demand(demand(trace, settings), settings.boot.upper(), settings.drain.upper())
}

/// The plan for a demand in each step; boot and drain in seconds.
fn of_demand(demand: impl Iterator<Item = u32>, boot: u64, drain: u64) -> Plan {
    let mut levels: Vec<Option<Run>> = Vec::new();
    let mut sums = Sums::default();
    let steps = each_busy_time(demand, |level, from, until| {
        if levels.len() <= level {
            levels.resize(level + 1, None);
        }
        let run = &mut levels[level];
        match run {
            Some(run) if (from - run.until) * STEP_SECONDS < boot + drain => run.until = until,
            _ => {
                if let Some(ended) = run.replace(Run { from, until }) {
                    sums.add(ended, boot, drain);
                }
            }
        }
    });
    for run in levels.into_iter().flatten() {
        // Who serves at the end stays.
        sums.add(run, boot, if run.until == steps { 0 } else { drain });
    }
    let Sums { changes, node_seconds, billed_hours } = sums;
    Plan { changes: changes.sorted(), steps, node_seconds, billed_hours }
}

/// What the runs come to.
#[derive(Default)]
struct Sums {
    changes: Changes,
    node_seconds: u64,
    billed_hours: u64,
}

impl Sums {
    fn add(&mut self, Run { from, until }: Run, boot: u64, drain: u64) {
        self.changes.serves(from, until);
        // Who serves at the beginning was there.
        let boot = if from == 0 { 0 } else { boot };
        let seconds = boot + (until - from) * STEP_SECONDS + drain;
        self.node_seconds += seconds;
        self.billed_hours += started_hours(0, seconds as i64, -1);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Demands as `(nodes, seconds)`.
    fn plan_for(demand: &[(u32, usize)]) -> Plan {
        let steps = demand.iter().flat_map(|(nodes, seconds)| vec![*nodes; seconds / 10]);
        of_demand(steps, 120, 60)
    }

    #[test]
    fn a_node_is_kept_through_a_gap_that_is_cheaper_than_a_boot_and_a_drain() {
        for (gap, node_seconds, because) in [
            (170, 2_170 + 1_000 + 1_000 + 170, "kept: the gap is paid"),
            (180, 2_180 + 1_000 + 1_000 + 180, "let go: a drain and a boot cost the same"),
            (600, 2_600 + 1_000 + 1_000 + 180, "let go: only drain and boot are paid"),
        ] {
            let plan = plan_for(&[(2, 1_000), (1, gap), (2, 1_000)]);
            assert_eq!(plan.node_seconds, node_seconds, "{because}");
            let lowest = if gap < 180 { 2 } else { 1 };
            assert_eq!(plan.serving().min(), Some(lowest), "{because}");
        }
    }

    #[test]
    fn each_started_hour_of_each_run_is_billed() {
        // Level 1 serves 2 h 10 min: 3 hours. Level 2: a boot, ten minutes and a drain, twice.
        let plan = plan_for(&[(1, 1_200), (2, 600), (1, 3_600), (2, 600), (1, 1_800)]);
        assert_eq!(plan.billed_hours, 3 + 2);
        assert_eq!(plan.node_seconds, 7_800 + 2 * (120 + 600 + 60));
        assert_eq!(plan.serving().count(), 780);
    }
}
