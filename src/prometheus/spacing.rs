//! How far apart the samples behind an expression are: the real scrape interval.
//!
//! In: an expression.
//! Out: the seconds between two samples, as Prometheus itself keeps them, or nothing where that
//! can't be told.
//! Never: trusts a configuration. `/api/v1/targets` knows only what this server scrapes itself:
//! neither recording rules, nor what came by remote write, nor any server behind a query front end.
//!
//! For a series, `timestamp(x)` is the time of its newest sample, `timestamp(x offset w)` the time
//! of the newest that was there `w` ago, and `count_over_time(x[w])` counts the samples after that
//! one up to the newest. So their quotient is the mean distance, exactly, whatever phase the
//! scrapes have. It needs no sample to be carried over the network, however many series there are.

use std::time::Duration;

use prometheus_http_query::response::Data;

use super::PrometheusSource;
use super::selectors::selectors;

/// How far back is looked. Prometheus holds a series for ended after as long without a sample, so
/// a longer interval could not be a signal at all.
const WINDOW: &str = "5m";

impl PrometheusSource {
    /// The time between two samples behind `expression`: of each of its selectors the densest
    /// series counts (others may have missed scrapes), and of the selectors the slowest, as for a
    /// reading's age. `None` where nothing has lived for long enough, where a selector names
    /// metrics by a pattern, or when Prometheus does not answer.
    pub async fn sample_spacing(&self, expression: &str) -> Option<Duration> {
        let Ok(Data::Vector(series)) = self.instant(&spacing_query(expression)?).await else {
            return None;
        };
        let [only] = series.as_slice() else { return None };
        Duration::try_from_secs_f64(only.sample().value()).ok().filter(|spacing| !spacing.is_zero())
    }
}

/// The query whose value is the spacing in seconds; `None` when the expression has no selector.
fn spacing_query(expression: &str) -> Option<String> {
    let selectors = selectors(expression);
    // The label keeps `or` from taking the second for the first.
    let densest = |(number, selector): (usize, &String)| {
        format!(
            "label_replace(min((timestamp({selector}) - timestamp({selector} offset {WINDOW})) \
             / count_over_time({selector}[{WINDOW}])),\"selector\",\"{number}\",\"\",\"\")"
        )
    };
    let each: Vec<_> = selectors.iter().enumerate().map(densest).collect();
    (!each.is_empty()).then(|| format!("max({})", each.join(" or ")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_spacing_is_that_of_the_slowest_selector() {
        assert_eq!(spacing_query("vector(1)"), None);
        assert_eq!(
            spacing_query("rate(b[1m]) / a{x=\"y\"}").unwrap(),
            "max(label_replace(min((timestamp(a{x=\"y\"}) - timestamp(a{x=\"y\"} offset 5m)) \
             / count_over_time(a{x=\"y\"}[5m])),\"selector\",\"0\",\"\",\"\") or \
             label_replace(min((timestamp(b) - timestamp(b offset 5m)) \
             / count_over_time(b[5m])),\"selector\",\"1\",\"\",\"\"))"
        );
    }
}
