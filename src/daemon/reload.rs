//! Reads the policy files again while the daemon runs: on SIGHUP, and when the API is asked.
//!
//! In: the settings file, which names the policies; the policies in force.
//! Out: each good file's policy handed to its pool's loop, and a report with every problem.
//! Never: lets a bad file replace a good policy; begins or ends a pool; touches a node.
//!
//! File by file it is all or nothing. What only a start can do is a warning: a file for another
//! pool is not taken up, and a pool whose file is gone goes on by the policy that it has, because
//! a file that somebody moves must not take a fleet down.

use std::collections::BTreeMap;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::Context;
use tokio::signal::unix::Signal;
use tokio::sync::{mpsc, watch};
use tokio_util::sync::CancellationToken;
use tracing::{error, info, warn};

use crate::api::{DaemonAsk, PolicyUpload, ReloadReport, ReplacedPolicy};
use crate::config::{Config, PolicyFiles, parse_policy, read_candidates, read_policies};
use crate::domain::PoolName;
use crate::policy::{Policy, differences};
use crate::reconciler::Candidate;

/// The policies in force, and where they came from.
pub(super) struct Reloader {
    settings: PathBuf,
    pools: BTreeMap<PoolName, Put>,
}

/// A pool's policy in force, and its candidates.
struct Put {
    file: PathBuf,
    policy: watch::Sender<Arc<Policy>>,
    order: watch::Sender<PolicyOrder>,
    candidates: watch::Sender<Arc<[Candidate]>>,
}

/// What a pool's loop is to go by.
#[derive(Clone, Debug)]
pub(super) struct PolicyOrder {
    /// The policy.
    pub policy: Arc<Policy>,
    /// Who asked for it over the API; none at the start and after a signal.
    pub owner: Option<String>,
}

/// Where a pool's policy and its candidates are watched.
pub(super) struct InForce {
    /// The live policy, by the API.
    pub policy: watch::Receiver<Arc<Policy>>,
    /// The live policy, by the pool's loop.
    pub order: watch::Receiver<PolicyOrder>,
    /// What is followed beside it.
    pub candidates: watch::Receiver<Arc<[Candidate]>>,
}

impl Reloader {
    /// Nothing in force yet; `settings` is the file that names the policies.
    pub fn new(settings: PathBuf) -> Self {
        Self { settings, pools: BTreeMap::new() }
    }

    /// Puts a policy in force with its candidates; its pool's loop watches what comes after them.
    pub fn put(
        &mut self,
        file: PathBuf,
        policy: Arc<Policy>,
        candidates: Arc<[Candidate]>,
    ) -> InForce {
        let pool = policy.pool.clone();
        let (order, ordered) = watch::channel(PolicyOrder { policy: policy.clone(), owner: None });
        let (policy, watched) = watch::channel(policy);
        let (candidates, followed) = watch::channel(candidates);
        self.pools.insert(pool, Put { file, policy, order, candidates });
        InForce { policy: watched, order: ordered, candidates: followed }
    }

    /// Reads the files again whenever it is asked to, until `stop`.
    pub async fn run(
        mut self,
        mut hangups: Signal,
        mut asks: mpsc::Receiver<DaemonAsk>,
        stop: CancellationToken,
    ) -> anyhow::Result<()> {
        loop {
            let asked = tokio::select! {
                hangup = hangups.recv() => hangup.map(|()| None).context("no signals any more")?,
                ask = asks.recv() => Some(ask.context("nobody can ask any more")?),
                () = stop.cancelled() => return Ok(()),
            };
            let (report, answer) = match asked {
                None => (self.reload(None), None),
                Some(DaemonAsk::Reload { owner, answer }) => {
                    (self.reload(Some(&owner)), Some(answer))
                }
                Some(DaemonAsk::Put { upload, answer }) => (self.put_text(&upload), Some(answer)),
            };
            tell(&report);
            if let Some(answer) = answer {
                // Whoever asked may have gone away; the policies are in force all the same.
                let _ = answer.send(report);
            }
        }
    }

    /// Puts a policy in force that somebody sent, and into the pool's file; or says what would
    /// change.
    fn put_text(&mut self, upload: &PolicyUpload) -> ReloadReport {
        let mut report = ReloadReport::default();
        let Some(in_force) = self.pools.get(&upload.pool) else {
            report.problems.push(format!("error: no pool is named {}", upload.pool));
            return report;
        };
        let file = in_force.file.clone();
        let policy = match parse_policy(&upload.text, &file) {
            Ok(policy) => policy,
            Err(problems) => {
                report.problems.push(problems.to_string());
                return report;
            }
        };
        if policy.pool != upload.pool {
            report.problems.push(format!(
                "error: the policy is for the pool {}, and was sent for {}\n\
                 hint: name the pool {} in it, or send it there",
                policy.pool, upload.pool, upload.pool
            ));
            return report;
        }
        if upload.is_tried {
            let before = in_force.policy.borrow().clone();
            if before.digest == policy.digest {
                report.unchanged.push(policy.pool.clone());
            } else {
                report.replaced.push(ReplacedPolicy {
                    pool: policy.pool.clone(),
                    policy_digest: policy.digest.clone(),
                    changes: differences(&before, &policy),
                });
            }
            report.problems.extend(moves_backend(&file, &before, &policy));
            return report;
        }
        let before = in_force.policy.borrow().clone();
        if let Some(problem) = moves_backend(&file, &before, &policy) {
            report.problems.push(problem);
            return report;
        }
        if let Err(cause) = replace_file(&file, &upload.text) {
            report.problems.push(format!(
                "error: can't write {}: {cause}\nhint: let the daemon's user write there, or put \
                 the file there yourself and run `windlass reload`",
                file.display()
            ));
            return report;
        }
        let present = [file.clone()];
        self.take((file, policy), &present, &[], Some(&upload.owner), &mut report);
        report
    }

    /// Reads every file again; `owner`: who asked over the API.
    fn reload(&mut self, owner: Option<&str>) -> ReloadReport {
        let mut report = ReloadReport::default();
        let (files, folder) = match Config::load(&self.settings) {
            Ok(config) => (read_policies(&config), config.candidates),
            Err(cause) => {
                let hint = cause.hint().map(|hint| format!("\nhint: {hint}")).unwrap_or_default();
                let cause = anyhow::Error::new(cause);
                report.problems.push(format!("error: no policy was read: {cause:#}{hint}"));
                return report;
            }
        };
        let PolicyFiles { good, bad } = files;
        report.problems.extend(bad.iter().map(ToString::to_string));
        let bad: Vec<&PathBuf> = bad.iter().map(|problems| &problems.file).collect();
        for (pool, in_force) in &self.pools {
            let found = good.iter().any(|(_, policy)| policy.pool == *pool);
            let known = good.iter().any(|(file, _)| *file == in_force.file);
            if !found && !known && !bad.contains(&&in_force.file) {
                report.warnings.push(format!(
                    "{} is gone; the pool {pool} goes on by the policy that it has, until the \
                     next start",
                    in_force.file.display()
                ));
            }
        }
        let present: Vec<PathBuf> = good.iter().map(|(file, _)| file.clone()).collect();
        for (file, policy) in good {
            self.take((file, policy), &present, &bad, owner, &mut report);
        }
        self.take_candidates(folder.as_deref(), &mut report);
        report
    }

    /// Has every pool follow what lies in the folder of candidates now. In the place of a file that
    /// can't be used stays what it was.
    fn take_candidates(&self, folder: Option<&Path>, report: &mut ReloadReport) {
        let live: Vec<(PathBuf, Policy)> = self
            .pools
            .values()
            .map(|put| (put.file.clone(), Policy::clone(&put.policy.borrow())))
            .collect();
        let found = folder.map(|folder| read_candidates(folder, &live)).unwrap_or_default();
        report.problems.extend(found.bad.iter().map(ToString::to_string));
        for (pool, put) in &self.pools {
            let before = put.candidates.borrow().clone();
            let is_bad = |one: &&Candidate| found.bad.iter().any(|bad| bad.file == one.file);
            let mut now = found.of(pool);
            now.extend(before.iter().filter(is_bad).cloned());
            now.sort_by(|one, other| one.name.cmp(&other.name));
            if *before != *now {
                let names: Vec<String> = now.iter().map(|one| one.name.to_string()).collect();
                info!(pool = %pool, "{pool} has the candidates [{}]", names.join(", "));
                put.candidates.send_replace(now.into());
            }
        }
    }

    /// Hands a good policy to its pool, where that is safe.
    fn take(
        &mut self,
        (file, policy): (PathBuf, Policy),
        present: &[PathBuf],
        bad: &[&PathBuf],
        owner: Option<&str>,
        report: &mut ReloadReport,
    ) {
        let shown = file.display();
        let Some(in_force) = self.pools.get_mut(&policy.pool) else {
            let before = self.pools.iter().find(|(_, in_force)| in_force.file == file);
            match before {
                Some((before, _)) => report.problems.push(format!(
                    "error: {shown} was the policy of the pool {before} and now names {}\n\
                     hint: name the pool {before} again; a new pool needs a file of its own and \
                     a start",
                    policy.pool
                )),
                None => report.warnings.push(format!(
                    "{shown} is for the pool {}, which the next start will begin to look after",
                    policy.pool
                )),
            }
            return;
        };
        if in_force.file != file
            && (present.contains(&in_force.file) || bad.contains(&&in_force.file))
        {
            report.problems.push(format!(
                "error: {shown} names the pool {}, which has its policy in {}\n\
                 hint: remove one of the two files",
                policy.pool,
                in_force.file.display()
            ));
            return;
        }
        let before = in_force.policy.borrow().clone();
        if let Some(problem) = moves_backend(&file, &before, &policy) {
            report.problems.push(problem);
            return;
        }
        in_force.file = file;
        if before.digest == policy.digest {
            report.unchanged.push(policy.pool);
            return;
        }
        report.replaced.push(ReplacedPolicy {
            pool: policy.pool.clone(),
            policy_digest: policy.digest.clone(),
            changes: differences(&before, &policy),
        });
        let policy = Arc::new(policy);
        in_force.policy.send_replace(policy.clone());
        let order = PolicyOrder { policy, owner: owner.map(str::to_owned) };
        in_force.order.send_replace(order);
    }
}

/// What is wrong with a policy that moves its pool to another backend.
fn moves_backend(file: &Path, before: &Policy, policy: &Policy) -> Option<String> {
    let (from, to) = (&before.join.backend, &policy.join.backend);
    (from != to).then(|| {
        format!(
            "error: {} moves the pool {} from the backend {from} to {to}, while its nodes serve \
             the first\nhint: write `backend: {from}` again; another backend is for another pool",
            file.display(),
            policy.pool
        )
    })
}

/// The new text is there whole or not at all.
fn replace_file(file: &Path, text: &str) -> std::io::Result<()> {
    // Where a link stands, what it leads to is replaced.
    let target = file.canonicalize()?;
    let mut beside = target.clone().into_os_string();
    beside.push(".new");
    let beside = PathBuf::from(beside);
    let written = std::fs::File::create(&beside).and_then(|mut new| {
        new.set_permissions(std::fs::metadata(&target)?.permissions())?;
        new.write_all(text.as_bytes())?;
        new.sync_all()?;
        std::fs::rename(&beside, &target)
    });
    if written.is_err() {
        // What could not be written may not be left lying about.
        let _ = std::fs::remove_file(&beside);
    }
    written
}

/// Says in the log what came of it.
fn tell(report: &ReloadReport) {
    for one in &report.replaced {
        let (pool, digest) = (&one.pool, &one.policy_digest[..12]);
        if one.changes.is_empty() {
            info!(pool = %pool, "{pool} goes by a policy of the same settings ({digest})");
        }
        for change in &one.changes {
            info!(pool = %pool, policy.key = %change.key, "{pool} goes by {digest}: {change}");
        }
    }
    for warning in &report.warnings {
        warn!("{warning}");
    }
    for problem in &report.problems {
        error!("a policy stays as it was: {problem}");
    }
    if report.replaced.is_empty() && report.problems.is_empty() {
        info!("the policies were read again: nothing changed");
    }
}
