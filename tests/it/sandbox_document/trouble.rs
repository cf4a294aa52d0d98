//! Faults on demand, and the controls that tests use.

use std::time::{Duration, Instant};

use serde_json::{Value, json};
use windlass::sandbox::{Sandbox, SandboxOptions, Speed};

use super::api::{Api, bootable, quick};

async fn with_faults(faults: Value) -> Api {
    let api = Api::start(quick()).await;
    api.control("PUT", "/faults", Some(json!({ "faults": faults }))).await;
    api
}

#[tokio::test]
async fn canned_answers_replace_the_real_one() {
    for (effect, status, piece) in [
        (json!({"answer": {"status": 500}}), 500, "Internal Server Error"),
        (json!({"answer": {"status": 400, "body": "Linode busy."}}), 400, "Linode busy."),
        (json!("bad_gateway"), 502, "<html>"),
        (json!("maintenance"), 503, "maintenance"),
        (json!({"rate_limited": 7}), 429, "Too many requests"),
        (json!("sold_out"), 403, "not currently available"),
        (json!("account_limit"), 400, "Account Limit"),
    ] {
        let api =
            with_faults(json!([{"operation": "create_instance", "times": 1, "effect": effect}]))
                .await;
        let body = bootable("unlucky");
        let send = || api.send("POST", "/v4/linode/instances", &[], Some(&body));
        let answer = send().await.expect("an answer");
        assert_eq!(answer.status.as_u16(), status, "{effect}");
        assert!(answer.body.to_string().contains(piece), "{effect}: {}", answer.body);
        match status {
            502 => assert_eq!(answer.headers["content-type"], "text/html"),
            503 => assert!(answer.headers.contains_key("x-maintenance-mode")),
            429 => assert_eq!(answer.headers["retry-after"], "7"),
            _ => {}
        }
        assert_eq!(api.get("/linode/instances").await["results"], 0, "{effect}: nothing was done");
        assert_eq!(send().await.expect("an answer").status, 200, "{effect}: only once");
    }
}

#[tokio::test]
async fn a_dropped_answer_leaves_the_deed_done_or_undone() {
    for (effect, there) in [("drop_answer_after_acting", 1), ("drop_before_acting", 0)] {
        let fault = json!({"operation": "create_instance", "times": 1, "effect": effect});
        let api = with_faults(json!([fault])).await;
        let body = bootable("in-doubt");
        let lost = api.send("POST", "/v4/linode/instances", &[], Some(&body)).await;
        let error = lost.err().unwrap_or_else(|| panic!("{effect}: an answer came"));
        assert!(!error.is_timeout(), "{effect}: the connection was closed, not left hanging");
        let filter = [("x-filter", r#"{"label": "in-doubt"}"#)];
        let found = api.filtered("GET", "/linode/instances", &filter, None).await.body;
        assert_eq!(found["results"], there, "{effect}");
    }
}

#[tokio::test]
async fn a_hanging_call_is_only_slow() {
    let api =
        with_faults(json!([{"operation": "list_instances", "effect": {"hang_seconds": 0.3}}]))
            .await;
    let begun = Instant::now();
    api.get("/linode/instances").await;
    assert!(Duration::from_millis(300) <= begun.elapsed());
    api.get("/linode/types").await;
}

#[tokio::test]
async fn a_client_that_gives_up_waiting_undoes_nothing() {
    for effect in ["hang_seconds", "answer_after_seconds"] {
        let fault = json!({"operation": "create_instance", "effect": {effect: 0.5}});
        let api = with_faults(json!([fault])).await;
        let body = bootable("in-doubt");
        let send = api.send("POST", "/v4/linode/instances", &[], Some(&body));
        let given_up = tokio::time::timeout(Duration::from_millis(200), send).await;
        assert!(given_up.is_err(), "{effect}: an answer came");
        let deadline = Instant::now() + Duration::from_secs(10);
        loop {
            let list = api.get("/linode/instances").await;
            if list["data"][0]["status"] == "running" {
                break;
            }
            assert!(Instant::now() < deadline, "{effect}: not running: {list}");
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }
}

#[tokio::test]
async fn a_sandbox_stops_though_a_call_hangs() {
    let api = with_faults(json!([{"operation": "*", "effect": {"hang_seconds": 3600}}])).await;
    let address = api.sandbox.address;
    let hanging = tokio::spawn(async move {
        let url = format!("http://{address}/v4/regions");
        super::api::client().get(url).send().await.map(|_| ())
    });
    let deadline = Instant::now() + Duration::from_secs(20);
    while api.control("GET", "/faults", None).await["faults"][0]["struck"] == 0 {
        assert!(Instant::now() < deadline, "the call never came");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    let stopped = tokio::time::timeout(Duration::from_secs(5), api.sandbox.stop()).await;
    stopped.expect("it stops in time").expect("it stops well");
    assert!(hanging.await.expect("the task ends").is_err(), "no answer came");
}

#[tokio::test]
async fn cursed_vms_stick_fail_or_vanish() {
    let api = with_faults(json!([
        {"operation": "create_instance", "label": "sticks", "effect": "never_boots"},
        {"operation": "create_instance", "label": "stays", "effect": "never_provisions"},
        {"operation": "create_instance", "label": "fails", "effect": "boot_fails"},
        {"operation": "create_instance", "label": "vanishes", "effect": {"vanish_after_seconds": 0.5}},
    ]))
    .await;
    let mut ids = std::collections::BTreeMap::new();
    for label in ["sticks", "stays", "fails", "vanishes", "healthy"] {
        ids.insert(label, api.create(bootable(label)).await);
    }
    api.until(ids["healthy"], "running").await;
    api.until(ids["fails"], "offline").await;
    api.until(ids["vanishes"], "gone").await;
    assert_eq!(api.status(ids["sticks"]).await, "booting");
    assert_eq!(api.status(ids["stays"]).await, "provisioning");
    let filter = format!(r#"{{"entity.id": {}, "action": "linode_delete"}}"#, ids["vanishes"]);
    let events = api.filtered("GET", "/account/events", &[("x-filter", &filter)], None).await;
    assert_eq!(events.body["results"], 0, "no event tells of it");
    for label in ["sticks", "stays"] {
        api.call("DELETE", &format!("/linode/instances/{}", ids[label]), None).await;
        api.until(ids[label], "gone").await;
    }
}

#[tokio::test]
async fn a_hopeless_vm_gets_no_body_and_a_vanished_one_loses_its() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let at = folder.path().display();
    let options = SandboxOptions {
        on_boot: Some(format!("touch {at}/$WINDLASS_VM_LABEL")),
        on_delete: Some(format!("rm {at}/$WINDLASS_VM_LABEL")),
        ..quick()
    };
    let api = Api::start(options).await;
    let faults = json!({"faults": [
        {"operation": "create_instance", "label": "fails", "effect": "boot_fails"},
    ]});
    api.control("PUT", "/faults", Some(faults)).await;
    let fails = api.create(bootable("fails")).await;
    let healthy = api.create(bootable("healthy")).await;
    api.until(fails, "offline").await;
    api.until(healthy, "running").await;
    let exists = |label: &str| folder.path().join(label).exists();
    assert!(!exists("fails") && exists("healthy"));
    api.control("DELETE", &format!("/instances/{healthy}"), None).await;
    assert_eq!(api.status(healthy).await, "gone", "at once, whatever its body does");
    let deadline = Instant::now() + Duration::from_secs(10);
    while exists("healthy") {
        assert!(Instant::now() < deadline, "its body is still there");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

#[tokio::test]
async fn a_listing_may_lag_behind_a_create() {
    let api = with_faults(json!([
        {"operation": "create_instance", "times": 1, "effect": {"listed_after_seconds": 3.0}},
        {"operation": "create_instance", "times": 1, "effect": "drop_answer_after_acting"},
    ]))
    .await;
    let body = bootable("late-to-show");
    assert!(api.send("POST", "/v4/linode/instances", &[], Some(&body)).await.is_err());
    assert_eq!(api.get("/linode/instances").await["results"], 0, "there, but not yet to be seen");
    let again = api.call("POST", "/linode/instances", Some(body)).await;
    assert_eq!(again.body["errors"][0]["field"], "label", "the label gives it away");
    let deadline = Instant::now() + Duration::from_secs(10);
    while api.get("/linode/instances").await["results"] == 0 {
        assert!(Instant::now() < deadline, "it never shows");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

#[tokio::test]
async fn a_slow_boot_takes_as_much_longer_as_asked() {
    let api = with_faults(json!([
        {"operation": "create_instance", "label": "slow", "effect": {"boot_slow_factor": 20}},
    ]))
    .await;
    let begun = Instant::now();
    let id = api.create(bootable("slow")).await;
    api.until(id, "running").await;
    // 45 s of life, at a thousand times its speed, twenty times longer.
    assert!(Duration::from_millis(900) <= begun.elapsed(), "{:?}", begun.elapsed());
}

#[tokio::test]
async fn the_faults_file_is_read_again_when_it_changes() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let file = folder.path().join("faults.yaml");
    let faults = Some(file.clone());
    let api = Api::start(SandboxOptions { faults, ..quick() }).await;
    let status = async || {
        api.send("GET", "/v4/regions", &[], None).await.expect("an answer").status.as_u16()
    };
    assert_eq!(status().await, 200, "no file, no faults");
    std::fs::write(&file, "faults: [{operation: list_regions, effect: {answer: {status: 500}}}]")
        .expect("a file");
    assert_eq!(status().await, 500);
    std::fs::write(&file, "faults: [{operation: list_regions, effect: explode}]").expect("a file");
    assert_eq!(status().await, 500, "a bad text leaves the old faults in force");
    let shown = api.control("GET", "/faults", None).await;
    assert!(shown["problem"].as_str().is_some_and(|text| text.contains("explode")), "{shown}");
    std::fs::remove_file(&file).expect("it was there");
    assert_eq!(status().await, 200, "the file is gone, and with it the faults");

    std::fs::write(&file, "faults: [{operation: nonsense, effect: sold_out}]").expect("a file");
    let options = SandboxOptions { faults: Some(file), ..quick() };
    let error = Sandbox::start(options).await.expect_err("a bad file at the start");
    assert!(error.to_string().contains("no operation is called `nonsense`"), "{error}");
}

#[tokio::test]
async fn the_controls_tell_what_happened() {
    let api = Api::start(quick()).await;
    let first = api.create(bootable("first")).await;
    api.create(bootable("second")).await;
    api.control("DELETE", &format!("/instances/{first}"), None).await;
    assert_eq!(api.status(first).await, "gone");
    api.send("GET", "/v4/nowhere?x=1", &[], None).await.expect("an answer");
    let counts = api.control("GET", "/counts", None).await;
    assert_eq!(counts["instances"], json!({"now": 1, "ever": 2, "at_most": 2}));
    assert_eq!(counts["requests"]["create_instance"], 2);
    let journal = api.control("GET", "/requests?since=3", None).await;
    let last = &journal["requests"][0];
    assert_eq!((&last["path"], &last["status"]), (&json!("/v4/nowhere?x=1"), &json!(404)));
    assert_eq!((&last["operation"], &journal["next"]), (&Value::Null, &json!(4)));
}

#[tokio::test]
async fn a_start_without_a_token_says_what_to_give() {
    let options = SandboxOptions { tokens: Vec::new(), ..quick() };
    let error = Sandbox::start(options).await.expect_err("nobody could log in");
    assert!(error.to_string().contains("--token-file"), "{error}");
}

#[tokio::test]
async fn a_token_file_holds_one_token_a_line_and_errors_show_none() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let file = folder.path().join("tokens");
    std::fs::write(&file, "# mine\n\nfrom-a-file:linodes:read_only\n").expect("a file");
    let options = SandboxOptions {
        tokens: Vec::new(),
        token_files: vec![file.clone()],
        speed: Speed::REAL,
        ..quick()
    };
    let mut api = Api::start(options.clone()).await;
    api.token = "from-a-file".into();
    assert_eq!(api.call("GET", "/linode/instances", None).await.status, 200);
    std::fs::write(&file, "s3cr3t:everything\n").expect("a file");
    let error = Sandbox::start(options).await.expect_err("no such scope");
    let cause = std::error::Error::source(&error).expect("a cause").to_string();
    assert!(cause.contains(":1:") && !cause.contains("s3cr3t"), "{cause}");
}
