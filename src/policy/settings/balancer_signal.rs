//! A signal that the load balancers themselves have counted.

use serde::Serialize;

use crate::domain::{BackendName, Duration};

/// What is read from every balancer, and added up.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct BalancerSignal {
    /// The backend that is counted; none: the pool's own.
    pub backend: Option<BackendName>,
    /// What is counted.
    pub metric: BalancerMetric,
    /// Over how long.
    #[serde(with = "humantime_serde")]
    pub over: Duration,
    /// What of that time counts; a rate is always the mean.
    pub take: Take,
}

/// What a balancer counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum BalancerMetric {
    /// Requests per second that arrive, answered or not.
    RequestRate,
    /// Requests that wait for a server.
    Queue,
    /// Requests that are here, waiting ones included.
    Sessions,
}

/// What of a time counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Take {
    /// The mean of all looks.
    Mean,
    /// The largest of all looks.
    Max,
}

impl BalancerMetric {
    /// The word for it in a policy.
    pub fn word(self) -> &'static str {
        match self {
            Self::RequestRate => "request_rate",
            Self::Queue => "queue",
            Self::Sessions => "sessions",
        }
    }
}

impl Take {
    /// The word for it in a policy.
    pub fn word(self) -> &'static str {
        match self {
            Self::Mean => "mean",
            Self::Max => "max",
        }
    }
}
