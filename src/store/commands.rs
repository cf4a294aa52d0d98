//! Operators' commands: written by a face, read by the loop.

use serde::{Deserialize, Serialize};
use sqlx::Row;
use uuid::Uuid;

use super::chain::append;
use super::error::failed;
use super::{Entry, Store, StoreError, document, milliseconds, parse, sql, timestamp};
use crate::domain::{NodeCount, NodeId, PoolName, Timestamp};

/// An operator's command for one pool.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Command {
    /// Its id.
    pub id: Uuid,
    /// What is wanted.
    pub kind: CommandKind,
    /// Why; never empty.
    pub reason: String,
    /// Who gave it.
    pub owner: String,
    /// When it was given.
    pub given_at: Timestamp,
    /// When it ends by itself.
    pub expires_at: Timestamp,
}

/// What an operator can want. Of those that speak of the same thing, the newest counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CommandKind {
    /// Keep the count as it is; nodes already on their way go on.
    Hold,
    /// Only this change is forbidden.
    HoldOnly {
        /// Which.
        change: HeldAct,
    },
    /// End every hold that is in force.
    Resume,
    /// This very count.
    Set {
        /// How many nodes.
        count: NodeCount,
    },
    /// No fewer nodes.
    Floor {
        /// How many at least.
        count: NodeCount,
    },
    /// No more nodes.
    Ceiling {
        /// How many at most.
        count: NodeCount,
    },
    /// This node gets no more requests and leaves; another is made if one is then missing.
    Drain {
        /// The node.
        node: NodeId,
    },
    /// Another node takes this one's place, and then this one leaves.
    Replace {
        /// The node.
        node: NodeId,
    },
    /// Do not remove this node.
    Protect {
        /// The node.
        node: NodeId,
    },
    /// End every protection, drain and replacement of this node.
    Release {
        /// The node.
        node: NodeId,
    },
    /// The rest after the last change of the count is over.
    ClearCooldown,
}

/// What a hold may forbid alone.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, utoipa::ToSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum HeldAct {
    /// The count does not grow.
    ScaleOut,
    /// The count does not fall.
    ScaleIn,
    /// No instance is created; nodes in standby and draining ones may still be taken back.
    Create,
    /// No node that serves or stands by begins to leave, and no orphan is deleted.
    Delete,
}

/// A command as the table has it.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct CommandRecord {
    /// As it was given.
    pub command: Command,
    /// When the loop first acted by it.
    pub applied_at: Option<Timestamp>,
    /// When somebody ended it before its time.
    pub ended_at: Option<Timestamp>,
    /// Who did.
    pub ended_by: Option<String>,
}

/// What came of a command that was given under a key.
#[derive(Clone, Debug, PartialEq)]
pub enum Given {
    /// It is in the table.
    New,
    /// The same was given under this key before; what was answered then.
    Again(String),
    /// Something else was given under this key before; nothing was done.
    AnotherRequest,
}

/// A key under which a request may be sent again.
#[derive(Clone, Copy, Debug)]
pub struct IdempotencyKey<'a> {
    /// The key, as the caller chose it.
    pub key: &'a str,
    /// A digest of the whole request.
    pub request_digest: &'a str,
    /// What is answered, now and again.
    pub answer: &'a str,
}

impl Store {
    /// Leaves a command for the loop.
    pub async fn add_command(&self, pool: &PoolName, command: &Command) -> Result<(), StoreError> {
        self.give_command(pool, command, None).await.map(|_| ())
    }

    /// The same, once: what was given under the same key before is not given again.
    pub async fn give_command(
        &self,
        pool: &PoolName,
        command: &Command,
        key: Option<IdempotencyKey<'_>>,
    ) -> Result<Given, StoreError> {
        let mut transaction = self.begin().await?;
        if let Some(key) = key {
            let known = sqlx::query(sql::IDEMPOTENCY_KEY)
                .bind(&command.owner)
                .bind(key.key)
                .fetch_optional(&mut *transaction)
                .await
                .map_err(failed("read an idempotency key"))?;
            if let Some(row) = known {
                let (digest, answer): (String, String) = (row.get(0), row.get(1));
                return Ok(match digest == key.request_digest {
                    true => Given::Again(answer),
                    false => Given::AnotherRequest,
                });
            }
            sqlx::query(sql::KEEP_IDEMPOTENCY_KEY)
                .bind(&command.owner)
                .bind(key.key)
                .bind(milliseconds(command.given_at))
                .bind(key.request_digest)
                .bind(key.answer)
                .execute(&mut *transaction)
                .await
                .map_err(failed("keep an idempotency key"))?;
        }
        sqlx::query(sql::ADD_COMMAND)
            .bind(command.id.to_string())
            .bind(pool.as_str())
            .bind(milliseconds(command.given_at))
            .bind(milliseconds(command.expires_at))
            .bind(document(command))
            .execute(&mut *transaction)
            .await
            .map_err(failed("write a command"))?;
        transaction.commit().await.map_err(failed("commit a command"))?;
        Ok(Given::New)
    }

    /// What was answered under a key before, if anything was.
    pub async fn given_before(
        &self,
        owner: &str,
        key: &str,
        request_digest: &str,
    ) -> Result<Given, StoreError> {
        let known = sqlx::query(sql::IDEMPOTENCY_KEY)
            .bind(owner)
            .bind(key)
            .fetch_optional(&self.reader)
            .await
            .map_err(failed("read an idempotency key"))?;
        let Some(row) = known else { return Ok(Given::New) };
        let (digest, answer): (String, String) = (row.get(0), row.get(1));
        Ok(if digest == request_digest { Given::Again(answer) } else { Given::AnotherRequest })
    }

    /// Ends a command before its time, and writes it into the journal; whether it was in force.
    pub async fn end_command(
        &self,
        pool: &PoolName,
        id: Uuid,
        owner: &str,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        let mut transaction = self.begin().await?;
        let done = sqlx::query(sql::END_COMMAND)
            .bind(id.to_string())
            .bind(pool.as_str())
            .bind(milliseconds(now))
            .bind(owner)
            .execute(&mut *transaction)
            .await
            .map_err(failed("end a command"))?;
        if done.rows_affected() == 0 {
            return Ok(false);
        }
        let entry = Entry::CommandEnded { command: id.to_string(), owner: owner.to_owned() };
        append(&mut transaction, now, pool, [(None, entry)]).await?;
        transaction.commit().await.map_err(failed("commit the end of a command"))?;
        Ok(true)
    }

    /// Commands of a pool below an id, newest first, those that have ended too.
    pub async fn commands(
        &self,
        pool: &PoolName,
        before: Option<Uuid>,
        limit: u32,
    ) -> Result<Vec<CommandRecord>, StoreError> {
        let before = before.map_or_else(|| "~".to_string(), |id| id.to_string());
        let rows = sqlx::query(sql::COMMAND_LIST)
            .bind(pool.as_str())
            .bind(before)
            .bind(limit)
            .fetch_all(&self.reader)
            .await
            .map_err(failed("read commands"))?;
        rows.iter().map(record).collect()
    }

    /// One command of a pool.
    pub async fn command(
        &self,
        pool: &PoolName,
        id: Uuid,
    ) -> Result<Option<CommandRecord>, StoreError> {
        let row = sqlx::query(sql::COMMAND)
            .bind(pool.as_str())
            .bind(id.to_string())
            .fetch_optional(&self.reader)
            .await
            .map_err(failed("read a command"))?;
        row.as_ref().map(record).transpose()
    }

    /// The commands that have not ended at `now`, oldest first. Those that are seen for the
    /// first time are marked, and the journal says so.
    pub async fn take_commands(
        &self,
        pool: &PoolName,
        now: Timestamp,
    ) -> Result<Vec<Command>, StoreError> {
        let mut commands = Vec::new();
        for (command, is_marked) in self.commands_in_force(pool, now).await? {
            if !is_marked {
                self.mark_applied(pool, &command, now).await?;
            }
            commands.push(command);
        }
        Ok(commands)
    }

    /// The same without a written word.
    pub async fn see_commands(
        &self,
        pool: &PoolName,
        now: Timestamp,
    ) -> Result<Vec<Command>, StoreError> {
        let commands = self.commands_in_force(pool, now).await?;
        Ok(commands.into_iter().map(|(command, _)| command).collect())
    }

    /// With each, whether the loop has seen it.
    async fn commands_in_force(
        &self,
        pool: &PoolName,
        now: Timestamp,
    ) -> Result<Vec<(Command, bool)>, StoreError> {
        let rows = sqlx::query(sql::COMMANDS)
            .bind(pool.as_str())
            .bind(milliseconds(now))
            .fetch_all(&self.reader)
            .await
            .map_err(failed("read commands"))?;
        let command = |row: &sqlx::sqlite::SqliteRow| {
            let applied: Option<i64> = row.get(3);
            Ok((parse("a command", row.get(4))?, applied.is_some()))
        };
        rows.iter().map(command).collect()
    }

    async fn mark_applied(
        &self,
        pool: &PoolName,
        command: &Command,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let mut transaction = self.begin().await?;
        sqlx::query(sql::APPLY_COMMAND)
            .bind(command.id.to_string())
            .bind(milliseconds(now))
            .execute(&mut *transaction)
            .await
            .map_err(failed("mark a command"))?;
        let command = serde_json::to_value(command).expect("a command has string keys");
        append(&mut transaction, now, pool, [(None, Entry::Commanded { command })]).await?;
        transaction.commit().await.map_err(failed("commit a command"))
    }
}

fn record(row: &sqlx::sqlite::SqliteRow) -> Result<CommandRecord, StoreError> {
    let moment = |at: Option<i64>| at.map(timestamp).transpose();
    Ok(CommandRecord {
        command: parse("a command", row.get(0))?,
        applied_at: moment(row.get(1))?,
        ended_at: moment(row.get(2))?,
        ended_by: row.get(3),
    })
}
