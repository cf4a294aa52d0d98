//! Answers recorded from the live API, and what the sandbox answers to the same.

use std::collections::BTreeSet;

use serde_json::{Value, json};
use windlass::sandbox::{SandboxOptions, Speed};

use super::api::{Api, bootable, bootable_with, quick, reference};

fn recorded(note: &str) -> Value {
    let samples = reference("recorded-samples.json");
    let exchanges = samples["exchanges"].as_array().expect("a list").clone();
    exchanges.into_iter().find(|one| one["note"] == note).unwrap_or_else(|| panic!("no {note}"))
}

/// The requests of refusals that need nothing but a fresh account, sent again.
#[tokio::test]
async fn a_recorded_mistake_gets_the_recorded_refusal() {
    let api = Api::start(quick()).await;
    let samples = reference("recorded-samples.json");
    let mut replayed = 0;
    for exchange in samples["exchanges"].as_array().expect("a list") {
        let path = exchange["path"].as_str().expect("a path").replace("/v4beta", "");
        let comparable = ["/tags/does-not-exist", "/linode/types/does-not-exist"];
        let create = path == "/linode/instances" && exchange["status"] != 200;
        if !create && !comparable.contains(&path.split('?').next().unwrap_or_default()) {
            continue;
        }
        let method = exchange["method"].as_str().expect("a method");
        let body = exchange["request"].as_object().map(|body| Value::Object(body.clone()));
        let answer = api.call(method, &path, body).await;
        assert_eq!(json!(answer.status.as_u16()), exchange["status"], "{method} {path}");
        assert_eq!(answer.body, exchange["response"], "{method} {path}");
        replayed += 1;
    }
    assert_eq!(replayed, 4, "two creates and two unknown things are on record");
}

#[tokio::test]
async fn refusals_that_need_a_situation_read_as_recorded() {
    let api = Api::start(SandboxOptions { speed: Speed::REAL, ..quick() }).await;
    let id = api.create(bootable("busy-one")).await;
    let path = format!("/linode/instances/{id}");

    let busy = recorded("Linode busy.");
    let body = json!({"image": "linode/debian12", "root_pass": "thisIsYourRootPassword"});
    let answer = api.call("POST", &format!("{path}/rebuild"), Some(body)).await;
    assert_eq!(
        (json!(answer.status.as_u16()), answer.body),
        (busy["status"].clone(), busy["response"].clone())
    );

    let body = json!({"maintenance_policy": "invalid_policy"});
    let answer = api.call("PUT", &path, Some(body)).await;
    let policy = json!({"errors": [
        {"reason": "Unsupported maintenance policy slug format.", "field": "maintenance_policy"}
    ]});
    assert_eq!((answer.status.as_u16(), answer.body), (400, policy));

    let lock = json!({"entity_type": "linode", "entity_id": id, "lock_type": "cannot_delete"});
    let lock = api.post("/locks", lock).await["id"].clone();
    let conflict = recorded("lock conflict");
    let second = json!({
        "entity_type": "linode", "entity_id": id, "lock_type": "cannot_delete_with_subresources",
    });
    let answer = api.call("POST", "/locks", Some(second)).await;
    let expected = conflict["response"].to_string().replace("1432", &lock.to_string());
    assert_eq!((answer.status.as_u16(), answer.body.to_string()), (400, expected));

    let filter = recorded("filter on an unknown key");
    let answer =
        api.filtered("GET", "/images?page=1", &[("x-filter", r#"{"foo": "bar"}"#)], None).await;
    assert_eq!(
        (json!(answer.status.as_u16()), answer.body),
        (filter["status"].clone(), filter["response"].clone())
    );
}

#[tokio::test]
async fn a_bad_token_gets_the_recorded_refusal_and_headers() {
    let mut api = Api::start(quick()).await;
    let record = recorded("401");
    for token in ["wrong", ""] {
        api.token = token.into();
        let answer = api.call("GET", "/linode/instances", None).await;
        assert_eq!(json!(answer.status.as_u16()), record["status"]);
        assert_eq!(answer.body, record["response"], "token {token:?}");
        for (name, text) in [
            ("x-oauth-scopes", "unknown"),
            ("x-accepted-oauth-scopes", "linodes:read_only"),
            ("content-type", "application/json"),
        ] {
            assert_eq!(answer.headers[name], text, "{name}");
        }
    }
    assert_eq!(api.call("GET", "/regions", None).await.status, 200, "public without a token");
}

#[tokio::test]
async fn good_answers_have_the_keys_of_recorded_ones() {
    let api = Api::start(quick()).await;
    let interface = json!([{"purpose": "vlan", "label": "v", "ipam_address": "10.0.0.1/24"}]);
    let id = api.create(bootable_with("keys", json!({"interfaces": interface}))).await;
    api.until(id, "running").await;
    let path = format!("/linode/instances/{id}");

    let linode = recorded("two Linodes created on one VLAN with the SAME ipam_address: accepted");
    same_shape("Linode", &api.get(&path).await, &linode["response"]);

    let samples = reference("recorded-samples.json");
    let exchanges = samples["exchanges"].as_array().expect("a list");
    let find = |end: &str| {
        let found = exchanges.iter().find(|one| {
            one["status"] == 200
                && one["path"]
                    .as_str()
                    .and_then(|path| path.split('?').next())
                    .is_some_and(|path| path.ends_with(end))
        });
        found.unwrap_or_else(|| panic!("no {end} on record"))["response"].clone()
    };
    let configs = api.get(&format!("{path}/configs")).await;
    same_shape("config", &configs["data"][0], &find("/configs")["data"][0]);
    let settings = api.get("/account/settings").await;
    same_shape("settings", &settings, &find("/account/settings"));
    let vlans = api.get("/networking/vlans").await;
    same_shape("VLAN", &vlans["data"][0], &find("/networking/vlans")["data"][0]);
    let event = recorded("an event with details");
    let events = api.get("/account/events").await;
    same_shape("event", &events["data"][0], &event["response"]["data"][0]);
    assert_eq!(api.get("/linode/types/g6-nanode-1").await, find("/linode/types")["data"][0]);
}

/// Objects with the same keys, and values of the same kinds where neither is null.
fn same_shape(at: &str, ours: &Value, recorded: &Value) {
    match (ours, recorded) {
        (Value::Object(ours), Value::Object(recorded)) => {
            let keys = |object: &serde_json::Map<String, Value>| {
                object.keys().cloned().collect::<BTreeSet<String>>()
            };
            assert_eq!(keys(ours), keys(recorded), "{at}");
            for (key, value) in ours {
                same_shape(&format!("{at}.{key}"), value, &recorded[key]);
            }
        }
        (Value::Array(ours), Value::Array(recorded)) => {
            for (ours, recorded) in ours.iter().zip(recorded) {
                same_shape(&format!("{at}[]"), ours, recorded);
            }
        }
        (Value::Null, _) | (_, Value::Null) => {}
        (ours, recorded) => assert_eq!(
            std::mem::discriminant(ours),
            std::mem::discriminant(recorded),
            "{at}: {ours} against {recorded}"
        ),
    }
}

/// The live API was recorded to take the same address twice on one VLAN; so must the sandbox, or
/// a fault in somebody's own allocation would never show.
#[tokio::test]
async fn the_same_vlan_address_is_accepted_twice() {
    let api = Api::start(quick()).await;
    let record = recorded("two Linodes created on one VLAN with the SAME ipam_address: accepted");
    let mut body = record["request"].clone();
    body["firewall_id"] = json!(4711);
    let first = api.create(body.clone()).await;
    body["label"] = json!("go-ins-test-list-1");
    let second = api.create(body).await;
    let vlans = api.get("/networking/vlans").await;
    assert_eq!(vlans["data"][0]["linodes"], json!([first, second]));
}
