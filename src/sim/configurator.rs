//! The configurator: runs that take their time, fail on some hosts, or are lost.

use std::collections::BTreeMap;

use async_trait::async_trait;

use super::model::Model;
use super::world::SimWorld;
use crate::domain::{HostResult, InstanceLabel, RunId, RunStatus, Timestamp, after};
use crate::ports::{Configurator, Fault, RunSpec};

/// One run; what will come of it is thrown at its start.
#[derive(Clone, Debug)]
pub(super) struct SimRun {
    pub ends_at: Timestamp,
    /// When it is cut off without a word, if it is.
    pub lost_at: Option<Timestamp>,
    pub hosts: BTreeMap<InstanceLabel, HostResult>,
}

impl Model {
    fn start(&mut self, spec: &RunSpec) -> Result<(), Fault> {
        // Keyed by the first host: a run's id changes with the order of calls, its hosts don't.
        let thing = spec.hosts.first().map_or(String::new(), |host| host.label.to_string());
        if self.strikes("configurator_error", self.faults.configurator_error, "start run", &thing) {
            return Err(Fault::transient("the run's folder can't be made"));
        }
        if self.runs.contains_key(&spec.id) {
            return Ok(());
        }
        self.tally.run_sizes.push(spec.hosts.len() as u32);
        let (shortest, longest) = self.paces.playbook;
        let takes = self.length("playbook", &thing, shortest, longest);
        let ends_at = after(self.now, takes).min(self.true_time(spec.deadline));
        let lost = self.strikes("run_lost", self.faults.run_lost, "run lost", &thing);
        let lost_at = lost.then(|| after(self.now, takes / 2));
        let mut hosts = BTreeMap::new();
        for host in &spec.hosts {
            let result = self.result_on(&host.label);
            if matches!(result, HostResult::Succeeded { .. }) && lost_at.is_none() {
                self.configured.insert(host.label.to_string(), (spec.id, ends_at));
                if self.is_thrown(self.faults.never_healthy, "health", host.label.as_str()) {
                    self.count_fault("never_healthy");
                }
            }
            hosts.insert(host.label.clone(), result);
        }
        self.runs.insert(spec.id, SimRun { ends_at, lost_at, hosts });
        Ok(())
    }

    fn result_on(&mut self, label: &InstanceLabel) -> HostResult {
        let thing = label.as_str();
        let now = self.now;
        let runs = self.instances.values().any(|one| one.label == thing && one.runs(now));
        if !runs {
            return HostResult::Unreachable { reason: "No route to host".into() };
        }
        if self.strikes("playbook_fails", self.faults.playbook_fails, "playbook fails", thing) {
            let reason = "TASK [install]: no mirror answers".into();
            return HostResult::Failed { reason };
        }
        HostResult::Succeeded { ok: 9, changed: 7, facts: BTreeMap::new() }
    }

    fn run_status(&mut self, id: RunId) -> Result<RunStatus, Fault> {
        let now = self.now;
        if self.strikes(
            "configurator_error",
            self.faults.configurator_error,
            "ask run",
            &id.to_string(),
        ) {
            return Err(Fault::transient("the run's folder can't be read"));
        }
        Ok(match self.runs.get(&id) {
            None => RunStatus::NotStarted,
            Some(run) if run.lost_at.is_some_and(|at| at <= now) => RunStatus::Lost,
            Some(run) if now < run.ends_at => RunStatus::Running,
            Some(run) => RunStatus::Ended { hosts: run.hosts.clone() },
        })
    }

    fn cancel(&mut self, id: RunId) {
        let now = self.now;
        if let Some(run) = self.runs.get_mut(&id).filter(|run| now < run.ends_at) {
            run.lost_at = Some(now);
            self.configured.retain(|_, (run, _)| *run != id);
        }
    }

    /// Since when the application answers at this label's instance.
    pub(super) fn answers_since(&self, label: &str) -> Option<Timestamp> {
        let (_, at) = self.configured.get(label)?;
        (*at <= self.now).then_some(*at)
    }
}

#[async_trait]
impl Configurator for SimWorld {
    async fn start(&self, run: &RunSpec) -> Result<(), Fault> {
        let first = run.hosts.first().map_or(String::new(), |host| host.label.to_string());
        let call = format!("start {first}");
        self.reaches(&call).await;
        let answer = self.model().start(run);
        self.returns(&call).await;
        answer
    }

    async fn status(&self, run: RunId) -> Result<RunStatus, Fault> {
        self.lives().await;
        self.model().run_status(run)
    }

    async fn cancel(&self, run: RunId) -> Result<(), Fault> {
        self.lives().await;
        self.model().cancel(run);
        Ok(())
    }

    /// Never: in virtual time the next look is always near.
    async fn run_ended(&self) {
        std::future::pending().await
    }
}
