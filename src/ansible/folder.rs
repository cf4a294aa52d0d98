//! One run's folder: its claim, its records, and what they say of the run.
//!
//! In: prepared inputs; what the supervisor and Ansible wrote.
//! Out: whether the run was begun, and where it stands.
//! Never: starts or ends a process.
//!
//! The folder appears in one rename, complete with its inputs. From then on the run can be
//! started by anyone, any number of times: of the supervisors, the one that holds the lock and
//! makes the file `process` runs the playbook, and no other ever does. So a crash at any
//! instruction leaves a run that was either never begun, and can be started again, or begun.

use std::fs::{self, File};
use std::io::{self, BufReader, Read, Seek, SeekFrom, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};

use serde::Deserialize;
use serde::de::DeserializeOwned;

use super::inputs::{Inputs, RunFile};
use super::process;
use super::report::{self, Report};
use crate::domain::{InstanceLabel, RunId, RunStatus};
use crate::ports::Fault;

/// How much of Ansible's error output is kept as a reason, in characters.
const TAIL_CHARACTERS: usize = 2_000;

/// The folder of one run; it need not exist.
#[derive(Clone, Debug)]
pub(super) struct RunFolder(PathBuf);

/// Whose a run is after a claim.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Claim {
    /// Prepared, and not begun as far as we know: start a supervisor.
    Prepared,
    /// Begun before: nothing to do.
    Begun,
}

/// How a run ended, as its supervisor wrote it.
#[derive(Debug, Deserialize)]
struct End {
    /// The exit code; negative for a signal; none when the playbook was never started.
    code: Option<i32>,
}

/// Why a run was ended early.
#[derive(Debug, Deserialize)]
struct Cut {
    cause: CutCause,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
enum CutCause {
    Deadline,
    Cancelled,
}

impl RunFolder {
    pub fn of(runs_dir: &Path, run: RunId) -> Self {
        Self(runs_dir.join(run.to_string()))
    }

    pub fn path(&self) -> &Path {
        &self.0
    }

    pub fn lock_file(&self) -> PathBuf {
        self.0.join("lock")
    }

    /// Whether a supervisor ever began this run.
    pub fn has_begun(&self) -> bool {
        self.has("process")
    }

    /// Whether the supervisor wrote down how the run ended.
    pub fn has_ended(&self) -> bool {
        self.has("end")
    }

    /// Whether Ansible's report is complete, and of a run that nobody cut off.
    pub fn has_reported(&self) -> bool {
        self.has("reported") && !self.has("cut")
    }

    /// Whether the run's supervisor lives.
    pub fn is_at_work(&self) -> bool {
        process::holder(&self.lock_file()).is_some()
    }

    /// Puts the folder in its place with all its inputs, unless it is there already.
    pub fn claim(&self, inputs: &Inputs) -> Result<Claim, Fault> {
        let failed = |cause: io::Error| fault("prepare", &self.0, &cause);
        if self.0.exists() {
            return Ok(if self.has_begun() { Claim::Begun } else { Claim::Prepared });
        }
        let staging = self.staging();
        let put = || -> io::Result<()> {
            make_private(&staging)?;
            for folder in &inputs.folders {
                make_private(&staging.join(folder))?;
            }
            for (name, content) in &inputs.files {
                write_private(&staging.join(name), content)?;
            }
            fs::rename(&staging, &self.0)
        };
        let Err(cause) = put() else { return Ok(Claim::Prepared) };
        // Left over at worst, and removed when the adapter is opened the next time.
        let _ = fs::remove_dir_all(&staging);
        // Somebody else was faster: that folder is as good as ours.
        if self.0.exists() { Ok(Claim::Prepared) } else { Err(failed(cause)) }
    }

    /// Has the run end before it begins, should its supervisor not have started yet.
    pub fn mark_cancelled(&self) -> Result<(), Fault> {
        let path = self.0.join("cancelled");
        write_private(&path, "").map_err(|cause| fault("write", &path, &cause))
    }

    /// Removes what the supervisor would have removed at the run's end.
    pub fn forget_secrets(&self) {
        // Already gone is what we want; anything else shows in the folder's own access rights.
        let _ = fs::remove_file(self.0.join("variables.json"));
    }

    /// Where the run stands. `is_child`: a supervisor of ours lives, and may be about to begin.
    pub fn status(&self, is_child: bool) -> Result<RunStatus, Fault> {
        // The order matters: whoever made `process` held the lock before, and an end is
        // written before the lock is let go.
        if !self.has_begun() {
            return self.status_before_begin(is_child);
        }
        let at_work = self.is_at_work();
        if at_work && !self.has_reported() {
            return Ok(RunStatus::Running);
        }
        let cut: Option<Cut> = self.read("cut")?;
        let hosts = self.hosts()?;
        let report = self.report(&hosts)?;
        if cut.is_none() && report.is_complete() {
            return Ok(RunStatus::Ended { hosts: report.results(&hosts) });
        }
        if at_work {
            // The report was lost, to a full disk for instance; the end will tell.
            return Ok(RunStatus::Running);
        }
        let Some(end) = self.read::<End>("end")? else { return Ok(RunStatus::Lost) };
        let why = match (cut.map(|cut| cut.cause), end.code) {
            (Some(CutCause::Deadline), _) => "cut off at its deadline".to_owned(),
            (Some(CutCause::Cancelled), _) => "cut off because it was cancelled".to_owned(),
            // Killed by someone else: nobody knows how far it came.
            (None, Some(signal)) if signal < 0 => return Ok(RunStatus::Lost),
            (None, _) => self.complaint()?,
        };
        Ok(RunStatus::Ended { hosts: report.results_without_stats(&hosts, &why) })
    }

    fn status_before_begin(&self, is_child: bool) -> Result<RunStatus, Fault> {
        if is_child {
            return Ok(RunStatus::Running);
        }
        if !self.has("cancelled") {
            return Ok(RunStatus::NotStarted);
        }
        let hosts = self.hosts()?;
        let nothing = Report::default();
        Ok(RunStatus::Ended {
            hosts: nothing.results_without_stats(&hosts, "cancelled before it began"),
        })
    }

    fn hosts(&self) -> Result<Vec<InstanceLabel>, Fault> {
        let run: Option<RunFile> = self.read("run.json")?;
        Ok(run
            .map(|run| run.hosts.into_iter().map(|host| host.label).collect())
            .unwrap_or_default())
    }

    fn report(&self, hosts: &[InstanceLabel]) -> Result<Report, Fault> {
        let path = self.0.join("events");
        match File::open(&path) {
            Ok(file) => Report::read(BufReader::new(file), hosts),
            Err(cause) if cause.kind() == io::ErrorKind::NotFound => Ok(Report::default()),
            Err(cause) => Err(cause),
        }
        .map_err(|cause| fault("read", &path, &cause))
    }

    /// The end of what Ansible wrote to its error output.
    fn complaint(&self) -> Result<String, Fault> {
        let path = self.0.join("stderr");
        let tail = || -> io::Result<Vec<u8>> {
            let mut file = File::open(&path)?;
            // A character takes up to four bytes.
            let from = file.metadata()?.len().saturating_sub(4 * TAIL_CHARACTERS as u64);
            file.seek(SeekFrom::Start(from))?;
            let mut bytes = Vec::new();
            file.take(4 * TAIL_CHARACTERS as u64).read_to_end(&mut bytes)?;
            Ok(bytes)
        };
        let bytes = tail().map_err(|cause| fault("read", &path, &cause))?;
        let text = report::last_characters(&String::from_utf8_lossy(&bytes), TAIL_CHARACTERS);
        Ok(match text.is_empty() {
            true => "the playbook ended without a report".to_owned(),
            false => text,
        })
    }

    fn read<T: DeserializeOwned>(&self, name: &str) -> Result<Option<T>, Fault> {
        let path = self.0.join(name);
        match fs::read(&path) {
            // Written in one rename, so it is broken only if the disk lost it: as if absent.
            Ok(bytes) => Ok(serde_json::from_slice(&bytes).ok()),
            Err(cause) if cause.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(cause) => Err(fault("read", &path, &cause)),
        }
    }

    fn has(&self, name: &str) -> bool {
        self.0.join(name).exists()
    }

    /// A name of its own for each try: `.<run>.<our process>.<count>`.
    fn staging(&self) -> PathBuf {
        static TRIES: AtomicU32 = AtomicU32::new(0);
        let count = TRIES.fetch_add(1, Ordering::Relaxed);
        let name = self.0.file_name().unwrap_or_default().to_string_lossy();
        self.0.with_file_name(format!(".{name}.{}.{count}", std::process::id()))
    }
}

/// The runs that have a folder, oldest first: their ids sort by the time of their making.
pub(super) fn runs(runs_dir: &Path) -> Vec<RunId> {
    let entries = fs::read_dir(runs_dir).into_iter().flatten().flatten();
    let mut runs: Vec<RunId> =
        entries.filter_map(|entry| entry.file_name().to_str()?.parse().ok()).collect();
    runs.sort_unstable();
    runs
}

/// Removes the folders of the oldest runs, beyond `keep`, that are neither at work nor watched.
pub(super) fn prune(runs_dir: &Path, keep: usize, is_watched: impl Fn(RunId) -> bool) {
    let runs = runs(runs_dir);
    let surplus = runs.len().saturating_sub(keep);
    for run in runs.into_iter().take(surplus) {
        let folder = RunFolder::of(runs_dir, run);
        if is_watched(run) || folder.is_at_work() {
            continue;
        }
        if let Err(cause) = fs::remove_dir_all(folder.path()) {
            tracing::warn!(run.id = %run, "could not remove the folder of run {run}: {cause}");
        }
    }
}

/// Removes preparations that a crash cut off.
pub(super) fn remove_leftovers(runs_dir: &Path) {
    for entry in fs::read_dir(runs_dir).into_iter().flatten().flatten() {
        let name = entry.file_name();
        let Some(maker) = name.to_str().and_then(maker) else { continue };
        if !Path::new("/proc").join(maker).exists() {
            // It's in nobody's way if it stays.
            let _ = fs::remove_dir_all(entry.path());
        }
    }
}

/// The process number in a preparation's name.
fn maker(name: &str) -> Option<&str> {
    let mut parts = name.strip_prefix('.')?.split('.');
    parts.next()?.parse::<RunId>().ok()?;
    parts.next().filter(|maker| maker.parse::<u32>().is_ok())
}

/// Makes a folder, and those above it, with access for us alone.
pub(super) fn make_private(path: &Path) -> io::Result<()> {
    fs::DirBuilder::new().recursive(true).mode(0o700).create(path)
}

fn write_private(path: &Path, content: &str) -> io::Result<()> {
    let mut file =
        fs::OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(path)?;
    file.write_all(content.as_bytes())
}

/// A file that can't be used, as a fault: rights need a person, all else may pass.
pub(super) fn fault(what: &str, path: &Path, cause: &io::Error) -> Fault {
    let message = format!("could not {what} {}: {cause}", path.display());
    match cause.kind() {
        io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem => {
            Fault::Denied { message: format!("{message}; give the daemon's user the right to it") }
        }
        _ => Fault::transient(message),
    }
}
