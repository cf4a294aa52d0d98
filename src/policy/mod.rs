//! A policy: what an operator wrote about one pool, made impossible to misread.
//!
//! In: the text of one YAML file.
//! Out: a [`Policy`] that can only hold legal settings, or every problem of the text at once,
//! each with its line, column and remedy.
//! Never: reads files, clocks or the world; replaces a good policy by a bad one.

mod settings;

pub use settings::{
    Backoff, Bounds, Configure, Control, Coverage, CoverageNeed, Health, HealthCheck, Join,
    LatencyRule, Leave, LeaveEarly, LeaveOrder, MissingData, NodeTemplate, Pace, PaceLimit, Policy,
    Rule, RuleScaleIn, ScaleIn, ScaleOut, Signal, SignalSource, Ssh, TargetRule, Tolerance, Vlan,
};
