//! `show servers state`: what each server of a backend is told to be and what checks found.
//!
//! In: the answer's text, format version 1, columns found by the header's names.
//! Out: one row a server, or what is wrong with the text.
//! Never: believes a column's position, or equality where HAProxy uses bits.

use std::net::{Ipv4Addr, SocketAddrV4};

use crate::domain::{InstanceLabel, ServerAdmin};

/// Where a slot without a node points.
pub(super) const PARKED: SocketAddrV4 = SocketAddrV4::new(Ipv4Addr::LOCALHOST, 1);

/// One server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct ServerRow {
    /// Its number within the backend.
    pub(super) id: u32,
    pub(super) name: String,
    /// `None` for IPv6 and for a name that isn't resolved: never one of ours.
    pub(super) address: Option<SocketAddrV4>,
    /// 0 stopped, 1 starting, 2 running, 3 stopping.
    pub(super) operation: u32,
    admin_bits: u32,
    /// Since it last went up, down, or into maintenance.
    pub(super) seconds_since_change: u64,
    /// The last check's result; during a check still the one before.
    pub(super) check: CheckStatus,
    /// Counts up to `rise + fall - 1`.
    pub(super) check_health: i64,
    check_bits: u32,
}

impl ServerRow {
    /// What it was told to be. A slot that is `disabled` in the file keeps 0x04 for ever, so
    /// only the bits that matter are looked at.
    pub(super) fn admin(&self) -> ServerAdmin {
        const MAINTENANCE: u32 = 0x01 | 0x02 | 0x20;
        const DRAIN: u32 = 0x08 | 0x10;
        match self.admin_bits {
            bits if bits & MAINTENANCE != 0 => ServerAdmin::Maintenance,
            bits if bits & DRAIN != 0 => ServerAdmin::Drain,
            _ => ServerAdmin::Ready,
        }
    }

    /// Whether a check is configured, on or off.
    pub(super) fn has_check(&self) -> bool {
        self.check_bits & 0x02 != 0
    }

    /// Whether its check is on; it pauses in maintenance all the same.
    pub(super) fn is_checked(&self) -> bool {
        self.check_bits & 0x04 != 0
    }

    /// What it is to us.
    pub(super) fn kind(&self, slot_prefix: &str) -> Kind {
        let label = self.name.strip_prefix("as-");
        if label.is_some_and(|label| InstanceLabel::new(label).is_ok()) {
            return Kind::Dynamic;
        }
        let number = self.name.strip_prefix(slot_prefix).unwrap_or_default();
        if number.is_empty() || !number.bytes().all(|byte| byte.is_ascii_digit()) {
            return Kind::Foreign;
        }
        let is_free = self.address == Some(PARKED) && self.admin() == ServerAdmin::Maintenance;
        if is_free { Kind::FreeSlot } else { Kind::Slot }
    }
}

/// What a server is to us.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// Added by us at run time, by its name.
    Dynamic,
    /// A template slot that holds some node.
    Slot,
    /// A template slot in maintenance that points nowhere.
    FreeSlot,
    /// Somebody else's: never touched.
    Foreign,
}

/// The result of a health check, as far as we tell results apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum CheckStatus {
    /// There was none yet.
    None,
    /// It passed.
    Passed,
    /// It failed.
    Failed,
}

impl CheckStatus {
    fn of(code: u32) -> Self {
        match code {
            // Unknown, initialising.
            0 | 1 => Self::None,
            // L4OK, L6OK, L7OK, L7OKC, and an external check's success.
            6 | 9 | 15 | 16 | 20 => Self::Passed,
            _ => Self::Failed,
        }
    }
}

/// Reads a whole answer.
pub(super) fn parse(text: &str) -> Result<Vec<ServerRow>, String> {
    let mut lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
    match lines.next() {
        Some("1") => {}
        Some(other) => return Err(format!("`show servers state` has format `{other}`, not 1")),
        None => return Err("`show servers state` is empty".into()),
    }
    let header = lines.next().and_then(|line| line.strip_prefix("# "));
    let columns = Columns::of(header.ok_or("`show servers state` has no header")?)?;
    lines.map(|line| columns.row(line)).collect()
}

/// Where the columns are. Looked up once: answers are long, and read often.
struct Columns {
    id: usize,
    name: usize,
    ip: usize,
    port: usize,
    operation: usize,
    admin: usize,
    since_change: usize,
    check_status: usize,
    check_health: usize,
    check_state: usize,
}

impl Columns {
    fn of(header: &str) -> Result<Self, String> {
        let position = |column: &str| {
            let position = header.split(' ').position(|name| name == column);
            position.ok_or_else(|| format!("`show servers state` lacks `{column}`"))
        };
        Ok(Self {
            id: position("srv_id")?,
            name: position("srv_name")?,
            ip: position("srv_addr")?,
            port: position("srv_port")?,
            operation: position("srv_op_state")?,
            admin: position("srv_admin_state")?,
            since_change: position("srv_time_since_last_change")?,
            check_status: position("srv_check_status")?,
            check_health: position("srv_check_health")?,
            check_state: position("srv_check_state")?,
        })
    }

    fn row(&self, line: &str) -> Result<ServerRow, String> {
        let values: Vec<&str> = line.split(' ').collect();
        let text = |at: usize| {
            let value = values.get(at).copied();
            value.ok_or_else(|| format!("`show servers state` has a short line, `{line}`"))
        };
        let number = |at: usize| {
            let value = text(at)?;
            let number = value.parse::<i64>();
            number.map_err(|_| format!("`show servers state` has `{value}` for a number"))
        };
        // Bits and codes that don't fit are as good as unknown ones.
        let small = |at: usize| number(at).map(|value| u32::try_from(value).unwrap_or(0));
        let ip = text(self.ip)?.parse::<Ipv4Addr>().ok();
        let port = u16::try_from(number(self.port)?).ok();
        Ok(ServerRow {
            id: small(self.id)?,
            name: text(self.name)?.to_owned(),
            address: ip.zip(port).map(|(ip, port)| SocketAddrV4::new(ip, port)),
            operation: small(self.operation)?,
            admin_bits: small(self.admin)?,
            seconds_since_change: u64::try_from(number(self.since_change)?).unwrap_or(0),
            check: CheckStatus::of(small(self.check_status)?),
            check_health: number(self.check_health)?,
            check_bits: small(self.check_state)?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const RECORDED: &str = include_str!("recorded/2.6-servers-state.txt");

    fn row(name: &str, address: &str, admin: u32) -> ServerRow {
        let line =
            format!("2 be 7 {name} {address} 2 {admin} 1 1 3 15 3 4 6 0 0 0 - 8080 - 0 0 - - 0");
        let header = RECORDED.lines().nth(1).expect("recorded").trim_start_matches("# ");
        Columns::of(header).expect("recorded").row(&line).expect("a row")
    }

    #[test]
    fn a_recorded_answer_gives_every_server() {
        let rows = parse(RECORDED).expect("recorded");
        let names: Vec<_> = rows.iter().map(|row| row.name.as_str()).collect();
        assert_eq!(names, ["seed1", "slot1", "slot2"]);
        assert_eq!(rows[0].check, CheckStatus::Failed);
        assert_eq!(rows[0].kind("slot"), Kind::Foreign);
        assert_eq!((rows[1].id, rows[1].check), (2, CheckStatus::None));
        assert_eq!(rows[1].kind("slot"), Kind::FreeSlot);
        assert_eq!(rows[1].kind("node"), Kind::Foreign, "another prefix, another owner");
    }

    #[test]
    fn administration_is_read_by_bits() {
        for (bits, expected) in [
            (0x00, ServerAdmin::Ready),
            (0x04, ServerAdmin::Ready),
            (0x40, ServerAdmin::Ready),
            (0x08, ServerAdmin::Drain),
            (0x0c, ServerAdmin::Drain),
            (0x10, ServerAdmin::Drain),
            (0x01, ServerAdmin::Maintenance),
            (0x05, ServerAdmin::Maintenance),
            (0x0d, ServerAdmin::Maintenance),
            (0x02, ServerAdmin::Maintenance),
            (0x20, ServerAdmin::Maintenance),
        ] {
            assert_eq!(row("slot1", "10.0.0.1", bits).admin(), expected, "{bits:#x}");
        }
    }

    #[test]
    fn only_names_of_our_form_and_numbered_slots_are_ours() {
        for (name, kind) in [
            ("as-push-0a1b2c3d4e5f", Kind::Dynamic),
            ("slot12", Kind::Slot),
            ("as-", Kind::Foreign),
            ("as-UPPER", Kind::Foreign),
            ("slot", Kind::Foreign),
            ("slot1a", Kind::Foreign),
            ("seed1", Kind::Foreign),
        ] {
            assert_eq!(row(name, "10.0.0.1", 0).kind("slot"), kind, "{name}");
        }
    }

    #[test]
    fn addresses_other_than_ipv4_are_nobodys() {
        assert_eq!(row("seed1", "fe80::1", 0).address, None);
        assert_eq!(row("seed1", "-", 0).address, None);
    }

    #[test]
    fn another_format_or_a_missing_column_is_refused() {
        for (text, what) in [
            ("", "empty"),
            ("2\n# be_id\n", "format `2`"),
            ("1\n", "no header"),
            ("1\n# be_id be_name\n2 be\n", "lacks"),
            ("Can't find backend.\n", "format `Can't"),
        ] {
            let error = parse(text).expect_err(text);
            assert!(error.contains(what), "{error}");
        }
    }

    proptest::proptest! {
        #[test]
        fn no_answer_makes_the_reader_panic(
            noise in "(?s).{0,200}",
            at in 0..700_usize,
            numbers in proptest::collection::vec(proptest::num::i64::ANY, 25),
        ) {
            let _ = parse(&noise);
            if RECORDED.is_char_boundary(at) {
                let (before, after) = RECORDED.split_at(at.min(RECORDED.len()));
                let _ = parse(&format!("{before}{noise}{after}"));
            }
            let header: String = RECORDED.lines().take(2).map(|line| format!("{line}\n")).collect();
            let row: Vec<_> = numbers.iter().map(i64::to_string).collect();
            let _ = parse(&format!("{header}{}\n", row.join(" ")));
        }
    }
}
