//! The cost curve: what each further spared request costs.
//!
//! In: a policy and levels of its forecast, a baseline and targets of its utilisation.
//! Out: the same contender under each of them, as points to compare.
//! Never: says which point is right: that is the operator's price of a late request.

use serde::Serialize;

use super::baselines::Baseline;
use super::contest::geometric_mean;
use super::score::Score;
use crate::forecast::Level;
use crate::policy::{Policy, Rule};

/// Who aims at a utilisation is shown at these: from twice the nodes that a load needs to none in
/// reserve.
pub const SWEPT_PERCENT: [u8; 5] = [50, 60, 70, 80, 90];

/// One point of the curve.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct CurvePoint {
    /// The contender, the same for all its points.
    pub name: String,
    /// The level of a policy's forecast: `short / (short + idle)`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub level: Option<f64>,
    /// The utilisation that a baseline aims at, in percent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub target: Option<f64>,
    /// Requests that waited longer than the objective, of all.
    pub violating_requests_ratio: f64,
    /// Billed hours against the plan with the fewest.
    pub billed_vs_oracle: f64,
    /// What that costs, in dollars.
    pub cost_usd: f64,
}

impl CurvePoint {
    /// The same point, with what `score` says.
    pub fn scored(&self, score: &Score) -> Self {
        Self {
            violating_requests_ratio: score.violating_requests_ratio,
            billed_vs_oracle: score.billed_vs_oracle,
            cost_usd: score.cost_usd,
            ..self.clone()
        }
    }

    /// The mean of the same point on several traces, of bills the geometric one; none of none.
    pub fn mean(points: &[&Self]) -> Option<Self> {
        let first = points.first()?;
        let mean = |value: fn(&Self) -> f64| {
            points.iter().map(|point| value(point)).sum::<f64>() / points.len() as f64
        };
        Some(Self {
            violating_requests_ratio: mean(|point| point.violating_requests_ratio),
            billed_vs_oracle: geometric_mean(
                &points.iter().map(|point| point.billed_vs_oracle).collect::<Vec<_>>(),
            ),
            cost_usd: mean(|point| point.cost_usd),
            ..(*first).clone()
        })
    }
}

/// A contender at one setting of its knob.
#[derive(Clone, Debug, PartialEq)]
pub enum Turned {
    /// A policy.
    Policy(Box<Policy>),
    /// Another autoscaler.
    Baseline(Baseline),
}

/// `policy` at each of `levels`; itself alone where no rule forecasts. The numbers of the points
/// are still to come.
pub fn turn_policy(name: &str, policy: &Policy, levels: &[Level]) -> Vec<(CurvePoint, Turned)> {
    let turned = levels.iter().filter_map(|level| {
        Some((point(name, Some(level.get()), None), Turned::Policy(at_level(policy, *level)?)))
    });
    let turned: Vec<_> = turned.collect();
    if turned.is_empty() {
        return vec![(point(name, None, None), Turned::Policy(Box::new(policy.clone())))];
    }
    turned
}

/// `baseline` at each of [`SWEPT_PERCENT`]; itself alone where it aims at no utilisation.
pub fn turn_baseline(baseline: &Baseline) -> Vec<(CurvePoint, Turned)> {
    let turned = SWEPT_PERCENT.iter().filter_map(|percent| {
        let target = Some(f64::from(*percent));
        let turned = Turned::Baseline(baseline.at_utilisation(*percent)?);
        Some((point(&baseline.family(), None, target), turned))
    });
    let turned: Vec<_> = turned.collect();
    if turned.is_empty() {
        let itself = Turned::Baseline(baseline.clone());
        return vec![(point(&baseline.family(), None, None), itself)];
    }
    turned
}

fn point(name: &str, level: Option<f64>, target: Option<f64>) -> CurvePoint {
    CurvePoint {
        name: name.to_owned(),
        level,
        target,
        violating_requests_ratio: f64::NAN,
        billed_vs_oracle: f64::NAN,
        cost_usd: f64::NAN,
    }
}

/// `policy` with every forecast at `level`; none where nothing forecasts.
pub fn at_level(policy: &Policy, level: Level) -> Option<Box<Policy>> {
    let mut turned = Box::new(policy.clone());
    let mut is_turned = false;
    for rule in &mut turned.rules {
        if let Rule::Forecast(rule) = rule {
            rule.level = level;
            is_turned = true;
        }
    }
    is_turned.then_some(turned)
}
