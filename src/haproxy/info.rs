//! Which process answers, and what its version can do.

use std::str::FromStr;

use crate::domain::BalancerProcess;

/// What `show info` tells that we use.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Info {
    pub(super) process: BalancerProcess,
    /// As HAProxy writes it.
    pub(super) version_text: String,
    pub(super) version: Version,
    pub(super) uptime_seconds: u64,
    /// An old process that is going away: what is told to it is lost.
    pub(super) is_stopping: bool,
}

impl Info {
    /// Reads `Key: value` lines; unknown keys are left alone.
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        let value = |key: &str| {
            text.lines()
                .filter_map(|line| line.split_once(": "))
                .find_map(|(name, value)| (name == key).then(|| value.trim()))
        };
        let number = |key: &str| value(key).and_then(|value| value.parse::<u64>().ok());
        let need = |key: &str| format!("`show info` has no usable `{key}`");
        let version_text = value("Version").ok_or_else(|| need("Version"))?.to_owned();
        let pid = number("Pid").and_then(|pid| u32::try_from(pid).ok());
        // Below 2.5 the start isn't told; then the process number alone tells a restart.
        let started_at_seconds =
            number("Start_time_sec").and_then(|start| i64::try_from(start).ok()).unwrap_or(0);
        Ok(Self {
            process: BalancerProcess { pid: pid.ok_or_else(|| need("Pid"))?, started_at_seconds },
            version: version_text.parse()?,
            version_text,
            uptime_seconds: number("Uptime_sec").ok_or_else(|| need("Uptime_sec"))?,
            is_stopping: number("Stopping") == Some(1),
        })
    }
}

/// `major.minor.patch`; a development version has the patch 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Version(pub(super) u32, pub(super) u32, pub(super) u32);

impl FromStr for Version {
    type Err = String;

    /// Reads up to the first `-`: `2.6.12-1+deb12u4`, `2.8.0-fdd8154ed`, `3.5-dev5-1a2b3c`.
    fn from_str(text: &str) -> Result<Self, String> {
        let problem = || format!("`{text}` is no version of HAProxy such as 3.0.11");
        let plain = text.split('-').next().unwrap_or(text);
        let mut parts = plain.split('.').map(str::parse::<u32>);
        let mut part = || parts.next().transpose().map_err(|_| problem());
        let (major, minor, patch) = (part()?, part()?, part()?);
        let (Some(major), Some(minor)) = (major, minor) else { return Err(problem()) };
        Ok(Self(major, minor, patch.unwrap_or(0)))
    }
}

/// How well a version copes with servers that come and go at run time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum DynamicServers {
    /// Not at all, or only as an experiment that can crash.
    Unsupported,
    /// `del server` can crash it, unless the server rests in maintenance first.
    Fragile,
    /// Well.
    Sound,
}

impl Version {
    /// Whether `add server` and `del server` can be trusted here with this balancing algorithm.
    ///
    /// Source: the fix list of HAProxy's changelogs: use after free of a deleted server (2.6.16
    /// to 2.6.18, 2.8.4 to 2.8.10), the race on the server list (3.0.6), and leastconn's abort
    /// (3.2.19). Branches between those (2.7, 2.9) ended before all of the fixes.
    pub(super) fn dynamic_servers(self, algorithm: &str) -> DynamicServers {
        let is_sound = match self {
            Self(2, 6, patch) => 18 <= patch,
            Self(2, 8, patch) => 10 <= patch,
            Self(3, 0, patch) => 6 <= patch,
            Self(3, 2, patch) => 19 <= patch || algorithm != "leastconn",
            _ => Self(3, 1, 0) <= self,
        };
        match (self < Self(2, 6, 0) || algorithm == "static-rr", is_sound) {
            (true, _) => DynamicServers::Unsupported,
            (false, true) => DynamicServers::Sound,
            (false, false) => DynamicServers::Fragile,
        }
    }

    /// Whether a server must rest in maintenance before it is deleted.
    pub(super) fn needs_quarantine(self) -> bool {
        self.dynamic_servers("roundrobin") != DynamicServers::Sound
    }

    /// Whether `add server` knows `init-state`.
    pub(super) fn has_init_state(self) -> bool {
        Self(3, 1, 0) <= self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const RECORDED: &str = include_str!("recorded/2.6-info.txt");

    #[test]
    fn a_recorded_answer_tells_process_version_and_age() {
        let info = Info::parse(RECORDED).expect("recorded");
        assert_eq!(info.version, Version(2, 6, 12));
        assert_eq!(info.version_text, "2.6.12-1+deb12u4");
        let process = BalancerProcess { pid: 16436, started_at_seconds: 1_795_501_111 };
        assert_eq!((info.process, info.uptime_seconds), (process, 0));
        assert!(!info.is_stopping);
        let stopping = RECORDED.replace("Stopping: 0", "Stopping: 1");
        assert!(Info::parse(&stopping).expect("recorded").is_stopping);
    }

    #[test]
    fn versions_are_read_up_to_the_first_hyphen() {
        for (text, version) in [
            ("2.6.12-1+deb12u4", Version(2, 6, 12)),
            ("3.0.11-1+deb13u3", Version(3, 0, 11)),
            ("2.8.0-fdd8154ed", Version(2, 8, 0)),
            ("3.5-dev5-1a2b3c", Version(3, 5, 0)),
            ("3.2.26", Version(3, 2, 26)),
        ] {
            assert_eq!(text.parse(), Ok(version), "{text}");
        }
        for text in ["", "-", "3", "three.two", "3.x.1"] {
            assert!(text.parse::<Version>().is_err(), "{text}");
        }
    }

    #[test]
    fn dynamic_servers_are_trusted_from_the_fixed_versions_on() {
        use DynamicServers::{Fragile, Sound, Unsupported};
        for (version, algorithm, expected) in [
            (Version(2, 2, 9), "roundrobin", Unsupported),
            (Version(2, 5, 0), "roundrobin", Unsupported),
            (Version(2, 6, 12), "roundrobin", Fragile),
            (Version(2, 6, 18), "roundrobin", Sound),
            (Version(2, 7, 99), "roundrobin", Fragile),
            (Version(2, 8, 9), "roundrobin", Fragile),
            (Version(2, 8, 10), "roundrobin", Sound),
            (Version(2, 9, 15), "roundrobin", Fragile),
            (Version(3, 0, 5), "roundrobin", Fragile),
            (Version(3, 0, 11), "leastconn", Sound),
            (Version(3, 1, 0), "leastconn", Sound),
            (Version(3, 2, 18), "leastconn", Fragile),
            (Version(3, 2, 18), "roundrobin", Sound),
            (Version(3, 2, 19), "leastconn", Sound),
            (Version(3, 4, 0), "random", Sound),
            (Version(4, 0, 0), "random", Sound),
            (Version(3, 2, 26), "static-rr", Unsupported),
        ] {
            assert_eq!(version.dynamic_servers(algorithm), expected, "{version:?} {algorithm}");
        }
    }

    proptest::proptest! {
        #[test]
        fn no_answer_makes_the_reader_panic(text in "(?s).{0,300}", cut in 0..1000_usize) {
            let _ = Info::parse(&text);
            let _ = Info::parse(RECORDED.get(cut..).unwrap_or_default());
            let _ = text.parse::<Version>();
        }
    }
}
