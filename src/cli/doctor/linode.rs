//! Linode: the token, the account, and what the policies want to make instances from.

use std::collections::BTreeSet;
use std::path::PathBuf;

use futures_util::future::join_all;

use super::finding::{Finding, too_slow, within};
use crate::config::Config;
use crate::daemon;
use crate::domain::{Duration, Timestamp, elapsed};
use crate::linode::{Access, LinodeCloud};
use crate::policy::Policy;
use crate::ports::{Clock, Cloud, Fault, SystemClock};

/// Above what one call of the adapter takes at most, looks at lost answers included.
const LIMIT: Duration = Duration::from_secs(25);

/// The clock by which Linode bills is told to the second; a few more pass on the way.
const CLOCK_MAY_DIFFER: Duration = Duration::from_secs(5);

/// VLANs that one account may have in a region. Source: Linode's documentation of VLANs.
const MOST_VLANS: usize = 10;

const TOKEN: &str = "linode token";

pub(super) async fn examine(config: &Config, policies: &[(PathBuf, Policy)]) -> Vec<Finding> {
    let cloud = match daemon::linode(config) {
        Ok(cloud) => cloud,
        Err(cause) => {
            let remedy = "correct `linode.url`, or put a token where the settings name it";
            return vec![Finding::failed("linode", cause, remedy)];
        }
    };
    let asked_at = SystemClock.now();
    let access = match tokio::time::timeout(LIMIT, cloud.access()).await {
        Ok(Ok(access)) => access,
        Ok(Err(fault)) => return vec![not_let_in(config, &fault)],
        Err(_) => return vec![too_slow(TOKEN, LIMIT)],
    };
    let mut findings = vec![scopes(config, &access, policies), headroom(&access)];
    findings.extend(clock(&access, asked_at, SystemClock.now()));
    let account = within(LIMIT, "linode account", async {
        let (user, helper) = tokio::join!(user(&cloud), network_helper(&cloud));
        vec![user, helper]
    });
    let wanted = join_all(policies.iter().map(|(_, policy)| async {
        let subject = format!("linode, policy {}", policy.pool);
        within(LIMIT, &subject, wanted(&cloud, policy)).await
    }));
    let (account, wanted) = tokio::join!(account, wanted);
    findings.extend(account);
    findings.extend(wanted.into_iter().flatten());
    findings
}

fn not_let_in(config: &Config, fault: &Fault) -> Finding {
    let rest = "nothing else could be asked there";
    let what = format!("{fault} (from {}); {rest}", config.linode.token_source);
    let remedy = match fault {
        Fault::Denied { .. } => {
            "make a token of an unrestricted user with linodes:read_write, \
                                 events:read_only, images:read_only and account:read_only"
        }
        _ => "see that this machine reaches `linode.url`, and run the doctor again",
    };
    Finding::failed(TOKEN, what, remedy)
}

fn scopes(config: &Config, access: &Access, policies: &[(PathBuf, Policy)]) -> Finding {
    let source = &config.linode.token_source;
    if access.scopes().is_empty() {
        let what = format!("{source} is let in; its scopes are not told");
        return Finding::ok(TOKEN, what);
    }
    let nodes = || policies.iter().map(|(_, policy)| &policy.node);
    let private = nodes().any(|node| node.image.starts_with("private/"));
    let firewall = nodes().any(|node| node.firewall.is_some());
    let lacks = |area: &str, level: &str| !access.may(area, level);
    let must = [
        lacks("linodes", "read_write").then_some("linodes:read_write"),
        (private && lacks("images", "read_only")).then_some("images:read_only"),
    ];
    let should = [
        lacks("account", "read_only").then_some("account:read_only"),
        (firewall && lacks("firewall", "read_only")).then_some("firewall:read_only"),
    ];
    let list =
        |scopes: [Option<&str>; 2]| scopes.into_iter().flatten().collect::<Vec<_>>().join(", ");
    let (must, should) = (list(must), list(should));
    let remedy = |scopes: &str| format!("make a token with {scopes} as well, and put it there");
    if !must.is_empty() {
        let what = format!("the one from {source} lacks {must}, without which nodes can't be made");
        return Finding::failed(TOKEN, what, remedy(&must));
    }
    if !should.is_empty() {
        let what = format!("the one from {source} lacks {should}, so not all can be looked at");
        return Finding::warning(TOKEN, what, remedy(&should));
    }
    Finding::ok(TOKEN, format!("{source} is let in, with {}", access.scopes()))
}

/// A daemon lists instances every few seconds, out of 200 calls a minute.
fn headroom(access: &Access) -> Finding {
    const SUBJECT: &str = "linode rate limit";
    match access.headroom {
        None => Finding::ok(SUBJECT, "the API does not tell how many calls are left"),
        Some((left, all)) if left.saturating_mul(4) < all => Finding::warning(
            SUBJECT,
            format!("only {left} of {all} listings are left in this minute"),
            "see who else calls with this token, and give the daemon one of its own",
        ),
        Some((left, all)) => {
            Finding::ok(SUBJECT, format!("{left} of {all} listings are left in this minute"))
        }
    }
}

/// How the API's clock compares with ours, at the time between question and answer.
fn clock(access: &Access, asked_at: Timestamp, now: Timestamp) -> Option<Finding> {
    const SUBJECT: &str = "linode clock";
    let theirs = access.answered_at?;
    let apart = elapsed(theirs, asked_at).max(elapsed(now, theirs));
    Some(match apart <= CLOCK_MAY_DIFFER {
        true => Finding::ok(SUBJECT, "the same as ours"),
        false => Finding::warning(
            SUBJECT,
            format!("{} s from ours: paid hours are counted wrongly", apart.as_secs()),
            "set this machine's clock: chrony or systemd-timesyncd",
        ),
    })
}

async fn user(cloud: &LinodeCloud) -> Finding {
    const SUBJECT: &str = "linode user";
    match cloud.is_restricted().await {
        Ok(false) => Finding::ok(SUBJECT, "unrestricted, so it may tag Linodes"),
        Ok(true) => Finding::failed(
            SUBJECT,
            "restricted, and only unrestricted users may tag Linodes, by which we know ours",
            "make the token as an unrestricted user, or lift the restriction",
        ),
        Err(fault) => Finding::warning(SUBJECT, fault, "see that the user is unrestricted"),
    }
}

async fn network_helper(cloud: &LinodeCloud) -> Finding {
    const SUBJECT: &str = "linode Network Helper";
    match cloud.network_helper_enabled().await {
        Ok(true) => Finding::ok(SUBJECT, "on"),
        Ok(false) => Finding::failed(
            SUBJECT,
            "off, so that new instances don't get their VLAN address and are never reached",
            "switch it on in the account's settings",
        ),
        Err(fault) => {
            Finding::warning(SUBJECT, fault, "see in the account's settings that it is on")
        }
    }
}

/// What one policy wants.
async fn wanted(cloud: &LinodeCloud, policy: &Policy) -> Vec<Finding> {
    let (region, plan, image, vlan, firewall) = tokio::join!(
        region(cloud, policy),
        plan(cloud, policy),
        image(cloud, policy),
        vlan(cloud, policy),
        firewall(cloud, policy),
    );
    [Some(region), Some(plan), Some(image), Some(vlan), firewall].into_iter().flatten().collect()
}

fn of(policy: &Policy, key: &str) -> String {
    format!("policy {}, {key}", policy.pool)
}

/// A look that failed says nothing about the thing itself.
fn unseen(subject: String, fault: &Fault) -> Finding {
    Finding::warning(subject, fault, "run the doctor again, or look in the Cloud Manager")
}

async fn region(cloud: &LinodeCloud, policy: &Policy) -> Finding {
    let (subject, region) = (of(policy, "node.region"), &policy.node.region);
    let found = match cloud.region(region).await {
        Ok(Some(found)) => found,
        Ok(None) => {
            let what = format!("Linode has no region `{region}`");
            return Finding::failed(subject, what, "take one of https://api.linode.com/v4/regions");
        }
        Err(fault) => return unseen(subject, &fault),
    };
    let needed: BTreeSet<&str> = ["Linodes", "Vlans", "Metadata"].into();
    let lacks: Vec<&str> =
        needed.into_iter().filter(|one| !found.capabilities.iter().any(|has| has == one)).collect();
    if !lacks.is_empty() {
        let what = format!("`{region}` has no {}", lacks.join(", no "));
        return Finding::failed(
            subject,
            what,
            "take a region that has Linodes, Vlans and Metadata",
        );
    }
    match found.status.as_str() {
        "ok" | "" => Finding::ok(subject, format!("`{region}` has Linodes, VLANs and Metadata")),
        status => Finding::warning(
            subject,
            format!("`{region}` reports {status}"),
            "see https://status.linode.com",
        ),
    }
}

async fn plan(cloud: &LinodeCloud, policy: &Policy) -> Finding {
    let (subject, node) = (of(policy, "node.type"), &policy.node);
    let (plan, region) = (&node.instance_type, &node.region);
    let (price, sold_out) =
        tokio::join!(cloud.hourly_price(plan, region), cloud.is_sold_out(plan, region));
    match (price, sold_out) {
        (Err(fault @ Fault::Permanent { .. }), _) => {
            Finding::failed(subject, fault, "take one of https://api.linode.com/v4/linode/types")
        }
        (Err(fault), _) | (Ok(_), Err(fault)) => unseen(subject, &fault),
        (Ok(_), Ok(true)) => Finding::failed(
            subject,
            format!("`{plan}` is not to be had in {region} now"),
            "take another type or another region",
        ),
        (Ok(price), Ok(false)) => {
            Finding::ok(subject, format!("`{plan}` at {price} an hour in {region}"))
        }
    }
}

async fn image(cloud: &LinodeCloud, policy: &Policy) -> Finding {
    let (subject, image) = (of(policy, "node.image"), &policy.node.image);
    let found = match cloud.image(image).await {
        Ok(Some(found)) => found,
        Ok(None) => {
            let what = format!("Linode has no image `{image}`, or this user may not see it");
            return Finding::failed(subject, what, "take one of https://api.linode.com/v4/images");
        }
        Err(fault) => return unseen(subject, &fault),
    };
    if !found.capabilities.iter().any(|has| has == "cloud-init") {
        let what =
            format!("`{image}` has no cloud-init, so nodes would not get their SSH host key");
        return Finding::failed(subject, what, "take an image that has cloud-init");
    }
    match found.status.as_deref() {
        None | Some("available") if found.deprecated => Finding::warning(
            subject,
            format!("`{image}` is deprecated, and will be gone some day"),
            "take its successor",
        ),
        None | Some("available") => Finding::ok(subject, format!("`{image}` is available")),
        Some(status) => Finding::failed(
            subject,
            format!("`{image}` is {status}"),
            "wait until it is available, or take another one",
        ),
    }
}

async fn vlan(cloud: &LinodeCloud, policy: &Policy) -> Finding {
    let (subject, node) = (of(policy, "node.vlan"), &policy.node);
    let (label, region) = (&node.vlan.label, &node.region);
    let vlans = match cloud.vlans(region).await {
        Ok(vlans) => vlans,
        Err(fault) => return unseen(subject, &fault),
    };
    match vlans.iter().find(|vlan| vlan.label == *label) {
        Some(vlan) => {
            let count = vlan.linodes.len();
            Finding::ok(subject, format!("`{label}` in {region} has {count} Linodes on it"))
        }
        None if MOST_VLANS <= vlans.len() => Finding::failed(
            subject,
            format!("{region} has no VLAN `{label}`, and no room for one beside {}", vlans.len()),
            "name one that exists, or take the Linodes off one that nobody needs",
        ),
        None => Finding::warning(
            subject,
            format!("{region} has no VLAN `{label}` yet: the first node would make it"),
            "attach HAProxy and this machine to it, or correct the label",
        ),
    }
}

async fn firewall(cloud: &LinodeCloud, policy: &Policy) -> Option<Finding> {
    let id = policy.node.firewall?;
    let subject = of(policy, "node.firewall");
    Some(match cloud.firewall(id).await {
        Ok(Some(found)) if found.status == "enabled" => Finding::ok(subject, format!("{id} is on")),
        Ok(Some(found)) => {
            let what = format!("{id} is {}: nodes would stand in the open", found.status);
            Finding::warning(subject, what, "enable it")
        }
        Ok(None) => {
            let what = format!("the account has no firewall {id}");
            Finding::failed(subject, what, "correct its number, or take the key out")
        }
        Err(fault) => unseen(subject, &fault),
    })
}

#[cfg(test)]
mod tests {
    use super::super::finding::Verdict;
    use super::*;
    use crate::domain::after;

    #[test]
    fn a_clock_may_differ_by_what_a_call_takes_and_a_few_seconds() {
        let seconds = Duration::from_secs;
        let asked_at = Timestamp::from_second(1_000_000).expect("a moment");
        let answered_at = after(asked_at, seconds(2));
        for (theirs, verdict) in [
            (asked_at, Verdict::Ok),
            (after(answered_at, seconds(5)), Verdict::Ok),
            (after(answered_at, seconds(6)), Verdict::Warning),
            (crate::domain::before(asked_at, seconds(5)), Verdict::Ok),
            (crate::domain::before(asked_at, seconds(6)), Verdict::Warning),
        ] {
            let access = Access::seen(&[], None, Some(theirs));
            let finding = clock(&access, asked_at, answered_at).expect("a time was told");
            assert_eq!(finding.verdict, verdict, "{theirs}");
        }
    }

    #[test]
    fn little_headroom_is_a_warning() {
        for (left, verdict) in [(0, Verdict::Warning), (49, Verdict::Warning), (50, Verdict::Ok)] {
            let access = Access::seen(&[], Some((left, 200)), None);
            assert_eq!(headroom(&access).verdict, verdict, "{left}");
        }
    }
}
