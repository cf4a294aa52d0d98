//! Orphans: which instances are, since when, and how they end.
//!
//! In: listings, what balancers show, the journal's word on what is somebody else's.
//! Out: a record of each that survives a restart; a deletion, one at a time, written down first.
//! Never: counts what a listing lacks as seen, or deletes what no longer carries our tag.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Instant;

use tracing::{info, warn};

use super::facts::{Seeing, is_of};
use super::look::PoolLoop;
use super::pool_tag;
use crate::domain::{
    Instance, InstanceId, InstanceLabel, InstanceStatus, PoolName, ServerAdmin, ServerName,
    Timestamp,
};
use crate::planner::Orphan;
use crate::ports::{Deletion, Fault};
use crate::store::{Change, Entry, OrphanRecord, Store, StoreError};

/// The step's name in the journal, metrics and logs.
const STEP: &str = "sweep_orphan";

/// What is remembered of orphans between looks. All of it is in the store, but for the listings
/// in a row and the last deletion: those begin anew with the daemon, which only delays.
#[derive(Debug)]
pub(super) struct Orphanage {
    known: BTreeMap<InstanceId, Sighting>,
    /// Instances from which somebody took our tag.
    disowned: BTreeSet<InstanceId>,
    /// When one was last asked to be deleted, or the daemon started.
    pub last_sweep: Timestamp,
    came: Vec<OrphanRecord>,
    gone: Vec<InstanceId>,
}

#[derive(Debug)]
struct Sighting {
    since: Timestamp,
    listings: u32,
    sequence: u64,
}

impl Orphanage {
    /// What the store remembers.
    pub async fn load(store: &Store, pool: &PoolName, now: Timestamp) -> Result<Self, StoreError> {
        let known = store.orphans(pool).await?.into_iter().map(|orphan| {
            (orphan.instance, Sighting { since: orphan.since, listings: 0, sequence: 0 })
        });
        Ok(Self {
            known: known.collect(),
            disowned: store.disowned(pool).await?,
            last_sweep: now,
            came: Vec::new(),
            gone: Vec::new(),
        })
    }

    /// Takes note that the journal calls an instance somebody else's.
    pub fn disown(&mut self, instance: InstanceId) {
        self.disowned.insert(instance);
    }

    /// Notes one listing: an orphan that it lacks is forgotten, and waits anew should it return.
    fn list(&mut self, orphans: &[&Instance], sequence: u64, now: Timestamp) {
        let listed: BTreeSet<InstanceId> = orphans.iter().map(|one| one.id).collect();
        let gone = self.known.keys().filter(|id| !listed.contains(id)).copied();
        self.gone.extend(gone);
        self.known.retain(|id, _| listed.contains(id));
        for orphan in orphans {
            let sighting = self.known.entry(orphan.id).or_insert_with(|| {
                let (instance, label) = (orphan.id, orphan.label.clone());
                self.came.push(OrphanRecord { instance, label, since: now });
                Sighting { since: now, listings: 0, sequence: 0 }
            });
            if sighting.sequence != sequence {
                (sighting.sequence, sighting.listings) = (sequence, sighting.listings + 1);
            }
        }
    }
}

impl PoolLoop {
    /// Instances of a believable listing with this pool's tag that are no living node.
    pub(super) fn find_orphans(
        &mut self,
        instances: &[Instance],
        seeing: &Seeing,
        now: Timestamp,
    ) -> Vec<Orphan> {
        let tag = pool_tag(&self.policy.pool);
        let is_orphan = |instance: &&Instance| {
            let mut living = self.nodes.values().filter(|node| !node.state.is_final());
            instance.tags.contains(&tag) && !living.any(|node| is_of(instance, node))
        };
        let orphans: Vec<&Instance> = instances.iter().filter(is_orphan).collect();
        self.orphanage.list(&orphans, seeing.listing.sequence, now);
        orphans.into_iter().map(|instance| self.orphan(instance, seeing)).collect()
    }

    fn orphan(&self, instance: &Instance, seeing: &Seeing) -> Orphan {
        let sighting = &self.orphanage.known[&instance.id];
        let label = InstanceLabel::new(instance.label.clone()).ok();
        Orphan {
            instance: instance.id,
            label: instance.label.clone(),
            since: sighting.since,
            listings: sighting.listings,
            has_our_label: label.as_ref().is_some_and(|label| label.is_ours(&self.policy.pool)),
            is_disowned: self.orphanage.disowned.contains(&instance.id),
            may_serve: label.is_none_or(|label| self.may_serve(&label, seeing)),
            is_going: instance.status == InstanceStatus::Deleting,
        }
    }

    /// Whether a balancer has a ready server that may be the orphan's: under its name, or at an
    /// address that no node of ours holds. A balancer that does not answer may have one.
    fn may_serve(&self, label: &InstanceLabel, seeing: &Seeing) -> bool {
        let held: BTreeSet<_> = self
            .nodes
            .values()
            .filter(|node| !node.state.is_final())
            .map(|node| node.address)
            .collect();
        let name = ServerName::of(label);
        seeing.views.iter().any(|(_, view)| {
            view.as_ref().map_or(true, |view| {
                view.servers.iter().any(|server| {
                    let may_be = server.name == name || !held.contains(server.address.ip());
                    server.is_ours && server.admin == ServerAdmin::Ready && may_be
                })
            })
        })
    }

    /// Writes which orphans came and went.
    pub(super) async fn keep_orphans(&mut self) -> Result<(), StoreError> {
        let (came, gone) = (&self.orphanage.came, &self.orphanage.gone);
        if !came.is_empty() || !gone.is_empty() {
            self.store.set_orphans(&self.policy.pool, came, gone).await?;
            self.orphanage.came.clear();
            self.orphanage.gone.clear();
        }
        Ok(())
    }

    /// Deletes an orphan: the intent is written first, what came of it afterwards.
    pub(super) async fn sweep_orphan(&mut self, orphan: &Orphan) -> Result<(), StoreError> {
        let (pool, label) = (self.policy.pool.clone(), orphan.label.clone());
        let (instance, now) = (orphan.instance, self.now());
        let entry = Entry::Sweeps { instance, label: label.clone(), since: orphan.since };
        self.write_entries(vec![entry]).await?;
        self.orphanage.last_sweep = now;
        info!(pool = %pool, instance.id = %instance, "{pool}: deletes the orphan {label}");
        let began = Instant::now();
        let came = self.world.inventory.cloud().delete(instance, &pool_tag(&pool)).await;
        let (outcome, detail) = told(&came);
        if let Err(fault) = &came {
            warn!(pool = %pool, instance.id = %instance, "{pool}: {STEP} of {label}: {fault}");
        }
        let mut entries = vec![Entry::Came {
            step: STEP.into(),
            outcome: outcome.into(),
            detail: format!("instance {instance}, {label}: {detail}"),
            seconds: began.elapsed().as_secs_f64(),
        }];
        if matches!(came, Ok(Deletion::NotOurs)) {
            self.orphanage.disown(instance);
            entries.push(Entry::Disowned { instance, label });
        }
        self.count_step(STEP, outcome);
        self.write_entries(entries).await
    }

    async fn write_entries(&mut self, entries: Vec<Entry>) -> Result<(), StoreError> {
        let entries = entries.into_iter().map(|entry| (None, entry)).collect();
        self.write(self.now(), Change { entries, ..Change::default() }).await
    }
}

fn told(came: &Result<Deletion, Fault>) -> (&'static str, String) {
    match came {
        Ok(Deletion::Accepted) => ("done", "the cloud is deleting it".into()),
        Ok(Deletion::AlreadyGone) => ("done", "it was gone already".into()),
        Ok(Deletion::NotOurs) => ("done", "somebody took our tag off it: left alone".into()),
        Err(fault) => (fault.kind(), fault.to_string()),
    }
}
