//! Members out: drain, no requests left, maintenance, a rest where the version needs one, gone.
//!
//! In: a member, and whether requests may be cut off.
//! Out: gone, or what is waited for; each call goes as far as it can and then answers.
//! Never: deletes or parks a server that still has requests, or one that isn't ours.

use std::time::Duration as Pause;

use tokio::time::sleep;

use super::balancer::HaproxyBalancer;
use super::client::{Depth, Snapshot};
use super::reply::Refusal;
use super::state::{Kind, PARKED, ServerRow};
use super::statistics::{Figures, Statistics};
use super::workers::{self, OldWorkers};
use crate::domain::{BackendName, BalancerProcess, ServerAdmin};
use crate::ports::{Fault, Member, Removal, Sessions};

/// Between two looks that must both find no request: one that is just being handed over shows
/// in neither counter for a moment.
const BETWEEN_LOOKS: Pause = Pause::from_millis(110);

/// Seconds in maintenance before a deletion, on versions that keep a pointer to a server for a
/// request that waits to be tried again: three retries of a second each, and one more. Under
/// memory checking, 5 s were clean and 0 s crashed.
const REST_SECONDS: u64 = 5;

/// Pauses before the tries of a deletion: connections close a moment after their last request.
const PAUSES: [Pause; 3] = [Pause::ZERO, Pause::from_millis(50), Pause::from_millis(150)];

impl HaproxyBalancer {
    /// To drain, if it is ready.
    pub(super) async fn give_no_more_requests(
        &self,
        backend: &BackendName,
        member: &Member,
    ) -> Result<(), Fault> {
        let before = self.client.look(backend, Depth::State).await?;
        let Some(row) = self.find(&before, member) else { return Ok(()) };
        if row.admin() != ServerAdmin::Ready {
            return Ok(());
        }
        self.set_state(backend, row, "drain").await?;
        let after = self.client.look_back(backend, before.info.process).await?;
        match self.find(&after, member) {
            Some(row) if row.admin() == ServerAdmin::Ready => {
                Err(self.client.transient(format!("draining {} had no effect", member.server)))
            }
            _ => Ok(()),
        }
    }

    /// One go at taking the member out.
    pub(super) async fn take_out(
        &self,
        backend: &BackendName,
        member: &Member,
        sessions: Sessions,
    ) -> Result<Removal, Fault> {
        let before = self.client.look(backend, Depth::State).await?;
        let Some(row) = self.find(&before, member) else { return Ok(Removal::Gone) };
        if row.admin() == ServerAdmin::Ready {
            self.set_state(backend, row, "drain").await?;
        }
        if sessions == Sessions::LetEnd
            && let Some(why) = self.requests_left(backend, &before, row).await?
        {
            return Ok(Removal::Waiting { why });
        }
        if row.admin() != ServerAdmin::Maintenance {
            self.set_state(backend, row, "maint").await?;
        }
        if sessions == Sessions::Cut
            && let Some(why) = self.cut_off(backend, row).await?
        {
            return Ok(Removal::Waiting { why });
        }
        // What follows can't be taken back, so the state is read once more first.
        let resting = self.client.look_back(backend, before.info.process).await?;
        let Some(row) = self.find(&resting, member) else { return Ok(Removal::Gone) };
        if row.admin() != ServerAdmin::Maintenance {
            return Err(self.client.refused(Refusal::NotInMaintenance, backend));
        }
        let waiting = match self.kind(row) {
            Kind::Dynamic => self.delete(backend, &resting, row).await?,
            Kind::Slot => self.park(backend, row).await?,
            Kind::FreeSlot | Kind::Foreign => return Ok(Removal::Gone),
        };
        match waiting {
            Some(why) => Ok(Removal::Waiting { why }),
            None => self.confirm_gone(backend, member, before.info.process).await,
        }
    }

    /// What still goes on at this server, here or in old workers; `None` when two looks in a row
    /// found nothing.
    async fn requests_left(
        &self,
        backend: &BackendName,
        snapshot: &Snapshot,
        row: &ServerRow,
    ) -> Result<Option<String>, Fault> {
        let old_workers = &self.old_workers;
        let old = workers::find(old_workers, backend, snapshot.info.uptime_seconds).await;
        let held = row.address.map_or(0, |address| old.sessions_at(address));
        match old {
            OldWorkers::Unknown => {
                return Ok(Some("a worker from before a reload may still use it".into()));
            }
            OldWorkers::Holding(_) if 0 < held => {
                return Ok(Some(format!("{held} requests of workers from before a reload")));
            }
            OldWorkers::Holding(_) | OldWorkers::None => {}
        }
        for pause in [Pause::ZERO, BETWEEN_LOOKS] {
            sleep(pause).await;
            let Figures { sessions, queued, .. } = self.figures(backend, row).await?;
            if (sessions, queued) != (0, 0) {
                return Ok(Some(format!("{sessions} requests under way, {queued} queued")));
            }
        }
        Ok(None)
    }

    /// Ends all that goes on at a server in maintenance; what is left after a moment, if any.
    async fn cut_off(
        &self,
        backend: &BackendName,
        row: &ServerRow,
    ) -> Result<Option<String>, Fault> {
        let mut left = 0;
        for pause in PAUSES {
            let line = format!("shutdown sessions server {backend}/{}", row.name);
            self.client.must(&line, backend).await?;
            sleep(pause).await;
            left = self.figures(backend, row).await?.sessions;
            if left == 0 {
                return Ok(None);
            }
        }
        Ok(Some(format!("{left} requests that are being cut off")))
    }

    /// The figures of one server; those of one that is gone are zero.
    async fn figures(&self, backend: &BackendName, row: &ServerRow) -> Result<Figures, Fault> {
        let reply = self.client.ask(&format!("show stat {backend} 4 {}", row.id)).await?;
        let statistics = Statistics::parse(&reply).map_err(|what| self.client.transient(what))?;
        Ok(statistics.of(&row.name).cloned().unwrap_or_default())
    }

    /// Deletes a dynamic server that is in maintenance; what is in the way, if anything is.
    async fn delete(
        &self,
        backend: &BackendName,
        resting: &Snapshot,
        row: &ServerRow,
    ) -> Result<Option<String>, Fault> {
        let needs_rest = resting.info.version.needs_quarantine();
        // HAProxy counts whole seconds, and the first one may be short.
        if needs_rest && row.seconds_since_change <= REST_SECONDS {
            let rested = row.seconds_since_change;
            return Ok(Some(format!(
                "rests in maintenance before its deletion, {rested} s of {REST_SECONDS} s"
            )));
        }
        for pause in PAUSES {
            sleep(pause).await;
            if self.try_delete(backend, row).await? == Deletion::Done {
                return Ok(None);
            }
        }
        // Idle connections that came back to the pool after maintenance began block the deletion
        // up to 2.8. Going through drain and maintenance again closes them.
        self.set_state(backend, row, "drain").await?;
        self.set_state(backend, row, "maint").await?;
        if !needs_rest && self.try_delete(backend, row).await? == Deletion::Done {
            return Ok(None);
        }
        Ok(Some("connections still hold on to the server".into()))
    }

    async fn try_delete(&self, backend: &BackendName, row: &ServerRow) -> Result<Deletion, Fault> {
        match self.client.tell(&format!("del server {backend}/{}", row.name)).await? {
            Ok(()) | Err(Refusal::NoServer) => Ok(Deletion::Done),
            Err(Refusal::StillConnected) => Ok(Deletion::StillConnected),
            Err(other) => Err(self.client.refused(other, backend)),
        }
    }

    /// Points a slot in maintenance nowhere again.
    async fn park(&self, backend: &BackendName, row: &ServerRow) -> Result<Option<String>, Fault> {
        let (ip, port) = (PARKED.ip(), PARKED.port());
        let line = format!("set server {backend}/{} addr {ip} port {port}", row.name);
        self.client.must(&line, backend).await.map(|()| None)
    }

    async fn confirm_gone(
        &self,
        backend: &BackendName,
        member: &Member,
        process: BalancerProcess,
    ) -> Result<Removal, Fault> {
        let is_gone = |after: &Snapshot| self.find(after, member).is_none();
        let after = self.client.look_back_until(backend, process, is_gone).await?;
        Ok(match self.find(&after, member) {
            None => Removal::Gone,
            Some(row) => Removal::Waiting { why: format!("{} is still there", row.name) },
        })
    }

    async fn set_state(
        &self,
        backend: &BackendName,
        row: &ServerRow,
        state: &str,
    ) -> Result<(), Fault> {
        let line = format!("set server {backend}/{} state {state}", row.name);
        self.client.must(&line, backend).await
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Deletion {
    Done,
    StillConnected,
}
