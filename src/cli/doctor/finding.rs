//! One thing that was looked at.

use std::fmt;
use std::future::Future;

use serde::Serialize;

use crate::domain::Duration;

/// How a thing is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Verdict {
    /// As it should be.
    Ok,
    /// It works, and a person should think about it.
    Warning,
    /// The deployment can't work like this.
    Failed,
}

/// What was found of one thing; displays as one line.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(super) struct Finding {
    /// How it is.
    pub verdict: Verdict,
    /// The thing, and where it is.
    pub subject: String,
    /// What was seen.
    pub what: String,
    /// What to do; nothing where all is well.
    pub remedy: Option<String>,
}

impl Finding {
    /// All is well.
    pub fn ok(subject: impl Into<String>, what: impl Into<String>) -> Self {
        let (subject, what) = (subject.into(), what.into());
        Self { verdict: Verdict::Ok, subject, what, remedy: None }
    }

    /// It works, and a person should think about it.
    pub fn warning(
        subject: impl Into<String>,
        what: impl fmt::Display,
        remedy: impl Into<String>,
    ) -> Self {
        Self { verdict: Verdict::Warning, ..Self::failed(subject, what, remedy) }
    }

    /// The deployment can't work like this.
    pub fn failed(
        subject: impl Into<String>,
        what: impl fmt::Display,
        remedy: impl Into<String>,
    ) -> Self {
        // Adapters' words may have lines of their own; a finding has one.
        let what = what.to_string().split_whitespace().collect::<Vec<_>>().join(" ");
        let (subject, remedy) = (subject.into(), Some(remedy.into()));
        Self { verdict: Verdict::Failed, subject, what, remedy }
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let verdict = match self.verdict {
            Verdict::Ok => "ok",
            Verdict::Warning => "warning",
            Verdict::Failed => "failed",
        };
        write!(f, "{verdict:<8} {}: {}", self.subject, self.what)?;
        match &self.remedy {
            Some(remedy) => write!(f, "; hint: {remedy}"),
            None => Ok(()),
        }
    }
}

/// What `looking` finds, or that it took too long.
pub(super) async fn within(
    limit: Duration,
    subject: &str,
    looking: impl Future<Output = Vec<Finding>>,
) -> Vec<Finding> {
    let found = tokio::time::timeout(limit, looking).await;
    found.unwrap_or_else(|_| vec![too_slow(subject, limit)])
}

/// It took too long.
pub(super) fn too_slow(subject: &str, limit: Duration) -> Finding {
    let what = format!("nothing could be seen within {} s", limit.as_secs());
    Finding::failed(subject, what, "see why it is so slow, and run the doctor again")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_finding_is_one_line_with_its_remedy() {
        let broken = Finding::failed("linode", "it said\n  no", "ask nicely");
        assert_eq!(broken.to_string(), "failed   linode: it said no; hint: ask nicely");
        assert_eq!(Finding::ok("linode", "fine").to_string(), "ok       linode: fine");
    }

    #[tokio::test(start_paused = true)]
    async fn what_takes_too_long_has_failed() {
        let found = within(Duration::from_secs(5), "linode", std::future::pending()).await;
        let said = found[0].to_string();
        assert!(said.starts_with("failed   linode: nothing could be seen within 5 s"), "{said}");
    }
}
