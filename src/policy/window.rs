//! Over how long a signal's value is taken.
//!
//! In: a signal.
//! Out: its own time, or its query's first range.
//! Never: evaluates the query.

use std::ops::Range;

use super::settings::{Signal, SignalSource};
use crate::domain::Duration;

impl Signal {
    /// Over how long its value is taken: as it says itself, or the first range of its query, such
    /// as `[30s]`; none where it has none, or none that is known here.
    pub fn window(&self) -> Option<Duration> {
        match &self.source {
            SignalSource::Prometheus { query, nodes: _ } => window_of(query),
            SignalSource::Haproxy(counted) => Some(counted.over),
        }
    }
}

/// A query's first range, such as `[1m]`; brackets in label values aren't ranges.
pub fn window_of(query: &str) -> Option<Duration> {
    humantime::parse_duration(&query[first_range(query)?]).ok()
}

/// The query with `window`, in whole seconds, in place of its first range; as it is where it has
/// none.
pub fn with_window(query: &str, window: Duration) -> String {
    let Some(range) = first_range(query) else {
        return query.to_owned();
    };
    format!("{}{}s{}", &query[..range.start], window.as_secs(), &query[range.end..])
}

/// Where the first range's length stands.
fn first_range(query: &str) -> Option<Range<usize>> {
    let mut quote = None;
    for (place, letter) in query.char_indices() {
        match (quote, letter) {
            (Some(open), letter) if letter == open => quote = None,
            (None, '"' | '\'' | '`') => quote = Some(letter),
            (None, '[') => {
                let begin = place + 1;
                let length = query[begin..].find([']', ':'])?;
                return Some(begin..begin + length);
            }
            _ => {}
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::super::settings::Measures;
    use super::*;

    #[test]
    fn the_window_is_the_querys_range() {
        for (query, seconds) in [
            ("sum(rate(http_requests_total[30s]))", Some(30)),
            (r#"sum(rate(a{path=~"/[a-z]+"}[1m30s]))"#, Some(90)),
            ("max_over_time(rate(a[1m])[5m:10s])", Some(60)),
            ("sum(haproxy_backend_current_queue)", None),
            ("a[$__rate_interval]", None),
        ] {
            assert_eq!(window_of(query).map(|range| range.as_secs()), seconds, "{query}");
            let shorter = with_window(query, Duration::from_secs(20));
            if seconds.is_some() {
                assert_eq!(window_of(&shorter), Some(Duration::from_secs(20)), "{shorter}");
            }
            let signal = Signal {
                source: SignalSource::Prometheus { query: query.into(), nodes: None },
                measures: Measures::Pool,
                stale_after: Duration::from_secs(45),
                coverage: None,
            };
            assert_eq!(signal.window().map(|range| range.as_secs()), seconds, "{query}");
        }
        let replaced =
            with_window(r#"rate(a{p="[5m]"}[1m]) / rate(b[1m])"#, Duration::from_secs(20));
        assert_eq!(replaced, r#"rate(a{p="[5m]"}[20s]) / rate(b[1m])"#);
        assert_eq!(with_window("a", Duration::from_secs(20)), "a");
    }
}
