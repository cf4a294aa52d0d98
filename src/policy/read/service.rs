//! `configure`, `join`, `leave`: a node from bare to serving and out again; `orphans`: what
//! becomes of machines that are no node.

use std::collections::BTreeMap;

use super::super::fields::{self, Fields, Notes, Value, refuse};
use super::super::settings::{Configure, HealthCheck, Join, Leave, OrphanEnd, Orphans};
use crate::domain::{BackendName, Duration};

const SECOND: Duration = Duration::from_secs(1);
const TWO_MINUTES: Duration = Duration::from_secs(120);
const HOUR: Duration = Duration::from_secs(3600);

/// Set for every host by the configurator itself.
const OWN_VARIABLES: [&str; 3] = ["windlass_pool", "windlass_label", "vlan_ip"];

pub(super) fn configure(value: Value<'_>, notes: &mut Notes) -> Option<Configure> {
    let mut fields = Fields::of(value, notes)?;
    let playbook = fields.required("playbook", "node.yml", notes, fields::path);
    // Eight minutes: package mirrors have slow days.
    let timeout =
        fields.or("timeout", Duration::from_secs(480), notes, fields::duration_from(SECOND));
    let batch = fields.or("batch", 10, notes, fields::whole(1, 1000));
    let variables = fields.or("variables", BTreeMap::new(), notes, variables);
    fields.finish(notes);
    Some(Configure { playbook: playbook?, timeout: timeout?, batch: batch?, variables: variables? })
}

fn variables(value: Value<'_>, notes: &mut Notes) -> Option<BTreeMap<String, String>> {
    let variables = fields::entries(value, notes, |key, value, notes| {
        let name = key.name.as_str();
        let letters = name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
        let value = fields::scalar(value, notes);
        if !letters || !name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_') {
            let shown: String = name.chars().take(60).collect();
            let what = format!("`{shown}` is no name of an Ansible variable");
            return refuse(notes, key.at, what, "use letters, digits and `_`, no digit first");
        }
        if OWN_VARIABLES.contains(&name) {
            let what = format!("`{name}` is set for every node by Windlass itself");
            return refuse(notes, key.at, what, "choose another name");
        }
        Some((name.to_owned(), value?))
    })?;
    Some(variables.into_iter().collect())
}

pub(super) fn join(value: Value<'_>, notes: &mut Notes) -> Option<Join> {
    let mut fields = Fields::of(value, notes)?;
    let backend = fields.required(
        "backend",
        "notifications",
        notes,
        fields::parsed::<BackendName>("write the backend's name from haproxy.cfg"),
    );
    let port = fields.or("port", 8080, notes, port);
    let check = fields.section("check", notes, check);
    let max_connections = fields.optional("max_connections", notes, fields::whole(1, u32::MAX));
    let slow_start = fields.or("slow_start", 20 * SECOND, notes, fields::duration);
    let timeout = fields.or("timeout", TWO_MINUTES, notes, fields::duration_from(SECOND));
    let timeout_at = fields.place("timeout");
    fields.finish(notes);

    let (check, timeout) = (check?, timeout?);
    let soonest = check.interval * check.rise;
    if timeout <= soonest {
        let what = format!(
            "`timeout` is {}, but {} checks every {} take {}",
            fields::written_out(timeout),
            check.rise,
            fields::written_out(check.interval),
            fields::written_out(soonest),
        );
        let help = "raise it, or no node could ever join";
        return refuse(notes, timeout_at, what, help);
    }
    Some(Join {
        backend: backend?,
        port: port?,
        check,
        max_connections: max_connections?,
        slow_start: slow_start?,
        timeout,
    })
}

/// A TCP port.
pub(super) fn port(value: Value<'_>, notes: &mut Notes) -> Option<u16> {
    let port = fields::whole(1, u16::MAX.into())(value, notes)?;
    Some(u16::try_from(port).expect("checked against the largest port"))
}

fn check(mut fields: Fields<'_>, notes: &mut Notes) -> Option<HealthCheck> {
    fields.refused(
        "path",
        "`path` has its place in HAProxy's own configuration of the backend".into(),
        "delete it here, and write there `option httpchk GET /healthz`",
    );
    let interval =
        fields.or("interval", SECOND, notes, fields::duration_from(Duration::from_millis(100)));
    let rise = fields.or("rise", 2, notes, fields::whole(1, 100));
    let fall = fields.or("fall", 2, notes, |value, notes| {
        let fall = fields::whole(1, 100)(value, notes)?;
        if 2 <= fall {
            return Some(fall);
        }
        let what = "`fall` is 1, and then a stale check can't be told from a fresh one";
        refuse(notes, value.node.at, what, "write 2 or more")
    });
    fields.finish(notes);
    Some(HealthCheck { interval: interval?, rise: rise?, fall: fall? })
}

pub(super) fn leave(mut fields: Fields<'_>, notes: &mut Notes) -> Option<Leave> {
    let drain_timeout = fields.or("drain_timeout", TWO_MINUTES, notes, fields::duration);
    fields.finish(notes);
    Some(Leave { drain_timeout: drain_timeout? })
}

/// The words for [`OrphanEnd`].
const ORPHAN_END: &[(&str, OrphanEnd)] =
    &[("report", OrphanEnd::Report), ("delete", OrphanEnd::Delete)];

/// What is deleted is gone, and only the operator knows whether another daemon with a database of
/// its own makes machines for a pool of the same name: until told otherwise, they are reported.
pub(super) fn orphans(mut fields: Fields<'_>, notes: &mut Notes) -> Option<Orphans> {
    let keep_for =
        fields.or("keep_for", HOUR, notes, fields::duration_from(Duration::from_secs(300)));
    let then = fields.or("then", OrphanEnd::Report, notes, fields::word(ORPHAN_END));
    fields.finish(notes);
    Some(Orphans { keep_for: keep_for?, then: then? })
}
