//! Workers of earlier configurations: after a reload they finish what they have, on servers that
//! the new worker may know nothing of.
//!
//! In: the master's socket, where there is one; else the setting `hard-stop-after`.
//! Out: whether such a worker is left, and what it holds.
//! Never: changes anything in them; they are on their way out.

use std::collections::BTreeMap;
use std::net::SocketAddrV4;

use super::address::RuntimeAddress;
use super::statistics::Statistics;
use super::transport::exchange;
use crate::domain::{BackendName, Duration};

/// How workers of earlier configurations can be found out about.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct OldWorkersSettings {
    /// The master's socket (`haproxy -W -S …`): tells exactly.
    pub master: Option<RuntimeAddress>,
    /// HAProxy's own `hard-stop-after`. Without the master's socket, an old worker is feared
    /// until the present one is as old as that, after a plain restart as well: for so long no
    /// member leaves before its drain's deadline. With neither, none is ever feared.
    pub hard_stop_after: Option<Duration>,
}

/// What is left of earlier configurations.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum OldWorkers {
    /// No such worker.
    None,
    /// There are some; these requests are under way or queued there, by the address of the
    /// server.
    Holding(BTreeMap<SocketAddrV4, u32>),
    /// There may be some, and what they hold can't be known.
    Unknown,
}

impl OldWorkers {
    /// Whether there is one, or could be.
    pub(super) fn may_exist(&self) -> bool {
        match self {
            Self::None => false,
            Self::Holding(_) | Self::Unknown => true,
        }
    }

    /// All requests that they are known to hold.
    pub(super) fn sessions(&self) -> u32 {
        match self {
            Self::None | Self::Unknown => 0,
            Self::Holding(sessions) => {
                sessions.values().fold(0, |sum, one| sum.saturating_add(*one))
            }
        }
    }

    /// The requests that they are known to hold at a server.
    pub(super) fn sessions_at(&self, address: SocketAddrV4) -> u32 {
        match self {
            Self::None | Self::Unknown => 0,
            Self::Holding(sessions) => sessions.get(&address).copied().unwrap_or(0),
        }
    }
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
            // For a moment after each reload nobody answers there. Then nothing may be deleted,
            // and all else goes on.
            tracing::debug!("old HAProxy workers can't be ruled out: {why}");
            OldWorkers::Unknown
        }),
        (None, Some(hard_stop_after)) if uptime_seconds <= hard_stop_after.as_secs() => {
            OldWorkers::Unknown
        }
        (None, _) => OldWorkers::None,
    }
}

async fn ask_master(master: &RuntimeAddress, backend: &BackendName) -> Result<OldWorkers, String> {
    // The master keeps the connection open unless told to quit.
    let ask = async |line: String| {
        let failed = |error| format!("the master's socket gives no answer: {error}");
        exchange(master, &line).await.map_err(failed)
    };
    let pids = old_pids(&ask("show proc;quit".into()).await?)?;
    if pids.is_empty() {
        return Ok(OldWorkers::None);
    }
    let mut sessions = BTreeMap::<_, u32>::new();
    for pid in pids {
        let rows = ask(format!("@!{pid} show stat {backend} 4 -1;quit")).await?;
        // One that has gone meanwhile, or never had the backend, holds nothing.
        for (address, held) in Statistics::parse(&rows).unwrap_or_default().sessions_by_address() {
            let sum = sessions.entry(address).or_default();
            *sum = sum.saturating_add(held);
        }
    }
    Ok(OldWorkers::Holding(sessions))
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
            assert_eq!(workers.may_exist(), expected, "{hard_stop_after:?} {uptime}");
        }
    }

    proptest::proptest! {
        #[test]
        fn no_answer_makes_the_reader_panic(noise in "(?s).{0,200}", at in 0..400_usize) {
            if let Some((before, after)) = PROCESSES.split_at_checked(at) {
                let _ = old_pids(&format!("{before}{noise}{after}"));
            }
        }
    }
}
