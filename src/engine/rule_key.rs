//! What each rule is called in decisions.
//!
//! In: the rules of a policy.
//! Out: a key for each, in their order.
//! Never: two rules of one policy with the same key.

use std::collections::BTreeMap;
use std::fmt;
use std::ops::Deref;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::domain::SignalName;
use crate::policy::Rule;

/// A rule's name in decisions: its kind and signal, such as `target:requests`; a further one of the
/// same kind and signal is `target:requests#2`. Copies share one text: each decision names every
/// rule.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(from = "String", into = "String")]
pub struct RuleKey(Arc<str>);

impl RuleKey {
    /// The key of each rule, in their order. Whoever decides often makes them once.
    pub fn of_all(rules: &[Rule]) -> Vec<Self> {
        let mut seen: BTreeMap<(&str, Option<&SignalName>), u32> = BTreeMap::new();
        let keys = rules.iter().map(|rule| {
            let (kind, signal) = (rule.kind(), rule.signal());
            let count = seen.entry((kind, signal)).or_default();
            *count += 1;
            let name = match signal {
                Some(signal) => [kind, ":", signal.as_str()].concat(),
                None => kind.to_owned(),
            };
            Self::from(match count {
                1 => name,
                count => format!("{name}#{count}"),
            })
        });
        keys.collect()
    }
}

impl Deref for RuleKey {
    type Target = str;

    fn deref(&self) -> &str {
        &self.0
    }
}

impl From<String> for RuleKey {
    fn from(key: String) -> Self {
        Self(key.into())
    }
}

impl From<RuleKey> for String {
    fn from(key: RuleKey) -> String {
        key.0.as_ref().to_owned()
    }
}

impl From<&str> for RuleKey {
    fn from(key: &str) -> Self {
        Self(key.into())
    }
}

impl PartialEq<&str> for RuleKey {
    fn eq(&self, other: &&str) -> bool {
        *self.0 == **other
    }
}

impl fmt::Display for RuleKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
