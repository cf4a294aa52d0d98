//! The words: units, names, readings, nodes, fleets and money.
//!
//! In: values that something else has read or been told.
//! Out: types that can only hold legal values.
//! Never: I/O, clocks, chance, logging. Time arithmetic on given timestamps is all.

use std::ops::Range;

mod address;
mod fleet;
mod hint;
mod ids;
mod money;
mod node;
mod notice;
mod signal;
mod units;
mod world;

pub use address::{AddressRange, CidrBlock};
pub use fleet::FleetCounts;
pub use hint::{Hint, HintSize, HintSource};
pub use ids::{
    BackendName, BalancerName, CampaignKind, CandidateName, DecisionId, HintId, InstanceId,
    InstanceLabel, NodeId, PoolName, RunId, ServerName, SignalName,
};
pub use money::Dollars;
pub use node::{Attempt, Failure, Node, NodeState};
pub use notice::{Notice, NoticeKind, NoticePhase};
pub use signal::{Missing, NodeSample, Reading, Sample};
pub use units::{NodeCount, Percent, RequestsPerSecond};
pub use world::{
    BackendCounts, BackendView, BalancerProcess, HostResult, Instance, InstanceStatus, RunStatus,
    Server, ServerAdmin, ServerHealth, Sessions,
};

/// A moment in UTC. Never made here from a clock: it always arrives as an argument.
pub use jiff::Timestamp;
/// A length of time; never negative.
pub use std::time::Duration;

/// Bytes in hexadecimal, two small digits each.
pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The calendar month of a moment, in UTC: from its first moment to the next one's.
pub fn calendar_month(moment: Timestamp) -> Range<Timestamp> {
    let utc = moment.to_zoned(jiff::tz::TimeZone::UTC);
    let first = |month: jiff::civil::Date| {
        let midnight = month.first_of_month().to_zoned(jiff::tz::TimeZone::UTC);
        midnight.map_or(moment, |midnight| midnight.timestamp())
    };
    let next = utc.date().last_of_month().tomorrow();
    first(utc.date())..next.map_or(Timestamp::MAX, first)
}

/// `later - earlier`, and zero when the clock seems to run backwards.
pub fn elapsed(earlier: Timestamp, later: Timestamp) -> Duration {
    Duration::try_from(later.duration_since(earlier)).unwrap_or(Duration::ZERO)
}

/// `moment + length`, held at the end of time instead of overflowing.
pub fn after(moment: Timestamp, length: Duration) -> Timestamp {
    moment.checked_add(length).unwrap_or(Timestamp::MAX)
}

/// `moment - length`, held at the beginning of time instead of overflowing.
pub fn before(moment: Timestamp, length: Duration) -> Timestamp {
    moment.checked_sub(length).unwrap_or(Timestamp::MIN)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_month_begins_and_ends_at_midnight_in_utc() {
        for (moment, start, end) in [
            ("2026-03-02T12:00:00Z", "2026-03-01T00:00:00Z", "2026-04-01T00:00:00Z"),
            ("2026-12-31T23:59:59.999Z", "2026-12-01T00:00:00Z", "2027-01-01T00:00:00Z"),
            ("2028-02-01T00:00:00Z", "2028-02-01T00:00:00Z", "2028-03-01T00:00:00Z"),
        ] {
            let parse = |text: &str| text.parse::<Timestamp>().expect("a legal moment");
            assert_eq!(calendar_month(parse(moment)), parse(start)..parse(end), "{moment}");
        }
        assert_eq!(calendar_month(Timestamp::MAX).end, Timestamp::MAX);
    }
}
