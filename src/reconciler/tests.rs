//! What balancers show of a node, by name and by address. The loop as a whole is rehearsed in
//! the simulator.

use std::net::{Ipv4Addr, SocketAddrV4};

use super::facts::{Wanted, server_fact};
use crate::domain::{
    BackendCounts, BackendView, BalancerProcess, InstanceLabel, Server, ServerAdmin, ServerHealth,
    ServerName,
};
use crate::planner::ServerFact;
use crate::ports::Fault;

const ADDRESS: SocketAddrV4 = SocketAddrV4::new(Ipv4Addr::new(10, 10, 0, 20), 8080);

fn label(text: &str) -> InstanceLabel {
    InstanceLabel::new(text).expect("a legal label")
}

fn server(name: &str, address: SocketAddrV4, is_ours: bool) -> Server {
    Server {
        name: ServerName::new(name).expect("a legal name"),
        address,
        is_ours,
        admin: ServerAdmin::Ready,
        health: ServerHealth::Up,
        sessions: 0,
        queued: 0,
    }
}

fn view(servers: Vec<Server>) -> BackendView {
    BackendView {
        process: BalancerProcess { pid: 1, started_at_seconds: 0 },
        version: "3.0.6".into(),
        servers,
        counts: BackendCounts::default(),
        free_slots: None,
        old_workers: false,
    }
}

/// Whether a node `web-0123456789ab` at the address has the one server of this view.
fn has(server: Server, owns_address: bool) -> bool {
    let name = ServerName::of(&label("web-0123456789ab"));
    let wanted = Wanted { name, address: ADDRESS, owns_address };
    matches!(server_fact(&Ok(view(vec![server])), &wanted), ServerFact::Present { .. })
}

#[test]
fn a_server_is_a_nodes_by_its_name_or_a_slot_at_its_address() {
    let elsewhere = SocketAddrV4::new(Ipv4Addr::new(10, 10, 0, 21), 8080);
    let other_port = SocketAddrV4::new(*ADDRESS.ip(), 9090);
    for (found, living, over, because) in [
        (server("as-web-0123456789ab", ADDRESS, true), true, true, "its own"),
        (server("as-web-ba9876543210", ADDRESS, true), false, false, "left by another node"),
        (server("slot7", ADDRESS, true), true, false, "whoever lives at the address has the slot"),
        (server("slot7", elsewhere, true), false, false, "another address"),
        (server("slot7", other_port, true), false, false, "another port"),
        (server("static1", ADDRESS, false), false, false, "not ours to touch"),
    ] {
        assert_eq!(has(found.clone(), true), living, "{because}");
        assert_eq!(has(found, false), over, "a node that is over: {because}");
    }
}

#[test]
fn a_balancer_that_does_not_answer_says_nothing_of_a_node() {
    let name = ServerName::of(&label("web-0123456789ab"));
    let wanted = Wanted { name, address: ADDRESS, owns_address: true };
    let fact = server_fact(&Err(Fault::transient("connection refused")), &wanted);
    assert_eq!(fact, ServerFact::Unreachable { why: "connection refused".into() });
}

#[test]
fn a_backend_without_any_usable_server_is_told_from_one_that_only_lacks_the_node() {
    let name = ServerName::of(&label("web-0123456789ab"));
    let wanted = Wanted { name, address: ADDRESS, owns_address: true };
    let elsewhere = SocketAddrV4::new(Ipv4Addr::new(10, 10, 0, 21), 8080);
    let drained = Server { admin: ServerAdmin::Drain, ..server("slot1", elsewhere, true) };
    for (servers, usable) in
        [(vec![], false), (vec![drained], false), (vec![server("static1", elsewhere, false)], true)]
    {
        let fact = server_fact(&Ok(view(servers)), &wanted);
        assert_eq!(fact, ServerFact::Absent { backend_usable: usable, old_workers: false });
    }
}
