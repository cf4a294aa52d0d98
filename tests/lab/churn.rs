//! Nodes that come and go without a pause, and balancers that are reloaded in the middle of it.

use std::time::{Duration, Instant};

use crate::lab::{BALANCERS, DaemonStart, Lab};
use crate::reload::Mode;
use crate::wait::{found, wait_for};
use crate::world::in_a_world;

/// How long nodes come and go.
const CHURN: Duration = Duration::from_secs(130);

#[test]
#[ignore = "its promise takes a machine that does nothing else: `make churn`"]
fn no_request_fails_while_nodes_come_and_go_with_servers_added_to_a_new_haproxy_and_slots_in_an_old_one()
 {
    in_a_world!(400, |lab| churn(lab, [Mode::Dynamic, Mode::Slots]));
}

#[test]
#[ignore = "its promise takes a machine that does nothing else: `make churn`"]
fn no_request_fails_while_nodes_come_and_go_with_slots_in_a_new_haproxy_and_servers_added_to_an_old_one()
 {
    in_a_world!(400, |lab| churn(lab, [Mode::Slots, Mode::Dynamic]));
}

/// Nodes come and leave all the time, under load through both balancers, and each change of the
/// count has a balancer reloaded in its middle: the first one is of the newest version that is
/// here, the other one is the system's.
fn churn(lab: &mut Lab, modes: [Mode; 2]) {
    lab.follow_the_dial(2, 5);
    // More nodes leave in these minutes than anybody would want to lose in ten.
    lab.edit_policy("\nnode:", "\nbrake: {percent: 100}\nnode:");
    lab.make_reloadable(modes);
    lab.dial_for(2);
    lab.start_surroundings();
    lab.start_daemon(DaemonStart::default());
    lab.wait_until_settled_at(2, 120);
    let load = lab.start_load(&["--base", "60", "--for", "380"]);

    let begin = Instant::now();
    let mut changes = [5, 3, 4, 2].into_iter().cycle().enumerate();
    let mut reloads = 0;
    while begin.elapsed() < CHURN {
        let (turn, nodes) = changes.next().expect("it never ends");
        lab.dial_for(nodes);
        wait_for("a node comes or leaves", 30, || {
            let pool = lab.pool()?;
            let moving = ["on_the_way", "leaving"].map(|count| pool[count].as_u64());
            found(moving.into_iter().flatten().any(|nodes| 0 < nodes), moving)
        });
        lab.reload(BALANCERS[turn % 2]);
        reloads += 1;
        lab.wait_until_settled_at(nodes as usize, 90);
    }
    let summary = load.stop();
    summary.assert_nothing_failed();
    let ever = lab.instances_ever();
    eprintln!("{} requests, {ever} instances, {reloads} reloads: none failed", summary.sent);
    assert!(6 <= ever && 4 <= reloads, "{ever} instances and {reloads} reloads: that is no churn");
}
