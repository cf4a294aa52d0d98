//! The rehearsal: policies and published autoscalers on the same traffic, the same machines and
//! the same bill.
//!
//! In: a trace of request rates, a model of a node, settings, and contenders.
//! Out: a score for each: users, money, and the elasticity metrics of SPEC's research group.
//! Never: a copy of a rule of ours (a policy is asked through `engine::decide`, and who leaves is
//! the planner's choice); real time; chance that the seed doesn't repeat; a look ahead for
//! anyone but the yardsticks that say so.
//!
//! All moments are whole seconds after the trace's beginning, in steps of [`STEP_SECONDS`].

mod advice;
pub mod baselines;
mod bill;
mod campaigns;
mod contender;
mod contest;
mod curve;
mod demand;
mod fleet;
mod foresight;
mod hints;
mod lasts;
mod node_model;
mod past;
mod policy_contender;
mod query;
mod readings;
mod record;
mod recorded;
mod rehearse;
mod report;
mod run;
mod score;
mod settings;
mod table;
mod trace;

pub use advice::{
    Advice, AdviceKind, Evidence, Freshness, Trial, advise, evidence, judge, trials_at_most,
};
pub use contender::{Contender, View};
pub use contest::{Bout, Contest, Middle, Scene, Together, Variant, compete, mean_curve, together};
pub use curve::{CurvePoint, SWEPT_PERCENT};
pub use demand::{DemandSignal, demand_signal};
pub use fleet::{Comeback, FleetRules, Machine};
pub use hints::{Hint, HintsError, read_hints};
pub use lasts::Lasts;
pub use node_model::{KNEE, NodeModel, Outcome, PATIENCE_SECONDS};
pub use past::{Past, Served};
pub use policy_contender::PolicyContender;
pub use readings::Underivable;
pub use record::{Bucket, Change, Detail, Record};
pub use recorded::{Held, RecordedError};
pub use rehearse::{Rehearsal, Rehearse, rehearse};
pub use report::Report;
#[cfg(test)]
pub(super) use run::accompany;
pub use score::{Score, Yardstick};
pub use settings::{Bounds, Settings};
pub use table::Unreadable;
pub use trace::{Gap, Trace, TraceError};

/// The length of a step. A minute would hide the cliff of a push: its requests come within 10 to
/// 30 seconds. Half of this would double the work and tell nothing that a 10 s trace knows.
pub const STEP_SECONDS: u64 = 10;
