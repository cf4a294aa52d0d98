//! Forecast: nodes for the largest demand until a node that is ordered now could serve.
//!
//! In: what is expected of a rate over the pool, and whether to believe it.
//! Out: `ceil(bound / per_node)`. No opinion where there is no forecast, or none to be believed.
//! Never: lowers the count; lets a forecast that is missing or wrong hold nodes that other rules
//! would let go: they see what really comes.

use super::super::foreseen::{Belief, Foreseen};
use super::super::look::Look;
use super::super::{Opinion, Reason};
use super::target::ceil_whole;
use crate::domain::NodeCount;
use crate::forecast::Mode;
use crate::policy::ForecastRule;

/// What the rule wants.
pub(super) fn recommend(look: &Look<'_>, rule: &ForecastRule, key: &str) -> Opinion {
    let signal = rule.signal.clone();
    let Some(foreseen) = look.observation.forecasts.get(key) else {
        return Opinion::None { because: Reason::NoForecast { signal } };
    };
    if foreseen.belief != Belief::Trusted || !foreseen.bound.is_finite() {
        let belief = foreseen.belief;
        return Opinion::None { because: Reason::ForecastNotBelieved { signal, belief } };
    }
    let Foreseen { bound, horizon_seconds, level, .. } = *foreseen;
    let per_node = rule.per_node.get();
    let exact = (bound.max(0.0) / per_node).min(f64::MAX);
    let needed = ceil_whole(exact);
    let level = level.get();
    match rule.mode {
        Mode::ForecastOnly => {
            let because = Reason::ForecastShown { signal, bound, horizon_seconds, needed };
            Opinion::None { because }
        }
        Mode::Raise => {
            let because =
                Reason::ForecastNeeds { signal, bound, horizon_seconds, level, per_node, needed };
            raise(look, needed, exact, because)
        }
    }
}

/// A wish that may raise the count, and otherwise leaves it to others.
pub(super) fn raise(look: &Look<'_>, count: NodeCount, exact: f64, because: Reason) -> Opinion {
    match count <= look.from {
        true => Opinion::AtLeast { count, exact, because },
        false => Opinion::Wants { count, exact, because },
    }
}
