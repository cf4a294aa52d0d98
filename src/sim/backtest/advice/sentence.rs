//! Advice in words.

use std::fmt;

use super::super::report::text::grouped;
use super::{AdviceKind, Trial};

impl fmt::Display for AdviceKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::LargerMin { bursts_per_hour, usual_nodes, from, to, is, then } => write!(
                f,
                "bursts beyond the usual {} come {bursts_per_hour:.1} times an hour, more often \
                 than a paid hour ends: with `bounds.min: {to}` instead of {from}, {}",
                nodes(*usual_nodes),
                change(is, then)
            ),
            Self::FasterBoot { seconds, is, halved, quartered } => write!(
                f,
                "a node serves {seconds} s after it is ordered: in half of that, {}; in a quarter, \
                 {} for ${:.2}: an image, a shorter playbook or nodes in standby pay",
                change(is, halved),
                late(quartered),
                quartered.cost_usd
            ),
            Self::Unavoidable { seconds, late_requests, late_ratio, share_of_late } => write!(
                f,
                "{} of the requests ({}, {:.0} % of the late ones) are late also for one who reacts \
                 at once and waits {seconds} s for each node: only head-room, a forecast, announced \
                 campaigns or a faster boot can save them",
                percent(*late_ratio),
                grouped(*late_requests),
                100.0 * share_of_late
            ),
            Self::MinDominates { share_of_bill, from, to, is, then } => write!(
                f,
                "`bounds.min: {from}` makes up {:.0} % of the bill: with {to}, {}",
                100.0 * share_of_bill,
                change(is, then)
            ),
            Self::MaxReached { from, to, is, then } => {
                write!(f, "`bounds.max: {from}` was reached: with {to}, {}", change(is, then))
            }
            Self::StaleMetrics { freshness, is, then } => write!(
                f,
                "metrics are {} s old and taken over {} s: with {} s and {} s (scrape more often, \
                 and shorten the query's window), {}",
                freshness.lag_seconds,
                freshness.window_seconds,
                freshness.to_lag_seconds,
                freshness.to_window_seconds,
                change(is, then)
            ),
            Self::Nothing { is } => write!(
                f,
                "nothing to advise: {} for ${:.2}, and neither other bounds nor a faster boot nor \
                 fresher metrics change that much",
                late(is),
                is.cost_usd
            ),
        }
    }
}

/// What a change brings: `0.100 % of the requests are late instead of 1.000 % (9,000 fewer), for
/// $99.00 instead of $100.00`.
fn change(is: &Trial, then: &Trial) -> String {
    let saved = is.late_requests - then.late_requests;
    let difference = match saved.abs() < 0.5 {
        true => String::new(),
        false if saved < 0.0 => format!(" ({} more)", grouped(-saved)),
        false => format!(" ({} fewer)", grouped(saved)),
    };
    format!(
        "{} instead of {}{difference}, for ${:.2} instead of ${:.2}",
        late(then),
        percent(is.late_ratio),
        then.cost_usd,
        is.cost_usd
    )
}

fn late(trial: &Trial) -> String {
    format!("{} of the requests are late", percent(trial.late_ratio))
}

fn percent(ratio: f64) -> String {
    format!("{:.3} %", 100.0 * ratio)
}

fn nodes(count: u32) -> String {
    if count == 1 { "1 node".into() } else { format!("{count} nodes") }
}
