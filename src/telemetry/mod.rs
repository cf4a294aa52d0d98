//! Every metric of ours, declared in one file, and the set-up of logs.
//!
//! In: counts, durations, outcomes.
//! Out: the text that Prometheus scrapes.
//! Never: labels from ids or addresses; only pools, states, steps and kinds.

mod logs;
mod plain;

pub use logs::{LogFormat, start_logs};

use std::sync::Arc;

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::encoding::text::encode;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::Registry;
use std::sync::atomic::AtomicU64;

/// Labels of a metric that is about a pool.
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct PoolLabels {
    /// The pool.
    pub pool: String,
}

/// Labels of a count of nodes.
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct StateLabels {
    /// The pool.
    pub pool: String,
    /// A state's name.
    pub state: String,
}

/// Labels of a count of decisions.
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct DirectionLabels {
    /// The pool.
    pub pool: String,
    /// `out`, `in` or `hold`.
    pub direction: String,
}

/// Labels of a step's outcomes.
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct StepLabels {
    /// The step's name.
    pub step: String,
    /// `done`, `waiting`, or the kind of fault.
    pub outcome: String,
}

/// Labels of a phase.
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct PhaseLabels {
    /// The pool.
    pub pool: String,
    /// The phase's name.
    pub phase: String,
}

/// Labels of a signal.
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct SignalLabels {
    /// The pool.
    pub pool: String,
    /// The signal's name in the policy.
    pub signal: String,
}

/// Labels of a rule.
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct RuleLabels {
    /// The pool.
    pub pool: String,
    /// The rule's key, such as `forecast:requests`.
    pub rule: String,
}

/// Labels of a candidate.
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct CandidateLabels {
    /// The pool.
    pub pool: String,
    /// The candidate's name.
    pub candidate: String,
}

/// Labels of a receiver of notices.
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct DestinationLabels {
    /// `grafana`, or a webhook's name in the settings.
    pub destination: String,
}

/// Labels of tries to deliver a notice.
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct DeliveryLabels {
    /// `grafana`, or a webhook's name in the settings.
    pub destination: String,
    /// `delivered`, `left_out`, or the kind of fault.
    pub outcome: String,
}

/// Labels of a count of requests to our API.
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct RequestLabels {
    /// The method, `other` for the unusual ones.
    pub method: &'static str,
    /// The route that it matched, with names in place of values; `none` where it matched none.
    pub route: String,
    /// The status' class, such as `2xx`.
    pub status: &'static str,
}

/// Labels of a route of our API.
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct RouteLabels {
    /// The route, with names in place of values.
    pub route: String,
}

/// Every metric.
#[derive(Clone, Debug)]
pub struct Metrics {
    registry: Arc<Registry>,
    /// Nodes by state.
    pub nodes: Family<StateLabels, Gauge>,
    /// The count that the pool shall have.
    pub desired_nodes: Family<PoolLabels, Gauge>,
    /// The count that a candidate would have the pool have.
    pub shadow_desired_nodes: Family<CandidateLabels, Gauge>,
    /// Whether a pool's acts are suppressed: 1 or 0.
    pub dry_run: Family<PoolLabels, Gauge>,
    /// Acts that were suppressed.
    pub suppressed_acts: Family<PoolLabels, Counter>,
    /// Decisions made.
    pub decisions: Family<DirectionLabels, Counter>,
    /// Steps taken, by outcome.
    pub steps: Family<StepLabels, Counter>,
    /// How long looks took, in seconds.
    pub look_seconds: Family<PoolLabels, Histogram>,
    /// Whether the store fails and nothing is done: 1 or 0.
    pub store_failing: Family<PoolLabels, Gauge>,
    /// Looks that the store ended.
    pub store_failures: Family<PoolLabels, Counter>,
    /// How long writes into the store took, in seconds.
    pub store_write_seconds: Family<PoolLabels, Histogram>,
    /// How often the clock was set back.
    pub clock_set_back: Family<PoolLabels, Counter>,
    /// How long deciding and planning took, in seconds.
    pub think_seconds: Family<PoolLabels, Histogram>,
    /// The last length of each phase of a node's life, in seconds.
    pub phase_seconds: Family<PhaseLabels, Gauge<f64, AtomicU64>>,
    /// A signal's last usable value, in its own unit.
    pub signal_value: Family<SignalLabels, Gauge<f64, AtomicU64>>,
    /// Whether a signal was usable at the last look: 1 or 0.
    pub signal_usable: Family<SignalLabels, Gauge>,
    /// Instances that carry our tag and belong to no node.
    pub orphans: Family<PoolLabels, Gauge>,
    /// Whether nobody is replaced because most nodes look unhealthy at once: 1 or 0.
    pub healing_frozen: Family<PoolLabels, Gauge>,
    /// Nodes that an operator protects from removal.
    pub protected_nodes: Family<PoolLabels, Gauge>,
    /// Living nodes that were made from another plan than the policy's.
    pub fallback_nodes: Family<PoolLabels, Gauge>,
    /// Whether creating rests after failures: 1 or 0.
    pub creating_rests: Family<PoolLabels, Gauge>,
    /// Given up nodes whose create calls were never answered.
    pub creates_in_doubt: Family<PoolLabels, Gauge>,
    /// Nodes that are not needed and stay because the brake holds.
    pub removals_braked: Family<PoolLabels, Gauge>,
    /// Whether rules add no more because their scale-outs helped nothing: 1 or 0.
    pub ineffective: Family<PoolLabels, Gauge>,
    /// The used share of the budget, the larger one of two.
    pub budget_used: Family<PoolLabels, Gauge<f64, AtomicU64>>,
    /// What the largest rate should stay under until a node could serve, in requests per second.
    pub forecast_bound: Family<RuleLabels, Gauge<f64, AtomicU64>>,
    /// Mean distance of what was expected from what came, as a share of what came.
    pub forecast_error: Family<RuleLabels, Gauge<f64, AtomicU64>>,
    /// Share of outcomes that stayed under their bound.
    pub forecast_coverage: Family<RuleLabels, Gauge<f64, AtomicU64>>,
    /// Things that the last plan would have done and did not.
    pub notes: Family<PoolLabels, Gauge>,
    /// Messages that wait in the outbox.
    pub outbox_messages: Family<DestinationLabels, Gauge>,
    /// How old the oldest of them is, in seconds.
    pub outbox_oldest_age: Family<DestinationLabels, Gauge>,
    /// Tries to deliver messages, by outcome.
    pub outbox_deliveries: Family<DeliveryLabels, Counter>,
    /// Messages that are tried no more.
    pub outbox_given_up: Family<DestinationLabels, Counter>,
    /// Requests to our API.
    pub api_requests: Family<RequestLabels, Counter>,
    /// How long answers of our API took, in seconds.
    pub api_request_seconds: Family<RouteLabels, Histogram>,
    /// When the API's certificate ends, in Unix seconds; 0 without one.
    pub certificate_ends: Gauge<f64, AtomicU64>,
}

impl Metrics {
    /// Registers every metric.
    pub fn new() -> Self {
        let looks = || Histogram::new([0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0]);
        let thoughts = || Histogram::new([1e-5, 2.5e-5, 5e-5, 1e-4, 2.5e-4, 5e-4, 1e-3, 5e-3]);
        let mut registry = Registry::with_prefix("windlass");
        let nodes = Family::default();
        registry.register("nodes", "Nodes by state", nodes.clone());
        let desired_nodes = Family::default();
        let help = "Nodes that the pool shall have";
        registry.register("desired_nodes", help, desired_nodes.clone());
        let shadow_desired_nodes = Family::default();
        let help = "Nodes that the pool would have, went it by a candidate";
        registry.register("shadow_desired_nodes", help, shadow_desired_nodes.clone());
        let dry_run = Family::default();
        let help = "Whether the pool is a dry run: decided and planned, not acted upon";
        registry.register("dry_run", help, dry_run.clone());
        let suppressed_acts = Family::default();
        let help = "Acts that a dry run would have done";
        registry.register("suppressed_acts", help, suppressed_acts.clone());
        let decisions = Family::default();
        registry.register("decisions", "Decisions made", decisions.clone());
        let steps = Family::default();
        registry.register("steps", "Steps taken", steps.clone());
        let look_seconds = Family::new_with_constructor(looks as fn() -> Histogram);
        let help = "Length of a look at a pool, acts included";
        registry.register("look_duration_seconds", help, look_seconds.clone());
        let store_failing = Family::default();
        let help = "Whether the store fails, so that nothing is done";
        registry.register("store_failing", help, store_failing.clone());
        let store_failures = Family::default();
        let help = "Looks that did nothing because the store failed";
        registry.register("store_failures", help, store_failures.clone());
        let store_write_seconds = Family::new_with_constructor(looks as fn() -> Histogram);
        let help = "Length of a write into the store";
        registry.register("store_write_duration_seconds", help, store_write_seconds.clone());
        let clock_set_back = Family::default();
        let help = "Times that the clock was set back by more than a minute";
        registry.register("clock_set_back", help, clock_set_back.clone());
        let think_seconds = Family::new_with_constructor(thoughts as fn() -> Histogram);
        let help = "Length of deciding and planning";
        registry.register("think_duration_seconds", help, think_seconds.clone());
        let phase_seconds = Family::default();
        let help = "Last length of each phase of a node's life";
        registry.register("phase_seconds", help, phase_seconds.clone());
        let signal_value = Family::default();
        let help = "A signal's last usable value, in its own unit";
        registry.register("signal_value", help, signal_value.clone());
        let signal_usable = Family::default();
        let help = "Whether a signal was usable at the last look";
        registry.register("signal_usable", help, signal_usable.clone());
        let orphans = Family::default();
        let help = "Instances with the pool's tag that are no node of it";
        registry.register("orphans", help, orphans.clone());
        let healing_frozen = Family::default();
        let help = "Whether nobody is replaced because most nodes look unhealthy at once";
        registry.register("healing_frozen", help, healing_frozen.clone());
        let protected_nodes = Family::default();
        let help = "Nodes that an operator protects from removal";
        registry.register("protected_nodes", help, protected_nodes.clone());
        let fallback_nodes = Family::default();
        let help = "Living nodes that were made from another plan than the policy's first";
        registry.register("fallback_nodes", help, fallback_nodes.clone());
        let creating_rests = Family::default();
        let help = "Whether creating rests after failures in a row though nodes are wanted";
        registry.register("creating_rests", help, creating_rests.clone());
        let creates_in_doubt = Family::default();
        let help = "Given up nodes that may have an instance and leave no room for others";
        registry.register("creates_in_doubt", help, creates_in_doubt.clone());
        let removals_braked = Family::default();
        let help = "Nodes that are not needed and stay because the brake on removals holds";
        registry.register("removals_braked", help, removals_braked.clone());
        let ineffective = Family::default();
        let help = "Whether rules add no more because their scale-outs helped nothing";
        registry.register("scale_out_ineffective", help, ineffective.clone());
        let budget_used = Family::default();
        let help = "Used share of the budget, the larger one of an hour's and a month's";
        registry.register("budget_used_ratio", help, budget_used.clone());
        let forecast_bound = Family::default();
        let help = "What the largest rate should stay under until a node could serve";
        registry.register("forecast_bound", help, forecast_bound.clone());
        let forecast_error = Family::default();
        let help = "Mean distance of what was expected from what came, as a share of what came";
        registry.register("forecast_error_ratio", help, forecast_error.clone());
        let forecast_coverage = Family::default();
        let help = "Share of outcomes of about a day that stayed under their bound";
        registry.register("forecast_coverage_ratio", help, forecast_coverage.clone());
        let notes = Family::default();
        let help = "Things that the last plan would have done and did not";
        registry.register("plan_notes", help, notes.clone());
        let outbox_messages = Family::default();
        let help = "Messages that wait in the outbox";
        registry.register("outbox_messages", help, outbox_messages.clone());
        let outbox_oldest_age = Family::default();
        let help = "Age of the oldest message that waits in the outbox";
        registry.register("outbox_oldest_age_seconds", help, outbox_oldest_age.clone());
        let outbox_deliveries = Family::default();
        let help = "Tries to deliver messages of the outbox";
        registry.register("outbox_deliveries", help, outbox_deliveries.clone());
        let outbox_given_up = Family::default();
        let help = "Messages of the outbox that are tried no more";
        registry.register("outbox_given_up", help, outbox_given_up.clone());
        let api_requests = Family::default();
        registry.register("api_requests", "Requests to the API", api_requests.clone());
        let answers = || Histogram::new([0.001, 0.0025, 0.005, 0.01, 0.025, 0.1, 0.5, 2.5, 10.0]);
        let api_request_seconds = Family::new_with_constructor(answers as fn() -> Histogram);
        let help = "Time until an answer of the API begins";
        registry.register("api_request_duration_seconds", help, api_request_seconds.clone());
        let certificate_ends = Gauge::default();
        let help = "When the certificate of the API ends, in Unix seconds; 0 without one";
        registry.register("certificate_end_timestamp_seconds", help, certificate_ends.clone());
        Self {
            registry: Arc::new(registry),
            nodes,
            desired_nodes,
            shadow_desired_nodes,
            dry_run,
            suppressed_acts,
            decisions,
            steps,
            look_seconds,
            store_failing,
            store_failures,
            store_write_seconds,
            clock_set_back,
            think_seconds,
            phase_seconds,
            signal_value,
            signal_usable,
            orphans,
            healing_frozen,
            protected_nodes,
            fallback_nodes,
            creating_rests,
            creates_in_doubt,
            removals_braked,
            ineffective,
            budget_used,
            forecast_bound,
            forecast_error,
            forecast_coverage,
            notes,
            outbox_messages,
            outbox_oldest_age,
            outbox_deliveries,
            outbox_given_up,
            api_requests,
            api_request_seconds,
            certificate_ends,
        }
    }

    /// All metrics in the OpenMetrics text format.
    pub fn text(&self) -> String {
        let mut text = String::new();
        encode(&mut text, &self.registry).expect("writing to a string cannot fail");
        text
    }

    /// The same in the older text format of Prometheus, which more programs read.
    pub fn plain_text(&self) -> String {
        plain::plain(&self.text())
    }
}

impl Default for Metrics {
    fn default() -> Self {
        Self::new()
    }
}
