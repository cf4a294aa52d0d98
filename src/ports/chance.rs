//! Chance, asked for: so that a simulation can repeat it.

use rand::Rng;
use uuid::Uuid;

use crate::domain::Timestamp;

/// Gives random bytes.
pub trait Chance: Send + Sync {
    /// Fills `bytes` with unpredictable ones.
    fn fill(&self, bytes: &mut [u8]);

    /// A version 7 UUID of the moment `now`.
    fn uuid(&self, now: Timestamp) -> Uuid {
        let mut bytes = [0; 10];
        self.fill(&mut bytes);
        let milliseconds = now.as_millisecond().max(0) as u64;
        uuid::Builder::from_unix_timestamp_millis(milliseconds, &bytes).into_uuid()
    }
}

/// The machine's own chance, fit for keys.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemChance;

impl Chance for SystemChance {
    fn fill(&self, bytes: &mut [u8]) {
        rand::rng().fill_bytes(bytes);
    }
}
