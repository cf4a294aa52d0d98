//! The settings of a pool, every default filled in and every value legal. As JSON, durations read
//! as they are written in a policy: `5m`.

mod balancer_signal;
mod budget;
mod calendar;
mod rules;
mod schedule;
mod step;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use serde::Serialize;

pub use balancer_signal::{BalancerMetric, BalancerSignal, Take};
pub use budget::Budget;
pub use calendar::{CalendarEntry, Comes};
pub use rules::{
    CountRule, FixedRule, ForecastRule, HintRule, LatencyRule, Lead, Rule, RuleScaleIn, SurgeRule,
    TargetForm, TargetRule,
};
pub use schedule::{ScheduleRule, When};
pub use step::{Band, BandAction, Samples, StepRounding, StepRule};

use crate::domain::{
    AddressRange, BackendName, CidrBlock, Duration, NodeCount, Percent, PoolName, SignalName,
};

/// One pool's policy.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Policy {
    /// The pool.
    pub pool: PoolName,
    /// Whether decisions are carried out.
    pub control: Control,
    /// The smallest and the largest count.
    pub bounds: Bounds,
    /// What the pool may cost; none: only `bounds.max` caps it.
    pub budget: Option<Budget>,
    /// What is measured, by name.
    pub signals: BTreeMap<SignalName, Signal>,
    /// What each wants; the highest wins, scale-in needs all. At least one.
    pub rules: Vec<Rule>,
    /// Campaigns that come by themselves.
    pub hints: Vec<CalendarEntry>,
    /// How far load may stray from the count before it changes.
    pub tolerance: Tolerance,
    /// How the count may rise.
    pub scale_out: ScaleOut,
    /// How the count may fall.
    pub scale_in: ScaleIn,
    /// When scale-outs that help nothing end; none: never.
    pub effectiveness: Option<Effectiveness>,
    /// What happens while no signal can be read.
    pub missing_data: MissingData,
    /// What is kept ready beside the nodes that serve.
    pub standby: Standby,
    /// What an instance is made from.
    pub node: NodeTemplate,
    /// How it is configured.
    pub configure: Configure,
    /// How it begins to serve.
    pub join: Join,
    /// How it ends to serve.
    pub leave: Leave,
    /// When nodes in service are replaced; none: only where they are gone.
    pub health: Option<Health>,
    /// How many nodes may leave within a time, whatever wants them gone.
    pub brake: Brake,
    /// What becomes of instances that carry the pool's tag and are no node of it.
    pub orphans: Orphans,
    /// SHA-256 of the text that this policy was read from, in hexadecimal.
    pub digest: String,
    /// The text itself.
    #[serde(skip)]
    pub text: Arc<str>,
}

/// Whether decisions are carried out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Control {
    /// Decide, plan and act.
    Automatic,
    /// Decide and plan; record the plan as suppressed.
    DryRun,
    /// Keep the count as it is; nodes already on their way go on.
    Hold,
}

impl Control {
    /// The more cautious of two.
    pub fn stricter(self, other: Self) -> Self {
        match (self, other) {
            (Self::DryRun, _) | (_, Self::DryRun) => Self::DryRun,
            (Self::Hold, _) | (_, Self::Hold) => Self::Hold,
            (Self::Automatic, Self::Automatic) => Self::Automatic,
        }
    }
}

/// The smallest and the largest count; `min <= default <= max`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct Bounds {
    /// Never fewer.
    pub min: NodeCount,
    /// Never more instances, failed and in-flight ones counted.
    pub max: NodeCount,
    /// At least this many while no signal can be read.
    pub default: NodeCount,
}

/// One measured value.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Signal {
    /// Where it is read.
    pub source: SignalSource,
    /// Whether its value is about the whole pool or about one node.
    pub measures: Measures,
    /// An older sample counts as missing.
    #[serde(with = "humantime_serde")]
    pub stale_after: Duration,
    /// How many sources should speak in it, where that is checked.
    pub coverage: Option<Coverage>,
}

/// Whether a signal's value is about the whole pool or about one node.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Measures {
    /// The pool: it stays as it is when nodes leave.
    Pool,
    /// One node, such as the average of all: it rises when others leave and their load comes.
    Node,
}

/// Where a signal is read.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum SignalSource {
    /// The value of a PromQL query: one, or one of each node.
    Prometheus {
        /// The query.
        query: String,
        /// How its series are told apart, where it has one for each node.
        nodes: Option<NodeSeries>,
    },
    /// What the load balancers have counted.
    Haproxy(BalancerSignal),
}

impl SignalSource {
    /// How its series belong to nodes, where it has one for each.
    pub fn nodes(&self) -> Option<&NodeSeries> {
        match self {
            Self::Prometheus { nodes, .. } => nodes.as_ref(),
            Self::Haproxy(_) => None,
        }
    }
}

/// How the series of a query belong to nodes.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct NodeSeries {
    /// The label whose value is a node's address on the VLAN or its instance's label, be it
    /// followed by a port.
    pub label: String,
    /// What a node has, in the signal's unit; above zero. It matters to a utilisation alone, and
    /// is 1 unless written: the value is then a share of what the node has.
    pub capacity: f64,
}

/// A second query that counts the sources behind a signal.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Coverage {
    /// The PromQL query whose value is the number of sources.
    pub query: String,
    /// How many sources make the signal whole.
    pub at_least: CoverageNeed,
}

/// How many sources make a signal whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum CoverageNeed {
    /// As many as there are serving nodes.
    Serving,
    /// This many.
    Count(u32),
}

/// How far load may stray from what the count carries before the count changes; inclusive.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Tolerance {
    /// Above, for scaling out.
    pub out: Percent,
    /// Below, for scaling in.
    pub scale_in: Percent,
}

/// How the count may rise.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ScaleOut {
    /// Rises only to the lowest count recommended within this time.
    #[serde(with = "humantime_serde")]
    pub stabilize: Duration,
    /// Limits on the rise. None: no limit.
    pub pace: Vec<Pace>,
    /// Which of the limits counts.
    pub pace_select: PaceSelect,
    /// No further rise until this long after the last one's capacity served.
    #[serde(with = "humantime_serde")]
    pub cooldown: Duration,
}

/// How the count may fall, and who leaves.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ScaleIn {
    /// Falls only to the highest count recommended within this time.
    #[serde(with = "humantime_serde")]
    pub stabilize: Duration,
    /// Limits on the fall. None: no limit.
    pub pace: Vec<Pace>,
    /// Which of the limits counts.
    pub pace_select: PaceSelect,
    /// No fall until this long after the last change's capacity served or left.
    #[serde(with = "humantime_serde")]
    pub cooldown: Duration,
    /// Who leaves first among healthy serving nodes.
    pub order: LeaveOrder,
    /// Whether a surplus node may leave before its paid hour ends.
    pub leave_early: LeaveEarly,
}

/// A limit on how fast the count moves.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Pace {
    /// How much.
    pub limit: PaceLimit,
    /// Within how long; above zero.
    #[serde(with = "humantime_serde")]
    pub per: Duration,
}

/// How much the count may move within a period.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum PaceLimit {
    /// A number of nodes.
    Nodes(u32),
    /// A share of the count at the period's beginning.
    Percent(Percent),
}

/// Which of several limits counts. Source: `selectPolicy` of Kubernetes' HPA (`Max`, `Min`,
/// `Disabled`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum PaceSelect {
    /// The one that allows the largest change.
    Largest,
    /// The one that allows the smallest change.
    Smallest,
    /// None: the count does not move this way at all.
    Disabled,
}

/// Who leaves first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum LeaveOrder {
    /// Whose paid hour ends soonest.
    BillingHour,
    /// Who was planned last.
    Newest,
    /// Who was planned first.
    Oldest,
}

/// Whether a surplus node may leave before its paid hour ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum LeaveEarly {
    /// It serves on as free head-room until the last minutes of the hour that is paid anyway.
    No,
    /// It leaves as soon as it is not needed.
    Yes,
    /// It drains as soon as it is not needed, and then stands by until the last minutes of the
    /// hour that is paid anyway.
    ToStandby,
}

/// When scale-outs that help nothing end.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Effectiveness {
    /// So many in a row without effect end them; above zero.
    pub after: u32,
    /// An effect is a fall of the signal by at least this much.
    pub improves: Percent,
    /// After so long, another one may be tried.
    #[serde(with = "humantime_serde")]
    pub rest: Duration,
}

/// What happens while no rule's signal can be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct MissingData {
    /// The count is held for so long; then it is raised to `bounds.default` if lower.
    #[serde(with = "humantime_serde")]
    pub hold_for: Duration,
}

/// What is kept ready beside the nodes that serve: configured, registered and checked, given no
/// requests. Such a node joins with one command.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Standby {
    /// So many, as far as `bounds.max` has room for them beside those that serve.
    pub nodes: NodeCount,
}

/// What an instance is made from.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct NodeTemplate {
    /// The Linode plan, such as `g6-standard-2`.
    pub instance_type: String,
    /// Plans of the same capacity that nodes are made from while that one is sold out, the first
    /// choice first.
    pub fallback_types: Vec<String>,
    /// The region.
    pub region: String,
    /// The image.
    pub image: String,
    /// The VLAN.
    pub vlan: Vlan,
    /// The Cloud Firewall, where one is named.
    pub firewall: Option<u64>,
    /// How we get in.
    pub ssh: Ssh,
    /// How long an instance may take from the create call to `running`.
    #[serde(with = "humantime_serde")]
    pub boot_timeout: Duration,
    /// How long creating rests after failures in a row.
    pub backoff: Backoff,
}

/// How long creating rests after nodes that came to nothing, doubling from `first` to `longest`.
/// The first failure of a row is followed by another try at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Backoff {
    /// After the second failure in a row.
    #[serde(with = "humantime_serde")]
    pub first: Duration,
    /// Never longer.
    #[serde(with = "humantime_serde")]
    pub longest: Duration,
}

/// The VLAN and the addresses that may be handed out on it.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Vlan {
    /// Its label.
    pub label: String,
    /// Its addresses.
    pub cidr: CidrBlock,
    /// Addresses never handed out: balancers, the daemon, databases.
    pub reserve: Vec<AddressRange>,
    /// How long a freed address rests: neighbours remember the old machine.
    #[serde(with = "humantime_serde")]
    pub quarantine: Duration,
}

/// How we get into an instance.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Ssh {
    /// The user that the playbook logs in as.
    pub user: String,
    /// The port.
    pub port: u16,
    /// A file of public keys that the instance accepts.
    pub authorized_keys_file: PathBuf,
    /// The private key that the playbook uses.
    pub private_key_file: PathBuf,
}

/// How an instance is configured.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Configure {
    /// The playbook.
    pub playbook: PathBuf,
    /// How long one run may take.
    #[serde(with = "humantime_serde")]
    pub timeout: Duration,
    /// How many nodes one run takes at most; above zero.
    pub batch: u32,
    /// Further variables for the playbook.
    pub variables: BTreeMap<String, String>,
}

/// How a node begins to serve.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Join {
    /// The HAProxy backend, the same on every balancer.
    pub backend: BackendName,
    /// The application's port.
    pub port: u16,
    /// How the balancers check it.
    pub check: HealthCheck,
    /// Requests at once on one node; more wait in the balancer's queue. None: no limit.
    pub max_connections: Option<u32>,
    /// How long its weight takes to rise to full.
    #[serde(with = "humantime_serde")]
    pub slow_start: Duration,
    /// How long it may take to be UP on every balancer.
    #[serde(with = "humantime_serde")]
    pub timeout: Duration,
}

/// How balancers check a server. What is asked (`GET /healthz`) stands in HAProxy's own
/// configuration of the backend: dynamic servers take it from there.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct HealthCheck {
    /// Between two checks.
    #[serde(with = "humantime_serde")]
    pub interval: Duration,
    /// Passes in a row that make it UP.
    pub rise: u32,
    /// Failures in a row that make it DOWN; at least 2, because with 1 a stale
    /// result could not be told from a fresh one.
    pub fall: u32,
}

/// How a node ends to serve.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Leave {
    /// How long its requests may take to end.
    #[serde(with = "humantime_serde")]
    pub drain_timeout: Duration,
}

/// When nodes in service are replaced for being unhealthy: DOWN on every balancer that answers.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Health {
    /// After so long without a break.
    #[serde(with = "humantime_serde")]
    pub unhealthy_for: Duration,
    /// Such a share of the nodes in service at once, and one in any case.
    pub replace_at_most: Percent,
}

/// How many nodes may leave within a time, whatever wants them gone: the smaller of a number and a
/// share, and three in any case.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Brake {
    /// So many; above zero.
    pub nodes: u32,
    /// Such a share of those that served or stood by within the time.
    pub share: Percent,
    /// Within so long.
    #[serde(with = "humantime_serde")]
    pub per: Duration,
}

/// What becomes of instances that carry the pool's tag and are no node of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Orphans {
    /// They are kept for so long, in every listing of which they are seen.
    #[serde(with = "humantime_serde")]
    pub keep_for: Duration,
    /// What follows.
    pub then: OrphanEnd,
}

/// What becomes of an orphan in the end.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum OrphanEnd {
    /// It is told of and left alone.
    Report,
    /// It is deleted, if its label is of our making, too.
    Delete,
}
