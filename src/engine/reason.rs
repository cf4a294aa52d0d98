//! Why a number is what it is: one enum feeds the sentence, the JSON, the metric label and the
//! tests, so they can't disagree.

mod name;
mod sentence;

use serde::{Deserialize, Serialize};

use super::{Belief, Direction, RuleKey};
use crate::domain::{CampaignKind, Dollars, HintSource, Missing, NodeCount, SignalName, Timestamp};

/// Why a rule wants a count, or why a guard changed it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(tag = "reason", rename_all = "snake_case")]
pub enum Reason {
    /// A rate over the pool needs so many nodes, and that is another number than now.
    LoadNeeds {
        /// The signal.
        signal: SignalName,
        /// Its value, in requests per second.
        load: f64,
        /// What one node carries, in requests per second.
        per_node: f64,
        /// Room kept free, in percent of the load.
        headroom_percent: f64,
        /// What that comes to.
        needed: NodeCount,
    },
    /// A rate over the pool needs exactly the nodes that there are.
    LoadFits {
        /// The signal.
        signal: SignalName,
        /// Its value, in requests per second.
        load: f64,
        /// What that needs, headroom included, before rounding up to whole nodes.
        needs: f64,
        /// The count.
        count: NodeCount,
    },
    /// A rate over the pool needs so many nodes by the square-root rule.
    SquareRootNeeds {
        /// The signal.
        signal: SignalName,
        /// Its value, in requests per second.
        load: f64,
        /// What one node carries at most, in requests per second.
        per_node: f64,
        /// How many nodes it would keep wholly busy.
        work: f64,
        /// How many nodes more are kept free.
        spare: f64,
        /// What that comes to.
        needed: NodeCount,
    },
    /// A rate needs no more nodes than there are, and its rule only ever raises the count.
    RaisesOnly {
        /// The signal.
        signal: SignalName,
        /// Its value, in requests per second.
        load: f64,
        /// What that comes to.
        needed: NodeCount,
    },
    /// One value against its target needs so many nodes.
    RatioNeeds {
        /// The signal.
        signal: SignalName,
        /// Its value, in its own unit.
        value: f64,
        /// What it should be.
        target: f64,
        /// How many nodes serve.
        serving: NodeCount,
        /// What that comes to.
        needed: NodeCount,
    },
    /// One value against its target says nothing while no node serves.
    NoNodeServes {
        /// The signal.
        signal: SignalName,
        /// Its value, in its own unit.
        value: f64,
        /// What it should be.
        target: f64,
    },
    /// The nodes' average against its target needs so many nodes.
    AverageNeeds {
        /// The signal.
        signal: SignalName,
        /// The average of the nodes that speak, in the signal's own unit.
        average: f64,
        /// What it should be.
        target: f64,
        /// How many serving nodes speak.
        heard: NodeCount,
        /// How many serving nodes are silent.
        missing: NodeCount,
        /// How many nodes are on their way.
        unready: NodeCount,
        /// What that comes to.
        needed: NodeCount,
    },
    /// The nodes' use of what they have, against its target, needs so many nodes.
    UtilisationNeeds {
        /// The signal.
        signal: SignalName,
        /// What the nodes that speak use, in whole per cent of what they have.
        percent: u32,
        /// What it should be, in per cent.
        target_percent: u32,
        /// How many serving nodes speak.
        heard: NodeCount,
        /// How many serving nodes are silent.
        missing: NodeCount,
        /// How many nodes are on their way.
        unready: NodeCount,
        /// What that comes to.
        needed: NodeCount,
    },
    /// The nodes that speak would change the count, but not with the others counted in.
    SilentNodesHold {
        /// The signal.
        signal: SignalName,
        /// How many serving nodes are silent.
        missing: NodeCount,
        /// How many nodes are on their way.
        unready: NodeCount,
        /// The count that stays.
        count: NodeCount,
    },
    /// A signal is a count.
    SignalSays {
        /// The signal.
        signal: SignalName,
        /// Its value.
        value: f64,
        /// The count.
        count: NodeCount,
    },
    /// A rule always wants the same count.
    FixedCount {
        /// The count.
        count: NodeCount,
    },
    /// No campaign is announced, or none that is still awaited.
    NothingAnnounced {},
    /// A campaign is announced, and it is too early to ask for nodes.
    CampaignAhead {
        /// Its kind.
        campaign: CampaignKind,
        /// When it should begin.
        starts_at: Timestamp,
        /// The most that it should bring on top, in requests per second.
        expected: f64,
        /// What that comes to, with the load beside it.
        needed: NodeCount,
        /// In how many seconds nodes are asked for.
        in_seconds: u64,
        /// Who announced it.
        #[serde(default, skip_serializing_if = "HintSource::is_person")]
        source: HintSource,
    },
    /// Announced campaigns need so many nodes.
    CampaignNeeds {
        /// The kind of the largest one.
        campaign: CampaignKind,
        /// When that should begin.
        starts_at: Timestamp,
        /// What all of them should bring on top, in requests per second.
        expected: f64,
        /// The load beside them, in requests per second.
        beside: f64,
        /// What one node carries, in requests per second.
        per_node: f64,
        /// How much more than announced may come, in percent.
        margin_percent: f64,
        /// What that comes to.
        needed: NodeCount,
        /// From then on it needs fewer, step by step.
        until: Timestamp,
        /// Who announced the largest one.
        #[serde(default, skip_serializing_if = "HintSource::is_person")]
        source: HintSource,
    },
    /// A signal can't be used.
    SignalMissing {
        /// The signal.
        signal: SignalName,
        /// What is wrong with it.
        missing: Missing,
    },
    /// A signal speaks for some of its sources only.
    SignalPartial {
        /// The signal.
        signal: SignalName,
        /// How many sources speak in it.
        seen: u32,
        /// How many should.
        wanted: u32,
    },
    /// The largest demand that is expected needs so many nodes.
    ForecastNeeds {
        /// The signal.
        signal: SignalName,
        /// What its largest value should stay under, in requests per second.
        bound: f64,
        /// Within how long.
        horizon_seconds: u64,
        /// What a short node-minute is worth, of that and an idle one together.
        level: f64,
        /// What one node carries, in requests per second.
        per_node: f64,
        /// What that comes to.
        needed: NodeCount,
    },
    /// A forecast is only shown.
    ForecastShown {
        /// The signal.
        signal: SignalName,
        /// What its largest value should stay under, in requests per second.
        bound: f64,
        /// Within how long.
        horizon_seconds: u64,
        /// What that would come to.
        needed: NodeCount,
    },
    /// There is no forecast.
    NoForecast {
        /// The signal.
        signal: SignalName,
    },
    /// A forecast is not to be believed.
    ForecastNotBelieved {
        /// The signal.
        signal: SignalName,
        /// Why not.
        #[serde(flatten)]
        belief: Belief,
    },
    /// A rate rises fast.
    Surge {
        /// The signal.
        signal: SignalName,
        /// Its value, in requests per second.
        rate: f64,
        /// What it was before.
        earlier: f64,
        /// How long before.
        over_seconds: u64,
        /// What it is expected to rise to.
        expected: f64,
        /// What one node carries, in requests per second.
        per_node: f64,
        /// What that comes to.
        needed: NodeCount,
    },
    /// A rate does not rise fast.
    NoSurge {
        /// The signal.
        signal: SignalName,
        /// Its value, in requests per second.
        rate: f64,
        /// What it was before.
        earlier: f64,
        /// How long before.
        over_seconds: u64,
    },
    /// What a rate was before is not known.
    RiseUnknown {
        /// The signal.
        signal: SignalName,
        /// Its value, in requests per second.
        rate: f64,
    },
    /// A rule wants what it wanted a while ago.
    WishHeld {
        /// The signal.
        signal: SignalName,
        /// What it needed then.
        held: NodeCount,
        /// Until when that counts.
        until: Timestamp,
    },
    /// A latency was over its objective for long enough.
    LatencyTooLong {
        /// The signal.
        signal: SignalName,
        /// Its value, in seconds.
        seconds: f64,
        /// The objective, in seconds.
        objective_seconds: f64,
        /// For how long, in whole seconds.
        for_seconds: u64,
        /// How many nodes serve.
        serving: NodeCount,
        /// What the rule makes of that.
        needed: NodeCount,
    },
    /// A latency is over its objective, but not yet for long enough.
    LatencyTooLongBriefly {
        /// The signal.
        signal: SignalName,
        /// Its value, in seconds.
        seconds: f64,
        /// The objective, in seconds.
        objective_seconds: f64,
        /// When it will have been long enough.
        until: Timestamp,
    },
    /// A latency is neither too long nor short enough to let nodes leave.
    LatencyNotClear {
        /// The signal.
        signal: SignalName,
        /// Its value, in seconds.
        seconds: f64,
        /// Below this, nodes may leave; in seconds.
        clear_below_seconds: f64,
    },
    /// A latency is short enough.
    LatencyClear {
        /// The signal.
        signal: SignalName,
        /// Its value, in seconds.
        seconds: f64,
        /// Below this, nodes may leave; in seconds.
        clear_below_seconds: f64,
    },
    /// A value was inside of a band for long enough.
    StepTaken {
        /// The signal.
        signal: SignalName,
        /// Its value.
        value: f64,
        /// The band, such as "below 300".
        band: String,
        /// What it does, such as "remove 1".
        step: String,
        /// The nodes that the step counts from.
        counted_from: NodeCount,
        /// What the rule makes of that.
        needed: NodeCount,
    },
    /// A value is inside of a band, but not yet for long enough.
    StepWaits {
        /// The signal.
        signal: SignalName,
        /// Its value.
        value: f64,
        /// The band, such as "below 300".
        band: String,
        /// What it does, such as "remove 1".
        step: String,
        /// How many of the last samples are inside.
        inside: u32,
        /// How many must be.
        within: u32,
        /// How many samples are looked at.
        of: u32,
        /// When it will have been long enough; none where further samples are awaited.
        until: Option<Timestamp>,
    },
    /// A value is outside of all bands.
    OutsideBands {
        /// The signal.
        signal: SignalName,
        /// Its value.
        value: f64,
        /// The nearest bands below and above it, and what they do.
        nearest: Vec<String>,
    },
    /// A window of a schedule is open.
    ScheduleOpen {
        /// Never fewer meanwhile.
        at_least: Option<NodeCount>,
        /// Never more meanwhile.
        at_most: Option<NodeCount>,
        /// When it closes.
        until: Timestamp,
    },
    /// No window of a schedule is open.
    ScheduleClosed {
        /// Never fewer while one is.
        at_least: Option<NodeCount>,
        /// Never more while one is.
        at_most: Option<NodeCount>,
        /// When the next one opens; none where none ever does.
        opens: Option<Timestamp>,
    },
    /// No rule has an opinion.
    NoOpinion {
        /// The count that stays.
        count: NodeCount,
    },
    /// No signal can be read, and the count is held for now.
    BlindHeld {
        /// The count.
        count: NodeCount,
        /// Since when.
        since: Timestamp,
        /// Until when it is held.
        until: Timestamp,
        /// At least this many from then on.
        default: NodeCount,
    },
    /// No signal could be read for so long that the pool goes to its default.
    BlindFloor {
        /// Since when.
        since: Timestamp,
        /// At least this many.
        default: NodeCount,
    },
    /// A broken signal lets no node leave.
    BrokenSignalHolds {
        /// What the readable signals would have come to.
        wanted: NodeCount,
        /// The broken signals.
        signals: Vec<SignalName>,
    },
    /// Fewer nodes would be called back at once: each would carry too much.
    FlapAhead {
        /// What was wanted.
        wanted: NodeCount,
        /// The fewest that nobody would be called back to.
        allowed: NodeCount,
        /// The rules that would call them back, by their keys.
        rules: Vec<String>,
        /// Latencies that nobody can foresee, so that they had no part in this.
        not_foreseen: Vec<SignalName>,
    },
    /// The load is too near to what the count carries.
    WithinTolerance {
        /// The rule that wanted it, by its key.
        #[schema(value_type = String)]
        rule: RuleKey,
        /// What it wanted.
        wanted: NodeCount,
        /// What the load needs, before rounding up to whole nodes.
        needs: f64,
        /// The count that stays.
        count: NodeCount,
        /// The tolerance, in percent of what the count carries.
        tolerance_percent: f64,
    },
    /// The change waits until it was recommended for a whole window.
    Stabilized {
        /// Which way it would have gone.
        direction: Direction,
        /// What was wanted.
        wanted: NodeCount,
        /// What was recommended within the window, and holds the change back.
        recommended: NodeCount,
        /// The window, in seconds.
        window_seconds: u64,
        /// When that recommendation is as old as the window.
        until: Timestamp,
    },
    /// The last scale-outs that these rules asked for helped nothing, so they add no more.
    Ineffective {
        /// What was wanted.
        wanted: NodeCount,
        /// What is left without them.
        allowed: NodeCount,
        /// The rules, by their keys.
        rules: Vec<String>,
        /// So many scale-outs in a row had no effect.
        scale_outs: u32,
        /// An effect would have been a fall by so much, in per cent.
        improves_percent: f64,
        /// When they may add nodes again; sooner if their signals clear.
        until: Timestamp,
    },
    /// The change is faster than the pace.
    LimitedByPace {
        /// Which way it goes.
        direction: Direction,
        /// What was wanted.
        wanted: NodeCount,
        /// What the pace allows.
        allowed: NodeCount,
        /// When it allows more; none where only another setting would.
        until: Option<Timestamp>,
    },
    /// The policy lets the count not move this way at all.
    DirectionDisabled {
        /// Which way it would have gone.
        direction: Direction,
        /// What was wanted.
        wanted: NodeCount,
        /// The count that stays.
        count: NodeCount,
    },
    /// The pool rests after a change.
    CoolingDown {
        /// Which way it would have gone.
        direction: Direction,
        /// What was wanted.
        wanted: NodeCount,
        /// When it ends.
        until: Timestamp,
    },
    /// A scale-out's capacity does not serve yet.
    AwaitingCapacity {
        /// Which way it would have gone.
        direction: Direction,
        /// What was wanted.
        wanted: NodeCount,
        /// How many nodes serve.
        serving: NodeCount,
        /// How many shall.
        desired: NodeCount,
        /// When we give up waiting.
        until: Timestamp,
    },
    /// An operator holds the count.
    HeldByOperator {
        /// What was wanted.
        wanted: NodeCount,
        /// What is kept.
        count: NodeCount,
    },
    /// An operator ordered this very count.
    SetByOperator {
        /// What was wanted.
        wanted: NodeCount,
        /// What was ordered.
        count: NodeCount,
        /// When the order ends.
        until: Option<Timestamp>,
    },
    /// An operator ordered no fewer.
    RaisedByOperator {
        /// What was wanted.
        wanted: NodeCount,
        /// What was ordered.
        floor: NodeCount,
        /// When the order ends.
        until: Option<Timestamp>,
    },
    /// An operator ordered no more.
    CutByOperator {
        /// What was wanted.
        wanted: NodeCount,
        /// What was ordered.
        ceiling: NodeCount,
        /// When the order ends.
        until: Option<Timestamp>,
    },
    /// An operator ordered that the count does not move this way.
    DirectionHeldByOperator {
        /// Which way it would have gone.
        direction: Direction,
        /// What was wanted.
        wanted: NodeCount,
        /// What is kept.
        count: NodeCount,
        /// When the order ends.
        until: Option<Timestamp>,
    },
    /// The budget holds.
    CutByBudget {
        /// What was wanted.
        wanted: NodeCount,
        /// What it pays for.
        affordable: NodeCount,
        /// Which budget.
        period: BudgetPeriod,
        /// That budget, in millionths of a dollar.
        cap: Dollars,
        /// What a node costs an hour, in millionths of a dollar.
        node_hourly: Dollars,
    },
    /// What a node costs is unknown, so no further one is bought on a budget.
    PriceUnknown {
        /// What was wanted.
        wanted: NodeCount,
        /// What is kept.
        count: NodeCount,
    },
    /// The budget is nearly used up; the count stays as it is.
    BudgetNear {
        /// Which budget.
        period: BudgetPeriod,
        /// That budget, in millionths of a dollar.
        cap: Dollars,
        /// How much of it is used, in per cent.
        used_percent: f64,
    },
    /// The budget does not pay for the smallest count, which holds all the same.
    BudgetBelowMin {
        /// What it pays for.
        affordable: NodeCount,
        /// Which budget.
        period: BudgetPeriod,
        /// The smallest count.
        min: NodeCount,
    },
    /// The count was outside of its bounds and comes back first; rules speak from the next look.
    BackWithinBounds {
        /// The count before.
        from: NodeCount,
        /// What was wanted.
        wanted: NodeCount,
        /// The nearest count within the bounds.
        bound: NodeCount,
    },
    /// The smallest count of a schedule holds.
    RaisedToSchedule {
        /// What was wanted.
        wanted: NodeCount,
        /// The smallest count.
        floor: NodeCount,
        /// When its window closes.
        until: Timestamp,
    },
    /// The largest count of a schedule holds.
    CutToSchedule {
        /// What was wanted.
        wanted: NodeCount,
        /// The largest count.
        ceiling: NodeCount,
        /// When its window closes.
        until: Timestamp,
    },
    /// The smallest count holds.
    RaisedToMin {
        /// What was wanted.
        wanted: NodeCount,
        /// The smallest count.
        min: NodeCount,
    },
    /// The largest count holds.
    CutToMax {
        /// What was wanted.
        wanted: NodeCount,
        /// The largest count.
        max: NodeCount,
    },
}

/// The time that a budget is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum BudgetPeriod {
    /// An hour.
    Hour,
    /// A calendar month.
    Month,
}
