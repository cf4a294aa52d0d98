//! All that a decision may look at.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{Foreseen, RuleKey};
use crate::domain::{
    Dollars, FleetCounts, Hint, Node, NodeCount, NodeState, Reading, Sample, SignalName, Timestamp,
};
use crate::forecast::campaign::{Response, around, learned};
use crate::policy::Policy;

/// One look at a pool.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Observation {
    /// The moment of the look.
    pub at: Timestamp,
    /// The pool's nodes, counted.
    pub fleet: FleetCounts,
    /// The pool's nodes one by one, for signals with a series of each.
    #[serde(default)]
    pub nodes: Vec<ObservedNode>,
    /// What each signal of the policy said.
    pub readings: BTreeMap<SignalName, Reading>,
    /// What is expected of each `forecast` rule's signal, by the rule's key; nothing where there is
    /// no forecast yet.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub forecasts: BTreeMap<String, Foreseen>,
    /// Whether an operator's command, or the daemon's own setting, holds the pool; a policy that
    /// says `hold` does so without this.
    pub is_held: bool,
    /// What operators ordered beside that.
    #[serde(default)]
    pub overrides: Overrides,
    /// What the pool costs, where its policy has a budget.
    #[serde(default)]
    pub costs: Option<Costs>,
    /// Campaigns that were announced.
    #[serde(default, skip_serializing_if = "Announced::is_empty")]
    pub hints: Announced,
    /// What earlier decisions left behind.
    pub history: History,
}

/// What was announced, and what is known of it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(default)]
pub struct Announced {
    /// How many seconds before they are needed nodes must be asked for; none while nobody knows.
    pub lead_seconds: Option<f64>,
    /// Campaigns that are announced and not over.
    pub hints: Vec<ObservedHint>,
}

impl Announced {
    /// Whether there is nothing to know.
    pub fn is_empty(&self) -> bool {
        self.lead_seconds.is_none() && self.hints.is_empty()
    }

    /// What a policy's calendar announces at `at`, where nothing else is known of campaigns;
    /// `said` are samples of what they come on top of, oldest first, as far back as anyone knows.
    pub fn of_calendar(policy: &Policy, at: Timestamp, said: &[Sample]) -> Self {
        let hints = policy.campaigns_at(at).into_iter().map(|hint| {
            let around = around(&hint, said);
            let (before, peak) = (around.before, around.peak);
            ObservedHint { hint, response: learned(&[]), before, peak }
        });
        Self { lead_seconds: None, hints: hints.collect() }
    }
}

/// A campaign, and what is known of it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct ObservedHint {
    /// What was announced.
    pub hint: Hint,
    /// How devices respond to campaigns of its kind.
    pub response: Response,
    /// The load before it, in requests per second; none where nothing was measured.
    #[serde(default)]
    pub before: Option<f64>,
    /// The most since it should have begun, in requests per second; none where nothing was
    /// measured.
    #[serde(default)]
    pub peak: Option<f64>,
}

/// One node, as far as signals with a series of each node go.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct ObservedNode {
    /// Its instance's label.
    pub label: String,
    /// Its address on the VLAN.
    pub address: String,
    /// Whether its sample counts.
    pub readiness: Readiness,
}

/// Whether a node's sample counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Readiness {
    /// It serves: its sample counts, and is missing where there is none.
    Ready,
    /// It is on its way: its sample does not count yet, but where more nodes are wanted, it will
    /// carry its part.
    Unready,
    /// It leaves or is kept in standby, and its sample counts for nothing.
    Ignored,
}

impl ObservedNode {
    /// A node as signals see it; none where it is gone.
    pub fn of(node: &Node) -> Option<Self> {
        let readiness = match node.state {
            NodeState::InService | NodeState::Unhealthy { .. } => Readiness::Ready,
            NodeState::Planned
            | NodeState::Provisioning { .. }
            | NodeState::Configuring { .. }
            | NodeState::Joining { .. } => Readiness::Unready,
            NodeState::Standby | NodeState::Draining { .. } | NodeState::Deleting { .. } => {
                Readiness::Ignored
            }
            NodeState::Deleted | NodeState::Failed { .. } => return None,
        };
        let (label, address) = (node.label.to_string(), node.address.to_string());
        Some(Self { label, address, readiness })
    }

    /// The same, on its way to stand by.
    pub fn ignored(self) -> Self {
        Self { readiness: Readiness::Ignored, ..self }
    }
}

/// What operators ordered. An order counts until it ends; whoever builds an observation may leave
/// ended ones in.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(default)]
pub struct Overrides {
    /// This very count.
    pub set: Option<OrderedCount>,
    /// No fewer nodes.
    pub floor: Option<OrderedCount>,
    /// No more nodes.
    pub ceiling: Option<OrderedCount>,
    /// No change in these directions.
    pub holds: Vec<OrderedHold>,
    /// Every order in force, those about single nodes too, as it is told.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schema(required = false)]
    pub orders: Vec<Order>,
}

/// An operator's order as it is told.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Order {
    /// What was ordered, as a sentence without its full stop.
    pub what: String,
    /// When it ends by itself.
    pub until: Timestamp,
    /// Who ordered it.
    pub owner: String,
    /// Why, in the operator's words.
    pub reason: String,
}

impl std::fmt::Display for Order {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { what, until, owner, reason } = self;
        write!(f, "{what} until {until}, by {owner}: {reason}")
    }
}

impl Overrides {
    /// The moments at which orders end.
    pub fn ends(&self) -> impl Iterator<Item = Timestamp> {
        let counts = [self.set, self.floor, self.ceiling].into_iter().flatten();
        let counts = counts.map(|order| order.until);
        counts.chain(self.holds.iter().map(|hold| hold.until)).flatten()
    }
}

/// A count that an operator ordered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct OrderedCount {
    /// The count.
    pub count: NodeCount,
    /// When the order ends; none: when it is taken back.
    #[serde(default)]
    pub until: Option<Timestamp>,
}

/// A change that an operator forbade.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct OrderedHold {
    /// Which change.
    pub change: HeldChange,
    /// When the order ends; none: when it is taken back.
    #[serde(default)]
    pub until: Option<Timestamp>,
}

/// A change that an operator may forbid.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum HeldChange {
    /// No node comes.
    ScaleOut,
    /// No node leaves.
    ScaleIn,
}

/// What a pool costs, as of one moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Costs {
    /// What one started hour of one node costs; none where the cloud did not say.
    pub node_hourly: Option<Dollars>,
    /// The bill so far: hours started in this calendar month (UTC) times their price.
    pub spent: Dollars,
    /// What of that is still ahead: the rest of the hours that have started.
    pub paid_ahead: Dollars,
    /// Seconds to the month's end.
    pub month_seconds_left: u64,
}

/// What decisions remember. It is stored with each decision, so a restart changes none.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct History {
    /// What the last decision came to; none before the first.
    pub desired: Option<NodeCount>,
    /// What was recommended lately, oldest first, equal neighbours joined.
    pub recommendations: Vec<RecommendationSpan>,
    /// How the count changed lately, oldest first.
    pub scale_events: Vec<ScaleEvent>,
    /// Since when a scale-out waits for its capacity to serve.
    pub awaiting_capacity_since: Option<Timestamp>,
    /// No scale-out before this.
    pub scale_out_cooldown_until: Option<Timestamp>,
    /// No scale-in before this.
    pub scale_in_cooldown_until: Option<Timestamp>,
    /// The last look, where it is known apart from what was recommended. None: the last
    /// recommendation's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub looked_at: Option<Timestamp>,
    /// Conditions of rules that hold without a break, by the rule's key.
    pub conditions: BTreeMap<String, Condition>,
    /// What rules with a `hold` wanted lately, by the rule's key: oldest first, each lower than
    /// the one before.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub wishes: BTreeMap<String, Vec<Wish>>,
    /// What `surge` rules' signals said lately, by the rule's key, oldest first.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub rates: BTreeMap<String, Vec<Sample>>,
    /// Since when no rule's signal could be read.
    pub blind_since: Option<Timestamp>,
    /// What scale-outs did to the signals that asked for them, oldest first.
    #[serde(default)]
    pub effects: Vec<Effect>,
    /// What step rules saw lately, by the rule's key.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub steps: BTreeMap<String, StepMemory>,
}

/// A scale-out that a rule asked for, until it is known to have helped.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Effect {
    /// The rule, by its key.
    #[schema(value_type = String)]
    pub rule: RuleKey,
    /// When it was decided.
    pub at: Timestamp,
    /// The count that it led to.
    pub to: NodeCount,
    /// What the rule's signal said then: a latency in seconds, or a share of a target.
    pub before: f64,
    /// When so many nodes were first seen to serve.
    pub served_at: Option<Timestamp>,
    /// When it was found to have helped nothing.
    pub in_vain_at: Option<Timestamp>,
}

/// What one step rule remembers.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct StepMemory {
    /// The last look that could read its signal.
    pub seen: Option<Timestamp>,
    /// The last distinct samples, oldest first; at most as many as the rule looks back on.
    pub samples: Vec<KeptSample>,
    /// Samples up to here don't count: they speak of the pool before the last step.
    pub since: Option<Timestamp>,
    /// How many nodes served before a step whose capacity is still awaited.
    pub counted_from: Option<NodeCount>,
}

/// A sample that a step rule looks back on.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct KeptSample {
    /// When the value was true, by the source's clock.
    pub at: Timestamp,
    /// The value.
    pub value: f64,
    /// Whether every source spoke in it that should.
    pub is_whole: bool,
}

/// A count that a rule wanted.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Wish {
    /// The count.
    pub count: NodeCount,
    /// The count before rounding up, for tolerance.
    pub exact: f64,
    /// The last look at which it wanted so many.
    pub at: Timestamp,
}

/// A condition of a rule that holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Condition {
    /// Since when, without a break.
    pub since: Timestamp,
    /// The last look that saw it hold.
    pub seen: Timestamp,
}

/// A count that was recommended from one look to another without a change.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct RecommendationSpan {
    /// The count.
    pub count: NodeCount,
    /// The first look that recommended it.
    pub from: Timestamp,
    /// The last look that recommended it.
    pub until: Timestamp,
}

/// A change of the count.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct ScaleEvent {
    /// When it was decided.
    pub at: Timestamp,
    /// The count before.
    pub before: NodeCount,
    /// The count after.
    pub after: NodeCount,
}
