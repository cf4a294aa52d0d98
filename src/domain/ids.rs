//! Names and identities, each its own type so that one can't stand for another.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// Makes a checked name: `$rule` is a function `&str -> Result<(), String>`. Copies share one text:
/// each decision names its signals many times.
macro_rules! name {
    ($(#[$doc:meta])* $name:ident, $rule:expr) => {
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, utoipa::ToSchema)]
        #[serde(try_from = "String", into = "String")]
        #[schema(value_type = String)]
        pub struct $name(Arc<str>);

        impl $name {
            /// Checks `name` by this type's rule; the error says what is wrong with it.
            pub fn new(name: impl Into<String>) -> Result<Self, String> {
                let name = name.into();
                let rule: fn(&str) -> Result<(), String> = $rule;
                rule(&name).map(|()| Self(name.into()))
            }

            /// The name as text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl TryFrom<String> for $name {
            type Error = String;

            fn try_from(name: String) -> Result<Self, String> {
                Self::new(name)
            }
        }

        impl FromStr for $name {
            type Err = String;

            fn from_str(name: &str) -> Result<Self, String> {
                Self::new(name)
            }
        }

        impl From<$name> for String {
            fn from(name: $name) -> String {
                name.as_str().to_owned()
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
    };
}

/// Makes an identity around a UUID (version 7: sorts by time of making).
macro_rules! identity {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(
            Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, utoipa::ToSchema,
        )]
        #[serde(transparent)]
        #[schema(value_type = String, format = "uuid")]
        pub struct $name(pub Uuid);

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }

        impl FromStr for $name {
            type Err = uuid::Error;

            fn from_str(text: &str) -> Result<Self, uuid::Error> {
                Uuid::from_str(text).map(Self)
            }
        }
    };
}

name!(
    /// A pool's name: 1 to 20 lower-case letters, digits and single hyphens, beginning with a
    /// letter. Short because every instance's label begins with it.
    PoolName,
    |name| {
        let shape = name.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-');
        let ends = name.starts_with(|c: char| c.is_ascii_lowercase()) && !name.ends_with('-');
        if (1..=20).contains(&name.len()) && shape && ends && !name.contains("--") {
            return Ok(());
        }
        Err(format!(
            "`{name}` is no pool name: use 1 to 20 lower-case letters, digits and single \
             hyphens, beginning with a letter"
        ))
    }
);
name!(
    /// A signal's name inside a policy.
    SignalName,
    |name| word(name, "signal name", 40)
);
name!(
    /// What a kind of campaign is called: `lunch`, `breaking-news`.
    CampaignKind,
    |name| word(name, "kind of campaign", 40)
);
name!(
    /// A candidate: the name of its file, without the ending.
    CandidateName,
    |name| word(name, "candidate's name", 40)
);
name!(
    /// A load balancer's name in the daemon's configuration.
    BalancerName,
    |name| word(name, "balancer name", 40)
);
name!(
    /// An HAProxy backend.
    BackendName,
    |name| word(name, "backend name", 100)
);
name!(
    /// A server entry of an HAProxy backend: `as-…` for a dynamic one, or a template slot's name.
    ServerName,
    |name| word(name, "server name", 100)
);
name!(
    /// A Linode label: 3 to 64 of `a-z 0-9 -`, beginning with a letter, ending in a letter or
    /// digit, no `--`. (The safe subset of what the API allows.)
    InstanceLabel,
    |name| {
        let shape = name.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-');
        let ends = name.starts_with(|c: char| c.is_ascii_lowercase()) && !name.ends_with('-');
        if (3..=64).contains(&name.len()) && shape && ends && !name.contains("--") {
            return Ok(());
        }
        Err(format!("`{name}` is no safe Linode label"))
    }
);

identity!(
    /// One announced campaign.
    HintId
);
identity!(
    /// One node's identity, made by us before anything outside is asked.
    NodeId
);
identity!(
    /// One run of the configuration playbook, over one node or several.
    RunId
);
identity!(
    /// One decision of one pool.
    DecisionId
);

/// The cloud's own number for an instance.
#[derive(
    Clone,
    Copy,
    Debug,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    Serialize,
    Deserialize,
    utoipa::ToSchema,
)]
#[serde(transparent)]
pub struct InstanceId(pub u64);

impl fmt::Display for InstanceId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl InstanceLabel {
    /// The label of a pool's node: pool, hyphen, the last twelve hexadecimal digits of its id.
    ///
    /// Twelve digits of a version 7 UUID are its 48 random bits: enough that a label never
    /// repeats, short enough to read aloud.
    pub fn of(pool: &PoolName, node: NodeId) -> Self {
        let id = node.0.simple().to_string();
        Self(format!("{pool}-{}", &id[20..]).into())
    }

    /// Whether this label has the form that [`InstanceLabel::of`] gives to nodes of `pool`.
    pub fn is_ours(&self, pool: &PoolName) -> bool {
        self.0
            .strip_prefix(pool.as_str())
            .and_then(|rest| rest.strip_prefix('-'))
            .is_some_and(|id| id.len() == 12 && id.chars().all(|c| c.is_ascii_hexdigit()))
    }
}

impl ServerName {
    /// The name of a node's server in dynamic mode: `as-` and its label.
    pub fn of(label: &InstanceLabel) -> Self {
        Self(format!("as-{label}").into())
    }
}

fn word(name: &str, what: &str, longest: usize) -> Result<(), String> {
    let legal = |c: char| c.is_ascii_alphanumeric() || "_.:-".contains(c);
    if (1..=longest).contains(&name.len()) && name.chars().all(legal) {
        return Ok(());
    }
    Err(format!("`{name}` is no {what}: use 1 to {longest} letters, digits, `_`, `.`, `:` and `-`"))
}
