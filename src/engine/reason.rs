//! Why a number is what it is: one enum feeds the sentence, the JSON, the metric label and the
//! tests, so they can't disagree.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::text::{Latency, Length, Listed, Moment, Number, Plain, TimeOfDay};
use super::{Belief, Direction};
use crate::domain::{CampaignKind, Dollars, Missing, NodeCount, SignalName, Timestamp};

/// Why a rule wants a count, or why a guard changed it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
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
        rule: String,
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
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum BudgetPeriod {
    /// An hour.
    Hour,
    /// A calendar month.
    Month,
}

impl Reason {
    /// The word for it in metrics; the same as in JSON.
    pub fn name(&self) -> &'static str {
        match self {
            Self::LoadNeeds { .. } => "load_needs",
            Self::LoadFits { .. } => "load_fits",
            Self::RaisesOnly { .. } => "raises_only",
            Self::RatioNeeds { .. } => "ratio_needs",
            Self::NoNodeServes { .. } => "no_node_serves",
            Self::AverageNeeds { .. } => "average_needs",
            Self::UtilisationNeeds { .. } => "utilisation_needs",
            Self::SilentNodesHold { .. } => "silent_nodes_hold",
            Self::SignalSays { .. } => "signal_says",
            Self::FixedCount { .. } => "fixed_count",
            Self::NothingAnnounced {} => "nothing_announced",
            Self::CampaignAhead { .. } => "campaign_ahead",
            Self::CampaignNeeds { .. } => "campaign_needs",
            Self::SignalMissing { .. } => "signal_missing",
            Self::SignalPartial { .. } => "signal_partial",
            Self::ForecastNeeds { .. } => "forecast_needs",
            Self::ForecastShown { .. } => "forecast_shown",
            Self::NoForecast { .. } => "no_forecast",
            Self::ForecastNotBelieved { .. } => "forecast_not_believed",
            Self::Surge { .. } => "surge",
            Self::NoSurge { .. } => "no_surge",
            Self::RiseUnknown { .. } => "rise_unknown",
            Self::WishHeld { .. } => "wish_held",
            Self::LatencyTooLong { .. } => "latency_too_long",
            Self::LatencyTooLongBriefly { .. } => "latency_too_long_briefly",
            Self::LatencyNotClear { .. } => "latency_not_clear",
            Self::LatencyClear { .. } => "latency_clear",
            Self::StepTaken { .. } => "step_taken",
            Self::StepWaits { .. } => "step_waits",
            Self::OutsideBands { .. } => "outside_bands",
            Self::ScheduleOpen { .. } => "schedule_open",
            Self::ScheduleClosed { .. } => "schedule_closed",
            Self::NoOpinion { .. } => "no_opinion",
            Self::BlindHeld { .. } => "blind_held",
            Self::BlindFloor { .. } => "blind_floor",
            Self::BrokenSignalHolds { .. } => "broken_signal_holds",
            Self::FlapAhead { .. } => "flap_ahead",
            Self::WithinTolerance { .. } => "within_tolerance",
            Self::Stabilized { .. } => "stabilized",
            Self::Ineffective { .. } => "ineffective",
            Self::LimitedByPace { .. } => "limited_by_pace",
            Self::DirectionDisabled { .. } => "direction_disabled",
            Self::CoolingDown { .. } => "cooling_down",
            Self::AwaitingCapacity { .. } => "awaiting_capacity",
            Self::HeldByOperator { .. } => "held_by_operator",
            Self::SetByOperator { .. } => "set_by_operator",
            Self::RaisedByOperator { .. } => "raised_by_operator",
            Self::CutByOperator { .. } => "cut_by_operator",
            Self::DirectionHeldByOperator { .. } => "direction_held_by_operator",
            Self::CutByBudget { .. } => "cut_by_budget",
            Self::PriceUnknown { .. } => "price_unknown",
            Self::BudgetNear { .. } => "budget_near",
            Self::BudgetBelowMin { .. } => "budget_below_min",
            Self::BackWithinBounds { .. } => "back_within_bounds",
            Self::RaisedToSchedule { .. } => "raised_to_schedule",
            Self::CutToSchedule { .. } => "cut_to_schedule",
            Self::RaisedToMin { .. } => "raised_to_min",
            Self::CutToMax { .. } => "cut_to_max",
        }
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::LoadNeeds { signal, load, per_node, headroom_percent, needed } => write!(
                f,
                "{signal} is {} req/s; at {} req/s a node and {} % headroom that needs {needed}",
                Number(*load),
                Number(*per_node),
                Number(*headroom_percent)
            ),
            Self::LoadFits { signal, load, needs, count } => write!(
                f,
                "{signal} is {} req/s and needs {} of {count}",
                Number(*load),
                Number(*needs)
            ),
            Self::RaisesOnly { signal, load, needed } => write!(
                f,
                "{signal} is {} req/s and needs {needed}; this rule only ever raises the count",
                Number(*load)
            ),
            Self::RatioNeeds { signal, value, target, serving, needed } => write!(
                f,
                "{signal} is {} against a target of {}, with {serving} serving; that needs {}",
                Plain(*value),
                Plain(*target),
                needed.0
            ),
            Self::NoNodeServes { signal, value, target } => write!(
                f,
                "{signal} is {} against a target of {}; while no node serves, nobody can say what \
                 that needs",
                Plain(*value),
                Plain(*target)
            ),
            Self::AverageNeeds { signal, average, target, heard, missing, unready, needed } => {
                write!(
                    f,
                    "{signal} is {} on average on {heard}{}, against a target of {}; that needs {}",
                    Plain(*average),
                    Others(*missing, *unready),
                    Plain(*target),
                    needed.0
                )
            }
            Self::UtilisationNeeds {
                signal,
                percent,
                target_percent,
                heard,
                missing,
                unready,
                needed,
            } => write!(
                f,
                "{signal} is {percent} % on {heard}{}, against a target of {target_percent} %; \
                 that needs {}",
                Others(*missing, *unready),
                needed.0
            ),
            Self::SilentNodesHold { signal, missing, unready, count } => write!(
                f,
                "{signal} would change the count, but not with the rest counted in{}; the pool \
                 stays at {count}",
                Others(*missing, *unready)
            ),
            Self::SignalSays { signal, value, count } => {
                write!(f, "{signal} is {}: {count}", Plain(*value))
            }
            Self::FixedCount { count } => write!(f, "this rule always wants {count}"),
            Self::NothingAnnounced {} => f.write_str("no campaign is announced"),
            Self::CampaignAhead { campaign, starts_at, expected, needed, in_seconds } => write!(
                f,
                "{campaign} at {} expects {} req/s on top and needs {needed}, asked for in {}",
                TimeOfDay(*starts_at),
                Number(*expected),
                Length(*in_seconds)
            ),
            Self::CampaignNeeds {
                campaign,
                starts_at,
                expected,
                beside,
                per_node,
                margin_percent,
                needed,
                until,
            } => write!(
                f,
                "{campaign} at {} expects {} req/s on top of {} req/s; at {} req/s a node and {} % \
                 margin that needs {needed} until {}",
                TimeOfDay(*starts_at),
                Number(*expected),
                Number(*beside),
                Number(*per_node),
                Number(*margin_percent),
                TimeOfDay(*until)
            ),
            Self::SignalMissing { signal, missing } => write!(f, "{signal} {missing}"),
            Self::SignalPartial { signal, seen, wanted } => write!(
                f,
                "{signal} speaks for {seen} of {wanted} sources; it may raise the count, not \
                 lower it"
            ),
            Self::ForecastNeeds { signal, bound, horizon_seconds, level, per_node, needed } => {
                write!(
                    f,
                    "{signal} is expected to stay under {} req/s for {} (level {}); at {} req/s a \
                     node that needs {needed}",
                    Number(*bound),
                    Length(*horizon_seconds),
                    Plain(*level),
                    Number(*per_node)
                )
            }
            Self::ForecastShown { signal, bound, horizon_seconds, needed } => write!(
                f,
                "{signal} is expected to stay under {} req/s for {}, which would need {needed}; \
                 the forecast is only shown",
                Number(*bound),
                Length(*horizon_seconds)
            ),
            Self::NoForecast { signal } => write!(f, "{signal} has no forecast yet"),
            Self::ForecastNotBelieved { signal, belief } => {
                write!(f, "{signal} has no forecast to go by: {belief}")
            }
            Self::Surge { signal, rate, earlier, over_seconds, expected, per_node, needed } => {
                write!(
                    f,
                    "{signal} rose from {} to {} req/s within {}, so it may reach {}; at {} req/s a \
                     node that needs {needed}",
                    Number(*earlier),
                    Number(*rate),
                    Length(*over_seconds),
                    Number(*expected),
                    Number(*per_node)
                )
            }
            Self::NoSurge { signal, rate, earlier, over_seconds } => write!(
                f,
                "{signal} is {} req/s, after {} req/s {} ago: no surge",
                Number(*rate),
                Number(*earlier),
                Length(*over_seconds)
            ),
            Self::RiseUnknown { signal, rate } => write!(
                f,
                "{signal} is {} req/s; what it was before is not known yet",
                Number(*rate)
            ),
            Self::WishHeld { signal, held, until } => write!(
                f,
                "{signal} needed {held} a while ago, which counts until {}",
                TimeOfDay(*until)
            ),
            Self::LatencyTooLong {
                signal,
                seconds,
                objective_seconds,
                for_seconds,
                serving,
                needed,
            } => write!(
                f,
                "{signal} is {}, over its objective of {} for {}, with {serving} serving; that \
                 needs {needed}",
                Latency(*seconds),
                Latency(*objective_seconds),
                Length(*for_seconds)
            ),
            Self::LatencyTooLongBriefly { signal, seconds, objective_seconds, until } => write!(
                f,
                "{signal} is {}, over its objective of {}; it adds nodes if that lasts until {}",
                Latency(*seconds),
                Latency(*objective_seconds),
                TimeOfDay(*until)
            ),
            Self::LatencyNotClear { signal, seconds, clear_below_seconds } => write!(
                f,
                "{signal} is {}; no node may leave until it is below {}",
                Latency(*seconds),
                Latency(*clear_below_seconds)
            ),
            Self::LatencyClear { signal, seconds, clear_below_seconds } => write!(
                f,
                "{signal} is {}, below {}: nodes may leave",
                Latency(*seconds),
                Latency(*clear_below_seconds)
            ),
            Self::StepTaken { signal, value, band, step, counted_from, needed } => write!(
                f,
                "{signal} is {}, {band}: {step}; counted from {}, that comes to {needed}",
                Plain(*value),
                counted_from.0
            ),
            Self::StepWaits { signal, value, band, step, inside, within, of, until } => {
                write!(f, "{signal} is {}, {band}: {step} ", Plain(*value))?;
                match until {
                    Some(until) => write!(f, "if that lasts until {}", TimeOfDay(*until)),
                    None => write!(
                        f,
                        "once {within} of the last {of} samples since the last step are inside \
                         ({inside} so far)"
                    ),
                }
            }
            Self::OutsideBands { signal, value, nearest } => {
                write!(f, "{signal} is {}, outside of every band", Plain(*value))?;
                match nearest.is_empty() {
                    true => Ok(()),
                    false => write!(f, " ({})", Listed(nearest)),
                }
            }
            Self::ScheduleOpen { at_least, at_most, until } => {
                write!(f, "{} until {}", Scheduled(*at_least, *at_most), Moment(*until))
            }
            Self::ScheduleClosed { at_least, at_most, opens } => {
                let bounds = Scheduled(*at_least, *at_most);
                match opens {
                    Some(opens) => write!(f, "{bounds} from {}", Moment(*opens)),
                    None => write!(f, "its last window, with {bounds}, has closed"),
                }
            }
            Self::NoOpinion { count } => {
                write!(f, "no rule has an opinion; the pool stays at {count}")
            }
            Self::BlindHeld { count, since, until, default } => write!(
                f,
                "no signal could be read since {}; the pool stays at {count} until {}, then it has \
                 at least {default}",
                TimeOfDay(*since),
                TimeOfDay(*until)
            ),
            Self::BlindFloor { since, default } => write!(
                f,
                "no signal could be read since {}, so the pool has at least its default of {default}",
                TimeOfDay(*since)
            ),
            Self::BrokenSignalHolds { wanted, signals } => {
                write!(f, "scale-in to {wanted} waits for a good reading of {}", Listed(signals))
            }
            Self::FlapAhead { wanted, allowed, rules, not_foreseen } => {
                write!(
                    f,
                    "scale-in to {wanted} goes no further than {}: with their load on fewer, {} \
                     would add nodes at once",
                    allowed.0,
                    Listed(rules)
                )?;
                match not_foreseen.is_empty() {
                    true => Ok(()),
                    false => write!(f, " (what {} would be, nobody knows)", Listed(not_foreseen)),
                }
            }
            Self::WithinTolerance { rule, wanted, needs, count, tolerance_percent } => write!(
                f,
                "the pool stays at {count}: the load needs {}, within the tolerance of {} % ({rule} \
                 wants {})",
                Number(*needs),
                Number(*tolerance_percent),
                wanted.0
            ),
            Self::Stabilized { direction, wanted, recommended, window_seconds, until } => write!(
                f,
                "{} to {wanted} goes no further than {} until {}: {} many were recommended \
                 within the last {}",
                Change(*direction),
                recommended.0,
                TimeOfDay(*until),
                if *direction == Direction::Out { "only so" } else { "so" },
                Length(*window_seconds)
            ),
            Self::Ineffective { wanted, allowed, rules, scale_outs, improves_percent, until } => {
                write!(
                    f,
                    "wanted {wanted}; {} may add none beyond {} until {} or until the signal \
                     clears: the last {scale_outs} scale-outs did not bring it down by {} %",
                    Listed(rules),
                    allowed.0,
                    TimeOfDay(*until),
                    Number(*improves_percent)
                )
            }
            Self::LimitedByPace { direction: _, wanted, allowed, until } => {
                write!(f, "wanted {wanted}; the pace allows {} for now", allowed.0)?;
                match until {
                    Some(until) => write!(f, ", more at {}", TimeOfDay(*until)),
                    None => Ok(()),
                }
            }
            Self::DirectionDisabled { direction, wanted, count } => write!(
                f,
                "{} to {wanted} is disabled by the policy; the pool stays at {}",
                Change(*direction),
                count.0
            ),
            Self::CoolingDown { direction, wanted, until } => write!(
                f,
                "{} to {wanted} waits for the cooldown, until {}",
                Change(*direction),
                TimeOfDay(*until)
            ),
            Self::AwaitingCapacity { direction, wanted, serving, desired, until } => write!(
                f,
                "{} to {wanted} waits for the last scale-out: {} of {desired} serve; it waits \
                 no longer than until {}",
                Change(*direction),
                serving.0,
                TimeOfDay(*until)
            ),
            Self::HeldByOperator { wanted, count } => {
                write!(f, "wanted {wanted}; an operator holds {count}")
            }
            Self::SetByOperator { wanted, count, until } => {
                write!(f, "wanted {wanted}; an operator set {}{}", count.0, Until(*until))
            }
            Self::RaisedByOperator { wanted, floor, until } => write!(
                f,
                "wanted {wanted}; an operator ordered no fewer than {}{}",
                floor.0,
                Until(*until)
            ),
            Self::CutByOperator { wanted, ceiling, until } => write!(
                f,
                "wanted {wanted}; an operator ordered no more than {}{}",
                ceiling.0,
                Until(*until)
            ),
            Self::DirectionHeldByOperator { direction, wanted, count, until } => write!(
                f,
                "wanted {wanted}; an operator ordered no {}{}, so the pool stays at {}",
                Change(*direction),
                Until(*until),
                count.0
            ),
            Self::CutByBudget { wanted, affordable, period, cap, node_hourly } => write!(
                f,
                "wanted {wanted}; at {node_hourly} an hour for each, the budget of {} pays for {}",
                Cap(*cap, *period),
                affordable.0
            ),
            Self::PriceUnknown { wanted, count } => write!(
                f,
                "wanted {wanted}; what a node costs is not known yet, so the budget allows no \
                 more than the {} that there are",
                count.0
            ),
            Self::BudgetNear { period, cap, used_percent } => write!(
                f,
                "{} % of the budget of {} is used",
                Number(*used_percent),
                Cap(*cap, *period)
            ),
            Self::BudgetBelowMin { affordable, period, min } => {
                let period = match period {
                    BudgetPeriod::Hour => "hourly",
                    BudgetPeriod::Month => "monthly",
                };
                write!(
                    f,
                    "the {period} budget pays for {affordable}, fewer than the smallest count of \
                     {}, which holds all the same",
                    min.0
                )
            }
            Self::BackWithinBounds { from, wanted, bound } => write!(
                f,
                "wanted {wanted}; {} are outside of the bounds, so the pool first comes back to \
                 {}, and its rules speak from the next look",
                from.0, bound.0
            ),
            Self::RaisedToSchedule { wanted, floor, until } => write!(
                f,
                "wanted {wanted}; the schedule keeps at least {} until {}",
                floor.0,
                Moment(*until)
            ),
            Self::CutToSchedule { wanted, ceiling, until } => write!(
                f,
                "wanted {wanted}; the schedule allows no more than {} until {}",
                ceiling.0,
                Moment(*until)
            ),
            Self::RaisedToMin { wanted, min } => {
                write!(f, "wanted {wanted}; the pool never has fewer than {min}")
            }
            Self::CutToMax { wanted, max } => {
                write!(f, "wanted {wanted}; the pool never has more than {max}")
            }
        }
    }
}

impl fmt::Display for Belief {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Trusted => f.write_str("its bound is no number"),
            Self::NotEnoughHistory { have_seconds, need_seconds } => {
                let (have, need) = (Length(*have_seconds), Length(*need_seconds));
                write!(f, "not enough history: {have} of {need}")
            }
            Self::Silent { seconds } => {
                write!(f, "nothing was measured for {}", Length(*seconds))
            }
            Self::CostlierThanReacting { times } => write!(
                f,
                "its bounds of the last hours cost {} times what merely reacting would have",
                Number(*times)
            ),
        }
    }
}

/// " (2 silent, 1 on the way)", and nothing where there is none.
struct Others(NodeCount, NodeCount);

impl fmt::Display for Others {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.0.0, self.1.0) {
            (0, 0) => Ok(()),
            (silent, 0) => write!(f, " ({silent} silent)"),
            (0, unready) => write!(f, " ({unready} on the way)"),
            (silent, unready) => write!(f, " ({silent} silent, {unready} on the way)"),
        }
    }
}

/// "at least 8 nodes and at most 30".
struct Scheduled(Option<NodeCount>, Option<NodeCount>);

impl fmt::Display for Scheduled {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.0, self.1) {
            (Some(least), Some(most)) => write!(f, "at least {least} and at most {}", most.0),
            (Some(least), None) => write!(f, "at least {least}"),
            (None, Some(most)) => write!(f, "at most {most}"),
            (None, None) => write!(f, "any count"),
        }
    }
}

/// "scale-out" or "scale-in".
struct Change(Direction);

impl fmt::Display for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Direction::Out => f.write_str("scale-out"),
            Direction::In => f.write_str("scale-in"),
            Direction::Hold => f.write_str("staying"),
        }
    }
}

/// " until 12:31:05 UTC", and nothing for an order that ends when it is taken back.
struct Until(Option<Timestamp>);

impl fmt::Display for Until {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.map_or(Ok(()), |until| write!(f, " until {}", TimeOfDay(until)))
    }
}

/// A budget: "$1.50 an hour".
struct Cap(Dollars, BudgetPeriod);

impl fmt::Display for Cap {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let period = match self.1 {
            BudgetPeriod::Hour => "an hour",
            BudgetPeriod::Month => "this month",
        };
        write!(f, "${:.2} {period}", self.0.get())
    }
}
