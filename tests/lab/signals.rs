//! Samples that say nothing: unknown is never zero.

use crate::lab::{DaemonStart, Lab};
use crate::wait::{found, stays};
use crate::world::in_a_world;

/// Four times the stabilization of these tests: a pool that took the reading for zero would have
/// shrunk by then.
const LONG_ENOUGH: u64 = 8;

#[test]
fn an_empty_a_stale_and_a_nan_reading_and_a_dead_prometheus_let_no_node_leave() {
    in_a_world!(400, |lab| {
        lab.follow_the_dial(1, 4);
        lab.dial_for(3);
        lab.start_surroundings();
        lab.start_daemon(DaemonStart::default());
        lab.wait_until_settled_at(3, 120);

        let hour_ago = "dial 0 1000\n";
        for (reading, says) in [("empty", ""), ("NaN", "dial NaN\n"), ("stale", hour_ago)] {
            lab.dial_says(says);
            keeps_three(lab, reading);
            lab.dial_for(3);
            lab.wait_until_settled_at(3, 10);
        }
        lab.kill("prometheus");
        keeps_three(lab, "without Prometheus");
        lab.start_prometheus();

        // Held for the reading's sake only: a real one lets them go.
        lab.dial_for(1);
        lab.wait_until_settled_at(1, 120);
    });
}

fn keeps_three(lab: &Lab, reading: &str) {
    stays(&format!("three nodes serve ({reading})"), LONG_ENOUGH, || {
        let pool = lab.pool()?;
        found(pool["serving"] == 3 && pool["leaving"] == 0, pool)
    });
}
