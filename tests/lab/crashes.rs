//! A daemon that dies at the worst moments, and the next one that finds what it left.

use crate::lab::{DaemonStart, Lab};
use crate::world::in_a_world;

/// The most instances that the pool of these tests may have.
const MAX: u32 = 5;

#[test]
fn killed_right_after_writing_any_state_it_ends_with_the_right_count_and_nothing_twice() {
    in_a_world!(600, |lab| {
        begin(lab);
        let coming = [(1, "planned"), (2, "provisioning"), (3, "configuring"), (4, "joining")];
        let leaving = [(3, "draining"), (2, "deleting")];
        for (nodes, state) in coming.into_iter().chain(leaving) {
            lab.dial_for(nodes);
            lab.start_daemon(DaemonStart { crash_at: Some(state) });
            lab.wait_for_crash(state);
            recovers(lab, nodes);
            lab.kill("windlass");
        }
        lab.assert_never_more_instances_than(MAX);
    });
}

#[test]
fn killed_in_the_middle_of_a_wait_it_ends_with_the_right_count_and_nothing_twice() {
    in_a_world!(500, |lab| {
        begin(lab);
        for (nodes, state) in [(1, "provisioning"), (2, "configuring"), (3, "joining")] {
            lab.dial_for(nodes);
            lab.start_daemon(DaemonStart::default());
            lab.wait_for_state(state, 60);
            lab.kill("windlass");
            recovers(lab, nodes);
            lab.kill("windlass");
        }
        lab.assert_never_more_instances_than(MAX);
    });
}

fn begin(lab: &mut Lab) {
    lab.follow_the_dial(1, MAX);
    lab.dial_for(1);
    lab.start_surroundings();
}

/// The next daemon has everything in order soon: a lost run costs a second boot, no more.
fn recovers(lab: &mut Lab, nodes: u32) {
    lab.start_daemon(DaemonStart::default());
    lab.wait_until_settled_at(nodes as usize, 120);
}
