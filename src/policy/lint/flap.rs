//! Thresholds that contradict each other.
//!
//! In: the rules of a policy.
//! Out: a warning for each pair of which one takes nodes at values where the other adds them, or
//! right beside those.
//! Never: compares what is not in one unit; repeats that one tolerance of zero leaves no room.
//!
//! A rule is read as ranges of its signal: where it adds, and where it takes. Between the two of
//! any pair there must be room in which nothing happens. Without it a value that ripples there
//! moves the count with every ripple; and where one range reaches into the other, a value in both
//! is told to add and to take.

use super::{Warning, warn};
use crate::policy::{
    Band, BandAction, Policy, Rule, RuleScaleIn, StepRule, TargetForm, TargetRule,
};

/// What a threshold is measured in.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Unit {
    /// The signal's own, as one value.
    Own,
    /// The signal's own, as the average of the nodes.
    Average,
    /// A total, for each node.
    PerNode,
    /// Per cent of what the nodes have.
    Utilisation,
}

/// Which way the count goes.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Way {
    Adds,
    Takes,
}

/// A range of values in which a rule moves the count.
struct Range {
    /// The rule's place among all.
    rule: usize,
    /// What speaks: `bands[0]` or `target:load`.
    name: String,
    unit: Unit,
    way: Way,
    from: f64,
    below: f64,
}

impl Range {
    /// Whether they share values.
    fn overlaps(&self, other: &Self) -> bool {
        self.from < other.below && other.from < self.below
    }

    /// Whether one begins right where the other ends.
    fn touches(&self, other: &Self) -> bool {
        self.below == other.from || other.below == self.from
    }
}

pub(super) fn thresholds(policy: &Policy, warnings: &mut Vec<Warning>) {
    let of_rule = |(place, rule): (usize, &Rule)| ranges(policy, place, rule);
    let ranges: Vec<Range> = policy.rules.iter().enumerate().flat_map(of_rule).collect();
    for takes in ranges.iter().filter(|range| range.way == Way::Takes) {
        for adds in ranges.iter().filter(|range| range.way == Way::Adds) {
            if concerns(policy, takes, adds) {
                pair(policy, takes, adds, warnings);
            }
        }
    }
    for rule in &policy.rules {
        if let Rule::Step(step) = rule {
            overlaps(step, warnings);
        }
    }
}

/// Whether two ranges are about the same values, and no other check tells of them. Rules of one
/// group look at one thing from several sides: those outside of their range stand back.
fn concerns(policy: &Policy, takes: &Range, adds: &Range) -> bool {
    let (one, two) = (&policy.rules[takes.rule], &policy.rules[adds.rule]);
    let own_tolerance = takes.rule == adds.rule && !matches!(one, Rule::Step(_));
    let grouped = takes.rule != adds.rule && one.group().is_some() && one.group() == two.group();
    one.signal() == two.signal() && takes.unit == adds.unit && !own_tolerance && !grouped
}

fn pair(policy: &Policy, takes: &Range, adds: &Range, warnings: &mut Vec<Warning>) {
    let rule = &policy.rules[takes.rule];
    let own = takes.rule == adds.rule;
    let named = |range: &Range| match own {
        true => format!("`{}`", range.name),
        false => format!("`{}` ({})", range.name, values(range)),
    };
    let (one, two) = (named(takes), named(adds));
    let (what, help) = if takes.overlaps(adds) {
        let what = format!(
            "{one} takes nodes at values where {two} adds them: what one does the other undoes"
        );
        (what, "end the one well before the other begins")
    } else if takes.touches(adds) {
        let what = format!(
            "{one} takes nodes right beside the values where {two} adds them, so a ripple of the \
             signal adds and takes in turn: the pool flaps"
        );
        (what, "leave values between them in which nothing happens")
    } else {
        return;
    };
    let signal = rule.signal().map(|signal| format!(":{signal}")).unwrap_or_default();
    warn(warnings, &format!("rules.{}{signal}", rule.kind()), what, help);
}

/// A range in words.
fn values(range: &Range) -> String {
    let short = |value: f64| (value * 1e3).round() / 1e3;
    match (range.from <= 0.0, range.below.is_infinite()) {
        (true, _) => format!("below {}", short(range.below)),
        (false, true) => format!("from {}", short(range.from)),
        (false, false) => format!("from {} to {}", short(range.from), short(range.below)),
    }
}

/// The ranges of a rule; none of one that has no thresholds.
fn ranges(policy: &Policy, place: usize, rule: &Rule) -> Vec<Range> {
    match rule {
        Rule::Target(target) => of_target(policy, place, target),
        Rule::Step(step) => {
            let bands = step.bands.iter().enumerate();
            bands.filter_map(|(number, band)| of_band(place, number, band)).collect()
        }
        Rule::Latency(latency) => vec![Range {
            rule: place,
            name: format!("latency:{}", latency.signal),
            unit: Unit::Own,
            way: Way::Adds,
            from: latency.objective.as_secs_f64(),
            below: f64::INFINITY,
        }],
        Rule::Forecast(_) | Rule::Surge(_) | Rule::Hint(_) => Vec::new(),
        Rule::Count(_) | Rule::Fixed(_) | Rule::Schedule(_) => Vec::new(),
    }
}

fn of_band(rule: usize, number: usize, band: &Band) -> Option<Range> {
    let way = way(band.action)?;
    let (from, below) = (band.from.unwrap_or(0.0).max(0.0), band.below.unwrap_or(f64::INFINITY));
    Some(Range { rule, name: format!("bands[{number}]"), unit: Unit::Own, way, from, below })
}

/// Which way an action goes, where it is the same for every count.
fn way(action: BandAction) -> Option<Way> {
    match action {
        BandAction::Add(0) | BandAction::Set(_) => None,
        BandAction::Add(_) | BandAction::AddPercent(_) => Some(Way::Adds),
        BandAction::Remove(_) | BandAction::RemovePercent(_) => Some(Way::Takes),
    }
}

/// Where a target adds and takes: its value less the headroom, give or take its tolerance.
fn of_target(policy: &Policy, rule: usize, target: &TargetRule) -> Vec<Range> {
    let (unit, aim) = match target.form {
        // What a node carries depends on how many there are.
        TargetForm::PerNode(_) if target.square_root.is_some() => return Vec::new(),
        TargetForm::PerNode(each) => (Unit::PerNode, each.get()),
        // The value is a factor: it has no unit to share with others.
        TargetForm::Value(0.0) => return Vec::new(),
        TargetForm::Value(value) => (Unit::Own, value),
        TargetForm::Average(value) => (Unit::Average, value),
        TargetForm::UtilisationPercent(percent) => (Unit::Utilisation, f64::from(percent)),
    };
    let aim = aim / (1.0 + target.headroom.fraction());
    let tolerance = target.tolerance.unwrap_or(policy.tolerance);
    let range = |way, from, below| Range {
        rule,
        name: format!("target:{}", target.signal),
        unit,
        way,
        from,
        below,
    };
    let mut ranges = vec![range(Way::Adds, aim * (1.0 + tolerance.out.fraction()), f64::INFINITY)];
    if target.scale_in == RuleScaleIn::Allowed {
        ranges.push(range(Way::Takes, 0.0, aim * (1.0 - tolerance.scale_in.fraction())));
    }
    ranges
}

/// Bands of one rule that overlap and go the same way, or that set a count.
fn overlaps(step: &StepRule, warnings: &mut Vec<Warning>) {
    for (place, band) in step.bands.iter().enumerate() {
        let rest = step.bands.iter().enumerate().skip(place + 1);
        for (other_place, other) in rest.filter(|(_, other)| band.overlaps(other)) {
            let ways = (way(band.action), way(other.action));
            if matches!(ways, (Some(one), Some(two)) if one != two) {
                continue;
            }
            let what = format!(
                "`bands[{place}]` and `bands[{other_place}]` overlap; where both speak, the larger \
                 count wins"
            );
            let help = "end the one where the other begins";
            warn(warnings, &format!("rules.step:{}", step.signal), what, help);
        }
    }
}
