//! How devices respond to a campaign.
//!
//! Messages are sent evenly over the spread. Of the devices that call back, most do at once and
//! the others when somebody picks the phone up: two log-normal waits, the usual shape of human
//! and network delays. With `F` their common distribution, `N` requests in all and a spread `S`,
//! the load `t` seconds after the first message is `N / S × (F(t) − F(t − S))`: it climbs while
//! messages are sent, is highest as the last one leaves, and decays.

use serde::{Deserialize, Serialize};

use crate::domain::{Hint, HintSize, Timestamp};

/// Half of the devices that call back at once have done so after this time: a push reaches a
/// phone within a second or two, and the app calls at once. Metrics over a minute can't tell it
/// from half or double, so it is not learned.
const PROMPT_SECONDS: f64 = 2.5;
/// How the prompt ones differ: one in six takes longer than 2.7 times that.
const PROMPT_SIGMA: f64 = 1.0;
/// How the late ones differ: one in six takes longer than 3.3 times their median.
const TAIL_SIGMA: f64 = 1.2;
/// Shorter spreads count as this long: nodes queue what comes within seconds, and sizing for the
/// second would buy several times the nodes that anybody could tell the use of.
const SHORTEST_SPREAD: f64 = 10.0;

/// How devices respond to campaigns of one kind.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Response {
    /// Requests for each device, or how much more than announced comes; above zero.
    pub factor: f64,
    /// The share of requests that come at once, from 0 to 1.
    pub prompt_share: f64,
    /// Half of the others have come after so many seconds; above zero.
    pub tail_seconds: f64,
    /// How many campaigns taught this; 0: nobody has.
    pub campaigns: u32,
}

impl Response {
    /// Until campaigns teach better: every device calls once, most at once and the others within
    /// minutes. Assuming the most keeps the first campaign safe.
    pub const USUAL: Self =
        Self { factor: 1.0, prompt_share: 0.85, tail_seconds: 240.0, campaigns: 0 };

    /// Requests per second that `hint` brings on top, `seconds` after its first message; zero
    /// before.
    pub fn load(&self, hint: &Hint, seconds: f64) -> f64 {
        self.requests(hint) * self.density(spread(hint), seconds)
    }

    /// The most that `hint` brings on top, in requests per second.
    pub fn peak(&self, hint: &Hint) -> f64 {
        self.load(hint, spread(hint))
    }

    /// How many requests come in all.
    pub(super) fn requests(&self, hint: &Hint) -> f64 {
        self.factor
            * match hint.size {
                HintSize::Devices(devices) => devices as f64,
                HintSize::RequestsPerSecond(peak) => {
                    let spread = spread(hint);
                    // Below the smallest share nobody could measure what it is a share of.
                    peak.get() / self.density(spread, spread).max(f64::MIN_POSITIVE)
                }
            }
    }

    /// The share of all requests that comes per second, `seconds` after the first message.
    pub(super) fn share_per_second(&self, hint: &Hint, seconds: f64) -> f64 {
        self.density(spread(hint), seconds)
    }

    fn density(&self, spread: f64, seconds: f64) -> f64 {
        (self.called_back(seconds) - self.called_back(seconds - spread)).max(0.0) / spread
    }

    /// The share of a device's requests that has come so many seconds after its message.
    fn called_back(&self, seconds: f64) -> f64 {
        let prompt = log_normal(seconds, PROMPT_SECONDS, PROMPT_SIGMA);
        let late = log_normal(seconds, self.tail_seconds, TAIL_SIGMA);
        self.prompt_share * prompt + (1.0 - self.prompt_share) * late
    }
}

/// Seconds from a hint's first message to `at`; below zero before it.
pub fn seconds_after(hint: &Hint, at: Timestamp) -> f64 {
    at.duration_since(hint.starts_at).as_secs_f64()
}

fn spread(hint: &Hint) -> f64 {
    hint.spread.as_secs_f64().max(SHORTEST_SPREAD)
}

/// The share of log-normal waits that are over after `seconds`.
fn log_normal(seconds: f64, median: f64, sigma: f64) -> f64 {
    if seconds <= 0.0 {
        return 0.0;
    }
    normal((seconds / median).ln() / sigma)
}

/// The standard normal distribution, to 1e-7.
///
/// Source: Abramowitz and Stegun, Handbook of Mathematical Functions, 26.2.17.
fn normal(z: f64) -> f64 {
    const COEFFICIENTS: [f64; 5] =
        [0.319_381_530, -0.356_563_782, 1.781_477_937, -1.821_255_978, 1.330_274_429];
    let t = 1.0 / (1.0 + 0.231_641_9 * z.abs());
    let series = COEFFICIENTS.iter().rev().fold(0.0, |sum, coefficient| t * (sum + coefficient));
    let beyond = (-z * z / 2.0).exp() / std::f64::consts::TAU.sqrt() * series;
    if z < 0.0 { beyond } else { 1.0 - beyond }
}

#[cfg(test)]
mod tests {
    use super::super::learn::tests::hint;
    use super::*;
    use crate::domain::RequestsPerSecond;

    #[test]
    fn the_normal_distribution_is_the_tables() {
        for (z, share) in [(0.0, 0.5), (1.0, 0.841_344_7), (-1.96, 0.024_997_9), (3.0, 0.998_650_1)]
        {
            assert!((normal(z) - share).abs() < 1e-6, "{z}: {}", normal(z));
        }
    }

    #[test]
    fn the_load_climbs_while_messages_are_sent_and_decays_after() {
        // 60,000 devices over a minute: 1,000 messages a second, 850 of them answered at once.
        let hint = hint(HintSize::Devices(60_000), 60);
        for (seconds, least, most, because) in [
            (-1.0, 0.0, 0.0, "nothing before the first message"),
            (2.5, 425.0, 426.0, "half of those who answer at once have answered the first"),
            (30.0, 840.0, 855.0, "nearly all who answer at once"),
            (60.0, 860.0, 875.0, "with the first of the others: the most"),
            (120.0, 15.0, 45.0, "a minute later only the others are left"),
            (600.0, 3.0, 6.0, "and fade"),
        ] {
            let load = Response::USUAL.load(&hint, seconds);
            assert!((least..=most).contains(&load), "{seconds} s: {load}: {because}");
        }
    }

    #[test]
    fn all_requests_come_in_the_end() {
        for spread in [0, 20, 240, 3_600] {
            let hint = hint(HintSize::Devices(90_000), spread);
            let all: f64 = (0..200_000).map(|s| Response::USUAL.load(&hint, f64::from(s))).sum();
            assert!((all / 90_000.0 - 1.0).abs() < 0.01, "{spread} s: {all}");
        }
    }

    #[test]
    fn a_peak_that_was_announced_is_the_peak_whatever_the_shape() {
        let rate = RequestsPerSecond::new(9_000.0).expect("a rate");
        for spread in [0, 20, 120, 1_800] {
            for tail_seconds in [30.0, 240.0, 1_920.0] {
                let hint = hint(HintSize::RequestsPerSecond(rate), spread);
                let shape = Response { prompt_share: 0.6, tail_seconds, ..Response::USUAL };
                let loads = (0..8_000).map(|second| shape.load(&hint, f64::from(second)));
                let most = loads.fold(0.0, f64::max);
                assert!((shape.peak(&hint) - 9_000.0).abs() < 1e-6);
                assert!((9_000.0..9_450.0).contains(&most), "{spread} s, {tail_seconds} s: {most}");
            }
        }
    }
}
