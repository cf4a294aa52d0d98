//! Step: more or fewer nodes by the band that a value is in.
//!
//! In: a value, and what earlier looks saw of it.
//! Out: what the bands that have held for long enough make of the count; the largest count wins.
//! Inside of a band that has not, or outside of all, the present count, which vetoes scale-in; but
//! a rule that never removes nodes has no opinion outside of all.
//! Never: adds again for nodes that are on their way, or removes again for nodes that still serve;
//! lets one sample move the count twice; lowers the count on a partial reading.
//!
//! Source of bands and arithmetic: Nomad's threshold plugin (`withinBounds`, `runDelta`,
//! `runPercentage`, `runValue`), and of precedence its `PreemptScalingAction`. Nomad counts from
//! the job's present count and leaves it to a cooldown that a step is not repeated before it could
//! work. Here a step counts from the nodes that serve, as EC2 does with instances that warm up: so
//! a higher band meanwhile adds only the difference. Where all nodes serve, both come to the same.

use super::super::look::Look;
use super::super::{Opinion, Reason};
use super::step_evidence::{Evidence, Gathered};
use super::target::ceil_whole;
use crate::domain::{NodeCount, Percent, Timestamp};
use crate::policy::{Band, BandAction, StepRounding, StepRule};

/// What the rule wants, given what was gathered about its bands.
pub(super) fn recommend(look: &Look<'_>, rule: &StepRule, gathered: &Gathered) -> Opinion {
    let signal = rule.signal.clone();
    let value = match look.value(&rule.signal) {
        Ok(value) => value,
        Err(missing) => {
            return Opinion::Blind { because: Reason::SignalMissing { signal, missing } };
        }
    };
    let number = value.number;
    let met = rule.bands.iter().filter_map(|band| gathered.met(look, rule, band));
    let highest = met.max_by_key(|step| step.count);
    let wants = highest.as_ref().map(|step| step.count);
    if let Some((seen, wanted)) = value.partial
        && wants.is_none_or(|count| count <= look.from)
    {
        return Opinion::Blind { because: Reason::SignalPartial { signal, seen, wanted } };
    }
    let waiting = rule.bands.iter().find_map(|band| gathered.waiting(look, rule, band, number));
    match (highest, waiting) {
        (Some(step), waiting) if step.count >= look.from || waiting.is_none() => {
            let because = step_taken(rule, &step, number);
            Opinion::Wants { count: step.count, exact: f64::from(step.count.0), because }
        }
        (_, Some((band, until))) => stay(look, band_waits(rule, gathered, band, number, until)),
        (_, None) => {
            let because = outside(rule, number);
            if rule.removes() { stay(look, because) } else { Opinion::None { because } }
        }
    }
}

/// What a band comes to.
pub(super) struct Step<'a> {
    pub band: &'a Band,
    /// The nodes that it counts from.
    pub counted_from: NodeCount,
    /// The count that it wants.
    pub count: NodeCount,
}

/// What a band makes of the pool's count: a band that adds never wants fewer than there are, one
/// that removes never more.
pub(super) fn step<'a>(
    look: &Look<'_>,
    rule: &StepRule,
    band: &'a Band,
    counted_from: Option<NodeCount>,
) -> Step<'a> {
    let from = look.from;
    let upwards = counted_from.unwrap_or(look.fleet.serving);
    // Nodes that don't serve must not make more leave than the band says.
    let downwards = look.fleet.serving.max(from);
    let (counted_from, count) = match band.action {
        BandAction::Add(0) => (from, from),
        BandAction::Add(nodes) => (upwards, upwards.plus(nodes).max(from)),
        BandAction::AddPercent(share) => {
            (upwards, share_more(upwards, share, rule.rounding).max(from))
        }
        BandAction::Remove(nodes) => (downwards, downwards.minus(nodes).min(from)),
        BandAction::RemovePercent(share) => {
            (downwards, share_less(downwards, share, rule.rounding).min(from))
        }
        BandAction::Set(count) => (from, count),
    };
    Step { band, counted_from, count }
}

/// A share more than `count`.
///
/// Nomad rounds the new count up, the noise of the multiplication and all: 10 % on 100 nodes are
/// 111, because `100 × 1.1` is a little above 110. EC2 rounds the change: `12.7` to 12, `.67` to 1.
fn share_more(count: NodeCount, share: Percent, rounding: StepRounding) -> NodeCount {
    match rounding {
        // `as` holds at the ends of the range.
        StepRounding::Nomad => {
            NodeCount((f64::from(count.0) * (1.0 + share.get() / 100.0)).ceil() as u32)
        }
        StepRounding::Aws => count.plus(whole_change(count, share)),
    }
}

/// A share less than `count`: for EC2 `-6.67` are 6 fewer, and `-.58` is one.
fn share_less(count: NodeCount, share: Percent, rounding: StepRounding) -> NodeCount {
    match rounding {
        StepRounding::Nomad => {
            NodeCount((f64::from(count.0) * (1.0 - share.get() / 100.0)).ceil() as u32)
        }
        StepRounding::Aws => count.minus(whole_change(count, share)),
    }
}

/// Source: EC2 Auto Scaling, `PercentChangeInCapacity`: what is above 1 is rounded down, what is
/// between 0 and 1 is 1.
fn whole_change(count: NodeCount, share: Percent) -> u32 {
    let change = f64::from(count.0) * share.get() / 100.0;
    let up = ceil_whole(change);
    // Above the next lower whole number by more than noise: that one is meant.
    let down = if f64::from(up.0) - change > 1e-9 * change { up.0.saturating_sub(1) } else { up.0 };
    if change > 0.0 { down.max(1) } else { 0 }
}

fn stay(look: &Look<'_>, because: Reason) -> Opinion {
    Opinion::Wants { count: look.from, exact: f64::from(look.from.0), because }
}

fn step_taken(rule: &StepRule, step: &Step<'_>, value: f64) -> Reason {
    Reason::StepTaken {
        signal: rule.signal.clone(),
        value,
        band: step.band.to_string(),
        step: step.band.action.to_string(),
        counted_from: step.counted_from,
        needed: step.count,
    }
}

fn band_waits(
    rule: &StepRule,
    gathered: &Gathered,
    band: &Band,
    value: f64,
    until: Option<Timestamp>,
) -> Reason {
    Reason::StepWaits {
        signal: rule.signal.clone(),
        value,
        band: band.to_string(),
        step: band.action.to_string(),
        inside: gathered.inside(band, Evidence::Any),
        within: rule.samples.within,
        of: rule.samples.of,
        until,
    }
}

/// Names the nearest bands, so that a reader sees how far the value is from them.
fn outside(rule: &StepRule, value: f64) -> Reason {
    let above = rule.bands.iter().filter(|band| band.from.is_some_and(|from| value < from));
    let above = above.min_by(|one, other| f64::total_cmp(&end(one.from), &end(other.from)));
    let beneath = rule.bands.iter().filter(|band| band.below.is_some_and(|below| below <= value));
    let beneath = beneath.max_by(|one, other| f64::total_cmp(&end(one.below), &end(other.below)));
    let nearest = beneath.into_iter().chain(above);
    Reason::OutsideBands {
        signal: rule.signal.clone(),
        value,
        nearest: nearest.map(|band| format!("{band}: {}", band.action)).collect(),
    }
}

/// An end of a band, for comparing ends that are there.
fn end(end: Option<f64>) -> f64 {
    end.unwrap_or_default()
}
