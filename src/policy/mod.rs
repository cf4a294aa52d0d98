//! A policy: what an operator wrote about one pool, made impossible to misread.
//!
//! In: the text of one YAML file.
//! Out: a [`Policy`] that can only hold legal settings, or every problem of the text at once,
//! each with its line, column and remedy.
//! Never: reads files, clocks or the world; replaces a good policy by a bad one.

mod calendar;
mod difference;
pub(crate) mod document;
mod explain;
pub(crate) mod fields;
mod fragment;
mod lint;
mod nearest;
pub(crate) mod problem;
pub(crate) mod question;
mod read;
mod schedule;
mod schema;
mod settings;
mod window;

use std::path::Path;

use sha2::{Digest, Sha256};

pub use difference::{Difference, differences};
pub use explain::explain_defaults;
pub(crate) use fragment::fragment;
pub use lint::{Warning, lint};
pub use problem::{Place, Problem, Problems};
pub(crate) use read::CONTROL;
pub use schedule::{CronPattern, EffectiveBounds, Window, Zone, expired};
pub use schema::json_schema;
pub use settings::{
    Backoff, BalancerMetric, BalancerSignal, Band, BandAction, Bounds, Brake, Budget,
    CalendarEntry, Comes, Configure, Control, CountRule, Coverage, CoverageNeed, Effectiveness,
    FixedRule, ForecastRule, Health, HealthCheck, HintRule, Join, LatencyRule, Lead, Leave,
    LeaveEarly, LeaveOrder, Measures, MissingData, NodeSeries, NodeTemplate, OrphanEnd, Orphans,
    Pace, PaceLimit, PaceSelect, Policy, Rule, RuleScaleIn, Samples, ScaleIn, ScaleOut,
    ScheduleRule, Signal, SignalSource, Ssh, Standby, StepRounding, StepRule, SurgeRule, Take,
    TargetForm, TargetRule, Tolerance, Vlan, When,
};
pub use window::{window_of, with_window};

/// Reads the text of one policy file; `file` is only its name in messages.
///
/// Every default is filled in, and paths stay as written. Fails with every problem at once.
pub fn parse(text: &str, file: &Path) -> Result<Policy, Problems> {
    let (digest, whole) = (digest(text), text);
    // An invisible mark at the beginning would move every column of the first line.
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let mut notes = Vec::new();
    let policy = match document::read(text) {
        Ok(document) => read::policy(&document, &mut notes),
        Err(problem) => {
            notes.push(problem);
            None
        }
    };
    match policy {
        Some(policy) if notes.is_empty() => Ok(Policy { digest, text: whole.into(), ..policy }),
        _ => Err(Problems::new(file, text, notes, problem::Quoting::Lines)),
    }
}

/// SHA-256 of a text, in hexadecimal.
fn digest(text: &str) -> String {
    crate::domain::hex(&Sha256::digest(text))
}
