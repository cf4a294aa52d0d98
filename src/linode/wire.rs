//! What goes over the wire, and what we read of what comes back.
//!
//! In: JSON as recorded from the live API, unknown fields and statuses included.
//! Out: our own words.
//! Never: guesses. An instance without an id, label or tags is no instance.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use jiff::{Timestamp, civil, tz::TimeZone};
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};

use crate::domain::{Dollars, Instance, InstanceId, InstanceStatus};
use crate::ports::CreateRequest;

/// One page of a collection.
#[derive(Deserialize)]
pub(super) struct Page<T> {
    pub(super) data: Vec<T>,
    pub(super) pages: u32,
    pub(super) results: u32,
}

/// An instance, as far as we look at it.
#[derive(Clone, Debug, Deserialize)]
pub(super) struct RawInstance {
    id: u64,
    label: String,
    status: String,
    pub(super) tags: Vec<String>,
    region: String,
    /// Null for plans that no longer exist.
    #[serde(rename = "type")]
    instance_type: Option<String>,
    created: Option<String>,
    locks: Option<Vec<String>>,
}

impl RawInstance {
    /// The lock that forbids its deletion, where there is one.
    pub(super) fn deletion_lock(&self) -> Option<&str> {
        let locks = self.locks.iter().flatten();
        locks.map(String::as_str).find(|lock| lock.starts_with("cannot_delete"))
    }
}

impl From<RawInstance> for Instance {
    fn from(raw: RawInstance) -> Self {
        Self {
            id: InstanceId(raw.id),
            label: raw.label,
            status: status(raw.status),
            tags: raw.tags,
            region: raw.region,
            instance_type: raw.instance_type.unwrap_or_default(),
            created_at: raw.created.as_deref().and_then(moment),
        }
    }
}

fn status(status: String) -> InstanceStatus {
    match status.as_str() {
        "provisioning" => InstanceStatus::Provisioning,
        "booting" => InstanceStatus::Booting,
        "running" => InstanceStatus::Running,
        "offline" => InstanceStatus::Offline,
        "deleting" => InstanceStatus::Deleting,
        _ => InstanceStatus::Other(status),
    }
}

/// The API gives UTC without saying so: `2018-01-02T03:04:05`.
fn moment(text: &str) -> Option<Timestamp> {
    let bare = || text.parse::<civil::DateTime>().ok()?.to_zoned(TimeZone::UTC).ok();
    text.parse().ok().or_else(|| Some(bare()?.timestamp()))
}

/// What went wrong, in the API's words.
#[derive(Deserialize)]
pub(super) struct ErrorEnvelope {
    pub(super) errors: Vec<ApiError>,
}

/// One thing that went wrong.
#[derive(Deserialize)]
pub(super) struct ApiError {
    #[serde(default)]
    pub(super) reason: String,
    pub(super) field: Option<String>,
}

/// A plan's price.
#[derive(Clone, Debug, Deserialize)]
pub(super) struct RawType {
    price: RawPrice,
    #[serde(default)]
    region_prices: Vec<RegionPrice>,
}

#[derive(Clone, Debug, Deserialize)]
struct RawPrice {
    hourly: Option<f64>,
}

#[derive(Clone, Debug, Deserialize)]
struct RegionPrice {
    id: String,
    hourly: Option<f64>,
}

impl RawType {
    /// What a started hour costs in `region`: the region's own price, or else the plan's.
    pub(super) fn hourly_in(&self, region: &str) -> Option<Dollars> {
        let own = self.region_prices.iter().find(|price| price.id == region);
        own.and_then(|price| price.hourly).or(self.price.hourly).and_then(Dollars::new)
    }
}

/// The account's settings, as far as we look at them.
#[derive(Deserialize)]
pub(super) struct AccountSettings {
    pub(super) network_helper: bool,
}

/// The most user data that is sent, in bytes before encoding. The document says 65,535 in one
/// place and "about 16 kB encoded" in another; Linode's own controller stops here.
const USER_DATA_LIMIT: usize = 16_384;

/// A request for a new instance, as sent.
#[derive(Serialize)]
pub(super) struct CreateBody<'a> {
    label: &'a str,
    #[serde(rename = "type")]
    instance_type: &'a str,
    region: &'a str,
    image: &'a str,
    tags: &'a [String],
    authorized_keys: Vec<&'a str>,
    booted: bool,
    /// Always said: the shape of `interfaces` hangs on it, and accounts differ in the default.
    interface_generation: &'static str,
    interfaces: [NewInterface<'a>; 2],
    #[serde(skip_serializing_if = "Option::is_none")]
    firewall_id: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    metadata: Option<Metadata>,
}

/// Order is meaning: the first becomes eth0, and only there does a public one reach the internet.
#[derive(Serialize)]
#[serde(tag = "purpose", rename_all = "snake_case")]
enum NewInterface<'a> {
    Public,
    Vlan { label: &'a str, ipam_address: String },
}

#[derive(Serialize)]
struct Metadata {
    user_data: String,
}

impl<'a> CreateBody<'a> {
    /// The body for `request`, or what is wrong with the request.
    pub(super) fn of(request: &'a CreateRequest) -> Result<Self, String> {
        let vlan_address = format!("{}/{}", request.address, request.prefix);
        Ok(Self {
            label: request.label.as_str(),
            instance_type: &request.instance_type,
            region: &request.region,
            image: &request.image,
            tags: &request.tags,
            authorized_keys: request.authorized_keys.iter().map(|key| key.trim()).collect(),
            booted: true,
            interface_generation: "legacy_config",
            interfaces: [
                NewInterface::Public,
                NewInterface::Vlan { label: &request.vlan, ipam_address: vlan_address },
            ],
            firewall_id: request.firewall,
            metadata: metadata(&request.user_data)?,
        })
    }
}

fn metadata(user_data: &SecretString) -> Result<Option<Metadata>, String> {
    let raw = user_data.expose_secret().as_bytes();
    if raw.len() > USER_DATA_LIMIT {
        return Err(format!(
            "the user data has {} bytes, over the limit of {USER_DATA_LIMIT}: move what is large \
             into the image or the playbook",
            raw.len()
        ));
    }
    Ok((!raw.is_empty()).then(|| Metadata { user_data: STANDARD.encode(raw) }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_moment_is_read_as_utc_with_or_without_its_zone() {
        let expected = "2026-05-20T18:38:57Z".parse().unwrap();
        assert_eq!(moment("2026-05-20T18:38:57"), Some(expected));
        assert_eq!(moment("2026-05-20T18:38:57Z"), Some(expected));
        assert_eq!(moment("yesterday"), None);
    }

    #[test]
    fn a_status_that_nobody_documented_is_kept() {
        assert_eq!(status("running".into()), InstanceStatus::Running);
        assert_eq!(status("dancing".into()), InstanceStatus::Other("dancing".into()));
    }
}
