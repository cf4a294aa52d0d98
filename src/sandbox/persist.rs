//! The state file: the whole account as JSON.
//!
//! In: the account after a change.
//! Out: a file that is either the old or the new one, whenever the machine stops.
//! Never: lets others read it: user data may be secret.

use std::fs::{File, OpenOptions};
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use super::world::World;

/// Why the state file was of no use.
#[derive(Debug, thiserror::Error)]
pub enum StateError {
    /// It is there, but can't be read.
    #[error("cannot read the state file {path}")]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What the system said.
        #[source]
        cause: std::io::Error,
    },
    /// It holds something else.
    #[error(
        "{path} is no state file of this version; name another one, or delete it to start afresh"
    )]
    Malformed {
        /// The file.
        path: PathBuf,
        /// Where it goes wrong.
        #[source]
        cause: serde_json::Error,
    },
    /// It can't be written.
    #[error("cannot write the state file {path}")]
    Unwritable {
        /// The file.
        path: PathBuf,
        /// What the system said.
        #[source]
        cause: std::io::Error,
    },
}

/// Reads a state file; `None` when there is none yet.
pub fn load(path: &Path) -> Result<Option<World>, StateError> {
    let text = match std::fs::read_to_string(path) {
        Ok(text) => text,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(cause) => return Err(StateError::Unreadable { path: path.into(), cause }),
    };
    let world = serde_json::from_str(&text);
    world.map(Some).map_err(|cause| StateError::Malformed { path: path.into(), cause })
}

/// Writes states to one file.
#[derive(Debug)]
pub struct StateFile {
    path: PathBuf,
}

impl StateFile {
    /// A file to write to.
    pub fn new(path: PathBuf) -> Self {
        Self { path }
    }

    /// Writes a state; one call at a time. Blocks on the disk.
    pub fn write(&self, state: &[u8]) -> Result<(), StateError> {
        let unwritable = |cause| StateError::Unwritable { path: self.path.clone(), cause };
        self.replace(state).map_err(unwritable)
    }

    fn replace(&self, state: &[u8]) -> std::io::Result<()> {
        let mut name = self.path.file_name().unwrap_or_default().to_owned();
        name.push(".new");
        let fresh = self.path.with_file_name(name);
        let mut options = OpenOptions::new();
        let mut file = options.write(true).create(true).truncate(true).mode(0o600).open(&fresh)?;
        file.write_all(state)?;
        file.sync_all()?;
        std::fs::rename(&fresh, &self.path)?;
        let folder = self.path.parent().filter(|folder| !folder.as_os_str().is_empty());
        File::open(folder.unwrap_or(Path::new(".")))?.sync_all()
    }
}
