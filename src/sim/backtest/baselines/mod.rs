//! Published autoscalers and clairvoyant plans, each in its own file with its source and its
//! default parameters.
//!
//! In: a name, as on the command line: `hpa`, `hpa@50`, `hpa+paid-hour`.
//! Out: a contender that sees the past, or a plan made in full knowledge.
//! Never: tunes anybody: parameters are those that each is shipped with.

mod adapt;
mod aws_predictive;
mod aws_target_tracking;
mod departure;
mod gce;
mod hist;
mod hpa;
mod ideal_reactive;
mod keda;
mod levels;
mod nomad_target_value;
mod nomad_threshold;
mod oracle;
mod oracle_billed;
mod react;
mod reg;
mod static_peak;
mod window;

use std::fmt;
use std::str::FromStr;

use super::contender::Contender;
use super::fleet::{Comeback, FleetRules};
use super::score::Yardstick;
use super::settings::{Bounds, Settings};
use super::trace::Trace;
use crate::domain::NodeCount;
use departure::{leaving_at_hours_end, leaving_at_once};
use levels::Changes;

/// A contender that isn't ours.
#[derive(Clone, Debug, PartialEq)]
pub struct Baseline {
    kind: Kind,
    /// The utilisation that it aims at, from 0 to 1, where it has such a target.
    utilisation: f64,
    departure: Departure,
}

/// When its surplus nodes leave.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Departure {
    AtOnce,
    AtHoursEnd,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Hpa,
    Keda,
    NomadTargetValue,
    NomadThreshold,
    AwsTargetTracking,
    AwsPredictive,
    Gce,
    React,
    Adapt,
    Hist,
    Reg,
    StaticPeak,
    IdealReactive,
    Oracle,
    OracleBilled,
}

/// What each kind is called, what it is, and whether it aims at a utilisation.
const KINDS: [(&str, Kind, Aim); 15] = [
    ("hpa", Kind::Hpa, Aim::Utilisation),
    ("keda", Kind::Keda, Aim::Utilisation),
    ("nomad-target-value", Kind::NomadTargetValue, Aim::Utilisation),
    ("nomad-threshold", Kind::NomadThreshold, Aim::Fixed),
    ("aws-target-tracking", Kind::AwsTargetTracking, Aim::Utilisation),
    ("aws-predictive", Kind::AwsPredictive, Aim::Utilisation),
    ("gce", Kind::Gce, Aim::Utilisation),
    ("react", Kind::React, Aim::Fixed),
    ("adapt", Kind::Adapt, Aim::Fixed),
    ("hist", Kind::Hist, Aim::Fixed),
    ("reg", Kind::Reg, Aim::Fixed),
    ("static-peak", Kind::StaticPeak, Aim::Fixed),
    ("ideal-reactive", Kind::IdealReactive, Aim::Fixed),
    ("oracle", Kind::Oracle, Aim::Plan),
    ("oracle-billed", Kind::OracleBilled, Aim::Plan),
];

/// What can be said of a kind besides its name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Aim {
    /// A target utilisation, and when its nodes leave.
    Utilisation,
    /// When its nodes leave.
    Fixed,
    /// Nothing: it knows everything.
    Plan,
}

/// 70 %: what most operators and examples of these tools choose; the reference experiment has it.
const USUAL_UTILISATION: f64 = 0.7;

const PAID_HOUR: &str = "+paid-hour";

/// How a baseline gets through a trace.
pub(super) enum Course<'a> {
    /// Day by day.
    Lives(Box<dyn Contender + 'a>),
    /// By a plan that was made in full knowledge.
    Planned(Plan),
}

/// A plan for the whole scored time, made in full knowledge of it.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Plan {
    /// When nodes begin and end to serve.
    changes: Changes,
    /// How many scored steps there are.
    steps: u64,
    /// From each order to the end of the drain.
    pub node_seconds: u64,
    /// Started hours of each node.
    pub billed_hours: u64,
}

impl Plan {
    /// Nodes that serve in each scored step.
    pub fn serving(&self) -> impl Iterator<Item = u32> + '_ {
        self.changes.serving(self.steps)
    }
}

/// What the best plans cost.
pub(super) fn yardstick(trace: &Trace, settings: &Settings) -> Yardstick {
    let plan = oracle::plan(trace, settings);
    let billed = oracle_billed::plan(trace, settings);
    Yardstick {
        node_hours: plan.node_seconds as f64 / 3_600.0,
        billed_node_hours: billed.billed_hours,
    }
}

impl Baseline {
    /// How it orders and lets go machines.
    pub(super) fn rules(&self, bounds: Bounds) -> FleetRules {
        let leaving = match self.departure {
            Departure::AtOnce => leaving_at_once(),
            Departure::AtHoursEnd => leaving_at_hours_end(),
        };
        FleetRules { bounds, leaving, comeback: Comeback::Never, standby: NodeCount::ZERO }
    }

    /// How it gets through `trace`.
    pub(super) fn course<'a>(&self, trace: &'a Trace, settings: &Settings) -> Course<'a> {
        let target = self.utilisation;
        let contender: Box<dyn Contender + 'a> = match self.kind {
            Kind::Hpa => Box::new(hpa::Hpa::new(target)),
            Kind::Keda => Box::new(keda::Keda::new(target)),
            Kind::NomadTargetValue => Box::new(nomad_target_value::NomadTargetValue::new(target)),
            Kind::NomadThreshold => Box::new(nomad_threshold::NomadThreshold::default()),
            Kind::AwsTargetTracking => {
                Box::new(aws_target_tracking::AwsTargetTracking::new(target))
            }
            Kind::AwsPredictive => Box::new(aws_predictive::AwsPredictive::new(target)),
            Kind::Gce => Box::new(gce::Gce::new(target)),
            Kind::React => Box::new(react::React),
            Kind::Adapt => Box::new(adapt::Adapt::default()),
            Kind::Hist => Box::new(hist::Hist::default()),
            Kind::Reg => Box::new(reg::Reg::default()),
            Kind::StaticPeak => Box::new(static_peak::StaticPeak::new(trace, &settings.node)),
            Kind::IdealReactive => Box::new(ideal_reactive::IdealReactive::new(trace)),
            Kind::Oracle => return Course::Planned(oracle::plan(trace, settings)),
            Kind::OracleBilled => return Course::Planned(oracle_billed::plan(trace, settings)),
        };
        Course::Lives(contender)
    }

    /// The same, aiming at so many percent; none where it aims at no utilisation.
    pub fn at_utilisation(&self, percent: u8) -> Option<Self> {
        let (_, aim) = self.entry();
        let utilisation = f64::from(percent) / 100.0;
        (aim == Aim::Utilisation).then(|| Self { utilisation, ..self.clone() })
    }

    /// The utilisation that it aims at, in percent; none where it aims at none.
    pub fn utilisation_percent(&self) -> Option<f64> {
        let (_, aim) = self.entry();
        (aim == Aim::Utilisation).then_some(100.0 * self.utilisation)
    }

    /// Its name without the utilisation that it aims at.
    pub fn family(&self) -> String {
        Self { utilisation: USUAL_UTILISATION, ..self.clone() }.to_string()
    }

    /// Whether it knows the trace in advance: what nobody can do.
    pub fn is_clairvoyant(&self) -> bool {
        self.entry().1 == Aim::Plan
    }

    /// Every name that can be said, the plain ones.
    pub fn names() -> impl Iterator<Item = &'static str> {
        KINDS.iter().map(|(name, _, _)| *name)
    }

    fn entry(&self) -> (&'static str, Aim) {
        let own = KINDS.iter().find(|(_, kind, _)| *kind == self.kind);
        own.map_or(("", Aim::Fixed), |(name, _, aim)| (name, *aim))
    }
}

impl FromStr for Baseline {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (rest, departure) = match text.strip_suffix(PAID_HOUR) {
            Some(rest) => (rest, Departure::AtHoursEnd),
            None => (text, Departure::AtOnce),
        };
        let (name, percent) = match rest.split_once('@') {
            Some((name, percent)) => (name, Some(percent)),
            None => (rest, None),
        };
        let Some((_, kind, aim)) = KINDS.iter().find(|(known, _, _)| *known == name) else {
            let names: Vec<_> = Self::names().collect();
            return Err(format!("no baseline is named `{name}`; there are {}", names.join(", ")));
        };
        if percent.is_some() && *aim != Aim::Utilisation {
            return Err(format!("{name} aims at no utilisation; leave `@…` out"));
        }
        if departure == Departure::AtHoursEnd && *aim == Aim::Plan {
            return Err(format!("{name} plans departures itself; leave `{PAID_HOUR}` out"));
        }
        let utilisation = match percent.map(|percent| percent.trim_end_matches('%').parse()) {
            None => USUAL_UTILISATION,
            Some(Ok(percent @ 1..=100u8)) => f64::from(percent) / 100.0,
            Some(_) => {
                return Err(format!("`{rest}`: the utilisation is a whole percentage, 1 to 100"));
            }
        };
        Ok(Self { kind: *kind, utilisation, departure })
    }
}

impl fmt::Display for Baseline {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (name, aim) = self.entry();
        f.write_str(name)?;
        if aim == Aim::Utilisation && self.utilisation != USUAL_UTILISATION {
            write!(f, "@{:.0}", self.utilisation * 100.0)?;
        }
        match self.departure {
            Departure::AtOnce => Ok(()),
            Departure::AtHoursEnd => f.write_str(PAID_HOUR),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_baseline_is_named_as_it_was_asked_for() {
        for name in Baseline::names().chain(["hpa@50", "hpa@50+paid-hour", "react+paid-hour"]) {
            assert_eq!(name.parse::<Baseline>().expect(name).to_string(), name);
        }
        assert_eq!("hpa@70%".parse::<Baseline>().expect("legal").to_string(), "hpa");
    }

    #[test]
    fn what_makes_no_sense_is_refused() {
        for (name, says) in [
            ("kubernetes", "there are hpa, keda"),
            ("react@50", "aims at no utilisation"),
            ("oracle+paid-hour", "plans departures itself"),
            ("hpa@0", "1 to 100"),
            ("hpa@fifty", "1 to 100"),
            ("", "no baseline is named"),
        ] {
            let error = name.parse::<Baseline>().expect_err(name);
            assert!(error.contains(says), "{error}");
        }
    }
}
