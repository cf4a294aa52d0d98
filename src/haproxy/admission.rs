//! Members in: registered in drain, where they are checked but get no requests, then ready.
//!
//! In: a member, and for a dynamic server all its options (it inherits none).
//! Out: a server in drain with its check on; later the same one ready.
//! Never: re-points a server that could be live, or makes one ready from maintenance: that would
//! be UP at once, before any check, dead or not.

use super::balancer::HaproxyBalancer;
use super::client::{Depth, Snapshot};
use super::info::Version;
use super::mode::Way;
use super::reply::Refusal;
use super::state::{CheckStatus, Kind, ServerRow};
use crate::domain::{BackendName, Duration, ServerAdmin, ServerName};
use crate::ports::{Fault, Member, RegisterOptions};

/// How many numbers are tried for a new server before we give up. Numbers are spread over two
/// thousand millions, so that a second try is rare already.
const NUMBERS_TRIED: u32 = 16;

impl HaproxyBalancer {
    /// Makes the member known, in drain and checked.
    pub(super) async fn admit(
        &self,
        backend: &BackendName,
        member: &Member,
        options: &RegisterOptions,
    ) -> Result<(), Fault> {
        let before = self.client.look(backend, Depth::WithAlgorithm).await?;
        let name = match self.find(&before, member) {
            Some(row) => {
                self.check_address(row, member)?;
                if is_known(row) {
                    return Ok(());
                }
                // A registration that was cut short, or a member that is taken back.
                row.name.clone()
            }
            None => match self.way(&before, backend)? {
                Way::Slots => self.take_slot(backend, &before, member, options).await?,
                Way::Dynamic | Way::DynamicWithRest => {
                    self.add_server(backend, &before, member, options).await?
                }
            },
        };
        self.start_checks(backend, &name).await?;
        let after = self.client.look_back(backend, before.info.process).await?;
        match self.find(&after, member) {
            Some(row) if row.address == Some(member.address) && is_known(row) => Ok(()),
            _ => Err(self.client.transient(format!("registering {} had no effect", member.server))),
        }
    }

    /// Adds a server, in maintenance and with its check off.
    async fn add_server(
        &self,
        backend: &BackendName,
        before: &Snapshot,
        member: &Member,
        options: &RegisterOptions,
    ) -> Result<String, Fault> {
        let mut same_address = before
            .servers
            .iter()
            .filter(|row| self.kind(row) == Kind::Dynamic && row.address == Some(member.address));
        if let Some(other) = same_address.next() {
            return Err(self.client.transient(format!(
                "{} still stands at the address of {}; it must be removed first",
                other.name, member.server
            )));
        }
        let wait_for_checks = WaitForChecks::After(before.info.version);
        for attempt in 0..NUMBERS_TRIED {
            let id = server_id(&member.server, attempt);
            let line = add_command(backend, member, options, id, wait_for_checks);
            match self.client.tell(&line).await? {
                // A taken name is ours: it came up with an answer that got lost.
                Ok(()) | Err(Refusal::NameTaken) => return Ok(member.server.to_string()),
                Err(Refusal::IdTaken) => {}
                Err(other) => return Err(self.client.refused(other, backend)),
            }
        }
        Err(self.client.refused(Refusal::IdTaken, backend))
    }

    /// Points a free slot at the member; the slot stays in maintenance.
    async fn take_slot(
        &self,
        backend: &BackendName,
        before: &Snapshot,
        member: &Member,
        options: &RegisterOptions,
    ) -> Result<String, Fault> {
        let mut free = before.servers.iter().filter(|row| self.kind(row) == Kind::FreeSlot);
        let slot = free
            .next()
            .ok_or_else(|| self.no_free_slot(backend, "has no free slot left for another node"))?;
        let address = Some(member.address);
        self.client.must(&point_slot_command(backend, &slot.name, member), backend).await?;
        if let Some(limit) = options.max_connections {
            let line = format!("set maxconn server {backend}/{} {limit}", slot.name);
            self.client.must(&line, backend).await?;
        }
        // It leaves maintenance only when it surely points at the member.
        let points_there =
            |after: &Snapshot| after.named(&slot.name).and_then(|row| row.address) == address;
        let process = before.info.process;
        let after = self.client.look_back_until(backend, process, points_there).await?;
        if !points_there(&after) {
            return Err(self.client.transient(format!("{} did not take its address", slot.name)));
        }
        Ok(slot.name.clone())
    }

    /// From maintenance to drain, with the check on.
    async fn start_checks(&self, backend: &BackendName, name: &str) -> Result<(), Fault> {
        let line =
            format!("set server {backend}/{name} state drain;enable health {backend}/{name}");
        match self.client.tell(&line).await? {
            // Slots without a check are the operator's choice; only the view tells.
            Ok(()) | Err(Refusal::NoCheck) => Ok(()),
            Err(other) => Err(self.client.refused(other, backend)),
        }
    }

    /// From drain to ready. A server whose check fails stays DOWN until it passes.
    pub(super) async fn give_requests(
        &self,
        backend: &BackendName,
        member: &Member,
    ) -> Result<(), Fault> {
        let before = self.client.look(backend, Depth::State).await?;
        let Some(row) = self.find(&before, member) else {
            return Err(self.client.transient(format!(
                "{} is not registered: never, or lost in a restart",
                member.server
            )));
        };
        self.check_address(row, member)?;
        if row.admin() == ServerAdmin::Maintenance {
            self.start_checks(backend, &row.name).await?;
            return Err(self.client.transient(format!(
                "{} was in maintenance; its checks have begun, and then it can get requests",
                member.server
            )));
        }
        if row.admin() == ServerAdmin::Ready && is_known(row) {
            return Ok(());
        }
        let line = ready_command(backend, row);
        self.client.must(&line, backend).await?;
        let after = self.client.look_back(backend, before.info.process).await?;
        match self.find(&after, member) {
            Some(row) if row.admin() == ServerAdmin::Ready && is_known(row) => Ok(()),
            _ => {
                Err(self.client.transient(format!("making {} ready had no effect", member.server)))
            }
        }
    }

    /// A server with our name at another address is a leftover, and may be live.
    fn check_address(&self, row: &ServerRow, member: &Member) -> Result<(), Fault> {
        if row.address == Some(member.address) {
            return Ok(());
        }
        Err(Fault::permanent(format!(
            "balancer {}: a server {} stands there already, at another address; it was left alone \
             and must be removed first",
            self.client.name(),
            member.server
        )))
    }
}

/// Whether a server is checked where it has a check, and not in maintenance.
fn is_known(row: &ServerRow) -> bool {
    row.admin() != ServerAdmin::Maintenance && (row.is_checked() || !row.has_check())
}

/// Whether a new server may take requests before its first checks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum WaitForChecks {
    /// It starts as DOWN where this version can express that: it is safe even if something else
    /// makes it ready.
    After(Version),
    /// It served before a restart and serves again at once.
    No,
}

/// The line that points a slot at a member.
pub(super) fn point_slot_command(backend: &BackendName, slot: &str, member: &Member) -> String {
    let address = member.address;
    format!("set server {backend}/{slot} addr {} port {}", address.ip(), address.port())
}

/// The line that makes a server ready. HAProxy keeps the health it has found. A server that was
/// never checked, and waits for that as DOWN, is told to be up: whoever makes it ready knows.
pub(super) fn ready_command(backend: &BackendName, row: &ServerRow) -> String {
    let server = format!("{backend}/{}", row.name);
    let mut line = format!("set server {server} state ready");
    if row.check == CheckStatus::None && row.operation == 0 && row.is_checked() {
        line = format!("set server {server} health up;{line}");
    }
    if row.has_check() && !row.is_checked() {
        line = format!("{line};enable health {server}");
    }
    line
}

/// The line that adds a server. Nothing is inherited from `default-server`, so that all is said.
pub(super) fn add_command(
    backend: &BackendName,
    member: &Member,
    options: &RegisterOptions,
    id: u32,
    wait_for_checks: WaitForChecks,
) -> String {
    let Member { server, address } = member;
    let RegisterOptions { check_interval, rise, fall, max_connections, slow_start } = options;
    let interval = milliseconds(*check_interval).max(1);
    // Between UP and DOWN it is checked more often, so that it joins and leaves sooner.
    let fast = (interval / 4).clamp(interval.min(200), interval);
    let mut line = format!(
        "add server {backend}/{server} {address} id {id} check inter {interval}ms \
         fastinter {fast}ms rise {rise} fall {fall}"
    );
    if let Some(limit) = max_connections {
        line += &format!(" maxconn {limit}");
    }
    if !slow_start.is_zero() {
        line += &format!(" slowstart {}ms", milliseconds(*slow_start));
    }
    // The default of every other server; up to 2.6.17 and 2.8.9 a dynamic one would else never
    // reuse a connection.
    line += " pool-purge-delay 5s pool-max-conn -1";
    if let WaitForChecks::After(version) = wait_for_checks
        && version.has_init_state()
    {
        line += " init-state fully-down";
    }
    line
}

/// HAProxy's own limit for a time, about 24.8 days.
fn milliseconds(duration: Duration) -> u32 {
    u32::try_from(duration.as_millis()).unwrap_or(u32::MAX).min(i32::MAX.unsigned_abs())
}

/// A server's number within its backend, the same after every restart, as consistent hashing
/// wants it. Given explicitly, because with automatic numbers `balance random` and consistent
/// hashes lose servers. It lies above any number that a file is likely to use.
///
/// Source: 32-bit FNV-1a of the name, and `attempt` numbers further when that one is taken.
pub(super) fn server_id(server: &ServerName, attempt: u32) -> u32 {
    const FIRST: u32 = 1_000_000;
    const NUMBERS: u32 = 2_000_000_000;
    let hash = server
        .as_str()
        .bytes()
        .fold(0x811c_9dc5_u32, |hash, byte| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193));
    FIRST + (hash % NUMBERS + attempt) % NUMBERS
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(options: &RegisterOptions, wait_for_checks: WaitForChecks) -> String {
        let backend = BackendName::new("app").expect("a name");
        let member = Member {
            server: ServerName::new("as-push-0a1b2c3d4e5f").expect("a name"),
            address: "10.10.0.21:8080".parse().expect("an address"),
        };
        add_command(&backend, &member, options, 1001, wait_for_checks)
    }

    fn options() -> RegisterOptions {
        RegisterOptions {
            check_interval: Duration::from_secs(2),
            rise: 2,
            fall: 3,
            max_connections: None,
            slow_start: Duration::ZERO,
        }
    }

    #[test]
    fn a_new_server_is_told_everything() {
        let old = WaitForChecks::After(Version(3, 0, 11));
        assert_eq!(
            line(&options(), old),
            "add server app/as-push-0a1b2c3d4e5f 10.10.0.21:8080 id 1001 check inter 2000ms \
             fastinter 500ms rise 2 fall 3 pool-purge-delay 5s pool-max-conn -1"
        );
        let slow_start = Duration::from_secs(20);
        let all = RegisterOptions { max_connections: Some(64), slow_start, ..options() };
        assert_eq!(
            line(&all, WaitForChecks::After(Version(3, 1, 0))),
            "add server app/as-push-0a1b2c3d4e5f 10.10.0.21:8080 id 1001 check inter 2000ms \
             fastinter 500ms rise 2 fall 3 maxconn 64 slowstart 20000ms pool-purge-delay 5s \
             pool-max-conn -1 init-state fully-down"
        );
        assert_eq!(line(&options(), WaitForChecks::No), line(&options(), old));
    }

    #[test]
    fn the_fast_interval_never_exceeds_the_normal_one() {
        for (interval, fast) in [(100, "100ms"), (300, "200ms"), (4_000, "1000ms")] {
            let check_interval = Duration::from_millis(interval);
            let line = line(&RegisterOptions { check_interval, ..options() }, WaitForChecks::No);
            assert!(line.contains(&format!("fastinter {fast}")), "{line}");
        }
    }

    proptest::proptest! {
        #[test]
        fn a_server_number_is_legal_and_the_next_one_differs(name in "[a-z]{1,40}", n in 0..16_u32) {
            let name = ServerName::new(name).expect("a name");
            let id = server_id(&name, n);
            proptest::prop_assert!((1..=i32::MAX.unsigned_abs()).contains(&id));
            proptest::prop_assert_ne!(id, server_id(&name, n + 1));
        }

        #[test]
        fn any_options_make_a_line_that_haproxy_takes_whole(
            interval in 0..u64::MAX, slow_start in 0..u64::MAX, limit in proptest::option::of(0..u32::MAX),
        ) {
            let options = RegisterOptions {
                check_interval: Duration::from_millis(interval),
                max_connections: limit,
                slow_start: Duration::from_millis(slow_start),
                ..options()
            };
            let line = line(&options, WaitForChecks::After(Version(3, 2, 0)));
            proptest::prop_assert!(line.len() < 8_000 && line.split(' ').count() <= 64);
        }
    }
}
