//! The account and its user: one unrestricted owner, invented.
//!
//! In: calls on `/account`, `/profile` and `/maintenance`.
//! Out: fixed answers in the document's shapes, but for what the options change.
//! Never: a real person's data.

use serde_json::{Value, json};

use super::call::{Answer, Call, Reply};
use super::catalogue::{self, REGIONS};
use super::errors::Refusal;
use super::options::NetworkHelper;
use super::world::World;

/// The one user's name.
pub const USERNAME: &str = "sandbox";

const SINCE: &str = "2026-01-01T00:00:00";

/// `GET /account`
pub fn get(_world: &mut World, _call: &Call) -> Answer {
    Ok(Reply::Object(json!({
        "active_promotions": [],
        "active_since": SINCE,
        "address_1": "1 Example Street",
        "address_2": "",
        "balance": 0,
        "balance_uninvoiced": 0.0,
        "billing_source": "linode",
        "capabilities": [
            "Linodes", "Cloud Firewall", "Vlans", "Placement Group", "Linode Interfaces",
            "Maintenance Policy"
        ],
        "city": "Example",
        "company": "Windlass sandbox",
        "country": "DE",
        "credit_card": {"expiry": null, "last_four": null},
        "email": "sandbox@example.com",
        "euuid": "00000000-0000-4000-8000-000000000000",
        "first_name": "Sandy",
        "last_name": "Box",
        "phone": "",
        "state": "",
        "tax_id": "",
        "zip": "00000",
    })))
}

/// `GET /account/settings`
pub fn settings(_world: &mut World, call: &Call) -> Answer {
    Ok(Reply::Object(json!({
        "managed": false,
        "network_helper": call.rules.network_helper == NetworkHelper::On,
        "longview_subscription": null,
        "backups_enabled": false,
        "object_storage": "disabled",
        "interfaces_for_new_linodes": "legacy_config_default_but_linode_allowed",
        "maintenance_policy": "linode/migrate",
    })))
}

fn availability(region: &Value) -> Value {
    json!({"region": region["id"], "available": ["Linodes"], "unavailable": []})
}

/// `GET /account/availability`
pub fn list_availability(_world: &mut World, _call: &Call) -> Answer {
    Ok(Reply::list(REGIONS.iter().map(availability).collect(), &["region"]))
}

/// `GET /account/availability/{id}`
pub fn get_availability(_world: &mut World, call: &Call) -> Answer {
    let region = catalogue::find(&REGIONS, call.text(0)).ok_or_else(Refusal::not_found)?;
    Ok(Reply::Object(availability(region)))
}

/// `GET /account/maintenance`, `GET /account/notifications`: nothing is ever announced here.
pub fn nothing(_world: &mut World, _call: &Call) -> Answer {
    Ok(Reply::list(Vec::new(), &["status", "type"]))
}

/// `GET /account/transfer`
pub fn transfer(_world: &mut World, _call: &Call) -> Answer {
    Ok(Reply::Object(json!({"billable": 0, "quota": 1000, "used": 0, "region_transfers": []})))
}

/// `GET /profile`
pub fn profile(_world: &mut World, _call: &Call) -> Answer {
    Ok(Reply::Object(json!({
        "uid": 1,
        "username": USERNAME,
        "email": "sandbox@example.com",
        "timezone": "UTC",
        "email_notifications": false,
        "referrals": {
            "code": "0", "url": "https://www.example.com/?r=0", "total": 0, "completed": 0,
            "pending": 0, "credit": 0,
        },
        "ip_whitelist_enabled": false,
        "lish_auth_method": "keys_only",
        "authorized_keys": null,
        "two_factor_auth": false,
        "restricted": false,
        "authentication_type": "password",
        "verified_phone_number": null,
        "user_type": "default",
    })))
}

/// `GET /profile/grants`: 204, because the user is unrestricted.
pub fn grants(_world: &mut World, _call: &Call) -> Answer {
    Ok(Reply::NoContent)
}

/// `GET /profile/tokens`, `GET /profile/sshkeys`: none were made through the API.
pub fn no_keys(_world: &mut World, _call: &Call) -> Answer {
    Ok(Reply::list(Vec::new(), &["label", "created"]))
}

/// `GET /maintenance/policies`
pub fn maintenance_policies(_world: &mut World, _call: &Call) -> Answer {
    let policy = |slug: &str, label: &str, kind: &str, default: bool| {
        json!({
            "slug": slug, "label": label, "type": kind, "is_default": default,
            "description": format!("{label} the Linode during host maintenance."),
            "notification_period_sec": if default { 300 } else { 1800 },
        })
    };
    let all = vec![
        policy("linode/migrate", "Migrate", "migrate", true),
        policy("linode/power_off_on", "Power Off / Power On", "power_off_on", false),
    ];
    Ok(Reply::list(all, &["notification_period_sec"]))
}
