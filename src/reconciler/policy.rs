//! Going on by another policy, between two looks.
//!
//! In: a policy of the same pool.
//! Out: a loop that goes by it from the next look on, and a journal row with what changed.
//! Never: touches a node, or what was decided and remembered.

use std::sync::Arc;

use super::look::PoolLoop;
use crate::policy::{Policy, differences};
use crate::store::{Change, Entry, StoreError};

impl PoolLoop {
    /// Goes by `policy` from now on; the next look decides at once. One that is in force already
    /// changes nothing. Fails only where the store does, and then the old one stays in force.
    ///
    /// The pool's name, and with it its nodes and its memory, must be the same. `owner`: who
    /// asked for it, for the journal.
    pub async fn take_policy(
        &mut self,
        policy: Arc<Policy>,
        owner: Option<String>,
    ) -> Result<(), StoreError> {
        assert_eq!(policy.pool, self.policy.pool, "a loop stays with its pool");
        if policy.digest == self.policy.digest {
            return Ok(());
        }
        let now = self.now();
        self.store.keep_policy(&policy, now).await?;
        let entry = Entry::PolicyChanged {
            before: self.policy.digest.clone(),
            after: policy.digest.clone(),
            changes: differences(&self.policy, &policy),
            owner,
        };
        let change = Change { entries: vec![(None, entry)], ..Change::default() };
        self.store.write(&policy.pool, now, &change).await?;
        self.policy = policy;
        self.decide_soon();
        Ok(())
    }
}
