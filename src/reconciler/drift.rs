//! What the world shows of a node and our record lacks: the number of an instance whose create
//! call was answered to nobody, be it after the node was given up.

use std::time::Instant;

use tracing::info;

use super::facts::World;
use super::inventory::Listing;
use super::look::PoolLoop;
use super::pool_tag;
use super::record::entered;
use crate::domain::{Duration, Instance, Node, NodeState, Timestamp, after};
use crate::planner::{AddressUse, InstanceFact};
use crate::store::{Change, Entry, StoreError};

/// How long the deletion of an instance that came late may take before somebody is told.
const LATE_DEADLINE: Duration = Duration::from_secs(300);

impl PoolLoop {
    /// Takes over instances that were found by their label.
    pub(super) async fn adopt_sightings(
        &mut self,
        seen: &World,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let mut change = Change::default();
        for (id, facts) in &seen.facts {
            let (InstanceFact::Present(instance), Some(node)) =
                (&facts.instance, self.nodes.get(id))
            else {
                continue;
            };
            if node.instance.is_some() {
                continue;
            }
            let found = Node {
                instance: Some(instance.id),
                instance_created_at: instance.created_at,
                ..node.clone()
            };
            let entry = Entry::Came {
                step: "create_instance".into(),
                outcome: "adopted".into(),
                detail: format!("instance {} has our label and no other owner", instance.id),
                seconds: 0.0,
            };
            change.entries.push((Some(*id), entry));
            change.nodes.push(found);
        }
        self.write(now, change).await
    }

    /// Takes back nodes that were given up and whose instance shows up after all: they are deleted
    /// like any other. One whose address somebody else has by now stays an orphan.
    pub(super) async fn take_back_late(
        &mut self,
        listing: &Listing,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let (Ok(instances), tag) = (&listing.instances, pool_tag(&self.policy.pool)) else {
            return Ok(());
        };
        let late = self.nodes.values().filter(|node| node.may_come_late());
        let late: Vec<(Node, &Instance)> = late
            .filter_map(|node| {
                let is_its = |one: &&Instance| one.label == node.label.as_str();
                let instance = instances.iter().filter(|one| one.tags.contains(&tag)).find(is_its);
                Some((node.clone(), instance?))
            })
            .collect();
        let mut change = Change::default();
        for (node, instance) in late {
            let held = self.store.addresses(&node.vlan, now).await?;
            if held.get(&node.address) == Some(&AddressUse::Held) {
                continue;
            }
            let deadline = after(now, LATE_DEADLINE);
            let mut back = entered(node.clone(), NodeState::Deleting { deadline }, now);
            back.instance = Some(instance.id);
            back.instance_created_at = instance.created_at.or(Some(now));
            let entry = Entry::Entered {
                before: Some(node.state),
                after: back.state.clone(),
                because: format!("instance {} of it shows up after all", instance.id),
                failure: back.failure.clone(),
            };
            info!(pool = %node.pool, node.id = %node.id, "{} shows up after all", node.label);
            change.entries.push((Some(node.id), entry));
            change.nodes.push(back);
        }
        self.write(now, change).await
    }

    /// Writes a change and takes it over.
    pub(super) async fn write(
        &mut self,
        at: Timestamp,
        mut change: Change,
    ) -> Result<(), StoreError> {
        if change.is_empty() {
            return Ok(());
        }
        change.news.0.extend(self.news_of_entries(&change, at).0);
        let began = Instant::now();
        self.store.write(&self.policy.pool, at, &change).await?;
        self.note_write(began.elapsed());
        self.told.remember(&change.news, at);
        for (_, phase, seconds) in &change.phases {
            self.tell_phase(*phase, *seconds);
        }
        for node in change.nodes {
            self.nodes.insert(node.id, node);
        }
        Ok(())
    }
}
