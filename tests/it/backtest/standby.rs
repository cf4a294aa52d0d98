//! What nodes in standby are worth in a rehearsal, and what they cost.

use std::fmt::Write as _;
use std::path::Path;

use windlass::domain::NodeCount;
use windlass::policy::{self, LeaveEarly, Policy};
use windlass::sim::backtest::{Rehearse, Score, Trace, rehearse};

use super::settings;

/// Five nodes' load, and every hour, twenty minutes apart, two surges of ten minutes that need
/// three more at once.
fn score(policy: Policy) -> Score {
    let mut text = "timestamp_seconds,requests_per_second\n".to_owned();
    for second in (0..12 * 3_600).step_by(10) {
        let into = second % 3_600;
        let is_surge = (600..1_200).contains(&into) || (1_800..2_400).contains(&into);
        writeln!(text, "{second},{}", if is_surge { 1_000 } else { 600 }).expect("room");
    }
    let (trace, settings) = (Trace::read("t", &text).expect("a good trace"), settings());
    let policies = [("p".to_owned(), policy)];
    let all = Rehearse {
        trace: &trace,
        settings: &settings,
        hints: &[],
        policies: &policies,
        baselines: &[],
    };
    rehearse(&all).expect("derivable").scores.remove(0)
}

fn policy(standby: u32, leave_early: LeaveEarly) -> Policy {
    let text = "
pool: p
bounds: {min: 2, max: 20}
signals: {requests: {prometheus: {query: 'sum(rate(http_requests_total[30s]))'}}}
rules: [{target: {signal: requests, per_node: 128, headroom_percent: 0}}]
scale_in: {stabilize: 1m, pace: [], cooldown: 0s}
node: {type: a, region: b, image: c, vlan: {label: d, cidr: 10.0.0.0/24}}
configure: {playbook: e}
join: {backend: f}
";
    let mut policy =
        policy::parse(text, Path::new("p.yaml")).unwrap_or_else(|told| panic!("{told}"));
    (policy.standby.nodes, policy.scale_in.leave_early) = (NodeCount(standby), leave_early);
    policy
}

#[test]
fn a_standby_spares_users_the_wait_for_a_boot_and_costs_its_hours() {
    let without = score(policy(0, LeaveEarly::Yes));
    let some = score(policy(1, LeaveEarly::Yes));
    let enough = score(policy(3, LeaveEarly::Yes));
    let late = |score: &Score| score.violating_requests_ratio;
    assert!(0.05 < late(&without), "{without:?}");
    assert!(late(&some) < late(&without), "{some:?}");
    assert!(late(&enough) < late(&without) / 4.0, "{enough:?}");
    assert!(without.node_hours < some.node_hours, "{some:?}");
    assert!(some.node_hours < enough.node_hours, "{enough:?}");
}

#[test]
fn nodes_that_wait_for_the_end_of_their_hour_spare_users_and_money() {
    let at_once = score(policy(0, LeaveEarly::Yes));
    let waiting = score(policy(0, LeaveEarly::ToStandby));
    let late = |score: &Score| score.violating_requests_ratio;
    assert!(late(&waiting) < late(&at_once) * 0.7, "{waiting:?} and {at_once:?}");
    assert!(waiting.billed_node_hours < at_once.billed_node_hours, "{waiting:?} and {at_once:?}");
}
