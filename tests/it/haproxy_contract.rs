//! The contract of the balancer port, held by the HAProxy adapter against real processes: three
//! versions, two modes each.

pub(super) mod lab;
mod traffic;

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use lab::{Configuration, Lab, Setting, eventually, member, options};
use traffic::{Booting, Load, Origin, ask};
use windlass::domain::{BackendCounts, ServerAdmin, ServerHealth};
use windlass::haproxy::{Mode, RuntimeAddress};
use windlass::ports::{Balancer, Fault, RegisterOptions, Removal, Sessions};

/// Runs each behaviour in one setting.
macro_rules! contract {
    ($module:ident: $release:literal, $mode:expr) => {
        mod $module {
            use super::*;
            contract! { @behaviours Setting { release: $release, mode: $mode } =>
                a_member_joins_under_load_without_a_failed_request
                up_takes_a_fresh_pass_even_in_a_place_that_was_used_before
                a_member_leaves_under_load_without_a_failed_request
                a_hanging_request_holds_a_removal_up_until_it_is_cut_off
                every_call_may_be_repeated
                servers_of_others_are_never_touched
                a_restart_loses_all_and_is_repaired_within_two_seconds
                a_reload_shows_as_another_process_and_its_old_worker_is_respected
                a_dead_member_is_removed_and_the_process_survives
                a_member_that_is_being_removed_can_be_taken_back
                a_busy_member_can_be_cut_off_in_the_middle_of_its_work
                a_registration_that_was_cut_short_is_finished
                it_counts_what_came_what_waits_and_what_is_here
            }
        }
    };
    (@behaviours $setting:expr => $($behaviour:ident)*) => {$(
        #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
        async fn $behaviour() {
            super::$behaviour($setting).await;
        }
    )*};
}

contract!(haproxy_2_6_slots: "2.6", Mode::Slots);
contract!(haproxy_2_6_dynamic: "2.6", Mode::Dynamic);
contract!(haproxy_3_0_slots: "3.0", Mode::Slots);
contract!(haproxy_3_0_dynamic: "3.0", Mode::Dynamic);
contract!(haproxy_3_2_slots: "3.2", Mode::Slots);
contract!(haproxy_3_2_dynamic: "3.2", Mode::Dynamic);

async fn a_member_joins_under_load_without_a_failed_request(setting: Setting) {
    let seed = Origin::start();
    let Some(lab) = Lab::start(setting, 2, &[seed.address]).await else { return };
    let load = Load::start(lab.front());
    let booting = Booting::new();
    let newcomer = member(1, booting.address);

    lab.register(&newcomer).await;
    let server = lab.server(&newcomer).await.expect("it is there");
    assert_eq!((server.admin, server.is_ours), (ServerAdmin::Drain, true));
    eventually("its check fails while it boots", async || {
        let health = lab.server(&newcomer).await.expect("it is there").health;
        assert_ne!(health, ServerHealth::Up);
        matches!(health, ServerHealth::Down { .. })
    })
    .await;
    let origin = booting.finish();
    lab.until_up(&newcomer).await;
    assert_eq!(origin.served(), 0, "UP, but not yet asked for anything");
    lab.make_ready(&newcomer).await;
    assert_eq!(lab.server(&newcomer).await.map(|s| s.admin), Some(ServerAdmin::Ready));
    eventually("it serves", async || 50 <= origin.served()).await;

    assert_eq!(load.finish().await, BTreeMap::new(), "failed requests");
}

async fn up_takes_a_fresh_pass_even_in_a_place_that_was_used_before(setting: Setting) {
    let Some(lab) = Lab::start(setting, 1, &[]).await else { return };
    let first = Origin::start();
    let predecessor = member(1, first.address);
    lab.admit(&predecessor).await;
    lab.until_gone(&predecessor, Sessions::LetEnd).await;

    let booting = Booting::new();
    let successor = member(2, booting.address);
    lab.register(&successor).await;
    eventually("its own check fails", async || {
        let health = lab.server(&successor).await.expect("it is there").health;
        assert_ne!(health, ServerHealth::Up, "that was its predecessor's");
        matches!(health, ServerHealth::Down { .. })
    })
    .await;
    let _origin = booting.finish();
    lab.until_up(&successor).await;
}

async fn a_member_leaves_under_load_without_a_failed_request(setting: Setting) {
    let seed = Origin::start();
    let Some(lab) = Lab::start(setting, 2, &[seed.address]).await else { return };
    let leaving = Origin::start();
    let leaver = member(1, leaving.address);
    lab.admit(&leaver).await;
    let load = Load::start(lab.front());
    eventually("it serves", async || 50 <= leaving.served()).await;

    lab.balancer.drain(&lab.backend, &leaver).await.expect("it drains");
    assert_eq!(lab.server(&leaver).await.map(|s| s.admin), Some(ServerAdmin::Drain));
    let begun = Instant::now();
    lab.until_gone(&leaver, Sessions::LetEnd).await;
    if (setting.release, setting.mode) == ("2.6", Mode::Dynamic) {
        assert!(Duration::from_secs(5) <= begun.elapsed(), "deleted without its rest");
    }
    assert_eq!(lab.server(&leaver).await, None);
    drop(leaving);
    let answered = load.answered();
    eventually("the rest goes on", async || answered + 100 <= load.answered()).await;

    assert_eq!(load.finish().await, BTreeMap::new(), "failed requests");
}

async fn a_hanging_request_holds_a_removal_up_until_it_is_cut_off(setting: Setting) {
    let Some(lab) = Lab::start(setting, 2, &[]).await else { return };
    let origin = Origin::start();
    let busy = member(1, origin.address);
    lab.admit(&busy).await;
    let hanging = tokio::spawn(ask(lab.front(), "/hang"));
    eventually("the request hangs", async || origin.hanging() == 1).await;
    assert_eq!(lab.server(&busy).await.map(|s| s.sessions), Some(1));

    for _ in 0..5 {
        let removal = lab.remove(&busy, Sessions::LetEnd).await;
        let Removal::Waiting { why } = removal else { panic!("it is gone too early") };
        assert!(why.contains("1 requests under way"), "{why}");
        assert_eq!(lab.server(&busy).await.map(|s| s.admin), Some(ServerAdmin::Drain));
    }
    assert!(!hanging.is_finished(), "nobody has cut it off");

    lab.until_gone(&busy, Sessions::Cut).await;
    let outcome = hanging.await.expect("no panic");
    assert_ne!(outcome, Ok(200), "it was cut off");
}

async fn every_call_may_be_repeated(setting: Setting) {
    let Some(lab) = Lab::start(setting, 3, &[]).await else { return };
    let origin = Origin::start();
    let once = member(1, origin.address);
    for _ in 0..2 {
        lab.register(&once).await;
        assert_eq!(lab.view().await.servers.len(), 1);
        assert_eq!(lab.server(&once).await.map(|s| s.admin), Some(ServerAdmin::Drain));
    }
    lab.until_up(&once).await;
    for _ in 0..2 {
        lab.make_ready(&once).await;
        assert_eq!(lab.server(&once).await.map(|s| s.admin), Some(ServerAdmin::Ready));
    }
    lab.register(&once).await;
    assert_eq!(lab.server(&once).await.map(|s| s.admin), Some(ServerAdmin::Ready), "left as it is");
    for _ in 0..2 {
        lab.balancer.drain(&lab.backend, &once).await.expect("it drains");
        assert_eq!(lab.server(&once).await.map(|s| s.admin), Some(ServerAdmin::Drain));
    }
    lab.until_gone(&once, Sessions::LetEnd).await;
    assert_eq!(lab.remove(&once, Sessions::LetEnd).await, Removal::Gone);
    assert_eq!(lab.remove(&once, Sessions::Cut).await, Removal::Gone);
    lab.balancer.drain(&lab.backend, &once).await.expect("nothing to drain");
    let ready = lab.balancer.make_ready(&lab.backend, &once).await;
    assert!(matches!(ready, Err(Fault::Transient { .. })), "{ready:?}");
    let free = (setting.mode == Mode::Slots).then_some(3);
    assert_eq!(lab.view().await.free_slots, free);
}

async fn servers_of_others_are_never_touched(setting: Setting) {
    let seed = Origin::start();
    let Some(lab) = Lab::start(setting, 2, &[seed.address]).await else { return };
    let ours = Origin::start();
    lab.admit(&member(1, ours.address)).await;

    let same_address = member(2, seed.address);
    let mut same_name = member(3, seed.address);
    same_name.server = "seed1".parse().expect("a name");
    for stranger in [same_address, same_name] {
        lab.balancer.drain(&lab.backend, &stranger).await.expect("nothing to drain");
        for sessions in [Sessions::LetEnd, Sessions::Cut] {
            assert_eq!(lab.remove(&stranger, sessions).await, Removal::Gone);
        }
        let ready = lab.balancer.make_ready(&lab.backend, &stranger).await;
        assert!(matches!(ready, Err(Fault::Transient { .. })), "{ready:?}");
    }
    let view = lab.view().await;
    let names: Vec<_> = view.servers.iter().map(|s| (s.name.as_str(), s.is_ours)).collect();
    assert_eq!(names[1], ("seed1", false));
    assert_eq!(view.servers[1].admin, ServerAdmin::Ready);
    assert!(view.servers[0].is_ours && names.len() == 2, "{names:?}");
}

async fn a_restart_loses_all_and_is_repaired_within_two_seconds(setting: Setting) {
    const COUNT: u64 = 100;
    let slots = u32::try_from(COUNT).expect("few") + 2;
    let Some(mut lab) = Lab::start(setting, slots, &[]).await else { return };
    let origins: Vec<Origin> = (0..COUNT).map(|_| Origin::start()).collect();
    let members: Vec<_> =
        (0..).zip(&origins).map(|(n, origin)| member(n, origin.address)).collect();
    lab.balancer.restore(&lab.backend, &members, &options()).await.expect("all at once");
    let before = lab.view().await.process;

    for way in ["one by one", "in bulk"] {
        let back = lab.restart().await;
        let view = lab.view().await;
        assert_ne!(view.process, before);
        assert!(view.servers.is_empty() && !view.has_usable_server());
        match way {
            "one by one" => {
                for member in &members {
                    lab.register(member).await;
                    lab.make_ready(member).await;
                }
            }
            _ => lab.balancer.restore(&lab.backend, &members, &options()).await.expect("all"),
        }
        let all = back.elapsed();
        assert_eq!(ask(lab.front(), "/work").await, Ok(200), "{way}");
        let first = back.elapsed();
        println!("{setting:?}: {COUNT} servers {way}: {all:?}, first answer after {first:?}");
        let view = lab.view().await;
        let ready = view.servers.iter().filter(|server| server.admin == ServerAdmin::Ready).count();
        assert_eq!((ready, view.has_usable_server()), (members.len(), true));
        assert!(first < Duration::from_secs(2), "{way}: {first:?}");
    }
    // Straight to ready, and checked all the same.
    lab.until_up(&members[7]).await;
}

async fn a_reload_shows_as_another_process_and_its_old_worker_is_respected(setting: Setting) {
    let slots = if setting.mode == Mode::Slots { 3 } else { 0 };
    let configuration = Configuration {
        slots,
        seeds: vec![],
        balance: "roundrobin",
        level: "admin",
        tcp: None,
        master: true,
    };
    let Some(lab) = Lab::start_with(setting, configuration).await else { return };
    let origin = Origin::start();
    let node = member(1, origin.address);
    lab.admit(&node).await;
    let before = lab.view().await;
    assert!(!before.old_workers);
    let hanging = tokio::spawn(ask(lab.front(), "/hang"));
    eventually("the request hangs", async || origin.hanging() == 1).await;

    lab.reload();
    eventually("another process answers", async || {
        // Between the two, the old one may say that it is on its way out.
        let view = lab.balancer.view(&lab.backend).await;
        view.is_ok_and(|view| view.process != before.process)
    })
    .await;
    let after = lab.view().await;
    assert!(after.old_workers, "the old worker still has a request");
    assert!(!hanging.is_finished(), "it goes on there");
    assert!(after.servers.is_empty(), "what was added at run time is lost: {:?}", after.servers);

    lab.register(&node).await;
    lab.make_ready(&node).await;
    eventually("the old worker's request shows", async || {
        // Until its master answers again, only the fear of an old worker does.
        lab.server(&node).await.is_some_and(|server| server.sessions == 1)
    })
    .await;
    let removal = lab.remove(&node, Sessions::LetEnd).await;
    assert!(matches!(&removal, Removal::Waiting { why } if why.contains("reload")), "{removal:?}");
    // Its answer never comes: the machine goes, and the request fails at last.
    drop(origin);
    assert_ne!(hanging.await.expect("no panic"), Ok(200));
    eventually("the old worker is gone", async || !lab.view().await.old_workers).await;
    lab.until_gone(&node, Sessions::LetEnd).await;
}

async fn a_dead_member_is_removed_and_the_process_survives(setting: Setting) {
    let seed = Origin::start();
    let Some(mut lab) = Lab::start(setting, 2, &[seed.address]).await else { return };
    let load = Load::start(lab.front());
    for number in 0..2 {
        let origin = Origin::start();
        let dying = member(number, origin.address);
        lab.admit(&dying).await;
        eventually("it serves", async || 20 <= origin.served()).await;
        // Requests to it are now tried again after a pause in which no counter shows them.
        drop(origin);
        lab.until_gone(&dying, Sessions::Cut).await;
    }
    let answered = load.answered();
    eventually("the rest goes on", async || answered + 100 <= load.answered()).await;
    assert!(lab.is_alive());
    drop(load);
}

async fn a_member_that_is_being_removed_can_be_taken_back(setting: Setting) {
    let Some(lab) = Lab::start(setting, 2, &[]).await else { return };
    let origin = Origin::start();
    let node = member(1, origin.address);
    lab.admit(&node).await;
    let hanging = tokio::spawn(ask(lab.front(), "/hang"));
    eventually("the request hangs", async || origin.hanging() == 1).await;
    let removal = lab.remove(&node, Sessions::LetEnd).await;
    assert!(matches!(removal, Removal::Waiting { .. }), "{removal:?}");

    lab.register(&node).await;
    lab.make_ready(&node).await;
    assert_eq!(ask(lab.front(), "/work").await, Ok(200));
    hanging.abort();
}

async fn a_busy_member_can_be_cut_off_in_the_middle_of_its_work(setting: Setting) {
    let seed = Origin::start();
    let Some(mut lab) = Lab::start(setting, 2, &[seed.address]).await else { return };
    let origin = Origin::start();
    let busy = member(1, origin.address);
    lab.admit(&busy).await;
    let load = Load::start(lab.front());
    eventually("it serves", async || 50 <= origin.served()).await;
    lab.until_gone(&busy, Sessions::Cut).await;
    assert_eq!(lab.server(&busy).await, None);
    let mut answered = load.answered();
    eventually("what it was at has ended", async || answered + 50 <= load.answered()).await;
    let served = origin.served();
    answered = load.answered();
    eventually("the rest goes on", async || answered + 100 <= load.answered()).await;
    assert_eq!(origin.served(), served, "it gets no more requests");
    assert!(lab.is_alive());
    drop(load);
}

async fn a_registration_that_was_cut_short_is_finished(setting: Setting) {
    let Some(lab) = Lab::start(setting, 2, &[]).await else { return };
    let origin = Origin::start();
    let node = member(1, origin.address);
    let (ip, port) = (node.address.ip(), node.address.port());
    match setting.mode {
        Mode::Slots => lab.command(&format!("set server app/slot2 addr {ip} port {port}")).await,
        Mode::Auto | Mode::Dynamic => {
            lab.command(&format!("add server app/{} {ip}:{port} check inter 300ms", node.server))
                .await
        }
    };
    eventually("half of it is done", async || lab.server(&node).await.is_some()).await;
    assert_eq!(lab.server(&node).await.map(|s| s.admin), Some(ServerAdmin::Maintenance));

    // To make it ready now would send requests to a machine that nobody has looked at.
    let ready = lab.balancer.make_ready(&lab.backend, &node).await;
    assert!(matches!(ready, Err(Fault::Transient { .. })), "{ready:?}");
    assert_eq!(lab.server(&node).await.map(|s| s.admin), Some(ServerAdmin::Drain));
    lab.admit(&node).await;
    assert_eq!(lab.view().await.servers.len(), 1, "no second place was taken");
}

async fn it_counts_what_came_what_waits_and_what_is_here(setting: Setting) {
    let configuration = Configuration { master: true, ..configuration(setting) };
    let Some(lab) = Lab::start_with(setting, configuration).await else { return };
    let origin = Origin::start();
    let node = member(1, origin.address);
    let one_at_once = RegisterOptions { max_connections: Some(1), ..options() };
    lab.balancer.register(&lab.backend, &node, &one_at_once).await.expect("it is free");
    lab.until_up(&node).await;
    lab.make_ready(&node).await;
    let counted = BackendCounts { requests: 0, sessions: 0, queued: 0, is_whole: true };
    assert_eq!(lab.view().await.counts, counted, "checks are no requests");

    // Half of these clients keep their connections: requests are counted, not connections.
    let load = Load::start(lab.front());
    eventually("it serves", async || 100 <= load.answered()).await;
    let answered = load.answered();
    assert!(answered <= lab.view().await.counts.requests);
    assert_eq!(load.finish().await, BTreeMap::new(), "failed requests");
    let idle = lab.view().await.counts;
    assert_eq!((idle.sessions, idle.queued), (0, 0));
    assert_eq!(idle.requests, origin.served());

    let waiting: Vec<_> = (0..3).map(|_| tokio::spawn(ask(lab.front(), "/hang"))).collect();
    let requests = idle.requests + 3;
    let expected = BackendCounts { requests, sessions: 3, queued: 2, is_whole: true };
    eventually("one hangs and two wait", async || lab.view().await.counts == expected).await;
    let before = lab.view().await;

    lab.reload();
    eventually("another process has counted nothing yet", async || {
        let view = lab.balancer.view(&lab.backend).await;
        view.is_ok_and(|view| view.process != before.process && view.counts.requests == 0)
    })
    .await;
    eventually("the old worker's requests are here all the same", async || {
        // Those that wait give up after five seconds; the one that hangs stays.
        let counts = lab.view().await.counts;
        counts.is_whole && 1 <= counts.sessions
    })
    .await;
    drop(origin);
    for request in waiting {
        assert_ne!(request.await.expect("no panic"), Ok(200));
    }
}

/// The system's own version in the mode that is to be had without any template slot.
const OLDEST: Setting = Setting { release: "2.6", mode: Mode::Auto };

fn configuration(setting: Setting) -> Configuration {
    Configuration {
        slots: if setting.mode == Mode::Slots { 1 } else { 0 },
        seeds: vec![],
        balance: "roundrobin",
        level: "admin",
        tcp: None,
        master: false,
    }
}

#[tokio::test]
async fn all_versions_of_the_matrix_are_here_if_they_are_required() {
    for release in ["2.6", "3.0", "3.2"] {
        // Fails with what to do when WINDLASS_REQUIRE_HAPROXY is set; says it loudly otherwise.
        let _ = Setting { release, mode: Mode::Auto }.program();
    }
}

#[tokio::test]
async fn a_socket_of_a_lower_level_is_denied_with_the_line_to_write() {
    for level in ["user", "operator"] {
        let low = Configuration { level, ..configuration(OLDEST) };
        let Some(lab) = Lab::start_with(OLDEST, low).await else { return };
        let fault = lab.balancer.view(&lab.backend).await.expect_err(level);
        let Fault::Denied { message } = &fault else { panic!("{fault:?}") };
        assert!(message.contains(&format!("level `{level}`")), "{message}");
        assert!(message.contains("`stats socket … level admin`"), "{message}");
    }
}

#[tokio::test]
async fn a_socket_that_is_absent_or_dead_may_work_later() {
    let Some(lab) = Lab::start(OLDEST, 0, &[]).await else { return };
    let absent = lab.admin_socket().with_file_name("absent.sock");
    let dead = lab.admin_socket().with_file_name("dead.sock");
    drop(std::os::unix::net::UnixListener::bind(&dead).expect("a socket"));
    for path in [absent, dead] {
        let balancer = lab.balancer_at(RuntimeAddress::Unix(path));
        let fault = balancer.view(&lab.backend).await.expect_err("nobody is there");
        assert!(matches!(fault, Fault::Transient { .. }), "{fault:?}");
        assert!(fault.to_string().starts_with("balancer lb1: "), "{fault}");
    }
}

#[tokio::test]
async fn a_balancer_that_hangs_is_given_up_in_seconds() {
    let Some(lab) = Lab::start(OLDEST, 0, &[]).await else { return };
    let path = lab.admin_socket().with_file_name("mute.sock");
    let _mute = std::os::unix::net::UnixListener::bind(&path).expect("a socket");
    let balancer = lab.balancer_at(RuntimeAddress::Unix(path));
    let begun = Instant::now();
    let fault = balancer.view(&lab.backend).await.expect_err("it says nothing");
    assert!(matches!(fault, Fault::Transient { .. }), "{fault:?}");
    assert!(begun.elapsed() < Duration::from_secs(4));
}

#[tokio::test]
async fn tcp_serves_as_well() {
    let free = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = free.local_addr().expect("it is bound").port();
    drop(free);
    let tcp = Configuration { tcp: Some(port), ..configuration(OLDEST) };
    let Some(lab) = Lab::start_with(OLDEST, tcp).await else { return };
    let address = format!("tcp:127.0.0.1:{port}").parse().expect("an address");
    let balancer = lab.balancer_at(address);
    let origin = Origin::start();
    let node = member(1, origin.address);
    balancer.register(&lab.backend, &node, &options()).await.expect("it registers");
    let view = balancer.view(&lab.backend).await.expect("a view");
    assert_eq!(view.server_at(node.address).map(|s| s.name.clone()), Some(node.server));
}

#[tokio::test]
async fn when_no_slot_is_left_the_fault_says_what_to_write() {
    let setting = Setting { mode: Mode::Slots, ..OLDEST };
    let Some(lab) = Lab::start_with(setting, configuration(setting)).await else { return };
    let (first, second) = (Origin::start(), Origin::start());
    lab.register(&member(1, first.address)).await;
    assert_eq!(lab.view().await.free_slots, Some(0));
    let fault = lab.balancer.register(&lab.backend, &member(2, second.address), &options()).await;
    let Err(Fault::Denied { message }) = &fault else { panic!("{fault:?}") };
    assert!(
        message.contains("no free slot") && message.contains("server-template slot"),
        "{message}"
    );
}

#[tokio::test]
async fn auto_takes_slots_on_an_unsound_version_and_dynamic_servers_where_there_are_none() {
    for (release, slots, name) in [
        ("2.6", 2, "slot1"),
        ("2.6", 0, "as-lab-000000000001"),
        ("3.0", 2, "as-lab-000000000001"),
        ("3.2", 0, "as-lab-000000000001"),
    ] {
        let setting = Setting { release, mode: Mode::Auto };
        let configuration = Configuration { slots, ..configuration(setting) };
        let Some(lab) = Lab::start_with(setting, configuration).await else { continue };
        let origin = Origin::start();
        let node = member(1, origin.address);
        lab.register(&node).await;
        let server = lab.server(&node).await.expect("it is there");
        assert_eq!(server.name.as_str(), name, "{release} with {slots} slots");
    }
}

#[tokio::test]
async fn what_the_configuration_lacks_is_denied_with_a_remedy() {
    let member = |number| member(number, Booting::new().address);
    let Some(lab) = Lab::start(OLDEST, 0, &[]).await else { return };
    let nowhere = "nowhere".parse().expect("a name");
    let fault = lab.balancer.view(&nowhere).await.expect_err("no such backend");
    assert!(
        matches!(&fault, Fault::Denied { message } if message.contains("`nowhere`")),
        "{fault}"
    );
    for (mode, balance, what) in [
        (Mode::Slots, "roundrobin", "no template slots"),
        (Mode::Dynamic, "static-rr", "`balance static-rr`"),
        (Mode::Dynamic, "source", "hash-type consistent"),
    ] {
        let setting = Setting { mode, ..OLDEST };
        let configuration = Configuration { balance, slots: 0, ..configuration(setting) };
        let Some(lab) = Lab::start_with(setting, configuration).await else { return };
        let fault = lab.balancer.register(&lab.backend, &member(1), &options()).await;
        let Err(Fault::Denied { message }) = &fault else { panic!("{fault:?}") };
        assert!(message.contains(what), "{message}");
    }
}

#[tokio::test]
async fn a_server_of_our_name_at_another_address_is_reported_and_left_alone() {
    let Some(lab) = Lab::start(OLDEST, 0, &[]).await else { return };
    let (old, new) = (Origin::start(), Origin::start());
    let stale = member(1, old.address);
    lab.admit(&stale).await;
    let moved = member(1, new.address);
    for fault in [
        lab.balancer.register(&lab.backend, &moved, &options()).await,
        lab.balancer.make_ready(&lab.backend, &moved).await,
    ] {
        assert!(matches!(fault, Err(Fault::Permanent { .. })), "{fault:?}");
    }
    let server = lab.server(&stale).await.expect("it is still there");
    assert_eq!(server.admin, ServerAdmin::Ready);
    let other_name = member(2, old.address);
    let fault = lab.balancer.register(&lab.backend, &other_name, &options()).await;
    assert!(matches!(fault, Err(Fault::Transient { .. })), "its address is taken: {fault:?}");
}

#[tokio::test]
async fn a_server_number_that_is_taken_is_no_obstacle() {
    let Some(lab) = Lab::start(OLDEST, 0, &[]).await else { return };
    let origin = Origin::start();
    let node = member(1, origin.address);
    lab.register(&node).await;
    let rows = lab.command("show servers state app").await;
    let row = rows.lines().find(|row| row.contains(node.server.as_str())).expect("its row");
    let number = row.split(' ').nth(2).expect("its number").to_owned();
    lab.until_gone(&node, Sessions::LetEnd).await;
    let reply = lab.command(&format!("add server app/other 127.0.0.1:9 id {number}")).await;
    assert!(reply.contains("New server registered."), "{reply}");

    lab.register(&node).await;
    lab.until_gone(&node, Sessions::LetEnd).await;
    let nodes = [node.clone()];
    lab.balancer.restore(&lab.backend, &nodes, &options()).await.expect("by another number");
    assert_eq!(lab.server(&node).await.map(|s| s.admin), Some(ServerAdmin::Ready));
}
