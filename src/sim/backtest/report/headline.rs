//! The sentences at the top: who was late, for how much, against whom.

use std::fmt::Write;

use super::super::contest::{Bout, Contest, Middle, Scene};
use super::super::score::Score;
use super::label::{Kind, kind, title};
use super::text::{dollars, escaped, grouped, percent};
use super::{beats, cheapest_month, month};

/// What came of one trace.
pub(super) fn of_one(contest: &Contest<'_>, scene: &Scene, bout: &Bout) -> String {
    let mut out = String::new();
    let cheapest = dollars(cheapest_month(scene, bout));
    for score in &bout.scores[..contest.policies.len()] {
        let late = score.violating_requests_ratio;
        let _ = write!(
            out,
            "<p class=\"headline\">With <b>{}</b>, <b>{}</b> of requests were late{}, for <b>{} a \
             month</b>; the cheapest possible fleet would have cost {cheapest}.",
            escaped(&score.name),
            percent(late),
            one_in(late),
            dollars(month(scene, score.cost_usd)),
        );
        if let Some((place, other)) = well_known(contest, bout) {
            let _ = write!(
                out,
                " {} would have been late on <b>{}</b> for {} a month.",
                escaped(&name(contest, place, other)),
                percent(other.violating_requests_ratio),
                dollars(month(scene, other.cost_usd)),
            );
        }
        out.push_str(&beaten(contest, score, bout));
        out.push_str("</p>\n");
    }
    if contest.policies.is_empty() {
        let _ = writeln!(
            out,
            "<p class=\"headline\">The cheapest possible fleet would have cost {cheapest} a month.</p>"
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
    for (place, (policy, _)) in contest.policies.iter().enumerate() {
        let (late, cost) = middles(place);
        let _ = write!(
            out,
            "<p class=\"headline\">Over {} traces, with <b>{}</b>, <b>{}</b> of requests were late \
             on average ({} on the median trace), for <b>{} a month</b>; the cheapest possible \
             fleets would have cost {cheapest}.",
            bouts.len(),
            escaped(policy),
            percent(late.mean),
            percent(late.median),
            dollars(cost.mean),
        );
        if let Some((place, other)) = bouts.first().and_then(|bout| well_known(contest, bout)) {
            let (late, cost) = middles(place);
            let _ = write!(
                out,
                " {} would have been late on <b>{}</b> on average ({} on the median) for {} a month.",
                escaped(&name(contest, place, other)),
                percent(late.mean),
                percent(late.median),
                dollars(cost.mean),
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
    match better.is_empty() {
        true => format!(
            " None of the {all} others would have been better on both counts; {worse} would have \
             been worse on both."
        ),
        false => {
            format!(" Better on both counts would have been: {}.", escaped(&better.join(", ")))
        }
    }
}

/// ` (1 in 5,000)`, where that says more than the percentage.
fn one_in(ratio: f64) -> String {
    if ratio <= 0.0 || 0.2 < ratio { String::new() } else { format!(" (1 in {})", rounded(ratio)) }
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
        let odds = [0.0, 0.5, 0.1, 0.000_204, 0.082_6].map(one_in);
        assert_eq!(odds, ["", "", " (1 in 10)", " (1 in 4,900)", " (1 in 12)"]);
    }
}
