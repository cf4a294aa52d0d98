//! Hooks give VMs a body, and the state file remembers them.

use std::path::Path;
use std::time::{Duration, Instant};

use serde_json::json;
use windlass::sandbox::{NetworkHelper, SandboxOptions, Speed};

use super::api::{Api, bootable, bootable_with, quick};

fn vlan() -> serde_json::Value {
    json!({
        "interfaces": [{"purpose": "vlan", "label": "app", "ipam_address": "10.10.0.9/24"}],
        "metadata": {"user_data": "c2VjcmV0IHdvcmRz"},
        "tags": ["one-tag", "two-tags"],
    })
}

async fn until_file(path: &Path) -> String {
    let deadline = Instant::now() + Duration::from_secs(20);
    loop {
        match std::fs::read_to_string(path) {
            Ok(text) if text.ends_with('\n') => return text,
            _ => assert!(Instant::now() < deadline, "{} never came", path.display()),
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

#[tokio::test]
async fn hooks_know_their_vm_and_hold_its_status() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let at = folder.path().display();
    let boot = format!(
        "stat -c %a \"$WINDLASS_VM_USER_DATA_FILE\" > {at}/mode
         dirname \"$WINDLASS_VM_USER_DATA_FILE\" > {at}/files
         printf '%s|' \"$WINDLASS_VM_LABEL\" \"$WINDLASS_VM_REGION\" \"$WINDLASS_VM_TYPE\" \
            \"$WINDLASS_VM_IMAGE\" \"$WINDLASS_VM_VLAN_LABEL\" \"$WINDLASS_VM_VLAN_ADDRESS\" \
            \"$(cat \"$WINDLASS_VM_USER_DATA_FILE\")\" \"$(cat \"$WINDLASS_VM_AUTHORIZED_KEYS_FILE\")\" \
            \"$(echo $WINDLASS_VM_TAGS)\" > {at}/told.new
         echo >> {at}/told.new; mv {at}/told.new {at}/told
         until [ -e {at}/go ]; do sleep 0.01; done"
    );
    let options = SandboxOptions {
        on_boot: Some(boot),
        on_shutdown: Some(format!("echo $WINDLASS_VM_ID > {at}/shut")),
        on_delete: Some(format!("echo $WINDLASS_VM_ID > {at}/deleted; exit 3")),
        ..quick()
    };
    let api = Api::start(options).await;
    let id = api.create(bootable_with("with-body", vlan())).await;
    let told = until_file(&folder.path().join("told")).await;
    assert_eq!(
        told.trim_end(),
        "with-body|eu-central|g6-nanode-1|linode/debian12|app|10.10.0.9/24|secret words|\
         ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIExample test|one-tag two-tags|"
    );
    assert_eq!(until_file(&folder.path().join("mode")).await.trim_end(), "600");
    assert_eq!(api.status(id).await, "booting", "long past its time, but its body isn't there yet");
    std::fs::write(folder.path().join("go"), "").expect("a file");
    api.until(id, "running").await;
    let files = until_file(&folder.path().join("files")).await;
    assert!(!Path::new(files.trim_end()).exists(), "the hook's files are removed");

    api.post(&format!("/linode/instances/{id}/shutdown"), json!({})).await;
    api.until(id, "offline").await;
    assert_eq!(until_file(&folder.path().join("shut")).await.trim_end(), id.to_string());
    api.call("DELETE", &format!("/linode/instances/{id}"), None).await;
    api.until(id, "gone").await;
    let deleted = until_file(&folder.path().join("deleted")).await;
    assert_eq!(deleted.trim_end(), id.to_string(), "a failing delete hook keeps no VM alive");
}

#[tokio::test]
async fn a_failing_boot_hook_leaves_the_vm_offline_with_a_failed_event() {
    let on_boot = Some("echo no room >&2; exit 7".into());
    let api = Api::start(SandboxOptions { on_boot, ..quick() }).await;
    let id = api.create(bootable("no-body")).await;
    api.until(id, "offline").await;
    let event = api.get("/account/events").await["data"][0].clone();
    assert_eq!((&event["action"], &event["status"]), (&json!("linode_boot"), &json!("failed")));
    let message = event["message"].as_str().expect("a text");
    assert!(message.contains('7') && message.contains("no room"), "{message}");
}

#[tokio::test]
async fn a_hook_that_takes_too_long_is_killed_with_all_its_children() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let at = folder.path().display();
    let on_boot = Some(format!("sleep 1000 & echo $! > {at}/child; wait"));
    let hook_timeout = Duration::from_millis(300);
    let api = Api::start(SandboxOptions { on_boot, hook_timeout, ..quick() }).await;
    let id = api.create(bootable("slow-body")).await;
    let child = until_file(&folder.path().join("child")).await;
    api.until(id, "offline").await;
    wait_for_end(child.trim_end()).await;
}

#[tokio::test]
async fn deleting_a_booting_vm_calls_its_hook_off_before_the_delete_hook_runs() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let at = folder.path().display();
    let options = SandboxOptions {
        on_boot: Some(format!("echo $$ > {at}/boot; sleep 1000")),
        on_delete: Some(format!(
            "kill -0 $(cat {at}/boot) && touch {at}/overlap; echo > {at}/deleted"
        )),
        ..quick()
    };
    let api = Api::start(options).await;
    let id = api.create(bootable("short-life")).await;
    until_file(&folder.path().join("boot")).await;
    api.call("DELETE", &format!("/linode/instances/{id}"), None).await;
    api.until(id, "gone").await;
    assert!(folder.path().join("deleted").exists());
    assert!(!folder.path().join("overlap").exists(), "the boot hook was still alive");
}

async fn wait_for_end(process: &str) {
    let deadline = Instant::now() + Duration::from_secs(10);
    let status = format!("/proc/{process}/status");
    // A killed process whose parent died too may wait, dead, for init to take notice.
    while std::fs::read_to_string(&status).is_ok_and(|text| !text.contains("State:\tZ")) {
        assert!(Instant::now() < deadline, "process {process} is still there");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

#[tokio::test]
async fn without_network_helper_no_vlan_address_reaches_the_vm() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let at = folder.path().display();
    let on_boot =
        Some(format!("echo \"address:$WINDLASS_VM_VLAN_ADDRESS\" > {at}/$WINDLASS_VM_LABEL"));
    let network_helper = NetworkHelper::Off;
    let api = Api::start(SandboxOptions { on_boot, network_helper, ..quick() }).await;
    assert_eq!(api.get("/account/settings").await["network_helper"], false);
    api.create(bootable_with("plain", vlan())).await;
    assert_eq!(until_file(&folder.path().join("plain")).await.trim_end(), "address:");

    // The careful way: not booted, helper switched on in the profile, then booted.
    let mut body = bootable_with("helped", vlan());
    body["booted"] = json!(false);
    let id = api.create(body).await;
    api.until(id, "offline").await;
    let configs = api.get(&format!("/linode/instances/{id}/configs")).await;
    let config = format!("/linode/instances/{id}/configs/{}", configs["data"][0]["id"]);
    api.call("PUT", &config, Some(json!({"helpers": {"network": true}}))).await;
    api.post(&format!("/linode/instances/{id}/boot"), json!({})).await;
    assert_eq!(until_file(&folder.path().join("helped")).await.trim_end(), "address:10.10.0.9/24");
}

#[tokio::test]
async fn a_restart_goes_on_with_the_very_same_instances() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let state = folder.path().join("state.json");
    let runs = folder.path().join("runs");
    let options = SandboxOptions {
        state: Some(state.clone()),
        on_boot: Some(format!(
            "echo $WINDLASS_VM_LABEL >> {0}; [ $WINDLASS_VM_LABEL = steady ] || \
             until [ -e {0}.go ]; do sleep 0.01; done",
            runs.display()
        )),
        ..quick()
    };
    let api = Api::start(options.clone()).await;
    let steady = api.create(bootable_with("steady", vlan())).await;
    api.until(steady, "running").await;
    let before = api.get(&format!("/linode/instances/{steady}")).await;
    let booting = api.create(bootable("booting")).await;
    api.until(booting, "booting").await;
    let deadline = Instant::now() + Duration::from_secs(20);
    while !until_file(&runs).await.contains("booting") {
        assert!(Instant::now() < deadline, "the second hook never ran");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    let events = api.get("/account/events").await["results"].clone();
    api.sandbox.stop().await.expect("it stops, hooks and all");

    let mode = std::os::unix::fs::MetadataExt::mode(&std::fs::metadata(&state).expect("a file"));
    assert_eq!(mode & 0o777, 0o600, "user data may be secret");
    let api = Api::start(options).await;
    assert_eq!(api.get(&format!("/linode/instances/{steady}")).await, before);
    assert_eq!(api.get("/account/events").await["results"], events);
    assert_eq!(api.status(booting).await, "booting");
    std::fs::write(folder.path().join("runs.go"), "").expect("a file");
    api.until(booting, "running").await;
    let ran = std::fs::read_to_string(&runs).expect("the hooks ran");
    assert_eq!(ran.matches("booting").count(), 2, "the hook cut off in the middle runs again");
    assert_eq!(ran.matches("steady").count(), 1, "the one that had ended doesn't");
    let third = api.create(bootable("third")).await;
    assert!(booting < third, "ids go on");
}

#[tokio::test]
async fn a_change_is_on_disk_before_it_is_answered() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let state = folder.path().join("state.json");
    let api = Api::start(SandboxOptions { state: Some(state.clone()), ..quick() }).await;
    for number in 0..20 {
        let label = format!("durable-{number}");
        api.create(bootable(&label)).await;
        let kept = std::fs::read_to_string(&state).expect("a state file");
        assert!(kept.contains(&label), "{label} was answered, but is not on disk");
    }
}

#[tokio::test]
async fn a_spoilt_state_file_stops_the_start_and_stays_as_it_is() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let state = folder.path().join("state.json");
    std::fs::write(&state, "{\"half\": ").expect("a file");
    let options = SandboxOptions { state: Some(state.clone()), ..quick() };
    let error = windlass::sandbox::Sandbox::start(options).await.expect_err("it is spoilt");
    let cause = std::error::Error::source(&error).expect("a cause").to_string();
    assert!(cause.contains("state.json") && cause.contains("delete it"), "{cause}");
    assert_eq!(std::fs::read_to_string(&state).expect("still there"), "{\"half\": ");
}

#[tokio::test]
async fn time_passes_as_fast_as_the_options_say() {
    let speed = Speed::new(100.0).expect("above zero");
    let api = Api::start(SandboxOptions { speed, ..quick() }).await;
    let begun = Instant::now();
    let id = api.create(bootable("timed")).await;
    api.until(id, "running").await;
    let took = begun.elapsed();
    // 45 s of life at a hundred times its speed. No upper bound: machines are slow at times.
    assert!(Duration::from_millis(450) <= took, "{took:?}");
}
