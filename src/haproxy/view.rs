//! A snapshot told in the words of the domain.
//!
//! In: the rows and figures of one backend.
//! Out: its servers, ours first, free slots only counted.
//! Never: asks HAProxy anything.

use super::client::Snapshot;
use super::state::{CheckStatus, Kind, ServerRow};
use super::statistics::{Figures, Statistics};
use super::workers::OldWorkers;
use crate::domain::{BackendCounts, Server, ServerAdmin, ServerHealth, ServerName};

/// The servers of a snapshot, ours first; those without an IPv4 address are left out (they can
/// only be somebody else's).
///
/// - `old_workers`: what they still hold is added to a server's sessions.
pub(super) fn servers(
    snapshot: &Snapshot,
    slot_prefix: &str,
    old_workers: &OldWorkers,
) -> Vec<Server> {
    let unknown = Figures::default();
    let mut servers: Vec<Server> = snapshot
        .servers
        .iter()
        .filter_map(|row| {
            let is_ours = match row.kind(slot_prefix) {
                Kind::Dynamic | Kind::Slot => true,
                Kind::Foreign => false,
                Kind::FreeSlot => return None,
            };
            let address = row.address?;
            let figures = snapshot.statistics.of(&row.name).unwrap_or(&unknown);
            Some(Server {
                name: ServerName::new(row.name.as_str()).ok()?,
                address,
                is_ours,
                admin: row.admin(),
                health: health(row, figures),
                sessions: figures.sessions.saturating_add(old_workers.sessions_at(address)),
                queued: figures.queued,
            })
        })
        .collect();
    servers.sort_by_key(|server| !server.is_ours);
    servers
}

/// What the backend as a whole has counted, with what old workers hold.
///
/// The requests that an old worker still gets are not counted: it asks its clients to connect
/// anew, so that they are few and soon none.
pub(super) fn counts(statistics: &Statistics, old_workers: &OldWorkers) -> BackendCounts {
    BackendCounts {
        requests: statistics.requests,
        sessions: statistics.sessions.saturating_add(old_workers.sessions()),
        queued: statistics.queued(),
        is_whole: *old_workers != OldWorkers::Unknown,
    }
}

/// How many slots hold no node.
pub(super) fn free_slots(snapshot: &Snapshot, slot_prefix: &str) -> u32 {
    let is_free = |row: &&ServerRow| row.kind(slot_prefix) == Kind::FreeSlot;
    u32::try_from(snapshot.servers.iter().filter(is_free).count()).unwrap_or(u32::MAX)
}

/// What the check says. `Up` needs a full count of passes: leaving maintenance sets the count
/// below that and keeps the last result, which for a reused slot is its previous node's.
fn health(row: &ServerRow, figures: &Figures) -> ServerHealth {
    if !row.is_checked() || row.admin() == ServerAdmin::Maintenance {
        return ServerHealth::Unchecked;
    }
    let is_stopped = row.operation == 0;
    let is_full = figures.full_health.is_some_and(|full| full <= row.check_health);
    match (row.check, is_stopped) {
        (CheckStatus::Passed, false) if is_full => ServerHealth::Up,
        (CheckStatus::Passed | CheckStatus::None, false) => ServerHealth::Rising,
        // One failure of several: still served. While it is being admitted, that is no news.
        (CheckStatus::Failed, false) => ServerHealth::Rising,
        // Not up yet, and nothing speaks against it; but no request would reach it if it
        // counted, so that a server in rotation is down.
        (CheckStatus::Passed | CheckStatus::None, true) if row.admin() == ServerAdmin::Drain => {
            ServerHealth::Rising
        }
        (_, true) => ServerHealth::Down { check: figures.check.clone() },
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::haproxy::info::Info;
    use crate::haproxy::state;

    const HEADER: &str = "1\n# srv_id srv_name srv_addr srv_port srv_op_state srv_admin_state \
                          srv_time_since_last_change srv_check_status srv_check_health \
                          srv_check_state";

    /// A backend of one server with `rise 2 fall 3`, so that full health is 4.
    fn snapshot(name: &str, columns: &str, check: &str) -> Snapshot {
        let rows = format!("{HEADER}\n1 {name} 10.0.0.1 80 {columns}\n");
        let figures = format!(
            "# svname,scur,qcur,stot,check_status,check_rise,check_fall,addr,algo,\n\
             {name},3,1,9,{check},2,3,,,\n"
        );
        Snapshot {
            info: Info::parse(include_str!("recorded/2.6-info.txt")).expect("recorded"),
            servers: state::parse(&rows).expect("rows"),
            statistics: Statistics::parse(&figures).expect("figures"),
        }
    }

    fn seen(columns: &str, check: &str) -> ServerHealth {
        let snapshot = snapshot("slot1", columns, check);
        servers(&snapshot, "slot", &OldWorkers::None).remove(0).health
    }

    #[test]
    fn up_means_a_fresh_and_full_count_of_passes() {
        let down = |check: &str| ServerHealth::Down { check: check.into() };
        // operation, administration, seconds, check status, check health, check state
        for (columns, check, expected, because) in [
            ("2 8 9 15 4 6", "L7OK", ServerHealth::Up, "a full count in drain"),
            ("2 0 9 15 4 7", "* L7OK", ServerHealth::Up, "the same while a check runs"),
            ("2 12 0 15 2 6", "L7OK", ServerHealth::Rising, "a reused slot's old result"),
            ("2 8 0 1 0 6", "INI", ServerHealth::Rising, "just registered"),
            ("2 8 0 1 4 6", "INI", ServerHealth::Rising, "set up by hand, never checked"),
            ("0 8 0 15 1 6", "L7OK", ServerHealth::Rising, "one pass of two"),
            ("0 0 0 15 1 6", "L7OK", down("L7OK"), "in rotation, and not served"),
            ("2 0 9 7 3 6", "L4TOUT", ServerHealth::Rising, "one failure of three"),
            ("0 8 9 8 0 6", "L4CON", down("L4CON"), "it fails"),
            ("0 0 9 13 0 6", "L7RSP", down("L7RSP"), "it fails in rotation"),
            ("2 0 9 0 0 2", "", ServerHealth::Unchecked, "its check is off"),
            ("0 5 9 15 0 14", "", ServerHealth::Unchecked, "checks pause in maintenance"),
        ] {
            assert_eq!(seen(columns, check), expected, "{because}");
        }
    }

    #[test]
    fn what_old_workers_hold_is_added() {
        let snapshot = snapshot("as-push-1", "2 8 9 15 4 6", "L7OK");
        let address = "10.0.0.1:80".parse().expect("an address");
        let old_workers = OldWorkers::Holding([(address, 4)].into());
        let servers = servers(&snapshot, "slot", &old_workers);
        assert_eq!((servers[0].sessions, servers[0].queued), (7, 1));
        assert!(servers[0].is_ours);
        let counted = counts(&snapshot.statistics, &old_workers);
        assert_eq!((counted.sessions, counted.queued, counted.is_whole), (4, 1, true));
        assert!(!counts(&snapshot.statistics, &OldWorkers::Unknown).is_whole);
    }
}
