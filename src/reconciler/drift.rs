//! What the world shows of a node and our record lacks: the number of an instance whose create
//! call was answered to nobody.

use super::facts::World;
use super::look::PoolLoop;
use crate::domain::{Node, Timestamp};
use crate::planner::InstanceFact;
use crate::store::{Change, Entry, StoreError};

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

    /// Writes a change and takes it over.
    pub(super) async fn write(&mut self, at: Timestamp, change: Change) -> Result<(), StoreError> {
        if change.is_empty() {
            return Ok(());
        }
        self.store.write(&self.policy.pool, at, &change).await?;
        for (_, phase, seconds) in &change.phases {
            self.tell_phase(*phase, *seconds);
        }
        for node in change.nodes {
            self.nodes.insert(node.id, node);
        }
        Ok(())
    }
}
