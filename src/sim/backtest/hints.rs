//! What an operator announces in advance: campaigns.
//!
//! In: CSV with the columns of [`COLUMNS`].
//! Out: hints, by the moment of their announcement.
//! Never: says that a campaign really came.

use super::table::{Unreadable, read};
use crate::domain::{self, CampaignKind, Duration, HintId, HintSize, HintSource, Timestamp};

const COLUMNS: [&str; 4] = [
    "announced_at_seconds",
    "expected_start_seconds",
    "expected_extra_requests",
    "expected_fanout_seconds",
];

/// After the fan-out the last devices still call back: most answer within seconds, and a minute
/// holds what a campaign's users feel. Half of it would cut the tail, double would count calm.
const TAIL_SECONDS: f64 = 60.0;

/// An announced campaign. Seconds are the trace's.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Hint {
    /// When it was announced; nobody knows it before.
    pub announced_at: f64,
    /// When it should begin.
    pub starts_at: f64,
    /// Requests that it should bring on top, as many as in the unscaled trace.
    pub requests: f64,
    /// Over how many seconds the messages are sent.
    pub fan_out: f64,
}

/// What is wrong with a file of hints.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct HintsError(pub Unreadable);

/// Reads the text of a CSV file.
pub fn read_hints(text: &str) -> Result<Vec<Hint>, HintsError> {
    let rows = read(text, COLUMNS).map_err(HintsError)?;
    let hints = rows.into_iter().map(|(_, [announced_at, starts_at, requests, fan_out])| Hint {
        announced_at,
        starts_at,
        requests,
        fan_out,
    });
    Ok(hints.collect())
}

impl Hint {
    /// The same as the engine knows it: the `number`th of a trace that is `scale` times as large as
    /// it was recorded. Each device is one request.
    pub(super) fn announced(&self, number: usize, scale: f64) -> domain::Hint {
        let moment = |seconds: f64| {
            // The file's moments are the trace's: those of its rates.
            Timestamp::from_millisecond((seconds * 1_000.0) as i64).unwrap_or(Timestamp::MAX)
        };
        domain::Hint {
            id: HintId(uuid::Uuid::from_u128(number as u128)),
            kind: CampaignKind::new("campaign").expect("a legal name"),
            announced_at: moment(self.announced_at),
            starts_at: moment(self.starts_at),
            size: HintSize::Devices((self.requests * scale).round() as u64),
            spread: Duration::try_from_secs_f64(self.fan_out).unwrap_or_default(),
            tail: None,
            reason: "announced in the file of hints".to_owned(),
            source: HintSource::Person,
        }
    }
}

/// The times that announced campaigns take, from the expected start until a minute after the
/// expected end of the fan-out: sorted, and joined where they overlap.
pub(super) fn announced_times(hints: &[Hint], begins_at: i64) -> Vec<(f64, f64)> {
    let own = |hint: &Hint| {
        let from = hint.starts_at - begins_at as f64;
        (from, from + hint.fan_out + TAIL_SECONDS)
    };
    let mut times: Vec<_> = hints.iter().map(own).collect();
    times.sort_by(|one, other| one.0.total_cmp(&other.0));
    let mut joined: Vec<(f64, f64)> = Vec::new();
    for (from, until) in times {
        match joined.last_mut() {
            Some(last) if from <= last.1 => last.1 = last.1.max(until),
            _ => joined.push((from, until)),
        }
    }
    joined
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn campaigns_that_overlap_are_one_time() {
        let text = "announced_at_seconds,expected_start_seconds,expected_extra_requests,\
                    expected_fanout_seconds\n0,900,1,30\n0,100,1,40\n0,150,1,30\n";
        let hints = read_hints(text).expect("hints");
        assert_eq!(announced_times(&hints, 0), [(100.0, 240.0), (900.0, 990.0)]);
        assert_eq!(announced_times(&hints, 100), [(0.0, 140.0), (800.0, 890.0)]);
        let error = read_hints("a,b\n").expect_err("another header").to_string();
        assert!(error.contains("line 1") && error.contains("expected_fanout_seconds"), "{error}");
    }
}
