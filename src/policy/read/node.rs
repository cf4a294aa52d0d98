//! `node`: what an instance is made from.

use std::path::{Path, PathBuf};

use super::super::fields::{self, Fields, Notes, Value, refuse};
use super::super::settings::{Backoff, NodeTemplate, Ssh, Vlan};
use super::service::port;
use crate::domain::{AddressRange, CidrBlock, Duration, NodeCount};

const SECOND: Duration = Duration::from_secs(1);
const MINUTE: Duration = Duration::from_secs(60);

/// Where the key pair lies unless the policy says otherwise.
const PRIVATE_KEY_FILE: &str = "/etc/windlass/id";

/// Reads the template; `max` is the pool's, which the VLAN must have addresses for.
pub(super) fn template(
    mut fields: Fields<'_>,
    max: Option<NodeCount>,
    notes: &mut Notes,
) -> Option<NodeTemplate> {
    let instance_type = fields.required("type", "g6-standard-2", notes, slug);
    let types_at = fields.place("fallback_types");
    let fallback_types = fields
        .or("fallback_types", Vec::new(), notes, |value, notes| fields::list(value, notes, slug));
    let elsewhere = "a VLAN lies in one region: a node in another could not reach the balancers";
    let help = "delete it; a second region is a second pool with balancers of its own";
    fields.refused("fallback_regions", elsewhere.into(), help);
    let region = fields.required("region", "eu-central", notes, slug);
    let image = fields.required("image", "linode/debian12", notes, image);
    let vlan =
        fields.required("vlan", "{label: app, cidr: 10.10.0.0/24}", notes, |v, n| vlan(v, max, n));
    let firewall = fields.optional("firewall", notes, fields::whole(1, u32::MAX));
    let ssh = fields.section("ssh", notes, ssh);
    let boot_timeout = fields.or("boot_timeout", 20 * MINUTE, notes, fields::duration_from(SECOND));
    let backoff = fields.section("backoff", notes, backoff);
    fields.finish(notes);
    let (instance_type, fallback_types) = (instance_type?, fallback_types?);
    let mut known = vec![&instance_type];
    for plan in &fallback_types {
        if known.contains(&plan) {
            let what = format!("`fallback_types` has {plan}, which was named before");
            return refuse(notes, types_at, what, "name each plan once, and not the one of `type`");
        }
        known.push(plan);
    }
    Some(NodeTemplate {
        instance_type,
        fallback_types,
        region: region?,
        image: image?,
        vlan: vlan?,
        firewall: firewall?.map(u64::from),
        ssh: ssh?,
        boot_timeout: boot_timeout?,
        backoff: backoff?,
    })
}

/// The name of a plan or region: `g6-standard-2`, `eu-central`.
fn slug(value: Value<'_>, notes: &mut Notes) -> Option<String> {
    of_letters(value, "-", "lower-case letters, digits and `-`", notes)
}

/// An image: `linode/debian12`, `private/123`.
fn image(value: Value<'_>, notes: &mut Notes) -> Option<String> {
    of_letters(value, "-./_", "a form such as linode/debian12 or private/12345", notes)
}

fn of_letters(value: Value<'_>, further: &str, form: &str, notes: &mut Notes) -> Option<String> {
    let text = fields::line(value, notes)?;
    let legal = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || further.contains(c);
    if text.chars().all(legal) && text.len() <= 100 {
        return Some(text);
    }
    let shown: String = text.chars().take(60).collect();
    let what = format!("`{}` can't be `{shown}`", value.name);
    refuse(notes, value.node.at, what, format!("use {form}"))
}

fn vlan(value: Value<'_>, max: Option<NodeCount>, notes: &mut Notes) -> Option<Vlan> {
    let mut fields = Fields::of(value, notes)?;
    let label = fields.required("label", "app", notes, vlan_label);
    let cidr = fields.required(
        "cidr",
        "10.10.0.0/24",
        notes,
        fields::parsed::<CidrBlock>("write the VLAN's block, such as 10.10.0.0/24"),
    );
    let reserve = fields.or("reserve", Vec::new(), notes, |value, notes| {
        let range = fields::parsed::<AddressRange>("write 10.10.0.1 or 10.10.0.1-10.10.0.19");
        fields::list(value, notes, range)
    });
    let quarantine = fields.or("quarantine", 2 * MINUTE, notes, fields::duration);
    let cidr_at = fields.place("cidr");
    fields.finish(notes);

    let vlan = Vlan { label: label?, cidr: cidr?, reserve: reserve?, quarantine: quarantine? };
    let free = free_addresses(&vlan);
    match max {
        Some(NodeCount(max)) if free < u64::from(max) => {
            let what = format!(
                "`cidr` {} has {free} addresses left beside `reserve`, but `max` is {max}",
                vlan.cidr
            );
            refuse(notes, cidr_at, what, "widen the block, reserve less, or lower `bounds.max`")
        }
        _ => Some(vlan),
    }
}

/// How many addresses may be handed out: the block's hosts without the reserved ones.
pub(in crate::policy) fn free_addresses(vlan: &Vlan) -> u64 {
    let hosts = vlan.cidr.first_host()..=vlan.cidr.last_host();
    let (first, last) = (u32::from(*hosts.start()), u32::from(*hosts.end()));
    let mut reserved: Vec<(u32, u32)> = vlan
        .reserve
        .iter()
        .map(|range| (u32::from(range.first()).max(first), u32::from(range.last()).min(last)))
        .filter(|(from, upto)| from <= upto)
        .collect();
    reserved.sort_unstable();
    // Ranges may overlap: `counted` is the first address that none of them has covered yet.
    let mut counted = u64::from(first);
    let mut free = u64::from(last) - u64::from(first) + 1;
    for (from, upto) in reserved {
        let from = u64::from(from).max(counted);
        let end = u64::from(upto) + 1;
        free -= end.saturating_sub(from);
        counted = counted.max(end);
    }
    free
}

/// A VLAN label: 1 to 64 letters, digits and single hyphens, no hyphen first.
/// Source: Linode's API document, the pattern of an interface's label.
fn vlan_label(value: Value<'_>, notes: &mut Notes) -> Option<String> {
    let text = fields::line(value, notes)?;
    let legal = |c: char| c.is_ascii_alphanumeric() || c == '-';
    let hyphens = text.starts_with('-') || text.contains("--");
    if text.len() <= 64 && text.chars().all(legal) && !hyphens {
        return Some(text);
    }
    let what = format!("`{}` is no label of a VLAN", value.name);
    refuse(
        notes,
        value.node.at,
        what,
        "use 1 to 64 letters, digits and single hyphens, no hyphen first",
    )
}

fn ssh(mut fields: Fields<'_>, notes: &mut Notes) -> Option<Ssh> {
    let user = fields.or("user", "root".to_owned(), notes, user);
    let port = fields.or("port", 22, notes, port);
    let private_key_file =
        fields.or("private_key_file", PathBuf::from(PRIVATE_KEY_FILE), notes, fields::path);
    let authorized_keys_file = fields.optional("authorized_keys_file", notes, fields::path);
    fields.finish(notes);
    let private_key_file = private_key_file?;
    let authorized_keys_file =
        authorized_keys_file?.unwrap_or_else(|| public_half(&private_key_file));
    Some(Ssh { user: user?, port: port?, authorized_keys_file, private_key_file })
}

/// Where `ssh-keygen` puts the public half of a key.
fn public_half(private: &Path) -> PathBuf {
    let mut name = private.as_os_str().to_owned();
    name.push(".pub");
    name.into()
}

fn user(value: Value<'_>, notes: &mut Notes) -> Option<String> {
    let text = fields::line(value, notes)?;
    let legal = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || "_-".contains(c);
    let first = text.starts_with(|c: char| c.is_ascii_lowercase() || c == '_');
    if text.len() <= 32 && text.chars().all(legal) && first {
        return Some(text);
    }
    let what = format!("`{}` is no name of a Linux user", value.name);
    refuse(notes, value.node.at, what, "use lower-case letters, digits, `_` and `-`")
}

fn backoff(mut fields: Fields<'_>, notes: &mut Notes) -> Option<Backoff> {
    let first = fields.optional("first", notes, fields::duration_from(SECOND));
    let longest = fields.optional("longest", notes, fields::duration_from(SECOND));
    let longest_at = fields.place("longest");
    fields.finish(notes);
    let (first, longest) = (first?, longest?);
    // Whoever gives only one of the two means it: the other's default makes way.
    let (first, longest) = match (first, longest) {
        (None, None) => (5 * MINUTE, 30 * MINUTE),
        (Some(first), None) => (first, first.max(30 * MINUTE)),
        (None, Some(longest)) => (longest.min(5 * MINUTE), longest),
        (Some(first), Some(longest)) => (first, longest),
    };
    if longest < first {
        let what = format!(
            "`longest` is {}, below `first`, which is {}",
            fields::written_out(longest),
            fields::written_out(first)
        );
        return refuse(notes, longest_at, what, "raise `longest` or lower `first`");
    }
    Some(Backoff { first, longest })
}
