//! Hooks: the operator's commands that give a VM a body and take it away.
//!
//! In: a shell command, and the VM it is about, told through the environment.
//! Out: success, or why not, with the end of what the command wrote to its standard error.
//! Never: runs longer than its time limit: then its whole process group is killed.
//!
//! | variable | meaning |
//! | --- | --- |
//! | `WINDLASS_VM_ID` | the Linode's id |
//! | `WINDLASS_VM_LABEL` | its label |
//! | `WINDLASS_VM_REGION`, `WINDLASS_VM_TYPE`, `WINDLASS_VM_IMAGE` | as asked for |
//! | `WINDLASS_VM_VLAN_LABEL` | its first VLAN; empty without one |
//! | `WINDLASS_VM_VLAN_ADDRESS` | as `10.0.0.5/24`; empty without one, or without Network Helper |
//! | `WINDLASS_VM_PUBLIC_ADDRESS` | the invented public address |
//! | `WINDLASS_VM_TAGS` | its tags, one a line |
//! | `WINDLASS_VM_USER_DATA_FILE` | decoded user data, readable by this user alone |
//! | `WINDLASS_VM_AUTHORIZED_KEYS_FILE` | keys for root, one a line |
//!
//! Both files are there while the hook runs. A hook may leave processes behind. It must be safe to
//! repeat: a sandbox that was stopped in the middle runs it again.

use std::fs::{DirBuilder, File, OpenOptions};
use std::io::{Read, Seek, SeekFrom, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use rustix::process::{Pid, Signal, kill_process_group};
use tokio::process::Command;
use tokio_util::sync::CancellationToken;

use super::instance::Instance;

// Enough for a shell's complaint or a traceback, little enough for one log line.
const ERROR_TAIL: u64 = 2_000;

/// What a hook is told about its VM.
#[derive(Clone)]
pub struct VirtualMachine {
    environment: Vec<(&'static str, String)>,
    user_data: Vec<u8>,
    authorized_keys: String,
}

impl VirtualMachine {
    /// As the VM is now.
    pub fn of(instance: &Instance) -> Self {
        let vlan = instance.vlans().next();
        let address = vlan
            .and_then(|(_, address)| address)
            // Without Network Helper nothing writes the address into the guest.
            .filter(|_| instance.has_network_helper());
        let environment = vec![
            ("WINDLASS_VM_ID", instance.id.to_string()),
            ("WINDLASS_VM_LABEL", instance.label.clone()),
            ("WINDLASS_VM_REGION", instance.region.clone()),
            ("WINDLASS_VM_TYPE", instance.plan.clone()),
            ("WINDLASS_VM_IMAGE", instance.image.clone().unwrap_or_default()),
            ("WINDLASS_VM_VLAN_LABEL", vlan.map(|(label, _)| label).unwrap_or_default().into()),
            ("WINDLASS_VM_VLAN_ADDRESS", address.unwrap_or_default().into()),
            ("WINDLASS_VM_PUBLIC_ADDRESS", instance.ipv4.to_string()),
            ("WINDLASS_VM_TAGS", instance.tags.join("\n")),
        ];
        let encoded = instance.user_data.as_deref().unwrap_or_default();
        Self {
            environment,
            user_data: BASE64_STANDARD.decode(encoded).unwrap_or_default(),
            authorized_keys: instance.authorized_keys.iter().map(|k| format!("{k}\n")).collect(),
        }
    }
}

/// Why a hook was of no use.
#[derive(Debug, thiserror::Error)]
pub enum HookError {
    /// Its files or its process could not be made.
    #[error("cannot start the hook")]
    NotStarted(#[source] std::io::Error),
    /// It ended with another code than 0, or by a signal.
    #[error("the hook ended with {status}: {stderr}")]
    Failed {
        /// How it ended.
        status: std::process::ExitStatus,
        /// The end of its standard error.
        stderr: String,
    },
    /// It was killed for taking too long.
    #[error("the hook took more than {} s and was killed: {stderr}", limit.as_secs_f64())]
    TookTooLong {
        /// The time limit.
        limit: Duration,
        /// The end of its standard error.
        stderr: String,
    },
    /// It was killed because its job is no more, or because the sandbox stops.
    #[error("the hook was called off")]
    CalledOff,
}

/// Runs `command` for a VM until it ends, takes longer than `limit`, or is called off.
pub async fn run(
    command: &str,
    machine: &VirtualMachine,
    limit: Duration,
    called_off: CancellationToken,
) -> Result<(), HookError> {
    let folder = HookFolder::create(machine).map_err(HookError::NotStarted)?;
    let mut errors = folder.error_file().map_err(HookError::NotStarted)?;
    let mut child = Command::new("sh")
        .arg("-c")
        .arg(command)
        .envs(machine.environment.iter().cloned())
        .env("WINDLASS_VM_USER_DATA_FILE", folder.0.join("user-data"))
        .env("WINDLASS_VM_AUTHORIZED_KEYS_FILE", folder.0.join("authorized-keys"))
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        // A file and not a pipe: a body that the hook leaves behind may keep it open.
        .stderr(errors.try_clone().map_err(HookError::NotStarted)?)
        .process_group(0)
        .kill_on_drop(true)
        .spawn()
        .map_err(HookError::NotStarted)?;
    let group = child.id();
    let ended = tokio::select! {
        ended = child.wait() => Some(ended.map_err(HookError::NotStarted)?),
        () = tokio::time::sleep(limit) => None,
        () = called_off.cancelled() => {
            kill_group(group);
            let _ = child.wait().await;
            return Err(HookError::CalledOff);
        }
    };
    match ended {
        Some(status) if status.success() => Ok(()),
        Some(status) => Err(HookError::Failed { status, stderr: tail(&mut errors) }),
        None => {
            kill_group(group);
            let _ = child.wait().await;
            Err(HookError::TookTooLong { limit, stderr: tail(&mut errors) })
        }
    }
}

/// Kills a hook with all it started. Its leader is not yet waited for, so the number is its own.
fn kill_group(group: Option<u32>) {
    let group = group.and_then(|id| i32::try_from(id).ok()).and_then(Pid::from_raw);
    let Some(group) = group else { return };
    if let Err(error) = kill_process_group(group, Signal::KILL) {
        tracing::warn!(%error, "cannot kill the process group of a hook");
    }
}

fn tail(file: &mut File) -> String {
    let length = file.metadata().map_or(0, |metadata| metadata.len());
    let mut bytes = Vec::new();
    let start = SeekFrom::Start(length.saturating_sub(ERROR_TAIL));
    if file.seek(start).and_then(|_| file.read_to_end(&mut bytes)).is_err() {
        return String::new();
    }
    String::from_utf8_lossy(&bytes).trim().to_owned()
}

/// A folder for one run of one hook, removed with all that is in it.
struct HookFolder(PathBuf);

impl HookFolder {
    fn create(machine: &VirtualMachine) -> std::io::Result<Self> {
        let name = format!("windlass-hook-{:032x}", rand::random::<u128>());
        let folder = std::env::temp_dir().join(name);
        DirBuilder::new().mode(0o700).create(&folder)?;
        let folder = Self(folder);
        private_file(&folder.0.join("user-data"))?.write_all(&machine.user_data)?;
        let keys = machine.authorized_keys.as_bytes();
        private_file(&folder.0.join("authorized-keys"))?.write_all(keys)?;
        Ok(folder)
    }

    fn error_file(&self) -> std::io::Result<File> {
        private_file(&self.0.join("errors"))
    }
}

impl Drop for HookFolder {
    fn drop(&mut self) {
        if let Err(error) = std::fs::remove_dir_all(&self.0) {
            tracing::warn!(%error, "cannot remove {}", self.0.display());
        }
    }
}

fn private_file(path: &Path) -> std::io::Result<File> {
    OpenOptions::new().read(true).write(true).create_new(true).mode(0o600).open(path)
}
