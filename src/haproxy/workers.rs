//! Workers of earlier configurations: after a reload they finish what they have, on servers that
//! the new worker may know nothing of.
//!
//! In: the master's socket, where there is one; else the setting `hard-stop-after`.
//! Out: whether such a worker is left, and what it holds.
//! Never: changes anything in them; they are on their way out.

use std::collections::BTreeMap;
use std::net::{Ipv4Addr, SocketAddrV4};

use super::address::RuntimeAddress;
use super::transport::exchange;
use crate::domain::{BackendName, Duration};

/// How workers of earlier configurations can be found out about.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct OldWorkersSettings {
    /// The master's socket (`haproxy -W -S …`): tells exactly.
    pub master: Option<RuntimeAddress>,
    /// HAProxy's own `hard-stop-after`. Without the master's socket, an old worker is feared
    /// until the present one is as old as that. With neither, none is ever feared.
    pub hard_stop_after: Option<Duration>,
}

/// What is left of earlier configurations.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct OldWorkers {
    pub(super) exist: bool,
    /// Connections in use, by the address of the server.
    pub(super) sessions: BTreeMap<SocketAddrV4, u32>,
}

/// Looks for old workers.
///
/// - `uptime_seconds`: the present worker's age.
pub(super) async fn find(
    settings: &OldWorkersSettings,
    backend: &BackendName,
    uptime_seconds: u64,
) -> OldWorkers {
    match (&settings.master, settings.hard_stop_after) {
        (Some(master), _) => ask_master(master, backend).await.unwrap_or_else(|why| {
            // Nothing is known, so that nothing may be deleted; all else goes on.
            tracing::warn!("old HAProxy workers can't be ruled out: {why}");
            OldWorkers { exist: true, ..OldWorkers::default() }
        }),
        (None, Some(hard_stop_after)) => OldWorkers {
            exist: uptime_seconds <= hard_stop_after.as_secs(),
            ..OldWorkers::default()
        },
        (None, None) => OldWorkers::default(),
    }
}

async fn ask_master(master: &RuntimeAddress, backend: &BackendName) -> Result<OldWorkers, String> {
    // The master keeps the connection open unless told to quit.
    let ask = async |line: String| {
        let failed = |error| format!("the master's socket gives no answer: {error}");
        exchange(master, &line).await.map_err(failed)
    };
    let pids = old_pids(&ask("show proc;quit".into()).await?)?;
    let mut workers = OldWorkers { exist: !pids.is_empty(), ..OldWorkers::default() };
    for pid in pids {
        let rows = ask(format!("@!{pid} show servers conn {backend};quit")).await?;
        for (address, used) in used_connections(&rows) {
            let sum = workers.sessions.entry(address).or_default();
            *sum = sum.saturating_add(used);
        }
    }
    Ok(workers)
}

/// The process numbers below `# old workers` in the answer to `show proc`.
fn old_pids(text: &str) -> Result<Vec<u32>, String> {
    if !text.lines().any(|line| line.trim() == "# workers") {
        return Err("the master's socket does not answer `show proc` as a master does".into());
    }
    Ok(text
        .lines()
        .map(str::trim)
        .skip_while(|line| *line != "# old workers")
        .skip(1)
        .take_while(|line| !line.starts_with('#'))
        .filter_map(|line| line.split_whitespace().next()?.parse().ok())
        .collect())
}

/// Connections in use, from an answer to `show servers conn`. An old worker that has gone
/// meanwhile, or never had the backend, holds none.
fn used_connections(text: &str) -> Vec<(SocketAddrV4, u32)> {
    let mut lines = text.lines().map(str::trim).skip_while(|line| !line.starts_with("# bkname"));
    let header: Vec<&str> =
        lines.next().unwrap_or_default().trim_start_matches("# ").split(' ').collect();
    let rows = lines.filter_map(|line| {
        let values: Vec<&str> = line.split(' ').collect();
        let value = |column: &str| {
            let position = header.iter().position(|name| *name == column)?;
            values.get(position).copied()
        };
        let ip: Ipv4Addr = value("addr")?.parse().ok()?;
        let address = SocketAddrV4::new(ip, value("port")?.parse().ok()?);
        Some((address, value("used_cur")?.parse().ok()?))
    });
    rows.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const PROCESSES: &str = "\
#<PID>          <type>          <reloads>       <uptime>        <version>
1162            master          2 [failed: 0]   0d00h02m07s     2.6.12
# workers
1271            worker          0               0d00h00m00s     2.6.12
# old workers
1233            worker          1               0d00h00m43s     2.6.12
1240            worker          2               0d00h01m43s     2.6.12
# programs

";

    #[test]
    fn the_master_tells_old_workers_from_the_present_one() {
        assert_eq!(old_pids(PROCESSES), Ok(vec![1233, 1240]));
        let none = PROCESSES.replace("# old workers", "# programs");
        assert_eq!(old_pids(&none), Ok(vec![]));
        assert!(old_pids("Unknown command: 'show proc'").is_err());
    }

    #[test]
    fn connections_in_use_are_read_by_column_name() {
        let text = "# bkname/svname bkid/svid addr port - purge_delay served used_cur used_max\n\
                    be/as-1001 3/1001 127.0.0.1 8450 - 5000 7 2 2\n\
                    be/seed 3/1 - 0 - 5000 7 2 2\n\n";
        assert_eq!(used_connections(text), [("127.0.0.1:8450".parse().expect("address"), 2)]);
        assert_eq!(used_connections("Can't find backend.\n"), []);
    }

    #[tokio::test]
    async fn without_a_master_a_young_process_is_feared_to_have_a_predecessor() {
        let backend = BackendName::new("be").expect("a name");
        let settings = |seconds: Option<u64>| OldWorkersSettings {
            master: None,
            hard_stop_after: seconds.map(Duration::from_secs),
        };
        for (hard_stop_after, uptime, expected) in [
            (Some(300), 0, true),
            (Some(300), 300, true),
            (Some(300), 301, false),
            (None, 0, false),
        ] {
            let workers = find(&settings(hard_stop_after), &backend, uptime).await;
            assert_eq!(workers.exist, expected, "{hard_stop_after:?} {uptime}");
        }
    }

    proptest::proptest! {
        #[test]
        fn no_answer_makes_the_readers_panic(noise in "(?s).{0,200}", at in 0..400_usize) {
            let _ = used_connections(&noise);
            if let Some((before, after)) = PROCESSES.split_at_checked(at) {
                let _ = old_pids(&format!("{before}{noise}{after}"));
            }
        }
    }
}
