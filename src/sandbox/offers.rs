//! The catalogue's calls: types, regions, images, kernels.
//!
//! In: calls that need no token.
//! Out: entries of the catalogue.
//! Never: private images; there are none.

use serde_json::Value;

use super::call::{Answer, Call, Reply};
use super::catalogue::{self, IMAGES, KERNELS, REGIONS, TYPES};
use super::errors::Refusal;
use super::world::World;

fn one(list: &[Value], id: &str) -> Answer {
    catalogue::find(list, id).cloned().map(Reply::Object).ok_or_else(Refusal::not_found)
}

/// `GET /linode/types`
pub fn list_types(_world: &mut World, _call: &Call) -> Answer {
    const KEYS: &[&str] =
        &["label", "class", "disk", "gpus", "memory", "network_out", "transfer", "vcpus"];
    Ok(Reply::list(TYPES.clone(), KEYS))
}

/// `GET /linode/types/{typeId}`
pub fn get_type(_world: &mut World, call: &Call) -> Answer {
    one(&TYPES, call.text(0))
}

/// `GET /regions`
pub fn list_regions(_world: &mut World, _call: &Call) -> Answer {
    Ok(Reply::list(REGIONS.clone(), &["id", "country", "site_type"]))
}

/// `GET /regions/{regionId}`
pub fn get_region(_world: &mut World, call: &Call) -> Answer {
    one(&REGIONS, call.text(0))
}

/// `GET /regions/availability`
pub fn list_availability(_world: &mut World, _call: &Call) -> Answer {
    Ok(Reply::list(catalogue::availability(), &["available", "plan", "region"]))
}

/// `GET /regions/{regionId}/availability`: a bare list, without pages.
pub fn region_availability(_world: &mut World, call: &Call) -> Answer {
    one(&REGIONS, call.text(0))?;
    let mut rows = catalogue::availability();
    rows.retain(|row| row["region"] == call.text(0));
    Ok(Reply::Object(rows.into()))
}

/// `GET /images`
pub fn list_images(_world: &mut World, _call: &Call) -> Answer {
    const KEYS: &[&str] =
        &["deprecated", "is_public", "label", "size", "status", "tags", "type", "vendor"];
    Ok(Reply::list(IMAGES.clone(), KEYS))
}

/// `GET /images/{imageId}`
pub fn get_image(_world: &mut World, call: &Call) -> Answer {
    one(&IMAGES, call.text(0))
}

/// `GET /linode/kernels`
pub fn list_kernels(_world: &mut World, _call: &Call) -> Answer {
    Ok(Reply::list(KERNELS.clone(), &["label", "architecture", "kvm", "pvops", "deprecated"]))
}

/// `GET /linode/kernels/{kernelId}`
pub fn get_kernel(_world: &mut World, call: &Call) -> Answer {
    one(&KERNELS, call.text(0))
}
