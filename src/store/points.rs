//! What a chart is drawn from: counts and signals over a time, thinned to so many buckets. Of
//! each bucket the least and the most are kept, so that a peak of one look is still seen.

use serde::Serialize;
use sqlx::{Row, SqliteConnection};

use super::error::failed;
use super::{Store, StoreError, milliseconds, parse, sql, timestamp};
use crate::domain::{DecisionId, NodeCount, PoolName, SignalName, Timestamp};
use crate::engine::{Decision, Observation, Reason};

/// A time that is cut into equal buckets: `since` belongs to it, `until` does not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Buckets {
    /// Where the first begins.
    pub since: Timestamp,
    /// Where the last ends.
    pub until: Timestamp,
    /// How long each is, in milliseconds; above zero.
    pub milliseconds: i64,
}

impl Buckets {
    /// How many there are.
    pub fn count(self) -> usize {
        let length = milliseconds(self.until) - milliseconds(self.since);
        usize::try_from((length + self.milliseconds - 1) / self.milliseconds).unwrap_or(0)
    }
}

/// The least and the most of each bucket; none where nothing is known.
#[derive(Clone, Debug, Default, PartialEq, Serialize, utoipa::ToSchema)]
pub struct Band<T> {
    /// The least of each.
    #[schema(schema_with = numbers_or_none)]
    pub low: Vec<Option<T>>,
    /// The most of each.
    #[schema(schema_with = numbers_or_none)]
    pub high: Vec<Option<T>>,
}

/// The document would otherwise leave out that a place may be empty.
fn numbers_or_none() -> utoipa::openapi::schema::Array {
    use utoipa::openapi::schema::{ArrayBuilder, ObjectBuilder, SchemaType, Type};
    let number = SchemaType::from_iter([Type::Number, Type::Null]);
    let number = ObjectBuilder::new().schema_type(number);
    let description = Some("One place for each bucket.");
    ArrayBuilder::new().items(number).description(description).build()
}

/// A pool's counts over a time, bucket by bucket.
#[derive(Clone, Debug, Default, PartialEq, Serialize, utoipa::ToSchema)]
pub struct CountBands {
    /// The count that the pool should have.
    pub desired: Band<u32>,
    /// Nodes in service.
    pub serving: Band<u32>,
    /// Nodes on their way to serve.
    pub on_the_way: Band<u32>,
    /// Nodes serving or on their way to serve.
    pub committed: Band<u32>,
    /// Nodes standing by.
    pub standby: Band<u32>,
    /// Nodes draining or being deleted.
    pub leaving: Band<u32>,
}

/// What kept a pool from changing for a while.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum FreezeKind {
    /// An operator's order, or the daemon's own setting, held it.
    Held,
    /// No rule's signal could be read.
    Blind,
}

/// A while in which a pool was kept from changing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct Freeze {
    /// What kept it.
    pub kind: FreezeKind,
    /// The first decision under it.
    pub since: Timestamp,
    /// The first decision after it; the last one under it where none came since.
    pub until: Timestamp,
}

/// A decision that changed the count.
#[derive(Clone, Debug, PartialEq)]
pub struct CountChange {
    /// Its id.
    pub id: DecisionId,
    /// When.
    pub at: Timestamp,
    /// The count before.
    pub from: NodeCount,
    /// The count after.
    pub to: NodeCount,
    /// Why; the first one binds.
    pub reasons: Vec<Reason>,
}

impl Store {
    /// A pool's counts.
    pub async fn count_bands(
        &self,
        pool: &PoolName,
        buckets: Buckets,
    ) -> Result<CountBands, StoreError> {
        let rows = self.read_buckets(sql::COUNT_BANDS, pool, None, buckets).await?;
        let mut bands = CountBands::default();
        let all = [
            &mut bands.desired,
            &mut bands.serving,
            &mut bands.on_the_way,
            &mut bands.committed,
            &mut bands.standby,
            &mut bands.leaving,
        ];
        for (place, band) in all.into_iter().enumerate() {
            *band = Band::empty(buckets);
            for row in &rows {
                let (low, high) = (row.get(1 + 2 * place), row.get(2 + 2 * place));
                band.set(row.get(0), low, high);
            }
        }
        Ok(bands)
    }

    /// What a signal said.
    pub async fn signal_band(
        &self,
        pool: &PoolName,
        signal: &SignalName,
        buckets: Buckets,
    ) -> Result<Band<f64>, StoreError> {
        let rows = self.read_buckets(sql::SIGNAL_BAND, pool, Some(signal), buckets).await?;
        let mut band = Band::empty(buckets);
        for row in &rows {
            band.set(row.get(0), row.get(1), row.get(2));
        }
        Ok(band)
    }

    /// The decisions that changed the count, oldest first; the newest `limit` of them.
    pub async fn count_changes(
        &self,
        pool: &PoolName,
        buckets: Buckets,
        limit: u32,
    ) -> Result<Vec<CountChange>, StoreError> {
        let rows = sqlx::query(sql::COUNT_CHANGES)
            .bind(pool.as_str())
            .bind(milliseconds(buckets.since))
            .bind(milliseconds(buckets.until))
            .bind(limit)
            .fetch_all(&self.reader)
            .await
            .map_err(failed("read what changed the count"))?;
        let change = |row: &sqlx::sqlite::SqliteRow| {
            let id: String = row.get(0);
            Ok(CountChange {
                id: id.parse().map_err(|cause| StoreError::Damaged {
                    what: format!("a decision's id: {cause}"),
                })?,
                at: timestamp(row.get(1))?,
                from: NodeCount(row.get(2)),
                to: NodeCount(row.get(3)),
                reasons: parse("a decision's reasons", row.get(4))?,
            })
        };
        rows.iter().rev().map(change).collect()
    }

    /// The freezes, by their beginning.
    pub async fn freezes(
        &self,
        pool: &PoolName,
        buckets: Buckets,
    ) -> Result<Vec<Freeze>, StoreError> {
        let rows = sqlx::query(sql::FREEZES)
            .bind(pool.as_str())
            .bind(milliseconds(buckets.since))
            .bind(milliseconds(buckets.until))
            .fetch_all(&self.reader)
            .await
            .map_err(failed("read when a pool was frozen"))?;
        let mut freezes = Vec::new();
        for (place, kind) in [FreezeKind::Held, FreezeKind::Blind].into_iter().enumerate() {
            let mut open: Option<Freeze> = None;
            for row in &rows {
                let at = timestamp(row.get(0))?;
                let is_frozen: bool = row.get(1 + place);
                if let Some(freeze) = &mut open {
                    freeze.until = at;
                }
                if !is_frozen {
                    freezes.extend(open.take());
                } else if open.is_none() {
                    open = Some(Freeze { kind, since: at, until: at });
                }
            }
            if let (Some(freeze), Some(last)) = (&mut open, rows.last()) {
                freeze.until = timestamp(last.get(3))?;
            }
            freezes.extend(open);
        }
        freezes.sort_by_key(|freeze| freeze.since);
        Ok(freezes)
    }

    async fn read_buckets(
        &self,
        statement: &'static str,
        pool: &PoolName,
        signal: Option<&SignalName>,
        buckets: Buckets,
    ) -> Result<Vec<sqlx::sqlite::SqliteRow>, StoreError> {
        sqlx::query(statement)
            .bind(pool.as_str())
            .bind(milliseconds(buckets.since))
            .bind(milliseconds(buckets.until))
            .bind(buckets.milliseconds)
            .bind(signal.map(SignalName::as_str))
            .fetch_all(&self.reader)
            .await
            .map_err(failed("read what a chart is drawn from"))
    }
}

impl<T: Clone> Band<T> {
    /// Nothing is known.
    fn empty(buckets: Buckets) -> Self {
        Self { low: vec![None; buckets.count()], high: vec![None; buckets.count()] }
    }

    fn set(&mut self, bucket: i64, low: T, high: T) {
        let bucket = usize::try_from(bucket).unwrap_or(usize::MAX);
        if let (Some(least), Some(most)) = (self.low.get_mut(bucket), self.high.get_mut(bucket)) {
            (*least, *most) = (Some(low), Some(high));
        }
    }
}

/// Adds a decision's point, inside the transaction that writes the decision.
pub(super) async fn add_point(
    transaction: &mut SqliteConnection,
    pool: &PoolName,
    observation: &Observation,
    decision: &Decision,
) -> Result<(), StoreError> {
    let fleet = observation.fleet;
    sqlx::query(sql::ADD_POINT)
        .bind(pool.as_str())
        .bind(milliseconds(observation.at))
        .bind(decision.to.0)
        .bind(fleet.serving.0)
        .bind(fleet.on_the_way.0)
        .bind(fleet.standby.0)
        .bind(fleet.leaving.0)
        .bind(observation.is_held)
        .bind(decision.history.blind_since.is_some())
        .execute(transaction)
        .await
        .map_err(failed("write a point"))?;
    Ok(())
}
