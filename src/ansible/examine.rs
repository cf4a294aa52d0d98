//! Whether playbooks can be run here, for whoever examines a deployment.
//!
//! In: the options, and a playbook.
//! Out: Ansible's version; what is wrong with the playbook.
//! Never: connects to a host, runs a task. What is started ends with whoever waits for it, and
//! its folder of temporary files with it.

use std::ffi::OsStr;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use std::process::{Output, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};

use tokio::process::Command;

use super::process::search_path;
use super::{AnsibleOptions, find_program};
use crate::ports::Fault;

/// The longest text of Ansible's that is passed on, in characters.
const LONGEST: usize = 300;

impl AnsibleOptions {
    /// The first line of `ansible-playbook --version`.
    pub async fn version(&self) -> Result<String, Fault> {
        let words = [OsStr::new("--version")];
        let output = self.ask(Path::new("/"), None, &words).await?;
        let text = String::from_utf8_lossy(&output.stdout);
        match text.lines().next().filter(|_| output.status.success()) {
            Some(line) => Ok(line.trim().to_owned()),
            None => {
                Err(denied(format!("{} does not run: {}", self.binary.display(), said(&output))))
            }
        }
    }

    /// Whether a playbook and all that it imports can be read: `--syntax-check`.
    pub async fn check_playbook(&self, playbook: &Path) -> Result<(), Fault> {
        let beside = playbook.with_file_name("ansible.cfg");
        let beside = Some(beside).filter(|config| config.is_file());
        let config = self.ansible_config.as_ref().or(beside.as_ref());
        let words = ["--syntax-check", "-i", "localhost,"].map(OsStr::new);
        let words = words.into_iter().chain([playbook.as_os_str()]).collect::<Vec<_>>();
        let folder = playbook.parent().unwrap_or(Path::new("/"));
        let output = self.ask(folder, config.map(PathBuf::as_path), &words).await?;
        match output.status.success() {
            true => Ok(()),
            false => Err(denied(said(&output))),
        }
    }

    /// A program that a run needs besides, and where it is not.
    pub fn missing_program(&self) -> Option<&Path> {
        let needed = [self.python.as_path(), Path::new("ssh")];
        needed.into_iter().find(|program| find_program(program).is_none())
    }

    async fn ask(
        &self,
        folder: &Path,
        config: Option<&Path>,
        words: &[&OsStr],
    ) -> Result<Output, Fault> {
        let binary = find_program(&self.binary).ok_or_else(|| {
            denied(format!("there is no {} on this machine", self.binary.display()))
        })?;
        let home = std::env::var_os("HOME").unwrap_or_else(|| "/".into());
        let scratch = Scratch::new()?;
        let asked = Command::new(&binary)
            .args(words)
            .current_dir(folder)
            .env_clear()
            .env("PATH", search_path())
            .env("HOME", home)
            .env("LANG", "C.UTF-8")
            .env("LC_ALL", "C.UTF-8")
            .env("ANSIBLE_CONFIG", config.unwrap_or(&scratch.config()))
            .env("ANSIBLE_LOCAL_TEMP", &scratch.0)
            .env("ANSIBLE_NOCOLOR", "True")
            .stdin(Stdio::null())
            .kill_on_drop(true)
            .output();
        asked.await.map_err(|cause| denied(format!("{} can't be run: {cause}", binary.display())))
    }
}

/// A folder of ours alone, with the settings that runs have; gone with this value.
struct Scratch(PathBuf);

impl Scratch {
    fn new() -> Result<Self, Fault> {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let count = COUNT.fetch_add(1, Ordering::Relaxed);
        let name = format!("windlass-doctor-{}-{count}", std::process::id());
        let folder = std::env::temp_dir().join(name);
        // One that is there already is a stranger's, who could have Ansible do what they like.
        let made = std::fs::DirBuilder::new().mode(0o700).create(&folder);
        let scratch = made.map(|()| Self(folder.clone())).and_then(|scratch| {
            std::fs::write(scratch.config(), include_str!("ansible.cfg")).map(|()| scratch)
        });
        scratch.map_err(|cause| {
            denied(format!("no folder can be made at {}: {cause}", folder.display()))
        })
    }

    fn config(&self) -> PathBuf {
        self.0.join("ansible.cfg")
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        // Left behind, it is an empty promise among other temporary files.
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// What Ansible says is wrong: the line of its error alone, since it quotes files below it.
fn said(output: &Output) -> String {
    let text = String::from_utf8_lossy(&output.stderr);
    let mut lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
    let error =
        lines.clone().find(|line| line.starts_with("ERROR!") || line.starts_with("[ERROR]"));
    let line = error.or_else(|| lines.next_back()).unwrap_or("it said nothing");
    let line = line.trim_start_matches("ERROR!").trim_start_matches("[ERROR]:").trim();
    line.chars().take(LONGEST).collect()
}

fn denied(message: String) -> Fault {
    Fault::Denied { message }
}
