//! Operators' commands: written by a face, read by the loop.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use sqlx::Row;
use uuid::Uuid;

use super::chain::append;
use super::error::failed;
use super::{Entry, Store, StoreError, document, milliseconds, parse, sql};
use crate::domain::{NodeId, PoolName, Timestamp};
use crate::planner::Protection;

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

/// What an operator can want.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CommandKind {
    /// Keep the count as it is; nodes already on their way go on.
    Hold,
    /// End every hold that is in force.
    Resume,
    /// Do not remove this node.
    Protect {
        /// The node.
        node: NodeId,
    },
    /// End every protection of this node.
    Release {
        /// The node.
        node: NodeId,
    },
}

/// The nodes that `commands`, oldest first, protect now.
pub fn protected(commands: &[Command]) -> BTreeMap<NodeId, Protection> {
    let mut protected = BTreeMap::new();
    for command in commands {
        match command.kind {
            CommandKind::Hold | CommandKind::Resume => {}
            CommandKind::Protect { node } => {
                let (reason, owner) = (command.reason.clone(), command.owner.clone());
                protected.insert(node, Protection { until: command.expires_at, reason, owner });
            }
            CommandKind::Release { node } => {
                protected.remove(&node);
            }
        }
    }
    protected
}

impl Store {
    /// Leaves a command for the loop.
    pub async fn add_command(&self, pool: &PoolName, command: &Command) -> Result<(), StoreError> {
        sqlx::query(sql::ADD_COMMAND)
            .bind(command.id.to_string())
            .bind(pool.as_str())
            .bind(milliseconds(command.given_at))
            .bind(milliseconds(command.expires_at))
            .bind(document(command))
            .execute(&self.writer)
            .await
            .map_err(failed("write a command"))?;
        Ok(())
    }

    /// The commands that have not expired at `now`, oldest first. Those that are seen for the
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
