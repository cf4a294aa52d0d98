//! The state file: the whole account as JSON.
//!
//! In: the account after a change, numbered.
//! Out: a file that is either the old or the new one, whenever the machine stops.
//! Never: writes an older state over a newer one; lets others read it (user data may be secret).

use std::fs::{File, OpenOptions};
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

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

/// Writes states to one file, in order.
#[derive(Debug)]
pub struct StateFile {
    path: PathBuf,
    last_written: Mutex<u64>,
}

impl StateFile {
    /// A file to write to.
    pub fn new(path: PathBuf) -> Self {
        Self { path, last_written: Mutex::new(0) }
    }

    /// Writes a state, unless a newer one was written meanwhile. Blocks on the disk.
    pub fn write(&self, version: u64, state: &[u8]) -> Result<(), StateError> {
        let mut last = self.last_written.lock().unwrap_or_else(PoisonError::into_inner);
        if version <= *last {
            return Ok(());
        }
        let unwritable = |cause| StateError::Unwritable { path: self.path.clone(), cause };
        self.replace(state).map_err(unwritable)?;
        *last = version;
        Ok(())
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
