//! Every served operation, called once at least, must answer as the API document says.

use std::collections::BTreeSet;

use serde_json::{Value, json};
use windlass::sandbox::{SandboxOptions, Speed, served};

use super::api::{Api, DOCUMENT, bootable, bootable_with, quick};

// Kernels are public, were always there, and real clients list them; the trimmed document leaves
// them out.
const BEYOND_THE_DOCUMENT: [&str; 2] = ["/linode/kernels", "/linode/kernels/{kernelId}"];

#[test]
fn everything_in_the_document_is_served_and_nothing_else() {
    let documented: BTreeSet<String> = DOCUMENT["paths"]
        .as_object()
        .expect("paths")
        .iter()
        .flat_map(|(path, methods)| {
            let methods = methods.as_object().expect("methods").keys();
            methods
                .filter(|key| ["get", "post", "put", "delete"].contains(&key.as_str()))
                .map(move |method| format!("{} {path}", method.to_uppercase()))
        })
        .collect();
    let served: BTreeSet<String> = served()
        .filter(|(_, path)| !BEYOND_THE_DOCUMENT.contains(&path.as_str()))
        .map(|(method, path)| format!("{method} {path}"))
        .collect();
    assert_eq!(served, documented);
}

#[tokio::test]
async fn every_operation_answers_as_the_document_says() {
    let api = Api::start(quick()).await;
    catalogue(&api).await;
    account(&api).await;
    let id = legacy_linode(&api).await;
    firewalls(&api, id).await;
    tags_and_locks(&api, id).await;
    placement(&api, id).await;
    linode_interfaces(&api).await;
    power_and_events(&api, id).await;
    removal(&api, id).await;

    let lifelike = Api::start(SandboxOptions { speed: Speed::REAL, ..quick() }).await;
    vlan_removal(&lifelike).await;

    let mut seen = api.seen.lock().expect("no poison").clone();
    seen.append(&mut lifelike.seen.lock().expect("no poison"));
    let all: BTreeSet<String> = served().map(|(method, path)| format!("{method} {path}")).collect();
    let missing: Vec<&String> = all.difference(&seen).collect();
    assert!(missing.is_empty(), "never called, or never with a good answer: {missing:#?}");
}

async fn catalogue(api: &Api) {
    for list in ["/linode/types", "/regions", "/images", "/linode/kernels"] {
        let all = api.get(list).await;
        let entries = all["data"].as_array().expect("a list");
        assert!(4 <= entries.len(), "{list}");
        for entry in entries {
            let id = entry["id"].as_str().expect("an id");
            assert_eq!(&api.get(&format!("{list}/{id}")).await, entry);
        }
    }
    assert_eq!(api.get("/images/linode%2Fdebian12").await["label"], "Debian 12");
    api.get("/regions/availability").await;
    assert!(
        !api.get("/regions/eu-central/availability").await.as_array().expect("bare").is_empty()
    );
}

async fn account(api: &Api) {
    for path in [
        "/account",
        "/account/settings",
        "/account/availability",
        "/account/availability/eu-central",
        "/account/maintenance",
        "/account/notifications",
        "/account/transfer",
        "/profile",
        "/profile/tokens",
        "/profile/sshkeys",
        "/maintenance/policies",
    ] {
        api.get(path).await;
    }
    assert_eq!(api.call("GET", "/profile/grants", None).await.status, 204);
}

async fn legacy_linode(api: &Api) -> u64 {
    let id = api
        .create(bootable_with(
            "legacy",
            json!({
                "tags": ["windlass:pool=web"],
                "interfaces": [
                    {"purpose": "public", "primary": true},
                    {"purpose": "vlan", "label": "app", "ipam_address": "10.10.0.20/24"},
                ],
                "metadata": {"user_data": "I2Nsb3VkLWNvbmZpZwo="},
                "private_ip": true,
                "firewall_id": 4711,
            }),
        ))
        .await;
    api.until(id, "running").await;
    let path = format!("/linode/instances/{id}");
    let configs = api.get(&format!("{path}/configs")).await;
    let config = configs["data"][0]["id"].as_u64().expect("a profile");
    let config = format!("{path}/configs/{config}");
    let shown = api.get(&config).await;
    assert_eq!(shown["interfaces"][1]["ipam_address"], "10.10.0.20/24");
    assert_eq!(shown["interfaces"][1]["active"], true);
    assert_eq!(api.get(&format!("{config}/interfaces")).await.as_array().map(Vec::len), Some(2));
    let change = json!({"comments": "changed", "helpers": {"network": false}});
    let changed = api.call("PUT", &config, Some(change)).await.body;
    assert_eq!(
        (&changed["comments"], &changed["helpers"]["network"]),
        (&json!("changed"), &json!(false))
    );
    let ips = api.get(&format!("{path}/ips")).await;
    assert_eq!(ips["ipv4"]["private"].as_array().map(Vec::len), Some(1));
    let disks = api.get(&format!("{path}/disks")).await;
    let disk = disks["data"][0]["id"].as_u64().expect("a disk");
    api.get(&format!("{path}/disks/{disk}")).await;
    let change = json!({"label": "renamed", "group": "g", "alerts": {"cpu": 80}});
    let updated = api.call("PUT", &path, Some(change)).await.body;
    assert_eq!((&updated["label"], &updated["alerts"]["cpu"]), (&json!("renamed"), &json!(80)));
    api.get("/linode/instances").await;
    let vlans = api.get("/networking/vlans").await;
    assert_eq!(vlans["data"][0]["linodes"], json!([id]));
    id
}

async fn firewalls(api: &Api, id: u64) {
    api.get("/networking/firewalls").await;
    api.get("/networking/firewalls/4711").await;
    let devices = api.get("/networking/firewalls/4711/devices").await;
    assert_eq!(devices["data"][0]["entity"]["id"], id, "firewall_id of the create was obeyed");
    let device = devices["data"][0]["id"].as_u64().expect("a device");
    let device = format!("/networking/firewalls/4711/devices/{device}");
    api.get(&device).await;
    let of_linode = format!("/linode/instances/{id}/firewalls");
    assert_eq!(api.get(&of_linode).await["results"], 1);
    assert_eq!(api.call("DELETE", &device, None).await.status, 200);
    assert_eq!(api.get(&of_linode).await["results"], 0);
    let put = api.call("PUT", &of_linode, Some(json!({"firewall_ids": [4711]}))).await;
    assert_eq!(put.body["results"], 1);
    api.post(&format!("{of_linode}/apply"), json!({})).await;
    let cleared = api.call("PUT", &of_linode, Some(json!({"firewall_ids": []}))).await;
    assert_eq!(cleared.body["results"], 0);
    let body = json!({"type": "linode", "id": id});
    api.post("/networking/firewalls/4711/devices", body).await;
}

async fn tags_and_locks(api: &Api, id: u64) {
    api.post("/tags", json!({"label": "by-hand", "linodes": [id]})).await;
    assert_eq!(api.get("/tags").await["results"], 2);
    assert_eq!(api.get("/tags/windlass%3Apool%3Dweb").await["data"][0]["data"]["id"], id);
    assert_eq!(api.call("DELETE", "/tags/by-hand", None).await.status, 200);
    let lock = json!({"entity_type": "linode", "entity_id": id, "lock_type": "cannot_delete"});
    let lock = api.post("/locks", lock).await["id"].as_u64().expect("an id");
    api.get("/locks").await;
    api.get(&format!("/locks/{lock}")).await;
    let path = format!("/linode/instances/{id}");
    assert_eq!(api.get(&path).await["locks"], json!(["cannot_delete"]));
    assert_eq!(api.call("DELETE", &path, None).await.status, 400, "a locked Linode stays");
    assert_eq!(api.call("DELETE", &format!("/locks/{lock}"), None).await.status, 200);
}

async fn placement(api: &Api, id: u64) {
    let body = json!({
        "label": "apart", "region": "eu-central", "placement_group_type": "anti_affinity:local",
        "placement_group_policy": "strict",
    });
    let group = api.post("/placement/groups", body).await["id"].as_u64().expect("an id");
    let path = format!("/placement/groups/{group}");
    let assigned = api.post(&format!("{path}/assign"), json!({"linodes": [id]})).await;
    assert_eq!(assigned["members"][0]["linode_id"], id);
    api.get("/placement/groups").await;
    api.get(&path).await;
    assert_eq!(api.get(&format!("/linode/instances/{id}")).await["placement_group"]["id"], group);
    let renamed = api.call("PUT", &path, Some(json!({"label": "further-apart"}))).await;
    assert_eq!(renamed.body["label"], "further-apart");
    assert_eq!(api.call("DELETE", &path, None).await.status, 400, "a group in use stays");
    api.post(&format!("{path}/unassign"), json!({"linodes": [id]})).await;
    assert_eq!(api.call("DELETE", &path, None).await.status, 200);
}

async fn linode_interfaces(api: &Api) {
    let id = api
        .create(bootable_with(
            "new-generation",
            json!({
                "interface_generation": "linode",
                "booted": false,
                "interfaces": [
                    {"public": {}, "firewall_id": 4711},
                    {"vlan": {"vlan_label": "app", "ipam_address": "10.10.0.21/24"}},
                ],
            }),
        ))
        .await;
    let path = format!("/linode/instances/{id}/interfaces");
    let all = api.get(&path).await;
    let all = all["interfaces"].as_array().expect("an envelope of its own");
    assert_eq!(all[1]["vlan"]["ipam_address"], "10.10.0.21/24");
    let first = format!("{path}/{}", all[0]["id"]);
    assert_eq!(api.get(&first).await, all[0]);
    assert_eq!(api.get(&format!("{first}/firewalls")).await["data"][0]["id"], 4711);
    let devices = api.get("/networking/firewalls/4711/devices").await;
    let parent = &devices["data"][1]["entity"]["parent_entity"]["id"];
    assert_eq!(parent, id, "the interface names its Linode");
    api.until(id, "offline").await;
}

async fn power_and_events(api: &Api, id: u64) {
    let path = format!("/linode/instances/{id}");
    api.post(&format!("{path}/shutdown"), json!({})).await;
    api.until(id, "offline").await;
    api.post(&format!("{path}/boot"), json!({})).await;
    api.until(id, "running").await;
    api.post(&format!("{path}/reboot"), json!({})).await;
    api.until(id, "running").await;
    let rebuilt = bootable("ignored");
    let body =
        json!({"image": "linode/ubuntu24.04", "authorized_keys": rebuilt["authorized_keys"]});
    let rebuilt = api.post(&format!("{path}/rebuild"), body).await;
    assert_eq!(
        (&rebuilt["status"], &rebuilt["image"]),
        (&json!("rebuilding"), &json!("linode/ubuntu24.04"))
    );
    api.until(id, "running").await;
    let events = api.get("/account/events").await;
    let events = events["data"].as_array().expect("a list").clone();
    let actions: Vec<&Value> = events.iter().map(|event| &event["action"]).collect();
    for action in
        ["linode_create", "linode_boot", "linode_shutdown", "linode_reboot", "linode_rebuild"]
    {
        assert!(actions.contains(&&json!(action)), "{action} in {actions:?}");
    }
    let newest = format!("/account/events/{}", events[0]["id"]);
    api.post(&format!("{newest}/seen"), json!({})).await;
    assert_eq!(api.get(&newest).await["seen"], true);
}

async fn removal(api: &Api, id: u64) {
    let in_use = api.call("DELETE", "/networking/vlans/eu-central/app", None).await;
    assert_eq!(in_use.status, 400);
    assert_eq!(api.call("DELETE", &format!("/linode/instances/{id}"), None).await.status, 200);
    api.until(id, "gone").await;
}

/// Out of the profile, and the VLAN is free. It lingers for a minute of life.
async fn vlan_removal(api: &Api) {
    let vlan = json!({"interfaces": [{"purpose": "vlan", "label": "lone"}]});
    let id = api.create(bootable_with("second", vlan)).await;
    let configs = api.get(&format!("/linode/instances/{id}/configs")).await;
    let config = format!("/linode/instances/{id}/configs/{}", configs["data"][0]["id"]);
    let detached = api.call("PUT", &config, Some(json!({"interfaces": []}))).await;
    assert_eq!(detached.body["interfaces"], json!([]));
    assert_eq!(api.call("DELETE", "/networking/vlans/eu-central/lone", None).await.status, 200);
    assert_eq!(api.call("DELETE", "/networking/vlans/eu-central/lone", None).await.status, 404);
}
