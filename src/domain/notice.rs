//! What people are told: that something began, ended, or happened.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::{NodeCount, PoolName, Timestamp};

/// What a notice is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum NoticeKind {
    /// A decision raised the count; it ends when that many serve.
    ScaleOut,
    /// A decision lowered the count; it ends when the others have gone.
    ScaleIn,
    /// What the world shows is not believed: so many nodes are missing or unhealthy at once that
    /// nobody is replaced.
    Freeze,
    /// The count is held by an operator, the policy or the settings.
    Hold,
    /// Creating rests after failures in a row.
    Breaker,
    /// The budget is nearly used up, or holds the count down.
    Budget,
    /// More nodes did not help, so no more are added.
    Ineffective,
    /// No rule can read its signal.
    Blind,
    /// A node came to nothing.
    NodeFailed,
    /// A campaign was announced.
    Campaign,
    /// Notices were left out, because there were too many of them.
    LeftOut,
}

impl NoticeKind {
    /// Every kind that may be chosen in the settings.
    pub const CHOICES: [Self; 10] = [
        Self::ScaleOut,
        Self::ScaleIn,
        Self::Freeze,
        Self::Hold,
        Self::Breaker,
        Self::Budget,
        Self::Ineffective,
        Self::Blind,
        Self::NodeFailed,
        Self::Campaign,
    ];

    /// The word in tables, settings, tags and bodies.
    pub fn name(self) -> &'static str {
        match self {
            Self::ScaleOut => "scale_out",
            Self::ScaleIn => "scale_in",
            Self::Freeze => "freeze",
            Self::Hold => "hold",
            Self::Breaker => "breaker",
            Self::Budget => "budget",
            Self::Ineffective => "ineffective",
            Self::Blind => "blind",
            Self::NodeFailed => "node_failed",
            Self::Campaign => "campaign",
            Self::LeftOut => "left_out",
        }
    }

    /// Which way the count goes, where it is about that: `out` or `in`.
    pub fn direction(self) -> Option<&'static str> {
        match self {
            Self::ScaleOut => Some("out"),
            Self::ScaleIn => Some("in"),
            Self::Freeze | Self::Hold | Self::Breaker | Self::Budget | Self::Ineffective => None,
            Self::Blind | Self::NodeFailed | Self::Campaign | Self::LeftOut => None,
        }
    }
}

/// Whether a notice tells of a beginning, an end, or of something without length.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum NoticePhase {
    /// It begins; another notice of the same subject will tell its end.
    Began,
    /// It ended.
    Ended,
    /// It happened, or its length is known already.
    Happened,
}

impl NoticePhase {
    /// The word in tables and bodies.
    pub fn name(self) -> &'static str {
        match self {
            Self::Began => "began",
            Self::Ended => "ended",
            Self::Happened => "happened",
        }
    }
}

/// One thing to tell. It holds no secret and no address.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Notice {
    /// What it is about, the same at beginning and end: `decision:<id>`,
    /// `freeze:<pool>:<when>`, `node:<id>`, `campaign:<id>`.
    pub subject: String,
    /// Its kind.
    pub kind: NoticeKind,
    /// Beginning, end or neither.
    pub phase: NoticePhase,
    /// The pool.
    pub pool: PoolName,
    /// When it began, by the daemon's clock.
    pub began_at: Timestamp,
    /// When it ended, or will end where that is known.
    pub ended_at: Option<Timestamp>,
    /// Whether it is told of a dry run: nothing is done.
    pub is_dry_run: bool,
    /// The count before, where it is about the count.
    pub from: Option<NodeCount>,
    /// The count after, where it is about the count.
    pub to: Option<NodeCount>,
    /// What it is, in a few words.
    pub title: String,
    /// Why, a sentence each; the first one binds.
    pub reasons: Vec<String>,
    /// What came of it; only at an end.
    pub outcome: Option<String>,
}

impl Notice {
    /// The same subject's end.
    pub fn ended(&self, at: Timestamp, outcome: impl Into<String>) -> Self {
        Self {
            phase: NoticePhase::Ended,
            ended_at: Some(at.max(self.began_at)),
            outcome: Some(outcome.into()),
            ..self.clone()
        }
    }

    /// What tells this notice from all others: its subject and phase.
    pub fn identity(&self) -> String {
        format!("{}/{}", self.subject, self.phase.name())
    }
}

/// The title, marked where it is a dry run, and what came of it.
impl fmt::Display for Notice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.is_dry_run {
            f.write_str("[dry run] ")?;
        }
        f.write_str(&self.title)?;
        match &self.outcome {
            Some(outcome) => write!(f, ": {outcome}"),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_word_is_the_one_in_json() {
        for kind in NoticeKind::CHOICES.into_iter().chain([NoticeKind::LeftOut]) {
            assert_eq!(serde_json::to_value(kind).expect("a word"), kind.name());
        }
        for phase in [NoticePhase::Began, NoticePhase::Ended, NoticePhase::Happened] {
            assert_eq!(serde_json::to_value(phase).expect("a word"), phase.name());
        }
    }

    #[test]
    fn an_end_is_never_before_its_beginning() {
        let at = |seconds| Timestamp::from_second(seconds).expect("a moment");
        let began = Notice {
            subject: "freeze:1".into(),
            kind: NoticeKind::Freeze,
            phase: NoticePhase::Began,
            pool: PoolName::new("web").expect("a name"),
            began_at: at(100),
            ended_at: None,
            is_dry_run: true,
            from: None,
            to: None,
            title: "web is frozen".into(),
            reasons: Vec::new(),
            outcome: None,
        };
        let ended = began.ended(at(40), "all is well");
        assert_eq!(ended.ended_at, Some(at(100)), "the clock was set back");
        assert_eq!(ended.to_string(), "[dry run] web is frozen: all is well");
        assert_eq!(
            (began.identity(), ended.identity()),
            ("freeze:1/began".into(), "freeze:1/ended".into())
        );
    }
}
