//! The processes of a run: starts its supervisor, asks who is at work, ends what is left.
//!
//! In: a run's folder.
//! Out: a started supervisor, or what became of one.
//! Never: believes a stored process number. The kernel says who holds a run's lock; whoever
//! carries a run's mark in its environment belongs to it.

use std::ffi::OsString;
use std::fs::{self, File, OpenOptions};
use std::io;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::process::Stdio;

use rustix::process::{Flock, FlockType, Pid, PidfdFlags, Signal};
use tokio::process::{Child, Command};

use super::folder::{RunFolder, fault};
use crate::domain::RunId;
use crate::ports::Fault;

/// The environment variable that marks every process of a run with the run's id.
pub(super) const MARK: &str = "WINDLASS_RUN";

/// Where programs are looked for, by us and by everything in a run.
pub(super) fn search_path() -> OsString {
    std::env::var_os("PATH").unwrap_or_else(|| "/usr/local/bin:/usr/bin:/bin".into())
}

/// Starts the run's supervisor, which leaves our session at once and lives on without us.
pub(super) fn spawn_supervisor(
    python: &Path,
    folder: &RunFolder,
    run: RunId,
) -> Result<Child, Fault> {
    let output = |name: &str| {
        let path = folder.path().join(name);
        let file = OpenOptions::new().create(true).append(true).mode(0o600).open(&path);
        file.map_err(|cause| fault("open", &path, &cause))
    };
    Command::new(python)
        .args(["-I", "-S"])
        .arg(folder.path().join("supervisor.py"))
        .arg(folder.path())
        .env_clear()
        .env("PATH", search_path())
        .env("LC_ALL", "C.UTF-8")
        .env(MARK, run.to_string())
        .stdin(Stdio::null())
        .stdout(output("stdout")?)
        .stderr(output("stderr")?)
        .spawn()
        .map_err(|cause| match cause.kind() {
            io::ErrorKind::NotFound => Fault::Denied {
                message: format!(
                    "{} is not there: install it (Debian: `apt install python3`)",
                    python.display()
                ),
            },
            _ => fault("start", python, &cause),
        })
}

/// Whether some process holds the lock, and which one, where we may know.
pub(super) fn holder(lock_file: &Path) -> Option<Option<Pid>> {
    let file = File::open(lock_file).ok()?;
    let wanted = Flock::from(FlockType::WriteLock);
    let held = rustix::process::fcntl_getlk(&file, &wanted).ok()??;
    Some(held.pid)
}

/// Asks the supervisor to end its run. `false` when there is none.
pub(super) fn terminate_holder(lock_file: &Path) -> bool {
    let Some(Some(pid)) = holder(lock_file) else { return false };
    let Ok(process) = rustix::process::pidfd_open(pid, PidfdFlags::empty()) else { return false };
    // Asked again with the process in our hand: the number may have passed to another.
    holder(lock_file) == Some(Some(pid))
        && rustix::process::pidfd_send_signal(process, Signal::TERM).is_ok()
}

/// Kills whatever still carries the run's mark. For runs whose supervisor was killed.
pub(super) fn kill_strays(run: RunId) {
    let Ok(processes) = fs::read_dir("/proc") else { return };
    let mark = format!("{MARK}={run}");
    for entry in processes.flatten() {
        let Some(pid) = entry.file_name().to_str().and_then(|name| name.parse().ok()) else {
            continue;
        };
        let Some(pid) = Pid::from_raw(pid) else { continue };
        if !is_marked(&entry.path(), &mark) {
            continue;
        }
        let Ok(process) = rustix::process::pidfd_open(pid, PidfdFlags::empty()) else { continue };
        if is_marked(&entry.path(), &mark) {
            // It may have ended by itself in between, which is as good.
            let _ = rustix::process::pidfd_send_signal(process, Signal::KILL);
        }
    }
}

/// Whether a process (its folder in `/proc`) carries the mark. Others' environments are closed
/// to us, and nothing of ours runs as another user without an operator's own doing.
fn is_marked(process: &Path, mark: &str) -> bool {
    fs::read(process.join("environ"))
        .is_ok_and(|environment| environment.split(|byte| *byte == 0).any(|v| v == mark.as_bytes()))
}
