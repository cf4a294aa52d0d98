//! Brings the outbox's messages to one receiver.
//!
//! In: the outbox, a notifier.
//! Out: each message delivered, given up with a word in the journal, or left out and summed up.
//! Never: is waited for by a look; sleeps: a round answers how long to rest.

use std::sync::Arc;

use tracing::{error, info, warn};

use crate::domain::{Duration, Notice, NoticeKind, NoticePhase, Timestamp, after, elapsed};
use crate::ports::{Chance, Clock, Errand, Fault, Notifier};
use crate::store::{LeftOut, Message, Settled, Store, StoreError};
use crate::telemetry::{DeliveryLabels, DestinationLabels, Metrics};

/// The outbox is looked at this often: nobody sees a second on a chart of hours.
const LOOK_AGAIN: Duration = Duration::from_secs(1);

/// Waits after failures double from the first to the second: a receiver that restarts is back
/// within the first few, one that is down for long is not asked more than twelve times an hour.
const TRY_AGAIN: (Duration, Duration) = (Duration::from_secs(5), Duration::from_secs(300));

/// The longest wait that a receiver may ask for.
const LONGEST_WAIT: Duration = Duration::from_secs(3_600);

/// What may have arrived is not tried again sooner, also after a crash: by then a receiver that was
/// slow shows what came of it.
const IN_DOUBT: Duration = Duration::from_secs(15);

/// A person must help first.
const DENIED: Duration = Duration::from_secs(60);

/// So many messages are tried in a round.
const AT_ONCE: u32 = 20;

/// So many messages may wait for one receiver: a day of a change every ten seconds. The oldest are
/// given up beyond, so that the table has an end.
const MOST_WAITING: u32 = 10_000;

/// Serves one receiver.
pub struct Courier {
    notifier: Arc<dyn Notifier>,
    store: Arc<Store>,
    clock: Arc<dyn Clock>,
    chance: Arc<dyn Chance>,
    telemetry: Metrics,
    failures: u32,
    rests_until: Option<Timestamp>,
}

impl Courier {
    /// A courier of one receiver. `chance` spreads the tries of many.
    pub fn new(
        notifier: Arc<dyn Notifier>,
        store: Arc<Store>,
        clock: Arc<dyn Clock>,
        chance: Arc<dyn Chance>,
        telemetry: Metrics,
    ) -> Self {
        Self { notifier, store, clock, chance, telemetry, failures: 0, rests_until: None }
    }

    /// Whom it serves.
    pub fn destination(&self) -> &str {
        self.notifier.name()
    }

    /// Delivers what is due. How long to rest before the next round; fails only where the store
    /// does.
    pub async fn round(&mut self) -> Result<Duration, StoreError> {
        let now = self.now();
        let waiting = self.count_waiting(now).await?;
        if MOST_WAITING < waiting {
            self.shed(now).await?;
        }
        let is_idle = waiting == 0 && self.notifier.limit().is_none();
        if is_idle || self.rests(now) || !self.make_room(now).await? {
            return Ok(LOOK_AGAIN);
        }
        let due = self.store.due_messages(self.notifier.name(), now, AT_ONCE).await?;
        let all = due.len() == AT_ONCE as usize;
        for message in due {
            if self.room(self.now()).await? == Some(0) || !self.deliver(message).await? {
                return Ok(LOOK_AGAIN);
            }
        }
        Ok(if all { Duration::ZERO } else { LOOK_AGAIN })
    }

    /// Whether it is too early after a failure. A rest that is longer than any was set before the
    /// clock was.
    fn rests(&self, now: Timestamp) -> bool {
        self.rests_until.is_some_and(|until| now < until && until <= after(now, LONGEST_WAIT))
    }

    /// How many more notices the receiver may be sent now; none: as many as there are.
    async fn room(&self, now: Timestamp) -> Result<Option<u32>, StoreError> {
        let Some(limit) = self.notifier.limit() else { return Ok(None) };
        let sent = self.store.delivered_within(self.notifier.name(), limit.within, now).await?;
        Ok(Some(limit.most.saturating_sub(sent)))
    }

    /// Leaves out what is too much, and sums up what was once there is room again. Whether there is.
    async fn make_room(&self, now: Timestamp) -> Result<bool, StoreError> {
        let name = self.notifier.name();
        match self.room(now).await? {
            None => Ok(true),
            Some(0) => {
                let count = self.store.leave_out_messages(name, now).await?;
                if 0 < count {
                    self.count("left_out", count);
                }
                Ok(false)
            }
            Some(_) => {
                self.store.sum_up_messages(name, now, |left_out| sum(left_out, now)).await?;
                Ok(true)
            }
        }
    }

    /// Tries one message. Whether the receiver answers.
    async fn deliver(&mut self, message: Message) -> Result<bool, StoreError> {
        let (store, name) = (self.store.clone(), self.notifier.name().to_owned());
        store.try_message(message.id, after(self.now(), IN_DOUBT)).await?;
        let Message { id, written_at, tries, notice, reference } = message;
        let errand = Errand { notice, tried: tries, reference };
        let fault = match self.notifier.deliver(&errand).await {
            Ok(reference) => {
                let settled = Settled::Delivered { reference: reference.as_deref() };
                store.settle_message(&name, id, &errand.notice, settled, self.now()).await?;
                self.answers();
                return Ok(true);
            }
            Err(fault) => fault,
        };
        self.count(fault.kind(), 1);
        let now = self.now();
        let is_too_old = self.notifier.gives_up_after() <= elapsed(written_at, now);
        if matches!(fault, Fault::Permanent { .. }) || is_too_old {
            self.give_up(id, &errand.notice, &fault.to_string(), now).await?;
            return Ok(true);
        }
        if self.failures == 0 {
            warn!(destination = %name, "{name} is not told for now, and tried again: {fault}");
        }
        let due = after(now, self.wait(&fault, tries));
        self.rests_until = Some(after(now, self.wait(&fault, self.failures)));
        self.failures = self.failures.saturating_add(1);
        store.defer_message(id, due, &fault.to_string()).await?;
        Ok(false)
    }

    fn answers(&mut self) {
        self.count("delivered", 1);
        if 0 < self.failures {
            let name = self.notifier.name();
            info!(destination = %name, "{name} is told again, after {} failures", self.failures);
        }
        (self.failures, self.rests_until) = (0, None);
    }

    async fn give_up(
        &self,
        id: i64,
        notice: &Notice,
        because: &str,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let name = self.notifier.name();
        error!(destination = %name, "{name} is never told that {notice}: {because}");
        let labels = DestinationLabels { destination: name.into() };
        self.telemetry.outbox_given_up.get_or_create(&labels).inc();
        let settled = Settled::GivenUp { because };
        self.store.settle_message(name, id, notice, settled, now).await
    }

    /// Gives up the oldest of too many.
    async fn shed(&self, now: Timestamp) -> Result<(), StoreError> {
        for (id, notice) in self.store.surplus_messages(self.notifier.name(), MOST_WAITING).await? {
            let because = format!("more than {MOST_WAITING} messages wait for it");
            self.give_up(id, &notice, &because, now).await?;
        }
        Ok(())
    }

    /// The wait after a failure, the `failures`-th before this one: from half of it to all of it,
    /// so that not everybody comes back at once.
    fn wait(&self, fault: &Fault, failures: u32) -> Duration {
        let (first, most) = TRY_AGAIN;
        let wait = first.saturating_mul(2_u32.saturating_pow(failures)).min(most);
        let mut bytes = [0; 4];
        self.chance.fill(&mut bytes);
        let spread = f64::from(u32::from_le_bytes(bytes)) / f64::from(u32::MAX);
        let wait = wait.mul_f64(0.5 + spread / 2.0);
        match fault {
            Fault::Transient { retry_after: Some(asked), .. } => wait.max(*asked).min(LONGEST_WAIT),
            Fault::Denied { .. } => wait.max(DENIED),
            Fault::InDoubt { .. } => wait.max(IN_DOUBT),
            Fault::Transient { .. } => wait,
            Fault::Permanent { .. } | Fault::OutOfCapacity { .. } => wait,
        }
    }

    fn count(&self, outcome: &str, by: u64) {
        let destination = self.notifier.name().to_owned();
        let labels = DeliveryLabels { destination, outcome: outcome.into() };
        self.telemetry.outbox_deliveries.get_or_create(&labels).inc_by(by);
    }

    /// How many messages wait.
    async fn count_waiting(&self, now: Timestamp) -> Result<u32, StoreError> {
        let name = self.notifier.name();
        let waiting = self.store.waiting_messages().await?;
        let mine = waiting.into_iter().find(|(destination, ..)| destination == name);
        let (count, age) =
            mine.map_or((0, 0), |(_, count, oldest)| (count, elapsed(oldest, now).as_secs()));
        let labels = DestinationLabels { destination: name.into() };
        self.telemetry.outbox_messages.get_or_create(&labels).set(i64::from(count));
        self.telemetry.outbox_oldest_age.get_or_create(&labels).set(age.cast_signed());
        Ok(count)
    }

    fn now(&self) -> Timestamp {
        let now = self.clock.now().as_millisecond();
        Timestamp::from_millisecond(now).expect("a clock's time is in range")
    }
}

/// Gives up what waits for receivers that are none any more: nobody would ever try it.
pub async fn give_up_for_strangers(
    store: &Store,
    known: &[Arc<dyn Notifier>],
    now: Timestamp,
) -> Result<(), StoreError> {
    for (destination, ..) in store.waiting_messages().await? {
        if known.iter().any(|notifier| notifier.name() == destination) {
            continue;
        }
        loop {
            let waiting = store.surplus_messages(&destination, 0).await?;
            if waiting.is_empty() {
                break;
            }
            for (id, notice) in waiting {
                let because = format!("the settings no longer name {destination}");
                let settled = Settled::GivenUp { because: &because };
                store.settle_message(&destination, id, &notice, settled, now).await?;
            }
        }
    }
    Ok(())
}

/// One notice for all that was left out.
fn sum(left_out: &[LeftOut], now: Timestamp) -> Notice {
    let count: u32 = left_out.iter().map(|one| one.count).sum();
    let first = left_out.iter().map(|one| one.first_at).min().unwrap_or(now);
    let last = left_out.iter().map(|one| one.last_at).max().unwrap_or(now);
    let pool = left_out.first().map(|one| one.pool.clone());
    Notice {
        subject: format!("left_out:{}", now.as_millisecond()),
        kind: NoticeKind::LeftOut,
        phase: NoticePhase::Happened,
        pool: pool.expect("something was left out"),
        began_at: first,
        ended_at: Some(last),
        is_dry_run: false,
        from: None,
        to: None,
        title: format!("{count} notices were left out: there were too many of them"),
        reasons: left_out
            .iter()
            .map(|one| format!("{} of {}: {}", one.kind, one.pool, one.count))
            .collect(),
        outcome: None,
    }
}
