//! What is said about a case.
//!
//! In: a decision, or what is wrong with the case.
//! Out: one JSON object for one line.
//! Never: leaves out a number that the decision holds.

use serde::Serialize;

use crate::domain::NodeCount;
use crate::engine::{Decision, Reason, Recommendation, Stage};
use crate::policy::Problem;

/// The answer to one case.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Answer {
    /// The case's own id, or the number of its line.
    pub id: String,
    /// What came of it.
    #[serde(flatten)]
    pub verdict: Verdict,
}

/// What came of a case.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(untagged)]
pub enum Verdict {
    /// It was decided.
    Decided {
        /// How many nodes the pool shall have.
        count: NodeCount,
        /// How many it had.
        from: NodeCount,
        /// `out`, `in` or `hold`.
        direction: &'static str,
        /// The count before and after each guard, in their order.
        stages: Vec<Stage>,
        /// What each rule wanted, in the fragment's order.
        recommendations: Vec<Recommendation>,
        /// Why the count is what it is, the binding reason first, typed.
        reasons: Vec<Reason>,
        /// The same as sentences.
        because: Vec<String>,
    },
    /// It could not be decided.
    Failed {
        /// What is wrong.
        error: CaseError,
    },
}

/// Why a case could not be decided.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct CaseError {
    /// The kind of mistake.
    pub kind: ErrorKind,
    /// The first mistake as a sentence.
    pub message: String,
    /// Its column in the line, counted in characters from 1, where it has one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub at: Option<usize>,
    /// Every mistake of the case, each with its place and remedy.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub problems: Vec<Problem>,
}

/// The kinds of mistakes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum ErrorKind {
    /// The line is not one JSON value.
    NotJson,
    /// The line is longer, deeper or has more values than is read.
    TooLarge,
    /// A key is unknown, missing or repeated, or a value is not what its key takes.
    BadCase,
}

impl Answer {
    pub(super) fn decided(id: String, decision: Decision) -> Self {
        let verdict = Verdict::Decided {
            count: decision.to,
            from: decision.from,
            direction: decision.direction().name(),
            because: decision.reasons.iter().map(ToString::to_string).collect(),
            stages: decision.stages,
            recommendations: decision.recommendations,
            reasons: decision.reasons,
        };
        Self { id, verdict }
    }

    pub(super) fn failed(id: String, error: CaseError) -> Self {
        Self { id, verdict: Verdict::Failed { error } }
    }

    /// Whether the case could not be decided.
    pub fn is_failed(&self) -> bool {
        matches!(self.verdict, Verdict::Failed { .. })
    }
}

impl CaseError {
    pub(super) fn new(kind: ErrorKind, message: impl Into<String>) -> Self {
        Self { kind, message: message.into(), at: None, problems: Vec::new() }
    }

    /// Mistakes in a case's keys and values; there is at least one.
    pub(super) fn of_case(mut problems: Vec<Problem>) -> Self {
        problems.sort_by_key(|problem| problem.at);
        // Nobody reads a hundredth one.
        problems.truncate(20);
        let first = problems.first();
        let message = first.map(|problem| problem.what.clone()).unwrap_or_default();
        let at = first.map(|problem| problem.at.column);
        Self { kind: ErrorKind::BadCase, message, at, problems }
    }
}
