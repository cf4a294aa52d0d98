//! Whoever is told what happens: Grafana, a webhook.

use async_trait::async_trait;

use super::Fault;
use crate::domain::{Duration, Notice, NoticeKind};

/// A receiver of notices. It may be slow, down or gone: nothing waits for it but its own courier.
#[async_trait]
pub trait Notifier: Send + Sync {
    /// Its name: where messages in the outbox are addressed to.
    fn name(&self) -> &str;

    /// Whether it wants notices of this kind. [`NoticeKind::LeftOut`] is not asked for.
    fn wants(&self, kind: NoticeKind) -> bool;

    /// How many notices it may be sent; none: as many as there are.
    fn limit(&self) -> Option<RateLimit>;

    /// A notice that could not be delivered for so long is given up.
    fn gives_up_after(&self) -> Duration;

    /// Hands one notice over. Ok: it has it, and what it calls it, where it gives names.
    ///
    /// Safe to repeat where the receiver can be asked what it has: then an errand that was
    /// [`tried`](Errand::tried) before looks first. A receiver that can't be asked may be told
    /// twice after a lost answer, with the same [`Notice::identity`].
    async fn deliver(&self, errand: &Errand) -> Result<Option<String>, Fault>;
}

/// A notice on its way.
#[derive(Clone, Debug, PartialEq)]
pub struct Errand {
    /// What to tell.
    pub notice: Notice,
    /// How often it was tried before, tries cut off by a crash included.
    pub tried: u32,
    /// What the receiver called the beginning, where this tells the end and the beginning arrived.
    pub reference: Option<String>,
}

/// At most so many notices in so long.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RateLimit {
    /// So many, at least one.
    pub most: u32,
    /// In any time of this length.
    pub within: Duration,
}
