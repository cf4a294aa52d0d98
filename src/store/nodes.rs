//! Nodes and pools.

use std::collections::BTreeMap;
use std::net::Ipv4Addr;

use sqlx::{Row, SqliteConnection};

use super::chain::append;
use super::error::failed;
use super::learned::record_phase;
use super::outbox::{News, tell};
use super::{Entry, Phase, Store, StoreError, document, milliseconds, parse, sql, timestamp};
use crate::domain::{Node, NodeId, PoolName, Timestamp};
use crate::engine::History;
use crate::planner::AddressUse;

/// What a pool's loop starts from.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct PoolState {
    /// What decisions remember.
    pub history: History,
    /// Living nodes, and those that ended lately.
    pub nodes: Vec<Node>,
}

/// What is written in one transaction: nodes as they are from now on, and why.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Change {
    /// Nodes, new or changed.
    pub nodes: Vec<Node>,
    /// What the journal says of it.
    pub entries: Vec<(Option<NodeId>, Entry)>,
    /// Lengths of phases that ended, in seconds.
    pub phases: Vec<(NodeId, Phase, f64)>,
    /// What people are told of it.
    pub news: News,
}

impl Change {
    /// Whether there is nothing to write.
    pub fn is_empty(&self) -> bool {
        self.nodes.is_empty()
            && self.entries.is_empty()
            && self.phases.is_empty()
            && self.news.is_empty()
    }
}

impl Store {
    /// A pool's history, its living nodes, and those that ended since `ended_since`.
    pub async fn load_pool(
        &self,
        pool: &PoolName,
        ended_since: Timestamp,
    ) -> Result<PoolState, StoreError> {
        let history = sqlx::query(sql::HISTORY)
            .bind(pool.as_str())
            .fetch_optional(&self.reader)
            .await
            .map_err(failed("read a pool's history"))?
            .map(|row| parse("a pool's history", row.get(0)))
            .transpose()?
            .unwrap_or_default();
        let rows = sqlx::query(sql::NODES)
            .bind(pool.as_str())
            .bind(milliseconds(ended_since))
            .fetch_all(&self.reader)
            .await
            .map_err(failed("read a pool's nodes"))?;
        let nodes =
            rows.iter().map(|row| parse("a node", row.get(0))).collect::<Result<Vec<Node>, _>>()?;
        Ok(PoolState { history, nodes })
    }

    /// Addresses of a VLAN that are held or were freed since `freed_since`, of every pool.
    pub async fn addresses(
        &self,
        vlan: &str,
        freed_since: Timestamp,
    ) -> Result<BTreeMap<Ipv4Addr, AddressUse>, StoreError> {
        let rows = sqlx::query(sql::ADDRESSES)
            .bind(vlan)
            .bind(milliseconds(freed_since))
            .fetch_all(&self.reader)
            .await
            .map_err(failed("read the addresses in use"))?;
        rows.iter()
            .map(|row| {
                let text: String = row.get(0);
                let address = text
                    .parse()
                    .map_err(|_| StoreError::Damaged { what: format!("`{text}` is no address") })?;
                let use_ = match row.get::<i64, _>(1) {
                    0 => AddressUse::Held,
                    _ => AddressUse::FreedAt(timestamp(row.get(2))?),
                };
                Ok((address, use_))
            })
            .collect()
    }

    /// Writes a change whole, or not at all.
    pub async fn write(
        &self,
        pool: &PoolName,
        at: Timestamp,
        change: &Change,
    ) -> Result<(), StoreError> {
        let mut transaction = self.begin().await?;
        for node in &change.nodes {
            set_node(&mut transaction, node).await?;
        }
        append(&mut transaction, at, pool, change.entries.iter().cloned()).await?;
        for (node, phase, seconds) in &change.phases {
            record_phase(&mut transaction, pool, *node, *phase, *seconds, at).await?;
        }
        tell(&mut transaction, at, &change.news).await?;
        transaction.commit().await.map_err(failed("commit a change"))
    }

    /// A transaction that takes the write lock at once: one that only reads first could be
    /// refused it later.
    pub(super) async fn begin(
        &self,
    ) -> Result<sqlx::Transaction<'static, sqlx::Sqlite>, StoreError> {
        self.writer.begin_with("BEGIN IMMEDIATE").await.map_err(failed("begin a transaction"))
    }
}

async fn set_node(transaction: &mut SqliteConnection, node: &Node) -> Result<(), StoreError> {
    sqlx::query(sql::SET_NODE)
        .bind(node.id.to_string())
        .bind(node.pool.as_str())
        .bind(node.label.as_str())
        .bind(&node.vlan)
        .bind(node.address.to_string())
        .bind(node.state.name())
        .bind(node.state.is_final())
        .bind(milliseconds(node.state_since))
        .bind(document(node))
        .execute(transaction)
        .await
        .map_err(failed("write a node"))?;
    Ok(())
}
