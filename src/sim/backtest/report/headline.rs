//! The sentences at the top: who was late, for how much, against whom.

use std::fmt::Write;

use super::super::contest::{Bout, Contest, Middle, Scene};
use super::super::score::Score;
use super::label::{Kind, kind, title};
use super::text::{dollars, escaped, grouped, percent, wait};
use super::{beats, cheapest_month, month};

/// What came of one trace.
pub(super) fn of_one(contest: &Contest<'_>, scene: &Scene, bout: &Bout) -> String {
    let mut out = String::new();
    let cheapest = dollars(cheapest_month(scene, bout));
    for score in &bout.scores[..contest.policies.len()] {
        let late = score.violating_requests_ratio;
        let _ = write!(
            out,
            "<p class=\"headline\">With <b>{}</b>, <b>{}</b> of requests were late{}. That costs \
             <b>{} a month</b>; the cheapest fleet that lets nobody wait, with all traffic known in \
             advance, {cheapest}.",
            escaped(&score.name),
            percent(late),
            explained(late, scene.settings.node.objective()),
            dollars(month(scene, score.cost_usd)),
        );
        if let Some((place, other)) = well_known(contest, bout) {
            let _ = write!(
                out,
                " {} would have been late on <b>{}</b>{}, for <b>{} a month</b>{}.",
                escaped(&name(contest, place, other)),
                percent(other.violating_requests_ratio),
                against(other.violating_requests_ratio, late),
                dollars(month(scene, other.cost_usd)),
                against(other.cost_usd, score.cost_usd),
            );
        }
        out.push_str(&beaten(contest, score, bout));
        out.push_str("</p>\n");
    }
    if contest.policies.is_empty() {
        let _ = writeln!(
            out,
            "<p class=\"headline\">The cheapest fleet that lets nobody wait would have \
             cost {cheapest} a month.</p>"
        );
    }
    out
}

/// What came of all traces.
pub(super) fn of_all(contest: &Contest<'_>, bouts: &[Bout]) -> String {
    let mut out = String::new();
    let each = || contest.scenes.iter().zip(bouts);
    let middles = |place: usize| {
        let late = each().map(|(_, bout)| bout.scores[place].violating_requests_ratio);
        let cost = each().map(|(scene, bout)| month(scene, bout.scores[place].cost_usd));
        (Middle::of(late.collect()), Middle::of(cost.collect()))
    };
    let cheapest = each().map(|(scene, bout)| cheapest_month(scene, bout));
    let cheapest = dollars(Middle::of(cheapest.collect()).mean);
    // All scenes have the same node.
    let objective = contest.scenes.first().map_or(0.0, |scene| scene.settings.node.objective());
    for (place, (policy, _)) in contest.policies.iter().enumerate() {
        let (late, cost) = middles(place);
        let _ = write!(
            out,
            "<p class=\"headline\">Over {} traces, with <b>{}</b>, <b>{}</b> of requests were late \
             on average{}: they waited longer than {}. That costs <b>{} a month</b>; the cheapest \
             fleets that let nobody wait, with all traffic known in advance, {cheapest}.",
            bouts.len(),
            escaped(policy),
            percent(late.mean),
            // Of two traces it is the mean.
            match bouts.len() {
                ..3 => String::new(),
                _ => format!(" ({} on the median trace)", percent(late.median)),
            },
            wait(objective),
            dollars(cost.mean),
        );
        if let Some((place, other)) = bouts.first().and_then(|bout| well_known(contest, bout)) {
            let (others_late, others_cost) = middles(place);
            let _ = write!(
                out,
                " {} would have been late on <b>{}</b> on average{}, for <b>{} a month</b>{}.",
                escaped(&name(contest, place, other)),
                percent(others_late.mean),
                against(others_late.mean, late.mean),
                dollars(others_cost.mean),
                against(others_cost.mean, cost.mean),
            );
        }
        out.push_str("</p>\n");
    }
    out
}

/// The baseline that readers most likely know: Kubernetes' if there is one, else the first that
/// could really be.
fn well_known<'a>(contest: &Contest<'_>, bout: &'a Bout) -> Option<(usize, &'a Score)> {
    let real = |place: &usize| match kind(contest, *place) {
        Kind::Baseline(baseline) => !baseline.is_clairvoyant(),
        Kind::Policy | Kind::Variant => false,
    };
    let places = || (0..bout.scores.len()).filter(real);
    let hpa = places().find(|place| bout.scores[*place].name.starts_with("hpa"));
    hpa.or_else(|| places().next()).map(|place| (place, &bout.scores[place]))
}

fn name(contest: &Contest<'_>, place: usize, score: &Score) -> String {
    match kind(contest, place) {
        Kind::Baseline(baseline) => title(baseline),
        Kind::Policy | Kind::Variant => score.name.clone(),
    }
}

/// How many of the others are no alternative, and which are.
fn beaten(contest: &Contest<'_>, score: &Score, bout: &Bout) -> String {
    let others: Vec<&Score> = (0..bout.scores.len())
        .filter(|place| match kind(contest, *place) {
            Kind::Baseline(baseline) => !baseline.is_clairvoyant(),
            Kind::Policy | Kind::Variant => false,
        })
        .map(|place| &bout.scores[place])
        .collect();
    if others.is_empty() {
        return String::new();
    }
    let better: Vec<&str> =
        others.iter().filter(|other| beats(other, score)).map(|other| &*other.name).collect();
    let worse = others.iter().filter(|other| beats(score, other)).count();
    let all = others.len();
    if !better.is_empty() {
        return format!(
            " Less late for less money would have been: {}.",
            escaped(&better.join(", "))
        );
    }
    let worse = match worse {
        0 => String::new(),
        _ => format!("; {worse} would have been later and dearer"),
    };
    match all {
        1 => String::new(),
        _ => format!(" None of the {all} others would have been less late for less money{worse}."),
    }
}

/// What late means, with the odds where these say more than the percentage: `: 1 in 5,000 waited
/// longer than 250 ms`.
fn explained(ratio: f64, objective: f64) -> String {
    let objective = wait(objective);
    if ratio <= 0.0 || 0.2 < ratio {
        return format!(", that is, waited longer than {objective}");
    }
    format!(": 1 in {} waited longer than {objective}", rounded(ratio))
}

/// What `other` is against `own`: ` (2.8 times as much)`, ` (25\u{a0}% less)`; nothing where they are
/// nearly the same, or one is none.
fn against(other: f64, own: f64) -> String {
    let times = other / own;
    let percent = (100.0 * (times - 1.0).abs()).round();
    match times {
        _ if !times.is_finite() || times <= 0.0 || percent < 1.0 => String::new(),
        10.0.. => format!(" ({} times as much)", grouped(times)),
        2.0.. => format!(" ({times:.1} times as much)"),
        1.0.. => format!(" ({percent}\u{a0}% more)"),
        _ => format!(" ({percent}\u{a0}% less)"),
    }
}

/// Two digits are enough of an odd.
fn rounded(ratio: f64) -> String {
    let odds = 1.0 / ratio;
    let unit = 10f64.powf((odds.log10().floor() - 1.0).max(0.0));
    grouped((odds / unit).round() * unit)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn odds_have_two_digits() {
        let odds = [0.1, 0.000_204, 0.082_6].map(rounded);
        assert_eq!(odds, ["10", "4,900", "12"]);
    }

    #[test]
    fn late_is_explained_and_others_are_compared() {
        let says = [0.0, 0.1, 0.5].map(|ratio| explained(ratio, 0.25));
        let plain = ", that is, waited longer than 250\u{a0}ms";
        assert_eq!(says, [plain, ": 1 in 10 waited longer than 250\u{a0}ms", plain]);
        for (other, own, says) in [
            (0.0, 1.0, ""),
            (1.0, 0.0, ""),
            (1.004, 1.0, ""),
            (0.75, 1.0, " (25\u{a0}% less)"),
            (1.2, 1.0, " (20\u{a0}% more)"),
            (2.84, 1.0, " (2.8 times as much)"),
            (1_234.0, 1.0, " (1,234 times as much)"),
        ] {
            assert_eq!(against(other, own), says);
        }
    }
}
