//! The outbox: notices written with what they tell of, and what became of each.
//!
//! A message waits until it is delivered, given up, or left out. One subject's messages go out in
//! their order.

use serde::Serialize;
use sqlx::{Row, SqliteConnection};

use super::chain::append;
use super::error::failed;
use super::{Entry, Store, StoreError, document, milliseconds, parse, sql, timestamp};
use crate::domain::{Duration, Notice, NoticePhase, PoolName, Timestamp, after, before};

/// No message waits longer for its next try.
const LONGEST_WAIT: Duration = Duration::from_secs(3_600);

/// What is told in a transaction: each notice, and to whom.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct News(pub Vec<(Notice, Vec<String>)>);

impl News {
    /// Whether there is nothing to tell.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// A message that may be tried now.
#[derive(Clone, Debug, PartialEq)]
pub struct Message {
    /// Its number.
    pub id: i64,
    /// When it was written.
    pub written_at: Timestamp,
    /// How often it was tried.
    pub tries: u32,
    /// What it tells.
    pub notice: Notice,
    /// What the receiver called the beginning, where that arrived and this is the end.
    pub reference: Option<String>,
}

/// What a message came to.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Settled<'a> {
    /// The receiver has it.
    Delivered {
        /// What the receiver calls it.
        reference: Option<&'a str>,
    },
    /// It is tried no more.
    GivenUp {
        /// Why.
        because: &'a str,
    },
}

/// Messages that were left out, of one pool and kind.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LeftOut {
    /// The pool.
    pub pool: PoolName,
    /// The kind's name.
    pub kind: String,
    /// How many.
    pub count: u32,
    /// When the first of them was written.
    pub first_at: Timestamp,
    /// When the last of them was written.
    pub last_at: Timestamp,
}

/// A message and what became of it.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct MessageRecord {
    /// `waiting`, `delivered`, `given_up`, `left_out` or `summed_up`.
    pub state: String,
    /// How often it was tried.
    pub tries: u32,
    /// What went wrong last.
    pub error: Option<String>,
    /// What it tells.
    pub notice: Notice,
}

impl Store {
    /// What was told to have begun in a pool, and not to have ended.
    pub async fn conditions(&self, pool: &PoolName) -> Result<Vec<Notice>, StoreError> {
        let rows = sqlx::query(sql::CONDITIONS)
            .bind(pool.as_str())
            .fetch_all(&self.reader)
            .await
            .map_err(failed("read what has begun"))?;
        rows.iter().map(|row| parse("a condition", row.get(0))).collect()
    }

    /// Messages to `destination` that may be tried now, oldest first; of one subject only the
    /// first that waits.
    pub async fn due_messages(
        &self,
        destination: &str,
        now: Timestamp,
        limit: u32,
    ) -> Result<Vec<Message>, StoreError> {
        let rows = sqlx::query(sql::DUE_MESSAGES)
            .bind(destination)
            .bind(milliseconds(now))
            .bind(milliseconds(after(now, LONGEST_WAIT)))
            .bind(limit)
            .fetch_all(&self.reader)
            .await
            .map_err(failed("read the outbox"))?;
        let message = |row: &sqlx::sqlite::SqliteRow| {
            Ok(Message {
                id: row.get(0),
                written_at: timestamp(row.get(1))?,
                tries: row.get(2),
                notice: parse("a message", row.get(3))?,
                reference: row.get(4),
            })
        };
        rows.iter().map(message).collect()
    }

    /// Notes that a message is about to be tried: before it is, so that a try which a crash cuts
    /// off is known. After one of those the next is due at `due_at`.
    pub async fn try_message(&self, id: i64, due_at: Timestamp) -> Result<(), StoreError> {
        sqlx::query(sql::TRY_MESSAGE)
            .bind(id)
            .bind(milliseconds(due_at))
            .execute(&self.writer)
            .await
            .map_err(failed("note a try"))?;
        Ok(())
    }

    /// Notes that a try failed; the next one is due at `due_at`, at most an hour away.
    pub async fn defer_message(
        &self,
        id: i64,
        due_at: Timestamp,
        error: &str,
    ) -> Result<(), StoreError> {
        sqlx::query(sql::DEFER_MESSAGE)
            .bind(id)
            .bind(milliseconds(due_at))
            .bind(error)
            .execute(&self.writer)
            .await
            .map_err(failed("note a failed try"))?;
        Ok(())
    }

    /// Notes what a message came to; one that is given up has its word in the journal.
    pub async fn settle_message(
        &self,
        destination: &str,
        id: i64,
        notice: &Notice,
        settled: Settled<'_>,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let mut transaction = self.begin().await?;
        let (state, reference, error) = match settled {
            Settled::Delivered { reference } => ("delivered", reference, None),
            Settled::GivenUp { because } => ("given_up", None, Some(because)),
        };
        sqlx::query(sql::SETTLE_MESSAGE)
            .bind(id)
            .bind(state)
            .bind(milliseconds(now))
            .bind(reference)
            .bind(error)
            .execute(&mut *transaction)
            .await
            .map_err(failed("settle a message"))?;
        if let Settled::GivenUp { because } = settled {
            let entry = Entry::NotTold {
                destination: destination.into(),
                subject: notice.subject.clone(),
                what: notice.to_string(),
                because: because.into(),
            };
            append(&mut transaction, now, &notice.pool, [(None, entry)]).await?;
        }
        transaction.commit().await.map_err(failed("commit what a message came to"))
    }

    /// How many messages reached `destination` within `length` before now.
    pub async fn delivered_within(
        &self,
        destination: &str,
        length: Duration,
        now: Timestamp,
    ) -> Result<u32, StoreError> {
        let row = sqlx::query(sql::DELIVERED_SINCE)
            .bind(destination)
            .bind(milliseconds(before(now, length)))
            .bind(milliseconds(now))
            .fetch_one(&self.reader)
            .await
            .map_err(failed("count what was delivered"))?;
        Ok(row.get(0))
    }

    /// Leaves out every message to `destination` that waits and was never tried, but for sums of
    /// what was left out. How many.
    pub async fn leave_out_messages(
        &self,
        destination: &str,
        now: Timestamp,
    ) -> Result<u64, StoreError> {
        let done = sqlx::query(sql::LEAVE_OUT_MESSAGES)
            .bind(destination)
            .bind(milliseconds(now))
            .execute(&self.writer)
            .await
            .map_err(failed("leave messages out"))?;
        Ok(done.rows_affected())
    }

    /// Puts one message for all that was left out into the outbox, as `sum` words it. Whether
    /// anything was.
    pub async fn sum_up_messages(
        &self,
        destination: &str,
        now: Timestamp,
        sum: impl FnOnce(&[LeftOut]) -> Notice,
    ) -> Result<bool, StoreError> {
        let mut transaction = self.begin().await?;
        let rows = sqlx::query(sql::LEFT_OUT_MESSAGES)
            .bind(destination)
            .fetch_all(&mut *transaction)
            .await
            .map_err(failed("read what was left out"))?;
        let left_out = rows.iter().map(left_out).collect::<Result<Vec<_>, _>>()?;
        if left_out.is_empty() {
            return Ok(false);
        }
        add(&mut transaction, now, destination, &sum(&left_out)).await?;
        sqlx::query(sql::SUM_UP_MESSAGES)
            .bind(destination)
            .execute(&mut *transaction)
            .await
            .map_err(failed("mark what was left out"))?;
        transaction.commit().await.map_err(failed("commit a sum"))?;
        Ok(true)
    }

    /// The messages to `destination` that wait beyond the newest `most`, some of them.
    pub async fn surplus_messages(
        &self,
        destination: &str,
        most: u32,
    ) -> Result<Vec<(i64, Notice)>, StoreError> {
        let rows = sqlx::query(sql::SURPLUS_MESSAGES)
            .bind(destination)
            .bind(most)
            .fetch_all(&self.reader)
            .await
            .map_err(failed("read the outbox"))?;
        rows.iter().map(|row| Ok((row.get(0), parse("a message", row.get(1))?))).collect()
    }

    /// Who has messages waiting: how many, and when the oldest was written.
    pub async fn waiting_messages(&self) -> Result<Vec<(String, u32, Timestamp)>, StoreError> {
        let rows = sqlx::query(sql::WAITING_MESSAGES)
            .fetch_all(&self.reader)
            .await
            .map_err(failed("count the outbox"))?;
        rows.iter().map(|row| Ok((row.get(0), row.get(1), timestamp(row.get(2))?))).collect()
    }

    /// Every message to `destination` that is remembered, oldest first.
    pub async fn messages(&self, destination: &str) -> Result<Vec<MessageRecord>, StoreError> {
        let rows = sqlx::query(sql::MESSAGES)
            .bind(destination)
            .fetch_all(&self.reader)
            .await
            .map_err(failed("read the outbox"))?;
        let record = |row: &sqlx::sqlite::SqliteRow| {
            Ok(MessageRecord {
                state: row.get(0),
                tries: row.get(1),
                error: row.get(2),
                notice: parse("a message", row.get(3))?,
            })
        };
        rows.iter().map(record).collect()
    }
}

/// Writes news inside a transaction that the caller commits together with what they tell of.
pub(super) async fn tell(
    transaction: &mut SqliteConnection,
    at: Timestamp,
    news: &News,
) -> Result<(), StoreError> {
    for (notice, destinations) in &news.0 {
        let condition = match notice.phase {
            NoticePhase::Began => sqlx::query(sql::BEGIN_CONDITION)
                .bind(notice.pool.as_str())
                .bind(notice.kind.name())
                .bind(document(notice)),
            NoticePhase::Ended => {
                sqlx::query(sql::END_CONDITION).bind(notice.pool.as_str()).bind(notice.kind.name())
            }
            NoticePhase::Happened => {
                add_all(transaction, at, destinations, notice).await?;
                continue;
            }
        };
        condition.execute(&mut *transaction).await.map_err(failed("write a condition"))?;
        add_all(transaction, at, destinations, notice).await?;
    }
    Ok(())
}

async fn add_all(
    transaction: &mut SqliteConnection,
    at: Timestamp,
    destinations: &[String],
    notice: &Notice,
) -> Result<(), StoreError> {
    for destination in destinations {
        add(transaction, at, destination, notice).await?;
    }
    Ok(())
}

async fn add(
    transaction: &mut SqliteConnection,
    at: Timestamp,
    destination: &str,
    notice: &Notice,
) -> Result<(), StoreError> {
    sqlx::query(sql::ADD_MESSAGE)
        .bind(destination)
        .bind(&notice.subject)
        .bind(notice.kind.name())
        .bind(notice.pool.as_str())
        .bind(milliseconds(at))
        .bind(document(notice))
        .execute(transaction)
        .await
        .map_err(failed("put a message into the outbox"))?;
    Ok(())
}

fn left_out(row: &sqlx::sqlite::SqliteRow) -> Result<LeftOut, StoreError> {
    Ok(LeftOut {
        pool: PoolName::new(row.get::<String, _>(0))
            .map_err(|what| StoreError::Damaged { what })?,
        kind: row.get(1),
        count: row.get(2),
        first_at: timestamp(row.get(3))?,
        last_at: timestamp(row.get(4))?,
    })
}
