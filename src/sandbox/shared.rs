//! What all requests and the driver share.
//!
//! In: the options, once.
//! Out: the account behind a lock, saved after each change.
//! Never: holds the lock while waiting for anything.

use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use jiff::Timestamp;
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

use super::auth::Keyring;
use super::call::Rules;
use super::faults::Faults;
use super::journal::Journal;
use super::limits::Limits;
use super::persist::StateFile;
use super::world::World;

/// One running sandbox.
#[derive(Debug)]
pub struct Shared {
    pub rules: Rules,
    pub keyring: Keyring,
    pub limits: Option<Mutex<Limits>>,
    pub faults: Mutex<Faults>,
    pub faults_file: Option<PathBuf>,
    pub journal: Mutex<Journal>,
    /// Wakes the driver when there may be something to do.
    pub changed: Notify,
    pub shutdown: CancellationToken,
    account: Mutex<Account>,
    state_file: Option<Arc<StateFile>>,
}

#[derive(Debug)]
struct Account {
    world: World,
    version: u64,
}

impl Shared {
    /// Puts everything together.
    #[expect(clippy::too_many_arguments, reason = "called once, with names that tell them apart")]
    pub fn new(
        rules: Rules,
        keyring: Keyring,
        limits: Option<Limits>,
        faults: Faults,
        faults_file: Option<PathBuf>,
        world: World,
        state_file: Option<StateFile>,
        shutdown: CancellationToken,
    ) -> Self {
        Self {
            rules,
            keyring,
            limits: limits.map(Mutex::new),
            faults: Mutex::new(faults),
            faults_file,
            journal: Mutex::default(),
            changed: Notify::new(),
            shutdown,
            account: Mutex::new(Account { world, version: 0 }),
            state_file: state_file.map(Arc::new),
        }
    }

    /// Looks at the account.
    pub fn look<T>(&self, look: impl FnOnce(&World) -> T) -> T {
        look(&lock(&self.account).world)
    }

    /// Does something with the account. When `changed` says of the result that it changed
    /// something, the state is on disk before this returns.
    pub async fn with<T>(
        &self,
        act: impl FnOnce(&mut World) -> T,
        changed: impl FnOnce(&T) -> bool,
    ) -> T {
        let (result, save) = {
            let mut account = lock(&self.account);
            let result = act(&mut account.world);
            let mut save = None;
            if changed(&result) {
                account.version += 1;
                let version = account.version;
                save = self.state_file.clone().map(|file| {
                    let state = serde_json::to_vec(&account.world);
                    (file, version, state.expect("an account is plain data with text keys"))
                });
            }
            (result, save)
        };
        if let Some((file, version, state)) = save {
            let written = tokio::task::spawn_blocking(move || file.write(version, &state)).await;
            if let Ok(Err(error)) = written {
                let cause = std::error::Error::source(&error);
                tracing::error!(cause = ?cause, "{error}; a restart would not know of this change");
            }
        }
        result
    }

    /// Reads the faults file again; a bad text is reported and changes nothing.
    pub async fn refresh_faults(&self) {
        let Some(path) = &self.faults_file else { return };
        // A file that is gone means no faults: a test may delete it to heal the world.
        let text = match tokio::fs::read_to_string(path).await {
            Ok(text) => text,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => String::new(),
            Err(error) => {
                tracing::error!(%error, "cannot read the faults file {}", path.display());
                return;
            }
        };
        let mut faults = lock(&self.faults);
        if faults.is_from(&text) {
            return;
        }
        match faults.update(&text) {
            Ok(()) => tracing::info!("took the faults of {}", path.display()),
            Err(why) => tracing::error!("{}: {why}; the old faults stay", path.display()),
        }
    }
}

/// Locks, whatever became of an earlier holder: every change leaves the data whole.
pub fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The time.
pub fn now() -> Timestamp {
    Timestamp::now()
}
