//! Orphans, and what the journal says of machines that are somebody else's.

use std::collections::BTreeSet;

use sqlx::Row;

use super::error::failed;
use super::{Entry, Store, StoreError, milliseconds, parse, sql, timestamp};
use crate::domain::{InstanceId, PoolName, Timestamp};

/// An instance with the pool's tag that is no node of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OrphanRecord {
    /// The cloud's number for it.
    pub instance: InstanceId,
    /// Its label.
    pub label: String,
    /// Since when every listing has shown it.
    pub since: Timestamp,
}

impl Store {
    /// The orphans of a pool as they were last seen.
    pub async fn orphans(&self, pool: &PoolName) -> Result<Vec<OrphanRecord>, StoreError> {
        let rows = sqlx::query(sql::ORPHANS)
            .bind(pool.as_str())
            .fetch_all(&self.reader)
            .await
            .map_err(failed("read the orphans"))?;
        rows.iter()
            .map(|row| {
                Ok(OrphanRecord {
                    instance: InstanceId(row.get::<i64, _>(0).cast_unsigned()),
                    label: row.get(1),
                    since: timestamp(row.get(2))?,
                })
            })
            .collect()
    }

    /// Remembers orphans that came, and forgets those that are gone, all or nothing.
    pub async fn set_orphans(
        &self,
        pool: &PoolName,
        came: &[OrphanRecord],
        gone: &[InstanceId],
    ) -> Result<(), StoreError> {
        let mut transaction = self.begin().await?;
        for orphan in came {
            sqlx::query(sql::SET_ORPHAN)
                .bind(orphan.instance.0.cast_signed())
                .bind(pool.as_str())
                .bind(&orphan.label)
                .bind(milliseconds(orphan.since))
                .execute(&mut *transaction)
                .await
                .map_err(failed("write an orphan"))?;
        }
        for instance in gone {
            sqlx::query(sql::FORGET_ORPHAN)
                .bind(instance.0.cast_signed())
                .execute(&mut *transaction)
                .await
                .map_err(failed("forget an orphan"))?;
        }
        transaction.commit().await.map_err(failed("commit the orphans"))
    }

    /// Instances that once were the pool's and from which somebody took our tag.
    pub async fn disowned(&self, pool: &PoolName) -> Result<BTreeSet<InstanceId>, StoreError> {
        let rows = sqlx::query(sql::DISOWNED)
            .bind(pool.as_str())
            .fetch_all(&self.reader)
            .await
            .map_err(failed("read what is somebody else's"))?;
        let mut disowned = BTreeSet::new();
        for row in rows {
            if let Entry::Disowned { instance, .. } = parse("a journal row", row.get(0))? {
                disowned.insert(instance);
            }
        }
        Ok(disowned)
    }
}
