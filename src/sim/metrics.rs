//! The metrics source: the requests that a traffic curve sends, and how many nodes speak of it.

use async_trait::async_trait;

use super::model::Model;
use super::world::SimWorld;
use crate::domain::{
    Duration, Missing, NodeSample, Reading, Sample, Timestamp, after, before, elapsed,
};
use crate::policy::window_of;
use crate::ports::{Fault, MetricsSource};

/// Samples are this old when they are read: a scrape interval.
const LAG: Duration = Duration::from_secs(10);

/// What a query says.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Meaning {
    /// The rate, times this; of each node, its part of it.
    Rate(f64),
    /// How much of it comes to one serving node, times this.
    Use(f64),
    /// How many nodes serve.
    Serving,
    /// Always this.
    Still(f64),
}

/// What the metrics source is like.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum MetricsMood {
    /// It answers.
    #[default]
    Well,
    /// Queries match nothing.
    Empty,
    /// The newest sample is the one of the moment at which it got stuck.
    Stuck(Timestamp),
    /// Values are NaN.
    NotANumber,
    /// Queries fail.
    Failing,
    /// Half of the nodes are missing from the sums.
    Partial,
}

impl Model {
    /// The rate that reaches the balancers at `at`.
    pub(super) fn rate(&self, at: Timestamp) -> f64 {
        self.traffic.between(self.began, at)
    }

    /// What a query says of the rate: its mean over the query's range, or without one as it is.
    fn measured_rate(&self, query: &str, at: Timestamp) -> f64 {
        let Some(range) = window_of(query) else { return self.rate(at) };
        // The middle of each second stands for it: rates change by whole seconds.
        let middle = |second| before(at, Duration::from_millis(1_000 * second + 500));
        let seconds = range.as_secs().max(1);
        (0..seconds).map(|second| self.rate(middle(second))).sum::<f64>() / seconds as f64
    }

    /// The moment that an answer evaluated at `evaluated` would speak of, or why there is none. `now`
    /// is the asker's clock.
    fn answer_of(
        &self,
        stale_after: Duration,
        evaluated: Timestamp,
        now: Timestamp,
    ) -> Result<Timestamp, Missing> {
        let at = match self.metrics {
            MetricsMood::Stuck(since) => before(since, LAG),
            _ => before(evaluated, LAG),
        };
        match self.metrics {
            MetricsMood::Empty => Err(Missing::Empty),
            MetricsMood::NotANumber => Err(Missing::NotANumber),
            MetricsMood::Failing => {
                Err(Missing::QueryFailed { message: "no answer in time".into() })
            }
            _ if stale_after < elapsed(at, now) => Err(Missing::Stale {
                age_seconds: elapsed(at, now).as_secs(),
                limit_seconds: stale_after.as_secs(),
            }),
            _ if after(now, stale_after) < at => {
                Err(Missing::QueryFailed { message: "its samples are ahead of our clock".into() })
            }
            MetricsMood::Stuck(_) | MetricsMood::Well | MetricsMood::Partial => Ok(at),
        }
    }

    /// What a query says; unless told, one that counts nodes, or else the rate.
    fn meaning(&self, query: &str) -> Meaning {
        let counts = self.sources.contains(query);
        let usual = if counts { Meaning::Serving } else { Meaning::Rate(1.0) };
        self.meanings.get(query).copied().unwrap_or(usual)
    }

    fn reading(
        &self,
        query: &str,
        stale_after: Duration,
        evaluated: Timestamp,
        now: Timestamp,
    ) -> Reading {
        let at = match self.answer_of(stale_after, evaluated, now) {
            Ok(at) => at,
            Err(why) => return Reading::Missing { why },
        };
        let half = self.metrics == MetricsMood::Partial;
        let serving = self.serving_addresses().len() as u32;
        let rate = |share: f64| match half {
            true => share * self.measured_rate(query, at) / 2.0,
            false => share * self.measured_rate(query, at),
        };
        let value = match self.meaning(query) {
            Meaning::Serving if half => f64::from(serving / 2),
            Meaning::Serving => f64::from(serving),
            Meaning::Rate(share) => rate(share),
            Meaning::Use(share) => rate(share) / f64::from(serving.max(1)),
            Meaning::Still(value) => value,
        };
        Reading::Fresh { sample: Sample { at, value } }
    }

    /// Each serving node's part of the rate; half of them are silent where the mood is so.
    fn node_reading(&self, query: &str, stale_after: Duration, now: Timestamp) -> Reading {
        let at = match self.answer_of(stale_after, self.now, now) {
            Ok(at) => at,
            Err(why) => return Reading::Missing { why },
        };
        let serving = self.serving_addresses();
        let part = match self.meaning(query) {
            Meaning::Rate(share) | Meaning::Use(share) => {
                share * self.rate(at) / (serving.len() as f64).max(1.0)
            }
            Meaning::Serving => 1.0,
            Meaning::Still(value) => value,
        };
        let silent = if self.metrics == MetricsMood::Partial { serving.len() / 2 } else { 0 };
        let samples: Vec<_> = serving
            .into_iter()
            .skip(silent)
            .map(|address| NodeSample {
                node: address.to_string(),
                at,
                value: Some(part),
                capacity: None,
            })
            .collect();
        match samples.is_empty() {
            true => Reading::Missing { why: Missing::Empty },
            false => Reading::PerNode { samples, capacity: None },
        }
    }
}

#[async_trait]
impl MetricsSource for SimWorld {
    /// Knows two queries: `sources`, or what [`SimWorld::set_sources`] names, counts the nodes that
    /// serve; any other is the rate; with a
    /// range, such as `rate[1m]`, its mean over that.
    async fn read(&self, query: &str, stale_after: Duration, now: Timestamp) -> Reading {
        self.lives().await;
        let model = self.model();
        model.reading(query, stale_after, model.now, now)
    }

    /// Unless told otherwise, every query says each serving node's part of the rate.
    async fn read_nodes(
        &self,
        query: &str,
        _node_label: &str,
        stale_after: Duration,
        now: Timestamp,
    ) -> Reading {
        self.lives().await;
        self.model().node_reading(query, stale_after, now)
    }

    async fn read_range(
        &self,
        query: &str,
        from: Timestamp,
        to: Timestamp,
        step: Duration,
    ) -> Result<Vec<Sample>, Fault> {
        self.lives().await;
        let model = self.model();
        let mut samples = Vec::new();
        let mut at = from;
        while at <= to && !step.is_zero() {
            let evaluated = at.min(model.now);
            samples.extend(model.reading(query, Duration::MAX, evaluated, at).sample());
            at = after(at, step);
        }
        Ok(samples)
    }
}
