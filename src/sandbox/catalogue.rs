//! What there is to buy: types with prices, regions, images, kernels.
//!
//! In: four data files. Types up to `g6-standard-8` are as recorded from the live API; the rest
//! follow the published plans and the API document's shapes.
//! Out: the lists, and look-ups by id.
//! Never: changes while the sandbox runs.

use std::sync::LazyLock;

use serde_json::{Value, json};

/// Every type, as `GET /linode/types` shows it.
pub static TYPES: LazyLock<Vec<Value>> =
    LazyLock::new(|| list(include_str!("catalogue/types.json")));
/// Every region, as `GET /regions` shows it.
pub static REGIONS: LazyLock<Vec<Value>> =
    LazyLock::new(|| list(include_str!("catalogue/regions.json")));
/// Every public image, as `GET /images` shows it.
pub static IMAGES: LazyLock<Vec<Value>> =
    LazyLock::new(|| list(include_str!("catalogue/images.json")));
/// Every kernel, as `GET /linode/kernels` shows it.
pub static KERNELS: LazyLock<Vec<Value>> =
    LazyLock::new(|| list(include_str!("catalogue/kernels.json")));

fn list(text: &str) -> Vec<Value> {
    serde_json::from_str(text).expect("the catalogue is part of the program and well-formed")
}

/// The entry of `list` whose `id` is `id`.
pub fn find<'a>(list: &'a [Value], id: &str) -> Option<&'a Value> {
    list.iter().find(|entry| entry["id"] == id)
}

/// Dollars for a started hour of `instance_type` in `region`; `None` for a type that is not sold.
pub fn hourly_price(instance_type: &str, region: &str) -> Option<f64> {
    let plan = find(&TYPES, instance_type)?;
    let own = plan["region_prices"].as_array().into_iter().flatten();
    let own = own.filter(|price| price["id"] == region).find_map(|price| price["hourly"].as_f64());
    own.or_else(|| plan["price"]["hourly"].as_f64())
}

/// How many virtual processors `instance_type` has; `None` for a type that is not sold.
pub fn virtual_cpus(instance_type: &str) -> Option<u32> {
    let number = find(&TYPES, instance_type)?["vcpus"].as_u64()?;
    u32::try_from(number).ok()
}

/// The names of all types.
pub fn instance_types() -> impl Iterator<Item = &'static str> {
    TYPES.iter().filter_map(|plan| plan["id"].as_str())
}

/// Whether an entry's `capabilities` name `capability`.
pub fn can(entry: &Value, capability: &str) -> bool {
    entry["capabilities"].as_array().is_some_and(|all| all.iter().any(|one| one == capability))
}

/// The scarcer plans per region, as `GET /regions/availability` shows them: shared and
/// dedicated plans are never listed, so a missing row proves nothing.
pub fn availability() -> Vec<Value> {
    let scarce = |plan: &Value| ["gpu", "premium"].iter().any(|class| plan["class"] == *class);
    let mut rows = Vec::new();
    for region in REGIONS.iter() {
        for plan in TYPES.iter().filter(|plan| scarce(plan)) {
            let capability = if plan["class"] == "gpu" { "GPU Linodes" } else { "Premium Plans" };
            rows.push(json!({
                "region": region["id"],
                "plan": plan["id"],
                "available": can(region, capability),
            }));
        }
    }
    rows
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_list_has_unique_ids() {
        for list in [&TYPES, &REGIONS, &IMAGES, &KERNELS] {
            for entry in list.iter() {
                let id = entry["id"].as_str().expect("ids are text");
                assert_eq!(list.iter().filter(|other| other["id"] == id).count(), 1, "{id}");
            }
        }
    }

    #[test]
    fn a_region_may_have_its_own_price() {
        for (plan, region, price) in [
            ("g6-nanode-1", "eu-central", Some(0.0075)),
            ("g6-nanode-1", "br-gru", Some(0.0105)),
            ("g9-nothing", "eu-central", None),
        ] {
            assert_eq!(hourly_price(plan, region), price, "{plan} in {region}");
        }
    }

    #[test]
    fn a_scarce_plan_is_available_only_where_the_region_has_it() {
        let rows = availability();
        let row = |region: &str, plan: &str| {
            let fits = |row: &&Value| row["region"] == region && row["plan"] == plan;
            rows.iter().find(fits).map(|row| row["available"].clone())
        };
        assert_eq!(row("eu-central", "g1-gpu-rtx6000-1"), Some(json!(true)));
        assert_eq!(row("us-west", "g1-gpu-rtx6000-1"), Some(json!(false)));
        assert_eq!(row("us-west", "g6-standard-1"), None);
    }
}
