//! The Linode API v4, as our [`Cloud`](crate::ports::Cloud).
//!
//! In: what the reconciler wants of instances, and a token that is shown to nobody.
//! Out: instances as listed, or a [`Fault`](crate::ports::Fault) whose kind says what to do.
//! Never: waits long (a whole call ends within [`LinodeSettings::call_budget`]), creates again
//! after a lost answer without looking for the label first, touches an instance without our tag.
//!
//! How the API behaves, and how sure that is, stands beside each rule that relies on it.

mod classify;
mod cloud;
mod limits;
mod listing;
mod survey;
mod transport;
mod wire;

#[cfg(test)]
mod hostile_tests;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use secrecy::SecretString;

pub use survey::{Access, Firewall, Image, Region, Vlan};
pub use transport::SetupError;

use cloud::PriceList;
use transport::Api;

/// The cloud at Linode. Clones share connections, rate limits and known prices.
#[derive(Clone)]
pub struct LinodeCloud {
    api: Arc<Api>,
    prices: Arc<PriceList>,
}

impl LinodeCloud {
    /// A client for one token.
    ///
    /// No call is made yet; [`verify_access`](crate::ports::Cloud::verify_access) makes one.
    /// Fails when the URL or the token can't be used at all.
    pub fn new(settings: LinodeSettings, token: SecretString) -> Result<Self, SetupError> {
        Ok(Self { api: Arc::new(Api::new(settings, token)?), prices: Arc::default() })
    }
}

impl fmt::Debug for LinodeCloud {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LinodeCloud").finish_non_exhaustive()
    }
}

/// How the API is reached.
#[derive(Clone, Debug)]
pub struct LinodeSettings {
    /// Where the API is, with its version: `https://api.linode.com/v4`.
    pub base_url: String,
    /// How long a connection may take to come up.
    pub connect_timeout: Duration,
    /// How long one request may take, its answer's body included.
    pub request_timeout: Duration,
    /// How long one call of ours may take with all its requests: a create and the look after a
    /// lost answer, or all pages of a listing.
    pub call_budget: Duration,
    /// The longest body that is read, in bytes.
    pub body_limit: usize,
}

impl Default for LinodeSettings {
    fn default() -> Self {
        Self {
            base_url: "https://api.linode.com/v4".into(),
            connect_timeout: Duration::from_secs(3),
            // A create that answers at all does so within a few seconds; the rest of the budget
            // must suffice to look for its label.
            request_timeout: Duration::from_secs(10),
            call_budget: Duration::from_secs(18),
            // A page of 500 instances is about one megabyte.
            body_limit: 8 * 1024 * 1024,
        }
    }
}
