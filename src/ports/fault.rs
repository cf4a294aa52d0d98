//! How the world's errors sort: the reconciler acts on the kind, adapters classify, and nobody
//! else reads status codes.

use crate::domain::Duration;

/// Why a call to the world did not do what was asked.
///
/// Messages hold no secret and no address; they are stored, logged and shown.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum Fault {
    /// It did not happen, and may work later.
    #[error("{message}")]
    Transient {
        /// What the world said.
        message: String,
        /// When the world wants to be asked again.
        retry_after: Option<Duration>,
    },
    /// It did not happen and never will, asked like this.
    #[error("{message}")]
    Permanent {
        /// What the world said.
        message: String,
    },
    /// It may have happened: look before asking again.
    #[error("{message}")]
    InDoubt {
        /// What went wrong.
        message: String,
    },
    /// The region has none of this plan left.
    #[error("{message}")]
    OutOfCapacity {
        /// What the world said.
        message: String,
    },
    /// We are not allowed to: a bad token, a missing scope, an account's limit. Nothing is
    /// wrong with the node; a person must help.
    #[error("{message}")]
    Denied {
        /// What the world said, and what to do.
        message: String,
    },
}

impl Fault {
    /// A transient fault without a wish for when to ask again.
    pub fn transient(message: impl Into<String>) -> Self {
        Self::Transient { message: message.into(), retry_after: None }
    }

    /// A permanent fault.
    pub fn permanent(message: impl Into<String>) -> Self {
        Self::Permanent { message: message.into() }
    }

    /// The kind's name, for metrics and the journal.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Transient { .. } => "transient",
            Self::Permanent { .. } => "permanent",
            Self::InDoubt { .. } => "in_doubt",
            Self::OutOfCapacity { .. } => "out_of_capacity",
            Self::Denied { .. } => "denied",
        }
    }
}
