//! Many members back at once, after a restart has lost them and nothing is left to serve.
//!
//! In: members that served before, and that something vouches for (another balancer, a probe).
//! Out: all of them ready, without waiting for checks: HAProxy takes out what fails.
//! Never: more than one member on a line, or a step on the same line as one that it rests on
//! where that could make a wrong address live.

use super::admission::{WaitForChecks, add_command, point_slot_command, ready_command, server_id};
use super::balancer::HaproxyBalancer;
use super::client::{Depth, Snapshot};
use super::mode::Way;
use super::state::Kind;
use crate::domain::{BackendName, ServerAdmin};
use crate::ports::{Fault, Member, RegisterOptions};

impl HaproxyBalancer {
    /// Registers and readies all members that aren't.
    pub(super) async fn bring_back(
        &self,
        backend: &BackendName,
        members: &[Member],
        options: &RegisterOptions,
    ) -> Result<(), Fault> {
        let before = self.client.look(backend, Depth::WithAlgorithm).await?;
        let missing: Vec<&Member> =
            members.iter().filter(|member| self.find(&before, member).is_none()).collect();
        if !missing.is_empty() {
            match self.way(&before, backend)? {
                Way::Slots => self.refill_slots(backend, &before, &missing).await?,
                Way::Dynamic | Way::DynamicWithRest => {
                    self.add_again(backend, &missing, options).await?;
                }
            }
        }
        let added = self.client.look_back(backend, before.info.process).await?;
        for member in members {
            if let Some(row) = self.find(&added, member)
                && row.address == Some(member.address)
                && row.admin() == ServerAdmin::Drain
            {
                self.client.must(&ready_command(backend, row), backend).await?;
            }
        }
        self.finish_one_by_one(backend, &before, members, options).await
    }

    /// Adds each server, with its check on and ready, in one line: it is new, so that no step
    /// can hit anything else.
    async fn add_again(
        &self,
        backend: &BackendName,
        missing: &[&Member],
        options: &RegisterOptions,
    ) -> Result<(), Fault> {
        for member in missing {
            let id = server_id(&member.server, 0);
            let add = add_command(backend, member, options, id, WaitForChecks::No);
            let server = format!("{backend}/{}", member.server);
            let line = format!("{add};enable health {server};set server {server} state ready");
            // A refusal shows in what is read back, and the slow way will name it.
            let _ = self.client.tell(&line).await?;
        }
        Ok(())
    }

    /// Points free slots at the members, then makes those ready that took the address.
    async fn refill_slots(
        &self,
        backend: &BackendName,
        before: &Snapshot,
        missing: &[&Member],
    ) -> Result<(), Fault> {
        let free = before.servers.iter().filter(|row| self.kind(row) == Kind::FreeSlot);
        let free_count = free.clone().count();
        for (slot, member) in free.zip(missing) {
            let _ = self.client.tell(&point_slot_command(backend, &slot.name, member)).await?;
        }
        let count = missing.len().min(free_count);
        let all_point_there = |after: &Snapshot| {
            let found = missing.iter().filter(|member| self.find(after, member).is_some());
            count <= found.count()
        };
        let process = before.info.process;
        let pointed = self.client.look_back_until(backend, process, all_point_there).await?;
        if !all_point_there(&pointed) {
            return Err(self.client.transient("some slots did not take their address"));
        }
        for member in missing {
            if let Some(row) = self.find(&pointed, member) {
                self.client.must(&ready_command(backend, row), backend).await?;
            }
        }
        Ok(())
    }

    /// Whatever is not ready by now goes the slow way, which finds other numbers and names what
    /// is wrong. The first fault is told after all have had their try.
    async fn finish_one_by_one(
        &self,
        backend: &BackendName,
        before: &Snapshot,
        members: &[Member],
        options: &RegisterOptions,
    ) -> Result<(), Fault> {
        let after = self.client.look_back(backend, before.info.process).await?;
        let mut result = Ok(());
        for member in members {
            let row = self.find(&after, member);
            if row.is_some_and(|row| {
                row.admin() == ServerAdmin::Ready && row.address == Some(member.address)
            }) {
                continue;
            }
            let outcome = match self.admit(backend, member, options).await {
                Ok(()) => self.give_requests(backend, member).await,
                Err(fault) => Err(fault),
            };
            result = result.and(outcome);
        }
        result
    }
}
