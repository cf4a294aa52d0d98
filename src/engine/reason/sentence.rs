//! Reasons as people read them.
//!
//! In: a reason.
//! Out: one sentence, without its full stop, with every number that the reason has.
//! Never: says what the reason does not hold.

use std::fmt;

use super::super::text::{Latency, Length, Listed, Moment, Number, Plain, TimeOfDay};
use super::super::{Belief, Direction};
use super::{BudgetPeriod, Reason};
use crate::domain::{Dollars, HintSource, NodeCount, Timestamp};

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
            Self::SquareRootNeeds { signal, load, per_node, work, spare, needed } => write!(
                f,
                "{signal} is {} req/s; at {} req/s a node that is {} nodes' worth of work, with {} \
                 to spare by the square-root rule that needs {needed}",
                Number(*load),
                Number(*per_node),
                Number(*work),
                Number(*spare)
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
            Self::CampaignAhead { campaign, starts_at, expected, needed, in_seconds, source } => {
                write!(
                    f,
                    "{campaign} at {}{} expects {} req/s on top and needs {needed}, asked for in {}",
                    TimeOfDay(*starts_at),
                    Source(*source),
                    Number(*expected),
                    Length(*in_seconds)
                )
            }
            Self::CampaignNeeds {
                campaign,
                starts_at,
                expected,
                beside,
                per_node,
                margin_percent,
                needed,
                until,
                source,
            } => write!(
                f,
                "{campaign} at {}{} expects {} req/s on top of {} req/s; at {} req/s a node and {} % \
                 margin that needs {needed} until {}",
                TimeOfDay(*starts_at),
                Source(*source),
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

/// Where a campaign was announced, if not by somebody.
struct Source(HintSource);

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            HintSource::Person => Ok(()),
            HintSource::Calendar => f.write_str(" (from the policy's calendar)"),
        }
    }
}
