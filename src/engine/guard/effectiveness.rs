//! Effectiveness: a rule whose scale-outs help nothing adds no more.
//!
//! In: what each rule wants, and what the last scale-outs did to the signals that asked for them.
//! Out: the count without the rules whose last few scale-outs were in vain.
//! Never: judges a rule whose signal nodes can't lower, such as a rate from outside; lowers the
//! present count; holds back the default of a pool that was blind for too long.
//!
//! A scale-out is judged once its capacity has served for [`SETTLE`], against what the signal said
//! when it was decided. One that helped forgives all before it. A signal that no longer calls
//! forgets them all; so does a rest after the last of them, and then another few may be tried.
//! What can't be read neither judges nor forgives.

use super::super::combine::combine;
use super::super::look::Look;
use super::super::{Effect, Opinion, Reason, Recommendation};
use super::cooldown::LONGEST_WAIT;
use super::{Verdict, tolerance};
use crate::domain::{Duration, NodeCount, Timestamp, after};
use crate::policy::{Effectiveness, Rule, TargetForm};

/// How long capacity serves before its effect is looked at. A rate or a quantile over a minute
/// and two scrapes must have passed: half of it would see the time before, double would let one
/// more scale-out go by.
pub(in crate::engine) const SETTLE: Duration = Duration::from_secs(90);

/// What the scale-outs of the past came to, as of this look.
pub(in crate::engine) fn settled(
    look: &Look<'_>,
    recommendations: &[Recommendation],
) -> Vec<Effect> {
    let Some(settings) = &look.policy.effectiveness else { return Vec::new() };
    if look.past.effects.is_empty() {
        return Vec::new();
    }
    let mut settled = Vec::new();
    for (rule, wants) in look.policy.rules.iter().zip(recommendations) {
        let effects = look.past.effects.iter().filter(|effect| effect.rule == wants.rule);
        match sign(look, rule, wants) {
            Sign::Unknown => settled.extend(effects.cloned()),
            Sign::Quiet => {}
            Sign::Calls { value } => {
                let effects = effects.filter_map(|effect| serve(look, effect.clone()));
                settled.extend(judged(look, settings, effects, value));
            }
        }
    }
    settled
}

/// The count without what rules in vain want.
pub(in crate::engine) fn guard(
    look: &Look<'_>,
    recommendations: &[Recommendation],
    effects: &[Effect],
    count: NodeCount,
) -> Verdict {
    let settings = look.policy.effectiveness.as_ref()?;
    if count <= look.from {
        return None;
    }
    let ends: Vec<Option<Timestamp>> =
        recommendations.iter().map(|wants| ineffective_until(settings, effects, wants)).collect();
    let until = ends.iter().flatten().max().copied()?;
    let mut others = recommendations.to_vec();
    let mut rules = Vec::new();
    for (wants, _) in others.iter_mut().zip(&ends).filter(|(_, end)| end.is_some()) {
        rules.push(wants.rule.to_string());
        let because = wants.opinion.because().clone();
        wants.opinion = Opinion::Wants { count: look.from, exact: f64::from(look.from.0), because };
    }
    let highest = combine(look, &others).unwrap_or(look.from);
    let highest = tolerance::guard(look, &others, highest).map_or(highest, |(count, _)| count);
    let allowed = count.min(highest.max(look.from).max(look.floor()));
    let because = Reason::Ineffective {
        wanted: count,
        allowed,
        rules,
        scale_outs: settings.after,
        improves_percent: settings.improves.get(),
        until,
    };
    Some((allowed, because))
}

/// Notes this scale-out for each rule that asked for it.
pub(in crate::engine) fn remember(
    look: &Look<'_>,
    recommendations: &[Recommendation],
    mut effects: Vec<Effect>,
    to: NodeCount,
) -> Vec<Effect> {
    let Some(settings) = look.policy.effectiveness.as_ref().filter(|_| look.from < to) else {
        return effects;
    };
    for (rule, wants) in look.policy.rules.iter().zip(recommendations) {
        let Sign::Calls { value } = sign(look, rule, wants) else { continue };
        let in_vain = ineffective_until(settings, &effects, wants).is_some();
        if in_vain || wants.count().is_none_or(|count| count <= look.from) {
            continue;
        }
        let served_at = (to <= look.fleet.serving).then_some(look.at);
        // Until capacity serves, further scale-outs are parts of the same try.
        let pending = effects.iter_mut().rev().find(|effect| effect.rule == wants.rule);
        match pending.filter(|effect| effect.served_at.is_none()) {
            Some(pending) => (pending.to, pending.served_at) = (to, served_at),
            None => effects.push(Effect {
                rule: wants.rule.clone(),
                at: look.at,
                to,
                before: value,
                served_at,
                in_vain_at: None,
            }),
        }
    }
    effects
}

/// The moments at which something here ends by itself.
pub(in crate::engine) fn moments<'a>(
    settings: &'a Effectiveness,
    effects: &'a [Effect],
) -> impl Iterator<Item = Timestamp> + use<'a> {
    effects.iter().map(|effect| match (effect.in_vain_at, effect.served_at) {
        (Some(at), _) => after(at, settings.rest),
        (None, Some(at)) => after(at, SETTLE),
        (None, None) => after(effect.at, LONGEST_WAIT),
    })
}

/// What a rule's signal says about scale-outs that it asked for.
enum Sign {
    /// Nobody knows.
    Unknown,
    /// It asks for no more, or nodes can't lower it.
    Quiet,
    /// It asks for more.
    Calls {
        /// Its value, which should fall.
        value: f64,
    },
}

fn sign(look: &Look<'_>, rule: &Rule, wants: &Recommendation) -> Sign {
    if wants.is_blind() {
        return Sign::Unknown;
    }
    match rule {
        Rule::Target(target) => match target.form {
            // A rate comes from outside: nodes carry it and don't lower it.
            TargetForm::PerNode(_) => Sign::Quiet,
            TargetForm::Value(_) | TargetForm::Average(_) | TargetForm::UtilisationPercent(_) => {
                over_target(look, rule, wants)
            }
        },
        // A step's value may be such a rate, too; only the operator knows.
        Rule::Count(_) | Rule::Fixed(_) | Rule::Step(_) | Rule::Schedule(_) => Sign::Quiet,
        Rule::Forecast(_) | Rule::Surge(_) | Rule::Hint(_) => Sign::Quiet,
        Rule::Latency(latency) => match (wants.opinion.because(), look.value(&latency.signal)) {
            (Reason::LatencyTooLong { .. }, Ok(value)) => Sign::Calls { value: value.number },
            _ => Sign::Quiet,
        },
    }
}

/// How far a signal is over its target, beyond its tolerance: what the rule needs, as a share of
/// the present count, is the signal as a share of its target.
fn over_target(look: &Look<'_>, rule: &Rule, wants: &Recommendation) -> Sign {
    let tolerance = rule.tolerance().unwrap_or(look.policy.tolerance);
    match wants.opinion {
        Opinion::Wants { exact, .. } if look.from != NodeCount::ZERO => {
            let value = exact / f64::from(look.from.0);
            let calls = value > 1.0 + tolerance.out.fraction();
            if calls { Sign::Calls { value } } else { Sign::Quiet }
        }
        Opinion::Wants { .. } | Opinion::AtLeast { .. } => Sign::Quiet,
        Opinion::None { .. } | Opinion::Blind { .. } => Sign::Quiet,
    }
}

/// The same, with the moment that its capacity was first seen to serve; none where it never did,
/// or left before it could be judged.
fn serve(look: &Look<'_>, mut effect: Effect) -> Option<Effect> {
    if effect.in_vain_at.is_some() {
        return Some(effect);
    }
    let is_gone = look.from < effect.to;
    let never_served = effect.served_at.is_none() && after(effect.at, LONGEST_WAIT) <= look.at;
    if effect.served_at.is_none() && effect.to <= look.fleet.serving {
        effect.served_at = Some(look.at);
        return (!is_gone).then_some(effect);
    }
    (!is_gone && !never_served).then_some(effect)
}

/// One rule's scale-outs without those that are forgiven.
fn judged(
    look: &Look<'_>,
    settings: &Effectiveness,
    effects: impl Iterator<Item = Effect>,
    value: f64,
) -> Vec<Effect> {
    let mut kept: Vec<Effect> = Vec::new();
    for mut effect in effects {
        let is_due = effect.served_at.is_some_and(|at| after(at, SETTLE) <= look.at);
        if effect.in_vain_at.is_none() && is_due {
            if value <= effect.before * (1.0 - settings.improves.fraction()) {
                kept.clear();
                continue;
            }
            effect.in_vain_at = Some(look.at);
        }
        kept.push(effect);
    }
    let last = kept.iter().filter_map(|effect| effect.in_vain_at).max();
    if last.is_some_and(|last| after(last, settings.rest) <= look.at) {
        kept.retain(|effect| effect.in_vain_at.is_none());
    }
    kept
}

/// When a rule may add nodes again, where its last few scale-outs were in vain.
fn ineffective_until(
    settings: &Effectiveness,
    effects: &[Effect],
    wants: &Recommendation,
) -> Option<Timestamp> {
    let of_rule = effects.iter().filter(|effect| effect.rule == wants.rule);
    let in_vain: Vec<Timestamp> = of_rule.filter_map(|effect| effect.in_vain_at).collect();
    let last = in_vain.iter().max()?;
    (settings.after as usize <= in_vain.len()).then(|| after(*last, settings.rest))
}
