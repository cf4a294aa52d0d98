//! How long the phases of a node's life take here.

use serde::Serialize;
use sqlx::{Row, SqliteConnection};

use super::error::failed;
use super::{Store, StoreError, milliseconds, sql};
use crate::domain::{NodeId, PoolName, Timestamp};

/// How many nodes are looked back at: more would remember an image of long ago.
const LATEST: i64 = 100;

/// A phase of a node's life.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Phase {
    /// From the decision to the cloud's answer to the create call.
    Create,
    /// From that answer until the instance is seen to run.
    Boot,
    /// The playbook, the wait for SSH included.
    Configure,
    /// From the registration until every balancer sends it requests.
    Join,
    /// From the last request it was given until it holds none.
    Drain,
    /// From the end of the drain until the cloud has proven the deletion.
    Delete,
}

/// What is known of one phase in one pool.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, utoipa::ToSchema)]
pub struct PhaseTimes {
    /// The phase.
    pub phase: Phase,
    /// How many nodes that is known from, the latest hundred at most.
    pub nodes: u32,
    /// Half of them took no longer, in seconds.
    pub median_seconds: f64,
    /// Nine in ten took no longer, in seconds.
    pub p90_seconds: f64,
}

/// How long whole lives took, the latest hundred of each at most, in seconds. Phases of one node
/// belong together: a slow machine is slow in all of them.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Lives {
    /// From the decision until the node got requests.
    pub to_serve: Vec<f64>,
    /// From the node's last request until the cloud had proven its deletion.
    pub to_leave: Vec<f64>,
}

impl Phase {
    /// Every phase, in the order of a node's life.
    pub const ALL: [Self; 6] =
        [Self::Create, Self::Boot, Self::Configure, Self::Join, Self::Drain, Self::Delete];

    /// The phase's name in tables, metrics and the API.
    pub fn name(self) -> &'static str {
        match self {
            Self::Create => "create",
            Self::Boot => "boot",
            Self::Configure => "configure",
            Self::Join => "join",
            Self::Drain => "drain",
            Self::Delete => "delete",
        }
    }
}

impl Store {
    /// From the decision until a node gets requests, each phase as long as nine in ten of this
    /// pool's nodes took, in seconds; none before a node has gone through all of them.
    pub async fn seconds_to_serve(&self, pool: &PoolName) -> Result<Option<f64>, StoreError> {
        let known = self.learned(pool).await?;
        let p90 = |phase| known.iter().find(|times| times.phase == phase).map(|t| t.p90_seconds);
        let phases = [Phase::Create, Phase::Boot, Phase::Configure, Phase::Join];
        Ok(phases.into_iter().map(p90).sum())
    }

    /// What this pool's nodes took lately; phases that no node has ended yet are left out.
    pub async fn learned(&self, pool: &PoolName) -> Result<Vec<PhaseTimes>, StoreError> {
        let mut known = Vec::new();
        for phase in Phase::ALL {
            let rows = sqlx::query(sql::LEARNED)
                .bind(pool.as_str())
                .bind(phase.name())
                .bind(LATEST)
                .fetch_all(&self.reader)
                .await
                .map_err(failed("read learned times"))?;
            let mut seconds: Vec<f64> = rows.iter().map(|row| row.get(0)).collect();
            seconds.sort_by(f64::total_cmp);
            if let (Some(median), Some(p90)) = (quantile(&seconds, 0.5), quantile(&seconds, 0.9)) {
                let nodes = seconds.len() as u32;
                known.push(PhaseTimes { phase, nodes, median_seconds: median, p90_seconds: p90 });
            }
        }
        Ok(known)
    }

    /// How long this pool's nodes took to serve and to leave, newest first.
    pub async fn lives(&self, pool: &PoolName) -> Result<Lives, StoreError> {
        let sums = async |sql: &'static str| {
            let rows = sqlx::query(sql).bind(pool.as_str()).bind(LATEST).fetch_all(&self.reader);
            let rows = rows.await.map_err(failed("read lives"))?;
            Ok(rows.iter().map(|row| row.get(0)).collect())
        };
        let (to_serve, to_leave) =
            (sums(sql::LIVES_TO_SERVE).await?, sums(sql::LIVES_TO_LEAVE).await?);
        Ok(Lives { to_serve, to_leave })
    }

    /// The phases that one node has ended, in seconds, by name.
    pub async fn phases_of(&self, node: NodeId) -> Result<Vec<(String, f64)>, StoreError> {
        let rows = sqlx::query(sql::LEARNED_OF_NODE)
            .bind(node.to_string())
            .fetch_all(&self.reader)
            .await
            .map_err(failed("read a node's phases"))?;
        Ok(rows.iter().map(|row| (row.get(0), row.get(1))).collect())
    }
}

pub(super) async fn record_phase(
    transaction: &mut SqliteConnection,
    pool: &PoolName,
    node: NodeId,
    phase: Phase,
    seconds: f64,
    at: Timestamp,
) -> Result<(), StoreError> {
    sqlx::query(sql::ADD_LEARNED)
        .bind(node.to_string())
        .bind(phase.name())
        .bind(pool.as_str())
        .bind(milliseconds(at))
        .bind(seconds)
        .execute(transaction)
        .await
        .map_err(failed("write a learned time"))?;
    Ok(())
}

/// The smallest value that at least `share` of the sorted values don't exceed.
fn quantile(sorted: &[f64], share: f64) -> Option<f64> {
    let rank = (sorted.len() as f64 * share).ceil() as usize;
    sorted.get(rank.max(1) - 1).copied()
}
