//! The whole loop under real load.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::haproxy::serving;
use crate::lab::{BALANCERS, DaemonStart, Lab};
use crate::wait::{found, wait_for};
use crate::world::in_a_world;

#[test]
fn a_push_campaign_brings_nodes_and_the_quiet_takes_them_away_and_no_request_fails() {
    in_a_world!(300, |lab| {
        lab.start_surroundings();
        lab.start_daemon(DaemonStart::default());
        lab.wait_until_settled_at(1, 60);
        let load = lab.start_load(&["--base", "25", "--campaign", "5,120,30,10", "--for", "240"]);
        for balancer in BALANCERS {
            wait_for("three nodes and more serve", 75, || {
                let serving = serving(balancer)?;
                found(3 <= serving.len(), serving)
            });
        }
        lab.wait_until_settled_at(1, 120);
        let summary = load.stop();

        summary.assert_nothing_failed();
        assert!(4 <= summary.nodes.len(), "the new nodes answered: {:?}", summary.nodes);
        lab.assert_never_more_instances_than(6);
        assert_every_node_tells_its_facts(lab, summary.nodes.keys());
        assert_decisions_explain_every_change(lab);
    });
}

#[test]
fn a_scale_out_takes_back_a_draining_node_before_it_creates_another() {
    in_a_world!(150, |lab| {
        lab.follow_the_dial(1, 4);
        // Requests that take eight seconds: a node that drains is a node that can be taken back.
        lab.edit_policy(
            "timeout: 60s}",
            "timeout: 60s, variables: {service_milliseconds: '8000', slots: '60'}}",
        );
        lab.dial_for(2);
        lab.start_surroundings();
        lab.start_daemon(DaemonStart::default());
        lab.wait_until_settled_at(2, 60);
        let before = addresses(lab);
        let load = lab.start_load(&["--base", "5", "--for", "120"]);
        wait_for("both nodes have requests under way", 20, || {
            let waiting = load.last_progress()["waiting"].as_u64();
            found(30 <= waiting.unwrap_or(0), waiting)
        });

        lab.dial_for(1);
        lab.wait_for_state("draining", 20);
        lab.dial_for(2);

        lab.wait_until_settled_at(2, 30);
        assert_eq!(addresses(lab), before, "the same two nodes serve");
        load.stop().assert_nothing_failed();
    });
}

fn addresses(lab: &Lab) -> BTreeSet<String> {
    let instances = lab.instances().expect("the cloud answers");
    instances.iter().map(|instance| instance["label"].to_string()).collect()
}

/// The playbook ran over SSH on each node that answered: what the node said of itself is in the
/// journal.
fn assert_every_node_tells_its_facts<'a>(lab: &Lab, nodes: impl Iterator<Item = &'a String>) {
    let journal = lab.journal().expect("the daemon answers");
    for node in nodes {
        let told = journal.iter().any(|row| tells_facts_of(row, node));
        assert!(told, "the journal holds no facts of {node}: {journal:#?}");
    }
}

fn tells_facts_of(row: &Value, node: &str) -> bool {
    let facts = row["entry"]["facts"].as_object();
    facts.is_some_and(|facts| facts.values().any(|fact| fact == node))
}

fn assert_decisions_explain_every_change(lab: &Lab) {
    let changes = lab.changes().expect("the daemon answers");
    let ways: BTreeSet<_> = changes
        .iter()
        .map(|change| {
            let sentences = change["sentences"].as_array().map_or(0, Vec::len);
            assert!(0 < sentences, "a change without a reason: {change:#}");
            let [from, to] = ["from", "to"].map(|end| change["decision"][end].as_u64());
            to.cmp(&from)
        })
        .collect();
    assert_eq!(ways.len(), 2, "more and fewer nodes were decided: {changes:#?}");
}
