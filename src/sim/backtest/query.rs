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
    match &signal.source {
        SignalSource::Prometheus { query, nodes: _ } => {
            range(query).unwrap_or(USUAL_WINDOW).clamp(1, LONGEST_WINDOW)
        }
    }
}

/// The share of requests whose latency the signal is about: `histogram_quantile(0.99, …)`.
pub(super) fn quantile(signal: &Signal) -> f64 {
    match &signal.source {
        SignalSource::Prometheus { query, nodes: _ } => {
            let after = query.split_once("histogram_quantile(").map_or("", |(_, after)| after);
            let number = after.split(',').next().and_then(|number| number.trim().parse().ok());
            number.filter(|share| (0.01..=0.999).contains(share)).unwrap_or(USUAL_QUANTILE)
        }
    }
}

/// The seconds of a query's first range, such as `[1m]`; brackets in label values aren't ranges.
fn range(query: &str) -> Option<u64> {
    let mut quote = None;
    for (place, letter) in query.char_indices() {
        match (quote, letter) {
            (Some(open), letter) if letter == open => quote = None,
            (None, '"' | '\'' | '`') => quote = Some(letter),
            (None, '[') => {
                let length = query[place + 1..].split([']', ':']).next()?;
                return humantime::parse_duration(length).ok().map(|range| range.as_secs());
            }
            _ => {}
        }
    }
    None
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
    fn the_window_is_the_querys_range() {
        for (query, seconds) in [
            ("sum(rate(http_requests_total[30s]))", Some(30)),
            (r#"sum(rate(a{path=~"/[a-z]+"}[1m30s]))"#, Some(90)),
            ("max_over_time(rate(a[1m])[5m:10s])", Some(60)),
            ("sum(haproxy_backend_current_queue)", None),
            ("a[$__rate_interval]", None),
        ] {
            assert_eq!(range(query), seconds, "{query}");
        }
    }

    #[test]
    fn window_and_quantile_have_usual_values() {
        let slow = signal("histogram_quantile(0.99, sum by (le) (rate(a_bucket[2m])))");
        assert_eq!((window(&slow), quantile(&slow)), (120, 0.99));
        let plain = signal("a");
        assert_eq!((window(&plain), quantile(&plain)), (60, 0.95));
    }
}
