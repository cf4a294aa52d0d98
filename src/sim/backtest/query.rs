//! What a signal's query says of time and share.
//!
//! In: a signal.
//! Out: the window that it is taken over, and the quantile that it is about.
//! Never: evaluates the query.

use crate::policy::{Signal, SignalSource};

/// Where a query names no window: Prometheus' usual rate over a minute.
const USUAL_WINDOW: u64 = 60;

/// Longer windows than anyone scales by would need a longer memory.
const LONGEST_WINDOW: u64 = 3_600;

/// Nine requests in ten and half of the tenth, as is usual.
const USUAL_QUANTILE: f64 = 0.95;

/// Seconds that the signal is taken over: its first range, such as `[30s]`.
pub(super) fn window(signal: &Signal) -> u64 {
    signal.window().map_or(USUAL_WINDOW, |range| range.as_secs()).clamp(1, LONGEST_WINDOW)
}

/// The share of requests whose latency the signal is about: `histogram_quantile(0.99, …)`.
pub(super) fn quantile(signal: &Signal) -> f64 {
    match &signal.source {
        SignalSource::Haproxy(_) => USUAL_QUANTILE,
        SignalSource::Prometheus { query, nodes: _ } => {
            let after = query.split_once("histogram_quantile(").map_or("", |(_, after)| after);
            let number = after.split(',').next().and_then(|number| number.trim().parse().ok());
            number.filter(|share| (0.01..=0.999).contains(share)).unwrap_or(USUAL_QUANTILE)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::policy::Measures;

    fn signal(query: &str) -> Signal {
        let source = SignalSource::Prometheus { query: query.into(), nodes: None };
        let stale_after = std::time::Duration::from_secs(45);
        Signal { source, measures: Measures::Pool, stale_after, coverage: None }
    }

    #[test]
    fn window_and_quantile_have_usual_values() {
        let slow = signal("histogram_quantile(0.99, sum by (le) (rate(a_bucket[2m])))");
        assert_eq!((window(&slow), quantile(&slow)), (120, 0.99));
        let plain = signal("a");
        assert_eq!((window(&plain), quantile(&plain)), (60, 0.95));
    }
}
