//! How fast one caller may ask.
//!
//! In: who asks.
//! Out: yes, or how long to wait.
//! Never: lets one caller's haste slow another down; remembers more callers than it must.

use std::net::{IpAddr, Ipv6Addr};
use std::num::NonZeroU32;
use std::time::Duration;

use governor::clock::{Clock, DefaultClock};
use governor::{DefaultKeyedRateLimiter, Quota, RateLimiter};

use crate::store::TokenId;

/// With so many callers remembered, those that have rested are forgotten.
const REMEMBERED: usize = 4_096;

/// How fast one caller may ask.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rate {
    /// One more request is allowed after each of these; above zero.
    pub every: Duration,
    /// So many at once.
    pub burst: NonZeroU32,
}

impl Rate {
    /// So many a second in the long run, and at once; what is zero counts as one.
    pub fn per_second(per_second: u32, burst: u32) -> Self {
        let at_least_one = |number| NonZeroU32::new(number).unwrap_or(NonZeroU32::MIN);
        Self {
            every: Duration::from_secs(1) / at_least_one(per_second).get(),
            burst: at_least_one(burst),
        }
    }
}

/// Whose requests are counted together.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) enum Who {
    /// Whoever holds this token.
    Token(TokenId),
    /// Whoever sits at this address; of IPv6, in this /64, which is one household.
    Peer(IpAddr),
}

impl Who {
    /// Whoever sits at an address.
    pub fn at(address: IpAddr) -> Self {
        Self::Peer(match address.to_canonical() {
            IpAddr::V4(address) => IpAddr::V4(address),
            IpAddr::V6(address) => {
                let [a, b, c, d, ..] = address.segments();
                IpAddr::V6(Ipv6Addr::new(a, b, c, d, 0, 0, 0, 0))
            }
        })
    }
}

/// Counts every caller's requests.
#[derive(Debug)]
pub(super) struct Limiter {
    limiter: DefaultKeyedRateLimiter<Who>,
}

impl Limiter {
    pub fn new(rate: Rate) -> Self {
        let quota = Quota::with_period(rate.every).expect("a rate's period is above zero");
        Self { limiter: RateLimiter::keyed(quota.allow_burst(rate.burst)) }
    }

    /// Counts a request; or how long to wait before the next.
    pub fn take(&self, who: &Who) -> Result<(), Duration> {
        if REMEMBERED < self.limiter.len() {
            self.limiter.retain_recent();
        }
        let wait =
            |until: governor::NotUntil<_>| until.wait_time_from(DefaultClock::default().now());
        self.limiter.check_key(who).map_err(wait)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_callers_haste_is_its_own() {
        let rate =
            Rate { every: Duration::from_secs(3_600), burst: NonZeroU32::new(2).expect("2") };
        let limiter = Limiter::new(rate);
        let who = |text: &str| Who::at(text.parse().expect("an address"));
        let (one, other) = (who("2001:db8::1"), who("2001:db8:0:1::1"));
        assert_eq!(one, who("2001:db8::ffff"), "one household");
        assert_eq!(who("::ffff:192.0.2.1"), who("192.0.2.1"));
        assert!(limiter.take(&one).is_ok() && limiter.take(&one).is_ok());
        let wait = limiter.take(&one).expect_err("two at once are all");
        assert!(Duration::ZERO < wait && wait <= Duration::from_secs(3_600), "{wait:?}");
        assert!(limiter.take(&other).is_ok());
        assert!(limiter.take(&Who::Token(TokenId::of([1; 6]))).is_ok());
    }
}
