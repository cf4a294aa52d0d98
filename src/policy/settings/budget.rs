//! What a pool may cost.

use serde::{Serialize, Serializer};

use crate::domain::{Dollars, Percent};

/// What a pool may cost, in United States dollars; at least one of the two is given.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Budget {
    /// In each hour, for all nodes together; above zero.
    #[serde(serialize_with = "in_dollars")]
    pub hourly: Option<Dollars>,
    /// In a calendar month (UTC); above zero.
    #[serde(serialize_with = "in_dollars")]
    pub monthly: Option<Dollars>,
    /// Whoever looks is warned from this share of either on; at most 100 %.
    pub soft: Percent,
}

/// As a policy has it: 1.5, and not a million and a half millionths.
fn in_dollars<S: Serializer>(amount: &Option<Dollars>, serializer: S) -> Result<S::Ok, S::Error> {
    amount.map(Dollars::get).serialize(serializer)
}
