//! Runs playbooks with the real `ansible-playbook`, each in the background and in a folder of
//! its own.
//!
//! In: a run's hosts, with the host keys that they may show, and the playbook.
//! Out: where a run stands, and each host's own result with its reason or its facts.
//! Never: judges a run by its exit code, retries a run, waits for one to end.
//!
//! A run is one supervisor process (`supervisor.py`) in a session of its own. It waits until the
//! hosts greet over SSH, while Ansible already starts; keeps the deadline even if we are dead;
//! ends whatever the playbook left behind; and writes down how the run ended. It holds a kernel
//! lock as long as it lives, so no process number has to be trusted after a crash or a reboot.
//! A service manager must let it live when the daemon stops (systemd: `KillMode=process`).
//! Our callback plugin (`windlass_events.py`) writes what happens as JSON lines.
//!
//! The operator's own `ansible.cfg` applies: the one named in the options, otherwise the one
//! beside the playbook, otherwise none (never the home folder's or the machine's). What safety
//! rests on (pinned host keys, inventory, connection sharing, callback) is set through the
//! environment, which wins over any file. The playbook's folder is the working directory, so
//! `roles/`, `group_vars/`, `templates/` beside it are found as usual. SSH reads no `ssh_config`
//! but ours and asks no agent.

mod examine;
mod folder;
mod inputs;
mod process;
mod report;
mod watch;

#[cfg(test)]
mod hostile_tests;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use async_trait::async_trait;
use tokio::task::spawn_blocking;

use crate::domain::{Duration, RunId, RunStatus};
use crate::ports::{Configurator, Fault, RunSpec};
use folder::{Claim, RunFolder};
use watch::Watch;

/// How runs are carried out, the same for all of them.
#[derive(Clone, Debug)]
pub struct AnsibleOptions {
    /// `ansible-playbook`: a path, or a name to be found through `PATH`.
    pub binary: PathBuf,
    /// Python 3.9 or newer, for the supervisor: a path, or a name to be found through `PATH`.
    pub python: PathBuf,
    /// Where each run has its folder. Made with access for us alone.
    pub runs_dir: PathBuf,
    /// Folders of ended runs that are kept, the newest first.
    pub keep: usize,
    /// Hosts that Ansible works on at once.
    pub forks: u32,
    /// The operator's `ansible.cfg`; `None` takes the one beside the playbook, if there is one.
    pub ansible_config: Option<PathBuf>,
    /// How long a run waits for all its hosts to greet over SSH before it begins with those
    /// that do; never more than half of the run's time.
    pub ssh_wait: Duration,
    /// The time between interrupt and terminate, and between terminate and kill.
    pub grace: Duration,
}

impl AnsibleOptions {
    /// The options for runs below `runs_dir`, all else by default.
    pub fn new(runs_dir: impl Into<PathBuf>) -> Self {
        Self {
            binary: "ansible-playbook".into(),
            python: "python3".into(),
            runs_dir: runs_dir.into(),
            // Some days of scaling; a folder takes 30 to 100 kB.
            keep: 200,
            forks: 20,
            ansible_config: None,
            // Longer than the slowest boot seen between "running" and sshd, and short enough
            // that one dead host doesn't cost its batch the whole run.
            ssh_wait: Duration::from_secs(90),
            // Ansible needs about a second to end its workers.
            grace: Duration::from_secs(3),
        }
    }
}

/// The configurator that runs `ansible-playbook`.
#[derive(Debug)]
pub struct AnsibleConfigurator {
    options: AnsibleOptions,
    watch: Arc<Watch>,
    watcher: tokio::task::JoinHandle<()>,
}

impl AnsibleConfigurator {
    /// Opens the folder of runs, and watches those that are still at work.
    ///
    /// Must be called inside a Tokio runtime. Fails when the folder can't be made or read.
    pub fn open(options: AnsibleOptions) -> Result<Self, Fault> {
        let runs_dir = std::path::absolute(&options.runs_dir)
            .map_err(|cause| folder::fault("find the folder of runs", &options.runs_dir, &cause))?;
        let options = AnsibleOptions { runs_dir, ..options };
        folder::make_private(&options.runs_dir)
            .map_err(|cause| folder::fault("make the folder of runs", &options.runs_dir, &cause))?;
        folder::remove_leftovers(&options.runs_dir);
        let watch = Arc::new(Watch::new(options.runs_dir.clone()));
        for run in folder::runs(&options.runs_dir) {
            if RunFolder::of(&options.runs_dir, run).is_at_work() {
                watch.add(run);
            }
        }
        let watcher = tokio::spawn(Arc::clone(&watch).look_after_runs());
        Ok(Self { options, watch, watcher })
    }

    /// Where a run's input, output and events are, for a person to read.
    pub fn folder(&self, run: RunId) -> PathBuf {
        RunFolder::of(&self.options.runs_dir, run).path().to_path_buf()
    }

    async fn blocking<T: Send + 'static>(
        &self,
        run: RunId,
        work: impl FnOnce(&RunFolder) -> Result<T, Fault> + Send + 'static,
    ) -> Result<T, Fault> {
        let folder = RunFolder::of(&self.options.runs_dir, run);
        spawn_blocking(move || work(&folder)).await.map_err(|cause| {
            Fault::transient(format!("run {run}: the look was cut off: {cause}"))
        })?
    }
}

impl Drop for AnsibleConfigurator {
    fn drop(&mut self) {
        self.watcher.abort();
    }
}

#[async_trait]
impl Configurator for AnsibleConfigurator {
    async fn start(&self, run: &RunSpec) -> Result<(), Fault> {
        if self.watch.is_child(run.id) {
            return Ok(());
        }
        let (options, spec) = (self.options.clone(), run.clone());
        let claim = self
            .blocking(run.id, move |folder| {
                if folder.has_begun() {
                    return Ok(Claim::Begun);
                }
                let inputs = inputs::prepare(&options, &spec, folder)?;
                folder.claim(&inputs)
            })
            .await?;
        if claim == Claim::Begun {
            return Ok(());
        }
        let folder = RunFolder::of(&self.options.runs_dir, run.id);
        let child = process::spawn_supervisor(&self.options.python, &folder, run.id)?;
        self.watch.add_child(run.id, child);
        let (runs_dir, keep, watch) =
            (self.options.runs_dir.clone(), self.options.keep, Arc::clone(&self.watch));
        self.blocking(run.id, move |_| {
            folder::prune(&runs_dir, keep, |run| watch.is_watched(run));
            Ok(())
        })
        .await
    }

    async fn status(&self, run: RunId) -> Result<RunStatus, Fault> {
        let is_child = self.watch.is_child(run);
        self.blocking(run, move |folder| {
            let status = folder.status(is_child)?;
            if status == RunStatus::Lost {
                // A supervisor that was killed can't end what it had started.
                process::kill_strays(run);
                folder.forget_secrets();
            }
            Ok(status)
        })
        .await
    }

    async fn cancel(&self, run: RunId) -> Result<(), Fault> {
        self.blocking(run, move |folder| {
            if !folder.path().exists() || folder.has_ended() {
                return Ok(());
            }
            folder.mark_cancelled()?;
            if !process::terminate_holder(&folder.lock_file()) && folder.has_begun() {
                process::kill_strays(run);
                folder.forget_secrets();
            }
            Ok(())
        })
        .await
    }

    /// Wakes every caller that waits. An end while nobody waits is kept for the next caller.
    async fn run_ended(&self) {
        self.watch.ended().await;
    }
}

/// The program's full path; `None` when there is no such file.
fn find_program(program: &Path) -> Option<PathBuf> {
    if program.components().count() > 1 {
        return std::path::absolute(program).ok().filter(|path| path.is_file());
    }
    std::env::split_paths(&process::search_path())
        .map(|folder| folder.join(program))
        .find(|candidate| candidate.is_file())
}
