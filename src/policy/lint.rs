//! What is legal in a policy, but unwise.
//!
//! In: a [`Policy`].
//! Out: a warning for each unwise setting, in the order of a policy's keys.
//! Never: refuses; repeats what parsing already made impossible.

mod flap;

use std::fmt;

use serde::Serialize;

use super::fields::written_out;
use super::read::free_addresses;
use super::settings::{
    Bounds, Comes, FixedRule, Measures, Policy, Rule, RuleScaleIn, ScheduleRule, SignalSource,
    TargetForm, When,
};
use crate::domain::{Duration, NodeCount, SignalName};

/// One unwise setting.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Warning {
    /// The key, such as `scale_in.stabilize`.
    pub key: String,
    /// What may come of it, as a sentence without its full stop.
    pub what: String,
    /// What would be wiser.
    pub help: String,
}

impl fmt::Display for Warning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "warning: {}: {}\nhint: {}", self.key, self.what, self.help)
    }
}

/// Everything in `policy` that is legal, but unwise.
pub fn lint(policy: &Policy) -> Vec<Warning> {
    let mut warnings = Vec::new();
    bounds(policy, &mut warnings);
    budget(policy, &mut warnings);
    signals(policy, &mut warnings);
    rules(policy, &mut warnings);
    calendar(policy, &mut warnings);
    movement(policy, &mut warnings);
    addresses(policy, &mut warnings);
    service(policy, &mut warnings);
    warnings
}

/// How long a Linode usually takes from the create call to a login, and a short playbook to run.
/// Boots of two minutes are common, a playbook of one is short.
const USUAL_START: Duration = Duration::from_secs(180);
/// 31 days.
const LONGEST_MONTH_HOURS: u64 = 744;
/// One scrape at Prometheus' usual interval.
const SCRAPE: Duration = Duration::from_secs(15);
/// A ripple is over after that.
const SETTLED: Duration = Duration::from_secs(120);
/// How long neighbours may remember the machine that had an address before.
const ARP_MEMORY: Duration = Duration::from_secs(60);

/// A latency that clears above this share of its objective clears within the noise of a quantile.
const CLEARLY_BELOW: f64 = 0.9;

fn warn(warnings: &mut Vec<Warning>, key: &str, what: impl Into<String>, help: &str) {
    warnings.push(Warning { key: key.into(), what: what.into(), help: help.into() });
}

fn bounds(policy: &Policy, warnings: &mut Vec<Warning>) {
    let bounds = policy.bounds;
    if bounds.min == NodeCount::ZERO {
        let what = "with no node at all nobody answers, and most signals fall silent";
        warn(warnings, "bounds.min", what, "keep at least one node");
    }
    if bounds.min == bounds.max {
        let what = format!("`min` and `max` are both {}, so the count never changes", bounds.max.0);
        warn(warnings, "bounds", what, "raise `max`, or lower `min`");
    }
}

fn budget(policy: &Policy, warnings: &mut Vec<Warning>) {
    let Some(budget) = &policy.budget else { return };
    if let (Some(hourly), Some(monthly)) = (budget.hourly, budget.monthly)
        && hourly.times(LONGEST_MONTH_HOURS) < monthly
    {
        let what = format!(
            "{} an hour is at most {} in a month, so the month's budget is never reached",
            hourly,
            hourly.times(LONGEST_MONTH_HOURS)
        );
        warn(warnings, "budget.monthly", what, "lower it, or raise `hourly`");
    }
}

fn signals(policy: &Policy, warnings: &mut Vec<Warning>) {
    for (name, signal) in &policy.signals {
        let query = match &signal.source {
            SignalSource::Prometheus { query, .. } => Some(query),
            SignalSource::Haproxy(_) => None,
        };
        if query.is_some() && signal.stale_after < SCRAPE {
            let key = format!("signals.{name}.stale_after");
            let what = format!(
                "{} is below Prometheus' usual scrape interval of 15s, so a healthy signal \
                 often counts as missing",
                written_out(signal.stale_after)
            );
            warn(warnings, &key, what, "take three scrape intervals");
        }
        if signal.measures == Measures::Node {
            measures_a_node(policy, name, warnings);
        }
        let is_quantile = |query: &&String| query.contains("histogram_quantile");
        if query.filter(is_quantile).is_some_and(|query| !query.contains(" or ")) {
            let what = "a quantile of nothing is NaN, so while nobody calls no node may leave";
            let help = "write `(histogram_quantile(…) >= 0) or (sum(rate(…_count[1m])) == 0)`";
            warn(warnings, &format!("signals.{name}"), what, help);
        }
        if !policy.rules.iter().any(|rule| rule.signal() == Some(name)) {
            let what = "no rule looks at this signal";
            warn(warnings, &format!("signals.{name}"), what, "add a rule, or delete the signal");
        }
    }
}

/// A signal that says that it is about one node, and a rule that takes it for something else.
fn measures_a_node(policy: &Policy, name: &SignalName, warnings: &mut Vec<Warning>) {
    let key = format!("signals.{name}.measures");
    for rule in policy.rules.iter().filter(|rule| rule.signal() == Some(name)) {
        match rule {
            Rule::Target(target) => match target.form {
                TargetForm::PerNode(_) => {
                    let what = "`per_node` takes the signal for the total over the pool, and this \
                                one says that it is about one node";
                    warn(warnings, &key, what, "sum it over all nodes, and write `pool`");
                }
                TargetForm::Value(_)
                | TargetForm::Average(_)
                | TargetForm::UtilisationPercent(_) => {}
            },
            Rule::Forecast(_) | Rule::Surge(_) => {
                let what = "`per_node` takes the signal for the total over the pool, and this one \
                            says that it is about one node";
                warn(warnings, &key, what, "sum it over all nodes, and write `pool`");
            }
            Rule::Count(_) | Rule::Fixed(_) | Rule::Step(_) | Rule::Schedule(_) | Rule::Hint(_) => {
            }
            Rule::Latency(_) => {
                let what = "a latency can't be foreseen, so `node` changes nothing";
                warn(warnings, &key, what, "write `pool`");
            }
        }
    }
}

fn rules(policy: &Policy, warnings: &mut Vec<Warning>) {
    let lowers = policy.rules.iter().any(|rule| match rule {
        Rule::Target(target) => target.scale_in == RuleScaleIn::Allowed,
        Rule::Count(count) => count.scale_in == RuleScaleIn::Allowed,
        Rule::Fixed(_) => true,
        Rule::Latency(_) | Rule::Schedule(_) | Rule::Hint(_) => false,
        Rule::Forecast(_) | Rule::Surge(_) => false,
        Rule::Step(step) => step.lowers(),
    });
    if !lowers {
        let what = "no rule ever recommends fewer nodes, so the pool only grows";
        warn(warnings, "rules", what, "add a `target` rule that allows scale-in");
    }
    for rule in &policy.rules {
        if let Rule::Schedule(schedule) = rule {
            windows(schedule, warnings);
        }
        let Rule::Fixed(FixedRule { count, .. }) = rule else { continue };
        let Bounds { min, max, .. } = policy.bounds;
        if *count < min || max < *count {
            let what = format!(
                "a fixed count of {} lies outside of the bounds {} to {}",
                count.0, min.0, max.0
            );
            warn(warnings, "rules", what, "the nearer bound holds instead: move one of them");
        }
    }
    for group in policy.rules.iter().filter_map(Rule::group) {
        if policy.rules.iter().filter(|rule| rule.group() == Some(group)).count() == 1 {
            let what =
                format!("one rule alone is in the group `{group}`, so the group changes nothing");
            warn(warnings, "rules", what, "is it the same name as the others'? Else leave it out");
        }
    }
    for rule in &policy.rules {
        if let Rule::Latency(latency) = rule
            && latency.objective.mul_f64(CLEARLY_BELOW) < latency.clear_below
        {
            let what = format!(
                "`clear_below` ({}) is so near to `objective` ({}) that each node that leaves may \
                 call another one: the pool flaps",
                written_out(latency.clear_below),
                written_out(latency.objective)
            );
            let key = format!("rules.latency:{}.clear_below", latency.signal);
            warn(warnings, &key, what, "take two thirds of the objective");
        }
    }
    flap::thresholds(policy, warnings);
    let only_latency = policy.rules.iter().all(|rule| matches!(rule, Rule::Latency(_)));
    if only_latency && policy.scale_out.cooldown.is_zero() {
        let what = "only a latency adds nodes, and without a cooldown it adds another step as soon \
                    as the last one serves, before the latency can show what that was worth";
        let help = "add a `target` rule, or a cooldown as long as a boot and a playbook";
        warn(warnings, "scale_out.cooldown", what, help);
    }
}

fn windows(schedule: &ScheduleRule, warnings: &mut Vec<Warning>) {
    let When::Again { cron, lasts } = &schedule.when else { return };
    if cron.is_always_open(&schedule.timezone, *lasts) {
        let what = format!(
            "`{}` opens the next window before {} are over, so it never closes",
            cron.as_str(),
            written_out(*lasts)
        );
        warn(
            warnings,
            "rules.schedule",
            what,
            "write these counts in `bounds`, or shorten `lasts`",
        );
    }
}

/// For how long every rule that lets nodes leave wants the most that it wanted.
fn shortest_hold(policy: &Policy) -> Duration {
    let rules = policy.rules.iter();
    let holds = rules.filter_map(|rule| match rule {
        Rule::Target(target) if target.scale_in == RuleScaleIn::Allowed => Some(target.hold),
        Rule::Count(count) if count.scale_in == RuleScaleIn::Allowed => Some(Duration::ZERO),
        Rule::Step(step) if step.lowers() => Some(Duration::ZERO),
        _ => None,
    });
    holds.min().unwrap_or_default()
}

fn calendar(policy: &Policy, warnings: &mut Vec<Warning>) {
    if !policy.hints.is_empty() && !policy.rules.iter().any(|rule| matches!(rule, Rule::Hint(_))) {
        let what = "no rule listens to campaigns";
        warn(warnings, "hints", what, "add `- hint: {signal: …, per_node: …}` to `rules`");
    }
    for (place, entry) in policy.hints.iter().enumerate() {
        let lasts = entry.length();
        if let Comes::Again(cron) = &entry.comes
            && cron.is_always_open(&entry.timezone, lasts)
        {
            let what = format!(
                "it comes again before it is over ({} after its beginning), so that it always counts",
                written_out(lasts)
            );
            let help = "shorten its `spread` or `tail`, or write `at_least` of a `schedule`";
            warn(warnings, &format!("hints[{place}]"), what, help);
        }
    }
}

fn movement(policy: &Policy, warnings: &mut Vec<Warning>) {
    let (scale_out, scale_in) = (&policy.scale_out, &policy.scale_in);
    let settles = scale_in.stabilize.max(shortest_hold(policy));
    if settles < USUAL_START {
        let what = format!(
            "{} is shorter than a boot and a playbook usually take together ({}), so the pool \
             gives nodes away faster than it gets them back",
            written_out(settles),
            written_out(USUAL_START)
        );
        warn(warnings, "scale_in.stabilize", what, "take 10m");
    }
    let tolerance = policy.tolerance.scale_in.get();
    if tolerance == 0.0 && settles < SETTLED {
        let what = "without a tolerance and with so short a window every ripple of the load takes a \
                    node away and brings it back";
        warn(warnings, "tolerance.in_percent", what, "take 15, or a longer `scale_in.stabilize`");
    }
    if scale_in.stabilize < scale_out.stabilize {
        let what = "the pool shrinks after a shorter while than it grows";
        warn(warnings, "scale_in.stabilize", what, "make it longer than `scale_out.stabilize`");
    }
    for (key, pace) in [("scale_out.pace", &scale_out.pace), ("scale_in.pace", &scale_in.pace)] {
        if pace.is_empty() {
            let what = "nothing limits how fast the count moves";
            warn(warnings, key, what, "add a limit, such as `{nodes: 10, per: 1m}`");
        }
    }
    if policy.missing_data.hold_for.is_zero() {
        let what = "one unread signal raises the pool to `bounds.default` at once";
        warn(warnings, "missing_data.hold_for", what, "take a few minutes, such as 5m");
    }
}

fn addresses(policy: &Policy, warnings: &mut Vec<Warning>) {
    let vlan = &policy.node.vlan;
    for range in &vlan.reserve {
        if !vlan.cidr.contains(range.first()) || !vlan.cidr.contains(range.last()) {
            let what = format!("{} lies outside of {}", String::from(*range), vlan.cidr);
            warn(warnings, "node.vlan.reserve", what, "is it the right block?");
        }
    }
    if vlan.reserve.is_empty() {
        let what = "no address is kept for balancers and the daemon itself, so a node may be \
                    given theirs";
        warn(warnings, "node.vlan.reserve", what, "reserve every address in use on this VLAN");
    }
    let max = u64::from(policy.bounds.max.0);
    let free = free_addresses(vlan);
    if free < max + max.div_ceil(4) {
        let what = format!(
            "{free} addresses for up to {max} nodes leave few spare ones while freed addresses \
             rest in quarantine"
        );
        warn(warnings, "node.vlan.cidr", what, "widen the block, or reserve less");
    }
    if vlan.quarantine < ARP_MEMORY {
        let what = format!(
            "after {} neighbours may still remember the machine that had the address before",
            written_out(vlan.quarantine)
        );
        warn(warnings, "node.vlan.quarantine", what, "take 2m");
    }
}

fn service(policy: &Policy, warnings: &mut Vec<Warning>) {
    let check = policy.join.check;
    if policy.leave.drain_timeout < check.interval {
        let what = format!(
            "{} is shorter than the interval of health checks ({}), so requests may be cut off",
            written_out(policy.leave.drain_timeout),
            written_out(check.interval)
        );
        warn(warnings, "leave.drain_timeout", what, "take longer than the longest request");
    }
    if policy.join.timeout < policy.join.slow_start {
        let what = "a node may be given up while its weight still rises";
        warn(warnings, "join.timeout", what, "make it longer than `slow_start`");
    }
}
