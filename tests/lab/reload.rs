//! Balancers that can be reloaded: a master with workers, and files that bring its servers along.
//!
//! In: how members get into a backend.
//! Out: a world whose balancers are reloaded as `deploy/ansible/roles/haproxy` does it, by its very
//! program.
//! Never: tells the daemon that a reload comes.

use std::fs;
use std::path::Path;

use crate::haproxy::process;
use crate::lab::{BALANCERS, HERE, Lab, replace_file};
use crate::process::output;
use crate::wait::wait_for;

/// How members get into a backend.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// They fill template slots.
    Slots,
    /// They are added as servers.
    Dynamic,
}

impl Lab {
    /// Makes both balancers ready for reloads, before they start. The first one is of the newest
    /// version that is here, the other one is the system's.
    pub fn make_reloadable(&mut self, modes: [Mode; 2]) {
        for (balancer, mode) in BALANCERS.into_iter().zip(modes) {
            let text =
                fs::read_to_string(format!("{HERE}/{balancer}.cfg")).expect("setup wrote it");
            let (head, backend) = text.split_at(text.find("\nbackend ").expect("it has a backend"));
            let sockets = format!(
                "global\n  stats socket {HERE}/{balancer}.sock mode 600 level admin expose-fd listeners\n  \
                 hard-stop-after 20s\n  server-state-file {HERE}/{balancer}.state\n"
            );
            let head = head.replacen("global\n", &sockets, 1);
            let head =
                head.replacen("defaults\n", "defaults\n  load-server-state-from-file global\n", 1);
            let slots = "server-template slot 20 127.0.0.1:1 disabled";
            let of_mode = match mode {
                Mode::Slots => {
                    "server-template slot 20 localhost:1 init-addr last,127.0.0.1 disabled"
                }
                Mode::Dynamic => "",
            };
            assert!(backend.contains(slots), "the backend has other slots: {backend}");
            replace_file(&format!("{balancer}.cfg"), &head);
            replace_file(&format!("{balancer}.head"), &backend.replace(slots, of_mode));
            self.keep_servers(balancer);
            let command = [
                program(balancer),
                "-W".into(),
                "-db".into(),
                "-S".into(),
                format!("{HERE}/{balancer}.master"),
                "-f".into(),
                format!("{HERE}/{balancer}.cfg"),
                "-f".into(),
                format!("{HERE}/{balancer}.servers.cfg"),
            ];
            self.balancer_runs(balancer, command.into());
        }
        self.tell_the_daemon_of_reloads(modes);
    }

    fn tell_the_daemon_of_reloads(&self, modes: [Mode; 2]) {
        let mut text = fs::read_to_string(format!("{HERE}/windlass.yaml")).expect("setup wrote it");
        for (balancer, mode) in BALANCERS.into_iter().zip(modes) {
            let mode = match mode {
                Mode::Slots => "slots",
                Mode::Dynamic => "dynamic",
            };
            let name = format!("{{name: {balancer}, ");
            assert!(text.contains(&name), "{balancer} stands there otherwise: {text}");
            let more = format!(
                "{name}mode: {mode}, master: 'unix:{HERE}/{balancer}.master', hard_stop_after: 20s, "
            );
            text = text.replace(&name, &more);
        }
        replace_file("windlass.yaml", &text);
    }

    /// Reloads a balancer as its unit does: servers are written down, then a new worker reads them.
    pub fn reload(&self, balancer: &'static str) {
        let before = process(balancer).expect("it runs");
        self.keep_servers(balancer);
        let master = self.pid(balancer).to_string();
        output(None, &["kill", "-USR2", &master]).expect("the master runs");
        wait_for(&format!("{balancer} has a new worker"), 20, || {
            let now = process(balancer)?;
            if now == before { Err(format!("still {now}")) } else { Ok(()) }
        });
    }

    fn keep_servers(&self, balancer: &str) {
        let keep = Path::new(env!("CARGO_MANIFEST_DIR"))
            .join("deploy/ansible/roles/haproxy/files/haproxy-keep-servers");
        let file = |end: &str| format!("{HERE}/{balancer}.{end}");
        let keep = keep.to_string_lossy();
        let (socket, state) = (file("sock"), file("state"));
        let (head, include) = (file("head"), file("servers.cfg"));
        output(None, &["python3", &keep, &socket, &state, &head, &include])
            .unwrap_or_else(|error| panic!("{error}"));
    }
}

/// The HAProxy that a balancer runs.
fn program(balancer: &str) -> String {
    let newest = Path::new(env!("CARGO_MANIFEST_DIR")).join("target/haproxy/3.2/haproxy");
    if balancer == "lb2" {
        return "haproxy".into();
    }
    if newest.exists() {
        return newest.to_string_lossy().into_owned();
    }
    eprintln!("NOT TESTED: HAProxy 3.2 is not in target/haproxy; run tests/tools/fetch-haproxy");
    "haproxy".into()
}
