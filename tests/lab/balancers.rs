//! A balancer that is restarted in the middle of everything.

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use crate::haproxy::serving;
use crate::lab::DaemonStart;
use crate::wait::{found, wait_for};
use crate::world::in_a_world;

#[test]
fn a_restarted_balancer_has_its_servers_back_within_two_seconds() {
    in_a_world!(300, |lab| {
        lab.follow_the_dial(1, 4);
        lab.dial_for(3);
        lab.start_surroundings();
        lab.start_daemon(DaemonStart::default());
        lab.wait_until_settled_at(3, 120);
        let load = lab.start_load(&["--base", "60", "--for", "120"]);
        wait_for("the load is answered", 10, || {
            let ok = load.last_progress()["ok"].as_u64();
            found(100 <= ok.unwrap_or(0), ok)
        });

        let down = unix_now();
        lab.kill("lb1");
        lab.start_balancer("lb1");
        let (back, since) = (unix_now(), Instant::now());
        wait_for("lb1 has all three servers again", 10, || {
            let serving = serving("lb1")?;
            found(serving.len() == 3, serving)
        });
        let took = since.elapsed();
        eprintln!("lb1 had its servers back after {took:?}");
        assert!(took < Duration::from_secs(2), "servers were missing for {took:?}");
        wait_for("requests go through both again", 10, || {
            let ok = load.last_progress()["ok"].as_u64();
            found(600 <= ok.unwrap_or(0), ok)
        });
        for failure in load.stop().failures {
            assert_eq!(failure.balancer, "203.0.113.3:80", "the other lost nothing: {failure:?}");
            let within = down <= failure.at && failure.at <= back + 2.0;
            assert!(
                within,
                "down from {down} to {back}, and yet at {}: {}",
                failure.at, failure.what
            );
        }
        lab.wait_until_settled_at(3, 10);
    });
}

fn unix_now() -> f64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs_f64()
}
