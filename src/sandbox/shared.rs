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
    saving: tokio::sync::Mutex<()>,
}

#[derive(Debug)]
struct Account {
    world: World,
    unsaved: bool,
}

/// When a change must be on disk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Saving {
    /// Before anybody is told of it.
    Now,
    /// With the next one, or in a moment: time alone made it, and would make it again.
    Soon,
    /// Nothing changed.
    Not,
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
            account: Mutex::new(Account { world, unsaved: false }),
            state_file: state_file.map(Arc::new),
            saving: tokio::sync::Mutex::new(()),
        }
    }

    /// Looks at the account.
    pub fn look<T>(&self, look: impl FnOnce(&World) -> T) -> T {
        look(&lock(&self.account).world)
    }

    /// Does something with the account. When `saving` says `Now` of the result, the state is on
    /// disk before this returns.
    pub async fn with<T>(
        &self,
        act: impl FnOnce(&mut World) -> T,
        saving: impl FnOnce(&T) -> Saving,
    ) -> T {
        let (result, save) = {
            let mut account = lock(&self.account);
            let result = act(&mut account.world);
            let saving = saving(&result);
            account.unsaved |= saving != Saving::Not;
            (result, saving == Saving::Now)
        };
        if save {
            self.save().await;
        }
        result
    }

    /// Whether something was changed that is not on disk yet.
    pub fn is_unsaved(&self) -> bool {
        self.state_file.is_some() && lock(&self.account).unsaved
    }

    /// Writes the state, if there is anything new in it.
    pub async fn save(&self) {
        let Some(file) = self.state_file.clone() else { return };
        // Whoever waits here may find its change taken along, and then it is on disk.
        let _turn = self.saving.lock().await;
        let state = {
            let mut account = lock(&self.account);
            if !account.unsaved {
                return;
            }
            account.unsaved = false;
            serde_json::to_vec(&account.world)
        };
        let state = state.expect("an account is plain data with text keys");
        let written = tokio::task::spawn_blocking(move || file.write(&state)).await;
        if let Ok(Err(error)) = written {
            let cause = std::error::Error::source(&error);
            tracing::error!(cause = ?cause, "{error}; a restart would not know of this change");
        }
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
