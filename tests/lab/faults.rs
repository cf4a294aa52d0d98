//! A playbook that fails, a VM that never boots, a cloud that has a bad day.

use std::fs;

use serde_json::Value;

use crate::haproxy::serving;
use crate::lab::{DaemonStart, HERE, Lab, replace_file};
use crate::wait::{found, wait_for};
use crate::world::in_a_world;

/// The most instances that the pool of these tests may have.
const MAX: u32 = 3;

#[test]
fn a_failing_playbook_costs_its_node_and_keeps_the_count_below_max_and_the_rest_serving() {
    in_a_world!(400, |lab| {
        one_node_serves(lab);
        let good = fs::read_to_string(format!("{HERE}/playbook/node.yml")).expect("setup wrote it");
        let broken = "    - name: Reach the artifact store\n      ansible.builtin.fail:\n        \
                      msg: artifact store unreachable\n";
        replace_file("playbook/node.yml", &format!("{good}\n{broken}"));

        lab.dial_for(MAX + 5);
        let failed = wait_for_journal(lab, "configure_failed", 60);
        assert!(failed.to_string().contains("artifact store unreachable"), "{failed:#}");
        wait_for_journal_count(lab, "configure_failed", 2, 60);
        assert_eq!(serving("lb1").expect("it runs").len(), 1, "the old node serves on");

        replace_file("playbook/node.yml", &good);
        lab.wait_until_settled_at(MAX as usize, 120);
        lab.assert_never_more_instances_than(MAX);
    });
}

#[test]
fn a_vm_that_never_boots_is_deleted_and_another_one_tried() {
    in_a_world!(400, |lab| {
        one_node_serves(lab);
        lab.set_cloud_faults("faults: [{operation: create_instance, effect: never_boots}]");
        lab.dial_for(2);
        wait_for_journal(lab, "never_booted", 60);
        assert_eq!(serving("lb1").expect("it runs").len(), 1, "the old node serves on");

        lab.set_cloud_faults("");
        lab.wait_until_settled_at(2, 120);
        lab.assert_never_more_instances_than(MAX);
    });
}

#[test]
fn a_cloud_that_fails_and_throttles_for_a_while_costs_time_and_nothing_else() {
    in_a_world!(400, |lab| {
        one_node_serves(lab);
        for (fault, nodes) in [(SERVER_ERRORS, 2), (TOO_MANY_REQUESTS, 3)] {
            lab.set_cloud_faults(fault);
            lab.dial_for(nodes);
            let refused = lab.wait_for_refusals(3, 60);
            assert_eq!(serving("lb1").expect("it runs").len(), nodes as usize - 1, "{refused:?}");
            lab.set_cloud_faults("");
            lab.wait_until_settled_at(nodes as usize, 120);
        }
        assert_eq!(lab.instances_ever(), 3, "one create for each node");
        lab.assert_never_more_instances_than(MAX);
    });
}

#[test]
fn a_create_whose_answer_is_lost_makes_one_instance() {
    in_a_world!(300, |lab| {
        one_node_serves(lab);
        lab.set_cloud_faults(LOST_ANSWERS);
        lab.dial_for(2);
        lab.wait_until_settled_at(2, 120);
        assert_eq!(lab.instances_ever(), 2, "the lost one was found again");
    });
}

/// Every call fails, also those that would only look.
const SERVER_ERRORS: &str = "faults: [{operation: '*', effect: {answer: {status: 500}}}]";
/// Every call is one too many.
const TOO_MANY_REQUESTS: &str = "faults: [{operation: '*', effect: {rate_limited: 1}}]";
/// Creates are carried out, and nobody hears of it.
const LOST_ANSWERS: &str =
    "faults: [{operation: create_instance, times: 1, effect: drop_answer_after_acting}]";

/// A pool of one good node that follows the dial and gives up quickly.
fn one_node_serves(lab: &mut Lab) {
    lab.follow_the_dial(1, MAX);
    lab.dial_for(1);
    lab.start_surroundings();
    lab.start_daemon(DaemonStart::default());
    lab.wait_until_settled_at(1, 120);
}

fn wait_for_journal(lab: &Lab, word: &str, seconds: u64) -> Value {
    wait_for(&format!("the journal tells of {word}"), seconds, || {
        let journal = lab.journal()?;
        let row = journal.iter().find(|row| row.to_string().contains(word));
        row.cloned().ok_or_else(|| format!("{} rows without it", journal.len()))
    })
}

fn wait_for_journal_count(lab: &Lab, word: &str, count: usize, seconds: u64) {
    wait_for(&format!("the journal tells {count} times of {word}"), seconds, || {
        let journal = lab.journal()?;
        let rows = journal.iter().filter(|row| row.to_string().contains(word)).count();
        found(count <= rows, rows)
    });
}
