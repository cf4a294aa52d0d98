//! What the document can't say: rules of a create, statuses over time, filters, scopes, limits.

use std::time::Duration;

use serde_json::{Value, json};
use windlass::sandbox::{SandboxOptions, Speed};

use super::api::{Api, TOKEN, bootable, bootable_with, quick};

async fn complaint(api: &Api, body: Value) -> (u16, Value, Value) {
    let answer = api.call("POST", "/linode/instances", Some(body)).await;
    let first = &answer.body["errors"][0];
    (answer.status.as_u16(), first["field"].clone(), first["reason"].clone())
}

#[tokio::test]
async fn a_bad_create_names_the_field_and_makes_nothing() {
    let api = Api::start(quick()).await;
    let key = bootable("x")["authorized_keys"].clone();
    let too_long = "A".repeat(30_000);
    for (field, more) in [
        (json!("type"), json!({"type": "g6-huge"})),
        (json!("region"), json!({"region": "atlantis"})),
        (json!("image"), json!({"image": "linode/windows"})),
        (json!("label"), json!({"label": "a--b"})),
        (json!("label"), json!({"label": 7})),
        (json!("tags[0]"), json!({"tags": ["ab"]})),
        (json!("metadata.user_data"), json!({"metadata": {"user_data": "not base64!"}})),
        (json!("metadata.user_data"), json!({"metadata": {"user_data": too_long}})),
        (
            json!("metadata.user_data"),
            json!({"image": "linode/arch", "metadata": {"user_data": "YQ=="}}),
        ),
        (json!("root_pass"), json!({"root_pass": "short"})),
        (json!("authorized_keys[0]"), json!({"authorized_keys": ["hello"]})),
        (json!("firewall_id"), json!({"firewall_id": 12})),
        (
            json!("interfaces[0].label"),
            json!({"interfaces": [{"purpose": "vlan", "label": "a_b"}]}),
        ),
        (
            json!("interfaces[0].ipam_address"),
            json!({"interfaces": [{"purpose": "vlan", "label": "a", "ipam_address": "10.0.0.1"}]}),
        ),
        (json!("interfaces[0].purpose"), json!({"interfaces": [{"vlan": {"vlan_label": "a"}}]})),
        (
            json!("interfaces[1].label"),
            json!({"interfaces": [{"purpose": "vlan", "label": "a"}, {"purpose": "vlan", "label": "a"}]}),
        ),
        (
            json!("interfaces"),
            json!({"interfaces": [{"purpose": "public"}, {"purpose": "public"}]}),
        ),
        (json!("interfaces[0].firewall_id"), json!({"interface_generation": "linode"})),
        (
            json!("interfaces[0].firewall_id"),
            json!({"interface_generation": "linode", "interfaces": [{"vlan": {"vlan_label": "a"}, "firewall_id": 4711}]}),
        ),
        (json!("interface_generation"), json!({"interface_generation": "new"})),
        (json!("placement_group.id"), json!({"placement_group": {"id": 5}})),
    ] {
        let (status, at, reason) = complaint(&api, bootable_with("fine", more.clone())).await;
        assert_eq!((status, &at), (400, &field), "{more}: {reason}");
    }
    let (status, field, reason) = complaint(&api, json!({"authorized_keys": key})).await;
    assert_eq!((status, field, reason), (400, json!("type"), json!("type is required")));
    assert_eq!(api.get("/linode/instances").await["results"], 0);
    assert_eq!(api.control("GET", "/counts", None).await["instances"]["ever"], 0);
}

#[tokio::test]
async fn several_mistakes_come_in_one_answer() {
    let api = Api::start(quick()).await;
    let body = bootable_with("no--good", json!({"region": "atlantis", "tags": ["x"]}));
    let answer = api.call("POST", "/linode/instances", Some(body)).await;
    let errors = answer.body["errors"].as_array().expect("a list").clone();
    let fields: Vec<&Value> = errors.iter().map(|error| &error["field"]).collect();
    assert_eq!(fields, [&json!("region"), &json!("label"), &json!("tags[0]")]);
}

#[tokio::test]
async fn a_label_is_taken_until_its_owner_is_gone() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let go = folder.path().join("go");
    let on_delete = Some(format!("until [ -e {} ]; do sleep 0.01; done", go.display()));
    let api = Api::start(SandboxOptions { on_delete, ..quick() }).await;
    let id = api.create(bootable("only-one")).await;
    let duplicate = (400, json!("label"), json!("Label must be unique among your linodes"));
    assert_eq!(complaint(&api, bootable("only-one")).await, duplicate);
    api.call("DELETE", &format!("/linode/instances/{id}"), None).await;
    assert_eq!(api.status(id).await, "deleting", "seen at once");
    assert_eq!(complaint(&api, bootable("only-one")).await, duplicate, "still there");
    let again = api.call("DELETE", &format!("/linode/instances/{id}"), None).await;
    assert_eq!(again.status, 200, "asking again while it goes changes nothing");
    std::fs::write(go, "").expect("a file");
    api.until(id, "gone").await;
    api.create(bootable("only-one")).await;
}

#[tokio::test]
async fn a_linode_passes_through_its_statuses_in_order() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let go = folder.path().join("go");
    let on_boot = Some(format!("until [ -e {} ]; do sleep 0.01; done", go.display()));
    let api = Api::start(SandboxOptions { on_boot, ..quick() }).await;
    let made = api.post("/linode/instances", bootable("in-order")).await;
    assert_eq!(made["status"], "provisioning");
    let id = made["id"].as_u64().expect("an id");
    api.until(id, "booting").await;
    let event = api.get("/account/events").await["data"][0].clone();
    assert_eq!((&event["action"], &event["status"]), (&json!("linode_boot"), &json!("started")));
    std::fs::write(go, "").expect("a file");
    api.until(id, "running").await;
    let event = api.get(&format!("/account/events/{}", event["id"])).await;
    assert_eq!(
        (&event["status"], &event["percent_complete"], &event["secondary_entity"]["type"]),
        (&json!("finished"), &json!(100), &json!("linode_config"))
    );

    let bare = json!({"type": "g6-nanode-1", "region": "eu-central", "label": "bare"});
    let made = api.post("/linode/instances", bare).await;
    assert_eq!(made["status"], "provisioning", "always, also without an image");
    let id = made["id"].as_u64().expect("an id");
    api.until(id, "offline").await;
    let boot = api.call("POST", &format!("/linode/instances/{id}/boot"), None).await;
    assert_eq!(boot.status, 400, "nothing to boot from");
}

#[tokio::test]
async fn while_a_linode_is_made_a_boot_is_accepted_and_all_else_is_refused() {
    let api = Api::start(SandboxOptions { speed: Speed::REAL, ..quick() }).await;
    for (label, booted) in [("eager", true), ("patient", false)] {
        let id = api.create(bootable_with(label, json!({ "booted": booted }))).await;
        let path = format!("/linode/instances/{id}");
        for call in ["shutdown", "reboot"] {
            let answer = api.call("POST", &format!("{path}/{call}"), None).await;
            assert_eq!(answer.body["errors"][0]["reason"], "Linode busy.", "{call}");
        }
        api.post(&format!("{path}/boot"), json!({})).await;
        let filter = format!(r#"{{"entity.id": {id}, "action": "linode_boot"}}"#);
        let boots = api.filtered("GET", "/account/events", &[("x-filter", &filter)], None).await;
        assert_eq!(boots.body["data"][0]["status"], "scheduled", "{label}");
        assert_eq!(boots.body["results"], 1, "{label}: one boot, not two");
    }
}

#[tokio::test]
async fn a_running_linode_cannot_be_booted_again() {
    let api = Api::start(quick()).await;
    let id = api.create(bootable_with("power", json!({"booted": false}))).await;
    api.until(id, "offline").await;
    api.post(&format!("/linode/instances/{id}/boot"), json!({})).await;
    api.until(id, "running").await;
    let boot = api.call("POST", &format!("/linode/instances/{id}/boot"), None).await;
    let reason = boot.body["errors"][0]["reason"].as_str().expect("a text").to_owned();
    assert!(boot.status == 400 && reason.ends_with("already booted."), "{reason}");
}

#[tokio::test]
async fn lists_are_filtered_and_paged_on_both_versions() {
    let api = Api::start(quick()).await;
    for number in 0..60 {
        let tag = if number % 2 == 0 { "even" } else { "odd" };
        let body = json!({
            "type": "g6-nanode-1", "region": "us-east", "label": format!("n-{number}"),
            "tags": [tag, "all"],
        });
        api.create(body).await;
    }
    let filter = [("x-filter", r#"{"+and": [{"tags": "all"}, {"tags": "even"}]}"#)];
    for prefix in ["/v4", "/v4beta"] {
        let path = format!("{prefix}/linode/instances?page=2&page_size=25");
        let answer = api.send("GET", &path, &filter, None).await.expect("an answer");
        let body = &answer.body;
        assert_eq!(
            (&body["page"], &body["pages"], &body["results"]),
            (&json!(2), &json!(2), &json!(30))
        );
        assert_eq!(body["data"].as_array().map(Vec::len), Some(5));
    }
    for (header, reason) in [
        (r#"{"status": "running"}"#, "Cannot filter on status"),
        (r#"{"tags": ["all"]}"#, "Tags filter must be a string or dict"),
    ] {
        let answer = api.filtered("GET", "/linode/instances", &[("x-filter", header)], None).await;
        assert_eq!(answer.status, 400);
        assert_eq!(answer.body["errors"][0], json!({"reason": reason, "field": "X-Filter"}));
    }
    let small = api.call("GET", "/linode/instances?page_size=5", None).await;
    assert_eq!(
        (small.status.as_u16(), &small.body["errors"][0]["field"]),
        (400, &json!("page_size"))
    );
}

#[tokio::test]
async fn a_token_may_only_do_what_its_scopes_say() {
    let token = format!("{TOKEN}:linodes:read_only");
    let tokens = vec![token.parse().expect("a token with a scope")];
    let api = Api::start(SandboxOptions { tokens, ..quick() }).await;
    let list = api.call("GET", "/linode/instances", None).await;
    assert_eq!(
        (list.status.as_u16(), &list.headers["x-oauth-scopes"]),
        (200, &"linodes:read_only".parse().expect("a header"))
    );
    let create = api.call("POST", "/linode/instances", Some(bootable("not-mine"))).await;
    assert_eq!(create.status, 401);
    let reason = "Your OAuth token is not authorized to use this endpoint.";
    assert_eq!(create.body, json!({"errors": [{"reason": reason}]}));
    assert_eq!(create.headers["x-accepted-oauth-scopes"], "linodes:read_write");
    assert_eq!(api.call("GET", "/account/events", None).await.status, 401);
    assert_eq!(api.call("GET", "/profile", None).await.status, 200, "any token will do");
}

#[tokio::test]
async fn the_twenty_first_create_is_one_too_many() {
    let api = Api::start(SandboxOptions { no_rate_limit: false, ..quick() }).await;
    let body = |number: u32| json!({"type": "g6-nanode-1", "region": "us-east", "label": format!("n-{number}")});
    for number in 0..20 {
        let answer = api.call("POST", "/linode/instances", Some(body(number))).await;
        assert_eq!(answer.status, 200);
        assert_eq!(answer.headers["x-ratelimit-limit"], "20");
        assert_eq!(answer.headers["x-ratelimit-remaining"], (19 - number).to_string().as_str());
    }
    let refused = api.call("POST", "/linode/instances", Some(body(20))).await;
    assert_eq!(refused.status, 429);
    assert_eq!(refused.body, json!({"errors": [{"reason": "Too many requests"}]}));
    let wait: u64 = refused.headers["retry-after"]
        .to_str()
        .ok()
        .and_then(|text| text.parse().ok())
        .expect("seconds");
    assert!((1..=15).contains(&wait), "{wait}");
    assert_eq!(api.get("/linode/instances").await["results"], 20);
}

#[tokio::test]
async fn the_quota_answers_like_an_account_limit() {
    let api = Api::start(SandboxOptions { quota_instances: Some(1), ..quick() }).await;
    api.create(bootable("first")).await;
    let second = api.call("POST", "/linode/instances", Some(bootable("second"))).await;
    assert_eq!(second.status, 400);
    assert_eq!(
        second.body["errors"][0],
        json!({"reason": "Account Limit reached. Please open a support ticket."})
    );
}

#[tokio::test]
async fn a_vlan_comes_with_its_first_interface_and_goes_after_its_last() {
    let api = Api::start(quick()).await;
    let vlan = json!({"interfaces": [{"purpose": "vlan", "label": "short-lived"}]});
    let id = api.create(bootable_with("on-vlan", vlan)).await;
    assert_eq!(api.get("/networking/vlans").await["data"][0]["label"], "short-lived");
    api.call("DELETE", &format!("/linode/instances/{id}"), None).await;
    api.until(id, "gone").await;
    let deadline = std::time::Instant::now() + Duration::from_secs(10);
    while api.get("/networking/vlans").await["results"] != 0 {
        assert!(std::time::Instant::now() < deadline, "the VLAN stays");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}
