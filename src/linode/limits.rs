//! Keeps us within the API's rate limits: one set of lanes for each token.
//!
//! In: the class of a call about to be made, and the headers of each answer.
//! Out: leave to call, or how long to wait.
//! Never: sleeps; whoever is refused tells its caller when to come back.
//!
//! Limits differ by account and year, so the headers are obeyed and our own numbers only spread
//! calls out (published in 2026: 20 creates in 15 s, 200 collections and 1600 others a minute).

use std::num::NonZeroU32;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use governor::clock::{Clock, DefaultClock};
use governor::{DefaultDirectRateLimiter, Quota, RateLimiter};
use jiff::Timestamp;
use reqwest::header::HeaderMap;

/// Which of the API's limits a call counts against.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Class {
    /// `POST /linode/instances`.
    Create,
    /// Listing a paginated collection.
    Collection,
    /// Everything else.
    Other,
}

/// The limits of one token.
pub(super) struct Limits {
    create: Lane,
    collection: Lane,
    other: Lane,
}

/// One limit: our own pace, and when the API wants to hear of us again.
struct Lane {
    pace: DefaultDirectRateLimiter,
    closed_until: Mutex<Option<Instant>>,
}

/// The wait when the API refuses a call and doesn't say for how long: one window of the
/// published create limit. Linode's own clients wait between 3 and 60 s.
const UNSAID: Duration = Duration::from_secs(15);

/// The longest wait that we believe. `Retry-After` has been seen negative and absurd.
const LONGEST: Duration = Duration::from_secs(60);

impl Limits {
    pub(super) fn new() -> Self {
        Self {
            create: Lane::new(80, 20),
            collection: Lane::new(200, 100),
            // The lowest general limit that was seen on a live account.
            other: Lane::new(400, 200),
        }
    }

    /// Leave to make one call now, or how long to wait before asking again.
    pub(super) fn admit(&self, class: Class) -> Result<(), Duration> {
        let lane = self.lane(class);
        let closed = lane.closed_until.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(left) = closed.and_then(|until| until.checked_duration_since(Instant::now())) {
            return Err(left);
        }
        let earliest = |not_until: governor::NotUntil<_>| {
            not_until.wait_time_from(DefaultClock::default().now())
        };
        lane.pace.check().map_err(earliest)
    }

    /// Closes the lane for as long as the answer asks; says how long, if it does.
    pub(super) fn learn(&self, class: Class, status: u16, headers: &HeaderMap) -> Option<Duration> {
        let pause = pause_after(status, headers, Timestamp::now())?;
        let until = Instant::now() + pause;
        let lane = self.lane(class);
        let mut closed = lane.closed_until.lock().unwrap_or_else(PoisonError::into_inner);
        *closed = Some(closed.map_or(until, |earlier| earlier.max(until)));
        Some(pause)
    }

    fn lane(&self, class: Class) -> &Lane {
        match class {
            Class::Create => &self.create,
            Class::Collection => &self.collection,
            Class::Other => &self.other,
        }
    }
}

impl Lane {
    fn new(per_minute: u32, burst: u32) -> Self {
        let positive = |number| NonZeroU32::new(number).expect("our own limits are above zero");
        let quota = Quota::per_minute(positive(per_minute)).allow_burst(positive(burst));
        Self { pace: RateLimiter::direct(quota), closed_until: Mutex::new(None) }
    }
}

/// How long an answer asks us to make no further call of its class; `None` if it doesn't.
///
/// A refusal (429) always asks; any other answer asks when it says that nothing remains.
fn pause_after(status: u16, headers: &HeaderMap, now: Timestamp) -> Option<Duration> {
    let refused = status == 429;
    let used_up = number(headers, "x-ratelimit-remaining").is_some_and(|left| left <= 0);
    if !refused && !used_up {
        return None;
    }
    let retry_after = number(headers, "retry-after").filter(|_| refused);
    let seconds = retry_after.or_else(|| seconds_until_reset(headers, now));
    let unsaid = if refused { UNSAID } else { Duration::ZERO };
    Some(seconds.map_or(unsaid, clamped))
}

/// Until a second after the limit's reset, by the API's own clock where it tells the time: ours
/// may be wrong by more than the wait.
fn seconds_until_reset(headers: &HeaderMap, now: Timestamp) -> Option<i64> {
    let reset = number(headers, "x-ratelimit-reset").filter(|reset| *reset > 0)?;
    let their_now = moment_of(headers).unwrap_or(now);
    Some(reset.saturating_sub(their_now.as_second()).saturating_add(1))
}

/// When an answer was given, by the clock of whoever gave it.
pub(super) fn moment_of(headers: &HeaderMap) -> Option<Timestamp> {
    let date = headers.get("date")?.to_str().ok()?;
    jiff::fmt::rfc2822::DateTimeParser::new().parse_timestamp(date).ok()
}

/// What `Retry-After` asks for, in seconds from now, held between nothing and a minute.
pub(super) fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    number(headers, "retry-after").map(clamped)
}

fn clamped(seconds: i64) -> Duration {
    Duration::from_secs(u64::try_from(seconds).unwrap_or(0)).min(LONGEST)
}

/// A header that is a whole number.
pub(super) fn number(headers: &HeaderMap, name: &str) -> Option<i64> {
    headers.get(name)?.to_str().ok()?.trim().parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use reqwest::header::{HeaderName, HeaderValue};

    fn headers(pairs: &[(&'static str, &str)]) -> HeaderMap {
        let entry = |(name, value): &(&'static str, &str)| {
            (HeaderName::from_static(name), HeaderValue::from_str(value).unwrap())
        };
        pairs.iter().map(entry).collect()
    }

    #[test]
    fn the_pause_is_what_the_headers_ask_within_reason() {
        let now = Timestamp::from_second(1_000).unwrap();
        let half_past_by_their_clock = "Thu, 01 Jan 1970 01:00:00 GMT";
        for (status, pairs, seconds, because) in [
            (200, &[][..], None, "a good answer without headers asks nothing"),
            (200, &[("x-ratelimit-remaining", "3")], None, "some calls remain"),
            (
                200,
                &[("x-ratelimit-remaining", "0"), ("x-ratelimit-reset", "1009")],
                Some(10),
                "nothing remains: a second after the reset",
            ),
            (
                200,
                &[
                    ("x-ratelimit-remaining", "0"),
                    ("x-ratelimit-reset", "3605"),
                    ("date", half_past_by_their_clock),
                ],
                Some(6),
                "their clock counts, not ours",
            ),
            (429, &[("retry-after", "7")], Some(7), "the wait is given"),
            (429, &[("retry-after", "86400")], Some(60), "an absurd wait is cut"),
            (
                429,
                &[("retry-after", "-3"), ("x-ratelimit-reset", "-1")],
                Some(0),
                "a negative wait has been seen live",
            ),
            (429, &[], Some(15), "a refusal that says nothing"),
            (429, &[("retry-after", "soon")], Some(15), "a refusal that says nonsense"),
        ] {
            let pause = pause_after(status, &headers(pairs), now);
            assert_eq!(pause, seconds.map(Duration::from_secs), "{because}");
        }
    }

    #[test]
    fn a_refusal_closes_its_own_lane_and_no_other() {
        let limits = Limits::new();
        limits.learn(Class::Create, 429, &headers(&[("retry-after", "30")]));
        let wait = limits.admit(Class::Create).unwrap_err();
        assert!(wait > Duration::from_secs(25), "{wait:?}");
        assert_eq!(limits.admit(Class::Collection), Ok(()));
        assert_eq!(limits.admit(Class::Other), Ok(()));
    }

    #[test]
    fn our_own_pace_holds_when_the_api_gives_no_headers() {
        let limits = Limits::new();
        let admitted = (0..1_000).filter(|_| limits.admit(Class::Create).is_ok()).count();
        assert!((20..40).contains(&admitted), "{admitted} creates at once");
    }
}
