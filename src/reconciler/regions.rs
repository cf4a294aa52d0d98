//! Notices as regions on a board of annotations, each drawn once.
//!
//! In: an errand.
//! Out: an annotation that begins with the notice and, once told, ends with it.
//! Never: draws a second one of a subject. Posting can't be repeated, so whoever may have posted
//! before looks for the subject first.

use std::collections::BTreeSet;
use std::sync::Arc;

use async_trait::async_trait;

use crate::domain::{Duration, Notice, NoticeKind, NoticePhase};
use crate::ports::{Annotations, Closing, Errand, Fault, Notifier, RateLimit};

/// A board that is told of some kinds.
pub struct Regions {
    /// Where messages are addressed to.
    pub name: String,
    /// The board.
    pub board: Arc<dyn Annotations>,
    /// What it shows.
    pub kinds: BTreeSet<NoticeKind>,
    /// How long a notice is tried.
    pub gives_up_after: Duration,
}

#[async_trait]
impl Notifier for Regions {
    fn name(&self) -> &str {
        &self.name
    }

    fn wants(&self, kind: NoticeKind) -> bool {
        self.kinds.contains(&kind)
    }

    fn limit(&self) -> Option<RateLimit> {
        None
    }

    fn gives_up_after(&self) -> Duration {
        self.gives_up_after
    }

    async fn deliver(&self, errand: &Errand) -> Result<Option<String>, Fault> {
        let notice = &errand.notice;
        let name = match notice.phase {
            NoticePhase::Began | NoticePhase::Happened => self.draw(notice, errand.tried).await?,
            NoticePhase::Ended => self.close(notice, errand.reference.clone()).await?,
        };
        Ok(Some(name))
    }
}

impl Regions {
    async fn draw(&self, notice: &Notice, tried: u32) -> Result<String, Fault> {
        if 0 < tried
            && let Some(name) = self.board.find(&notice.subject).await?
        {
            return Ok(name);
        }
        self.board.post(notice).await
    }

    /// A beginning that was given up is drawn with its end, whole.
    async fn close(&self, notice: &Notice, known: Option<String>) -> Result<String, Fault> {
        let name = match known {
            Some(name) => Some(name),
            None => self.board.find(&notice.subject).await?,
        };
        let Some(name) = name else { return self.board.post(notice).await };
        if self.board.close(&name, notice).await? == Closing::Closed {
            return Ok(name);
        }
        // A proxy may say so, too: only a board that shows none has none. One that somebody
        // deleted stays deleted.
        match self.board.find(&notice.subject).await? {
            None => Ok(name),
            Some(_) => Err(Fault::transient(format!(
                "the board says that the region of {} is gone, and shows it",
                notice.subject
            ))),
        }
    }
}
