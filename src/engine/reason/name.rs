//! Reasons as metrics and policies' tests name them.
//!
//! In: a reason.
//! Out: its word.
//! Never: another word than JSON has for it.

use super::Reason;

impl Reason {
    /// The word for it in metrics; the same as in JSON.
    pub fn name(&self) -> &'static str {
        match self {
            Self::LoadNeeds { .. } => "load_needs",
            Self::LoadFits { .. } => "load_fits",
            Self::SquareRootNeeds { .. } => "square_root_needs",
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
