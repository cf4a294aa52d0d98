//! What can go wrong in a drill.

use std::str::FromStr;

use crate::domain::Duration;
use crate::policy::Policy;
use crate::sim::{CloudMood, Faults, MetricsMood, Paces, SimWorld};

/// One thing that goes wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scenario {
    /// Prometheus answers nobody.
    PrometheusLost,
    /// Linode answers 429 to everything.
    TooManyRequests,
    /// Every playbook run fails.
    PlaybooksFail,
    /// Instances boot about as slowly as the policy still bears, and slower.
    SlowBoots,
    /// One of two balancers' sockets answers nobody.
    SocketLost,
    /// The region has none of the plan left.
    SoldOut,
}

/// A word that is no scenario's name.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("there is no such scenario; there are: {}", Scenario::ALL.map(Scenario::name).join(", "))]
pub struct UnknownScenario;

impl FromStr for Scenario {
    type Err = UnknownScenario;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::ALL.into_iter().find(|scenario| scenario.name() == text).ok_or(UnknownScenario)
    }
}

impl Scenario {
    /// All of them.
    pub const ALL: [Self; 6] = [
        Self::PrometheusLost,
        Self::TooManyRequests,
        Self::PlaybooksFail,
        Self::SlowBoots,
        Self::SocketLost,
        Self::SoldOut,
    ];

    /// Its name on the command line.
    pub fn name(self) -> &'static str {
        match self {
            Self::PrometheusLost => "prometheus-lost",
            Self::TooManyRequests => "too-many-requests",
            Self::PlaybooksFail => "playbooks-fail",
            Self::SlowBoots => "slow-boots",
            Self::SocketLost => "socket-lost",
            Self::SoldOut => "sold-out",
        }
    }

    /// What goes wrong.
    pub fn sentence(self) -> &'static str {
        match self {
            Self::PrometheusLost => "Prometheus answers no query",
            Self::TooManyRequests => "Linode answers 429 to every call, and the load rises",
            Self::PlaybooksFail => "every playbook run fails, and the load rises",
            Self::SlowBoots => "instances boot at the edge of `boot_timeout`, and the load rises",
            Self::SocketLost => "the socket of one of two balancers is silent, and the load rises",
            Self::SoldOut => "the region has none of the plan left, and the load rises",
        }
    }

    /// Whether more nodes are needed from the fault's beginning on: else nobody would notice that
    /// none can come. While Prometheus is lost nobody would see the load rise.
    pub(super) fn comes_with_a_surge(self) -> bool {
        self != Self::PrometheusLost
    }

    /// The fault begins.
    pub(super) fn begin(self, world: &SimWorld, policy: &Policy, seconds: u64) {
        match self {
            Self::PrometheusLost => world.set_metrics(MetricsMood::Failing),
            Self::TooManyRequests => world.set_cloud(CloudMood::TooManyRequests),
            Self::PlaybooksFail => {
                world.set_faults(Faults { playbook_fails: 1.0, ..Faults::none() });
            }
            Self::SlowBoots => {
                let bears = policy.node.boot_timeout.as_secs();
                world.set_paces(Paces { boot: (bears * 3 / 4, bears * 5 / 4), ..Paces::default() });
            }
            Self::SocketLost => world.lose_balancer(0, Duration::from_secs(seconds)),
            Self::SoldOut => world.set_cloud(CloudMood::SoldOut),
        }
    }

    /// The fault ends.
    pub(super) fn end(self, world: &SimWorld) {
        world.heal();
        world.set_paces(Paces::default());
    }
}
