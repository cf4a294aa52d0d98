//! How long things take.

/// The shortest and the longest time of each, in seconds; every thing's own lies between them, by
/// chance.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Paces {
    /// From the create call until an instance runs.
    pub boot: (u64, u64),
    /// A playbook run.
    pub playbook: (u64, u64),
    /// From a drain until the last request of a server ends.
    pub drain: (u64, u64),
    /// From the delete call until the instance is gone.
    pub deletion: (u64, u64),
}

impl Default for Paces {
    /// Shorter than in life, so that scenarios are.
    fn default() -> Self {
        Self { boot: (20, 50), playbook: (20, 60), drain: (1, 40), deletion: (2, 15) }
    }
}
