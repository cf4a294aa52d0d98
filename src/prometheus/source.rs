//! Reads signals.
//!
//! In: a query.
//! Out: a reading, or a series of samples.
//! Never: fails a read: whatever is wrong is a missing reading.

use std::error::Error;
use std::time::Duration;

use async_trait::async_trait;
use prometheus_http_query::response::{Data, InstantVector, Sample as Point};
use reqwest::Response;

use super::PrometheusSource;
use super::answer::{Failure, result};
use super::selectors::dating_query;
use crate::domain::{Missing, Reading, Sample, Timestamp, after, elapsed};
use crate::ports::{Fault, MetricsSource, root_cause};

/// Points asked for at once: Prometheus refuses more than 11,000.
pub(super) const POINTS_AT_ONCE: u64 = 10_000;

/// Label sets that a message names when there are too many series.
const NAMED_SERIES: usize = 3;

#[async_trait]
impl MetricsSource for PrometheusSource {
    async fn read(&self, query: &str, stale_after: Duration, now: Timestamp) -> Reading {
        match self.sample(query, stale_after, now).await {
            Ok(sample) => Reading::Fresh { sample },
            Err(why) => Reading::Missing { why },
        }
    }

    async fn read_nodes(
        &self,
        query: &str,
        node_label: &str,
        stale_after: Duration,
        now: Timestamp,
    ) -> Reading {
        match self.node_samples(query, node_label, stale_after, now).await {
            Ok(samples) => Reading::PerNode { samples, capacity: None },
            Err(why) => Reading::Missing { why },
        }
    }

    async fn read_range(
        &self,
        query: &str,
        from: Timestamp,
        to: Timestamp,
        step: Duration,
    ) -> Result<Vec<Sample>, Fault> {
        if step.as_secs() == 0 || step.subsec_nanos() != 0 {
            return Err(Fault::permanent("a range is read in steps of whole seconds"));
        }
        let (last, step) = (to.as_second(), step.as_secs());
        let mut samples = vec![];
        let mut start = from.as_second();
        while start <= last {
            let reach = i64::try_from(step.saturating_mul(POINTS_AT_ONCE - 1)).unwrap_or(i64::MAX);
            let end = start.saturating_add(reach).min(last);
            let points = self.piece(query, start, end, step).await?;
            let finite = points.into_iter().filter(|(_, value)| value.is_finite());
            samples
                .extend(finite.filter_map(|(at, value)| Some(Sample { at: moment(at)?, value })));
            start = end.saturating_add(i64::try_from(step).unwrap_or(i64::MAX));
        }
        Ok(samples)
    }
}

impl PrometheusSource {
    async fn sample(
        &self,
        query: &str,
        stale_after: Duration,
        now: Timestamp,
    ) -> Result<Sample, Missing> {
        let dating = dating_query(query);
        let date = async {
            match &dating {
                Some(dating) => self.instant(dating).await.map(Some),
                None => Ok(None),
            }
        };
        let (value, date) = tokio::join!(self.instant(query), date);
        let (evaluated_at, value) = the_only(value.map_err(failed)?)?;
        let newest = match date.map_err(undated)?.map(the_only) {
            None => evaluated_at,
            Some(Ok((_, newest))) => newest,
            Some(Err(Missing::Empty)) => return Err(ended()),
            Some(Err(_)) => return Err(undated(Failure::Passing("it is no number".into()))),
        };
        let (Some(newest), Some(evaluated_at)) = (moment(newest), moment(evaluated_at)) else {
            return Err(undated(Failure::Passing("it is no moment in time".into())));
        };
        // A cache may hold an old value beside a new date.
        let at = newest.min(evaluated_at);
        fresh(at, stale_after, now)?;
        Ok(Sample { at, value: usable(value)? })
    }

    /// One instant query, at the server's own now.
    pub(super) async fn instant(&self, query: &str) -> Result<Data, Failure> {
        let deadline = self.settings.read_deadline;
        let request = self.client.query(query).timeout(milliseconds(deadline)).get_raw();
        self.within(deadline, request).await
    }

    /// What the server's clock says: the one that dates its samples.
    pub async fn server_clock(&self) -> Result<Timestamp, Fault> {
        let unclear = || Fault::permanent("Prometheus does not tell the time");
        let (_, seconds) = the_only(self.instant("time()").await?).map_err(|_| unclear())?;
        moment(seconds).ok_or_else(unclear)
    }

    /// One stretch of a range; both ends are points of it. The points of its only series, as
    /// seconds since 1970 and values, which may be no numbers.
    pub(super) async fn piece(
        &self,
        query: &str,
        start: i64,
        end: i64,
        step: u64,
    ) -> Result<Vec<(f64, f64)>, Failure> {
        let deadline = self.settings.range_deadline;
        let request = self
            .client
            .query_range(query, start, end, step as f64)
            .timeout(milliseconds(deadline))
            .get_raw();
        let mut series = match self.within(deadline, request).await? {
            Data::Matrix(series) => series,
            Data::Vector(_) | Data::Scalar(_) => {
                let message = "a range was asked for, and something else came";
                return Err(Failure::Passing(message.into()));
            }
        };
        if series.len() > 1 {
            let labels = series.iter().map(|one| one.metric());
            let many = Missing::ManySeries {
                count: u32::try_from(series.len()).unwrap_or(u32::MAX),
                labels: labels.take(NAMED_SERIES).map(label_set).collect(),
            };
            return Err(Failure::Refused(format!("the query {many}")));
        }
        let points = series.pop().map(|one| one.into_inner().1).unwrap_or_default();
        Ok(points.iter().map(|point| (point.timestamp(), point.value())).collect())
    }

    /// The result of one request, if all of it comes in time.
    async fn within(
        &self,
        deadline: Duration,
        request: impl Future<Output = Result<Response, prometheus_http_query::Error>>,
    ) -> Result<Data, Failure> {
        let whole = async {
            let mut response = request.await.map_err(|error| unanswered(&error))?;
            let status = response.status().as_u16();
            let mut body = vec![];
            while let Some(chunk) = response.chunk().await.map_err(|error| unanswered(&error))? {
                if body.len() + chunk.len() > self.settings.body_limit {
                    let limit = self.settings.body_limit;
                    return Err(Failure::TooLarge(format!(
                        "the answer is over {limit} bytes long"
                    )));
                }
                body.extend_from_slice(&chunk);
            }
            result(status, &body)
        };
        let late = || format!("Prometheus gave no answer within {:.1} s", deadline.as_secs_f64());
        tokio::time::timeout(deadline, whole).await.unwrap_or_else(|_| Err(Failure::Late(late())))
    }
}

/// The one value of a result, with its time in seconds since 1970.
fn the_only(data: Data) -> Result<(f64, f64), Missing> {
    let pair = |point: &Point| (point.timestamp(), point.value());
    match data {
        Data::Scalar(point) => Ok(pair(&point)),
        Data::Vector(series) => match series.as_slice() {
            [] => Err(Missing::Empty),
            [one] => Ok(pair(one.sample())),
            many => Err(Missing::ManySeries {
                count: u32::try_from(many.len()).unwrap_or(u32::MAX),
                labels: many
                    .iter()
                    .take(NAMED_SERIES)
                    .map(InstantVector::metric)
                    .map(label_set)
                    .collect(),
            }),
        },
        Data::Matrix(_) => Err(Missing::QueryFailed {
            message: "the query gives a range and not a number: put a function such as `rate` \
                      around it"
                .into(),
        }),
    }
}

pub(super) fn usable(value: f64) -> Result<f64, Missing> {
    match value {
        value if !value.is_finite() => Err(Missing::NotANumber),
        value if value < 0.0 => Err(Missing::Negative { value }),
        // Minus zero is zero.
        value => Ok(value + 0.0),
    }
}

/// Whether data of `at` may speak for `now`.
pub(super) fn fresh(at: Timestamp, stale_after: Duration, now: Timestamp) -> Result<(), Missing> {
    let age = elapsed(at, now);
    if age > stale_after {
        return Err(Missing::Stale {
            // Rounded up, so that it never seems to keep the limit that it breaks.
            age_seconds: age.as_millis().div_ceil(1_000) as u64,
            limit_seconds: stale_after.as_secs(),
        });
    }
    if after(now, stale_after) < at {
        return Err(Missing::QueryFailed {
            message: format!(
                "its newest sample is {} s ahead of our clock: set both machines' clocks",
                elapsed(now, at).as_secs()
            ),
        });
    }
    Ok(())
}

pub(super) fn failed(failure: Failure) -> Missing {
    Missing::QueryFailed { message: failure.message() }
}

pub(super) fn undated(failure: Failure) -> Missing {
    Missing::QueryFailed {
        message: format!("the age of its samples could not be read: {}", failure.message()),
    }
}

/// The query has a value, and no series behind it is alive.
pub(super) fn ended() -> Missing {
    Missing::QueryFailed {
        message: "none of its series is alive any more: the value is made of their last samples \
                  (are the targets up, and does Prometheus find them?)"
            .into(),
    }
}

fn unanswered(error: &(dyn Error + 'static)) -> Failure {
    let cause = super::answer::presentable(&root_cause(error));
    Failure::Passing(format!("Prometheus can't be reached: {cause}"))
}

/// A label set as PromQL writes it, names in order.
pub(super) fn label_set(labels: &std::collections::HashMap<String, String>) -> String {
    let mut pairs: Vec<_> =
        labels.iter().map(|(name, value)| format!("{name}={value:?}")).collect();
    pairs.sort();
    format!("{{{}}}", pairs.join(", "))
}

/// Seconds since 1970 as a moment, to the millisecond, as Prometheus keeps it.
pub(super) fn moment(seconds: f64) -> Option<Timestamp> {
    let milliseconds = (seconds * 1e3).round();
    let sane = milliseconds.is_finite() && milliseconds.abs() < 1e15;
    sane.then(|| Timestamp::from_millisecond(milliseconds as i64).ok())?
}

fn milliseconds(length: Duration) -> i64 {
    i64::try_from(length.as_millis()).unwrap_or(i64::MAX)
}
