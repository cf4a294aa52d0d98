//! Who a contender is, in words for people who don't know the tools.

use super::super::baselines::Baseline;
use super::super::contest::Contest;

/// What stands at the place of a contender.
pub(super) enum Kind<'a> {
    /// A policy of ours.
    Policy,
    /// A policy of ours under other settings.
    Variant,
    /// Someone else.
    Baseline(&'a Baseline),
}

/// Who stands at `place` among the scores.
pub(super) fn kind<'a>(contest: &Contest<'a>, place: usize) -> Kind<'a> {
    let (policies, variants) = (contest.policies.len(), contest.variants.len());
    match place.checked_sub(policies + variants) {
        Some(place) => Kind::Baseline(&contest.baselines[place]),
        None if place < policies => Kind::Policy,
        None => Kind::Variant,
    }
}

/// What a manager may call a baseline: `Kubernetes HPA at 70 %`.
pub(super) fn title(baseline: &Baseline) -> String {
    let name = baseline.family();
    let own = match name.trim_end_matches("+paid-hour") {
        "hpa" => "Kubernetes HPA",
        "keda" => "KEDA",
        "nomad-target-value" => "Nomad, target value",
        "nomad-threshold" => "Nomad, thresholds",
        "aws-target-tracking" => "AWS target tracking",
        "aws-predictive" => "AWS predictive scaling",
        "gce" => "Google Compute Engine's autoscaler",
        "react" => "React (Chieu, 2009)",
        "adapt" => "Adapt (Ali-Eldin, 2012)",
        "hist" => "Hist (Urgaonkar, 2008)",
        "reg" => "Reg (Iqbal, 2011)",
        "static-peak" => "a fixed fleet for the peak",
        "ideal-reactive" => "reaction without any delay",
        "oracle" => "all known in advance, fewest node hours",
        "oracle-billed" => "all known in advance, smallest bill",
        other => other,
    };
    let aim = baseline.utilisation_percent();
    let aim = aim.map(|percent| format!(" at {percent:.0}\u{a0}%")).unwrap_or_default();
    let hours = if name.ends_with("+paid-hour") { ", nodes stay for paid hours" } else { "" };
    format!("{own}{aim}{hours}")
}
